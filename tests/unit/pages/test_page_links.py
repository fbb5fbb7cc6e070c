# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every link of a page leads to a file, and to a heading where it names one; the site of `make docs` has every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.tools.page_blocks import PAGES, REPOSITORY

FILES = sorted({file for pattern in PAGES for file in REPOSITORY.glob(pattern)})
INDEX = REPOSITORY / "docs" / "docsite" / "sphinx" / "index.rst"
_LINK = re.compile(r"\]\((?!https?:|mailto:)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page, which Sphinx is told to make, too."""
    text = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(REPOSITORY)) for file in FILES])
def test_every_link_leads_somewhere(file: Path) -> None:
    lost = []
    for link in _LINK.finditer(_CODE.sub("", file.read_text(encoding="utf-8"))):
        target = (file.parent / link["path"]).resolve() if link["path"] else file
        known = target.exists() and (not link["anchor"] or link["anchor"] in anchors(target))
        lost += [] if known else [link[0]]
    assert lost == []


def test_the_site_has_every_page() -> None:
    listed = set(re.findall(r"^   ([\w/]+)$", INDEX.read_text(encoding="utf-8"), re.MULTILINE)) - {"reference/index"}
    pages = {str(file.relative_to(REPOSITORY).with_suffix("")) for file in FILES}
    assert listed == pages - {"CHANGELOG"}

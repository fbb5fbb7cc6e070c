# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawings of docs/explained.md are what the code draws of the demo's records, and say in words what they show."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from ansible_collections.mailroom.erp.tests.tools.explained_drawings import FOLDER, PAGE, drawings

_SVG = "{http://www.w3.org/2000/svg}"


def test_the_drawings_are_those_of_the_code() -> None:
    hint = "python -m ansible_collections.mailroom.erp.tests.tools.explained_drawings writes them anew"
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == drawings(), hint


def test_each_is_on_the_page_and_has_words_for_those_who_do_not_see_it() -> None:
    shown = dict(re.findall(r"!\[([^\]]+)\]\(explained/([^)]+)\)", PAGE.read_text(encoding="utf-8")))
    assert sorted(shown.values()) == sorted(file.name for file in FOLDER.iterdir())
    assert all(len(words) > 40 for words in shown)
    for file in FOLDER.iterdir():
        root = ElementTree.parse(file).getroot()
        assert root.get("role") == "img" and root.get("aria-label")
        assert all(root.findtext(f"{_SVG}{name}") for name in ("title", "desc"))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are numbers: what Ansible would take for one is refused, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils import numbers
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import NUMBER_OPTIONS, wrong_numbers
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

PLUGINS = Path(numbers.__file__).parents[1]


def documented(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, type) of options at every depth."""
    for name, option in options.items():
        yield name, option.get("type", "str")
        yield from documented(option.get("suboptions") or {})


def documents() -> Iterator[Mapping[str, Any]]:
    for file in sorted([*(PLUGINS / "modules").glob("*.py"), *(PLUGINS / "doc_fragments").glob("*.py")]):
        text = file.read_text(encoding="utf-8")
        for part in text.split('r"""')[1:]:
            content = yaml.safe_load(part.partition('"""')[0])
            if isinstance(content, Mapping) and "options" in content:
                yield content["options"]


def test_the_options_that_are_numbers_are_those_of_the_modules() -> None:
    found = [one for options in documents() for one in documented(options)]
    assert {name for name, kind in found if kind in ("int", "float")} == NUMBER_OPTIONS - {"account"}
    assert {kind for name, kind in found if name in NUMBER_OPTIONS} == {"int", "float"}


NONE = [True, False, "yes", "no", "True", "nan", "inf", float("nan"), float("inf"), "1_0", "\u0663", "0x10", "ten", ""]


@pytest.mark.parametrize("value", NONE)
def test_what_is_no_number_is_named_with_its_place(value: object) -> None:
    (problem,) = wrong_numbers({"ttl": value, "domain": "acme.example"})
    assert (problem.subject, problem.where) == ("acme.example", "ttl")
    given = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    assert problem.value == given


@pytest.mark.parametrize("value", [0, 1, -1, 3600, 1.5, "3600", " 5 ", "1.5", "1e3", None, [], {}])
def test_what_is_a_number_or_for_ansible_to_judge_passes(value: object) -> None:
    assert list(wrong_numbers({"ttl": value})) == []


def test_every_depth_is_looked_at() -> None:
    entry = {"domain": "acme.example", "mta_sts": {"max_age": True}, "dns": {"port": True}, "spf": {"terms": ["ttl"]}}
    found = list(wrong_numbers({"domains": ["a.example", entry], "resolver": {"timeout": True}, "yes": True}))
    assert [(one.subject, one.where) for one in found] == [
        ("acme.example", "mta_sts.max_age"),
        ("task", "resolver.timeout"),
    ]


def test_a_file_of_domains_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "estate.yml").write_text("ttl: yes\ndomains: [{domain: acme.example, spf: {flatten_refresh: on}}]\n")
    dns = {"provider": "zonefile", "path": str(tmp_path)}
    with pytest.raises(Refused) as caught:
        read_order({"dns": dns, "src": str(tmp_path / "estate.yml")})
    told = str(caught.value)
    assert "ttl must be a whole number (int)" in told and "yes" not in told
    (tmp_path / "estate.yml").write_text("domains: [{domain: acme.example, spf: {flatten_refresh: on}}]\n")
    with pytest.raises(Refused, match=r"acme\.example: options: spf\.flatten_refresh must be a whole number"):
        read_order({"dns": dns, "src": str(tmp_path / "estate.yml")})

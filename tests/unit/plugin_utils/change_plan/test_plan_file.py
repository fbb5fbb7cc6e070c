# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a plan: canonical, without secrets, and refused when one byte of it is another one."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.made_plan import on_this_machine
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import (
    plan_bytes,
    plan_file_of,
    read_plan,
    sealed,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_page import plan_page
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.proved_plan import proved_plan
from ansible_collections.mailroom.erp.tests.tools import plan_schema
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.change_plan.small_company import (
    KEY_SECRET,
    NOW,
    ROOT,
    SECRET,
    plan_of,
    small_facts,
    with_times,
    written_plan,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

TODAY = datetime.now(UTC)
OPTIONS = {"signatures": 0, "allowed_signers": None}


def test_the_schema_in_docs_is_that_of_the_dataclasses_and_a_plan_keeps_it() -> None:
    assert plan_schema.FILE.read_text() == plan_schema.schema_text()
    validator = Draft202012Validator(json.loads(plan_schema.FILE.read_text()))
    assert [error.message for error in validator.iter_errors(json.loads(plan_bytes(plan_of(small_facts()))))] == []


def test_the_same_world_is_the_same_bytes_but_for_its_times() -> None:
    facts = small_facts()
    for name in ("domains", "senders"):
        facts["plan"][name] = list(reversed([*facts["plan"][name], *copy.deepcopy(facts["plan"][name])]))
    assert plan_bytes(plan_of(small_facts())) == plan_bytes(plan_of(small_facts()))
    assert plan_bytes(plan_of(facts)) == plan_bytes(plan_of(copy.deepcopy(facts)))
    later = json.loads(plan_bytes(plan_of(small_facts(), NOW + timedelta(days=1))))
    now = json.loads(plan_bytes(plan_of(small_facts())))
    assert {name for name in now if now[name] != later[name]} == {"digest", "made", "valid_until"}


def test_another_machine_and_another_secret_make_the_same_plan() -> None:
    facts = json.loads(json.dumps({**small_facts(), "cautions": []}).replace(ROOT, "/elsewhere/deep"))
    facts["plan"]["dns"]["key_secret"] = "YW5vdGhlciBzZWNyZXQgb2YgdGhlIGtleQ=="
    facts["judged"]["tenants"]["0000-1111"]["tenant"]["client_secret"] = "another"
    facts["tenants"][0]["diff"][1]["after"]["(new)"] = "mail, until 2027-05-29"
    ours = {**small_facts(), "cautions": []}
    assert plan_bytes(plan_of(facts, root="/elsewhere/deep")) == plan_bytes(plan_of(ours))
    placed = on_this_machine(plan_of(ours), "/elsewhere/deep").files
    assert [one.path for one in placed] == ["/elsewhere/deep/policies/mta-sts.txt"]


def test_no_secret_and_no_path_of_this_machine_is_in_it() -> None:
    plan = plan_of(small_facts())
    for text in (plan_bytes(plan).decode(), plan_page(plan).decode()):
        assert [word for word in (SECRET, KEY_SECRET, ROOT) if word in text] == []


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = written_plan(tmp_path)
    plan, data = read_plan(file)
    assert data == file.read_bytes() == plan_bytes(plan)
    assert proved_plan({"path": str(tmp_path), **OPTIONS}, TODAY).plan == plan
    assert plan_file_of(str(tmp_path)) == plan_file_of(str(file)) == file


def small(plan: ChangePlan) -> ChangePlan:
    less: dict[str, Any] = {"senders": (), "risks": (), "declared": plan.declared[:1], "records": plan.records[:1]}
    return sealed(replace(plan, **less, reasons=(), settings=(), tenants=()))


def test_one_byte_anywhere_that_is_changed_added_or_gone_is_refused(tmp_path: Path) -> None:
    file = written_plan(tmp_path, change=small)
    (tmp_path / "plan.md").unlink()
    data = file.read_bytes()
    assert read_plan(file)[0].records and 1000 < len(data) < 3000
    for place, byte in enumerate(data):
        head, rest = data[:place], data[place + 1 :]
        edits = [head + bytes([byte ^ 1]) + rest]
        # to add or take away is tried less often: it takes no other way through the code
        edits += [head + b" " + data[place:], head + rest] if place % 7 == 0 else []
        for edited in edits:
            file.write_bytes(edited)
            with pytest.raises(Refused, match=r"edited after|it is no plan|its schema"):
                read_plan(file)


@pytest.mark.parametrize(("old", "new"), [("Risks", "No risks"), ("\n\n## Senders", "\n## Senders"), ("~all", "-all")])
def test_a_page_that_says_something_else_is_refused(tmp_path: Path, old: str, new: str) -> None:
    file = written_plan(tmp_path)
    page = tmp_path / "plan.md"
    assert old in page.read_text()
    page.write_text(page.read_text().replace(old, new))
    with pytest.raises(Refused, match="does not say what the plan beside it says"):
        read_plan(file)
    page.unlink()
    assert read_plan(file)


@pytest.mark.parametrize(
    ("made", "end", "words"),
    [
        (-48, -24, "it was valid until"),
        (-48, -0.001, "it was valid until"),
        (1, 48, "still to come on this machine"),
        (-1, 1, None),
    ],
)
def test_a_plan_holds_for_its_time(tmp_path: Path, made: float, end: float, words: str | None) -> None:
    moments = [(TODAY + timedelta(hours=hours)).isoformat() for hours in (made, end)]
    times = with_times(moments[0], moments[1])
    options = {"path": str(written_plan(tmp_path, change=times)), **OPTIONS}
    if words is None:
        assert proved_plan(options, TODAY)
        return
    with pytest.raises(Refused, match=words):
        proved_plan(options, TODAY)


@pytest.mark.parametrize("times", [("soon", "later"), ("2026-11-29", "2026-11-30"), ("2026-11-29T12:00:00", "x")])
def test_times_that_are_none_are_refused(tmp_path: Path, times: tuple[str, str]) -> None:
    file = written_plan(tmp_path, change=with_times(*times))
    with pytest.raises(Refused, match="its times are none"):
        proved_plan({"path": str(file), **OPTIONS}, TODAY)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"schema": 1}', b"1e999"])
def test_what_is_no_plan_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plan.json").write_bytes(data)
    with pytest.raises(Refused, match="it is no plan"):
        read_plan(tmp_path / "plan.json")


def test_a_sealed_plan_of_odd_texts_is_read_without_a_fault(tmp_path: Path) -> None:
    odd: dict[str, Any] = {"zone": "a\ud800", "name": "`|\n# b", "type": "\udcff\u202e", "kinds": ("<i>",)}
    file = written_plan(
        tmp_path,
        change=lambda plan: sealed(replace(plan, records=(replace(plan.records[0], **odd),), collection="\ud800")),
    )
    assert read_plan(file)[0].records[0].name == "`|\n# b"
    assert "<i>" not in (tmp_path / "plan.md").read_text().replace("\\<i>", "")


@pytest.mark.parametrize("given", [True, False, "yes", "two", -1, 21, 1.5, "", None, "1_0", [1], "\uff12"])
def test_how_many_must_sign_is_a_whole_number(tmp_path: Path, given: Any) -> None:
    with pytest.raises(Refused, match="mail_plan_signatures"):
        proved_plan({"path": str(written_plan(tmp_path)), "signatures": given, "allowed_signers": None}, TODAY)


def test_a_plan_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="it cannot be read"):
        read_plan(tmp_path / "plan.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(Refused, match="it cannot be read"):
        read_plan(tmp_path / "folder.json")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


_PLAN: dict[str, Any] = json.loads(plan_bytes(plan_of(small_facts())))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(_PLAN)), value=_JSON)
def test_any_other_value_of_any_part_is_refused(tmp_path: Path, name: str, value: Any) -> None:
    assume(_PLAN[name] != value)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({**_PLAN, name: value}, indent=1, sort_keys=True) + "\n")
    with pytest.raises(Refused):
        read_plan(file)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each example of the documentation is executed: by what it is, by a test of its own, or the table says why by none."""

from __future__ import annotations

import yaml
from ansible_collections.mailroom.erp.tests.tools.page_blocks import (
    REPOSITORY,
    Block,
    apart,
    blocks,
    executed_elsewhere,
)

ALL = blocks()
TABLE = apart()


def test_a_new_block_is_run_or_has_a_reason() -> None:
    lost = [one.name for one in ALL if one.kind == "other" and executed_elsewhere(one) is None]
    assert lost == [], "give it the language of what it is, a test, or a row in tests/unit/pages/blocks_apart.yml"


def test_every_row_is_used_and_says_one_thing() -> None:
    used = [executed_elsewhere(one) for one in ALL]
    assert [row for row in TABLE if row not in used] == []
    assert all(len({"by", "why", "part_of"} & set(row)) == 1 for row in TABLE)


def test_every_row_leads_to_a_test_that_knows_the_page() -> None:
    for row in TABLE:
        if "by" in row:
            text = (REPOSITORY / row["by"]).read_text(encoding="utf-8")
            assert row["page"].rpartition("/")[2] in text, row
        assert len(row.get("why", "because it is so")) > 12, row


def test_all_of_the_documentation_is_looked_at() -> None:
    assert len(ALL) > 140
    assert {one.kind for one in ALL} == {"variables", "tasks", "commands", "other"}
    modules = {file.name for file in (REPOSITORY / "plugins" / "modules").glob("*.py")}
    assert modules == {one.page.rpartition("/")[2] for one in ALL if one.page.startswith("plugins/modules/")}


def test_what_a_block_is() -> None:
    def kind(language: str, text: str) -> str:
        return Block("x.md", 1, language, text).kind

    assert kind("yaml", "erp_mail_system: exalt\n") == "variables"
    assert kind("yaml", "- mailroom.erp.spf_record:\n    domain: x\n") == kind("yaml", "- hosts: all\n") == "tasks"
    assert kind("sh", "make demo\n") == kind("", "ansible-playbook x.yml\n") == "commands"
    assert kind("", "v=spf1 -all\n") == kind("yaml", "x: [\n") == kind("yaml", "- {what: x}\n") == "other"


def test_the_files_of_a_block() -> None:
    two = Block("x.md", 1, "yaml", "# group_vars/all.yml\nmail_x: 1\n\n# host_vars/a.yml: of one\nmail_y: 2\n")
    assert list(two.files) == [("group_vars/all.yml", {"mail_x": 1}), ("host_vars/a.yml", {"mail_y": 2})]
    assert list(Block("x.md", 1, "yaml", yaml.safe_dump({"mail_x": 1})).files) == [("", {"mail_x": 1})]

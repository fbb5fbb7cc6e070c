# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task and every play that the documentation shows runs: those of the modules, and those of the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.example_world import ExampleWorld, example_world
from ansible_collections.mailroom.erp.tests.integration.playbook import OUR_PYTHON, Result, run_playbook
from ansible_collections.mailroom.erp.tests.tools.page_blocks import Block, blocks, executed_elsewhere

BEFORE = yaml.safe_load(Path(__file__).with_name("before_examples.yml").read_text(encoding="utf-8"))
TOGETHER = BEFORE["environments"]
SECRETS = {"plugins/modules/erp_mail_config.py": {"erp_mail_password": "{{ vault_relay_password }}"}}
"""Variables of a host that has one."""
_FAILED = re.compile(r"^(?:fatal|failed): .*?(?=^(?:TASK|PLAY|\.\.\.))", re.MULTILINE | re.DOTALL)


def examples(*pages: str) -> list[Block]:
    """The blocks with tasks or plays, of these pages or of those that stand alone."""
    found = [one for one in blocks() if one.kind == "tasks" and not executed_elsewhere(one)]
    return [one for one in found if (one.page in pages if pages else one.page not in TOGETHER["pages"])]


def in_parts(world: ExampleWorld, block: Block, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tasks of a page's first block; the last of a module once more with each part that the page shows of it."""
    page = [one for one in blocks() if one.page == block.page]
    if block != page[0]:
        return shown
    for part in page:
        module = (executed_elsewhere(part) or {}).get("part_of", "")
        for task in [task for task in shown if module in task][-1:]:
            options = {**task[module], **world.reached(world.placed_value(part.value))}
            shown = [*shown, {**task, module: options}]
    return shown


def one_play(world: ExampleWorld, name: str, tasks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A play on zones of its own. What fails is counted at the end, so that all is told at once."""
    zones = world.zones(name)
    accounts = dict.fromkeys(("acme_dns", "jansen_dns", "mail_dns_account"), zones["account"])
    defaults = {
        "group/mailroom.erp.dns": {"resolver": zones["resolver"]},
        "mailroom.erp.smtp_probe": {"ca_file": str(world.authorities)},
    }
    return {
        "name": name,
        "hosts": "localhost",
        "gather_facts": False,
        "ignore_errors": True,
        "environment": {"PATH": f"{world.folder}/bin:/usr/bin:/bin"} if "azure_cli" in str(tasks) else {},
        "vars": {**accounts, "mail_dns_resolver": zones["resolver"], **SECRETS.get(name.partition(":")[0], {})},
        "module_defaults": defaults,
        "tasks": tasks,
        **more,
    }


def alone(world: ExampleWorld, block: Block) -> list[dict[str, Any]]:
    """An example that needs no other one: its tasks, or its plays, behind what comes before."""
    first = world.reached(BEFORE["alone"].get(block.page, []))
    shown = in_parts(world, block, world.tasks(block.text))
    if "hosts" not in shown[0]:
        return [one_play(world, block.name, [*first, *shown])]
    host = {"hosts": "localhost" if shown[0]["hosts"] == "all" else shown[0]["hosts"]}
    plays = [one_play(world, **{"tasks": [], **one, **host, "name": block.name}) for one in shown]
    return [*([one_play(world, f"before {block.name}", first)] if first else []), *plays]


def signed(world: ExampleWorld) -> list[dict[str, Any]]:
    """Two people sign, by the commands of docs/plan.md, and its file of those who may has their keys."""
    command, allowed = (one for one in blocks() if one.page == "docs/plan.md" and one.line in range(60, 80))
    lines = []
    for who, key in (("anna", "id_ed25519"), ("bert", "bert")):
        (line,) = [line for line in allowed.text.splitlines() if line.startswith(who)]
        public = (world.folder / "home" / ".ssh" / f"{key}.pub").read_text(encoding="utf-8").split()[1]
        lines.append(re.sub(r"AAAA\S+", public, re.sub(r'valid-before="\d+"', 'valid-before="29991231"', line)))
    (world.folder / "srv" / "mailroom" / "allowed_signers").write_text("\n".join(lines), encoding="utf-8")
    text = world.placed(command.text)
    both = f"set -e\n{text}{text.replace('anna', 'bert').replace('id_ed25519', 'bert')}"
    return [{"ansible.builtin.shell": both, "args": {"chdir": str(world.folder)}, "run_once": True}]


def together(world: ExampleWorld) -> dict[str, Any]:
    """The examples of what works on all environments of a play, one after the other."""
    tasks = world.reached(TOGETHER["first"])
    for page in TOGETHER["pages"]:
        tasks += signed(world) if page.endswith("erp_plan_proof.py") else []
        tasks += [task for block in examples(page) for task in world.tasks(block.text)]
    made = one_play(world, "environments", tasks, hosts="environments")
    return {**made, "vars": {**made["vars"], **TOGETHER["vars"]}}


def run(world: ExampleWorld, plays: Iterable[dict[str, Any]]) -> Result:
    hosts: dict[str, Any] = dict.fromkeys(["localhost", "king.acme.example", "web.acme.example"])
    more = {name: world.reached(world.placed_value(value)) for name, value in DECLARED.items()}
    # there is no such service on this machine
    del more["acme_tryton"]["erp_mail_file_restart"]
    everywhere = {**world.variables, **OUR_PYTHON}
    tenant = {"mail_entra_tenant": "{{ acme_tenant }}", "mail_entra_customer": "acme"}
    company = {**more["all"], **tenant}
    groups = {"environments": {"hosts": {name: more[name] for name in ("acme_profit", "acme_office")}, "vars": company}}
    inventory = {
        "all": {"hosts": {**hosts, "acme_tryton": more["acme_tryton"]}, "vars": everywhere, "children": groups}
    }
    text = yaml.safe_dump(list(plays), sort_keys=False, width=1000)
    return run_playbook(world.folder, text, json.dumps(inventory), "--vault-password-file=vault-password")


DECLARED = {
    name.partition("/")[2].removesuffix(".yml"): value
    for block in blocks()
    if block.page == "docs/inventory.md" and block.kind == "variables"
    for name, value in block.files
}
"""The environments of docs/inventory.md, by host."""


def told(done: Result) -> str:
    """What failed, in full; nothing where all went well."""
    well = done.rc == 0 and not any(one["ignored"] or one["failures"] for one in done.stats.values())
    return "" if well else "\n".join(_FAILED.findall(done.output)) or done.output


@pytest.mark.parametrize("folder", [pytest.param("plugins/", marks=pytest.mark.slow), "docs/"])
def test_every_task_that_is_shown_runs(folder: str, tmp_path: Path) -> None:
    found = [one for one in examples() if one.page.startswith(folder)]
    assert len(found) > 8
    with example_world(tmp_path) as world:
        assert told(run(world, [play for block in found for play in alone(world, block)])) == ""


def test_every_task_on_all_environments_that_is_shown_runs(tmp_path: Path) -> None:
    with example_world(tmp_path) as world:
        assert told(run(world, [together(world)])) == ""


def test_no_example_is_forgotten() -> None:
    shown = [*examples(), *examples(*TOGETHER["pages"])]
    assert sorted(one.name for one in shown) == sorted(
        one.name for one in blocks() if one.kind == "tasks" and not executed_elsewhere(one)
    )
    assert {one.page.split("/")[0] for one in shown} == {"plugins", "docs"}
    assert set(BEFORE["alone"]) <= {one.page for one in shown}

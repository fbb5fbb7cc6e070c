# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that runs here from its files does what it does packed by Ansible, and no task runs where it should not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, keep, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

RECORD = "v=spf1 include:spf.afas.online ~all"
HERE, PACKED = "from its files", "AnsiballZ_"


@pytest.fixture
def other_python(tmp_path: Path) -> str:
    """The same Python by another name: that is for Ansible to run modules with."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def run(
    folder: Path,
    python: str,
    *arguments: str,
    options: dict[str, Any] | None = None,
    settings: dict[str, str] | None = None,
    **task: Any,
) -> Result:
    files = ZoneFolder(folder, {"acme.example": zone_text("acme.example", '@ TXT "v=spf1 ~all"')})
    alone = {"lookup_limit": "ignore", "accept_undelegated": ["acme.example"]}
    wanted = {"domain": "acme.example", "terms": ["include:spf.afas.online"], "dns": files.dns_option, **alone}
    one = {**module_task("spf_record", **{**wanted, **(options or {})}), "name": "Write", **task}
    kept = keep("done", folder / "result.json")
    variables = {"ansible_python_interpreter": python}
    return run_play(folder, [one, kept], *arguments, environment=settings, vars=variables)


def result_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text().replace(str(folder), "FOLDER"))
    snapshot = found.get("snapshot") or ""
    return {**found, "snapshot": snapshot.rpartition("/")[0]}


@pytest.mark.parametrize("arguments", [["--diff"], ["--check", "--diff"], []], ids=["diff", "check", "plain"])
def test_a_module_returns_the_same_from_its_files_as_packed(
    tmp_path: Path, other_python: str, arguments: list[str]
) -> None:
    here = run(tmp_path / "here", sys.executable, *arguments, "-vvv")
    packed = run(tmp_path / "packed", other_python, *arguments, "-vvv")
    assert (here.rc, packed.rc) == (0, 0), here.output + packed.output
    assert (HERE in here.flat, HERE in packed.flat) == (True, False)
    assert PACKED + "spf_record" not in here.output
    assert PACKED + "spf_record" in packed.output
    expected = result_of(tmp_path / "packed")
    assert expected["changed"]
    assert result_of(tmp_path / "here") == expected
    assert (RECORD in (tmp_path / "here/acme.example.zone").read_text()) is ("--check" not in arguments)


def test_what_is_wrong_is_told_in_the_same_words(tmp_path: Path, other_python: str) -> None:
    for options in ({"domain": "a b.example"}, {"terms": ["include"]}, {"surprise": 1}, {"ttl": "much"}):
        outputs = []
        for name, python in (("here", sys.executable), ("packed", other_python)):
            failed = run(tmp_path / name, python, options=options)
            assert failed.rc != 0
            told = [line for line in failed.output.splitlines() if line.startswith("fatal:")]
            outputs.append([line.replace(str(tmp_path / name), "FOLDER") for line in told])
        assert outputs[0] == outputs[1]
        assert outputs[0]


def test_the_environment_of_the_task_reaches_the_module(tmp_path: Path) -> None:
    state = tmp_path / "state of mine"
    done = run(tmp_path / "here", sys.executable, "-vvv", environment={"XDG_STATE_HOME": str(state)})
    assert done.rc == 0, done.output
    assert HERE in done.flat
    assert list((state / "mailroom").glob("*.yml"))


def test_other_collections_on_the_path_do_not_stand_in_the_way(tmp_path: Path) -> None:
    """Ansible's community package has an ``ansible_collections`` of its own, which Python would find first."""
    other = tmp_path / "site" / "ansible_collections"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    done = run(tmp_path / "here", sys.executable, "-vvv", environment={"PYTHONPATH": str(other.parent)})
    assert done.rc == 0, done.output
    assert HERE in done.flat


def test_a_module_that_dies_fails_its_task(tmp_path: Path) -> None:
    broken = tmp_path / "site" / "dns"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('this dnspython is broken')\n")
    done = run(tmp_path / "here", sys.executable, "-vvv", environment={"PYTHONPATH": str(broken.parent)})
    assert done.rc != 0
    assert "this dnspython is broken" in done.output
    assert RECORD not in (tmp_path / "here/acme.example.zone").read_text()


@pytest.mark.parametrize(
    ("task", "settings"),
    [({"async": 60, "poll": 1}, {}), ({}, {"ANSIBLE_KEEP_REMOTE_FILES": "true"})],
    ids=["async", "kept files"],
)
def test_tasks_that_need_ansible_are_packed_by_it(
    tmp_path: Path, task: dict[str, Any], settings: dict[str, str]
) -> None:
    done = run(tmp_path / "here", sys.executable, "-vvv", settings=settings, **task)
    assert done.rc == 0, done.output
    assert HERE not in done.flat
    assert RECORD in (tmp_path / "here/acme.example.zone").read_text()


UNKNOWN_CORE = """\
from ansible.plugins.callback import CallbackBase
from ansible_collections.mailroom.erp.plugins.plugin_utils.running import local_module

DOCUMENTATION = "name: unknown_core\\ntype: aggregate\\nshort_description: The future\\ndescription: Another core."


class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "aggregate", "unknown_core"

    def v2_playbook_on_start(self, playbook):
        local_module._CORE = "2.99"
"""


def test_a_core_that_is_not_known_is_told_once_and_packs_modules_itself(tmp_path: Path) -> None:
    callbacks = tmp_path / ".callbacks"
    callbacks.mkdir()
    (callbacks / "unknown_core.py").write_text(UNKNOWN_CORE, encoding="utf-8")
    files = ZoneFolder(tmp_path, {"acme.example": zone_text("acme.example", '@ TXT "v=spf1 ~all"')})
    wanted = {"dns": files.dns_option, "lookup_limit": "ignore", "accept_undelegated": ["acme.example"]}
    tasks = [module_task("spf_record", domain="acme.example", terms=[term], **wanted) for term in ("mx", "a")]
    hosts = {"all": {"hosts": {name: {"ansible_connection": "local"} for name in ("one", "two")}}}
    enabled = {"ANSIBLE_CALLBACKS_ENABLED": "test_stats,unknown_core"}
    done = run_play(tmp_path, tasks, "-vvv", inventory=hosts, environment=enabled, hosts="all")
    assert done.rc == 0, done.output
    assert HERE not in done.flat
    assert done.flat.count("ansible-core 2.99 is not known to this release of mailroom.erp") == 1

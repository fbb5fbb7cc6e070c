# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook as AWX does: a folder of inputs, a process of ansible-runner, a folder of artifacts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path

_TIMEOUT = 300.0
"""Seconds that a job may take."""
Hosts = Mapping[str, Mapping[str, Any]]
"""The environments of an inventory: the variables of each."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job left: its status in ansible-runner's words, its standard output, and the stream of its events."""

    status: str
    stdout: str
    events: list[dict[str, Any]]
    texts: str
    """All that stands in the artifacts, file after file."""

    @property
    def changed(self) -> dict[str, int]:
        """How many tasks changed something, for each host that was changed."""
        (stats,) = [one["event_data"] for one in self.events if one["event"] == "playbook_on_stats"]
        return dict(stats["changed"])


def inventory_slice(hosts: Hosts, number: int, count: int) -> Hosts:
    """The hosts that AWX gives to one of the jobs of a sliced template: by name, every so many.

    Source: ``Inventory.get_sliced_hosts`` in awx/main/models/inventory.py.

    :param number: of the slice, from 1
    :param count: of all slices
    """
    return {name: hosts[name] for name in sorted(hosts)[number - 1 :: count]}


def inventory_script(hosts: Hosts, variables: Mapping[str, Any]) -> str:
    """An inventory as AWX hands it to a job: a program that prints what is in AWX's database.

    Source: ``write_inventory_file`` in awx/main/tasks/jobs.py and ``Inventory.get_script_data``.

    :param variables: of the inventory
    """
    everyone = {"vars": dict(variables), "hosts": list(hosts)}
    data = {"all": everyone, "_meta": {"hostvars": {name: dict(one) for name, one in hosts.items()}}}
    return f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(data)!r})\n"


@dataclass
class RunnerJob:
    """A job and its private folder.

    :param folder: new; the job finds all that it needs below it, and leaves its artifacts there
    :param inventory: the text of an inventory script
    :param playbook: the name of one of the collection, which a project of AWX imports; or a file of the project
    :param command_line: more of ansible-playbook
    :param environment: more environment variables
    :param project: a folder with playbooks, which the job gets a copy of
    """

    folder: Path
    inventory: str
    playbook: str = "mailroom.erp.site"
    command_line: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    project: Path | None = None
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Write the inputs, and start the process."""
        if self.project:
            shutil.copytree(self.project, self.folder / "project")
        imported = f"---\n- name: All of it\n  ansible.builtin.import_playbook: {self.playbook}\n"
        for path, text in (
            *(() if self.project else [("project/job.yml", imported)]),
            ("inventory/hosts", self.inventory),
            ("env/cmdline", " ".join(self.command_line)),
            ("env/settings", "---\nsuppress_ansible_output: true\n"),
        ):
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (self.folder / "inventory" / "hosts").chmod(0o700)
        playbook = self.playbook if self.project else "job.yml"
        command = [sys.executable, "-m", "ansible_runner", "run", str(self.folder), "-p", playbook, "--ident", "1"]
        self._process = subprocess.Popen(
            command,
            env=self._variables(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def stdout(self) -> str:
        """What it has told so far."""
        file = self._artifacts / "stdout"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def cancel(self) -> JobResult:
        """Cancel it as AWX does, by a signal to ansible-runner, and wait for its end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self.result()

    def result(self) -> JobResult:
        """Wait for its end."""
        assert self._process is not None
        said, _none = self._process.communicate(timeout=_TIMEOUT)
        artifacts = self._artifacts
        files = sorted(file for file in artifacts.rglob("*") if file.is_file())
        texts = {file: file.read_text(encoding="utf-8") for file in files}
        events = [json.loads(text) for file, text in texts.items() if file.parent.name == "job_events"]
        assert (artifacts / "status") in texts, said
        return JobResult(
            texts[artifacts / "status"],
            texts[artifacts / "stdout"],
            sorted(events, key=lambda one: int(one["counter"])),
            "\n".join(texts.values()),
        )

    @property
    def _artifacts(self) -> Path:
        return self.folder / "artifacts" / "1"

    def _variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        programs = str(Path(sys.executable).parent)
        return {
            **kept,
            "PATH": os.pathsep.join([programs, kept.get("PATH", os.defpath)]),
            "ANSIBLE_COLLECTIONS_PATH": collections_path(),
            "ANSIBLE_CALLBACKS_ENABLED": "mailroom.erp.summary",
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "XDG_STATE_HOME": str(self.folder / ".state"),
            **self.environment,
        }


def run_side_by_side(jobs: Sequence[RunnerJob]) -> list[JobResult]:
    """Start all jobs at once, and wait for the end of all."""
    for job in jobs:
        job.start()
    return [job.result() for job in jobs]

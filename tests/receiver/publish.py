# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts before records are published, and the records themselves: ansible-playbook, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import run_playbook
from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome
from ansible_collections.mailroom.erp.tests.receiver.world import BROKEN_ZONE, World

# Many of these senders are made to fail, so all are allowed to.
_PLAYBOOK = """\
- name: Records and verdicts of all cases
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Publish
      mailroom.erp.mail_domains:
        dns: "{{ dns }}"
        resolver: "{{ resolver }}"
        domains: "{{ domains }}"
        senders: "{{ senders }}"
        allow_failing_senders: "{{ senders | map(attribute='environment') }}"
        snapshot_dir: "{{ snapshot_dir }}"
      register: published

    - name: Keep what it returned
      ansible.builtin.copy:
        content: "{{ published | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
      check_mode: false
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What ``mail_domains`` returned, and whether any zone changed while it ran."""

    returned: dict[str, Any]
    wrote: bool

    @property
    def before(self) -> dict[str, Outcome]:
        """The verdict of each case on the live records."""
        return {name: _outcome(verdict) for name, verdict in self._verdicts("before").items()}

    @property
    def after(self) -> dict[str, Outcome]:
        """The verdict of each case on the planned records."""
        return {name: _outcome(verdict) for name, verdict in self.verdicts.items()}

    @property
    def verdicts(self) -> dict[str, dict[str, Any]]:
        """The same as the module returned them."""
        return self._verdicts("after")

    def _verdicts(self, when: str) -> dict[str, dict[str, Any]]:
        return {verdict["sender"]["environment"]: verdict for verdict in self.returned["verdicts"][when]}


class Publisher:
    """Asks ``mail_domains`` for the records of all cases, in one task."""

    def __init__(self, tmp_path: Path, world: World, cases: Sequence[Case]) -> None:
        self._folder, self._world = tmp_path, world
        self._variables = {
            "dns": world.dns_option,
            "resolver": world.resolver_option,
            "domains": [entry for case in cases for entry in case.domains],
            "senders": [case.declaration() for case in cases],
            "snapshot_dir": str(tmp_path / "snapshots"),
            "result_file": str(tmp_path / "result.json"),
        }

    def run(self, *arguments: str) -> Run:
        """Run the playbook.

        :param arguments: of ansible-playbook, e.g. ``--check``
        :raises AssertionError: it failed; the message holds its output
        """
        (self._folder / "variables.json").write_text(json.dumps(self._variables), encoding="utf-8")
        before = self._serials()
        done = run_playbook(self._folder, _PLAYBOOK, {}, "--extra-vars", "@variables.json", *arguments)
        assert done.rc == 0, done.output
        returned = json.loads((self._folder / "result.json").read_text(encoding="utf-8"))
        return Run(returned, wrote=self._serials() != before)

    def _serials(self) -> list[int]:
        return [self._world.serial(zone) for zone in self._world.zones if zone != BROKEN_ZONE]


def _outcome(verdict: dict[str, Any]) -> Outcome:
    spf, dkim, dmarc = (verdict[name]["result"] for name in ("spf", "dkim", "dmarc"))
    return Outcome(spf, dkim, dmarc, verdict["disposition"])

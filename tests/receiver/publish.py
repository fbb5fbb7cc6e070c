# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes the records of all cases with this collection, and fetches the verdicts: ansible-playbook, as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.receiver.case import Case
from ansible_collections.mailroom.erp.tests.receiver.world import World

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
        allow_failing_senders: "{{ allowed }}"
        snapshot_dir: "{{ snapshot_dir }}"
      register: published

    - name: Keep what it returned
      ansible.builtin.copy:
        content: "{{ published | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
      check_mode: false
"""


def publish(
    tmp_path: Path, world: World, cases: Sequence[Case], allowed: Iterable[str], *arguments: str
) -> tuple[Result, dict[str, Any]]:
    """Ask ``mail_domains`` for the records of all cases, in one task.

    :param allowed: the cases whose senders may fare worse than before
    :param arguments: of ansible-playbook, e.g. ``--check``
    :returns: the run, and what the module returned; nothing when it failed
    """
    file = tmp_path / "result.json"
    file.unlink(missing_ok=True)
    variables = {
        "dns": world.dns_option,
        "resolver": world.resolver_option,
        "domains": [entry for case in cases for entry in case.domains],
        "senders": [case.declaration() for case in cases],
        "allowed": sorted(allowed),
        "snapshot_dir": str(tmp_path / "snapshots"),
        "result_file": str(file),
    }
    (tmp_path / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    result = run_playbook(tmp_path, _PLAYBOOK, {}, "--extra-vars", "@variables.json", *arguments)
    return result, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role mail_report, and the callback summary, in real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import report_data
from ansible_collections.mailroom.erp.tests.integration.playbook import run_playbook
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report

INVENTORY = """\
all:
  hosts: {localhost: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}}
"""
PAGES = """\
- hosts: all
  gather_facts: false
  roles: [{role: mailroom.erp.mail_report, mail_report_dir: "{{ playbook_dir }}", mail_report_language: nl}]
"""
JUDGED = """\
- hosts: all
  gather_facts: false
  tasks:
    - mailroom.erp.mail_auth_info:
        resolver: {zonefiles: ["{{ playbook_dir }}/zones"]}
        senders: [{environment: "acme\\e[31m", from: erp@acme.example, envelope_domain: acme.example,
                   sources: ["ip4:192.0.2.1"], dkim: {domain: acme.example, selectors: []}}]
"""
SILENT = """\
- hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: {msg: nothing}}]
"""


def write_report(folder: Path) -> None:
    one = {**report_data(sample_report()), "customers": []}
    (folder / "report.json").write_text(json.dumps(one), encoding="utf-8")


def test_pages_are_made_once_for_this_user_only(tmp_path: Path) -> None:
    write_report(tmp_path)
    page = tmp_path / "index.html"
    checked = run_playbook(tmp_path, PAGES, INVENTORY, "--check", "--diff")
    assert (checked.rc, checked.changed, page.exists()) == (0, 1, False)
    assert f"{page}: a new page" in checked.output
    assert "<html" not in checked.output
    assert run_playbook(tmp_path, PAGES, INVENTORY).changed == 1
    assert page.stat().st_mode & 0o777 == 0o600
    assert '<html lang="nl">' in page.read_text(encoding="utf-8")
    assert run_playbook(tmp_path, PAGES, INVENTORY).changed == 0


def test_a_broken_report_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{", encoding="utf-8")
    done = run_playbook(tmp_path, PAGES, INVENTORY)
    assert done.rc == 2
    assert "is no JSON" in done.flat
    assert "Traceback" not in done.output


@pytest.mark.parametrize(("playbook", "is_told"), [(JUDGED, True), (SILENT, False)], ids=["judged", "nothing-of-ours"])
def test_a_summary_ends_a_run_that_judged(tmp_path: Path, playbook: str, is_told: bool) -> None:
    (tmp_path / "zones").mkdir()
    zone = '$ORIGIN acme.example.\n$TTL 300\n@ SOA ns a 1 1 1 1 1\n@ NS ns\nns A 192.0.2.9\n@ TXT "v=spf1 -all"\n'
    (tmp_path / "zones" / "acme.example.zone").write_text(zone, encoding="utf-8")
    enabled = {"ANSIBLE_CALLBACKS_ENABLED": "test_stats,mailroom.erp.summary"}
    done = run_playbook(tmp_path, playbook, INVENTORY, environment=enabled)
    assert done.rc == 0, done.output
    assert ("SENDERS, as receivers judge them" in done.output) == is_told
    assert ("erp@acme.example: FAIL" in done.output) == is_told
    assert ("TO DO NEXT" in done.output) == is_told
    assert "\x1b" not in done.output

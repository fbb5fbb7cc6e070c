# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of the inventory that is marked as no template stays what it is, on every core and whichever way it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import run_playbook
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

ZONE = "acme.example"
ROLES = """
- name: Environments
  hosts: all
  gather_facts: false
  roles: [mailroom.erp.erp_mail]
- name: Records
  hosts: all
  gather_facts: false
  roles: [mailroom.erp.mail_dns]
"""
INVENTORY = """
all:
  vars:
    ansible_connection: local
    mail_dns_account: {provider: zonefile, path: "{{ inventory_dir }}/zones"}
    mail_dns_resolver: {zonefiles: ["{{ inventory_dir }}/zones"]}
    mail_dns_snapshot_dir: "{{ inventory_dir }}/snapshots"
    mail_dns_allow_failing_senders: [acme]
  hosts:
    acme:
      erp_mail_system: afas_profit
      erp_mail_transport: smtp
      erp_mail_service: own_relay
      erp_mail_settings: {server: relay.acme.example, port: 465}
      erp_mail_senders:
        environment: !unsafe "a{{7*1}}@acme.example"
        administrations: {"1": !unsafe "b{{7*2}}@acme.example"}
        templates: {!unsafe "key{{7*10}}": !unsafe "c{{7*3}}@acme.example"}
      erp_mail_envelope_from: !unsafe "d{{7*4}}@acme.example"
      erp_mail_spf_terms: [!unsafe "exists:e{{7*5}}.acme.example"]
      mail_dns_domains:
        acme.example:
          services: []
          spf: {terms: [!unsafe "exists:f{{7*6}}.acme.example"]}
          dmarc: {policy: none, rua: [!unsafe "g{{7*7}}@acme.example"]}
"""


@pytest.mark.parametrize("playbook", ["mailroom.erp.site", ROLES], ids=["site", "roles"])
def test_what_is_marked_as_no_template_is_published_and_shown_as_it_is(tmp_path: Path, playbook: str) -> None:
    (tmp_path / "zones").mkdir()
    zone = tmp_path / "zones" / f"{ZONE}.zone"
    zone.write_text(zone_text(ZONE))
    result = run_playbook(tmp_path, playbook, INVENTORY)
    assert result.rc == 0, result.output
    files = [zone, *(tmp_path / "mailroom" / "acme").iterdir()]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    published = texts[zone.name]
    for text in ("exists:e{{7*5}}.acme.example exists:f{{7*6}}.acme.example", "mailto:g{{7*7}}@acme.example"):
        assert text in published
    for text in ("a{{7*1}}@acme.example", "b{{7*2}}@acme.example", "c{{7*3}}@acme.example", "key{{7*10}}"):
        assert text in texts["settings.yml"]
        assert text in texts["sheet.md"]
    for text in (*texts.values(), result.output):
        assert re.search(r"\b([a-g](7|14|21|28|35|42|49)[@.]|key70)", text) is None

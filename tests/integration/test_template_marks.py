# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of the inventory that is marked as no template stays what it is, on every core and whichever way it takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.entra_site import estate_of, profit, site
from ansible_collections.mailroom.erp.tests.integration.playbook import run_playbook
from ansible_collections.mailroom.erp.tests.servers.cloudflare import Cloudflare
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.faulty_api import Answer, Query
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

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


STANDING = """\
@ IN TXT "v=spf1 mark=h{{7*8}}.acme.example ~all"
@ IN TXT "note {{7*9}} {% raw %}"
_dmarc IN TXT "v=DMARC1; p=none; rua=mailto:i{{7*11}}@acme.example"
"""
"""What others have published; it is merged with ours, and stands in differences and warnings."""


@pytest.mark.parametrize("playbook", ["mailroom.erp.site", ROLES], ids=["site", "roles"])
def test_what_is_marked_as_no_template_is_published_and_shown_as_it_is(tmp_path: Path, playbook: str) -> None:
    (tmp_path / "zones").mkdir()
    zone = tmp_path / "zones" / f"{ZONE}.zone"
    zone.write_text(zone_text(ZONE, STANDING))
    result = run_playbook(tmp_path, playbook, INVENTORY, "--diff")
    assert result.rc == 0, result.output
    files = [zone, *(tmp_path / "mailroom" / "acme").iterdir()]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    published = texts[zone.name]
    for text in ("exists:e{{7*5}}.acme.example", "exists:f{{7*6}}.acme.example", "mark=h{{7*8}}.acme.example"):
        assert text in published
        assert text in result.output
    for text in ("mailto:g{{7*7}}@acme.example", "mailto:i{{7*11}}@acme.example", "note {{7*9}} {% raw %}"):
        assert text in published
    for text in ("a{{7*1}}@acme.example", "b{{7*2}}@acme.example", "c{{7*3}}@acme.example", "key{{7*10}}"):
        assert text in texts["settings.yml"]
        assert text in texts["sheet.md"]
    for text in (*texts.values(), result.output):
        assert re.search(r"\b([a-i](7|14|21|28|35|42|49|56|77)[@.]|key70|note 63)", text) is None


REFUSED = """
all:
  vars:
    ansible_connection: local
    mail_dns_account: {provider: zonefile, path: "{{ inventory_dir }}/zones"}
  hosts:
    acme:
      erp_mail_system: afas_profit
      erp_mail_transport: smtp
      erp_mail_service: !unsafe "service{{7*1}}"
      erp_mail_senders: {environment: a@acme.example}
      erp_mail_dkim: {acme.example: [{selector: !unsafe "selector{{7*2}}", target: !unsafe "target{{7*3}}.example"}]}
      mail_dns_domains:
        acme.example:
          services: [!unsafe "also{{7*4}}"]
          dkim: [{selector: !unsafe "second{{7*5}}", target: x.example}]
        !unsafe "domain{{7*6}}.example": {services: []}
"""


def test_what_is_refused_is_told_as_it_is(tmp_path: Path) -> None:
    """No service, selector, target or domain is called so: each is named in the words of the inventory."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / f"{ZONE}.zone").write_text(zone_text(ZONE))
    result = run_playbook(tmp_path, "mailroom.erp.site", REFUSED)
    assert result.rc != 0
    told = result.flat
    assert [text for text in ("service{{7*1}}", "also{{7*4}}", "domain{{7*6}}.example") if text not in told] == []
    assert re.search(r"(service7|selector14|target21|also28|second35|domain42)\b", told) is None


# --- what services answer ---------------------------------------------------------------------------------------------

SAID = "no {{7*191}} {% if x %} {# y #}"
"""An error's text. Rendered it would hold 1337, or end in an error of its own."""


class RefusingCloudflare(Cloudflare):
    """Lets everything be read and nothing be written."""

    def answer(self, method: str, path: str, query: Query, header: str, body: Mapping[str, Any]) -> Answer:
        if method == "POST":
            return Answer(403, {"success": False, "errors": [{"code": 10000, "message": SAID}], "result": None}, {})
        return super().answer(method, path, query, header, body)


class RefusingTenant(EntraServer):
    """Lets everything be read and nothing be written."""

    def _graph(self, method: str, target: str, headers: Mapping[str, str], data: bytes) -> tuple[int, Any, Any]:
        if method != "GET":
            return 403, {"error": {"code": "Authorization_RequestDenied", "message": SAID}}, {}
        return super()._graph(method, target, headers, data)


@pytest.mark.parametrize("playbook", ["mailroom.erp.site", ROLES], ids=["site", "roles"])
def test_what_cloudflare_says_is_no_template(tmp_path: Path, playbook: str) -> None:
    ZoneFolder(tmp_path / "zones", {ZONE: zone_text(ZONE)})
    with RefusingCloudflare({ZONE: zone_text(ZONE)}) as server:
        inventory = yaml.safe_load(INVENTORY.replace("!unsafe ", ""))
        inventory["all"]["vars"]["mail_dns_account"] = server.dns_option
        host = inventory["all"]["hosts"]["acme"]
        host["erp_mail_senders"] = {"environment": "erp@acme.example"}
        host["erp_mail_spf_terms"], host["erp_mail_envelope_from"] = ["ip4:192.0.2.7"], "erp@acme.example"
        host["mail_dns_domains"] = {ZONE: {"services": []}}
        result = run_playbook(tmp_path, playbook, inventory)
    assert result.rc != 0
    assert SAID in result.flat and "1337" not in result.flat, result.output


def test_what_a_tenant_says_is_no_template(estate: Path) -> None:
    with RefusingTenant() as server:
        server.directory.add_user("erp@acme.example", purpose="shared", enabled=False)
        result = site(estate, estate_of(server, {"profit": profit("erp")}))
    assert result.rc != 0
    assert SAID in result.flat and "1337" not in result.flat, result.output

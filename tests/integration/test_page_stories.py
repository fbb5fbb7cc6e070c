# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every declaration that a page shows is judged, and where a page tells a story with several, that is what happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import Answers
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import (
    answered_environments,
    wrong_erp_answers,
)
from ansible_collections.mailroom.erp.tests.integration.estate import ALL, PROFIT
from ansible_collections.mailroom.erp.tests.integration.playbook import LOCALHOST, keep, run_play, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.tools.page_blocks import REPOSITORY, Block, blocks, executed_elsewhere

BLOCKS = [one for one in blocks() if not one.page.startswith("plugins/")]
VARIABLES = [one for one in BLOCKS if one.kind == "variables" and not executed_elsewhere(one)]
WORLD = {
    "afas.online": zone_text("afas.online", 'spf TXT "v=spf1 ip4:198.51.100.0/24 -all"'),
    "outlook.com": zone_text("outlook.com", 'spf.protection TXT "v=spf1 ip4:203.0.113.0/24 -all"'),
    "ziggo.nl": zone_text("ziggo.nl", '@ TXT "v=spf1 ip4:212.54.42.9 -all"'),
}
ACME = '@ TXT "v=spf1 mx ip4:192.0.2.10 ~all"\n@ MX 10 ns1'
SECRET = "c29tZXRoaW5nLXRoYXQtbm9ib2R5LWtub3dz"


def shown(page: str, begins: str = "") -> Block:
    """The block of a page that begins so."""
    (found,) = [one for one in BLOCKS if one.page == page and one.text.startswith(begins)]
    return found


def secrets(text: str) -> dict[str, str]:
    """What a vault holds for the references of a text."""
    return dict.fromkeys(re.findall(r"\bvault_\w+", text), SECRET)


def company(page: str) -> dict[str, Any]:
    """All declarations of a page together, as an inventory."""
    found = [part for one in VARIABLES if one.page == page for part in one.files]
    everywhere = {name: value for file, part in found if "group_vars" in file for name, value in part.items()}
    hosts = {Path(file).stem: part for file, part in found if "host_vars" in file}
    text = json.dumps([everywhere, hosts])
    return {"all": {"vars": {"ansible_connection": "local", **everywhere, **secrets(text)}, "hosts": hosts}}


def declared() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each declaration by a name of its own; on top of a whole one where it is a part."""
    for block in VARIABLES:
        groups: dict[str, Any] = {}
        for number, (file, part) in enumerate(block.files):
            if "group_vars" in file:
                groups |= part
                part = {}
            domains = {
                **ALL["mail_dns_domains"],
                **groups.get("mail_dns_domains", {}),
                **part.get("mail_dns_domains", {}),
            }
            whole = {
                **ALL,
                **({} if "erp_mail_system" in part else PROFIT),
                **groups,
                **part,
                "mail_dns_domains": domains,
            }
            yield re.sub(r"\W", "_", f"{block.name}_{number}_{Path(file).stem}"), whole


def test_every_declaration_is_right(tmp_path: Path) -> None:
    hosts = dict(declared())
    tenant = shown("docs/entra.md", "# group_vars/acme/main.yml\nacme_tenant:").value
    variables = {**secrets("".join(one.text for one in BLOCKS)), **tenant}
    inventory = {"all": {"hosts": hosts, "vars": variables}}
    task = {
        "name": "Judge",
        "mailroom.erp.erp_environments_info": {"hosts": "{{ groups.all }}"},
        "run_once": True,
        "register": "judged",
    }
    told = keep("{'needs': judged.needs, 'problems': judged.problems}", tmp_path / "judged.json")
    done = run_play(tmp_path, [task, {**told, "run_once": True}], hosts="all", inventory=inventory)
    assert done.rc == 0, done.output
    judged = json.loads((tmp_path / "judged.json").read_text(encoding="utf-8"))
    assert len(judged["needs"]) == len(hosts) > 30 and judged["problems"] == []
    assert {host: one["problems"] for host, one in judged["needs"].items() if one.get("problems")} == {}


def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    before, after = re.findall(r"`(v=spf1 [^`]+)`", " ".join(text.split()))
    inventory = company("README.md")
    everywhere = inventory["all"]["vars"]
    (tmp_path / "ansible.cfg").write_text(shown("docs/report.md", "[defaults]").text, encoding="utf-8")
    with Bind({"acme.example": zone_text("acme.example", f'@ TXT "{before}"\n@ MX 10 ns1'), **WORLD}) as server:
        assert set(everywhere["mail_dns_account"]) < set(server.dns_option)
        everywhere["mail_dns_account"] = server.dns_option
        everywhere["mail_dns_resolver"] = {"nameservers": ["127.0.0.1"], "port": server.port}
        checked = run_playbook(tmp_path, "mailroom.erp.site", inventory, "--check", "--diff")
        assert checked.rc == 0 and server.values("acme.example", "TXT") == [f'"{before}"'], checked.output
        done = run_playbook(tmp_path, "mailroom.erp.site", inventory)
        assert (done.rc, server.values("acme.example", "TXT")) == (0, [f'"{after}"']), done.output
        again = run_playbook(tmp_path, "mailroom.erp.site", inventory)
        assert (again.rc, again.changed) == (0, 0), again.output
    assert {file.name for file in (tmp_path / "mailroom" / "acme_profit").iterdir()} == {
        "settings.yml",
        "sheet.md",
        "sheet.html",
    }


def test_the_company_of_the_inventory_page_is_green(tmp_path: Path) -> None:
    inventory = company("docs/inventory.md")
    everywhere = inventory["all"]["vars"]
    zones = ZoneFolder(
        tmp_path / "zones",
        {"acme.example": zone_text("acme.example", ACME), "mijnbakkerij.example": zone_text("mijnbakkerij.example")},
    )
    world = ZoneFolder(tmp_path / "world", WORLD)
    resolver = {"zonefiles": [str(zones.folder), str(world.folder)]}
    everywhere |= {"mail_dns_account": zones.dns_option, "mail_dns_resolver": resolver}
    del inventory["all"]["hosts"]["beta_profit"]["mail_dns_account"]
    done = run_playbook(tmp_path, "mailroom.erp.site", inventory)
    assert done.rc == 0, done.output
    assert {one.parent.name for one in (tmp_path / "mailroom").glob("*/settings.yml")} >= {"acme_profit", "acme_cases"}
    assert "0 fail" in done.flat


ADOPTED = """@ TXT "v=spf1 mx include:spf.protection.outlook.com ip4:192.0.2.10 ~all"
@ MX 10 acme-example.mail.protection.outlook.com.
_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@acme.example"
selector1._domainkey CNAME selector1-acme-example._domainkey.acme.onmicrosoft.com."""
VENDOR = '@ TXT "v=spf1 include:spf.afas.online include:mail.vendor.example ~all"'


def plain(text: str) -> str:
    """What adopt writes, with the address of the server and the day of the page."""
    text = re.sub(r"rfc2136 127\.0\.0\.1(?: port \d+)?, \d{4}-\d\d-\d\d", "rfc2136 192.0.2.53, 2026-11-29", text)
    return text.replace("alpha.example", "acme.example")


def test_adopt_writes_what_its_page_shows(tmp_path: Path) -> None:
    zones = {"acme.example": ADOPTED, "alpha.example": VENDOR, "beta.example": VENDOR}
    with Bind({name: zone_text(name, text) for name, text in zones.items()} | WORLD) as server:
        told = shown("docs/adopt.md", "# adopt.yml").value
        assert set(told["mail_dns_account"]) < set(server.dns_option)
        told |= {"mail_adopt_dir": str(tmp_path / told["mail_adopt_dir"]), "mail_dns_account": server.dns_option}
        told |= {"mail_dns_resolver": {"nameservers": ["127.0.0.1"], "port": server.port}}
        domains = {
            "acme.example": told["mail_adopt_domains"]["acme.example"],
            "alpha.example": None,
            "beta.example": None,
        }
        (tmp_path / "adopt.yml").write_text(yaml.safe_dump({**told, "mail_adopt_domains": domains}), encoding="utf-8")
        done = run_playbook(tmp_path, "mailroom.erp.adopt", LOCALHOST, "-e", "@adopt.yml")
        assert done.rc == 0, done.output
    written = {file.name: plain(file.read_text(encoding="utf-8")) for file in (tmp_path / "inventory").iterdir()}
    assert shown("docs/adopt.md", "acme_b_v:").text in written["acme_b_v.yml"]
    (item,) = shown("docs/adopt.md", "unexplained:").value["unexplained"]
    (group,) = yaml.safe_load(written["domains.yml"]).values()
    assert item in group["vars"]["mail_dns_domains"]["acme.example"]["unexplained"]
    (question,) = shown("docs/adopt.md", "- what: spf").value
    (group,) = yaml.safe_load(written["questions.yml"]).values()
    lists = [value for value in group["vars"].values() if isinstance(value, list)]
    asked = [one for value in lists for one in value if one["what"] == question["what"]]
    assert asked == [{**question, "answer": None}]


def test_the_environments_of_a_shown_answer_are_taken() -> None:
    (question,) = shown("docs/adopt.md", "- what: erp").value
    answers = Answers({question["what"]: question["answer"]})
    assert list(wrong_erp_answers(answers)) == []
    assert {one.name for one in answered_environments(answers)} == {"acme_profit", "acme_payroll"}

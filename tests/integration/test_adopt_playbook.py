# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook adopt: from zones to an inventory that site leaves alone, answers that go back in, edits that stay."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.playbook import LOCALHOST, Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import report_text

ADOPT, SITE = "mailroom.erp.adopt", "mailroom.erp.site"
NOBODY: dict[str, Any] = {"all": {}}
ACME = zone_text(
    "acme.example",
    '@ TXT "v=spf1 mx include:spf.afas.online ip4:192.0.2.7 ~all"\n@ MX 10 mail\n'
    '_dmarc TXT "v=DMARC1; p=none; rua=mailto:dmarc@acme.example"\nold._domainkey CNAME old.vendor.example.',
)


def adopt(tmp_path: Path, zones: ZoneFolder, domains: Any, *args: str) -> Result:
    variables = {
        "mail_adopt_domains": domains,
        "mail_adopt_dir": "inv",
        "mail_dns_account": zones.dns_option,
        "mail_dns_resolver": zones.resolver_option,
    }
    (tmp_path / "adopt.json").write_text(json.dumps(variables))
    return run_playbook(tmp_path, ADOPT, LOCALHOST, "-e", "@adopt.json", *args)


def files(tmp_path: Path) -> dict[str, str]:
    return {one.name: one.read_text() for one in (tmp_path / "inv").glob("*")}


def answer(tmp_path: Path, what: str, said: str) -> None:
    file = tmp_path / "inv" / "questions.yml"
    before, found, after = file.read_text().partition(f"- what: {what}\n")
    assert found
    file.write_text(before + found + after.replace("answer:", f"answer: {said}", 1))


def test_site_leaves_ten_odd_zones_alone(tmp_path: Path) -> None:
    texts = odd_zones(10, 5) | {"acme.example": ACME}
    zones = ZoneFolder(tmp_path / "zones", texts)
    before = zones.contents()
    domains = {name: {"customer": "Bakkerij Ünal & Co"} if number % 2 else None for number, name in enumerate(texts)}
    looked = adopt(tmp_path, zones, domains, "--check", "--diff")
    assert (looked.rc, looked.changed) == (0, 1) and not (tmp_path / "inv").exists(), looked.output
    first = adopt(tmp_path, zones, domains)
    assert (first.rc, first.changed) == (0, 1), first.output
    written = files(tmp_path)
    assert sorted(written) == ["all.yml", "bakkerij_unal_co.yml", "domains.yml", "questions.yml"]
    assert {line[1:] for line in looked.diff if line.startswith("+ ")} <= set("\n".join(written.values()).splitlines())

    site = run_playbook(tmp_path, SITE, NOBODY, "-i", "inv", "--check", "--diff")
    assert (site.rc, site.changed) == (0, 0), site.output
    assert "0 environments, 0 would change, 0 failed" in site.flat and site.diff == []
    assert "Nothing is written" not in site.output and zones.contents() == before

    verified = run_playbook(tmp_path, "mailroom.erp.verify", NOBODY, "-i", "inv")
    assert (tmp_path / "mailroom/report/report.json").exists(), verified.output  # Ansible reads all of a folder "inv"

    again = adopt(tmp_path, zones, domains)
    assert (again.rc, again.changed) == (0, 0) and files(tmp_path) == written, again.output
    assert sorted(path.name for path in (tmp_path / "inv").iterdir()) == sorted(written)


def test_answers_go_back_in_and_edits_stay(tmp_path: Path) -> None:
    zones = ZoneFolder(
        tmp_path / "zones", {"acme.example": ACME, "beta.example": ACME.replace("acme", "beta"), "c.example": ACME}
    )
    zones.write("c.example", ACME.replace("acme.example", "c.example"))
    now = int(time.time())
    report = report_text({"source": "192.0.2.7", "count": 7}, begin=now - 90000, end=now - 3600)
    (tmp_path / "report.xml").write_text(report)
    reports = json.dumps({"mail_reports_paths": [str(tmp_path / "report.xml")]})
    assert adopt(tmp_path, zones, ["acme.example", "beta.example"], "-e", reports).rc == 0
    inventory = tmp_path / "inv" / "domains.yml"
    assert "reported in 30 days: 7 messages from 192.0.2.7" in inventory.read_text()
    edited = inventory.read_text().replace(
        "      beta.example:\n", "      # ask Piet\n      beta.example:  # the old shop\n"
    )
    inventory.write_text(edited)
    answer(tmp_path, "spf include:spf.afas.online", "afas_online")
    answer(tmp_path, "spf ip4:192.0.2.7", "{acme.example: keep}")
    answer(tmp_path, "dkim old", "drop")

    result = adopt(tmp_path, zones, ["acme.example", "beta.example", "c.example"], "--diff")
    assert (result.rc, result.changed) == (0, 1), result.output
    assert "put the answers in yourself: beta.example" in result.flat
    text = inventory.read_text()
    acme, rest = text.split("      # ask Piet\n")
    beta, third = rest.split("      c.example:\n")
    assert beta == edited.split("      # ask Piet\n")[1], "the edited entry stays to the letter"
    assert "services: [afas_online]" in acme and "terms: [mx, 'ip4:192.0.2.7']" in acme and "unexplained" not in acme
    assert "services: [afas_online]" in third and "what: spf ip4:192.0.2.7" in third and "dkim" not in third

    site = run_playbook(tmp_path, SITE, NOBODY, "-i", "inv", "--check", "--diff")
    assert (site.rc, site.changed) == (0, 0) and "would change" in site.output, site.output
    again = adopt(tmp_path, zones, ["acme.example", "beta.example", "c.example"])
    assert (again.rc, again.changed) == (0, 0), again.output

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of odd zones on a BIND: adopt, then site --check: nothing would change, and no secret is written or told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import LOCALHOST, run_playbook
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET


@pytest.mark.slow
def test_site_leaves_five_hundred_zones_of_a_bind_alone(tmp_path: Path) -> None:
    zones = odd_zones(500)
    inventory = tmp_path / "inv"
    with Bind(zones) as server:
        variables = {
            "mail_adopt_domains": {name: {"customer": f"Customer {number % 20}"} for number, name in enumerate(zones)},
            "mail_adopt_dir": str(inventory),
            "mail_dns_account": server.dns_option,
            "mail_dns_resolver": server.resolver_option,
        }
        (tmp_path / "adopt.json").write_text(json.dumps(variables))
        adopted = run_playbook(tmp_path, "mailroom.erp.adopt", LOCALHOST, "-e", "@adopt.json", "-vvvv", "--diff")
        assert (adopted.rc, adopted.changed) == (0, 1), adopted.output[-3000:]
        written = {file.name: file.read_text() for file in inventory.iterdir()}
        assert len(written) == 22 and KEY_SECRET not in "".join(written.values())
        assert KEY_SECRET not in adopted.unbroken and "vault_mailroom_dns_key_secret" in adopted.unbroken

        (tmp_path / "vault.json").write_text(json.dumps({"vault_mailroom_dns_key_secret": KEY_SECRET}))
        arguments = ("-i", "inv", "-e", "@vault.json", "--check", "--diff")
        site = run_playbook(tmp_path, "mailroom.erp.site", {"all": {}}, *arguments)
        assert (site.rc, site.changed, site.diff) == (0, 0, []), site.output[-3000:]
        assert "0 environments, 0 would change, 0 failed" in site.flat
        again = run_playbook(tmp_path, "mailroom.erp.adopt", LOCALHOST, "-e", "@adopt.json")
        assert (again.rc, again.changed) == (0, 0), again.output[-3000:]


def test_site_leaves_zones_alone_that_were_adopted_through_octodns(tmp_path: Path) -> None:
    zones = odd_zones(12)
    with Bind(zones) as server:
        variables = {
            "mail_adopt_domains": list(zones),
            "mail_adopt_dir": "inv",
            "mail_dns_account": octodns_backends.on_bind(server),
            "mail_dns_resolver": server.resolver_option,
        }
        (tmp_path / "adopt.json").write_text(json.dumps(variables))
        adopted = run_playbook(tmp_path, "mailroom.erp.adopt", LOCALHOST, "-e", "@adopt.json", "-vvvv", "--diff")
        assert (adopted.rc, adopted.changed) == (0, 1), adopted.output[-3000:]
        written = "".join(file.read_text() for file in (tmp_path / "inv").iterdir())
        assert "Rfc2136Provider" in written and "octoDNS does not carry unchanged" in written
        declared = set(re.findall(r"^      (\S+):$", (tmp_path / "inv" / "domains.yml").read_text(), re.MULTILINE))
        assert set(zones) - declared == {"z7.odd.example"}
        assert KEY_SECRET not in written + adopted.unbroken
        (secret,) = set(re.findall(r"vault_mailroom_\w+", written))

        (tmp_path / "vault.json").write_text(json.dumps({secret: KEY_SECRET}))
        arguments = ("-i", "inv", "-e", "@vault.json", "--check", "--diff")
        site = run_playbook(tmp_path, "mailroom.erp.site", {"all": {}}, *arguments)
        assert (site.rc, site.changed, site.diff) == (0, 0, []), site.output[-3000:]
        assert "0 environments, 0 would change, 0 failed" in site.flat

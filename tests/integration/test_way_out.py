# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the playbook ``site`` that is refused names what the inventory has, and doing as it says is the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.estate import (
    BAKERY,
    RELAY,
    SITE,
    ZONE,
    contents,
    inventory,
    spf,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD

TWO = '@ IN TXT "v=spf1 mx ~all"\n@ IN TXT "v=spf1 ip4:192.0.2.1 ~all"\n'
KEY = ED25519_RECORD.partition("p=")[2]


def site(folder: Path, domain: dict[str, Any], hosts: dict[str, Any] | None = None) -> Result:
    return run_playbook(
        folder, SITE, inventory(hosts or {"acme_relay": RELAY}, mail_dns_domains={"acme.example": domain})
    )


def test_two_records_become_one_as_the_message_says(estate: Path) -> None:
    (estate / "zones/acme.example.zone").write_text(ZONE.format(zone="acme.example") + TWO, encoding="utf-8")
    before = contents(estate)
    refused = site(estate, {"services": []})
    assert refused.rc != 0 and contents(estate) == before
    assert "united by mail_dns_domains.acme.example.spf.on_duplicate: merge." in refused.flat, refused.output
    made = site(estate, {"services": [], "spf": {"on_duplicate": "merge"}})
    assert made.rc == 0, made.output
    assert spf(estate, "acme.example") == ["v=spf1 mx ip4:192.0.2.1 ip4:192.0.2.10 ~all"]
    again = site(estate, {"services": [], "spf": {"on_duplicate": "merge"}})
    assert (again.rc, again.changed) == (0, 0), again.output


def test_verdicts_name_variables_and_count_what_the_domain_declares(estate: Path) -> None:
    relay = {**RELAY, "erp_mail_envelope_from": "bounces@afas.online"}
    unsigned = site(estate, {"services": []}, {"acme_relay": relay})
    assert unsigned.rc == 0, unsigned.output
    assert "erp_mail_dkim.acme.example or" in unsigned.flat, unsigned.output
    signed = site(estate, {"services": [], "dkim": [{"selector": "relay", "public_key": KEY}]}, {"acme_relay": relay})
    assert signed.rc == 0, signed.output
    assert "erp@acme.example by own_relay: fail -> PASS" in signed.flat, signed.output


def test_a_sender_whose_domain_is_not_ours_is_told_that(estate: Path) -> None:
    bakery = {**BAKERY, "erp_mail_senders": {"environment": "mijnbakkerij@ziggo.nl", "ordernow": "info@other.example"}}
    result = site(estate, {"services": []}, {"jansen_bakery": bakery})
    assert "other.example is not in mail_dns_domains, so nothing is planned for it: add" in result.flat, result.output


def test_an_include_that_is_taken_out_of_flatten_is_put_back(estate: Path) -> None:
    domain = {"services": ["microsoft365"]}
    plain = site(estate, domain)
    assert plain.rc == 0, plain.output
    (before,) = spf(estate, "acme.example")
    assert site(estate, {**domain, "flatten": ["spf.protection.outlook.com"]}).rc == 0
    (flat,) = spf(estate, "acme.example")
    assert "include:spf.protection.outlook.com" not in flat and "ip4:203.0.113.0/24 flattened=" in flat
    left = site(estate, domain)
    assert (left.rc, left.changed, spf(estate, "acme.example")) == (0, 0, [flat]), left.output
    assert "spf.protection.outlook.com stays flattened" in left.flat
    assert "mail_dns_domains.acme.example.flatten: [] puts the include back" in left.flat
    back = site(estate, {**domain, "flatten": []})
    assert back.rc == 0 and spf(estate, "acme.example") == [before], back.output

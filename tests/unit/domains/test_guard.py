# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard on real master files: what would harm a declared sender is refused before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import inventory_option
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns import resolver
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones

LIVE = [
    '@ IN TXT "v=spf1 ip4:192.0.2.10 include:spf.afas.online ~all"',
    '_dmarc IN TXT "v=DMARC1; p=none"',
    f's1._domainkey IN TXT "{ED25519_RECORD}"',
    'shop IN TXT "v=spf1 ip4:192.0.2.20 ~all"',
]
ERP = {
    "from": "erp@acme.example",
    "environment": "acme_profit",
    "envelope_domain": "acme.example",
    "sources": ["192.0.2.10"],
    "dkim": {"domain": "acme.example", "selectors": []},
}
SIGNED = {**ERP, "dkim": {"domain": "acme.example", "selectors": ["s1"]}}
STRANGER = {**ERP, "from": "old@acme.example", "environment": "acme_old", "sources": ["198.51.100.7"]}
SHOP_STRANGER = {**STRANGER, "from": "web@shop.acme.example", "envelope_domain": "shop.acme.example"}
UNKNOWN = {"from": "who@acme.example", "environment": "acme_crm"}
SEEN = {"accept_unseen_senders": True}
LOSS = {"accept_lost_forwarded_mail": True}


class Company(OurZones):
    """One zone of ours, and a service's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"afas.online": zone_text("afas.online", 'spf TXT "v=spf1 ip4:203.0.113.0/24 ~all"')})
        self.live(*LIVE)

    def run(self, *senders: dict[str, Any], allow: tuple[str, ...] = (), write: bool = True, **kinds: Any) -> Run:
        entry = {"domain": "acme.example", **kinds}
        run = self.planned([entry], senders=senders, allow_failing_senders=list(allow))
        run.execute(write)
        return run

    def refusal(self, *senders: dict[str, Any], allow: tuple[str, ...] = (), **kinds: Any) -> str:
        return str(self.refused(lambda: self.run(*senders, allow=allow, **kinds)))


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


HARMFUL: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "a stricter policy": (STRANGER, {"dmarc": {"policy": "quarantine"}}, ["old@acme.example", "quarantine"]),
    "the first reject": (STRANGER, {"dmarc": {"policy": "reject", **SEEN, **LOSS}}, ["old@acme.example", "reject"]),
    "a policy for subdomains": (
        SHOP_STRANGER,
        {"dmarc": {"subdomain_policy": "quarantine"}},
        ["web@shop.acme.example", "quarantine"],
    ),
    "a policy that a subdomain inherits": (
        SHOP_STRANGER,
        {"dmarc": {"policy": "quarantine"}},
        ["web@shop.acme.example", "quarantine"],
    ),
    "a hard fail": (STRANGER, {"spf": {"all": "-all"}}, ["softfail", "fail"]),
    "a term that goes": (ERP, {"spf": {"terms": ["ip4:192.0.2.10"], "state": "absent"}}, ["erp@acme.example", "pass"]),
    "exclusive": (ERP, {"spf": {"terms": ["include:spf.afas.online"], "exclusive": True}}, ["erp@acme.example"]),
    "a record that goes": (ERP, {"spf": {"state": "absent"}}, ["erp@acme.example", "none"]),
    "a selector that goes": (SIGNED, {"dkim": [{"selector": "s1", "state": "absent"}]}, ["DKIM", "erp@acme.example"]),
    "parking": (
        ERP,
        {"spf": {"terms": [], "exclusive": True, "all": "-all"}, "dmarc": {"policy": "reject", **SEEN, **LOSS}},
        ["erp@acme.example", "SPF was pass and becomes fail"],
    ),
    "strict alignment": (
        {**SHOP_STRANGER, "envelope_domain": "acme.example", "sources": ["192.0.2.10"]},
        {"dmarc": {"aspf": "s"}},
        ["web@shop.acme.example"],
    ),
}


@pytest.mark.parametrize(("sender", "change", "words"), HARMFUL.values(), ids=HARMFUL.keys())
def test_a_change_that_harms_a_declared_sender_is_refused(
    company: Company, sender: dict[str, Any], change: dict[str, Any], words: list[str]
) -> None:
    message = company.refusal(sender, **change)
    for word in [*words, f"allow_failing_senders: [{sender['from']}]"]:
        assert word in message, message
    company.run(sender, allow=(sender["from"],), write=False, **change)
    company.run(sender, allow=(sender["environment"],), **change)


def test_an_inventory_reads_its_own_variables(company: Company) -> None:
    def run() -> None:
        entry = {"domain": "acme.example", "dmarc": {"policy": "quarantine"}}
        company.planned([entry], senders=[STRANGER], inventory_domains=["acme.example"]).execute(write=False)

    refused = company.refused(run)
    told = str(refused.worded(inventory_option))
    assert "mail_dns_allow_failing_senders: [old@acme.example]" in told and "erp_mail_spf_terms" in told, told
    assert ": allow_failing_senders: [old@acme.example]" in str(refused)


HARMLESS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a stricter policy that it passes": (ERP, {"dmarc": {"policy": "quarantine"}}),
    "the first reject of a sender that signs": (SIGNED, {"dmarc": {"policy": "reject", **SEEN}}),
    "a hard fail that does not concern it": (ERP, {"spf": {"all": "-all"}}),
    "a term of somebody else": (ERP, {"spf": {"terms": ["include:spf.afas.online"], "state": "absent"}}),
    "a softer policy": (STRANGER, {"dmarc": {"policy": "none", "rua": ["dmarc@acme.example"]}}),
    "a term more": (STRANGER, {"spf": {"terms": ["ip4:198.51.100.7"]}}),
}


SHOP = {**ERP, "from": "web@shop.acme.example", "envelope_domain": "shop.acme.example", "sources": ["192.0.2.20"]}
NOT_DECLARED = {name: value for name, value in ERP.items() if name != "dkim"}
ELSEWHERE = {**ERP, "dkim": {"domain": "other.example", "selectors": ["s1"]}}
UNSIGNED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "not signed": (ERP, {"policy": "reject"}, "declared as not signed"),
    "not known": (NOT_DECLARED, {"policy": "reject"}, "whether the mail is signed is not declared"),
    "without a key": ({**SIGNED, "dkim": {"domain": "acme.example", "selectors": ["s2"]}}, {"policy": "reject"}, "s2."),
    "signed as another": (ELSEWHERE, {"policy": "reject"}, "s1._domainkey.other.example"),
    "below, by p": (SHOP, {"policy": "reject"}, "web@shop.acme.example"),
    "below, by sp": (SHOP, {"subdomain_policy": "reject"}, "web@shop.acme.example"),
}


@pytest.mark.parametrize(("sender", "policy", "why"), UNSIGNED.values(), ids=UNSIGNED.keys())
def test_the_first_reject_is_refused_while_a_declared_sender_does_not_sign(
    company: Company, sender: dict[str, Any], policy: dict[str, Any], why: str
) -> None:
    """RFC 9989 section 7.4; nobody can accept it but by the name of the risk."""
    message = company.refusal(sender, allow=(sender["from"],), dmarc={**policy, **SEEN})
    for words in ("must not rely on SPF only", "RFC 9989 section 7.4", "accept_lost_forwarded_mail: true", why):
        assert words in message, message
    run = company.run(sender, allow=(sender["from"],), dmarc={**policy, **SEEN, **LOSS})
    assert run.guard.after[0].dmarc.policy == "reject"
    company.run(sender, dmarc={**policy, "rua": ["d@acme.example"]})  # it rejects already


def test_what_concerns_other_domains_only_is_not_refused(company: Company) -> None:
    company.run(SHOP, SIGNED, dmarc={"policy": "reject", "subdomain_policy": "quarantine", **SEEN})
    company.live(*LIVE, 'p IN TXT "v=spf1 ip4:192.0.2.10 -all"', '_dmarc.p IN TXT "v=DMARC1; p=none"')
    own = {**ERP, "from": "a@p.acme.example", "envelope_domain": "p.acme.example"}
    company.run(own, dmarc={"policy": "reject", **SEEN})


def test_a_policy_that_rejects_already_is_a_caution_of_each_sender_that_does_not_sign(company: Company) -> None:
    company.live(*LIVE[:1], '_dmarc IN TXT "v=DMARC1; p=reject"', *LIVE[2:])
    run = company.run(ERP, SIGNED, spf={"terms": ["ip4:192.0.2.99"]})
    unsigned, signed = run.guard.after
    assert [caution for caution in unsigned.cautions if "RFC 9989 section 7.4" in caution] and unsigned.result == "pass"
    assert not [caution for caution in signed.cautions if "RFC 9989 section 7.4" in caution]


@pytest.mark.parametrize(("sender", "change"), HARMLESS.values(), ids=HARMLESS.keys())
def test_a_change_that_harms_nobody_is_made(company: Company, sender: dict[str, Any], change: dict[str, Any]) -> None:
    company.run(sender, **change)


def test_a_sender_that_failed_before_may_go_on_failing(company: Company) -> None:
    company.live('@ IN TXT "v=spf1 -all"', '_dmarc IN TXT "v=DMARC1; p=reject"')
    run = company.run(STRANGER, spf={"terms": ["ip4:192.0.2.10"]})
    assert [one.result for one in (*run.guard.before, *run.guard.after)] == ["fail", "fail"]


def test_the_refusal_names_every_sender_that_would_fail(company: Company) -> None:
    message = company.refusal(STRANGER, ERP, SHOP_STRANGER, dmarc={"policy": "quarantine"})
    assert "old@acme.example" in message and "web@shop.acme.example" in message
    assert "erp@acme.example" not in message


def test_an_unknown_sender_is_warned_about_and_not_refused(company: Company) -> None:
    run = company.run(UNKNOWN, dmarc={"policy": "quarantine"})
    assert run.guard.after[0].result == "unknown"
    assert any("who@acme.example" in warning and "quarantine" in warning for warning in run.guard.warnings)


def test_a_sender_that_is_known_to_fail_from_now_on_is_refused_though_it_was_unknown_before(company: Company) -> None:
    company.live('@ IN TXT "v=spf1 include:nowhere.elsewhere ~all"', '_dmarc IN TXT "v=DMARC1; p=none"')
    change: dict[str, Any] = {
        "spf": {"terms": ["ip4:192.0.2.1"], "exclusive": True, "lookup_limit": "ignore"},
        "dmarc": {"policy": "quarantine"},
    }
    assert "old@acme.example" in company.refusal(STRANGER, **change)


def test_each_question_is_asked_once_for_all_senders_before_and_after(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    find = resolver._Live._find

    def counted(live: resolver._Live, name: str, rdtype: str) -> object:
        asked.append((name, rdtype))
        return find(live, name, rdtype)

    monkeypatch.setattr(resolver._Live, "_find", counted)
    crowd = [{**ERP, "from": f"user{number}@acme.example"} for number in range(50)]
    company.run(*crowd, STRANGER, spf={"terms": ["ip4:198.51.100.7"]}, dmarc={"rua": ["d@acme.example"]})
    assert ("acme.example", "TXT") in asked and len(asked) == len(set(asked))


def test_the_verdicts_of_check_mode_are_those_of_the_run(company: Company) -> None:
    change: dict[str, Any] = {"spf": {"terms": ["ip4:198.51.100.7"]}, "dmarc": {"policy": "quarantine"}}
    checked = company.run(ERP, STRANGER, UNKNOWN, write=False, **change)
    done = company.run(ERP, STRANGER, UNKNOWN, **change)
    assert [one.as_dict() for one in checked.guard.before] == [one.as_dict() for one in done.guard.before]
    assert [one.as_dict() for one in checked.guard.after] == [one.as_dict() for one in done.guard.after]
    assert [one.result for one in done.guard.after] == ["pass", "pass", "unknown"]
    again = company.run(ERP, STRANGER, UNKNOWN, **change)
    assert [one.as_dict() for one in again.guard.before] == [one.as_dict() for one in done.guard.after]

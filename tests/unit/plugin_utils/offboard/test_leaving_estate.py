# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person tells offboard, what others need of an environment that leaves, and what is told and handed back."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import RRset
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import PlannedRecord, PlannedRrset
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_removal import only_removals
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.handback import (
    Handback,
    handback_page,
    zone_texts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.leaving_estate import (
    leaving_estate,
    leaving_tenants,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_report import offboard_lines, what_is_left
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_wishes import (
    KnownEstate,
    OffboardWishes,
    check_own_tenants,
    check_whole,
    read_wishes,
)
from dns import zone

TODAY = datetime.date(2026, 11, 30)
LONG_AGO = datetime.date(2026, 10, 1)
KNOWN = KnownEstate(
    states={"payroll": "leaving", "relay": "present", "old": "absent"},
    customers={"payroll": "Acme", "relay": "Beta", "old": "Acme", "printer": "Acme"},
    domains={
        "acme.example": ("Acme",),
        "xn--bcher-kva.example": ("Acme",),
        "both.example": ("Acme", "Beta"),
        "beta.example": (),
    },
)

Json = dict[str, Any]


# --- wishes ----------------------------------------------------------------------------------------------------------


def test_what_is_told_is_read() -> None:
    wishes = read_wishes(
        {
            "stopped": {"payroll": "2026-11-20"},
            "final": True,
            "domains": ["bücher.example"],
            "customers": ["Acme"],
            "quiet": "40",
            "selectors": 7,
        },
        KNOWN,
        TODAY,
    )
    assert wishes == OffboardWishes(
        {"payroll": datetime.date(2026, 11, 20)},
        frozenset({"payroll"}),
        True,
        frozenset({"acme.example", "xn--bcher-kva.example"}),
        40,
        7,
    )
    assert read_wishes({"stopped": {"payroll": TODAY}, "final": ["payroll"]}, KNOWN, TODAY).all_final is False


def test_a_run_for_one_customer_takes_nothing_away_in_a_tenant_of_all() -> None:
    variables = {"payroll": {"mail_entra_tenant": {"tenant_id": "AAAA"}}, "relay": {}}
    check_own_tenants(["payroll", "relay"], variables, {"bbbb"})
    with pytest.raises(Refused, match='payroll: mail_entra_tenant "AAAA": it is declared for all hosts'):
        check_own_tenants(["payroll", "relay"], variables, {"aaaa"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stopped": {"payrol": "2026-11-20"}}, "payrol: mail_offboard_stopped: this play has no such environment"),
        ({"stopped": {"payrol": "2026-11-20"}}, "Did you mean payroll?"),
        ({"stopped": {"payroll": "2026-12-01"}}, "this day is still to come: today is 2026-11-30"),
        ({"stopped": {"payroll": True}}, "a person's word has the day of the last mail"),
        ({"stopped": {"payroll": None}}, "a person's word has the day of the last mail"),
        ({"stopped": {"payroll": "2026-13-01"}}, "a person's word has the day of the last mail"),
        ({"stopped": {"payroll": datetime.datetime(2026, 11, 20, 3)}}, "a person's word has the day"),
        ({"stopped": ["payroll"]}, "it is a dictionary: an environment to the day of its last mail"),
        ({"stopped": {"old": "2026-11-20"}}, "this environment is gone already"),
        ({"stopped": {"relay": "2026-11-20"}}, "Write erp_mail_state: leaving for it first."),
        ({"final": "yes"}, "mail_offboard_final: it is true, false, or a list of environments"),
        ({"final": ["relay"]}, "this environment is to stay"),
        ({"domains": ["other.example"]}, "it is not in mail_dns_domains"),
        ({"domains": "acme.example"}, "it is a list of domains"),
        ({"customers": ["Beta"]}, "relay: erp_mail_state \"present\": its customer Beta leaves"),
        ({"customers": ["Nobody"]}, "no host and no domain is this customer's"),
        ({"quiet": 0}, "it is a whole number of days from 1 to 3650"),
        ({"quiet": True}, "it is a whole number of days from 1 to 3650"),
        ({"selectors": "-1"}, "it is a whole number of days from 0 to 3650"),
    ],
)  # fmt: skip
def test_what_is_told_wrongly_is_refused(given: Json, words: str) -> None:
    with pytest.raises(Refused) as refused:
        read_wishes(given, KNOWN, TODAY)
    assert words in str(refused.value)


def test_a_run_that_does_not_know_every_sender_takes_nothing_away() -> None:
    check_whole(["payroll"], True, "", [])
    check_whole([], False, "payroll", ["relay"])
    for complete, limit, left_out in ((False, "", []), (True, "payroll", []), (True, "", ["relay"])):
        with pytest.raises(Refused, match="mail_dns_complete: true"):
            check_whole(["payroll"], complete, limit, left_out)


# --- an estate -------------------------------------------------------------------------------------------------------


def needs(host: str, terms: list[str], state: str = "present", keys: tuple[str, ...] = (), **more: Any) -> Json:
    listed = [{"term": term, "service": "own_relay", "source": "", "date": None, "given": True} for term in terms]
    selectors = [{"selector": key, "target": f"{key}.keys.example", "service": "x", "after_spf": False} for key in keys]
    sender = {"from": f"{host}@acme.example", "domain": "acme.example", "envelope_domain": "acme.example"}
    return {
        "environment": host,
        "system": "afas_profit",
        "state": state,
        "service": "own_relay",
        "domains": {"acme.example": listed},
        "dkim": {"acme.example": selectors} if keys else {},
        "cnames": [],
        "senders": [sender],
        "entra": None,
        **more,
    }


def judged(*hosts: Json, **domain: Any) -> Json:
    domains = {"acme.example": {"services": [], "dmarc": {"policy": "reject"}, "tls_rpt": {"rua": ["x"]}, **domain}}
    return {
        "needs": {one["environment"]: one for one in hosts},
        "declarations": {one["environment"]: {"options": {"state": one["state"]}} for one in hosts},
        "variables": {one["environment"]: {"mail_dns_domains": domains} for one in hosts},
    }


def left_of(found: Json, wishes: OffboardWishes) -> Any:
    domains = found["variables"]["payroll"]["mail_dns_domains"]
    return leaving_estate(found, domains, None, wishes, TODAY, Catalogue())


PAYROLL = needs("payroll", ["include:shared.example", "ip4:192.0.2.7"], "leaving", ("own", "both"))
RELAY = needs("relay", ["INCLUDE:shared.example"], keys=("both",))
GONE = OffboardWishes({"payroll": LONG_AGO}, frozenset({"payroll"}), True, frozenset({"acme.example"}))


def test_what_others_need_stays_and_is_named() -> None:
    estate = left_of(judged(PAYROLL, RELAY), GONE)
    assert estate.told["payroll"]["kept"] == [
        "SPF include:shared.example at acme.example, needed by relay",
        "DKIM selector both at acme.example, needed by relay",
    ]
    assert estate.domains == {"acme.example": ["relay still needs it"]}
    declared = {"spf": {"terms": ["ip4:192.0.2.7"]}, "dkim": [{"selector": "own", "target": "x.example"}]}
    kept = left_of(judged(PAYROLL, services=["microsoft365"], **declared), GONE)
    assert kept.told["payroll"]["kept"] == [
        "SPF ip4:192.0.2.7 at acme.example, needed by mail_dns_domains",
        "DKIM selector own at acme.example, needed by mail_dns_domains",
    ]
    assert kept.domains["acme.example"] == ["the service microsoft365 still needs it"]
    odd = {"unexplained": [{"what": "spf ip4:192.0.2.7", "evidence": "zone"}]}
    unexplained = left_of(judged(PAYROLL, **odd), GONE)
    assert unexplained.told["payroll"]["kept"] == ["SPF ip4:192.0.2.7 at acme.example, needed by what is unexplained"]
    assert unexplained.domains["acme.example"] == ["what is unexplained (spf ip4:192.0.2.7) still needs it"]


@pytest.mark.parametrize("odd", [5, "x", [1, "x"], {"terms": 3}, {"terms": ["ip4:::", 7, None]}, {"x": {}}])
def test_what_a_domain_says_wrongly_is_left_to_those_who_tell_it(odd: Any) -> None:
    for key in ("spf", "dkim", "dmarc", "tls_rpt", "mta_sts"):
        assert left_of(judged(PAYROLL, **{key: odd}), GONE).told["payroll"]["stages"]
        assert only_removals({"domain": "acme.example", key: odd}) is None


def test_of_what_is_planned_only_removals_are_left() -> None:
    flatten = {"flatten": ["spf.x.example"], "other_flattened": "restore"}
    entry = {
        "domain": "acme.example",
        "dns": {"provider": "zonefile"},
        "ttl": 60,
        "spf": {"terms": ["mx"], "all": "-all", "absent_terms": ["ip4:192.0.2.7"], "kept_terms": ["a"], **flatten},
        "dkim": [{"selector": "new", "target": "x"}, {"selector": "own", "state": "absent"}],
        "cnames": [{"name": "em1", "target": "x"}],
        "dmarc": {"policy": "reject", "tighten": True},
        "tls_rpt": {"state": "absent"},
    }
    assert only_removals(entry) == {
        "domain": "acme.example",
        "dns": {"provider": "zonefile"},
        "ttl": 60,
        "spf": {"terms": [], "absent_terms": ["ip4:192.0.2.7"], "kept_terms": ["a"], **flatten},
        "dkim": [{"selector": "own", "state": "absent"}],
        "tls_rpt": {"state": "absent"},
    }
    nothing = {**entry, "spf": {"terms": ["mx"]}, "dkim": None, "tls_rpt": None}
    assert only_removals(nothing) is None


def test_one_that_leaves_but_waits_still_needs_what_it_has() -> None:
    second = {**PAYROLL, "environment": "second", "entra": None}
    estate = left_of(judged(PAYROLL, second), GONE)
    assert estate.needs["second"]["parts"]["spf"] == "leaving"
    assert "SPF ip4:192.0.2.7 at acme.example, needed by second" in estate.told["payroll"]["kept"]
    assert estate.domains["acme.example"] == ["second still needs it"]


def test_the_policies_of_a_domain_that_leaves_go_last() -> None:
    final = left_of(judged(PAYROLL, mta_sts={"mode": "enforce"}), GONE)
    domain = final.variables["payroll"]["mail_dns_domains"]["acme.example"]
    assert domain["dmarc"] == domain["tls_rpt"] == {"state": "absent"}
    assert domain["mta_sts"] == {"mode": "enforce"} and "mode: none first" in final.domains["acme.example"][0]
    assert final.declarations["payroll"]["options"]["state"] == "absent", "its files go"
    none = left_of(judged(PAYROLL, mta_sts={"mode": "none", "max_age": 86400}), GONE)
    domain = none.variables["payroll"]["mail_dns_domains"]["acme.example"]
    assert domain["mta_sts"] == {"mode": "none", "max_age": 86400, "state": "absent"}


def test_from_tenants_only_what_leaves_is_taken_and_nothing_is_made() -> None:
    absent = {"environment": "payroll", "customer": "acme", "application": {"unique_name": "x", "state": "absent"}}
    stays = {
        "environment": "profit",
        "application": {"unique_name": "y"},
        "credential": {"name": "mail"},
        "scope": {"mailboxes": ["a@acme.example"]},
        "consent": {"app_id": "z", "users": ["u"]},
        "senders": ["a@acme.example"],
    }
    revoked = {"environment": "office", "consent": {"app_id": "z", "state": "absent"}}
    found = leaving_tenants({"t": {"tenant": {"tenant_id": "t"}, "environments": [absent, stays, revoked]}})
    assert found["t"]["tenant"] == {"tenant_id": "t"}
    looked = {"environment": "profit", "senders": ["a@acme.example"]}
    assert found["t"]["environments"] == [absent, looked, revoked]


def test_without_consent_and_without_the_word_for_a_domain_policies_stay() -> None:
    waiting = left_of(judged(PAYROLL), OffboardWishes({"payroll": LONG_AGO}, domains=frozenset({"acme.example"})))
    assert waiting.domains["acme.example"] == ["payroll still needs it"], "its last stage waits"
    assert waiting.declarations["payroll"]["options"]["state"] == "leaving"
    stays = left_of(judged(PAYROLL), OffboardWishes({"payroll": LONG_AGO}, frozenset({"payroll"})))
    assert stays.domains == {}
    domain = stays.variables["payroll"]["mail_dns_domains"]["acme.example"]
    assert domain["dmarc"] == {"policy": "reject"}, "a domain that is not said to leave keeps its policies"


# --- what is told and handed back ------------------------------------------------------------------------------------


def record(name: str, kind: str, rdtype: str, before: list[str] | None, after: list[str] | None) -> PlannedRecord:
    old, new = (None if values is None else PlannedRrset(3600, tuple(values)) for values in (before, after))
    return PlannedRecord("acme.example", 0, name, rdtype, old, new, None, ("acme.example",), (kind,))


SPF = record(
    "acme.example",
    "spf",
    "TXT",
    ["v=spf1 mx ip4:192.0.2.7 ~all", "other"],
    ["v=spf1 mx ~all", "other"],
)
KEY = record("own._domainkey.acme.example", "dkim", "CNAME", ["own.keys.example"], ["own.keys.example"])


def test_what_a_look_shows_to_be_left() -> None:
    assert what_is_left(PAYROLL, [SPF, KEY], False, True) == {
        "tenant": False, "dkim": False, "spf": True, "policy": True,
    }  # fmt: skip
    other = record("acme.example", "spf", "TXT", ["v=spf1 a mx ~all"], ["v=spf1 mx ~all"])
    assert not what_is_left(PAYROLL, [other], False, False)["spf"], "a change that takes away none of its terms"


def test_each_environment_is_told_with_its_stages() -> None:
    estate = left_of(judged(PAYROLL, RELAY), OffboardWishes({"payroll": TODAY - datetime.timedelta(days=3)}))
    text = "\n".join(offboard_lines(estate.told, {}, {"payroll": {"tenant": True}}, check_mode=True))
    assert "tenant     would be done by this run" in text and "dkim       waits until 2026-12-11" in text
    gone = left_of(judged(PAYROLL), GONE)
    nothing = dict.fromkeys(("tenant", "dkim", "spf", "policy"), False)
    done = "\n".join(offboard_lines(gone.told, gone.domains, {"payroll": nothing}, check_mode=False))
    assert "payroll has left: take it out of the inventory." in done and "the policies of acme.example go" in done
    assert "None is declared to leave" in "\n".join(offboard_lines({}, {}, {}, check_mode=False))


def test_the_zone_file_is_read_by_others_and_says_what_stood_there() -> None:
    odd = 'it said "; \\ and \t' + "x" * 300
    rrsets = [
        RRset("acme.example", "TXT", 3600, ("v=spf1 mx ip4:192.0.2.7 ~all", odd)),
        RRset("own._domainkey.acme.example", "CNAME", 300, ("own.keys.example",)),
        RRset("acme.example", "MX", 60, ("10 mx.acme.example",)),
    ]
    ours = DomainFacts("acme.example", "rfc2136", "acme.example", True, {one.key: one for one in rrsets}, {})
    other = DomainFacts("other.example", "rfc2136", "other.example", True, ours.rrsets, {})
    texts = zone_texts("payroll", PAYROLL, [ours, other])
    assert list(texts) == ["acme.example"]
    read = zone.from_text(texts["acme.example"], origin="acme.example", relativize=False)
    found = {(name.to_text(), data.rdtype.name): data for name, data in read.iterate_rdatasets()}
    assert found["own._domainkey.acme.example.", "CNAME"].ttl == 300 and ("acme.example.", "MX") in found
    values = {b"".join(one.strings).decode() for one in found["acme.example.", "TXT"]}
    assert values == {"v=spf1 mx ip4:192.0.2.7 ~all", odd}
    nowhere = DomainFacts("acme.example", None, None, False, ours.rrsets, {})
    assert zone_texts("payroll", PAYROLL, [nowhere]) == {}, "only public DNS was asked"


def test_the_page_tells_what_was_needed_changed_and_when_and_is_no_link_for_what_others_wrote() -> None:
    estate = left_of(judged(PAYROLL, RELAY), GONE)
    write = LastWrite("2026-11-01T00:00:00Z", "one.yml", None, ("v=spf1 `|<b>[x](y) ~all",), "site *x*")
    foreign = LastWrite("2026-11-02T00:00:00Z", None, None, ("of another domain",), "x")
    page = handback_page(
        Handback("payroll", PAYROLL, estate.told["payroll"], [
            (("acme.example", "TXT"), write), (("other.example", "TXT"), foreign),
        ])
    )  # fmt: skip
    for part in ("2026-10-01", "`ip4:192.0.2.7`", "selector `own`", "2026-11-01T00:00:00Z", "needed by relay"):
        assert part in page, page
    assert "of another domain" not in page and "site \\*x\\*" in page and "`` v=spf1 `\\|<b>" in page

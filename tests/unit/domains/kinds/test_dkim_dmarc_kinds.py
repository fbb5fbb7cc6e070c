# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM selectors and DMARC policies on real master files: what is published, what is left alone, what is refused."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import (
    ED25519_RECORD,
    encoded_key,
    new_public_key,
)
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY, LONG_KEY, WEAK_KEY = new_public_key(2048), new_public_key(4096), new_public_key(1024)
HALF = len(KEY) // 2
SERVICE = "key.service.example"
WORLD = {
    "service.example": zone_text(
        "service.example",
        f'key IN TXT "v=DKIM1; p={KEY[:HALF]}" "{KEY[HALF:]}"\nrevoked IN TXT "v=DKIM1; p="\n'
        f'weak IN TXT "v=DKIM1; p={WEAK_KEY}"\nhop IN CNAME key\n_dmarc IN TXT "v=DMARC1; p=reject"\n',
    ),
    "agreed.example": zone_text(
        "agreed.example",
        'acme.example._report._dmarc IN TXT "v=DMARC1"\n*.wild._report._dmarc IN TXT "v=DMARC1"\n',
    ),
}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, WORLD)


def test_all_three_kinds_are_one_write(company: Company) -> None:
    kinds: dict[str, Any] = {
        "spf": {"terms": ["a:ns1.acme.example"]},
        "dkim": [{"selector": "s1", "target": SERVICE}, {"selector": "own", "public_key": LONG_KEY}],
        "dmarc": {"policy": "quarantine", "rua": ["dmarc@acme.example"]},
    }
    planned = company.run(write=False, **kinds)
    assert company.read("_dmarc.acme.example") == []
    done = company.run(**kinds)
    assert [step.change for step in planned.steps] == [step.change for step in done.steps]
    assert planned.warnings == done.warnings == []
    assert company.read("acme.example") == ["v=spf1 a:ns1.acme.example ~all"]
    assert company.read("s1._domainkey.acme.example", "CNAME") == [SERVICE]
    assert company.read("own._domainkey.acme.example") == [f"v=DKIM1; k=rsa; p={LONG_KEY}"]
    assert company.read("_dmarc.acme.example") == ["v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.example"]
    assert " 2 7200" in company.ours.file("acme.example").read_text()  # the serial rose once
    assert not company.run(**kinds).changed


def test_a_selector_is_pointed_elsewhere_and_others_stay(company: Company) -> None:
    company.live("s1._domainkey 60 IN CNAME old.service.example.", "s2._domainkey IN CNAME two.service.example.")
    outcome = company.selector(target=SERVICE)
    change = outcome.steps[0].change
    assert change is not None
    assert change.after is not None
    assert (change.after.ttl, change.after.values) == (60, (SERVICE,))
    assert company.read("s2._domainkey.acme.example", "CNAME") == ["two.service.example"]


def test_the_names_in_a_target_are_filled_in(company: Company) -> None:
    company.selector("S1", target="{selector}.{domain}.hop.service.example", validate="ignore")
    assert company.read("s1._domainkey.acme.example", "CNAME") == ["s1.acme.example.hop.service.example"]


def test_the_key_behind_the_alias_is_judged(company: Company) -> None:
    sound = company.selector(target="hop.service.example")
    assert sound.steps[0].plan.details["key"] == {"algorithm": "rsa", "bits": 2048, "usable": True}
    assert sound.warnings == []
    weak = company.selector(target="weak.service.example")
    assert any("1024 bits; 2048 are advised" in warning for warning in weak.warnings)
    gone = company.selector(target="revoked.service.example")
    assert gone.steps[0].plan.details["key"]["usable"] is False
    assert any("revoked" in warning for warning in gone.warnings)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("revoked.service.example", "revoked"),
        ("nothing.service.example", "no key"),
        ("k.nobody.invalid", "cannot be looked up"),
    ],
)
def test_a_key_that_is_required_must_be_usable(company: Company, target: str, words: str) -> None:
    message = company.refusal(dkim=[{"selector": "s1", "target": target, "validate": "require"}])
    assert words in message
    assert "RFC 6376" in message
    assert target in message


def test_a_key_of_ones_own_is_replaced_in_place(company: Company) -> None:
    company.live(f'own._domainkey 60 IN TXT "v=DKIM1; p={WEAK_KEY}"', 'own._domainkey 60 IN TXT "hello"')
    assert company.selector("own", public_key=KEY).changed
    assert company.read("own._domainkey.acme.example") == ["hello", f"v=DKIM1; k=rsa; p={KEY}"]
    assert not company.selector("own", public_key=KEY).changed


def test_a_key_in_the_form_of_pkcs1_is_published_and_taken_away_as_receivers_read_it(company: Company) -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    record = f"v=DKIM1; k=rsa; p={encoded_key(public)}"
    pem = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert company.selector("own", public_key=pem).changed
    assert company.read("own._domainkey.acme.example") == [record]
    assert not company.selector("own", public_key=record.replace("p=MII", "p=M II\n")).changed
    old = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
    company.live(f'own._domainkey IN TXT "v=DKIM1; p={old[:200]}" "{old[200:]}"')
    assert company.selector("own", public_key=f"v=DKIM1; p={old}", state="absent").changed


def test_a_key_that_not_all_receivers_know_is_published_with_a_word_about_another_one(company: Company) -> None:
    (warning,) = company.selector("own", public_key=ED25519_RECORD).warnings
    assert "have the mail signed with an RSA key, too" in warning and "RFC 8463" in warning


def test_what_stands_in_the_way_of_an_alias_is_named(company: Company) -> None:
    company.live('s1._domainkey IN TXT "v=DKIM1; p="', "s2._domainkey IN A 192.0.2.1")
    message = company.refusal(dkim=[{"selector": "s1", "target": SERVICE}, {"selector": "s2", "target": SERVICE}])
    assert "s1._domainkey.acme.example: TXT" in message
    assert "s2._domainkey.acme.example: A" in message
    assert "RFC 1034 section 3.6.2" in message


def test_an_alias_in_the_way_of_a_key_is_named(company: Company) -> None:
    company.live(f"s1._domainkey IN CNAME {SERVICE}.")
    message = company.refusal(dkim=[{"selector": "s1", "public_key": KEY}])
    assert SERVICE in message
    assert "managed at the target" in message


def test_removal_takes_what_was_named_only(company: Company) -> None:
    company.live(
        f"s1._domainkey IN CNAME {SERVICE}.", 'own._domainkey IN TXT "v=DKIM1; p="', 'own._domainkey IN TXT "hello"'
    )
    assert not company.selector(target="other.service.example", state="absent").changed
    assert not company.selector("own", target=SERVICE, state="absent").changed
    assert company.selector(target=SERVICE, state="absent").changed
    assert company.selector("own", state="absent").changed
    assert company.read("s1._domainkey.acme.example", "CNAME") == []
    assert company.read("own._domainkey.acme.example") == ["hello"]
    assert not company.selector("own", state="absent").changed


def test_an_alias_that_a_service_asks_for_is_published_and_taken_away(company: Company) -> None:
    company.live("em9 IN CNAME other.service.example.")
    aliases = [{"name": "em1", "target": SERVICE}, {"name": "em2.acme.example.", "target": "U2.service.example."}]
    planned, done = company.run(write=False, cnames=aliases), company.run(cnames=aliases)
    assert [step.change for step in planned.steps] == [step.change for step in done.steps]
    assert company.read("em1.acme.example", "CNAME") == [SERVICE]
    assert company.read("em2.acme.example", "CNAME") == ["u2.service.example"]
    assert not company.run(cnames=aliases).changed
    assert not company.run(cnames=[{"name": "em9", "target": SERVICE, "state": "absent"}]).changed
    assert company.run(cnames=[{**alias, "state": "absent"} for alias in aliases]).changed
    assert company.read("em1.acme.example", "CNAME") == []
    assert company.read("em9.acme.example", "CNAME") == ["other.service.example"]


def test_what_stands_in_the_way_of_another_alias_is_named(company: Company) -> None:
    company.live("em1 IN A 192.0.2.1", "sub IN NS ns1.service.example.")
    assert "em1.acme.example: A" in company.refusal(cnames=[{"name": "em1", "target": SERVICE}])
    outcome = company.run(cnames=[{"name": "em1.sub.acme.example", "target": SERVICE}])
    assert outcome.steps[0].plan.elsewhere == "zone sub.acme.example"
    assert not outcome.changed


def test_a_policy_is_merged_with_what_is_there(company: Company) -> None:
    company.live('_dmarc 60 IN TXT "v=DMARC1; p=none; rua=mailto:x@acme.example; new=1"', '_dmarc 60 IN TXT "note"')
    seen = {"accept_unseen_senders": True}
    outcome = company.run(dmarc={"policy": "reject", "rua": ["y@acme.example"], "testing": False, **seen})
    record = "v=DMARC1; p=reject; rua=mailto:x@acme.example,mailto:y@acme.example; new=1; t=n"
    assert company.read("_dmarc.acme.example") == ["note", record]
    assert outcome.steps[0].plan.after == record
    assert company.run(dmarc={"state": "absent"}).changed
    assert company.read("_dmarc.acme.example") == ["note"]


def test_a_policy_is_tightened_only_when_that_is_allowed(company: Company) -> None:
    company.live('_dmarc IN TXT "v=DMARC1; p=quarantine"')
    message = company.refusal(dmarc={"policy": "reject", "tighten": False})
    for word in ("v=DMARC1; p=reject", "stricter than v=DMARC1; p=quarantine", "tighten: true"):
        assert word in message
    assert not company.run(dmarc={"policy": "quarantine", "tighten": False}).changed
    assert company.run(dmarc={"policy": "none", "tighten": False}).changed


@pytest.mark.parametrize("authorize", [True, False])
def test_no_other_option_lets_a_policy_be_tightened(company: Company, authorize: bool) -> None:
    message = company.refusal(dmarc={"policy": "reject", "tighten": False, "authorize_reports": authorize})
    assert "may not know every sender" in message


@pytest.mark.parametrize(
    ("live", "wish"),
    [
        ("v=DMARC1; p=quarantine", {"policy": "reject"}),
        ("v=DMARC1; p=none; sp=quarantine", {"subdomain_policy": "reject"}),
        ("v=DMARC1; p=reject; sp=none", {"subdomain_policy": "reject"}),
        (None, {"policy": "reject", "subdomain_policy": "none"}),
    ],
    ids=["domain", "subdomains", "subdomains of a strict domain", "first record"],
)
def test_the_first_reject_needs_a_word_about_undeclared_senders(
    company: Company, live: str | None, wish: dict[str, Any]
) -> None:
    company.live(*([f'_dmarc IN TXT "{live}"'] if live else []))
    message = company.refusal(dmarc=wish)
    assert "whoever else sends as this domain cannot be seen" in message and "accept_unseen_senders" in message
    assert company.run(dmarc={**wish, "accept_unseen_senders": True}).changed
    assert not company.run(dmarc=wish).changed, "a domain that rejects already needs no word"


def test_a_managed_policy_is_never_moved(company: Company) -> None:
    managed = {"mode": "managed", "target": "reject"}
    assert company.run(dmarc=managed).steps[0].plan.after == "v=DMARC1; p=none"
    company.live('_dmarc IN TXT "v=DMARC1; p=quarantine"')
    assert not company.run(dmarc=managed).changed


def test_an_obsolete_tag_is_written_only_when_asked_for(company: Company) -> None:
    outcome = company.run(dmarc={"policy": "none", "obsolete_tags": {"pct": 50}})
    assert company.read("_dmarc.acme.example") == ["v=DMARC1; p=none; pct=50"]
    assert any("pct= was removed by RFC 9989" in warning for warning in outcome.warnings)


@pytest.mark.parametrize("record", ["_dmarc IN CNAME _dmarc.service.example.", "_dmarc IN NS ns1.service.example."])
def test_a_policy_that_somebody_else_manages_is_left_alone(company: Company, record: str) -> None:
    company.live(record)
    outcome = company.run(dmarc={"policy": "none"}, spf={"terms": ["a:ns1.acme.example"]})
    dmarc = outcome.steps[1]
    assert dmarc.plan.elsewhere is not None
    assert not dmarc.changed
    assert outcome.steps[0].changed
    assert any("managed elsewhere" in warning for warning in outcome.warnings)
    if "CNAME" in record:
        assert dmarc.plan.after == "v=DMARC1; p=reject"


def test_a_selector_that_somebody_else_manages_is_left_alone(company: Company) -> None:
    company.live("_domainkey IN NS ns1.service.example.")
    outcome = company.selector(target=SERVICE)
    assert not outcome.changed
    assert outcome.steps[0].plan.elsewhere == "zone _domainkey.acme.example"


def test_an_outside_address_of_ours_agrees(company: Company) -> None:
    company.zone("reports.example")
    rua = {"rua": ["a@reports.example", "b@acme.example"]}
    planned = company.run(write=False, dmarc=rua)
    done = company.run(dmarc=rua)
    assert [step.change for step in planned.steps] == [step.change for step in done.steps]
    name = "acme.example._report._dmarc.reports.example"
    assert company.read(name) == ["v=DMARC1"]
    assert not company.run(dmarc=rua).changed


def test_an_outside_address_of_others_is_checked(company: Company) -> None:
    outcome = company.run(dmarc={"rua": ["a@agreed.example", "b@service.example"], "ruf": ["c@nobody.invalid"]})
    (missing, unknown) = [warning for warning in outcome.warnings if "agree" in warning]
    assert 'acme.example._report._dmarc.service.example TXT "v=DMARC1"' in missing
    assert "nobody.invalid agreed cannot be looked up" in unknown
    silent = company.run(dmarc={"rua": ["b@service.example"], "authorize_reports": False})
    assert silent.warnings == []


def test_a_relative_that_a_tree_walk_takes_for_another_organisation_must_agree_too(company: Company) -> None:
    # RFC 9990 section 4: acme.example has no policy record, so shop.acme.example is an organisation of its own.
    example = company.world.write("example", zone_text("example"))
    shop: dict[str, Any] = {"domain": "shop.acme.example", "dmarc": {"policy": "none", "rua": ["d@acme.example"]}}
    (warning,) = company.run(write=False, **shop).warnings
    assert 'publish shop.acme.example._report._dmarc.acme.example TXT "v=DMARC1"' in warning
    silent = company.run(write=False, domain=shop["domain"], dmarc=shop["dmarc"] | {"authorize_reports": False})
    assert silent.warnings == []
    company.live('shop.acme.example._report._dmarc IN TXT "v=DMARC1"')
    assert company.run(write=False, **shop).warnings == []
    company.live('_dmarc IN TXT "v=DMARC1; p=none"')
    assert company.run(write=False, **shop).warnings == []
    # What cannot be looked up is no reason to warn.
    company.live()
    example.write_text("this is no master file")
    assert company.run(write=False, **shop).warnings == []


SIBLING = "shop.acme.example._report._dmarc.reports.acme.example"


def shop(**options: Any) -> dict[str, Any]:
    return {"domain": "shop.acme.example", "dmarc": {"policy": "none", "rua": ["d@reports.acme.example"], **options}}


@pytest.fixture
def whole(company: Company) -> Company:
    """A company whose tree walks find every name up to the top."""
    company.world.write("example", zone_text("example"))
    return company


def test_a_sibling_of_one_organisation_need_not_agree(whole: Company) -> None:
    whole.live('_dmarc IN TXT "v=DMARC1; p=none"')
    done = whole.run(**shop())
    assert done.changed and done.warnings == [] and whole.read(SIBLING) == []
    assert not whole.run(**shop()).changed


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="a tree walk finds two organisations"),
        pytest.param(
            ['_dmarc IN TXT "v=DMARC1; p=none"', '_dmarc.shop IN TXT "v=DMARC1; p=none; psd=n"'], id="a split off part"
        ),
    ],
)
def test_a_sibling_of_another_organisation_must_agree(whole: Company, records: list[str]) -> None:
    whole.live(*records)
    whole.run(**shop())
    assert whole.read(SIBLING) == ["v=DMARC1"]


def test_a_sibling_below_a_public_suffix_must_agree_whatever_a_tree_walk_says(whole: Company) -> None:
    # The suffix list has co.uk; a policy record there makes it one organisation by RFC 9989 alone.
    whole.world.write("uk", zone_text("uk", '_dmarc.co IN TXT "v=DMARC1; p=none"'))
    for zone in ("acme.co.uk", "reports.co.uk"):
        whole.zone(zone)
    whole.run(domain="acme.co.uk", dmarc={"policy": "none", "rua": ["d@reports.co.uk"]})
    assert whole.read("acme.co.uk._report._dmarc.reports.co.uk") == ["v=DMARC1"]


def test_an_agreement_that_stands_is_kept_although_it_is_not_needed(whole: Company) -> None:
    whole.live('_dmarc IN TXT "v=DMARC1; p=none"', f'{SIBLING.removesuffix(".acme.example")} 77 IN TXT "v=DMARC1; x=1"')
    whole.run(**shop())
    assert whole.read(SIBLING) == ["v=DMARC1; x=1"]


def test_a_sibling_that_cannot_be_looked_up_must_agree(whole: Company) -> None:
    whole.live('_dmarc IN TXT "v=DMARC1; p=none"')
    whole.world.write("example", "this is no master file")
    whole.run(**shop())
    assert whole.read(SIBLING) == ["v=DMARC1"]


def test_a_sibling_that_this_very_change_makes_a_stranger_must_agree(whole: Company) -> None:
    whole.live('_dmarc IN TXT "v=DMARC1; p=none"')
    assert whole.run(**shop(psd="n")).warnings == []
    assert whole.read(SIBLING) == ["v=DMARC1"]


def test_a_sibling_that_another_change_of_the_run_makes_a_stranger_is_told(whole: Company) -> None:
    whole.live('_dmarc IN TXT "v=DMARC1; p=none"')
    parted = {"domain": "acme.example", "dmarc": {"state": "absent"}}
    outcomes = whole.planned([shop(), parted]).execute(True)
    (warning,) = outcomes[0].warnings
    assert f'publish {SIBLING} TXT "v=DMARC1"' in warning
    assert whole.run(**shop()).changed and whole.read(SIBLING) == ["v=DMARC1"]


def test_a_sibling_elsewhere_of_one_organisation_need_not_agree(whole: Company) -> None:
    whole.world.write("reports.acme.example", zone_text("reports.acme.example"))
    whole.live('_dmarc IN TXT "v=DMARC1; p=none"', "reports IN NS ns1.service.example.")
    assert whole.run(**shop()).warnings == []
    whole.live("reports IN NS ns1.service.example.")
    assert any("has not agreed" in warning for warning in whole.run(**shop()).warnings)


WRONG_KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n"
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"dkim": [{"selector": "s1"}]}, ["target", "public_key", "Give one of the three"]),
    ({"dkim": [{"selector": "s1", "target": SERVICE, "public_key": KEY}]}, ["Give one of the three"]),
    ({"dkim": [{"selector": "a_b", "target": SERVICE}]}, ['"a_b"', "RFC 6376 section 3.1"]),
    ({"dkim": [{"selector": "s1._domainkey", "target": SERVICE}]}, ["RFC 6376 section 3.1"]),
    ({"dkim": [{"selector": "*", "target": SERVICE}]}, ['"*"', "RFC 6376 section 3.1"]),
    ({"dkim": [{"selector": "a" * 64, "target": SERVICE}]}, ["at most 63"]),
    ({"dkim": [{"selector": "s1", "target": "no_dots"}]}, ["dkim.target", "two labels"]),
    ({"dkim": [{"selector": "s1", "target": "a b.example"}]}, ["dkim.target", "letters, digits"]),
    ({"dkim": [{"selector": "s1", "target": "s1._domainkey.acme.example"}]}, ["alias of itself"]),
    ({"dkim": [{"selector": "s1", "public_key": WRONG_KEY}]}, ["private key", "RFC 6376 section 3.6"]),
    ({"dkim": [{"selector": "s1", "public_key": "hello"}]}, ["dkim.public_key", "RFC 6376 section 3.6.1"]),
    ({"dkim": [{"selector": "s1", "public_key": "v=DKIM1; p="}]}, ["revoked"]),
    ({"dkim": [{"selector": "s1", "public_key": "aGVsbG8gd29ybGQ="}]}, ["no RSA public key"]),
    ({"dkim": [{"selector": "s1", "public_key": f"v=DKIM1; h=sha1; p={KEY}"}]}, ["sha256", "RFC 8301"]),
    ({"dkim": [{"selector": "s1", "public_key": f"v=DKIM1; p={KEY}; p={KEY}"}]}, ["RFC 6376"]),
    (
        {"dkim": [{"selector": "s1", "target": SERVICE}, {"selector": "S1", "public_key": KEY}]},
        ["stands in an entry once"],
    ),
    ({"dkim": [{"target": SERVICE}]}, ["missing required arguments: selector"]),
    ({"dkim": [{"selector": "s1", "target": SERVICE, "key": "x"}]}, ["no such option"]),
    ({"dkim": [{"selector": "s1", "target": SERVICE, "validate": "maybe"}]}, ["validate", "must be one of"]),
    ({"cnames": [{"name": "em1"}]}, ["missing required arguments: target"]),
    ({"cnames": [{"name": "em1.other.example", "target": SERVICE}]}, ["cnames.name", "below acme.example"]),
    ({"cnames": [{"name": "acme.example", "target": SERVICE}]}, ["cnames.name", "below acme.example"]),
    ({"cnames": [{"name": "em1", "target": "em1.acme.example"}]}, ["alias of itself"]),
    ({"cnames": [{"name": "a b", "target": SERVICE}]}, ["cnames.name", "letters, digits"]),
    ({"cnames": [{"name": "em1", "target": SERVICE}, {"name": "EM1", "target": SERVICE}]}, ["stands in an entry once"]),
    ({"dmarc": {"policy": "rejct"}}, ["policy", "must be one of"]),
    ({"dmarc": {"polcy": "none"}}, ["no such option", "polcy"]),
    ({"dmarc": {"subdomain_policy": "all"}}, ["subdomain_policy", "must be one of"]),
    ({"dmarc": {"adkim": "relaxed"}}, ["adkim", "must be one of"]),
    ({"dmarc": {"fo": "2"}}, ["fo=2", "RFC 9989 section 4.7"]),
    ({"dmarc": {"fo": "1;p=none"}}, ["fo=1;p=none", "RFC 9989 section 4.7"]),
    ({"dmarc": {"psd": "yes"}}, ["psd", "must be one of"]),
    ({"dmarc": {"rua": ["https://acme.example/r"]}}, ["dmarc.rua", "by mail only", "RFC 9989 section 4.7"]),
    ({"dmarc": {"rua": ["mailto:a@acme.example!10m"]}}, ["10m", "obsolete"]),
    ({"dmarc": {"rua": ["a@acme.example;p=none"]}}, ["letters, digits"]),
    ({"dmarc": {"rua": ["acme.example"]}}, ["one mail address"]),
    ({"dmarc": {"ruf": ["a@*.example"]}}, ["dmarc.ruf", "letters, digits"]),
    ({"dmarc": {"rua": [f"a{n}@acme.example" for n in range(40)]}}, ["40 addresses", "RFC 7489 section 6.2"]),
    ({"dmarc": {"mode": "managed", "policy": "reject"}}, ["dmarc.policy", "only dmarc_advance moves it"]),
    ({"dmarc": {"target": "reject"}}, ["dmarc.target", "mode: managed"]),
    ({"dmarc": {"obsolete_tags": {"sp": "none"}}}, ["dmarc.obsolete_tags", '"sp"', "Use its own option"]),
    ({"dmarc": {"obsolete_tags": {"pct": "10; p=reject"}}}, ["pct=10; p=reject", "RFC 7489 section 6.3"]),
]


@pytest.mark.parametrize(("kinds", "words"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_declaration_is_refused_with_its_rule(
    company: Company, kinds: dict[str, Any], words: list[str]
) -> None:
    message = company.refusal(**kinds)
    for word in ["acme.example", *words]:
        assert word in message
    assert "MIIEvQ" not in message


WRONG_RECORDS = [
    (
        ['_dmarc IN TXT "v=DMARC1; p=none"', '_dmarc IN TXT "v=DMARC1; p=reject"'],
        ["2 DMARC records", "RFC 9989 section 4.10"],
    ),
    (
        ['_dmarc IN TXT "v=DMARC1; p=none; aspf=r; ASPF=s"'],
        ["aspf= stands 2 times", "RFC 6376 section 3.2", "Say which of the values is right with `aspf`"],
    ),
    (['_dmarc IN TXT "v=DMARC1; p=none; T=y; t=n"'], ["t= stands 2 times", "right with `testing`"]),
    (['_dmarc IN TXT "v=DMARC1; p=none; pct=1; pct=2"'], ["pct= stands 2 times", "right with `obsolete_tags`"]),
    (['_dmarc IN TXT "v=DMARC1; p=none; sp=nothing"'], ["sp=nothing"]),
]


@pytest.mark.parametrize(("records", "words"), WRONG_RECORDS, ids=range(len(WRONG_RECORDS)))
def test_a_wrong_policy_record_is_refused_with_its_rule(company: Company, records: list[str], words: list[str]) -> None:
    company.live(*records)
    message = company.refusal(dmarc={"policy": "none"})
    for word in ["acme.example", *words]:
        assert word in message


@pytest.mark.parametrize(
    ("live", "wish", "record", "words"),
    [
        ("v=DMARC1; P=reject; x=1", {"policy": "quarantine"}, "v=DMARC1; p=quarantine; x=1", None),
        ("v=DMARC1; p=none; p=reject", {"policy": "none"}, "v=DMARC1; p=none", "take the last, p=reject"),
        ("v=DMARC1; p=none; x=1; X=2", {}, "v=DMARC1; p=none; x=2", "x= stands 2 times"),
        ("V=DMARC1; p=none", {"policy": "quarantine"}, "v=DMARC1; p=quarantine", "not written v=DMARC1"),
        ("v=DMARC1; p=none;; x=1", {"policy": "quarantine"}, "v=DMARC1; p=quarantine; x=1", "an empty part"),
        (
            "v=DMARC1; p=none; rua=d@acme.example",
            {"rua": ["d@acme.example"]},
            "v=DMARC1; p=none; rua=mailto:d@acme.example",
            "stands behind mailto:",
        ),
        ("v=DMARC1; p", {"policy": "none"}, "v=DMARC1; p=none", "is no tag"),
    ],
)
def test_what_receivers_would_not_read_is_mended_and_told(
    company: Company, live: str, wish: dict[str, Any], record: str, words: str | None
) -> None:
    company.live(f'_dmarc IN TXT "{live}"')
    outcome = company.run(dmarc=wish)
    assert company.read("_dmarc.acme.example") == [record]
    told = [warning for warning in outcome.warnings if "mended in the record" in warning]
    assert [words in warning for warning in told] == [True] if words else told == []
    assert not company.run(dmarc=wish).changed


@pytest.mark.parametrize("tag", ["adkim=strict", "aspf=relaxed", "t=yes", "psd=maybe", "fo=2"])
def test_a_tag_that_receivers_take_for_its_default_stays_and_is_told(company: Company, tag: str) -> None:
    company.live(f'_dmarc IN TXT "v=DMARC1; p=none; {tag}"')
    outcome = company.run(dmarc={"policy": "quarantine"})
    assert company.read("_dmarc.acme.example") == [f"v=DMARC1; p=quarantine; {tag}"]
    assert any(f'"{tag}" is none of the values' in warning for warning in outcome.warnings)


def test_a_tag_that_receivers_take_for_its_default_is_put_right_by_its_option(company: Company) -> None:
    company.live('_dmarc IN TXT "v=DMARC1; p=none; adkim=strict"')
    outcome = company.run(dmarc={"adkim": "s"})
    assert company.read("_dmarc.acme.example") == ["v=DMARC1; p=none; adkim=s"]
    assert not any("none of the values" in warning for warning in outcome.warnings)


def test_a_void_policy_counts_as_none_when_it_is_tightened(company: Company) -> None:
    company.live('_dmarc IN TXT "v=DMARC1; p=none; p=quarantine"')
    message = company.refusal(dmarc={"policy": "quarantine", "tighten": False})
    assert "would become stricter" in message


def test_a_policy_without_p_is_completed(company: Company) -> None:
    company.live('_dmarc IN TXT "v=DMARC1; rua=mailto:x@acme.example"')
    outcome = company.run(dmarc={"rua": ["x@acme.example"]})
    assert any("no p=" in warning for warning in outcome.warnings)
    assert not outcome.changed
    company.run(dmarc={"policy": "none"})
    assert company.read("_dmarc.acme.example") == ["v=DMARC1; p=none; rua=mailto:x@acme.example"]

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of domains on real master files: every kind of finding, and the input that is refused."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit import audit
from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit_run import inform
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD, new_public_key
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

GOOD = ["@ IN MX 10 ns1", '@ IN TXT "v=spf1 mx -all"', '_dmarc IN TXT "v=DMARC1; p=reject; rua=mailto:d@acme.example"']


def look(folder: Path, records: list[str], domain: object = "acme.example", **more: Any) -> dict[str, Any]:
    texts = {
        "acme.example": zone_text("acme.example", "\n".join(records)),
        "elsewhere.example": zone_text("elsewhere.example"),
    }
    return inform({"domains": [domain], "resolver": ZoneFolder(folder, texts).resolver_option, **more})


def findings(result: dict[str, Any]) -> list[str]:
    return [
        f"{one['level']} {one['record']}: {one['rule']} ({one['source']})" for one in result["domains"][0]["findings"]
    ]


def test_a_sound_domain_has_no_findings(tmp_path: Path) -> None:
    result = look(tmp_path, GOOD)
    assert findings(result) == []
    (found,) = result["domains"]
    assert found["spf"]["record"] == "v=spf1 mx -all" and found["spf"]["lookups"]["total"] == 1
    assert (found["dmarc"]["policy"], found["mx"]) == ("reject", ["ns1.acme.example"])
    assert result["summary"] == {"faults": 0, "concerns": 0, "senders": {"pass": 0, "fail": 0, "unknown": 0}}


def spf(record: str) -> list[str]:
    return [f'@ IN TXT "{record}"', *GOOD[::2]]


def policy(record: str) -> list[str]:
    return [*GOOD[:2], f'_dmarc IN TXT "{record}"']


TEN = " ".join(f"a:n{number}.acme.example" for number in range(10))
FINDINGS: dict[str, tuple[list[str], str, str]] = {
    "no SPF": (GOOD[::2], "fault", "cannot tell who may send"),
    "two SPF": ([*GOOD, '@ IN TXT "v=spf1 -all"'], "fault", "there are 2, which is a permerror"),
    "bad SPF": (spf("v=spf1 ipv4:192.0.2.1 -all"), "fault", "is no mechanism"),
    "+all": (spf("v=spf1 +all"), "concern", "lets anyone send"),
    "?all": (spf("v=spf1 mx ?all"), "concern", "lets anyone send"),
    "ptr": (spf("v=spf1 ptr -all"), "concern", "should not be published"),
    "dead include": (spf("v=spf1 include:gone.elsewhere.example -all"), "fault", "has no SPF record"),
    "too many lookups": (
        [
            '@ IN TXT "v=spf1 include:ten.acme.example -all"',
            f'ten IN TXT "v=spf1 {TEN} -all"',
            *GOOD[::2],
            *(f"n{number} IN A 192.0.2.1" for number in range(10)),
        ],
        "fault",
        "it costs 11 DNS lookups",
    ),
    "void lookups": (spf("v=spf1 a:x.acme.example a:y.acme.example a:z.acme.example -all"), "fault", "find nothing"),
    "void for IPv6": (spf("v=spf1 mx mx mx -all"), "concern", "for IPv6 clients 3 of its DNS lookups"),
    "a loop": (spf("v=spf1 include:acme.example -all"), "fault", "a loop"),
    "out of reach": (spf("v=spf1 include:nobody.invalid -all"), "fault", "cannot be resolved"),
    "near SPF": (["@ IN TXT v=spf1 mx -all", *GOOD[::2]], "fault", "looks meant as SPF"),
    "near SPF beside": ([*GOOD, '@ IN TXT "v=spf1;mx -all"'], "fault", "the character ;"),
    "ip4=": (spf("v=spf1 ip4=192.0.2.1 -all"), "fault", "ip4=192.0.2.1 looks meant as ip4:192.0.2.1"),
    "joined terms": (
        spf("v=spf1 include:acme.exampleinclude:elsewhere.example -all"),
        "fault",
        "with a space before include:elsewhere.example",
    ),
    "near DMARC": (policy("v=DMARC1 p=reject"), "fault", "looks meant as DMARC"),
    "DMARC elsewhere": ([*GOOD, '@ IN TXT "v=DMARC1; p=reject"'], "fault", "at _dmarc.acme.example only"),
    "no DMARC": (GOOD[:2], "concern", "there is none at this name"),
    "two DMARC": ([*GOOD, '_dmarc IN TXT "v=DMARC1; p=none"'], "fault", "as if there were none"),
    "bad DMARC": (policy("v=DMARC1; p=none; p=reject"), "fault", "p= stands 2 times"),
    "bad tag": (policy("v=DMARC1; p=strict; rua=mailto:d@acme.example"), "fault", "none of the values"),
    "p=none": (policy("v=DMARC1; p=none; rua=mailto:d@acme.example"), "concern", "do nothing about mail that fails"),
    "no rua": (policy("v=DMARC1; p=reject"), "concern", "nobody learns who sends"),
    "not agreed": (policy("v=DMARC1; p=reject; rua=mailto:d@elsewhere.example"), "fault", "has not agreed"),
    "a sibling elsewhere": (
        policy("v=DMARC1; p=reject; rua=mailto:d@acme.example,mailto:d@b.elsewhere.example"),
        "fault",
        "b.elsewhere.example has not agreed",
    ),
    "no mailto": (policy("v=DMARC1; p=reject; rua=d@acme.example"), "fault", "a mail address stands behind mailto:"),
    "https": (
        policy("v=DMARC1; p=reject; rua=mailto:d@acme.example,https://r.elsewhere.example/d"),
        "concern",
        "by mail only",
    ),
    "bad p": (policy("v=DMARC1; p=foo"), "fault", "so it is not applied"),
    "bad p with rua": (policy("v=DMARC1; p=foo; rua=mailto:d@acme.example"), "fault", "so it counts as p=none"),
    "bad sp": (policy("v=DMARC1; p=reject; sp=bad"), "fault", "some receivers apply p=reject all the same"),
    "no MX": (GOOD[1:], "concern", "the domain takes no mail"),
    "no answer": ([*GOOD[:2], "_dmarc IN CNAME _dmarc.nobody.invalid."], "fault", "cannot be looked up"),
}


@pytest.mark.parametrize(("records", "level", "words"), FINDINGS.values(), ids=FINDINGS.keys())
def test_what_is_wrong_is_found_with_its_rule_and_next_step(
    tmp_path: Path, records: list[str], level: str, words: str
) -> None:
    result = look(tmp_path, records)
    matching = [one for one in result["domains"][0]["findings"] if words in one["rule"]]
    assert matching and all(one["level"] == level and one["source"] and one["next_step"] for one in matching), findings(
        result
    )
    assert result["summary"][f"{level}s"] >= 1


ODD_POLICIES = {
    "v=DMARC1; P=reject": "reject",
    "v=DMARC1; p=none; p=reject": None,
    "v=DMARC1; p=foo": None,
    "v=DMARC1; p=foo; rua=mailto:d@acme.example": "none",
    "v=DMARC1; p=reject; sp=bad": None,
    "v=DMARC1; p=reject; sp=bad; rua=mailto:d@acme.example": "none",
    "v=DMARC1; p=reject; SP=BAD; rua=d@acme.example": None,
    "v=DMARC1;; p=reject; oops": "reject",
    "v=DMARC1; rua=mailto:d@acme.example": "none",
    "v=DMARC1 p=reject": None,
    " v=DMARC1; p=reject": None,
}


@pytest.mark.parametrize(("record", "found"), ODD_POLICIES.items())
def test_audit_and_verdict_read_the_same_policy(tmp_path: Path, record: str, found: str | None) -> None:
    ZoneFolder(tmp_path, {"example": zone_text("example")})
    result = look(tmp_path, policy(record), senders=[{"from": "erp@acme.example"}])
    (domain,), (verdict,) = result["domains"], result["verdicts"]
    assert (domain["dmarc"]["policy"], verdict["dmarc"]["policy"]) == (found, found)
    faulty = [one for one in domain["findings"] if one["record"] == "DMARC record" and one["level"] == "fault"]
    assert bool(faulty) is (found is None or "foo" in record or "bad" in record)


def test_reports_that_do_not_go_by_mail_need_no_agreement(tmp_path: Path) -> None:
    (found,) = look(tmp_path, policy("v=DMARC1; p=reject; rua=https://r.elsewhere.example/d"))["domains"]
    assert found["dmarc"]["reports"] == []


OWN_STANDARD = {
    "SPF record": ("unseen.invalid", "RFC 7208 section 2.6.6"),
    "DMARC record": ("unseen.invalid", "RFC 9989 section 5.3.6"),
    "MX records": ("unseen.invalid", "RFC 5321 section 5.1"),
    "DKIM key": ("unseen.invalid", "RFC 6376 section 6.1.2"),
    "report authorisation": ("acme.example", "RFC 9990 section 4"),
}


@pytest.mark.parametrize("record", OWN_STANDARD)
def test_what_cannot_be_looked_up_is_explained_by_its_own_standard(tmp_path: Path, record: str) -> None:
    name, source = OWN_STANDARD[record]
    records = policy("v=DMARC1; p=reject; rua=mailto:d@unseen.invalid")
    result = look(tmp_path, records, {"domain": name, "selectors": ["s1"]})
    told = [one for one in result["domains"][0]["findings"] if "cannot be looked up, so that" in one["rule"]]
    assert [one["source"] for one in told if one["record"] == record] == [source]


def test_a_sibling_of_one_organisation_need_not_agree(tmp_path: Path) -> None:
    ZoneFolder(tmp_path, {"example": zone_text("example")})
    records = [*GOOD, '_dmarc.shop IN TXT "v=DMARC1; p=reject; rua=mailto:d@reports.acme.example"']
    assert not [line for line in findings(look(tmp_path, records, "shop.acme.example")) if "agreed" in line]
    assert [line for line in findings(look(tmp_path, [*GOOD[:2], records[3]], "shop.acme.example")) if "agreed" in line]


UNANSWERED = ["gone IN CNAME x.nobody.invalid.", "_dmarc.gone IN CNAME x.nobody.invalid."]


def test_what_cannot_be_looked_up_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """Who followed the advice to publish a record would make a second one."""
    records = [*UNANSWERED, "s1._domainkey.gone IN CNAME x.nobody.invalid."]
    result = look(tmp_path, records, {"domain": "gone.acme.example", "selectors": ["s1"]})
    (found,) = result["domains"]
    told = {one["record"]: one for one in found["findings"]}
    assert set(told) == {"SPF record", "DMARC record", "DKIM key", "MX records"} and len(found["findings"]) == 4
    for one in told.values():
        assert one["level"] == "fault" and "cannot be looked up" in one["rule"] and "nobody.invalid" in one["rule"]
        assert "none" not in one["rule"] and "ublish" not in one["next_step"]
    assert (found["spf"]["records"], found["dmarc"]["records"], found["mx"]) == (None, None, None)
    assert found["dkim"][0]["usable"] is None


def test_whether_somebody_else_manages_a_record_is_not_denied_when_it_cannot_be_looked_up() -> None:
    """A server that answers for TXT only, as some load balancers do."""

    def lookup(name: str, rdtype: str) -> tuple[str, ...]:
        if rdtype in ("CNAME", "NS"):
            raise Unresolved(f"{name} {rdtype}: SERVFAIL")
        return ()

    found = audit("acme.example", ["s1"], World(lookup, BudgetCounter(lookup), lambda _name: True))
    doubts = [one for one in found.findings if "whether somebody else manages it cannot be looked up" in one.rule]
    assert [(one.level, one.record) for one in doubts] == [
        *[("concern", "DMARC record")] * 2,
        ("concern", "DKIM key"),
    ]


TREES = {
    "an include that does not answer": (
        "include:gone.example",
        "Look again when that name can be looked up, or",
    ),
    "an include of two records": ("include:two.example", "Have whoever publishes that record correct it, or remove"),
    "a loop": ("include:acme.example", "Have whoever publishes that record correct it, or remove include:acme.example"),
    "nothing found": ("a:x1.example a:x2.example a:x3.example", "Remove terms that find nothing (a:x1.example, a:x2"),
    "many terms": (
        " ".join(f"exists:e{number}.two.example" for number in range(11)),
        "Remove terms that no longer send",
    ),
}


@pytest.mark.parametrize("case", TREES)
def test_what_helps_depends_on_what_is_wrong_with_an_spf_tree(case: str) -> None:
    terms, way = TREES[case]

    def lookup(name: str, rdtype: str) -> tuple[str, ...]:
        if name == "gone.example":
            raise Unresolved("SERVFAIL")
        if name.endswith("two.example") and rdtype == "A":
            return ("192.0.2.1",)
        texts = {"acme.example": (f"v=spf1 {terms} -all",), "two.example": ("v=spf1 -all", "v=spf1 mx -all")}
        return texts.get(name, ()) if rdtype == "TXT" else ()

    found = audit("acme.example", [], World(lookup, BudgetCounter(lookup), lambda _name: True)).findings
    steps = [finding.next_step for finding in found if finding.record == "SPF record" and finding.level == "fault"]
    assert steps and all(step.startswith(way) for step in steps), steps
    assert not any("(spf" in step or "flatten" in step for step in steps) or case == "many terms"


def test_a_report_address_is_not_called_foreign_when_that_cannot_be_looked_up(tmp_path: Path) -> None:
    policy = '_dmarc.shop IN TXT "v=DMARC1; p=reject; rua=mailto:d@reports.acme.example"'
    records = [*GOOD[:2], policy, "_dmarc IN CNAME x.nobody.invalid."]
    (found,) = look(tmp_path, records, "shop.acme.example")["domains"]
    (agreement,) = [one for one in found["findings"] if one["record"] == "report authorisation"]
    assert (agreement["level"], agreement["next_step"][:4]) == ("concern", "See ")
    assert "whether it is of the same organisation" in agreement["rule"]


# An RSA key of 512 bits, smaller than the library would make one: 64 bytes of modulus.
SHORT = base64.b64encode(
    bytes.fromhex("305c300d06092a864886f70d0101010500034b00304802410080") + b"\x01" * 63 + bytes.fromhex("0203010001")
).decode()


PKCS1 = base64.b64encode(
    rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
).decode()


def weak_selector() -> str:
    return f's1._domainkey IN TXT "v=DKIM1; p={new_public_key(1024)}"'


SELECTORS: dict[str, tuple[str, str, str]] = {
    "no key": ("x IN A 192.0.2.1", "fault", "there is no key"),
    "revoked": ('s1._domainkey IN TXT "v=DKIM1; p="', "fault", "revoked"),
    "two keys": (f"{weak_selector()}\n{weak_selector()}", "fault", "2 TXT records"),
    "a key and more": (f'{weak_selector()}\ns1._domainkey IN TXT "hello"', "fault", "2 TXT records"),
    "short": (f's1._domainkey IN TXT "v=DKIM1; p={SHORT}"', "fault", "512 bits"),
    "quotes": ('s1._domainkey IN TXT "\\"v=DKIM1; p=\\""', "fault", "quotes are a part of it"),
    "ed25519 alone": (f's1._domainkey IN TXT "{ED25519_RECORD}"', "concern", "there is no RSA key beside it"),
    "testing": (weak_selector().replace("v=DKIM1;", "v=DKIM1; t=y;"), "concern", "DKIM is being tested"),
    "strict": (weak_selector().replace("v=DKIM1;", "v=DKIM1; t=s;"), "concern", "an i= below d= it fails"),
    "PKCS#1": (f's1._domainkey IN TXT "v=DKIM1; p={PKCS1[:200]}" "{PKCS1[200:]}"', "concern", "form of PKCS#1"),
    "not long": (weak_selector(), "concern", "2048 are advised"),
}


@pytest.mark.parametrize(("record", "level", "words"), SELECTORS.values(), ids=SELECTORS.keys())
def test_the_keys_of_selectors_are_judged(tmp_path: Path, record: str, level: str, words: str) -> None:
    result = look(tmp_path, [*GOOD, record], {"domain": "acme.example", "selectors": ["s1"]})
    assert any(line.startswith(f"{level} DKIM key") and words in line for line in findings(result)), findings(result)
    (selector,) = result["domains"][0]["dkim"]
    assert selector["name"] == "s1._domainkey.acme.example"
    assert selector["usable"] is (level == "concern")


def test_the_selectors_of_senders_are_looked_at_too(tmp_path: Path) -> None:
    sender = {"from": "erp@acme.example", "dkim": {"domain": "acme.example", "selectors": ["s9"]}}
    result = look(tmp_path, GOOD, senders=[sender])
    assert [one["selector"] for one in result["domains"][0]["dkim"]] == ["s9"]
    assert result["summary"]["senders"]["unknown"] + result["summary"]["senders"]["fail"] == 1


@pytest.mark.parametrize(
    ("record", "holder"),
    [
        ("_dmarc IN CNAME policy.elsewhere.example.", "the alias target policy.elsewhere.example"),
        ("_dmarc IN NS ns1.acme.example.", "zone _dmarc.acme.example"),
    ],
    ids=["alias", "delegated"],
)
def test_a_policy_that_is_managed_elsewhere_is_told(tmp_path: Path, record: str, holder: str) -> None:
    if holder.startswith("zone"):
        ZoneFolder(tmp_path, {"_dmarc.acme.example": zone_text("_dmarc.acme.example")})
    assert look(tmp_path, [*GOOD[:2], record])["domains"][0]["dmarc"]["managed_elsewhere"] == holder


def test_planned_records_are_answered_instead_of_live_ones(tmp_path: Path) -> None:
    planned = [
        {"name": "acme.example", "type": "TXT", "values": ["v=spf1 +all"]},
        {"name": "_dmarc.acme.example", "type": "TXT", "values": []},
    ]
    (found,) = look(tmp_path, GOOD, planned=planned)["domains"]
    assert found["spf"]["record"] == "v=spf1 +all"
    assert found["dmarc"]["records"] == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"domains": ["acme"]}, "at least two labels"),
    "no entry": ({"domains": [{"selectors": []}]}, "a name, or a dictionary"),
    "a stranger's key": ({"domains": [{"domain": "acme.example", "selector": "s1"}]}, "a name, or a dictionary"),
    "bad selector": ({"domains": [{"domain": "acme.example", "selectors": ["a b"]}]}, "a selector is made of"),
    "bad sender": ({"senders": [{"from": "nobody"}]}, "name@domain"),
    "bad plan": ({"planned": [{"name": "acme", "type": "TXT", "values": []}]}, "at least two labels"),
}


@pytest.mark.parametrize(("params", "words"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input_is_refused(params: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        inform(params)


def test_the_tree_of_an_spf_record_and_the_digest_of_a_key_are_told(tmp_path: Path) -> None:
    key = new_public_key(2048)
    records = [
        '@ IN TXT "v=spf1 include:inner.acme.example -all"',
        'inner IN TXT "v=spf1 a:ns1.acme.example -all"',
        f's0._domainkey IN TXT "v=DKIM1; p={key[:200]}" "{key[200:]}"',
        f's1._domainkey IN TXT "v=DKIM1; k=rsa; p={key[:150]}" "{key[150:]}"',
    ]
    (found,) = look(tmp_path, records, {"domain": "acme.example", "selectors": ["s0", "s1", "s2"]})["domains"]
    inner = {"domain": "inner.acme.example", "terms": [{"term": "a:ns1.acme.example", "lookups": 1, "tree": None}]}
    assert found["spf"]["tree"]["terms"] == [{"term": "include:inner.acme.example", "lookups": 2, "tree": inner}]
    first, second, missing = found["dkim"]
    assert first["digest"] == second["digest"] and len(first["digest"]) == 12 and first["fault"] is None
    assert (missing["digest"], missing["fault"]) == (None, "missing")


def test_only_a_look_up_that_failed_is_unanswered(tmp_path: Path) -> None:
    answered = look(tmp_path, GOOD[:1])["domains"][0]["findings"]
    assert answered and not any(one["unanswered"] for one in answered)
    (elsewhere,) = look(tmp_path, GOOD, "unknown.test")["domains"]
    assert elsewhere["findings"] and all(one["unanswered"] for one in elsewhere["findings"])
    broken = look(tmp_path, spf("v=spf1 include:unknown.test -all"))["domains"][0]["findings"]
    assert [one["unanswered"] for one in broken] == [True]

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A systematic set of senders whose mail does not pass: every kind of cause, with every kind of server that sends."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender, Signature
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD, new_public_key
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.step_follower import StepWorld

AUTHOR = "acme.example"
OWN = (AUTHOR, "b.acme.example", "bounces.acme.example")
GOOD = f"v=DKIM1; k=rsa; p={new_public_key(2048)}"
# An RSA key of 512 bits in DER, which nothing makes any more: a sequence of the modulus and the exponent, wrapped.
_WEAK_DER = bytes.fromhex("305c300d06092a864886f70d0101010500034b003048024100" + "c3" * 64 + "0203010001")
_WEAK_DATA = base64.b64encode(_WEAK_DER).decode()
WEAK = f"v=DKIM1; k=rsa; p={_WEAK_DATA}"
UNSIGNED = Signature(AUTHOR, ())

SOURCES: dict[str, tuple[str, ...] | None] = {
    "an IPv4 address": ("192.0.2.10",),
    "an IPv6 address": ("2001:db8::10",),
    "two addresses": ("192.0.2.10", "203.0.113.7"),
    "a network": ("192.0.2.0/28",),
    "a service": ("include:spf.service.example",),
    "nobody knows": None,
}

_ELEVEN = " ".join(f"a:h{number}.acme.example" for number in range(11))
_MANY = {f"n{number}.big.example": ("v=spf1 ip4:198.51.100.99 -all",) for number in range(11)}
_BIG = "v=spf1 " + " ".join(f"include:{name}" for name in _MANY) + " -all"
_GONE = "a:g1.acme.example a:g2.acme.example a:g3.acme.example a:g4.acme.example"

# cause: the records of the domain, more TXT records, and the names that do not answer
CAUSES: dict[str, tuple[tuple[str, ...], Mapping[str, tuple[str, ...]], set[str]]] = {
    "no record": ((), {}, set()),
    "nearly a record": (("v=spf1;mx -all",), {}, set()),
    "a record in quotes": (('"v=spf1 mx -all"',), {}, set()),
    "fail by all": (("v=spf1 ip4:203.0.113.99 -all",), {}, set()),
    "softfail by all": (("v=spf1 ip4:203.0.113.99 ~all",), {}, set()),
    "neutral by all": (("v=spf1 ip4:203.0.113.99 ?all",), {}, set()),
    "no term matches": (("v=spf1 ip4:203.0.113.99",), {}, set()),
    "fail by a redirect": (("v=spf1 redirect=_spf.acme.example",), {"_spf.acme.example": ("v=spf1 -all",)}, set()),
    "fail by a foreign redirect": (("v=spf1 redirect=x.example",), {"x.example": ("v=spf1 ~all",)}, set()),
    "an earlier term denies": (
        ("v=spf1 -ip4:192.0.2.0/24 -ip4:198.51.100.0/24 -ip6:2001:db8::/32 -ip4:203.0.113.0/24 mx -all",),
        {},
        set(),
    ),
    "an earlier term is neutral": (("v=spf1 ?exists:h0.acme.example ~all",), {}, set()),
    "an earlier include denies": (
        ("v=spf1 -include:x.example -all",),
        {"x.example": ("v=spf1 +all",)},
        set(),
    ),
    "two records": (("v=spf1 mx -all", "v=spf1 a ~all"), {}, set()),
    "two records at an include of its own": (
        ("v=spf1 include:_spf.acme.example -all",),
        {"_spf.acme.example": ("v=spf1 mx -all", "v=spf1 a -all")},
        set(),
    ),
    "two records at an include": (
        ("v=spf1 include:x.example -all",),
        {"x.example": ("v=spf1 mx -all", "v=spf1 a -all")},
        set(),
    ),
    "two records deep inside": (
        ("v=spf1 include:y.example -all",),
        {"y.example": ("v=spf1 include:x.example -all",), "x.example": ("v=spf1 mx -all", "v=spf1 a -all")},
        set(),
    ),
    "two records at a redirect": (
        ("v=spf1 redirect=x.example",),
        {"x.example": ("v=spf1 mx -all", "v=spf1 a -all")},
        set(),
    ),
    "a syntax error": (("v=spf1 ipv4:192.0.2.10 -all",), {}, set()),
    "two syntax errors": (("v=spf1 ipv4:192.0.2.10 a:-all include -all",), {}, set()),
    "two redirects": (("v=spf1 redirect=x.example redirect=y.example",), {"x.example": ("v=spf1 -all",)}, set()),
    "a tab": (("v=spf1 ip4:203.0.113.99\t-all",), {}, set()),
    "a syntax error at an include": (
        ("v=spf1 include:x.example -all",),
        {"x.example": ("v=spf1 ip4:192.0.2.300 -all",)},
        set(),
    ),
    "a syntax error at a redirect": (("v=spf1 redirect=x.example",), {"x.example": ("v=spf1 foo -all",)}, set()),
    "an include of nothing": (("v=spf1 include:x.example -all",), {}, set()),
    "a redirect to nothing": (("v=spf1 mx redirect=x.example",), {}, set()),
    "an include of nothing inside another": (
        ("v=spf1 include:y.example -all",),
        {"y.example": ("v=spf1 include:x.example -all",)},
        set(),
    ),
    "an include of itself": (("v=spf1 include:acme.example -all",), {}, set()),
    "a loop": (
        ("v=spf1 include:_spf.acme.example -all",),
        {"_spf.acme.example": ("v=spf1 include:acme.example -all",)},
        set(),
    ),
    "a loop of others": (
        ("v=spf1 include:x.example -all",),
        {"x.example": ("v=spf1 include:y.example -all",), "y.example": ("v=spf1 include:x.example -all",)},
        set(),
    ),
    "a loop of redirects": (
        ("v=spf1 redirect=_spf.acme.example",),
        {"_spf.acme.example": ("v=spf1 redirect=acme.example",)},
        set(),
    ),
    "eleven terms": ((f"v=spf1 {_ELEVEN} -all",), {}, set()),
    "a great include": (("v=spf1 mx include:big.example -all",), {"big.example": (_BIG,), **_MANY}, set()),
    "eleven terms behind a redirect": (
        ("v=spf1 redirect=_spf.acme.example",),
        {"_spf.acme.example": (f"v=spf1 {_ELEVEN} -all",)},
        set(),
    ),
    "eleven questions": (
        ("v=spf1 " + " ".join(f"-exists:h{number}.{number}.example" for number in range(2)) + f" {_ELEVEN} ~all",),
        {},
        set(),
    ),
    "void terms": ((f"v=spf1 {_GONE} -all",), {}, set()),
    "void terms of an include": (
        ("v=spf1 include:x.example a:g5.acme.example -all",),
        {"x.example": (f"v=spf1 {_GONE} -all",)},
        set(),
    ),
    "void questions": (("v=spf1 exists:e1.example exists:e2.example mx:e3.example -all",), {}, set()),
    "void terms behind a redirect": (("v=spf1 redirect=x.example",), {"x.example": (f"v=spf1 {_GONE} -all",)}, set()),
    "one void term more than allowed, and of a message": (
        ("v=spf1 exists:%{i}.e1.example a:g1.acme.example a:g2.acme.example -all",),
        {},
        set(),
    ),
    "an include by a macro of the domain": (("v=spf1 include:%{d2}.x.example -all",), {}, set()),
    "a great include by a macro": (
        ("v=spf1 include:%{d1}.big.example mx -all",),
        {"example.big.example": (_BIG,), **_MANY},
        set(),
    ),
    "terms void for one family": (
        ("v=spf1 a:four1.example a:four2.example a:four3.example a:six1.example a:six2.example a:six3.example -all",),
        {},
        set(),
    ),
    "too many hosts": (("v=spf1 mx:crowd.example -all",), {}, set()),
    "too many hosts of an include": (
        ("v=spf1 include:x.example -all",),
        {"x.example": ("v=spf1 mx:crowd.example -all",)},
        set(),
    ),
    "the record does not answer": (("v=spf1 -all",), {}, {AUTHOR}),
    "an include does not answer": (("v=spf1 include:x.example -all",), {}, {"x.example"}),
    "an include inside another does not answer": (
        ("v=spf1 include:y.example -all",),
        {"y.example": ("v=spf1 include:x.example -all",)},
        {"x.example"},
    ),
    "a host does not answer": (("v=spf1 a:x.example -all",), {}, {"x.example"}),
    "a redirect does not answer": (("v=spf1 redirect=x.example",), {}, {"x.example"}),
}

_OTHERS: dict[tuple[str, str], tuple[str, ...]] = {
    **{(f"h{number}.acme.example", "A"): ("203.0.113.50",) for number in range(11)},
    **{(f"h{number}.acme.example", "AAAA"): ("2001:db8:5::50",) for number in range(11)},
    **{(f"four{number}.example", "A"): ("203.0.113.51",) for number in (1, 2, 3)},
    **{(f"six{number}.example", "AAAA"): ("2001:db8:5::51",) for number in (1, 2, 3)},
    ("h0.0.example", "A"): (),
    ("acme.example", "MX"): ("mail.acme.example",),
    ("x.example", "MX"): ("mail.acme.example",),
    ("acme.example", "A"): ("203.0.113.53",),
    ("acme.example", "AAAA"): ("2001:db8:5::53",),
    ("x.example", "A"): ("203.0.113.53",),
    ("x.example", "AAAA"): ("2001:db8:5::53",),
    ("mail.acme.example", "A"): ("203.0.113.52",),
    ("mail.acme.example", "AAAA"): ("2001:db8:5::52",),
    ("crowd.example", "MX"): tuple(f"h{number}.acme.example" for number in range(11)),
}

_REVOKED = "v=DKIM1; k=rsa; p="
# cause: what stands at the selector, and what the service gives at the moment
KEYS: dict[str, tuple[tuple[str, ...], str]] = {
    "no key": ((), GOOD),
    "two keys": ((GOOD, ED25519_RECORD), GOOD),
    "a key and another record": ((GOOD, "google-site-verification=abc"), GOOD),
    "a key in quotes": ((f'"{GOOD}"',), GOOD),
    "no key record": (("oops",), GOOD),
    "a record without p": (("v=DKIM1; k=rsa",), GOOD),
    "v= behind": ((f"k=rsa; v=DKIM1; p={GOOD.rpartition('=')[2]}",), GOOD),
    "a revoked key": ((_REVOKED,), _REVOKED),
    "no base64": (("v=DKIM1; k=rsa; p=***",), GOOD),
    "cut off": ((GOOD[:120],), GOOD),
    "an unknown algorithm": ((f"v=DKIM1; k=dsa; p={_WEAK_DATA}",), f"v=DKIM1; k=dsa; p={_WEAK_DATA}"),
    "h=sha1": ((GOOD.replace("k=rsa", "h=sha1; k=rsa"),), GOOD),
    "s=tlsrpt": ((GOOD.replace("k=rsa", "s=tlsrpt; k=rsa"),), GOOD),
    "both": ((GOOD.replace("k=rsa", "h=sha1; s=tlsrpt; k=rsa"),), GOOD),
    "512 bits": ((WEAK,), WEAK),
}
POLICIES = {
    "reject": "v=DMARC1; p=reject",
    "quarantine": "v=DMARC1; p=quarantine; rua=mailto:d@acme.example",
    "none": "v=DMARC1; p=none",
    "strict": "v=DMARC1; p=reject; adkim=s; aspf=s",
}


def failing_senders() -> Iterator[tuple[str, StepWorld]]:
    """All of them, each with a name."""
    yield from _by_spf()
    yield from _by_dkim()
    yield from _by_alignment()
    yield from _by_what_is_not_known()


def _sender(sources: tuple[str, ...] | None, envelope: str = AUTHOR, signature: Signature | None = UNSIGNED) -> Sender:
    return Sender(f"erp@{AUTHOR}", AUTHOR, envelope, f"bounce@{envelope}", sources, signature)


def _world(sender: Sender, txt: Mapping[str, tuple[str, ...]], policy: str | None = POLICIES["reject"]) -> StepWorld:
    policies = {} if policy is None else {f"_dmarc.{AUTHOR}": (policy,)}
    service = {"spf.service.example": ("v=spf1 ip4:198.51.100.0/28 -all",)}
    bounces = {"service.example": ("v=spf1 ip4:192.0.2.10 -all",), "b.acme.example": ("v=spf1 ip4:192.0.2.10 -all",)}
    return StepWorld(sender, {**policies, **service, **bounces, **txt}, dict(_OTHERS), given=GOOD, good=GOOD)


def _by_spf() -> Iterator[tuple[str, StepWorld]]:
    for cause, (records, more, failing) in CAUSES.items():
        for kind, sources in SOURCES.items():
            world = _world(_sender(sources), {AUTHOR: records, **more})
            world.failing = set(failing)
            yield f"{cause}, {kind}", world


def _by_dkim() -> Iterator[tuple[str, StepWorld]]:
    for policy, record in POLICIES.items():
        for cause, (values, given) in KEYS.items():
            for other in (None, "no key", "512 bits", "good"):
                selectors = ("s1",) if other is None else ("s1", "s2")
                sender = _sender(("192.0.2.99",), "service.example", Signature(AUTHOR, selectors))
                second = (GOOD,) if other == "good" else KEYS[other or "no key"][0]
                txt = {f"s1._domainkey.{AUTHOR}": values, f"s2._domainkey.{AUTHOR}": second if other else ()}
                world = _world(sender, txt, record)
                world.given = WEAK if other == "512 bits" else given
                if policy == "reject" or other is None:
                    yield f"{cause}, {policy}, beside {other}", world
            aliased = _world(_sender(("192.0.2.99",), "service.example", Signature(AUTHOR, ("s1",))), {}, record)
            aliased.others[f"s1._domainkey.{AUTHOR}", "CNAME"] = ("k1.service.example",)
            aliased.txt["k1.service.example"] = values
            yield f"{cause}, {policy}, by a CNAME", aliased


def _by_alignment() -> Iterator[tuple[str, StepWorld]]:
    for policy, record in [*POLICIES.items(), ("no policy", None)]:
        for envelope in ("service.example", "b.acme.example", ""):
            for signing in ("service.example", "b.acme.example", None):
                for source in ("192.0.2.10", "192.0.2.99"):
                    signature = UNSIGNED if signing is None else Signature(signing, ("s1",))
                    sender = _sender((source,), envelope or "service.example", signature)
                    if not envelope:
                        sender = replace(sender, envelope_from="", helo="service.example")
                    txt = {f"s1._domainkey.{signing}": (GOOD,)}
                    yield f"{envelope or 'null sender'}, {signing}, {policy}, {source}", _world(sender, txt, record)


def _by_what_is_not_known() -> Iterator[tuple[str, StepWorld]]:
    passing = {AUTHOR: ("v=spf1 ip4:192.0.2.10 -all",)}
    yield "no servers", _world(_sender(None), passing)
    yield "no bounces", _world(replace(_sender(("192.0.2.10",)), envelope_domain=None, envelope_from=None), passing)
    yield "no signature", _world(_sender(("192.0.2.99",), signature=None), passing)
    unknown = replace(_sender(("192.0.2.10",)), envelope_from=None)
    yield "no local part", _world(unknown, {AUTHOR: ("v=spf1 exists:%{l}.h0.acme.example ip4:192.0.2.10 -all",)})
    policy = _world(_sender(("192.0.2.10",)), passing)
    policy.failing = {f"_dmarc.{AUTHOR}"}
    yield "the policy does not answer", policy
    key = _world(_sender(("192.0.2.99",), "service.example", Signature(AUTHOR, ("s1",))), {})
    key.failing = {f"s1._domainkey.{AUTHOR}"}
    yield "the key does not answer", key

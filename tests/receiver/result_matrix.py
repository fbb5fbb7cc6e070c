# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every pair of results of SPF and DKIM under every policy, for names that are not aligned, and rarer cases."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome, Signing, domain_entry
from ansible_collections.mailroom.erp.tests.receiver.keys import key_line, public_base64
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED, LOOKUPS, MAILER, STRANGER
from ansible_collections.mailroom.erp.tests.receiver.world import BROKEN_ZONE

OWN_SPF: dict[str, Any] = {"terms": [f"ip4:{LISTED}"], "all": "-all"}
OWN_KEY: list[dict[str, Any]] = [{"selector": "s1", "public_key": public_base64("service")}]

_MANY = {
    "terms": [f"include:l{number}.many.example" for number in range(LOOKUPS)],
    "all": "-all",
    "lookup_limit": "warn",
}

# SPF, DKIM, what DMARC makes of them (RFC 7489 section 6.6.2, both identifiers aligned).
_PAIRS = (
    ("pass", "pass", "pass"),
    ("pass", "fail", "pass"),
    ("pass", "none", "pass"),
    ("fail", "pass", "pass"),
    ("fail", "fail", "fail"),
    ("fail", "none", "fail"),
    ("permerror", "pass", "pass"),
    ("permerror", "fail", "fail"),
    ("permerror", "none", "fail"),
)
# SPF and DKIM of the mailing service's domain or of one's own, and what DMARC makes of them.
_IDENTIFIERS = (
    ("spf_of_another", "mailer.example", None, "fail"),
    ("dkim_of_another", None, "mailer.example", "fail"),
    ("both_of_another", "mailer.example", "mailer.example", "fail"),
    ("own_dkim_beside_spf_of_another", "mailer.example", "own", "pass"),
)


def aligned() -> list[Case]:
    """27 cases: every pair of results under every policy."""
    return [_pair(spf, dkim, dmarc, asked) for spf, dkim, dmarc in _PAIRS for asked in ("none", "quarantine", "reject")]


def _pair(spf: str, dkim: str, dmarc: str, asked: str) -> Case:
    name = f"spf_{spf}_dkim_{dkim}_{asked}"
    domain = f"{name.replace('_', '-')}.example"
    entry: dict[str, Any] = domain_entry(domain, asked, spf=_MANY if spf == "permerror" else OWN_SPF)
    if dkim == "pass":
        entry["dkim"] = OWN_KEY
    return Case(
        name,
        f"aligned SPF {spf}, DKIM {dkim} ({'key missing' if dkim == 'fail' else 'RFC 6376'}), p={asked}",
        f"factuur@{domain}",
        LISTED if spf == "pass" else STRANGER,
        Outcome(spf, dkim, dmarc, "none" if dmarc == "pass" else asked),
        (entry,),
        signing=None if dkim == "none" else Signing(domain),
    )


def unaligned() -> list[Case]:
    """What passes, but for another domain than that of the header From, does not count (RFC 7489 section 3.1)."""
    return [_other(*row, asked=asked) for row in _IDENTIFIERS for asked in ("quarantine", "reject")]


def _other(name: str, bounces: str | None, signs: str | None, dmarc: str, *, asked: str) -> Case:
    name = f"{name}_{asked}"
    domain = f"{name.replace('_', '-')}.example"
    entry: dict[str, Any] = domain_entry(domain, asked, spf=OWN_SPF)
    if signs == "own":
        entry["dkim"] = OWN_KEY
    disposition = "none" if dmarc == "pass" else asked
    return Case(
        name,
        f"SPF for {bounces or 'the own domain, which does not list the server'}, signed by {signs or 'nobody'}",
        f"factuur@{domain}",
        MAILER,
        Outcome("pass" if bounces else "fail", "pass" if signs else "none", dmarc, disposition),
        (entry,),
        envelope=f"bounce-1@{bounces}" if bounces else "",
        signing=Signing(domain if signs == "own" else signs) if signs else None,
    )


def rarer() -> list[Case]:
    """Other results of SPF, other faults of a signature, and records that are not as they should be."""
    return [
        Case(
            "spf_softfail",
            "~all: softfail is no pass (RFC 7208 section 8.5)",
            "factuur@softfail.example",
            STRANGER,
            Outcome("softfail", "none", "fail", "reject"),
            (domain_entry("softfail.example", "reject", spf={**OWN_SPF, "all": "~all"}),),
        ),
        Case(
            "spf_neutral",
            "?all: neutral is no pass (RFC 7208 section 8.2)",
            "factuur@neutral.example",
            STRANGER,
            Outcome("neutral", "none", "fail", "reject"),
            (domain_entry("neutral.example", "reject", spf={**OWN_SPF, "all": "?all"}),),
        ),
        Case(
            "spf_none",
            "no SPF record at all",
            "factuur@nospf.example",
            LISTED,
            Outcome("none", "none", "fail", "quarantine"),
            (domain_entry("nospf.example", "quarantine"),),
        ),
        Case(
            "spf_two_records",
            "two SPF records are a permerror, although both list the server (RFC 7208 section 4.5)",
            "factuur@tworecords.example",
            LISTED,
            Outcome("permerror", "none", "fail", "reject"),
            (domain_entry("tworecords.example", "reject"),),
            {"tworecords.example": (f'@ TXT "v=spf1 ip4:{LISTED} -all"', f'@ TXT "v=spf1 mx ip4:{LISTED} ~all"')},
        ),
        Case(
            "spf_dead_include",
            "an include of a name without SPF record is a permerror (RFC 7208 section 5.2)",
            "factuur@deadinclude.example",
            STRANGER,
            Outcome("permerror", "none", "fail", "reject"),
            (domain_entry("deadinclude.example", "reject"),),
            {"deadinclude.example": ('@ TXT "v=spf1 include:spf.gone.example -all"',)},
        ),
        Case(
            "spf_temperror",
            "an include whose zone answers SERVFAIL (RFC 7208 section 2.6.6)",
            "factuur@temperror.example",
            STRANGER,
            Outcome("temperror", "none", "fail", "reject"),
            (domain_entry("temperror.example", "reject"),),
            {"temperror.example": (f'@ TXT "v=spf1 include:{BROKEN_ZONE} -all"',)},
            verdict=Outcome("temperror", "none", "unknown", "unknown"),
            label="a temperror may pass the next time, so the verdict is unknown; OpenDMARC decides at once (RFC 7489"
            " section 6.6.2 leaves that to the receiver)",
        ),
        Case(
            "spf_temperror_dkim_pass",
            "the same, and a signature that passes",
            "factuur@temperrorsigned.example",
            STRANGER,
            Outcome("temperror", "pass", "pass", "none"),
            (domain_entry("temperrorsigned.example", "reject", dkim=OWN_KEY),),
            {"temperrorsigned.example": (f'@ TXT "v=spf1 include:{BROKEN_ZONE} -all"',)},
            signing=Signing("temperrorsigned.example"),
        ),
        Case(
            "dkim_altered",
            "the text changed on its way: the signature is broken (RFC 6376 section 3.9)",
            "factuur@altered.example",
            STRANGER,
            Outcome("fail", "fail", "fail", "reject"),
            (domain_entry("altered.example", "reject", spf=OWN_SPF, dkim=OWN_KEY),),
            signing=Signing("altered.example", altered=True),
            verdict=Outcome("fail", "pass", "pass", "none"),
            label="the verdict judges keys and records; what happens to one message on its way nobody can know before",
        ),
        Case(
            "dkim_other_key",
            "the service signs with another key than the one published",
            "factuur@otherkey.example",
            STRANGER,
            Outcome("fail", "fail", "fail", "reject"),
            (domain_entry("otherkey.example", "reject", spf=OWN_SPF, dkim=OWN_KEY),),
            signing=Signing("otherkey.example", key="other"),
            verdict=Outcome("fail", "pass", "pass", "none"),
            label="the DNS holds a usable key; which private key the service has cannot be known from outside",
        ),
        Case(
            "dkim_revoked",
            "an empty p= revokes the key (RFC 6376 section 3.6.1)",
            "factuur@revoked.example",
            STRANGER,
            Outcome("fail", "fail", "fail", "quarantine"),
            (domain_entry("revoked.example", "quarantine", spf=OWN_SPF),),
            {"revoked.example": ('s1._domainkey TXT "v=DKIM1; k=rsa; p="',)},
            signing=Signing("revoked.example"),
        ),
        Case(
            "dkim_two_selectors",
            "two selectors stand ready, the second signs: a key is judged for each (RFC 6376 section 3.1)",
            "factuur@selectors.example",
            STRANGER,
            Outcome("fail", "pass", "pass", "none"),
            (
                domain_entry(
                    "selectors.example",
                    "reject",
                    spf=OWN_SPF,
                    dkim=[
                        {"selector": "s1", "public_key": public_base64("other")},
                        {"selector": "s2", "public_key": public_base64("service")},
                    ],
                ),
            ),
            signing=Signing("selectors.example", "s2"),
        ),
        Case(
            "dmarc_none_at_all",
            "no DMARC record: nothing is asked of receivers",
            "factuur@nodmarc.example",
            STRANGER,
            Outcome("fail", "none", "none", "none"),
            (domain_entry("nodmarc.example", spf=OWN_SPF),),
        ),
        Case(
            "dmarc_two_records",
            "two DMARC records are none (RFC 7489 section 6.6.3)",
            "factuur@twopolicies.example",
            STRANGER,
            Outcome("fail", "none", "fail", "reject"),
            (domain_entry("twopolicies.example", spf=OWN_SPF),),
            {"twopolicies.example": ('_dmarc TXT "v=DMARC1; p=reject"', '_dmarc TXT "v=DMARC1; p=reject; sp=none"')},
            verdict=Outcome("fail", "none", "none", "none"),
            label="OpenDMARC 1.4 takes one of the two, which the section forbids; the verdict keeps to both standards",
        ),
        Case(
            "dkim_key_there_before",
            "a key that stood there before the collection came is used as it is",
            "factuur@oldkey.example",
            STRANGER,
            Outcome("fail", "pass", "pass", "none"),
            (domain_entry("oldkey.example", "reject", spf=OWN_SPF),),
            {"oldkey.example": (key_line("s1._domainkey"),)},
            signing=Signing("oldkey.example"),
        ),
    ]

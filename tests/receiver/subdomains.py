# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Senders in subdomains: which policy holds for them, how strictly names must match (RFC 7489 sections 3.1, 6.3)."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome, Signing, domain_entry
from ansible_collections.mailroom.erp.tests.receiver.result_matrix import OWN_KEY, OWN_SPF
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED, STRANGER


def _entry(domain: str, value: str = "reject", **dmarc: Any) -> dict[str, Any]:
    return domain_entry(domain, value, spf=OWN_SPF, **dmarc)


def policies() -> list[Case]:
    """Mail that fails, sent as a subdomain."""
    return [
        Case(
            "sub_inherits",
            "without sp the subdomain has the policy of its organisation",
            "factuur@erp.inherits.example",
            STRANGER,
            Outcome("none", "none", "fail", "reject"),
            (_entry("inherits.example"),),
            {"inherits.example": ("erp A 192.0.2.10",)},
        ),
        Case(
            "sub_deep_inherits",
            "a name four labels deep too",
            "factuur@a.b.erp.deep.example",
            STRANGER,
            Outcome("none", "none", "fail", "quarantine"),
            (_entry("deep.example", "quarantine"),),
            {"deep.example": ("a.b.erp A 192.0.2.10",)},
        ),
        Case(
            "sub_milder",
            "sp=none below p=reject",
            "factuur@erp.milder.example",
            STRANGER,
            Outcome("none", "none", "fail", "none"),
            (_entry("milder.example", subdomain_policy="none"),),
            {"milder.example": ("erp A 192.0.2.10",)},
        ),
        Case(
            "sub_stricter",
            "sp=reject below p=none",
            "factuur@erp.stricter.example",
            STRANGER,
            Outcome("none", "none", "fail", "reject"),
            (_entry("stricter.example", "none", subdomain_policy="reject"),),
            {"stricter.example": ("erp A 192.0.2.10",)},
        ),
        Case(
            "sub_own_record",
            "a subdomain's own record comes before that of its organisation",
            "factuur@erp.ownrecord.example",
            STRANGER,
            Outcome("fail", "none", "fail", "quarantine"),
            (_entry("ownrecord.example"), _entry("erp.ownrecord.example", "quarantine")),
        ),
    ]


def alignment() -> list[Case]:
    """Mail whose SPF or DKIM passes for another name of the same organisation."""
    return [
        Case(
            "sub_spf_relaxed",
            "bounces to the organisation, From its subdomain: aligned unless aspf=s",
            "factuur@erp.relaxed.example",
            LISTED,
            Outcome("pass", "none", "pass", "none"),
            (_entry("relaxed.example"),),
            envelope="bounce@relaxed.example",
        ),
        Case(
            "sub_spf_strict",
            "the same with aspf=s",
            "factuur@erp.strict.example",
            LISTED,
            Outcome("pass", "none", "fail", "reject"),
            (_entry("strict.example", aspf="s"),),
            envelope="bounce@strict.example",
        ),
        Case(
            "sub_spf_upwards",
            "bounces to a subdomain, From the organisation",
            "factuur@upwards.example",
            LISTED,
            Outcome("pass", "none", "pass", "none"),
            (_entry("upwards.example"), domain_entry("bounces.upwards.example", spf=OWN_SPF)),
            envelope="bounce@bounces.upwards.example",
        ),
        Case(
            "sub_dkim_relaxed",
            "signed by the organisation, From its subdomain",
            "factuur@erp.dkimrelaxed.example",
            STRANGER,
            Outcome("none", "pass", "pass", "none"),
            ({**_entry("dkimrelaxed.example"), "dkim": OWN_KEY},),
            signing=Signing("dkimrelaxed.example"),
        ),
        Case(
            "sub_dkim_strict",
            "the same with adkim=s",
            "factuur@erp.dkimstrict.example",
            STRANGER,
            Outcome("none", "pass", "fail", "quarantine"),
            ({**_entry("dkimstrict.example", "quarantine", adkim="s"), "dkim": OWN_KEY},),
            signing=Signing("dkimstrict.example"),
        ),
        Case(
            "strict_and_exact",
            "strict alignment asks for nothing of a sender whose names are the same",
            "factuur@exactly.example",
            LISTED,
            Outcome("pass", "pass", "pass", "none"),
            ({**_entry("exactly.example", adkim="s", aspf="s"), "dkim": OWN_KEY},),
            signing=Signing("exactly.example"),
        ),
    ]

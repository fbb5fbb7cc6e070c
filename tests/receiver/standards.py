# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where RFC 9989 and RFC 7489 differ: OpenDMARC knows the old rules only, and the verdict tells the worse of both."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.receiver.case import OPENDMARC_IS_7489, Case, Outcome, domain_entry
from ansible_collections.mailroom.erp.tests.receiver.result_matrix import OWN_SPF
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED, STRANGER


def newer() -> list[Case]:
    """What only RFC 9989 knows, and what it removed."""
    return [
        Case(
            "np_reject",
            "np=reject for a subdomain that does not exist, below sp=none (RFC 9989 section 4.7)",
            "factuur@invented.np.example",
            STRANGER,
            Outcome("none", "none", "fail", "none"),
            (domain_entry("np.example", "reject", spf=OWN_SPF, subdomain_policy="none", nonexistent_policy="reject"),),
            verdict=Outcome("none", "none", "fail", "reject"),
            label=f"{OPENDMARC_IS_7489}, which has no np: sp holds for it",
        ),
        Case(
            "testing",
            "t=y asks for one step less (RFC 9989 section 4.7)",
            "factuur@testing.example",
            STRANGER,
            Outcome("fail", "none", "fail", "reject"),
            (domain_entry("testing.example", "reject", spf=OWN_SPF, testing=True),),
            label=f"{OPENDMARC_IS_7489}, which has no t, so it refuses; the verdict does not count on t either",
        ),
        Case(
            "psd_n",
            "psd=n makes a subdomain an organisation of its own (RFC 9989 section 4.10.2)",
            "factuur@daughter.mother.example",
            LISTED,
            Outcome("pass", "none", "pass", "none"),
            (
                domain_entry("mother.example", "reject", spf=OWN_SPF),
                domain_entry("daughter.mother.example", "reject", psd="n"),
            ),
            envelope="bounce@mother.example",
            verdict=Outcome("pass", "none", "fail", "reject"),
            label=f"{OPENDMARC_IS_7489}, which has no psd: by the public suffix list both names are one organisation",
        ),
        Case(
            "tree_walk",
            "a record between the sender's name and its organisation (RFC 9989 section 4.10)",
            "factuur@erp.branch.walk.example",
            STRANGER,
            Outcome("none", "none", "none", "none"),
            (domain_entry("branch.walk.example", "reject"),),
            {"walk.example": ("erp.branch A 192.0.2.10",)},
            verdict=Outcome("none", "none", "fail", "reject"),
            label=f"{OPENDMARC_IS_7489}, which looks at the sender's name and its organisation, not between",
        ),
        Case(
            "pct_0",
            "pct=0, which RFC 9989 removed",
            "factuur@sample.example",
            STRANGER,
            Outcome("fail", "none", "fail", "none"),
            (domain_entry("sample.example", "reject", spf=OWN_SPF, obsolete_tags={"pct": 0}),),
            verdict=Outcome("fail", "none", "fail", "reject"),
            label=f"{OPENDMARC_IS_7489}, which asks it to spare a share of the mail, here all of it; other receivers"
            " ignore pct, so the verdict counts the policy as full",
        ),
    ]

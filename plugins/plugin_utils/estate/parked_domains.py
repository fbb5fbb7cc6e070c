# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The domains that never send: what an inventory may say of them beside that, and what ``park_domains`` gets of it.

Source of the rules: docs/reports.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource

PARKED_KEY = "parked"
"""The key of a domain in mail_dns_domains."""

_RULES = RuleSource("docs/reports.md")
_MADE = ("spf", "dkim", "flatten", "unexplained")


def is_parked(declared: Mapping[str, Any]) -> bool:
    """Whether a domain is declared to be parked.

    :param declared: its entry in mail_dns_domains
    """
    return declared.get(PARKED_KEY) is True


def wrong_parking(name: str, declared: Mapping[str, Any]) -> list[Problem]:
    """What a declaration says that cannot be so together with ``parked``.

    :param name: the domain as A-labels
    :param declared: its entry in mail_dns_domains
    """
    value = declared.get(PARKED_KEY)
    if value is None or value is False:
        return []
    where = f"mail_dns_domains.{name}"
    if value is not True:
        rule, way_out = "it is true or false", "Write parked: true for a domain that never sends."
        return [_RULES.problem(name, f"{where}.{PARKED_KEY}", None, rule, way_out)]
    wrong = [key for key in _MADE if declared.get(key) is not None]
    wrong += ["services"] if declared.get("services") else []
    wrong += ["dmarc"] if _is_looser(declared.get("dmarc")) else []
    rule = "a parked domain never sends, and its policy is reject: this says otherwise"
    way_out = "Leave it out, or take parked away."
    return [_RULES.problem(name, f"{where}.{key}", None, rule, way_out) for key in wrong]


def _is_looser(policy: object) -> bool:
    """Whether a declared policy would be another one than reject."""
    if not isinstance(policy, Mapping):
        return False
    return (policy.get("mode", "fixed"), policy.get("policy", "reject")) != ("fixed", "reject")

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a sender fares worse after a change of records than before: what the guard and its warnings rest on."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import RESULTS

_UNCERTAIN = ("unknown", "temperror")


def worsened(before: Verdict, after: Verdict) -> list[str]:
    """Why a sender fares worse after a change, one sentence each; empty when it does not.

    What is not known on either side is not worse; :func:`doubtful` tells of it.
    """
    who = after.sender.address
    found = []
    if _spf_is_worse(before.spf.result, after.spf.result):
        found.append(f"{who}: SPF was {before.spf.result} and becomes {after.spf.result}: {after.spf.reason}")
    if before.dkim.result == "pass" and after.dkim.result == "fail":
        found.append(f"{who}: DKIM was pass and becomes fail: {after.dkim.reason}")
    if before.result == "pass" and after.result == "fail":
        found.append(f"{who}: authentication passed and becomes fail: {after.reason}")
    elif before.dmarc.result == "pass" and after.dmarc.result == "fail":
        found.append(f"{who}: DMARC was pass and becomes fail: {after.reason}")
    if before.result == after.result == "fail" and _is_stricter(before.disposition, after.disposition):
        found.append(
            f"{who}: fails, and receivers were asked for {before.disposition} and will be for {after.disposition}: "
            f"{after.dmarc.reason}"
        )
    return found


def doubtful(before: Verdict, after: Verdict) -> list[str]:
    """What can no longer be told to be as good after a change, one sentence each; empty when nothing."""
    who = after.sender.address
    found = []
    if before.result == "pass" and after.result == "unknown":
        found.append(f"{who}: authentication passed and becomes unknown: {after.reason}")
    if before.result == "unknown" and after.result == "fail":
        found.append(f"{who}: it was unknown whether it passes, and it becomes fail: {after.reason}")
    for name, old, new in (("SPF", before.spf, after.spf), ("DKIM", before.dkim, after.dkim)):
        if old.result == "pass" and new.result in _UNCERTAIN:
            found.append(f"{who}: {name} was pass and becomes {new.result}: {new.reason}")
    if after.result == "unknown" and _is_stricter(before.dmarc.policy or "none", after.dmarc.policy or "none"):
        found.append(f"{who}: whether it passes is unknown, and the policy becomes stricter: {after.dmarc.reason}")
    return found


def _spf_is_worse(before: str, after: str) -> bool:
    if before in _UNCERTAIN or after in (*_UNCERTAIN, "pass"):
        return False
    return RESULTS.index(after) > RESULTS.index(before)


def _is_stricter(before: str, after: str) -> bool:
    """Whether receivers are asked to do more; what is not known is neither more nor less."""
    policies = dmarc.POLICIES
    return before in policies and after in policies and policies.index(after) > policies.index(before)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a sender fares worse after a change of records than before: what the guard and its warnings rest on."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.reasons import is_judged
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import RESULTS

_UNCERTAIN = ("unknown", "temperror")


def worsened(before: Verdict, after: Verdict) -> list[str]:
    """Why a sender fares worse after a change, one sentence each; empty when it does not.

    What is certain after the change is worse, and what a look-up that failed leaves open: a second run may know better.
    What nobody has declared stays open whoever asks; :func:`doubtful` tells of it.
    """
    found = [*_not_looked_up(before, after)]
    if _spf_is_worse(before.spf.result, after.spf.result):
        found.append(f"SPF was {before.spf.result} and becomes {after.spf.result}: {after.spf.reason}")
    if before.dkim.result == "pass" and after.dkim.result == "fail":
        found.append(f"DKIM was pass and becomes fail: {after.dkim.reason}")
    if after.result == "fail" and before.result == "pass" and not _is_first_look(before, after):
        found.append(f"it passed and will fail, and receivers are {_asked(after)}: {after.reason}")
    elif after.result == "fail" and _may_be_stricter(_policy(before), _policy(after)):
        found.append(f"it fails, receivers were {_asked(before)} and will be {_asked(after)}: {after.reason}")
    return found


def _not_looked_up(before: Verdict, after: Verdict) -> Iterator[str]:
    """What may be worse, because something could not be looked up."""
    for name, old, new in (("SPF", before.spf, after.spf), ("DKIM", before.dkim, after.dkim)):
        if old.result == "temperror" and new.result not in (*_UNCERTAIN, "pass"):
            lost = f"whether {name} passes could not be looked up ({old.reason})"
            yield f"{lost}, and it becomes {new.result}: {new.reason}"
    open_part = next((part for part in (after.spf, after.dkim) if part.result == "temperror"), None)
    if open_part and after.result == "unknown" and _may_be_stricter(_policy(before), _policy(after)):
        yield f"whether it passes cannot be looked up, and receivers will be {_asked(after)}: {open_part.reason}"


def doubtful(before: Verdict, after: Verdict) -> list[str]:
    """What can no longer be told to be as good after a change, one sentence each; empty when nothing."""
    found = []
    if before.result == "pass" and after.result == "unknown":
        found.append(f"it passed, and whether it will is unknown: {after.reason}")
    if after.result == "fail" and _is_first_look(before, after):
        found.append(f"no policy judged it, and under p=none it will fail: {after.reason}")
    elif before.result == "unknown" and after.result == "fail":
        found.append(f"whether it passed was unknown, and it will fail: {after.reason}")
    for name, old, new in (("SPF", before.spf, after.spf), ("DKIM", before.dkim, after.dkim)):
        if old.result == "pass" and new.result in _UNCERTAIN:
            found.append(f"{name} was pass and becomes {new.result}: {new.reason}")
    found += [f"it passes, but {caution}" for caution in after.cautions if not _is_known(caution, before)]
    if after.result == "unknown" and _may_be_stricter(_policy(before), _policy(after)):
        found.append(f"whether it passes is unknown, and receivers will be {_asked(after)}: {after.reason}")
    return found


def _is_first_look(before: Verdict, after: Verdict) -> bool:
    """Whether a first policy judges mail that it does nothing about: reports will tell of it, no mail is lost."""
    return before.result != "fail" and not is_judged(before) and is_judged(after) and _policy(after) == "none"


def _is_known(caution: str, before: Verdict) -> bool:
    """Whether the caution, or one of its kind, held before: what stands before the colon tells the kind."""
    return any(caution.partition(":")[0] == known.partition(":")[0] for known in before.cautions)


def _policy(verdict: Verdict) -> str:
    """What receivers are asked to do with mail that fails; "unknown" when the policy could not be looked up."""
    return "unknown" if verdict.dmarc.result == "temperror" else verdict.dmarc.policy or "none"


def _asked(verdict: Verdict) -> str:
    asked = {"reject": "asked to reject it", "quarantine": "asked to quarantine it", "none": "not asked to do anything"}
    return asked.get(_policy(verdict), "asked what cannot be looked up")


def _spf_is_worse(before: str, after: str) -> bool:
    if before in _UNCERTAIN or after in (*_UNCERTAIN, "pass"):
        return False
    return RESULTS.index(after) > RESULTS.index(before)


def _may_be_stricter(before: str, after: str) -> bool:
    """Whether receivers are asked to do more than before, or than what could not be looked up."""
    policies = dmarc.POLICIES
    least = policies.index(before) if before in policies else 0
    return after in policies and policies.index(after) > least

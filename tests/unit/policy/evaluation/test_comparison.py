# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a sender fares worse after a change: what is refused, what is only doubted."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import (
    DkimOutcome,
    DmarcOutcome,
    SpfOutcome,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.verdict import Verdict, doubtful, worsened
from hypothesis import given
from hypothesis import strategies as st

SENDER = Sender("erp@acme.example", "acme.example")


def verdict(
    spf: str = "pass",
    dkim: str = "none",
    dmarc: str = "pass",
    policy: str | None = "none",
    caution: str | None = None,
) -> Verdict:
    """A verdict as the judge would give it when both domains are aligned."""
    parts = {spf, dkim}
    result = "pass" if "pass" in parts else "unknown" if {"unknown", "temperror"} & parts else "fail"
    disposition = {"pass": "none", "unknown": "unknown"}.get(result, policy or "none")
    return Verdict(
        SENDER,
        SpfOutcome(spf, "acme.example", True, "the SPF reason"),
        DkimOutcome(dkim, "acme.example", True, "the DKIM reason"),
        DmarcOutcome(result if dmarc == "pass" else dmarc, policy, None, None, "RFC 9989", "the DMARC reason"),
        result,
        disposition,
        "the reason",
        cautions=(caution,) if caution else (),
    )


WORSE = [
    ("nothing changes", verdict(), verdict(), []),
    (
        "SPF becomes softfail, DKIM carries",
        verdict(dkim="pass"),
        verdict("softfail", "pass"),
        ["SPF was pass and becomes softfail"],
    ),
    (
        "SPF softfail becomes fail",
        verdict("softfail", "pass"),
        verdict("fail", "pass"),
        ["SPF was softfail and becomes fail"],
    ),
    ("SPF fail becomes softfail", verdict("fail", "pass"), verdict("softfail", "pass"), []),
    (
        "the last pass goes",
        verdict(),
        verdict("fail"),
        ["SPF was pass and becomes fail", "it passed and will fail, and receivers are not asked to do anything"],
    ),
    (
        "the last pass goes under p=reject",
        verdict(policy="reject"),
        verdict("fail", policy="reject"),
        ["SPF was pass and becomes fail", "it passed and will fail, and receivers are asked to reject it"],
    ),
    ("a key goes", verdict("pass", "pass"), verdict("pass", "fail"), ["DKIM was pass and becomes fail"]),
    ("a key was never used", verdict("pass", "none"), verdict("pass", "fail"), []),
    (
        "a failing sender gets quarantine",
        verdict("fail"),
        verdict("fail", policy="quarantine"),
        ["receivers were not asked to do anything and will be asked to quarantine it"],
    ),
    (
        "a failing sender gets a first policy",
        verdict("fail", dmarc="none", policy=None),
        verdict("fail", policy="reject"),
        ["receivers were not asked to do anything and will be asked to reject it"],
    ),
    ("a failing sender gets less", verdict("fail", policy="reject"), verdict("fail", policy="none"), []),
    ("a passing sender gets reject", verdict(), verdict(policy="reject"), []),
    ("an unknown sender gets reject", verdict("unknown"), verdict("unknown", policy="reject"), []),
    ("pass becomes unknown", verdict(), verdict("temperror"), []),
    ("unknown becomes fail", verdict("unknown"), verdict("fail"), []),
    (
        "unknown becomes a certain fail under a stricter policy",
        verdict("unknown"),
        verdict("fail", policy="reject"),
        ["it fails, receivers were not asked to do anything and will be asked to reject it"],
    ),
    ("fail becomes pass", verdict("fail"), verdict(policy="reject"), []),
    (
        "a first policy of p=none judges what nothing judged",
        verdict(dmarc="none", policy=None),
        verdict("unknown"),
        [],
    ),
    (
        "a first policy of p=reject judges what nothing judged",
        verdict(dkim="pass", dmarc="none", policy=None),
        verdict("neutral", policy="reject"),
        ["SPF was pass", "it passed and will fail, and receivers are asked to reject it"],
    ),
    (
        "a policy that could not be looked up is not said to be none",
        verdict("fail", dmarc="temperror", policy=None),
        verdict("fail", policy="reject"),
        ["receivers were asked what cannot be looked up and will be asked to reject it"],
    ),
    (
        "the last pass goes under a policy that cannot be looked up",
        verdict(),
        verdict("fail", dmarc="temperror", policy=None),
        ["SPF was pass", "receivers are asked what cannot be looked up"],
    ),
]
DOUBTFUL = [
    ("nothing changes", verdict(), verdict(), []),
    (
        "pass becomes unknown",
        verdict(),
        verdict("unknown"),
        ["it passed, and whether it will is unknown", "SPF was pass and becomes unknown"],
    ),
    (
        "SPF times out, DKIM carries",
        verdict(dkim="pass"),
        verdict("temperror", "pass"),
        ["SPF was pass and becomes temperror"],
    ),
    (
        "DKIM becomes unknown",
        verdict("pass", "pass"),
        verdict("pass", "unknown"),
        ["DKIM was pass and becomes unknown"],
    ),
    (
        "unknown, and stricter",
        verdict("unknown"),
        verdict("unknown", policy="reject"),
        ["receivers will be asked to reject it"],
    ),
    ("unknown, and less strict", verdict("unknown", policy="reject"), verdict("unknown"), []),
    (
        "unknown becomes fail",
        verdict("unknown"),
        verdict("fail"),
        ["whether it passed was unknown, and it will fail"],
    ),
    (
        "a first policy of p=none judges what nothing judged",
        verdict("unknown", dmarc="none", policy=None),
        verdict("fail"),
        ["no policy judged it, and under p=none it will fail"],
    ),
    ("unknown becomes pass", verdict("unknown"), verdict(), []),
    ("fail becomes unknown", verdict("fail"), verdict("unknown"), []),
    ("some receivers begin to err", verdict(), verdict(caution="a reason"), ["it passes, but a reason"]),
    (
        "some receivers refuse it for another reason",
        verdict(caution="a cause: a reason"),
        verdict(caution="a cause: another reason"),
        [],
    ),
    ("some receivers err as before", verdict(caution="a reason"), verdict(caution="a reason"), []),
]


def assert_told(told: list[str], found: list[str], case: str) -> None:
    """Each sentence holds what is expected of it, and a reason."""
    assert len(told) == len(found), case
    for sentence, said in zip(told, found, strict=True):
        assert said in sentence and "reason" in sentence


@pytest.mark.parametrize(("case", "before", "after", "found"), WORSE, ids=[row[0] for row in WORSE])
def test_a_change_for_the_worse_is_told_with_its_reason(
    case: str, before: Verdict, after: Verdict, found: list[str]
) -> None:
    assert_told(worsened(before, after), found, case)


@pytest.mark.parametrize(("case", "before", "after", "found"), DOUBTFUL, ids=[row[0] for row in DOUBTFUL])
def test_a_change_that_may_be_for_the_worse_is_told_with_its_reason(
    case: str, before: Verdict, after: Verdict, found: list[str]
) -> None:
    assert_told(doubtful(before, after), found, case)


verdicts = st.builds(
    verdict,
    st.sampled_from([*RESULTS, "unknown"]),
    st.sampled_from(["pass", "fail", "none", "temperror", "unknown"]),
    st.sampled_from(["pass", "none", "permerror", "temperror"]),
    st.sampled_from([None, "none", "quarantine", "reject"]),
)


@given(verdicts, verdicts)
def test_no_loss_of_a_pass_is_silent(before: Verdict, after: Verdict) -> None:
    if before.result == "pass" and after.result != "pass":
        assert worsened(before, after) or doubtful(before, after)
    if after.result == "unknown":
        assert not [said for said in worsened(before, after) if "it passed" in said]
    assert worsened(before, before) == [] == doubtful(before, before)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A verdict in words: why it is what it is, in one sentence; ``next_steps`` says what to do."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

_UNKNOWN = "unknown"
_TEMPORARY = "temperror"


def reason(verdict: Verdict) -> str:
    """Why the verdict is what it is, with its source."""
    if verdict.result == "pass":
        return _passing(verdict)
    parts = [_spf(verdict), _dkim(verdict)]
    if not is_judged(verdict):
        return f"{_without_policy(verdict)}: {'; '.join(parts)}"
    if verdict.dmarc.result == _TEMPORARY:
        parts.append(verdict.dmarc.reason)
    source = f"{verdict.dmarc.standard} section {'5.3.5' if verdict.dmarc.standard == 'RFC 9989' else '6.6.2'}"
    begin = "no aligned pass" if verdict.result == "fail" else "no certain aligned pass"
    asked = _asked(verdict)
    return f"{begin} ({source}): {'; '.join([*parts, asked] if asked else parts)}"


def is_judged(verdict: Verdict) -> bool:
    """Whether receivers evaluate alignment: they do not when there is no policy that they can apply."""
    return verdict.dmarc.result not in ("none", "permerror")


def is_unaligned(verdict: Verdict) -> bool:
    """Whether mail is authenticated, but would fail if there were a policy."""
    parts = (verdict.spf, verdict.dkim)
    open_ones = any(part.result in (_UNKNOWN, _TEMPORARY) and part.aligned is not False for part in parts)
    return not is_judged(verdict) and not open_ones and any(part.result == "pass" for part in parts)


def _without_policy(verdict: Verdict) -> str:
    """Why mail that no policy judges is not a pass."""
    if verdict.result == "fail":
        refused = "neither SPF nor DKIM passes for any domain, and some receivers refuse such mail (docs/verdicts.md)"
        return f"{refused}; {_nothing_evaluated(verdict)}"
    certain = "no" if is_unaligned(verdict) else "no certain"
    would_be = f"if a policy were published, there would be {certain} aligned pass"
    return f"{_nothing_evaluated(verdict)}, and receivers decide for themselves; {would_be}"


def _nothing_evaluated(verdict: Verdict) -> str:
    return f"{verdict.dmarc.reason}; so nothing is evaluated for alignment (RFC 9989 section 4.10.2)"


def _passing(verdict: Verdict) -> str:
    ways = [
        f"{name} passes for {part.domain}"
        for name, part in (("SPF", verdict.spf), ("DKIM", verdict.dkim))
        if part.result == "pass" and part.aligned
    ]
    aligned = f"aligned with {verdict.sender.domain}"
    if is_judged(verdict):
        reason = f"{' and '.join(ways)}, {aligned} (RFC 9989 section 5.3.5)"
    else:
        would_be = f"it would be {aligned} if a policy were published"
        reason = f"{' and '.join(ways)}; {would_be}, but {_nothing_evaluated(verdict)}"
    return "; but ".join([reason, *verdict.cautions])


def _spf(verdict: Verdict) -> str:
    spf = verdict.spf
    if spf.result == "pass":
        return f"SPF passes for {spf.domain}, {_unaligned(verdict, spf.aligned, 'aspf' if spf.strict else None)}"
    return f"SPF is {spf.result}: {spf.reason}"


def _dkim(verdict: Verdict) -> str:
    dkim = verdict.dkim
    if dkim.result == "pass":
        return f"DKIM passes for {dkim.domain}, {_unaligned(verdict, dkim.aligned, 'adkim' if dkim.strict else None)}"
    return f"DKIM is {dkim.result}: {dkim.reason}"


def _unaligned(verdict: Verdict, aligned: bool | None, strict: str | None) -> str:
    """Whether a pass is aligned; ``strict`` is the tag by which it is not, where that is the only reason."""
    author = verdict.sender.domain
    if aligned is None:
        return f"but whether it is aligned with {author} cannot be told"
    because = (
        f", because {strict}=s of {verdict.dmarc.record_name} counts the very same domain only (RFC 9989 section 4.4)"
        if strict
        else ""
    )
    return f"which is {'' if aligned else 'not '}aligned with {author}{because}"


def _asked(verdict: Verdict) -> str | None:
    """What receivers are asked to do with mail that fails, and the record that says so; None without one."""
    dmarc = verdict.dmarc
    if dmarc.policy is None or dmarc.record is None:
        return None
    asked = {"reject": "reject it", "quarantine": "quarantine it"}.get(dmarc.policy, "do nothing about it")
    fails = "if it fails, " if verdict.result == "unknown" else ""
    return f"{fails}receivers are asked to {asked} by {shown(dmarc.record)}: {dmarc.reason}"

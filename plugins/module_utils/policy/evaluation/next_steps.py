# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What to do about a verdict that is no pass: the nearest way to an aligned pass, or to certainty."""

from __future__ import annotations

import re
from collections.abc import Collection

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dkim_steps import key_steps
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import (
    DkimOutcome,
    SpfOutcome,
    Verdict,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import brief
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.reasons import is_unaligned
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_steps import spf_steps
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.voice import Voice, enumerated, sentence

_UNKNOWN = "unknown"
_TEMPORARY = "temperror"
_LETTER = re.compile(r"%\{([a-z])", re.IGNORECASE)


def next_step(verdict: Verdict) -> str | None:
    """What the user can do about it, in sentences of :mod:`voice`; None when the verdict is pass."""
    return _told(verdict, Voice(None, (verdict.sender.domain, verdict.spf.domain or verdict.sender.domain)))


def inventory_step(verdict: Verdict, domains: Collection[str]) -> str | None:
    """The same for the user of an inventory: it names the variables that docs/inventory.md lists.

    :param domains: those that the inventory declares (mail_dns_domains), as A-labels
    :returns: sentences; None when the verdict is pass
    """
    foreign = None if verdict.result == "pass" else _foreign(verdict, domains)
    if foreign is not None:
        return (
            f"{foreign} is not in mail_dns_domains, so nothing is planned for it: add it there if it is yours; "
            "else its owner must let this environment send."
        )
    return _told(verdict, Voice(domains))


def _told(verdict: Verdict, voice: Voice) -> str | None:
    if verdict.result == "pass":
        return None
    if is_unaligned(verdict):
        step = " ".join(_to_a_pass(verdict, voice))
        return f"Before a policy is published: {step[0].lower()}{step[1:]}"
    return " ".join(_to_a_pass(verdict, voice) if verdict.result == "fail" else _to_certainty(verdict, voice))


def _foreign(verdict: Verdict, domains: Collection[str]) -> str | None:
    """The first domain whose records could make it pass and that the inventory does not declare."""
    spf = verdict.spf.domain if verdict.spf.aligned else None
    return next((name for name in (verdict.sender.domain, spf) if name is not None and name not in domains), None)


def _to_a_pass(verdict: Verdict, voice: Voice) -> list[str]:
    """The nearest way to an aligned pass."""
    spf, dkim = verdict.spf, verdict.dkim
    if spf.aligned and spf.result != "pass":
        return spf_steps(verdict, voice)
    if dkim.aligned and dkim.result == "fail":
        return key_steps(verdict, voice, _selectors_at(verdict))
    return [sentence([*_to_alignment(verdict, voice), _signed(verdict, voice)])]


def _to_alignment(verdict: Verdict, voice: Voice) -> list[str]:
    """How what passes could be aligned; the domain of the From header itself always is."""
    spf, dkim, author = verdict.spf, verdict.dkim, verdict.sender.domain
    found = []
    if spf.result == "pass" and verdict.sender.envelope_from == "":
        found.append(f"let the server greet with the name {author} (helo)")
    elif spf.result == "pass":
        domain = f"{author} itself" if "aspf" in verdict.dmarc.strict else f"a domain of {author}"
        found.append(f"let bounces go to {domain}{voice.said('erp_mail_envelope_from')}")
    for tag, part in (("aspf", spf), ("adkim", dkim)):
        if part.result == "pass" and part.strict:
            name = verdict.dmarc.record_name or ""
            at = voice.at(name.removeprefix("_dmarc."), f"dmarc.{tag}")
            found.append(f"change {tag}=s to {tag}=r in the record at {name}{at}")
    return found


def _signed(verdict: Verdict, voice: Voice) -> str:
    author = verdict.sender.domain
    declared = f" and declare the selectors: {_selectors_at(verdict)}" if voice.domains is not None else ""
    return f"have the mail signed with DKIM as {author}{declared or ', and publish the key'}"


def _selectors_at(verdict: Verdict) -> str:
    """Where an inventory declares the selectors of a domain."""
    author = verdict.sender.domain
    return f"erp_mail_dkim.{author} or mail_dns_domains.{author}.dkim"


# --- what is open ---


def _to_certainty(verdict: Verdict, voice: Voice) -> list[str]:
    """What to look up or to declare, so that the verdict becomes certain."""
    spf, dkim = verdict.spf, verdict.dkim
    steps = _answers(verdict, voice)
    if _may_help(spf) and spf.result == _TEMPORARY:
        steps += spf_steps(verdict, voice)
    if _may_help(spf) and spf.cause is not None and spf.cause.kind == "unresolved_source":
        steps += [sentence([voice.once_found(brief(spf.cause.at))])]
    if _may_help(dkim) and dkim.selectors and dkim.result in (_UNKNOWN, _TEMPORARY):
        steps += key_steps(verdict, voice, _selectors_at(verdict))
    lacking = [*_lacking_of_spf(verdict, voice), *_lacking_of_dkim(verdict, voice)]
    steps += [f"Declare {enumerated(lacking)}."] if lacking and not steps else []
    return steps or ["Look again when the DNS answers."]


def _answers(verdict: Verdict, voice: Voice) -> list[str]:
    """Policies that must be looked up again: they tell alignment too."""
    is_open = any(part.result == "pass" and part.aligned is None for part in (verdict.spf, verdict.dkim))
    if verdict.dmarc.result != _TEMPORARY and not is_open:
        return []
    names = [name for name in (verdict.sender.domain, verdict.spf.domain, verdict.dkim.domain) if name]
    return [sentence([voice.once_found(f"the policies of {enumerated(list(dict.fromkeys(names)))}")])]


def _may_help(part: SpfOutcome | DkimOutcome) -> bool:
    return part.aligned is not False


def _lacking_of_spf(verdict: Verdict, voice: Voice) -> list[str]:
    spf, inventory = verdict.spf, voice.domains is not None
    if spf.domain is None and verdict.sender.envelope_from == "":
        return ["the name that the server greets with (helo)"]
    if spf.domain is None:
        told = "the address that bounces go to"
        return [f"erp_mail_envelope_from ({told})" if inventory else told]
    if spf.result != _UNKNOWN or not _may_help(spf):
        return []
    if spf.cause is not None and spf.cause.kind == "message":
        return _lacking_of_message(spf.cause.at, verdict, voice)
    told = "the servers that send"
    if spf.cause is not None and spf.cause.sources and spf.cause.kind in ("broken_source", "empty_source", "bound"):
        told = (
            f"the addresses of the servers that send instead of {enumerated([brief(one) for one in spf.cause.sources])}"
        )
    return [f"erp_mail_spf_terms ({told})" if inventory else told]


def _lacking_of_message(terms: str, verdict: Verdict, voice: Voice) -> list[str]:
    """What the macros of a record want to know of a message."""
    letters = {letter.lower() for letter in _LETTER.findall(terms)}
    found, inventory = [], voice.domains is not None
    if letters & {"l", "s"} and "@" not in (verdict.sender.envelope_from or "")[1:]:
        told = "the whole address that bounces go to"
        found.append(f"erp_mail_envelope_from ({told})" if inventory else told)
    if "h" in letters and verdict.sender.helo is None:
        found.append("the name that the server greets with (helo)")
    if letters & {"i", "p"} or "ptr" in terms or not found:
        told = "each address of the servers that send by itself"
        found.append(f"erp_mail_spf_terms ({told})" if inventory else told)
    return found


def _lacking_of_dkim(verdict: Verdict, voice: Voice) -> list[str]:
    if verdict.dkim.result != _UNKNOWN or verdict.dkim.selectors:
        return []
    if voice.domains is not None:
        return [f"{_selectors_at(verdict)} (the selectors; [] when mail is not signed)"]
    return ["the DKIM domain and selectors (none when mail is not signed)"]

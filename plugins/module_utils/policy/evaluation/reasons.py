# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A verdict in words: why it is what it is, and what to do next; one sentence each."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict

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
    return f"{begin} ({source}): {'; '.join(parts)}"


def is_judged(verdict: Verdict) -> bool:
    """Whether receivers evaluate alignment: they do not when there is no policy that they can apply."""
    return verdict.dmarc.result not in ("none", "permerror")


def next_step(verdict: Verdict) -> str | None:
    """What the user can do about it; None when the verdict is pass."""
    if verdict.result == "pass":
        return None
    if _is_unaligned(verdict):
        step = _certain_step(verdict)
        return f"Before a policy is published: {step[0].lower()}{step[1:]}"
    return _certain_step(verdict) if verdict.result == "fail" else _finding_out(verdict)


def inventory_step(verdict: Verdict, domains: Collection[str]) -> str | None:
    """The same for the user of an inventory: it names the variables that docs/inventory.md lists.

    :param domains: those that the inventory declares (mail_dns_domains), as A-labels
    :returns: one sentence or two; None when the verdict is pass
    """
    if verdict.result == "pass":
        return None
    foreign = _foreign(verdict, domains)
    if foreign is not None:
        return (
            f"{foreign} is not in mail_dns_domains, so nothing is planned for it: add it there if it is yours; "
            "else its owner must let this environment send."
        )
    if _is_unaligned(verdict):
        step = _certain_variable(verdict)
        return f"Before a policy is published: {step[0].lower()}{step[1:]}"
    return _certain_variable(verdict) if verdict.result == "fail" else _missing_variable(verdict)


def _is_unaligned(verdict: Verdict) -> bool:
    """Whether mail is authenticated, but would fail if there were a policy."""
    parts = (verdict.spf, verdict.dkim)
    open_ones = any(part.result in (_UNKNOWN, _TEMPORARY) and part.aligned is not False for part in parts)
    return not is_judged(verdict) and not open_ones and any(part.result == "pass" for part in parts)


def _without_policy(verdict: Verdict) -> str:
    """Why mail that no policy judges is not a pass."""
    if verdict.result == "fail":
        refused = "neither SPF nor DKIM passes for any domain, and some receivers refuse such mail (docs/verdicts.md)"
        return f"{refused}; {_nothing_evaluated(verdict)}"
    certain = "no" if _is_unaligned(verdict) else "no certain"
    would_be = f"if a policy were published, there would be {certain} aligned pass"
    return f"{_nothing_evaluated(verdict)}, and receivers decide for themselves; {would_be}"


def _nothing_evaluated(verdict: Verdict) -> str:
    return f"{verdict.dmarc.reason}; so nothing is evaluated for alignment (RFC 9989 section 4.10.2)"


def _foreign(verdict: Verdict, domains: Collection[str]) -> str | None:
    """The first domain whose records could make it pass and that the inventory does not declare."""
    spf = verdict.spf.domain if verdict.spf.aligned else None
    return next((name for name in (verdict.sender.domain, spf) if name is not None and name not in domains), None)


def _certain_variable(verdict: Verdict) -> str:
    """What to declare, so that there is an aligned pass."""
    spf, dkim, author = verdict.spf, verdict.dkim, verdict.sender.domain
    if spf.aligned and (spf.result == "permerror" or not verdict.sender.sources):
        return f"Correct the SPF record of {spf.domain}; mail_dns_domains.{spf.domain}.spf says what may be done to it."
    if spf.aligned:
        whom = spf.address or "the servers that send"
        return (
            f"Have {whom} in the SPF record of {spf.domain}: erp_mail_spf_terms for this environment, "
            f"mail_dns_domains.{spf.domain}.services for everyone else."
        )
    if dkim.aligned and dkim.result == "fail":
        names = ", ".join(one.name for one in dkim.selectors if one.result != "pass")
        return f"Have the service publish its keys for {names}, or correct {_selectors_of(author)}."
    signed = f"have the mail signed with DKIM as {author} and declare the selectors: {_selectors_of(author)}"
    if spf.result == "pass":
        return f"Let bounces go to a domain of {author} (erp_mail_envelope_from), or {signed}."
    return f"{signed[0].upper()}{signed[1:]}."


def _missing_variable(verdict: Verdict) -> str:
    """The variables that are lacking, or what to look at."""
    author = verdict.sender.domain
    lacking = []
    if _TEMPORARY not in (verdict.spf.result, verdict.dkim.result, verdict.dmarc.result):
        if verdict.dkim.result == _UNKNOWN and verdict.dkim.selectors:
            names = ", ".join(one.name for one in verdict.dkim.selectors if one.result != "pass")
            sure = f"declare only the selectors that the service signs with: {_selectors_of(author)}"
            return f"Have the keys at {names} published, or {sure}."
        if verdict.spf.domain is None and verdict.sender.envelope_from == "":
            lacking.append("the name that the server greets with (helo)")
        elif verdict.spf.domain is None:
            lacking.append("erp_mail_envelope_from (the address that bounces go to)")
        elif verdict.spf.result == _UNKNOWN:
            lacking.append("erp_mail_spf_terms (the servers that send)")
        if verdict.dkim.result == _UNKNOWN:
            lacking.append(f"{_selectors_of(author)} (the selectors; [] when mail is not signed)")
    return f"Declare {' and '.join(lacking)}." if lacking else "Look again when the DNS answers."


def _selectors_of(domain: str) -> str:
    """Where an inventory declares the selectors of a domain."""
    return f"erp_mail_dkim.{domain} or mail_dns_domains.{domain}.dkim"


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
        return f"SPF passes for {spf.domain}, {_unaligned(spf.aligned, verdict.sender.domain)}"
    return f"SPF is {spf.result}: {spf.reason}"


def _dkim(verdict: Verdict) -> str:
    dkim = verdict.dkim
    if dkim.result == "pass":
        return f"DKIM passes for {dkim.domain}, {_unaligned(dkim.aligned, verdict.sender.domain)}"
    return f"DKIM is {dkim.result}: {dkim.reason}"


def _unaligned(aligned: bool | None, author: str) -> str:
    if aligned is None:
        return f"but whether it is aligned with {author} cannot be told"
    return f"which is {'' if aligned else 'not '}aligned with {author}"


def _certain_step(verdict: Verdict) -> str:
    """The nearest way to an aligned pass."""
    spf, dkim, author = verdict.spf, verdict.dkim, verdict.sender.domain
    if spf.aligned and spf.result == "none":
        return f"Publish an SPF record at {spf.domain} that covers the servers that send."
    if spf.aligned and spf.result == "permerror":
        return f"Correct the SPF record of {spf.domain}."
    if spf.aligned and not verdict.sender.sources:
        return f"Correct the SPF record of {spf.domain}, which nobody passes: it must list the servers that send."
    if spf.aligned:
        whom = spf.address or "the servers that send"
        return f"Add {whom} to the SPF record of {spf.domain}, in front of all."
    if dkim.aligned and dkim.result == "fail":
        names = ", ".join(one.name for one in dkim.selectors if one.result != "pass")
        return f"Publish the keys that the service gives at {names}."
    if spf.result == "pass":
        return f"Let bounces go to a domain of {author}, or have the mail signed with DKIM as {author}."
    return f"Have the mail signed with DKIM as {author}, and publish the key."


def _finding_out(verdict: Verdict) -> str:
    """What to look up or to declare, so that the verdict becomes certain."""
    if _TEMPORARY in (verdict.spf.result, verdict.dkim.result, verdict.dmarc.result):
        return "Look again when the DNS answers."
    if verdict.dkim.result == _UNKNOWN and verdict.dkim.selectors:
        names = ", ".join(one.name for one in verdict.dkim.selectors if one.result != "pass")
        return f"Publish the keys at {names}, or declare only the selectors that the service signs with."
    lacking = []
    if verdict.spf.domain is None and verdict.sender.envelope_from == "":
        lacking.append("the name that the server greets with (helo)")
    elif verdict.spf.domain is None:
        lacking.append("the address that bounces go to")
    elif verdict.spf.result == _UNKNOWN:
        lacking.append("the servers that send")
    if verdict.dkim.result == _UNKNOWN:
        lacking.append("the DKIM domain and selectors (none when mail is not signed)")
    return f"Declare {' and '.join(lacking)}." if lacking else "Look again when the DNS answers."

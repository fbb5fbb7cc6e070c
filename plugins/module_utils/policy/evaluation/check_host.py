# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a receiver makes of one client: ``check_host`` of RFC 7208, over a DNS that is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check import Check, Decision, Stop
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.message import Address, Client, Envelope
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.program import Program, Programs, brief
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import SpfCause
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_diagnosis import cause_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import SpfResult
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.tree import Frozen
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_spf, no_spf_record
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_VOID
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import Template, explanation, is_possible

CAUTION = (
    f"receivers that limit questions instead of terms may give permerror: more than {MAX_VOID} of them find nothing"
    " (RFC 7208 section 4.6.4)"
)
_LONGEST_EXPLANATION = 500
_SECTIONS = {
    "all": "5.1",
    "include": "5.2",
    "a": "5.3",
    "mx": "5.4",
    "ptr": "5.5",
    "ip4": "5.6",
    "ip6": "5.6",
    "exists": "5.7",
}


class SpfEvaluator:
    """Evaluates SPF over one set of answers; may be used for any number of messages, by one thread.

    Parsed records are kept, at most some thousands of them. ``check_host`` asks anew each time; ``frozen`` are the
    answers as ``check_sources`` keeps them, so that all parts of a judgement see the same world.
    """

    def __init__(self, lookup: Lookup, *, receiver: str = "unknown", now: Callable[[], float] = time.time) -> None:
        """Nothing is asked yet.

        :param lookup: the source of answers, usually the resolver with the planned records laid over it
        :param receiver: the macro ``%{r}`` of explanations: the host that checks
        :param now: the macro ``%{t}`` of explanations: seconds since 1970
        """
        self.lookup = lookup
        self.programs = Programs()
        self.frozen = Frozen(lookup)
        self._receiver = receiver
        self._now = now

    def check_host(self, ip: str | Address, domain: str, sender: str, helo: str | None = None) -> SpfResult:
        """Evaluate a domain's SPF record for one client (RFC 7208 section 4).

        The work is bounded whatever the DNS says: at most 10 terms that look something up, each at most 11 questions.

        :param ip: the client's address; an IPv4-mapped one is taken as IPv4
        :param domain: whose record is evaluated: that of MAIL FROM, or HELO when the sender is null; as A-labels
        :param sender: MAIL FROM for macros: an address, a bare domain, or "" (postmaster at the domain)
        :param helo: the greeting for macros; None means unknown
        :returns: one of the seven results, ``address`` being the client's
        :raises ValueError: ``ip`` is no IP address
        """
        client = Client.of(ip)
        check = Check(self.lookup, self.programs, client, Envelope.of(sender, domain, helo))
        name = domain.lower().removesuffix(".")
        outcome = decide(check, record(check, name), name)
        result = described(check, name, outcome)
        if isinstance(outcome, Decision) and outcome.result == "fail" and outcome.program.explanation:
            return replace(result, explanation=self._explanation(check, outcome.program.explanation, outcome.domain))
        return result

    def _explanation(self, check: Check, target: Template, domain: str) -> str | None:
        """The text of ``exp=``; whatever is wrong with it, it is as if there were none (RFC 7208 section 6.2)."""
        try:
            texts = check.texts(check.name(target, domain))
            words = explanation(texts[0]) if len(texts) == 1 else None
            return None if words is None else words.text(self._values(check, domain), _LONGEST_EXPLANATION)
        except Stop:
            return None

    def _values(self, check: Check, domain: str) -> Callable[[str], str]:
        """The macros of explanations: c, r and t too (RFC 7208 section 7.2)."""

        def value_of(letter: str) -> str:
            if letter == "c":
                return check.client.text
            if letter == "r":
                return self._receiver
            return str(int(self._now())) if letter == "t" else check.value(letter, domain)

        return value_of


def record(check: Check, name: str) -> Program | Stop:
    """The record of a name, or the result that everybody gets because there is none that can be read.

    :param name: in lower case, without trailing dot
    """
    if not ("." in name and is_possible(name) and not name.startswith("[")):
        reason = "is no domain name with two labels or more, so it has no SPF record (RFC 7208 section 4.3)"
        return Stop("none", f"{brief(name)} {reason}", "no_name", name)
    try:
        program = check.program(name)
    except Stop as stop:
        return stop
    if program is not None:
        return program
    values = check.texts(name)
    near = next((value for value in values if near_spf(value)), None)
    kind, at = ("none", name) if near is None else ("near", near)
    return Stop("none", no_spf_record(brief(name), values), kind, at)


def decide(check: Check, program: Program | Stop, name: str) -> Decision | Stop:
    """Evaluate the record of a name.

    :param check: a fresh one
    :param program: what :func:`record` gives of the name
    :param name: in lower case, without trailing dot
    """
    if isinstance(program, Stop):
        return program
    try:
        return check.run(program, name)
    except Stop as stop:
        return stop


def described(check: Check, name: str, outcome: Decision | Stop) -> SpfResult:
    """Put an outcome of :func:`decide` into words."""
    cause = cause_of(check, name, outcome)
    reason = _stopped(outcome, cause) if isinstance(outcome, Stop) else _sentence(outcome, check.client, name)
    address, caution = check.client.text, CAUTION if is_disputed(check, outcome) else None
    term = _term(outcome.path) or None
    return SpfResult(outcome.result, reason, term, address, check.lookups, check.void, caution=caution, cause=cause)


def is_disputed(check: Check, outcome: Decision | Stop) -> bool:
    """Whether receivers that count every question that finds nothing give permerror instead; see ``spf_budget``."""
    return check.void_questions > MAX_VOID and outcome.result != "permerror"


def _stopped(stop: Stop, cause: SpfCause | None) -> str:
    """Why an evaluation ended; a loop is told as one, though what ends it is the limit of look-ups."""
    if cause is None or cause.kind != "loop":
        return stop.reason
    chain = " -> ".join(brief(place.domain) for place in cause.path)
    return f"the records lead in a loop, {chain}, which ends at the limit of look-ups only (RFC 7208 section 4.6.4)"


def _term(path: tuple[str, ...]) -> str:
    return " > ".join(brief(raw) for raw in path)


def _sentence(decision: Decision, client: Client, name: str) -> str:
    address, where = client.text, f"the record of {brief(name)}"
    step = decision.step
    if step is None:
        return f"no term of {where} matches {address}, and none says what then (RFC 7208 section 4.7)"
    term, section = _term(decision.path), _SECTIONS[step.mechanism]
    if step.mechanism == "all":
        return f"{term} of {where} says it, because no other term matches {address} (RFC 7208 section {section})"
    return f"{term} of {where} matches {address} (RFC 7208 section {section})"

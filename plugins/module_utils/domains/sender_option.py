# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The option ``senders``: who sends, as resolved facts, for the verdicts and the guard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_spec import SENDER_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.plain_options import validated_options
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import domain_of, mail_domain
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import check_selector
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import (
    Sender,
    Signature,
    TransportFinding,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import parse_source
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource

_RULES = RuleSource("docs/verdicts.md")


def read_senders(entries: Iterable[object], problems: list[Problem]) -> tuple[Sender, ...]:
    """Turn the option ``senders`` into senders; what is wrong with them is added to ``problems``.

    :param entries: what the user gave: dictionaries of :data:`SENDER_OPTIONS`
    :returns: the senders, each once, in their order; not to be used when there are problems
    """
    found: list[Sender] = []
    for entry in entries:
        if not isinstance(entry, Mapping):
            rule = f"each sender is a dictionary, not a {type(entry).__name__}"
            problems.append(_RULES.problem("senders", "entry", None, rule, "Give at least `from`."))
            continue
        subject = str(entry.get("from"))
        valid, wrong = validated_options(SENDER_OPTIONS, _given(entry))
        problems += [_RULES.problem(subject, "senders", None, message, "Correct it.") for message in wrong]
        if not wrong:
            found.append(_Reader(subject, problems).sender(valid))
    return tuple(dict.fromkeys(found))


class _Reader:
    """Reads one sender whose types are right."""

    def __init__(self, subject: str, problems: list[Problem]) -> None:
        self._subject, self._problems = subject, problems

    def sender(self, entry: Mapping[str, Any]) -> Sender:
        sources = entry.get("sources")
        for source in sources or ():
            self._checked("sources", _source, source)
        return Sender(
            address=entry["from"],
            domain=self._checked("from", domain_of, entry["from"]) or "",
            envelope_domain=self._envelope_domain(entry),
            envelope_from=entry.get("envelope_from"),
            sources=None if sources is None else tuple(sources),
            signature=self._signature(entry.get("dkim")),
            helo=entry.get("helo"),
            environment=entry.get("environment"),
            service=entry.get("service"),
            used_for=tuple(entry["used_for"]),
            transport=_transport(entry.get("transport")),
        )

    def _envelope_domain(self, entry: Mapping[str, Any]) -> str | None:
        """The domain that SPF is looked up for (RFC 7208 section 2.4): for the null sender it is the greeting."""
        address, domain = entry.get("envelope_from"), entry.get("envelope_domain")
        named = self._checked("envelope_domain", mail_domain, domain)
        if address == "":
            if domain is not None:
                rule = 'the null sender, envelope_from: "", has no domain: SPF is looked up for `helo`'
                self._wrong_envelope_domain(domain, rule)
            helo = entry.get("helo")
            return None if helo is None else str(helo).lower().removesuffix(".")
        of_address = self._checked("envelope_from", domain_of, address)
        if of_address and named and of_address != named:
            self._wrong_envelope_domain(domain, f"it is not the domain of envelope_from, {of_address}")
        return named or of_address

    def _wrong_envelope_domain(self, domain: str | None, rule: str) -> None:
        problem = _RULES.problem(self._subject, "senders.envelope_domain", domain, rule, "Give one of them.")
        self._problems.append(problem)

    def _signature(self, dkim: Mapping[str, Any] | None) -> Signature | None:
        if dkim is None:
            return None
        selectors = [self._checked("dkim.selectors", check_selector, one) for one in dkim["selectors"]]
        domain = self._checked("dkim.domain", mail_domain, dkim["domain"]) or ""
        return Signature(domain, tuple(one for one in selectors if one))

    def _checked(self, where: str, check: Callable[[str], str], value: str | None) -> str | None:
        """A value in its normal form; None when it is not given, or wrong."""
        try:
            return None if value is None else check(value)
        except ValueError as error:
            way_out = "Correct it, or leave it out when it is not known."
            self._problems.append(_RULES.told(self._subject, f"senders.{where}", value, str(error), way_out))
        return None


def _transport(said: Mapping[str, Any] | None) -> TransportFinding | None:
    return None if said is None else TransportFinding(said["result"], said["reason"], said.get("next_step"))


def _source(text: str) -> str:
    parse_source(text)
    return text


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not None}

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The verdict of a sender: SPF, DKIM and DMARC as receivers of both standards will see its mail, and the worse told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation import next_steps, reasons
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.alignment import is_aligned
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.comparison import doubtful, worsened
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import (
    Policy,
    Standard,
    SuffixList,
    TreeWalk,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dkim_readiness import (
    Readiness,
    judge_signature,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import (
    DkimOutcome,
    DmarcOutcome,
    SpfOutcome,
    Verdict,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.receivers import (
    DemandFacts,
    judge_demands,
    judge_reverse_dns,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sources import check_sources
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import SpfCause
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import SpfResult
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.truth import both, either
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved

__all__ = ["Judge", "Verdict", "doubtful", "worsened"]

_RESULTS = {True: "pass", False: "fail", None: "unknown"}
_SEVERITY = {"none": 0, "quarantine": 1, "unknown": 2, "reject": 3}
"""A disposition that is not known is told rather than a milder one that is."""

_MOST_REMEMBERED = 1000
"""Domains, and groups of servers, of which is remembered what was found for them."""

_K = TypeVar("_K")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _View:
    """A sender through the eyes of the receivers of one standard; None is not known.

    ``spf_strict`` and ``dkim_strict``: not aligned only because the policy record asks for the very same domain.
    """

    standard: str
    policy: Policy
    spf_aligned: bool | None
    dkim_aligned: bool | None
    passes: bool | None
    spf_strict: bool
    dkim_strict: bool

    @property
    def disposition(self) -> str:
        """What these receivers are asked to do; where the policy asks for nothing, that is known in any case."""
        if self.policy.result == "temperror":
            return "none" if self.passes else "unknown"
        asked = self.policy.policy or "none"
        return "none" if self.passes else "unknown" if self.passes is None and asked != "none" else asked

    @property
    def badness(self) -> tuple[int, int, bool]:
        """What makes one view worse than the other: first the failure, then what is asked for, then no policy."""
        failure = {True: 0, None: 1, False: 2}[self.passes]
        return failure, _SEVERITY[self.disposition], self.policy.result != "found"


class Judge:
    """Gives verdicts over one view of the DNS. Safe to use from several threads at once.

    :param lookup: asks the DNS, along CNAMEs; it should remember its answers
    :param check_spf: what evaluates the SPF of a sender whose envelope domain and sources are known, instead
    :param exists: tells whether a domain name exists (is no NXDOMAIN); None when that cannot be known
    :param demands: whether verdicts have ``receivers``, which are three quarters of them
    :raises MissingLibrary: publicsuffixlist is not installed
    """

    def __init__(
        self,
        lookup: Lookup,
        check_spf: Callable[[Sender], SpfResult] | None = None,
        exists: Callable[[str], bool] | None = None,
        demands: bool = True,
    ) -> None:
        self._lookup = lookup
        self._has_demands = demands
        self._by_check_host = _spf_checker(lookup)
        self._check_spf = check_spf or self._by_check_host
        self._by_suffix = Remembered(SuffixList(lookup))
        self._standards = (Remembered(TreeWalk(lookup, exists)), self._by_suffix)
        self._reverse_dns: dict[tuple[str, ...] | None, tuple[bool | None, str]] = {}

    def verdict(self, sender: Sender) -> Verdict:
        """Judge one sender. What cannot be looked up or is not known makes the verdict unknown; nothing is raised."""
        found_spf = self._spf(sender)
        found_dkim = judge_signature(sender.signature, self._lookup)
        views = [self._view(standard, sender, found_spf, found_dkim) for standard in self._standards]
        # max keeps the first of equals, which is RFC 9989.
        shown = max(views, key=lambda view: view.badness)
        passes = both(views[0].passes, views[1].passes)
        spf, dkim = _spf_outcome(sender, found_spf, shown), _dkim_outcome(found_dkim, shown)
        verdict = Verdict(
            sender,
            spf,
            dkim,
            _dmarc_outcome(shown),
            _RESULTS[passes],
            shown.disposition,
            "",
            receivers=judge_demands(self._facts(sender, found_spf, found_dkim, views)) if self._has_demands else (),
            cautions=self._cautions(sender, spf, dkim) if passes else (),
        )
        return replace(verdict, reason=reasons.reason(verdict), next_step=next_steps.next_step(verdict))

    def strictest_policy(self, domain: str) -> Policy:
        """The policy that asks for most, of those that receivers of both standards apply to a From domain.

        :param domain: as A-labels
        :returns: one that cannot be looked up where neither asks for anything
        """
        policies = [standard.policy(domain) for standard in self._standards]
        return max(policies, key=lambda one: _SEVERITY[one.policy or "none"])

    def _view(self, standard: Remembered, sender: Sender, found_spf: SpfResult, found_dkim: Readiness) -> _View:
        """Judge a sender by one standard (RFC 9989 sections 5.3.4 and 5.3.5, RFC 7489 section 6.6.2).

        Where no policy is applied nothing is evaluated for alignment (RFC 9989 section 4.10.2): what is told then is
        what would be with one. Mail that is authenticated for another domain does not fail by a policy that is not
        there.
        """
        policy, author = standard.policy(sender.domain), sender.domain
        eyes: Standard = standard
        if policy.is_applied is False:
            eyes = standard.with_policy(self._by_suffix.organisation(author))
        spf_aligned = is_aligned(eyes, author, sender.envelope_domain, policy.is_strict("aspf"))
        dkim_aligned = is_aligned(eyes, author, found_dkim.domain, policy.is_strict("adkim"))
        by_spf, by_dkim = _authentic(found_spf.result), _authentic(found_dkim.result)
        passes = either(both(by_spf, spf_aligned), both(by_dkim, dkim_aligned))
        # A record that cannot be looked up may ask for strict alignment (section 5.3.6), or be none.
        if passes:
            unsure = policy.is_applied is None
        else:
            unsure = policy.is_applied is not True and either(by_spf, by_dkim) is not False
        return _View(
            standard.name,
            policy,
            spf_aligned,
            dkim_aligned,
            None if unsure else passes,
            _is_only_strict(eyes, policy, "aspf", author, sender.envelope_domain),
            _is_only_strict(eyes, policy, "adkim", author, found_dkim.domain),
        )

    def _spf(self, sender: Sender) -> SpfResult:
        if sender.envelope_domain is None and sender.envelope_from == "":
            reason = "the null sender is judged by the name that the server greets with, which is not known"
            return SpfResult("unknown", f"{reason} (RFC 7208 section 2.4)")
        if sender.envelope_domain is None:
            return SpfResult("unknown", "which domain bounces go to is not known (RFC 7208 section 2.4)")
        # What everybody gets does not depend on who evaluates it for whom.
        check = self._by_check_host if sender.sources is None else self._check_spf
        try:
            return check(sender)
        except Unresolved as reason:
            said = f"the SPF record of {sender.envelope_domain} cannot be looked up: {reason} (RFC 7208 section 2.6.6)"
            return SpfResult("temperror", said, cause=SpfCause("unresolved", sender.envelope_domain))

    def _cautions(self, sender: Sender, spf: SpfOutcome, dkim: DkimOutcome) -> tuple[str, ...]:
        """Why some receivers may refuse mail that passes at others."""
        found = [dkim.caution] if dkim.result == "pass" and dkim.aligned and dkim.caution else []
        found += [spf.caution] if spf.caution else []
        if self.strictest_policy(sender.domain).policy == "reject" and not _is_signed(dkim):
            found.append(
                "receivers that get it forwarded reject it, because SPF does not survive that and there is no aligned "
                "DKIM pass: a domain at p=reject must not rely on SPF only (RFC 9989 section 7.4)"
            )
        if spf.result == "fail":
            found.append(
                f"receivers that honour -all before they look at DMARC refuse it: {spf.reason} (RFC 9989 section 7.1)"
            )
        greeting = self._greeting(sender)
        if greeting is not None and self._by_check_host(greeting).result == "fail":
            found.append(
                f"receivers that check the greeting refuse it: the SPF record of {greeting.envelope_domain} lets the "
                "servers that send not use that name (RFC 7208 section 2.3)"
            )
        return tuple(found)

    def _greeting(self, sender: Sender) -> Sender | None:
        """The sender as a receiver that checks the greeting sees it; None when that is not another check."""
        if sender.helo is None:
            return None
        name = sender.helo.lower().removesuffix(".")
        is_other = name != sender.envelope_domain and not name.startswith("[")
        return replace(sender, envelope_domain=name, envelope_from=f"postmaster@{name}") if is_other else None

    def _facts(self, sender: Sender, found_spf: SpfResult, found_dkim: Readiness, views: list[_View]) -> DemandFacts:
        has_policy = [{"found": True, "temperror": None}.get(view.policy.result, False) for view in views]
        return DemandFacts(
            sender.domain,
            _authentic(found_spf.result),
            _authentic(found_dkim.result),
            both(views[0].passes, views[1].passes),
            both(*has_policy),
            next((view.policy.reason for view in views if view.policy.is_broken), None),
            _remembered(self._reverse_dns, sender.sources, lambda sources: judge_reverse_dns(sources, self._lookup)),
        )


class Remembered:
    """A standard that remembers the organisations and policies of the last domains; failures are left to the lookup."""

    def __init__(self, standard: Standard) -> None:
        self.name = standard.name
        self._standard = standard
        self._organisations: dict[str, str] = {}
        self._policies: dict[str, Policy] = {}
        self._with_policies: dict[str, Remembered] = {}

    def organisation(self, domain: str) -> str:
        """See :meth:`Standard.organisation`."""
        return _remembered(self._organisations, domain, self._standard.organisation)

    def policy(self, domain: str) -> Policy:
        """See :meth:`Standard.policy`."""
        return _remembered(self._policies, domain, self._standard.policy)

    def with_policy(self, domain: str) -> Remembered:
        """See :meth:`Standard.with_policy`."""
        return _remembered(self._with_policies, domain, lambda name: Remembered(self._standard.with_policy(name)))


def _remembered(known: dict[_K, _T], key: _K, find: Callable[[_K], _T]) -> _T:
    """What is known, or found now. Most is wanted several times by one sender, and then never again."""
    found = known.get(key)
    if found is None:
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        found = known[key] = find(key)
    return found


def is_signed(verdict: Verdict) -> bool:
    """Whether the mail certainly has an aligned DKIM pass."""
    return _is_signed(verdict.dkim)


def _is_signed(dkim: DkimOutcome) -> bool:
    return dkim.result == "pass" and dkim.aligned is True


def _is_only_strict(standard: Standard, policy: Policy, tag: str, author: str, identifier: str | None) -> bool:
    """Whether a domain is not aligned, and would be if the policy record did not ask for strict alignment."""
    if not policy.is_strict(tag) or author == identifier:
        return False
    return is_aligned(standard, author, identifier, strict=False) is True


def _authentic(result: str) -> bool | None:
    """Whether SPF or DKIM authenticates its domain."""
    return None if result in ("unknown", "temperror") else result == "pass"


def _spf_outcome(sender: Sender, found: SpfResult, view: _View) -> SpfOutcome:
    domain, aligned = sender.envelope_domain, view.spf_aligned
    return SpfOutcome(
        found.result,
        domain,
        aligned,
        found.reason,
        found.term,
        found.address,
        found.caution,
        found.cause,
        view.spf_strict,
    )


def _dkim_outcome(found: Readiness, view: _View) -> DkimOutcome:
    aligned, strict = view.dkim_aligned, view.dkim_strict
    return DkimOutcome(found.result, found.domain, aligned, found.reason, found.selectors, found.caution, strict)


def _dmarc_outcome(view: _View) -> DmarcOutcome:
    policy, record = view.policy, view.policy.record
    result = _RESULTS[view.passes] if policy.result == "found" else policy.result
    name, text = (record.name, record.text) if record else (None, None)
    strict = tuple(tag for tag in ("aspf", "adkim") if policy.is_strict(tag))
    return DmarcOutcome(result, policy.policy, name, text, view.standard, policy.reason, strict)


def _spf_checker(lookup: Lookup) -> Callable[[Sender], SpfResult]:
    """What evaluates a sender's SPF by ``check_host`` over the same answers."""
    # An evaluator is for one thread.
    own = threading.local()

    def check(sender: Sender) -> SpfResult:
        if not hasattr(own, "evaluator"):
            own.evaluator = SpfEvaluator(lookup)
        domain = sender.envelope_domain or ""
        # Without the address, the local part is not known: the bare domain says so to macros.
        address = domain if sender.envelope_from is None else sender.envelope_from
        return check_sources(own.evaluator, sender.sources or (), domain, address, sender.helo)

    return check

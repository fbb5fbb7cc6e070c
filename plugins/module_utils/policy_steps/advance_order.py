# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What ``dmarc_advance`` is asked for, as an order for the one path by which records change.

Each domain becomes a request for its policy record alone; whatever else the entry of a domain asks for is left to
``mail_domains``. A domain that may not be moved is an order's unread one, so that it stops nobody else.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Union

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.policy_domains import (
    HasOwnPolicy,
    policy_finder,
    reported_below,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_archive import reading_archive
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_request import services_given
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import reverse_names
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_summary import (
    ReportFilter,
    source_totals,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import (
    KnownService,
    SenderGroup,
    SourceIdentifier,
    sender_groups,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dmarc_kind import DmarcRecipe
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import read_name
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import DomainRequest, Order, read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import parents_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_conditions import (
    StepQuestion,
    StepThresholds,
    seasonal_groups,
    sender_names,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_decision import (
    StepDecision,
    decide_retreat,
    decide_step,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_evidence import (
    StepEvidence,
    read_step_evidence,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_recipe import (
    PolicyStepRecipe,
    StepDecider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.unknown_sources import SourceNamer
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolver

_RULES = RuleSource("docs/reports.md")
_OLDEST_DAYS = 400
"""Evidence before that is not read: what was seen a year ago says little, and a year has its seasons."""

_KEPT = ("domain", "zone", "account", "dns", "refused")

Decide = Callable[[Union[TagList, None]], StepDecision]


def read_advance_order(params: Mapping[str, Any]) -> Order:
    """Read the parameters, and the evidence for each domain.

    :param params: of the module
    :returns: what ``Run`` does; each request has one :class:`PolicyStepRecipe`
    :raises Refused: what is wrong with the whole task
    """
    is_advance = params["state"] == "advance"
    entries = [_entry(one, params) for one in _asked(params)]
    order = read_order({**params, "domains": entries, "on_refused": "skip"})
    requests = [one for one in order.requests if _is_allowed(order, one, is_advance)]
    recipes = {one.domain: _policy_recipe(one) for one in requests}
    if is_advance:
        deciders = _advance_deciders(params, order, recipes)
    else:
        deciders = {name: _retreat(params.get("retreat_from")) for name in recipes}
    order.requests = [
        replace(one, recipes=(_stepping(recipes[one.domain], StepDecider(deciders[one.domain])),)) for one in requests
    ]
    return order


def _asked(params: Mapping[str, Any]) -> list[Any]:
    """The entries that the task is about: those that ``only`` names, and of an inventory those that are managed."""
    entries, only = list(params["domains"]), params.get("only")
    if only is not None:
        return _named(entries, only)
    if params.get("inventory_domains") is None:
        return entries
    managed = [one for one in entries if isinstance(one, Mapping) and _mode(one.get("dmarc")) == "managed"]
    if not managed:
        rule = "no policy of the inventory is managed, so there is none to move"
        way_out = "Say mail_dns_domains.<domain>.dmarc: {mode: managed, target: reject}."
        raise Refused(_RULES.problem("dmarc_advance", "domains", None, rule, way_out))
    return managed


def _named(entries: Iterable[Any], only: Iterable[str]) -> list[Any]:
    problems: list[Problem] = []
    names = [read_name(one, "only", one, "Correct the name.", problems) for one in only]
    by_name = {_plain_name(one): one for one in entries}
    rule = "it is none of the domains whose policy can be moved"
    way_out = WayOut(("Declare it with ", Option("dmarc.mode: managed"), ", or correct the name."))
    problems += [
        _RULES.problem(name, "only", name, rule, way_out) for name in names if name is not None and name not in by_name
    ]
    if problems:
        raise Refused(problems)
    return [by_name[str(name)] for name in dict.fromkeys(names)]


def _plain_name(entry: object) -> str | None:
    given = entry.get("domain") if isinstance(entry, Mapping) else entry
    return read_name("", "domain", given, "", []) if isinstance(given, str) else None


def _mode(dmarc: object) -> object:
    return dmarc.get("mode") if isinstance(dmarc, Mapping) else None


def _entry(entry: object, params: Mapping[str, Any]) -> object:
    """An entry with nothing but its policy; a name is a managed domain that ends at the target of the task."""
    if isinstance(entry, str):
        entry = {"domain": entry}
    if not isinstance(entry, Mapping):
        return entry  # refused by what reads it
    managed = {"mode": "managed"} | ({"target": params["target"]} if params.get("target") else {})
    return {key: entry[key] for key in _KEPT if key in entry} | {"dmarc": entry.get("dmarc", managed)}


def _policy_recipe(request: DomainRequest) -> DmarcRecipe:
    return next(one for one in request.recipes if isinstance(one, DmarcRecipe))


def _is_allowed(order: Order, request: DomainRequest, is_advance: bool) -> bool:
    """Whether a domain's policy may be moved here; else the rules that it breaks are noted."""
    recipe = next((one for one in request.recipes if isinstance(one, DmarcRecipe)), None)
    wrong: list[Problem] = []
    if recipe is None or not recipe.wish.managed or recipe.absent:
        rule = "its policy is not managed: it is what the declaration says, and no report moves it"
        managed = WayOut(
            ("Say ", Option("dmarc.mode: managed"), " with ", Option("dmarc.target"), ", or leave it out.")
        )
        wrong.append(_RULES.problem(request.domain, "dmarc.mode", None, rule, managed))
    elif is_advance and recipe.target is None:
        rule = "it is not said where the policy shall end"
        wrong.append(
            _RULES.problem(request.domain, "dmarc.target", None, rule, WayOut(("Give ", Option("dmarc.target"), ".")))
        )
    elif is_advance and not recipe.tighten:
        rule = "this run may not know every sender, so no policy becomes stricter"
        say = WayOut(("When every sender of the domain is declared, say so with ", Option("dmarc.tighten: true"), "."))
        wrong.append(_RULES.problem(request.domain, "dmarc", None, rule, say))
    if wrong:
        order.unread.setdefault(request.domain, []).extend(wrong)
    return not wrong


def _stepping(recipe: DmarcRecipe, decider: StepDecider) -> PolicyStepRecipe:
    values = {one.name: getattr(recipe, one.name) for one in fields(DmarcRecipe)}
    return PolicyStepRecipe(**{**values, "ttl": None}, decider=decider)


def _retreat(only_from: str | None) -> Decide:
    return lambda record: decide_retreat(record, only_from)


# --- evidence --------------------------------------------------------------------------------------------------------


def _advance_deciders(params: Mapping[str, Any], order: Order, recipes: Mapping[str, DmarcRecipe]) -> dict[str, Decide]:
    thresholds = _thresholds(params.get("thresholds") or {})
    groups = sender_groups(order.senders)
    names = _let_fail(params["let_fail"])
    _check_seasonal(order, params["seasonal"])
    seasonal = seasonal_groups(groups, order.senders, params["seasonal"]) if params["seasonal"] else frozenset()
    lookup = world_of(Resolver(params.get("resolver"))).lookup
    elsewhere = filter(None, map(_plain_name, [*params["domains"], *(params.get("not_domains") or ())]))
    declared = {*recipes, *elsewhere}
    has_own_policy = policy_finder(lookup)
    governed = _governed(groups, list(recipes), has_own_policy)
    evidence = _evidence(params, list(recipes), declared, groups, names, lookup, has_own_policy)
    today = datetime.datetime.now(datetime.UTC).date()
    return {
        name: _step(
            StepQuestion(
                evidence[name],
                governed[name],
                str(recipe.target),
                today,
                seasonal,
                thresholds,
                recipe.accept_lost_forwarded,
            )
        )
        for name, recipe in recipes.items()
    }


def _step(question: StepQuestion) -> Decide:
    return lambda record: decide_step(record, question)


def _evidence(
    params: Mapping[str, Any],
    domains: Sequence[str],
    declared: Collection[str],
    groups: Sequence[SenderGroup],
    let_fail: Sequence[str],
    lookup: Lookup,
    has_own_policy: HasOwnPolicy,
) -> dict[str, StepEvidence]:
    problems: list[Problem] = []
    services = services_given(params.get("services") or [], problems)
    if problems:
        raise Refused(problems)
    first_day = (datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=_OLDEST_DAYS)).isoformat()
    identifier = SourceIdentifier(groups, services, lookup)
    with reading_archive(params["archive"]) as connection:
        below = reported_below(connection, set(domains), has_own_policy, {one.domain for one in groups}, declared)
        known: dict[str, str] = {}
        if params.get("reverse_names"):
            totals = source_totals(connection, ReportFilter(tuple(domains), 0, below), identifier)
            strangers = [one for found in totals.values() for one in found if one.identity.kind != "declared"]
            known = reverse_names(strangers, lookup)
        return {
            name: read_step_evidence(
                connection, name, identifier, _namer(name, services, let_fail, known), first_day, below.get(name)
            )
            for name in domains
        }


def _namer(
    domain: str, services: Sequence[KnownService], let_fail: Sequence[str], known: Mapping[str, str]
) -> SourceNamer:
    return SourceNamer(domain, services, let_fail, known.get)


def _governed(
    groups: Sequence[SenderGroup], domains: Sequence[str], has_own_policy: HasOwnPolicy
) -> dict[str, frozenset[int]]:
    """By domain, the sender groups that its policy is applied to: its own, and those of subdomains without a policy."""
    found: dict[str, set[int]] = {name: set() for name in domains}
    for index, group in enumerate(groups):
        for name in parents_of(group.domain):
            if name in found and _may_govern(name, group.domain, has_own_policy):
                found[name].add(index)
    return {name: frozenset(indices) for name, indices in found.items()}


def _may_govern(domain: str, subdomain: str, has_own_policy: HasOwnPolicy) -> bool:
    """Whether a domain's policy may be applied to a subdomain. Where that cannot be looked up, its senders are waited
    for: they may be harmed."""
    try:
        return not has_own_policy(subdomain, domain)
    except Unresolved:
        return True


# --- options ---------------------------------------------------------------------------------------------------------


def _thresholds(given: Mapping[str, Any]) -> StepThresholds:
    found = {one.name: given[one.name] for one in fields(StepThresholds) if given.get(one.name) is not None}
    problems = [
        _RULES.problem("task", f"thresholds.{name}", str(value), rule, "Correct the number.")
        for name, value in found.items()
        for rule in _wrong_threshold(name, value)
    ]
    if problems:
        raise Refused(problems)
    return StepThresholds(**found)


def _wrong_threshold(name: str, value: float) -> list[str]:
    if name.endswith("_share"):
        return [] if 0 <= value <= 1 else ["a share is a number from 0 to 1"]
    least = 1 if name.startswith("minimum_") else 0
    return [] if value >= least else [f"it is a whole number, {least} or more"]


def _check_seasonal(order: Order, seasonal: Iterable[str]) -> None:
    known = {name for sender in order.senders for name in sender_names(sender)}
    rule = "no declared sender has this address, and none is of an environment or service of this name"
    way_out = WayOut(("Give the environment, the service or the address as it stands in ", Option("senders"), "."))
    problems = [_RULES.problem("task", "seasonal", name, rule, way_out) for name in seasonal if name not in known]
    if problems:
        raise Refused(problems)


def _let_fail(given: Iterable[str]) -> list[str]:
    """The names and networks that a person lets fail, in their normal form."""
    problems: list[Problem] = []
    found: list[str] = []
    for one in given:
        try:
            found.append(str(ipaddress.ip_network(one, strict=False)))
        except ValueError:
            name = read_name("task", "let_fail", one, "Give a domain or a network, as the report names it.", problems)
            found += [name] if name else []
    if problems:
        raise Refused(problems)
    return found

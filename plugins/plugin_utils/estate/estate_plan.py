# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Adds up what all environments need: one plan for each domain that is ours, or the reasons why there is none.

Nothing here depends on the order of the hosts. Source of the rules: docs/inventory.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import parents_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import (
    DomainDeclaration,
    flattening_of,
    kinds_of,
    read_declared_domains,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_spf import (
    read_declared_spf,
    refused_spf_removals,
    spf_entry,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_accounts import (
    DifferentAccounts,
    account_of,
    common_account,
    different_accounts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_dkim import aliases_of, selectors_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_removal import refused_removals
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_senders import (
    estate_senders,
    service_senders,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_services import (
    estate_catalogue,
    services_by_mx,
    unknown_accepted,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_signatures import (
    domain_signature,
    known_selectors,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import EstateTerms, estate_terms, is_usable
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.parked_domains import is_parked, wrong_parking
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import (
    explained_after_all,
    kept_terms,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json


@dataclass(frozen=True, slots=True)
class EstatePlan:
    """What ``mail_domains`` is to make, and who sends. ``dns`` is the account of most domains; others name theirs.
    ``names`` are all domains that are ours, as A-labels; ``parked`` those that never send, as entries of
    ``park_domains``. ``complete``: the run knows every sender. With ``problems`` nothing may be written; ``warnings``
    say what is held back or not known."""

    domains: list[dict[str, Any]] = field(default_factory=list)
    dns: Any = None
    mx_services: list[dict[str, Any]] = field(default_factory=list)
    senders: list[dict[str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    parked: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def module_options(self) -> dict[str, Any]:
        """What a playbook gives to ``mail_domains``, by the names that the filter ``mail_needs`` documents."""
        return {
            "domains": self.domains,
            "dns": self.dns or {},
            "mx_services": self.mx_services,
            "senders": self.senders,
            "names": self.names,
        }


@dataclass(frozen=True, slots=True)
class _Estate:
    """What the plan of every domain is made from: hosts sorted by name, and by each domain that they need; their
    different accounts; the needs that have aliases; and domains by A-label name, with the others at or below each."""

    options: EstateOptions
    catalogue: Catalogue
    domains: Mapping[str, DomainDeclaration]
    hosts: Mapping[str, Sequence[HostNeeds]]
    accounts: DifferentAccounts
    aliasing: Sequence[Mapping[str, Any]]
    below: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _DomainPlan:
    """One domain: its entry for ``mail_domains``, None when there is nothing to make of it, and the one for
    ``park_domains``, None unless it is parked."""

    entry: dict[str, Any] | None
    problems: list[Problem]
    warnings: list[Problem]
    parked: dict[str, Any] | None = None


def add_up(hosts: Iterable[HostNeeds], options: EstateOptions, without: Set[str] = frozenset()) -> EstatePlan:
    """Add up the needs of all hosts.

    :param hosts: each host of the play once
    :param options: what the run may do
    :param without: domains for which nothing is planned
    :returns: the plan; when it has problems nothing may be written
    """
    ordered = sorted(hosts, key=lambda host: host.host)
    catalogue, wrong_services = estate_catalogue(ordered)
    declared = read_declared_domains((host.host, host.domains) for host in ordered)
    needs = [(host.host, host.needs) for host in ordered if host.needs]
    estate = _estate(ordered, options, catalogue, declared.by_name)
    planned = [_plan_domain(estate, name) for name in sorted(set(estate.domains) - without)]
    selectors = known_selectors(catalogue)

    def usable(term: Mapping[str, Any]) -> bool:
        return is_usable(term, options)

    def signature_of(sender: Mapping[str, Any]) -> dict[str, Any] | None:
        return domain_signature(sender, declared.by_name, selectors)

    mx_services, wrong_catalogue = services_by_mx(catalogue)
    entries = [one.entry for one in planned if one.entry is not None]
    common = common_account(entry["dns"] for entry in entries)
    problems = [
        *wrong_services,
        *declared.problems,
        *_wrong_environments(ordered),
        *_unpublished(ordered),
        *unknown_accepted(options.accept_stale, catalogue),
        *(problem for one in planned for problem in one.problems),
        *wrong_catalogue,
    ]
    return EstatePlan(
        domains=[_without_account(entry, common) for entry in entries],
        dns=common,
        mx_services=mx_services,
        senders=[
            *estate_senders([one for _host, one in needs], usable, signature_of),
            *service_senders(declared.by_name, catalogue, usable, signature_of),
        ],
        names=sorted(declared.by_name),
        parked=[_without_account(one.parked, common) for one in planned if one.parked is not None],
        complete=options.knows_every_sender,
        problems=_unique(problems),
        warnings=_unique(warning for one in planned for warning in one.warnings),
    )


def _wrong_environments(hosts: Iterable[HostNeeds]) -> list[Problem]:
    """The problems of the environments themselves, so that one report has all of them."""
    return [Problem(**problem) for host in hosts for problem in (host.needs or {}).get("problems", [])]


def _unpublished(hosts: Iterable[HostNeeds]) -> list[Problem]:
    rule = "its needs are not known in this play"
    way_out = "Let the role erp_mail (tasks_from: validate) run for it first, as the playbook site does."
    silent = [host.host for host in hosts if host.declares and host.needs is None]
    return [INVENTORY_RULES.problem(host, "erp_mail_needs", None, rule, way_out) for host in silent]


def _estate(
    hosts: Sequence[HostNeeds], options: EstateOptions, catalogue: Catalogue, domains: Mapping[str, DomainDeclaration]
) -> _Estate:
    """Sort what is known by domain, once: each domain is planned from its own part."""
    needing: dict[str, list[HostNeeds]] = {}
    for host in hosts:
        for name in host.needed_domains:
            needing.setdefault(name, []).append(host)
    below: dict[str, list[str]] = {}
    for name in domains:
        for parent in parents_of(name):
            below.setdefault(parent, []).append(name)
    aliasing = [host.needs for host in hosts if host.needs and host.needs.get("cnames")]
    return _Estate(options, catalogue, domains, needing, different_accounts(hosts), aliasing, below)


def _plan_domain(estate: _Estate, name: str) -> _DomainPlan:
    declared, hosts, options = estate.domains[name], estate.hosts.get(name, ()), estate.options
    terms = estate_terms(name, declared.get("services") or [], hosts, estate.catalogue, options)
    flattening, wrong_flattening = flattening_of(name, declared)
    stated, wrong_spf = read_declared_spf(name, declared)
    spf, contradictions = spf_entry(name, terms, stated, {**flattening, **_create(declared), **_kept(declared, terms)})
    needs = [(host.host, host.needs) for host in hosts if host.needs]
    selectors = selectors_of(name, declared, needs, bool(terms.wanted))
    aliases = aliases_of(name, estate.aliasing, estate.below.get(name, ()))
    records = {
        **kinds_of(declared),
        "spf": spf,
        **_dmarc(declared, options),
        "dkim": selectors.entries or None,
        "cnames": aliases.entries or None,
    }
    entry, no_account = _entry(estate, name, records)
    refused = refused_removals(name, hosts, options)
    problems = [
        *terms.problems,
        *(refused if terms.absent else ()),
        *wrong_flattening,
        *wrong_spf,
        *contradictions,
        *refused_spf_removals(name, stated, options),
        *selectors.problems,
        *(refused if selectors.removes else ()),
        *aliases.problems,
        *(refused if aliases.removes else ()),
        *no_account,
        *wrong_parking(name, declared),
        *explained_after_all(name, declared, stated, selectors.entries),
    ]
    parked, unknown = _parked(estate, name)
    return _DomainPlan(entry, [*problems, *unknown], [*terms.warnings, *selectors.warnings], parked)


def _parked(estate: _Estate, name: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The entry of a domain for ``park_domains``, None unless it is parked."""
    declared = estate.domains[name]
    if not is_parked(declared):
        return None, []
    account, problems = account_of(name, declared.get("dns"), estate.hosts.get(name, ()), estate.accounts)
    more = {key: declared[key] for key in ("zone", "ttl") if declared.get(key) is not None}
    return {"domain": name, "dns": account, **more}, problems


def _create(declared: DomainDeclaration) -> dict[str, Any]:
    """Whether a first record may be made: not before it is stated who else sends."""
    return {"create": False} if declared.get("services") is None else {}


def _kept(declared: DomainDeclaration, terms: EstateTerms) -> dict[str, Any]:
    """The terms that stay in the record, whatever else is asked of it."""
    kept = [*kept_terms(declared), *terms.held]
    return {"kept_terms": kept} if kept else {}


def _dmarc(declared: DomainDeclaration, options: EstateOptions) -> dict[str, Any]:
    """The policy as declared; it may become stricter only when this run knows every sender."""
    policy = declared.get("dmarc")
    if not isinstance(policy, Mapping):
        return {}
    return {"dmarc": {**policy, "tighten": options.knows_every_sender} if policy else None}


def _entry(estate: _Estate, name: str, records: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The entry of a domain for ``mail_domains``, None when nothing is asked of it, and what is wrong with its account.

    :param records: by kind; None asks nothing, and a null for SPF leaves the record alone, whatever all domains share
    """
    wanted = {kind: options for kind, options in records.items() if options is not None}
    if not wanted:
        return None, []
    declared = estate.domains[name]
    account, problems = account_of(name, declared.get("dns"), estate.hosts.get(name, ()), estate.accounts)
    more = {key: declared[key] for key in ("zone", "ttl") if declared.get(key) is not None}
    return {"domain": name, "dns": account, "spf": None, **wanted, **more}, problems


def _without_account(entry: Mapping[str, Any], common: Any) -> dict[str, Any]:
    """An entry without its account when it has none, or the one of most domains."""
    drop = entry["dns"] is None or canonical_json(entry["dns"]) == canonical_json(common)
    return {key: value for key, value in entry.items() if not (key == "dns" and drop)}


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))

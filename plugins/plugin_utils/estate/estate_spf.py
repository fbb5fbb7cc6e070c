# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The SPF terms of one domain: those that its services and environments need, and those that nobody needs any more.

Source of the rules: docs/inventory.md; that an address is not published 12 months after its date is this project's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, canonical_domain, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import NeededTerm, is_held_back
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING, EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.service_terms import service_terms

_SERVICES = "mail_dns_domains.services"


@dataclass(frozen=True, slots=True)
class EstateTerms:
    """The SPF terms of a domain as text: ``wanted`` are to be in its record, ``absent`` are to be taken out of it, and
    ``held`` stay where they are there."""

    wanted: list[str]
    absent: list[str]
    held: list[str]
    problems: list[Problem]
    warnings: list[Problem]


def estate_terms(
    domain: str, services: Iterable[str], hosts: Sequence[HostNeeds], catalogue: Catalogue, options: EstateOptions
) -> EstateTerms:
    """Add up the SPF terms of a domain; equal ones are one, however they are spelled.

    :param domain: the name as A-labels
    :param services: the services that are declared for it
    :param hosts: all hosts, sorted
    :param catalogue: where the services are found
    :param options: decide which addresses are too old
    :returns: the terms of the services come first, then those of the hosts; a stale address is warned of instead
    """
    declared = [_terms_of_service(domain, service, catalogue) for service in services]
    needed = [term for one in declared for term in one.terms]
    needed += _of(hosts, domain, "present")
    keys = {term_key(term["term"]) for term in needed}
    held = [term for term in _distinct(_of(hosts, domain, LEAVING)) if term_key(term["term"]) not in keys]
    keys |= {term_key(term["term"]) for term in held}
    left = _distinct(_of(hosts, domain, "absent"))
    distinct = _distinct(needed)
    stale = [term for term in distinct if not is_usable(term, options)]
    return EstateTerms(
        wanted=[term["term"] for term in distinct if term not in stale],
        absent=[term["term"] for term in left if term_key(term["term"]) not in keys],
        held=[term["term"] for term in held],
        problems=[problem for one in declared for problem in one.problems],
        warnings=[*(warning for one in declared for warning in one.warnings), *(_held(domain, term) for term in stale)],
    )


def _of(hosts: Iterable[HostNeeds], domain: str, state: str) -> list[dict[str, Any]]:
    return [term for host in hosts for term in host.terms(domain, state)]


def is_usable(term: NeededTerm, options: EstateOptions) -> bool:
    """Whether a term may be published and relied on: it is recent, given, or accepted by its service's name.

    :param term: one of the terms that ``environment_needs`` lists
    :param options: the day to judge by, and the services that are accepted
    """
    return not is_held_back(term, options.accept_stale, options.today)


def term_key(term: str) -> object:
    """What equal terms have in common, in all their spellings (RFC 7208 sections 4.6.1, 5.6).

    :param term: an SPF term as text
    :returns: something that can be compared, and be the key of a dictionary
    """
    parsed = parse_term(term)
    if not isinstance(parsed, Directive):
        return term
    domain = canonical_domain(parsed.domain) if parsed.domain is not None else None
    return (parsed.qualifier, parsed.mechanism, domain, parsed.network, parsed.prefix4, parsed.prefix6)


@dataclass(frozen=True, slots=True)
class _ServiceTerms:
    """The terms of one declared service, or why there are none."""

    terms: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def _terms_of_service(domain: str, service: str, catalogue: Catalogue) -> _ServiceTerms:
    try:
        terms = service_terms(catalogue.service(service))
    except KeyError:
        rule, way_out = "no service of this name is in the catalogue", catalogue.closest("services", service)
        return _ServiceTerms(problems=[INVENTORY_RULES.problem(domain, _SERVICES, service, rule, way_out)])
    except Refused as refused:
        return _ServiceTerms(problems=refused.problems)
    if terms:
        return _ServiceTerms(terms)
    rule = "the SPF terms of this service are unknown, so none are planned for it"
    way_out = "Add your own entry in erp_mail_catalogue_services."
    return _ServiceTerms(warnings=[INVENTORY_RULES.problem(domain, _SERVICES, service, rule, way_out)])


def _held(domain: str, term: NeededTerm) -> Problem:
    """The warning of an address that is not published because it is too old."""
    rule = (
        f"this address of service {term['service']} is of {term['date'] or 'unknown date'}, older than 12 months, "
        "and is not published"
    )
    way_out = (
        f"Check it, then accept it with mail_dns_accept_stale: [{term['service']}], "
        "or state the current terms in erp_mail_spf_terms."
    )
    return RuleSource(str(term["source"])).problem(domain, "spf", term["term"], rule, way_out)


def _distinct(terms: Iterable[NeededTerm]) -> list[NeededTerm]:
    """The first of each group of equal terms; one that the user states wins over a catalogued one."""
    found: dict[object, NeededTerm] = {}
    for term in terms:
        key = term_key(term["term"])
        if key not in found or (term["given"] and not found[key]["given"]):
            found[key] = term
    return list(found.values())

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads the domains that are ours: mail_dns_domains of all hosts in one, and what it says about flattening.

Source of the rules: docs/inventory.md and, for includes that are to be flattened, docs/flatten.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import FLATTEN_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_KINDS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_flattening import read_flattening
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.parked_domains import PARKED_KEY
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import (
    UNEXPLAINED_KEY,
    wrong_unexplained,
)

_DECLARED_KINDS = tuple(kind.option for kind in RECORD_KINDS if kind.declared)
CUSTOMER_KEY = "customer"
"""Whose the domain is, for the reports of the playbook verify."""

_OWN_KEYS = ("services", PARKED_KEY, CUSTOMER_KEY, UNEXPLAINED_KEY)
DOMAIN_KEYS = (*_OWN_KEYS, *FLATTEN_OPTIONS, "dns", "zone", "ttl", *_DECLARED_KINDS)
"""What may be declared for a domain. What it says about flattening are the options of ``spf_record``."""

_VARIABLE = "mail_dns_domains"
_FLATTEN_RULES = RuleSource("docs/flatten.md")

DomainDeclaration = dict[str, Any]
"""What is declared for one domain, by key of :data:`DOMAIN_KEYS`; not all of its values are checked here."""


@dataclass(frozen=True, slots=True)
class DeclaredDomains:
    """The domains that are ours: ``by_name`` as A-labels. A domain with ``problems`` may be missing there."""

    by_name: dict[str, DomainDeclaration]
    problems: list[Problem]


def read_declared_domains(variables: Iterable[tuple[str, Any]]) -> DeclaredDomains:
    """Read the declarations of all hosts, which must agree where they declare the same domain.

    :param variables: (host, its mail_dns_domains; None when it has none), sorted by host
    """
    found: dict[str, tuple[str, DomainDeclaration]] = {}
    problems: list[Problem] = []
    for host, declared in variables:
        domains, wrong = _domains_of(host, declared)
        problems += wrong
        for name, domain in domains.items():
            first, known = found.setdefault(name, (host, domain))
            if known != domain:
                rule = f"{first} and {host} declare this domain differently"
                way_out = "Declare it once, e.g. in group_vars/all.yml."
                problems.append(INVENTORY_RULES.problem(name, _VARIABLE, None, rule, way_out))
    return DeclaredDomains({name: domain for name, (_host, domain) in found.items()}, problems)


def kinds_of(declared: DomainDeclaration) -> dict[str, Any]:
    """The kinds of records that a domain states, as options of its entry for ``mail_domains``, which checks them."""
    return {option: declared[option] for option in _DECLARED_KINDS if declared.get(option) is not None}


def flattening_of(name: str, declared: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Which includes of a domain's SPF record are to be flattened.

    :param name: the domain as A-labels
    :param declared: its entry in mail_dns_domains
    :returns: the options of ``spf`` in ``mail_domains``, empty when nothing is said; and what is wrong. A list that is
        stated is the whole list: what was flattened and is not in it becomes an include again
    """
    stated = {key: declared[key] for key in FLATTEN_OPTIONS if declared.get(key) is not None}
    problems = _wrong_flattening(name, stated)
    if problems or "flatten" not in stated:
        return {}, problems
    defaults = {key: option["default"] for key, option in FLATTEN_OPTIONS.items()}
    read_flattening(name, name, defaults | stated, problems)
    return {**stated, "other_flattened": "restore"}, problems


def _domains_of(host: str, declared: Any) -> tuple[dict[str, DomainDeclaration], list[Problem]]:
    """The domains that one host declares, by A-label name."""
    if declared is None:
        return {}, []
    if not isinstance(declared, Mapping):
        rule = "it is a dictionary: domain to what is declared for it"
        return {}, [INVENTORY_RULES.problem(host, _VARIABLE, None, rule, "Write {acme.example: {services: []}}.")]
    found: dict[str, DomainDeclaration] = {}
    problems: list[Problem] = []
    for given, domain in declared.items():
        try:
            name = to_alabels(given)
        except BadName as error:
            problems.append(INVENTORY_RULES.problem(host, _VARIABLE, given, str(error), "Correct the name."))
            continue
        if name in found:
            rule = f"{name} is declared twice, in two spellings"
            problems.append(INVENTORY_RULES.problem(host, _VARIABLE, given, rule, "Declare it once."))
            continue
        read, wrong = _read_domain(name, domain)
        found |= {} if read is None else {name: read}
        problems += wrong
    return found, problems


def _read_domain(name: str, domain: Any) -> tuple[DomainDeclaration | None, list[Problem]]:
    """One entry; None when it cannot be read. A key that is not known is wrong, but the others can be read."""
    if domain is not None and not isinstance(domain, Mapping):
        rule = f"a domain's declaration is a dictionary, not a {type(domain).__name__}"
        way_out = "Write {services: []} when nobody else sends."
        return None, [INVENTORY_RULES.problem(name, _VARIABLE, None, rule, way_out)]
    stated = dict(domain or {})
    wrong = [*_wrong_services(name, stated.get("services")), *wrong_unexplained(name, stated)]
    return None if wrong else stated, [*_unknown_keys(name, stated), *wrong]


def _unknown_keys(name: str, stated: DomainDeclaration) -> list[Problem]:
    rule, way_out = "a domain's declaration has no such key; its value is not shown", ", ".join(DOMAIN_KEYS)
    return [
        INVENTORY_RULES.problem(name, f"{_VARIABLE}.{key}", None, rule, f"It takes: {way_out}.")
        for key in sorted(set(stated) - set(DOMAIN_KEYS))
    ]


def _wrong_services(name: str, services: Any) -> list[Problem]:
    if services is None or (isinstance(services, list) and all(isinstance(one, str) for one in services)):
        return []
    rule = "services is a list of names of the catalogue; [] when nobody else sends"
    way_out = "Write e.g. services: [microsoft365]."
    return [INVENTORY_RULES.problem(name, f"{_VARIABLE}.services", None, rule, way_out)]


def _wrong_flattening(name: str, stated: Mapping[str, Any]) -> list[Problem]:
    found = []
    includes, days = stated.get("flatten", []), stated.get("flatten_refresh", 1)
    if not (isinstance(includes, list) and all(isinstance(include, str) for include in includes)):
        rule, way_out = "flatten is a list of domains that the record includes", "Write e.g. flatten: [spf.x.example]."
        found.append(_FLATTEN_RULES.problem(name, f"{_VARIABLE}.flatten", None, rule, way_out))
    if not isinstance(days, int) or isinstance(days, bool):
        rule, way_out = "flatten_refresh is a number of days", "Write e.g. flatten_refresh: 7."
        found.append(_FLATTEN_RULES.problem(name, f"{_VARIABLE}.flatten_refresh", None, rule, way_out))
    return found

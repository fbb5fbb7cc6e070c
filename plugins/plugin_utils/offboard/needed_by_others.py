# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What stays although an environment leaves, because others need it: each thing with who needs it. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import (
    ALIASES,
    SELECTORS,
    SENDERS,
    TENANT,
    TERMS,
    part_state,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import domains_sent_as
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import (
    kept_terms,
    unexplained_items,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.service_terms import service_terms

Needs = Mapping[str, Mapping[str, Any]]
Domains = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class KeptThing:
    """``what`` stays (a term, a selector, an alias, a consent), ``where``, and who ``needs`` it."""

    what: str
    where: str
    needs: tuple[str, ...]

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.what} at {self.where}, needed by {', '.join(self.needs)}"


def kept_for_others(host: str, needs: Needs, domains: Domains, catalogue: Catalogue) -> list[KeptThing]:
    """Find what of an environment others need.

    :param host: the environment that leaves
    :param needs: of all environments, the parts of those that leave included
    :param domains: the entries of mail_dns_domains, by A-label name
    :param catalogue: has the terms of declared services
    """
    own, others = needs[host], {name: one for name, one in needs.items() if name != host}
    found = [*_terms(own, others, domains, catalogue), *_selectors(own, others, domains)]
    found += [*_aliases(own, others), *_consent(own, others)]
    return [one for one in found if one.needs]


def users_of(domain: str, needs: Needs, domains: Domains) -> list[str]:
    """Who still sends as a domain.

    :param domain: as A-labels
    :param needs: of all environments; one that has stopped sends no more
    :param domains: the entries of mail_dns_domains, by A-label name
    """
    found = [
        host
        for host, one in sorted(needs.items())
        if domain in domains_sent_as(one)
        and any(part_state(one, part) != "absent" for part in (SENDERS, TERMS, ALIASES))
    ]
    declared = domains.get(domain, {})
    found += [f"the service {name}" for name in declared.get("services") or []]
    return [*found, *(f"what is unexplained ({what})" for what in unexplained_items(declared))]


def _holding(others: Needs, part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((name, one) for name, one in sorted(others.items()) if part_state(one, part) != "absent")


def _terms(own: Mapping[str, Any], others: Needs, domains: Domains, catalogue: Catalogue) -> Iterator[KeptThing]:
    for domain, terms in own.get("domains", {}).items():
        declared = domains.get(domain, {})
        for term in dict.fromkeys(one["term"] for one in terms):
            key = term_key(term)
            needing = [
                name for name, one in _holding(others, TERMS) if _has(one.get("domains", {}).get(domain, []), key)
            ]
            needing += [
                f"the service {name}"
                for name in declared.get("services") or []
                if _has(_service_terms(name, catalogue), key)
            ]
            needing += ["mail_dns_domains"] if key in _stated_terms(declared) else []
            needing += ["what is unexplained"] if key in map(term_key, kept_terms(declared)) else []
            yield KeptThing(f"SPF {term}", domain, tuple(needing))


def _selectors(own: Mapping[str, Any], others: Needs, domains: Domains) -> Iterator[KeptThing]:
    for domain, selectors in own.get("dkim", {}).items():
        declared = domains.get(domain, {}).get("dkim")
        listed = declared if isinstance(declared, list) else []
        stated = {str(one.get("selector")).lower() for one in listed if isinstance(one, Mapping)}
        for selector in dict.fromkeys(one["selector"] for one in selectors):
            needing = [
                name
                for name, one in _holding(others, SELECTORS)
                if any(key["selector"] == selector for key in one.get("dkim", {}).get(domain, []))
            ]
            needing += ["mail_dns_domains"] if selector in stated else []
            yield KeptThing(f"DKIM selector {selector}", domain, tuple(needing))


def _aliases(own: Mapping[str, Any], others: Needs) -> Iterator[KeptThing]:
    for alias in own.get("cnames", []):
        needing = [
            name
            for name, one in _holding(others, ALIASES)
            if any(other["name"] == alias["name"] for other in one.get("cnames", []))
        ]
        yield KeptThing("CNAME", alias["name"], tuple(needing))


def _consent(own: Mapping[str, Any], others: Needs) -> Iterator[KeptThing]:
    entra = own.get("entra") or {}
    if entra.get("kind") != "consent":
        return
    same = [name for name, one in _holding(others, TENANT) if _is_same(one.get("entra") or {}, entra)]
    yield KeptThing(f"consent for {entra.get('application')}", f"{entra.get('user')}", tuple(same))


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(str(one.get(name)).lower() == str(other.get(name)).lower() for name in ("kind", "app_id", "user"))


def _stated_terms(declared: Mapping[str, Any]) -> set[object]:
    """The terms that a domain states itself; what is wrong with them is told where they are planned."""
    spf = declared.get("spf")
    terms = spf.get("terms") if isinstance(spf, Mapping) else None
    found = set()
    for term in terms if isinstance(terms, list) else ():
        with contextlib.suppress(SpfError):
            found.add(term_key(str(term)))
    return found


def _has(terms: Iterable[Mapping[str, Any]], key: object) -> bool:
    return any(term_key(one["term"]) == key for one in terms)


def _service_terms(name: str, catalogue: Catalogue) -> list[dict[str, Any]]:
    try:
        return service_terms(catalogue.service(name))
    except (KeyError, Refused):
        return []

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which services of the catalogue a term, a selector, an MX host or an alias may stand for; several is no answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import LiveApplication
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    Entra,
    Service,
    System,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key

_OF_AN_ERP = ("erp_vendor", "graph", "addon")
"""Kinds of services that only an ERP sends by, so that an environment may be meant."""


@dataclass(frozen=True, slots=True)
class ErpWay:
    """A way in which an ERP may send; ``application`` must be named with it, ``sender`` is an address that is known."""

    system: str
    transport: str
    application: str | None = None
    sender: str | None = None


class Recognition:
    """Looks things up in the catalogue.

    :param catalogue: the services that exist; one that cannot be read is left out
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._services: list[Service] = []
        for name in catalogue.names("services"):
            try:
                self._services.append(catalogue.service(name))
            except Refused:
                continue

    def of_term(self, term: str) -> list[str]:
        """The services that an SPF term tells of, whether they ask for it or not.

        :param term: as it stands in a record
        """
        return list(self._by_term.get(same_term(term), ()))

    def of_selector(self, selector: str, target: str | None) -> list[str]:
        """The services that give out a DKIM selector.

        :param selector: in lower case
        :param target: what it is an alias of, None for a key
        """
        found = []
        for service in self._services:
            names = service.dkim.value.get("names") if isinstance(service.dkim.value, Mapping) else None
            named = isinstance(names, list) and selector in names and target is not None
            own = _own_domain(service) if service.kind == "platform" else None
            if named and (own is None or is_inside(target or "", own)):
                found.append(service.name)
        return found

    def of_mx(self, host: str) -> list[str]:
        """The services whose MX host it is.

        :param host: as A-labels
        """
        return [one.name for one in self._services if any(is_inside(host, suffix) for suffix in one.mx.value or ())]

    def of_alias(self, target: str) -> list[str]:
        """The services that give out names below a customer's domain, such as return paths, with this target.

        :param target: what such a name is an alias of
        """
        giving = [one for one in self._services if one.envelope.value == "return_path"]
        return [one.name for one in giving if (own := _own_domain(one)) and is_inside(target, own)]

    def is_plain(self, service: str) -> bool:
        """Whether a service may be declared for a domain without asking: people, not only an ERP, send by it.

        :param service: its name
        """
        return self._named[service].kind not in _OF_AN_ERP

    def ways_of(self, services: Iterable[str]) -> list[ErpWay]:
        """The ways in which an ERP sends by services that only an ERP uses.

        :param services: names, of which others may be among them
        """
        wanted = [one for one in services if one in self._named and not self.is_plain(one)]
        return [
            ErpWay(system.name, transport.id)
            for system, transport in self._transports
            if any(name in wanted for name in transport.services)
        ]

    def ways_of_application(self, application: LiveApplication, domain: str) -> Iterator[ErpWay]:
        """The ways in which an ERP may send with an application of a tenant.

        :param application: that may send
        :param domain: what it is told at, as A-labels
        """
        addresses = [one for one in application.addresses if one.lower().endswith(f"@{domain}")]
        for system, transport in self._transports:
            entra = transport.entra
            if entra is not None and _fits(entra, application):
                named = application.app_id if entra.kind == "application" else None
                yield ErpWay(system.name, transport.id, named, addresses[0] if addresses else None)

    @property
    def selectors(self) -> list[str]:
        """All selectors that the catalogue knows."""
        found: dict[str, None] = {}
        for service in self._services:
            names = service.dkim.value.get("names") if isinstance(service.dkim.value, Mapping) else None
            found |= dict.fromkeys(names if isinstance(names, list) else ())
        return list(found)

    def has_term(self, service: str, term: str) -> bool:
        """Whether a term is published for a service that is declared.

        :param service: its name
        :param term: as it stands in a record
        """
        return any(same_term(term) == same_term(one) for one in self._named[service].spf_terms.value or ())

    @cached_property
    def _by_term(self) -> dict[object, list[str]]:
        found: dict[object, list[str]] = {}
        for service in self._services:
            for term in service.telling_terms:
                found.setdefault(same_term(term), []).append(service.name)
        return found

    @cached_property
    def _transports(self) -> list[tuple[System, Transport]]:
        systems = [self._catalogue.system(name) for name in self._catalogue.names("systems")]
        return [(system, transport) for system in systems for transport in system.transports]

    @cached_property
    def _named(self) -> dict[str, Service]:
        return {one.name: one for one in self._services}


def same_term(term: str) -> object:
    """What equal terms have in common; what cannot be read is only like itself.

    :param term: as it stands in a record
    """
    try:
        return term_key(term)
    except SpfError:
        return term


def _fits(entra: Entra, application: LiveApplication) -> bool:
    """Whether an application is what a transport needs: one of the tenant's own with all its permissions, or that of
    its publisher."""
    if entra.kind == "application":
        return application.own and {one["role"] for one in entra.permissions} <= application.rights
    same = str(entra.application).casefold() == application.name.casefold()
    return same and application.publisher in (None, entra.publisher)


def _own_domain(service: Service) -> str | None:
    """The domain that a service's names are in: that of its mail server."""
    host = service.host.value
    return str(host).partition(".")[2] if host and str(host).count(".") > 1 else None

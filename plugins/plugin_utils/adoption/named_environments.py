# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The ERP environments that a person named in answers: which of them may be declared, and where they are put."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import Answers
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import (
    AnsweredEnvironment,
    answered_environments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_hosts import (
    ErpHost,
    covered_selectors,
    judged_host,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_places import (
    InventoryPlaces,
    listed_items,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.proof import environment_fault
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_answers import completed_answer
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import TenantFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

_TENANT = "mail_entra_tenant"
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class NamedEnvironments:
    """What is needed to judge them: ``facts`` were read, by domain; ``services`` are the inventory's own."""

    places: InventoryPlaces
    answers: Answers
    facts: Mapping[str, DomainFacts]
    tenants: Sequence[TenantFacts]
    services: Mapping[str, Any]

    def judged(self) -> Iterator[ErpHost]:
        """All of them, but for those that were written before and that a person took out."""
        answered = list(answered_environments(self.answers))
        if not answered:
            return
        # all that ERPs are judged by is loaded only where a person named one
        from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues

        there, catalogues = self.places.hosts, Catalogues()
        catalogue, tenants = Catalogue(services=self.services), self._tenants()
        for one in answered:
            was_written = host_key(one.name) in self.places.written
            if one.name in there or not was_written:
                completed = completed_answer(one, tenants, catalogue)
                host = judged_host(one, completed.variables, self._shared(one), catalogues)
                host.is_new, host.notes = not was_written and not _is_environment(there.get(one.name)), completed.notes
                reason = self._taken(host) or completed.reason or (host.needs and self._fault(host))
                if reason:
                    host.refuse(str(reason))
                yield host

    def _tenants(self) -> Sequence[TenantFacts]:
        """The tenants, without their sign-ins where a person has declared one for many hosts."""
        on_hosts = any(isinstance(one, Mapping) and _TENANT in one for one in self.places.hosts.values())
        anywhere = any(_TENANT in file.keys for file in self.places.files.values())
        return [replace(one, account=None) for one in self.tenants] if anywhere and not on_hosts else self.tenants

    def _shared(self, environment: AnsweredEnvironment) -> dict[str, Any]:
        """What the inventory has for its host beside its own variables."""
        places, home = self.places, self.places.home(environment.domain)
        names = [*(places.files[home].entries if home in places.files else ()), *self.facts]
        domains: dict[str, Any] = {name: {} for name in names if places.home(name) == home}
        return {"mail_dns_domains": domains, "erp_mail_catalogue_services": self.services}

    def _taken(self, host: ErpHost) -> str | None:
        """Why its name may not be used."""
        carrier = f"{self.places.group(host.environment.domain)}_mail"
        if host.is_new and (host.name == carrier or host.name in self.places.hosts):
            return "a host of this name is there, and stays as it is: give the environment another name."
        return None

    def _fault(self, host: ErpHost) -> str | None:
        """Why an environment may not be put in: beside what a person has written, or because something would change."""
        places, domain = self.places, host.environment.domain
        if host.is_new and places.group(domain) is None:
            return f"{places.home(domain)} has no hosts of one per line that it could be put behind."
        clash = [one for one in listed_items(places.declared(domain)) if one in covered_selectors(host, domain)]
        if clash and not places.is_untouched(domain):
            return f"take {', '.join(clash)} out of unexplained of {domain} first, whose entry was edited by hand."
        fault = environment_fault(host.name, host.needs or {}, self.facts, self.services)
        return f"{fault}." if fault else None


def _is_environment(declared: Any) -> bool:
    return isinstance(declared, Mapping) and "erp_mail_system" in declared


def host_key(name: str) -> str:
    """What tells in the list of what was written that a host was; no domain has such a name.

    :param name: of the host
    """
    return f"host {name}"


def named_applications(environments: Iterable[ErpHost], places: InventoryPlaces) -> set[str]:
    """The ids of applications that environments of the inventory sign in with, those of a person's hosts, too.

    :param environments: as they were judged
    :param places: the files as they are
    """
    declared = [one.variables for one in environments if one.needs]
    return set(_GUID.findall(str([declared, places.hosts]).lower()))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which facts of an environment's service are to be checked again, because the day that their source names is past."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Fact, Source
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import Ageing
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment

_OF_FIELDS = {
    "host": ("host",),
    "port": ("ports",),
    "endpoint": ("host", "ports"),
    "security": ("ports",),
    "auth": ("auth",),
    "username": ("username",),
}
"""The facts of a service that fill a field of the screen, by what the field's ``fact`` names."""


def aged_facts(environment: Environment, ageing: Ageing) -> list[tuple[Source, list[str]]]:
    """The facts in use that are to be checked again; what the inventory states itself is the user's to know.

    :param environment: an environment without errors
    :param ageing: tells what is too old
    :returns: each source with the names of its facts: host, ports, auth, username, spf_terms, dkim, domains, mx,
        envelope, from_rule, limits
    """
    found: dict[Source, list[str]] = {}
    for name, fact in _facts_in_use(environment):
        if fact.source is not None and ageing.is_due(fact.source) and name not in found.setdefault(fact.source, []):
            found[fact.source].append(name)
    return list(found.items())


def _facts_in_use(environment: Environment) -> Iterator[tuple[str, Fact]]:
    service, fields = environment.service, environment.transport.fields
    filled = {
        name for field in fields if field.id not in environment.given for name in _OF_FIELDS.get(field.fact or "", ())
    }
    for name in ("host", "ports", "auth", "username"):
        if name in filled:
            yield name, getattr(service, name)
    if environment.spf_terms is None and not _only_addresses(service.spf_terms):
        yield "spf_terms", service.spf_terms
    for name in ("dkim", "domains", "mx", "envelope", "from_rule"):
        yield name, getattr(service, name)
    for limit in service.limits.values():
        yield "limits", limit


def _only_addresses(terms: Fact) -> bool:
    """Addresses that are too old are held back from the DNS, and the sheet says that there."""
    return all(str(term).lstrip("+").lower().startswith(("ip4:", "ip6:")) for term in terms.value or ())

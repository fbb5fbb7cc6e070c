# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which of a domain's declared DKIM selectors sign the mail of a sender for whom its environment names none.

Source of the rules: docs/inventory.md, and the catalogue for the selectors that a service is known to use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue


def known_selectors(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """The names that services are known to give their selectors.

    :param catalogue: the services that exist
    :returns: by service; empty where nobody knows them
    """
    return {name: _names_of(name, catalogue) for name in catalogue.names("services")}


def domain_signature(
    sender: Mapping[str, Any], domains: Mapping[str, Mapping[str, Any]], known: Mapping[str, frozenset[str]]
) -> dict[str, Any] | None:
    """Find the signature of a sender among the selectors that mail_dns_domains has for its domain.

    A selector that the catalogue knows as another service's signs no mail of this one; nor is it taken for this one's
    when the domain names other services whose selectors nobody knows: a guess must not become a pass.

    :param sender: {domain, service}, as ``resolved_senders`` gives it
    :param domains: the domains that are ours, by A-label name
    :param known: what :func:`known_selectors` gives
    :returns: {domain, selectors}; None when it is not known
    """
    declared = domains.get(sender["domain"]) or {}
    own = known.get(sender["service"], frozenset())
    taken = frozenset().union(*known.values()) - own
    others = [name for name in declared.get("services") or [] if name != sender["service"]]
    is_guess = any(not known.get(name) for name in others)
    found = [one for one in _selectors(declared.get("dkim")) if one in own or (one not in taken and not is_guess)]
    return {"domain": sender["domain"], "selectors": found} if found else None


def _selectors(declared: Any) -> list[str]:
    """The selectors that are to sign, in lower case; what else is wrong with them ``mail_domains`` says."""
    entries: Iterable[Any] = declared if isinstance(declared, list) else ()
    present = [one for one in entries if isinstance(one, Mapping) and one.get("state", "present") == "present"]
    present = [one for one in present if not one.get("revoked")]
    return list(dict.fromkeys(str(one["selector"]).lower() for one in present if one.get("selector")))


def _names_of(service: str, catalogue: Catalogue) -> frozenset[str]:
    try:
        fact = catalogue.service(service).dkim.value
    except Refused:
        return frozenset()
    names = fact.get("names") if isinstance(fact, Mapping) else None
    return frozenset(names) if isinstance(names, list) else frozenset()

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What modules get to know of sending services, to name the sources in reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

_RULES = RuleSource("docs/catalogue.md")


def known_services(services: Iterable[Any] | None, catalogue: Catalogue) -> list[dict[str, Any]]:
    """What is known of services; without any, of all in the catalogue.

    :param services: names of the catalogue, and dictionaries, which stay as they are
    :raises Refused: the catalogue has no such service
    """
    names: Iterable[Any] = catalogue.names("services") if services is None else services
    return [dict(one) if isinstance(one, Mapping) else _facts(catalogue, str(one)) for one in names]


def _facts(catalogue: Catalogue, name: str) -> dict[str, Any]:
    try:
        service = catalogue.service(name)
    except KeyError:
        rule = "the catalogue has no such service"
        raise Refused(_RULES.problem("reports", "services", name, rule, catalogue.closest("services", name))) from None
    domains = service.domains.value or []
    return {"name": name, "title": service.title, "spf_terms": list(service.telling_terms), "domains": list(domains)}

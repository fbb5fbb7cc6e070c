# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The SPF terms that a service asks for, as they are needed of a domain."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Service


def service_terms(service: Service) -> list[dict[str, Any]]:
    """The catalogued SPF terms of a service, each with its source and date; empty when they are unknown.

    :param service: an entry of the catalogue
    :returns: {term, service, source, date, given} of each; ``given`` is False
    """
    fact = service.spf_terms
    source, date = (str(fact.source), fact.source.date) if fact.source else ("", None)
    return [
        {"term": term, "service": service.name, "source": source, "date": date, "given": False}
        for term in fact.value or ()
    ]

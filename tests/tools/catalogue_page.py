# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/services.md: every ERP system and sending service by its name, made from the catalogue.

``python -m ansible_collections.mailroom.erp.tests.tools.catalogue_page`` writes it anew; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    Fact,
    Service,
    System,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

FILE = Path(__file__).parents[2] / "docs" / "services.md"
_CATALOGUE = "../plugins/plugin_utils/catalogue"
_WITHOUT_SMTP = ("addon", "graph")
_BOUNCES = {"sender": "the sender", "return_path": "a name that it gives out", None: "unknown"}
_HEAD = """# Systems and services by name

What the variables [`erp_mail_system`](inventory.md#variables-of-one-environment), `erp_mail_transport`,
`erp_mail_service` and `services` of [`mail_dns_domains`](inventory.md#variables-of-the-dns) may name, besides what you
[add yourself](catalogue.md). Each name leads to its file, where every fact has its source. What nobody gave is
"unknown", and nothing is done for it. This page is made from those files (`tests/tools/catalogue_page.py`).
"""
_SYSTEMS = """## ERP systems

| `erp_mail_system` | system | `erp_mail_transport`, and the services that it takes |
| --- | --- | --- |
"""
_SERVICES = """## Sending services

`kind` is explained in [catalogue.md](catalogue.md#a-service). SPF: the terms that a sender's domain needs, which are
published for it; "known by" are terms that only tell the service. DKIM: how many records it gives out, and the
selectors where they are the same for everybody. Bounces: where they go, whose domain is the one that receivers check
SPF for.

| name | service | kind | server and ports | SPF | DKIM | bounces go to | as of |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """The page as it stands in its file."""
    catalogue = Catalogue()
    systems = [_system_row(catalogue.system(name)) for name in catalogue.names("systems")]
    services = [_service_row(catalogue, name) for name in catalogue.names("services")]
    return f"{_HEAD}\n{_SYSTEMS}{''.join(systems)}\n{_SERVICES}{''.join(services)}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _link(part: str, name: str) -> str:
    return f"[`{name}`]({_CATALOGUE}/{part}/{name}.yml)"


def _system_row(system: System) -> str:
    transports = "; ".join(f"`{one.id}`: {_taken(one)}" for one in system.transports)
    return _row([_link("systems", system.name), system.title, transports])


def _taken(transport: Transport) -> str:
    named = [f"`{name}`" for name in transport.services]
    kinds = [f"every {', '.join(transport.kinds)}"] if transport.kinds else []
    return " and ".join([*named, *kinds])


def _service_row(catalogue: Catalogue, name: str) -> str:
    service = catalogue.service(name)
    sources = catalogue.entry("services", name)["sources"].values()
    dates = sorted(str(source["date"]) for source in sources if source["date"] != "unknown")
    cells = [
        _link("services", name),
        service.title,
        f"`{service.kind}`",
        _server(service),
        _spf(service),
        _dkim(service.dkim),
        _BOUNCES[service.envelope.value],
        dates[-1] if dates else "unknown",
    ]
    return _row(cells)


def _server(service: Service) -> str:
    if service.kind in _WITHOUT_SMTP:
        return "none"
    ports = ", ".join(str(entry["port"]) for entry in service.ports.value or ())
    host = f"`{service.host.value}`" if service.host.value else ""
    return ": ".join(part for part in (host, ports) if part) or "unknown"


def _spf(service: Service) -> str:
    terms = service.spf_terms.value
    needed = "unknown" if terms is None else " ".join(f"`{term}`" for term in terms) or "none needed"
    known = " ".join(f"`{term}`" for term in service.spf_known_by.value or ())
    return f"{needed}; known by {known}" if known else needed


def _dkim(fact: Fact) -> str:
    value = fact.value or {}
    if not isinstance(value.get("count"), int):
        return "unknown"
    names = value.get("names")
    told = ", ".join(f"`{name}`" for name in names) if isinstance(names, list) else "the account's own"
    return f"{value['count']} {str(value['type']).upper()}: {told}"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")

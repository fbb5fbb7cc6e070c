# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Why an RRset changes: which environments, services and variables ask for what is new in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import PlannedRecord, PlannedRrset
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangeReason
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import TERMS, part_state
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key

_VARIABLES = {
    "spf": "spf or services",
    "dkim": "dkim",
    "dmarc": "dmarc",
    "report": "dmarc.rua",
    "null_mx": "null_mx",
    "tls_rpt": "tls_rpt",
    "mta_sts": "mta_sts",
}
"""The keys of a domain in mail_dns_domains by the kind of a record."""


def change_reasons(
    records: Iterable[PlannedRecord], needs: Mapping[str, Mapping[str, Any]]
) -> tuple[ChangeReason, ...]:
    """Say why each of them changes.

    :param records: those that change
    :param needs: what each environment needs, by host
    """
    reasons = ((one, tuple(dict.fromkeys(_why(one, needs)))) for one in records)
    return tuple(ChangeReason(one.name, one.type, why) for one, why in reasons)


def _why(record: PlannedRecord, needs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for kind in record.kinds:
        for domain in record.domains:
            if kind == "spf":
                yield from _terms(domain, record, needs)
            else:
                yield from _of_environments(kind, domain, record, needs) or [_of_domain(kind, domain)]


def _of_environments(
    kind: str, domain: str, record: PlannedRecord, needs: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    found = []
    for host, one in sorted(needs.items()):
        if kind == "dkim":
            keys = one.get("dkim", {}).get(domain, [])
            named = [key for key in keys if f"{key['selector']}._domainkey.{domain}" == record.name]
            found += [f"{host} signs by {key['service']}" for key in named]
        elif kind == "cname":
            aliases = [alias for alias in one.get("cnames", []) if alias["name"] == record.name]
            found += [f"{host} sends by {alias['service']}, which asks for this alias" for alias in aliases]
    return found


def _terms(domain: str, record: PlannedRecord, needs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Who needs what is new in an SPF record, and who needed what goes; the domain itself says the rest."""
    new, gone = _only_in(record.after, record.before), _only_in(record.before, record.after)
    for host, one in sorted(needs.items()):
        for term in one.get("domains", {}).get(domain, []):
            key = term_key(term["term"])
            if key in new and part_state(one, TERMS) == "present":
                new = {other: word for other, word in new.items() if other != key}
                yield f"{host} sends by {term['service']}: {term['term']}"
            elif key in gone and part_state(one, TERMS) == "absent":
                gone = {other: word for other, word in gone.items() if other != key}
                yield f"{host} is gone, and nobody else needs {term['term']}"
    rest = sorted({*new.values(), *gone.values()})
    if rest:
        yield f"{_of_domain('spf', domain)}: {' '.join(rest)}"


def _only_in(these: PlannedRrset | None, those: PlannedRrset | None) -> dict[object, str]:
    """The terms that stand in one of two RRsets only, by what equal terms have in common."""
    return {term_key(word): word for word in departed(_words(these), _words(those))}


def _words(rrset: PlannedRrset | None) -> list[str]:
    records = [value for value in (rrset.values if rrset else ()) if value.lower().startswith("v=spf1")]
    return [word for value in records for word in value.split(" ") if word]


def _of_domain(kind: str, domain: str) -> str:
    key = _VARIABLES.get(kind)
    return f"mail_dns_domains.{domain}: {key}" if key else f"declared for {domain}"

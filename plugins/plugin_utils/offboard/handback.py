# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The hand-back of an environment: its records as a zone file, and all that the next provider must know in words. Pure.

Nothing in it is a secret: records are public, and of a tenant it holds names only. Source of the format of zone files:
RFC 1035 section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import name_of, rdata_text
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import domains_sent_as
from ansible_collections.mailroom.erp.plugins.plugin_utils.markdown_text import (
    markdown_code,
    markdown_plain,
    markdown_table,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.leaving_estate import told_stages
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_stages import STOPPED, Stage

HANDBACK_PAGE = "handback.md"
_NEVER = ["never", "", "", "", ""]
_TYPES = ("TXT", "CNAME", "MX")
_HEAD = """\
; The mail records of {host} in the zone {zone}, as they were when it began to leave.
; SOA and NS stand here so that the file can be read; the zone has its own.
$ORIGIN {zone}.
$TTL 3600
@ IN SOA ns.invalid. hostmaster.invalid. 1 7200 3600 1209600 3600
@ IN NS ns.invalid.
"""
_STAGES = {
    "stopped": "sending has stopped",
    "tenant": "application, consent and secrets in the tenant go",
    "dkim": "DKIM selectors go",
    "spf": "SPF terms go",
    "policy": "return paths, settings and sheets go; and the policies of domains that leave",
}
"""What is done in each stage, by its name."""


@dataclass(frozen=True, slots=True)
class Handback:
    """All that the page of one environment tells. ``told`` is what ``leaving_estate`` tells of it; ``domains`` those it
    sends as; ``writes`` all of the journal, the oldest first."""

    host: str
    needs: Mapping[str, Any]
    told: Mapping[str, Any]
    writes: Sequence[tuple[Key, LastWrite]]

    @property
    def domains(self) -> set[str]:
        """The domains that it has records at, as A-labels."""
        return domains_sent_as(self.needs)


def zone_texts(host: str, needs: Mapping[str, Any], live: Iterable[DomainFacts]) -> dict[str, str]:
    """Write the records of the domains of an environment as zone files.

    :param host: the environment
    :param needs: what it needs
    :param live: what was read of domains, those of others too
    :returns: a text by zone; only zones of ours with records of it
    """
    domains = domains_sent_as(needs)
    found: dict[str, dict[Key, RRset]] = {}
    for one in live:
        if one.domain in domains and one.zone is not None:
            taken = {key: rrset for key, rrset in one.rrsets.items() if rrset.type in _TYPES}
            found.setdefault(one.zone, {}).update(taken)
    return {
        zone: _HEAD.format(host=escape_controls(host), zone=zone) + "".join(_lines(rrsets))
        for zone, rrsets in sorted(found.items())
        if rrsets
    }


def _lines(rrsets: Mapping[Key, RRset]) -> Iterator[str]:
    for (name, rdtype), rrset in sorted(rrsets.items()):
        for value in sorted(rrset.values):
            yield f"{name_of(name).to_text()} {rrset.ttl} IN {rdtype} {rdata_text(rdtype, value)}\n"


def handback_page(given: Handback) -> str:
    """Write what the next provider must know.

    :param given: of one environment
    :returns: Markdown; the same facts make the same text on any day
    """
    stages = told_stages(given.told)
    parts = [
        f"# Hand-back: {markdown_plain(given.host)}",
        "What this mail environment had, what was changed for it, and what became of it. It holds no secrets: those of "
        "the tenant end with its application, and none is handed on.",
        _head(given),
        "## How it leaves",
        markdown_table(
            ["step", "since, or not before", "by what it is known, or what is waited for"], _steps(given, stages)
        ),
        "## The records that it needed",
        markdown_table(["domain", "what", "value"], list(_needed(given.needs)) or [["none", "", ""]]),
        *_kept(given),
        "## What was changed in the DNS, from the journal",
        markdown_table(["when (UTC)", "record", "before", "after", "why"], list(_changes(given)) or [_NEVER]),
        "## What to do with it",
        *(f"{number}. {text}" for number, text in enumerate(_TO_DO, 1)),
    ]
    return "\n\n".join(parts) + "\n"


_TO_DO = (
    "Publish SPF terms and DKIM selectors of the service that sends from now on; the zone files beside this page are "
    "what stood there, to compare with, not to be taken over as they are.",
    "Keep the DMARC policy. A domain without one is easier to forge, most of all one that nobody sends as any more: "
    "such a domain wants `v=spf1 -all` and `p=reject`.",
    "Report addresses (`rua`, `ruf`) in `_dmarc` and `_smtp._tls` say who reads the reports: name your own.",
    "Do not remove MTA-STS at once: senders remember the policy (RFC 8461 section 8.3).",
)


def _head(given: Handback) -> str:
    needs = given.needs
    senders = sorted({str(one["from"]) for one in needs.get("senders", [])})
    rows = [
        ["ERP system", markdown_code(str(needs.get("system")))],
        ["sent by", markdown_code(str(needs.get("service")))],
        ["sent as", ", ".join(map(_code, senders)) or "nobody"],
        ["domains", ", ".join(map(_code, sorted(given.domains))) or "none"],
        ["last mail", given.told["last_mail"] or "not known to be over"],
    ]
    return markdown_table(["", ""], rows)


def _steps(given: Handback, stages: Iterable[Stage]) -> Iterator[list[str]]:
    """Stages without what differs from day to day: those that may be done count from the last mail."""
    for one in stages:
        since = given.told["last_mail"] if one.name == STOPPED and one.is_permitted else None
        day = (
            "may go" if one.is_permitted and since is None else since or (str(one.until) if one.until else "not known")
        )
        yield [_STAGES[one.name], day, _plain(one.reason)]


def _needed(needs: Mapping[str, Any]) -> Iterator[list[str]]:
    for domain, terms in sorted(needs.get("domains", {}).items()):
        yield from ([domain, "SPF term", _code(one["term"])] for one in terms)
    for domain, keys in sorted(needs.get("dkim", {}).items()):
        for one in keys:
            value = one.get("target") or one.get("public_key") or ""
            yield [domain, f"DKIM selector {_code(one['selector'])}", _code(value)]
    for alias in needs.get("cnames", []):
        yield [_code(alias["name"]), "CNAME (return path)", _code(alias["target"])]
    entra = needs.get("entra") or {}
    if entra:
        yield [
            "Microsoft Entra",
            _plain(str(entra.get("kind"))),
            _plain(str(entra.get("application") or entra.get("title"))),
        ]


def _kept(given: Handback) -> list[str]:
    kept = given.told["kept"]
    return ["## What stays, because others need it", *(f"- {_plain(one)}" for one in kept)] if kept else []


def _changes(given: Handback) -> Iterator[list[str]]:
    names = _names(given.needs, given.domains)
    for (name, rdtype), write in given.writes:
        if name in names:
            before, after = (_values(side) for side in (write.before, write.after))
            yield [write.when, f"{name} {rdtype}", before, after, _plain(write.why)]


def _names(needs: Mapping[str, Any], domains: Iterable[str]) -> set[str]:
    """The names at which an environment has records: its domains, their policies, its selectors and return paths."""
    found = {f"{prefix}{domain}" for domain in domains for prefix in ("", "_dmarc.", "_smtp._tls.", "_mta-sts.")}
    found |= {
        f"{one['selector']}._domainkey.{domain}" for domain, keys in needs.get("dkim", {}).items() for one in keys
    }
    return found | {str(alias["name"]) for alias in needs.get("cnames", [])}


def _values(side: Sequence[str] | None) -> str:
    return "nothing" if side is None else "<br>".join(map(_code, side))


def _code(text: str) -> str:
    return markdown_code(escape_controls(str(text)))


def _plain(text: str) -> str:
    return markdown_plain(escape_controls(text))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The entry of a domain in mail_dns_domains, written as a person would, with comments that say where it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import DomainReading
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import yaml_comment, yaml_flow

_ORDER = (
    "customer",
    "dns",
    "zone",
    "services",
    "parked",
    "spf",
    "dmarc",
    "dkim",
    "null_mx",
    "tls_rpt",
    "unexplained",
)
_ITEMS = ("dkim", "unexplained")
"""Keys whose items stand on lines of their own."""
_STEP = "  "


def entry_lines(reading: DomainReading, given: Mapping[str, Any], origin: str) -> list[str]:
    """Write the entry of a domain, without indentation.

    :param reading: what is declared of it
    :param given: keys that a person gave for it: customer, dns, zone
    :param origin: where it was read and when
    """
    declared = {**given, **reading.declaration()}
    notes: dict[str, list[str]] = {}
    for claim in reading.claims:
        if claim.note and claim.key not in _ITEMS:
            notes.setdefault(claim.key, []).append(claim.note)
    lines = [yaml_comment(origin)]
    for key in _ORDER:
        if key in declared:
            lines += [yaml_comment(note) for note in dict.fromkeys(notes.get(key, ()))]
            lines += _key_lines(key, declared[key], reading)
    if len(lines) == 1:
        lines.append("services:")
    return [f"{yaml_flow(reading.domain)}:", *(_STEP + line for line in lines)]


def entry_digest(lines: Iterable[str]) -> str:
    """What tells whether an entry is still as it was written, whatever its indentation.

    :param lines: of the entry
    """
    lines = [line.rstrip() for line in lines]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return hashlib.sha256("\n".join(line[margin:] for line in lines).encode()).hexdigest()[:16]


def _key_lines(key: str, value: Any, reading: DomainReading) -> Iterator[str]:
    if key not in _ITEMS or not value:
        yield f"{key}: {yaml_flow(value)}"
        return
    yield f"{key}:"
    notes = [claim.note for claim in reading.claims if claim.key == key]
    for number, item in enumerate(value):
        if key == "unexplained":
            yield f"{_STEP}- what: {yaml_flow(item['what'])}"
            yield f"{_STEP}  evidence: {yaml_flow(item['evidence'])}"
        else:
            if number < len(notes) and notes[number]:
                yield _STEP + yaml_comment(notes[number])
            yield f"{_STEP}- {yaml_flow(item)}"

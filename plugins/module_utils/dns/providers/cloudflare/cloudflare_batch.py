# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Changes of RRsets as one batch of Cloudflare's API: values change in place, and all that is not declared stays."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_answer import (
    CloudflareRecord,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, mx_parts, mx_value, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, idna_encoded

PROXIED = ".proxied.cloudflare.invalid"
FLATTENED = ".flattened.cloudflare.invalid"
"""Ends of the value that a CNAME shows when the world does not see it as one, but as addresses. They make a difference
that a plan can see, and a snapshot can bring back; no real name ends so (RFC 6761 section 6.4)."""

_Part = dict[str, Any]
_CHANGED = ("TXT", "CNAME", "MX")


def cloudflare_value(record: CloudflareRecord) -> str:
    """The value that an RRset shows for one record: TXT decoded, a CNAME's target as name with what hides it."""
    if record.type == "TXT":
        return record.text
    if record.type == "CNAME":
        target = _target(record.content)
        return target + (PROXIED if record.proxied else FLATTENED if record.flattened else "")
    if record.type == "MX":
        return mx_value(*mx_parts(record.content))
    return record.content


def cloudflare_batch(
    changes: Sequence[Change], known: Mapping[str, Sequence[CloudflareRecord]]
) -> dict[str, list[_Part]]:
    """Write changes as one batch, of which Cloudflare does deletes first, then patches, then posts.

    A value that is replaced is a record that is patched, so that it is never missing or doubled and keeps its comment,
    tags and TTL. A TTL is changed only where it is another one.

    :param changes: of TXT, CNAME and MX records, each key at most once
    :param known: all records of each name
    :returns: ``deletes``, ``patches`` and ``posts``
    :raises ProviderError: a change of another type
    """
    parts: dict[str, list[_Part]] = {"deletes": [], "patches": [], "posts": []}
    for change in changes:
        if change.key[1] not in _CHANGED:
            raise ProviderError(
                f"{change.key[0]}: provider cloudflare changes {', '.join(_CHANGED)}, not {change.key[1]}"
            )
        records = [one for one in known[change.key[0]] if one.type == change.key[1]]
        _add(parts, change, records)
    return parts


def _add(parts: dict[str, list[_Part]], change: Change, records: Sequence[CloudflareRecord]) -> None:
    before = values_of(change.before)
    after = values_of(change.after)
    going, coming = _leaving(records, departed(before, after)), departed(after, before)
    ttl = change.after.ttl if change.after else 0
    renewed = change.before is not None and change.before.ttl != ttl
    if change.after and renewed:
        staying = [one for one in records if one not in going and one.ttl != ttl]
        parts["patches"] += [{**_head(one), "ttl": ttl, **_content(one)} for one in staying]
    for value in coming:
        if going:
            old = _most_alike(going, value)
            going.remove(old)
            seconds = ttl if renewed else old.ttl
            parts["patches"].append({**_head(old), "ttl": seconds, **_data(change.key[1], value, old)})
        else:
            head = {"name": change.key[0], "type": change.key[1], "ttl": ttl}
            parts["posts"].append({**head, **_data(change.key[1], value, None)})
    parts["deletes"] += [{"id": one.id} for one in going]


def _target(content: str) -> str:
    """A target as names are compared; one that is no domain name is shown as it stands."""
    try:
        return idna_encoded(content).lower().removesuffix(".")
    except BadName:
        return content


def _leaving(records: Sequence[CloudflareRecord], values: Sequence[str]) -> list[CloudflareRecord]:
    """One record for each value that goes."""
    left, leaving = list(values), []
    for record in records:
        if (value := cloudflare_value(record)) in left:
            left.remove(value)
            leaving.append(record)
    return leaving


def _most_alike(records: Sequence[CloudflareRecord], value: str) -> CloudflareRecord:
    """The record whose value begins most like another: an SPF record becomes an SPF record."""

    def alike(record: CloudflareRecord) -> int:
        return len(
            list(
                itertools.takewhile(lambda pair: pair[0] == pair[1], zip(cloudflare_value(record), value, strict=False))
            )
        )

    return max(records, key=alike)


def _head(record: CloudflareRecord) -> _Part:
    return {"id": record.id, "name": record.name, "type": record.type}


def _content(record: CloudflareRecord) -> _Part:
    """The content of a record as it is, which a patch has to repeat."""
    return _mx(record.content) if record.type == "MX" else {"content": record.content}


def _mx(value: str) -> _Part:
    preference, host = mx_parts(value)
    return {"priority": preference, "content": host}


def _data(rdtype: str, value: str, old: CloudflareRecord | None) -> _Part:
    """The content of a record, and for a CNAME whether the world sees it: unless a snapshot says otherwise, it does."""
    if rdtype == "TXT":
        return {"content": txt.encode(value)}
    if rdtype == "MX":
        return _mx(value)
    proxied, flattened = value.endswith(PROXIED), value.endswith(FLATTENED)
    target = value.removesuffix(PROXIED).removesuffix(FLATTENED)
    part: _Part = {"content": target, "proxied": proxied}
    if flattened or (old is not None and old.flattened):
        part["settings"] = {"flatten_cname": flattened}
    return part

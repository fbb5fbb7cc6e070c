# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Reads a snapshot back, and trusts nothing in it: a wrong file is refused whole, and no value of it is shown."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import public_options, secret_options
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, mx_parts, mx_value
from ansible_collections.mailroom.erp.plugins.module_utils.plain_yaml import BadYaml, load_yaml
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, is_inside, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.module_utils.regular_file import read_regular
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import (
    END,
    FORMAT_WITHOUT_END,
    SNAPSHOT_FORMAT,
    unescaped,
)

with contextlib.suppress(ImportError):
    import dns.exception

_TYPES = ("TXT", "CNAME", "MX")
_LARGEST_TTL = 2**31 - 1
_LARGEST_TXT = 65535
_FAMILY = SNAPSHOT_FORMAT.rpartition("/")[0]
_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {"str": str, "path": str, "int": int, "float": (int, float)}
_JSON_TYPES = {"dict": dict, "list": list}


@dataclass(frozen=True, slots=True)
class ZoneEntry:
    """One zone of a snapshot: its account without secrets, and what the run made of each record."""

    account: Mapping[str, Any]
    zone: str
    changes: tuple[Change, ...]


class _Wrong(Exception):
    """What is wrong, and where in the file."""

    def __init__(self, where: str, rule: str) -> None:
        super().__init__(rule)
        self.where = where


def read_snapshot(file: Path) -> list[ZoneEntry]:
    """Read a snapshot.

    :param file: as ``snapshots.snapshot`` writes it
    :returns: its zones in the order of the file, each zone of an account once
    :raises Refused: it cannot be read, or is not exactly of the documented shape
    :raises MissingLibrary: PyYAML or dnspython is not installed
    """
    libraries.require("dns.name")
    try:
        text = read_regular(file).decode("utf-8")
        content = load_yaml(text)
        entries = _entries(content)
        if not _is_whole(text, content):
            raise _Wrong("end", "it does not end with the mark of its end, so a part of it may be missing")
        return entries
    except OSError as error:
        raise _refused(file, "file", f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _refused(file, "file", "it is no UTF-8 text") from None
    except BadYaml as error:
        raise _refused(file, "file", str(error)) from None
    except _Wrong as wrong:
        raise _refused(file, wrong.where, str(wrong)) from None


def _refused(file: Path, where: str, rule: str) -> Refused:
    way_out = "Name a snapshot as a run of this collection wrote it; nothing was written."
    return Refused(Problem(str(file), where, None, rule, "docs/restore.md", way_out))


def _entries(content: object) -> list[ZoneEntry]:
    _check_format(content)
    top = _mapping(content, "file", {"format", "when", "who", "why", "collection", "zones"})
    for name in ("when", "who", "why", "collection"):
        _text(top[name], name)
    zones = _list(top["zones"], "zones")
    entries = [_entry(zone, f"zones[{number}]") for number, zone in enumerate(zones)]
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(entries):
        key = (json.dumps(entry.account, sort_keys=True, default=str), entry.zone)
        if key in seen:
            raise _Wrong(f"zones[{number}]", "this zone of this account stands in the file twice")
        seen.add(key)
    return entries


def _is_whole(text: str, content: object) -> bool:
    """Whether nothing is missing at the end: a file that is cut between two zones would read as whole."""
    knows_no_end = isinstance(content, Mapping) and content["format"] == FORMAT_WITHOUT_END
    return knows_no_end or text.endswith(f"\n{END}")


def _check_format(content: object) -> None:
    found = content.get("format") if isinstance(content, Mapping) else None
    if found in (SNAPSHOT_FORMAT, FORMAT_WITHOUT_END):
        return
    if isinstance(found, str) and re.fullmatch(re.escape(_FAMILY) + r"/[0-9]{1,6}", found):
        raise _Wrong("format", f"{found} is not known to this version of the collection, which reads {SNAPSHOT_FORMAT}")
    raise _Wrong("format", f"it is no snapshot: its format would be {SNAPSHOT_FORMAT}")


def _entry(content: object, where: str) -> ZoneEntry:
    entry = _mapping(content, where, {"zone", "account", "records"})
    zone = _dns_name(entry["zone"], f"{where}.zone")
    account = _account(entry["account"], f"{where}.account")
    records = _list(entry["records"], f"{where}.records")
    changes = [_change(record, zone, f"{where}.records[{number}]") for number, record in enumerate(records)]
    keys = [change.key for change in changes]
    if len(set(keys)) != len(keys):
        raise _Wrong(f"{where}.records", "a record stands there twice")
    return ZoneEntry(account, zone, tuple(changes))


def _account(content: object, where: str) -> dict[str, Any]:
    if not isinstance(content, Mapping) or content.get("provider") not in (*PROVIDERS,):
        raise _Wrong(where, f"its provider is one of: {', '.join(PROVIDERS)}")
    spec = PROVIDERS[content["provider"]].options
    allowed = {"provider", *spec} - {*secret_options(content["provider"])}
    if not set(content) <= allowed:
        raise _Wrong(where, "it holds nothing but the options of its provider that are no secrets")
    for name, value in content.items():
        kind = "str" if name == "provider" else spec[name]["type"]
        if isinstance(value, bool) or not isinstance(value, _PYTHON_TYPES.get(kind, str)):
            raise _Wrong(f"{where}.{name}", f"it is of type {kind}")
    texts = {name: _text(value, where) if isinstance(value, str) else value for name, value in content.items()}
    inner = {name: _json(text, spec[name]["type"], f"{where}.{name}") for name, text in texts.items() if name in spec}
    return public_options({**texts, **inner})


def _json(value: object, kind: str, where: str) -> object:
    """A dictionary or list stands there as JSON."""
    if kind not in _JSON_TYPES:
        return value
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(value, str) and isinstance(found := json.loads(value), _JSON_TYPES[kind]):
            return found
    raise _Wrong(where, f"it is a {kind}, written as JSON in quotes")


def _change(content: object, zone: str, where: str) -> Change:
    record = _mapping(content, where, {"name", "type", "before", "after"})
    name = _owner_name(record["name"], f"{where}.name")
    if not is_inside(name, zone):
        raise _Wrong(f"{where}.name", "the name is outside its zone (RFC 1034 section 4.2)")
    if record["type"] not in _TYPES:
        raise _Wrong(f"{where}.type", f"it is one of: {', '.join(_TYPES)}")
    before, after = (_rrset(record[side], name, record["type"], f"{where}.{side}") for side in ("before", "after"))
    if before is None and after is None:
        raise _Wrong(where, "before and after are not both null")
    return Change(before, after)


def _rrset(content: object, name: str, rdtype: str, where: str) -> RRset | None:
    if content is None:
        return None
    sides = _mapping(content, where, {"ttl", "values"})
    ttl = sides["ttl"]
    if not isinstance(ttl, int) or isinstance(ttl, bool) or not 0 <= ttl <= _LARGEST_TTL:
        raise _Wrong(f"{where}.ttl", f"it is a number of seconds from 0 to {_LARGEST_TTL} (RFC 2181 section 8)")
    found = [_value(value, rdtype, f"{where}.values") for value in _list(sides["values"], f"{where}.values")]
    if rdtype == "CNAME" and len(found) != 1:
        raise _Wrong(f"{where}.values", "a CNAME has exactly one (RFC 2181 section 10.1)")
    return RRset(name, rdtype, ttl, tuple(found))


def _value(content: object, rdtype: str, where: str) -> str:
    if rdtype == "CNAME":
        return _dns_name(content, where)
    if rdtype == "MX":
        return _mx(content, where)
    value = _text(content, where)
    length = len(value.encode("utf-8", "surrogateescape"))
    if length + (length + 254) // 255 > _LARGEST_TXT:
        raise _Wrong(where, "a value is longer than TXT data can be (RFC 1035 section 3.3.14)")
    return value


def _mx(content: object, where: str) -> str:
    try:
        preference, host = mx_parts(_text(content, where))
    except ValueError as error:
        raise _Wrong(where, str(error)) from None
    return mx_value(preference, host if host == "." else _dns_name(host, where))


def _owner_name(content: object, where: str) -> str:
    """The owner name of a record, which may be a wildcard (RFC 4592 section 2.1.1)."""
    text = _text(content, where)
    star = "*." if text.startswith("*.") else ""
    return star + _name(text.removeprefix(star), where)


def _name(content: object, where: str) -> str:
    text = _text(content, where)
    with contextlib.suppress(BadName):
        if text.isascii() and to_alabels(text) == text:
            return text
    raise _Wrong(where, "it is a domain name as lower-case A-labels, without the trailing dot")


def _dns_name(content: object, where: str) -> str:
    """A name that others chose, a zone or a CNAME's target: it need not be one of a mail domain."""
    text = _text(content, where)
    with contextlib.suppress(dns.exception.DNSException, UnicodeError):
        if values.text_of(values.name_of(text)) == text:
            return text
    raise _Wrong(where, "it is a domain name in lower case, without the trailing dot")


def _text(content: object, where: str) -> str:
    if not isinstance(content, str):
        raise _Wrong(where, f"it is quoted text, not a {type(content).__name__}")
    try:
        return unescaped(content)
    except (ValueError, UnicodeError):
        raise _Wrong(where, r"a backslash in it is neither \\ nor \DDD (000 to 255)") from None


def _list(content: object, where: str) -> list[object]:
    if not isinstance(content, list) or not content:
        raise _Wrong(where, "it is a list that is not empty")
    return content


def _mapping(content: object, where: str, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(content, Mapping) or set(content) != names:
        raise _Wrong(where, f"it is a dictionary of exactly: {', '.join(sorted(names))}")
    return content

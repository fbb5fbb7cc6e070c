# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of ``smtp_probe`` as an argument spec, their checks, and what they mean as data."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.numbers import is_number
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import wrong_options
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import (
    ANY_MECHANISM,
    IMPLICIT,
    SECURITIES,
    STARTTLS,
    ServerExpectations,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import TLS_VERSIONS

HERE = "here"
"""The value of ``probe_from`` for an ERP that sends from the machine that the module runs on."""
USUAL_PORTS = {"none": 25, "starttls": 587, "opportunistic": 587, "implicit": 465}
"""Unless given, by security (RFC 5321 section 4.5.4.2, RFC 6409 section 3.1, RFC 8314 section 7.3)."""

_EXPECT: ArgumentSpec = {
    "auth": {"type": "str"},
    "min_size": {"type": "int"},
    "tls": {"type": "str", "choices": list(TLS_VERSIONS)},
}
_SERVER: ArgumentSpec = {
    "name": {"type": "str"},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "security": {"type": "str", "default": STARTTLS, "choices": list(SECURITIES)},
    "verify": {"type": "bool", "default": True},
    "expect": {"type": "dict", "options": _EXPECT},
    "probe_from": {"type": "str"},
}
SMTP_PROBE_OPTIONS: ArgumentSpec = {
    **_SERVER,
    "servers": {
        "type": "list",
        "elements": "dict",
        "options": {**_SERVER, "host": {"type": "str", "required": True}},
    },
    "ca_file": {"type": "path"},
    "ehlo_name": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
    "concurrency": {"type": "int", "default": 20},
}
"""The options of the module."""

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)
_LONGEST_LABEL = 63
_MECHANISM = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)
_EHLO = re.compile(r"[A-Za-z0-9.-]{1,255}|\[[A-Za-z0-9.:]{1,255}\]", re.ASCII)
LONGEST_PROBE_NAME = 200
"""Characters of what people call a server or a place."""
_LONGEST_TIMEOUT, _MOST_THREADS = 600.0, 50
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ProbedServer:
    """One server as one ERP environment uses it: ``name`` is for people, ``place`` where the ERP sends from, None
    where nobody said."""

    name: str | None
    host: str
    port: int
    place: str | None
    expectations: ServerExpectations

    @property
    def is_here(self) -> bool:
        """Whether the ERP sends from this machine."""
        return self.place == HERE

    @property
    def implicit(self) -> bool:
        """Whether TLS comes first."""
        return self.expectations.security == IMPLICIT


@dataclass(frozen=True, slots=True)
class SmtpProbe:
    """A checked task; ``timeout`` is in seconds for one server, with all its connections."""

    servers: tuple[ProbedServer, ...]
    ca_file: str | None
    ehlo_name: str
    timeout: float
    concurrency: int


def wrong_smtp_probe_arguments(arguments: Mapping[str, Any]) -> list[str]:
    """Check names, shapes and values.

    :param arguments: what the task gives
    :returns: one sentence per broken rule
    """
    shapes = wrong_options(SMTP_PROBE_OPTIONS, arguments, {}, values=True)
    return shapes or list(_broken_rules({name: value for name, value in arguments.items() if value is not None}))


def is_probe_name(text: str) -> bool:
    """Tell whether a text may name a server or a place for people: one line that is not too long.

    :param text: as given
    """
    return 0 < len(text) <= LONGEST_PROBE_NAME and text.isprintable()


def read_smtp_probe(params: Mapping[str, Any], local_name: str) -> SmtpProbe:
    """Read checked parameters.

    :param params: as the argument spec gives them, without broken rules
    :param local_name: what this machine calls itself, for EHLO
    """
    given = [params] if params.get("servers") is None else params["servers"]
    return SmtpProbe(
        servers=tuple(_server(one) for one in given),
        ca_file=params.get("ca_file"),
        ehlo_name=params.get("ehlo_name") or (local_name if _EHLO.fullmatch(local_name) else "[127.0.0.1]"),
        timeout=params["timeout"],
        concurrency=params["concurrency"],
    )


def _server(given: Mapping[str, Any]) -> ProbedServer:
    expect = given.get("expect") or {}
    auth = expect.get("auth")
    return ProbedServer(
        name=given.get("name"),
        host=given["host"].lower().rstrip("."),
        port=given.get("port") or USUAL_PORTS[given["security"]],
        place=given.get("probe_from"),
        expectations=ServerExpectations(
            security=given["security"],
            verify=given["verify"],
            auth=auth if auth in (None, ANY_MECHANISM) else str(auth).upper(),
            min_size=expect.get("min_size"),
            tls=expect.get("tls"),
        ),
    )


def _broken_rules(given: Mapping[str, Any]) -> Iterator[str]:
    single = [name for name in ("host", "port", "expect", "probe_from", "name") if name in given]
    if "servers" in given and single:
        yield f"{', '.join(single)}: give servers, or one server by its options, not both"
    elif "servers" in given:
        for number, one in enumerate(given["servers"]):
            yield from _wrong_server(one, f"servers[{number}].")
    else:
        yield from _wrong_server(given, "")
    yield from _wrong_number(given.get("timeout", 1), 0.1, _LONGEST_TIMEOUT, "timeout", "a number of seconds")
    yield from _wrong_number(given.get("concurrency", 1), 1, _MOST_THREADS, "concurrency", "a whole number")
    if not _EHLO.fullmatch(str(given.get("ehlo_name", "a"))):
        yield "ehlo_name must be a host name, or an address in square brackets (RFC 5321 section 4.1.3)"


def _wrong_server(one: Mapping[str, Any], place: str) -> Iterator[str]:
    host = str(one.get("host") or "")
    if not _is_host(host):
        yield f"{place}host is required: the name of a server in A-labels (RFC 5890 section 2.3.2.1), or its address"
    given = {name: value for name, value in one.items() if value is not None}
    yield from _wrong_number(given.get("port", 1), 1, 65535, f"{place}port", "a number")
    for name in ("name", "probe_from"):
        if not is_probe_name(str(given.get(name, "x"))):
            yield f"{place}{name} must be one line of 1 to {LONGEST_PROBE_NAME} characters"
    expect = {name: value for name, value in given.get("expect", {}).items() if value is not None}
    if not _MECHANISM.fullmatch(str(expect.get("auth", ANY_MECHANISM))):
        yield f"{place}expect.auth must be {ANY_MECHANISM}, or a mechanism such as LOGIN (RFC 4422 section 3.1)"
    yield from _wrong_number(expect.get("min_size", 0), 0, _LARGEST, f"{place}expect.min_size", "a number of bytes")


def _is_host(host: str) -> bool:
    if ":" in host:
        return _is_ipv6(host)
    return bool(_HOST.fullmatch(host)) and all(
        0 < len(label) <= _LONGEST_LABEL for label in host.rstrip(".").split(".")
    )


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.IPv6Address(host).scope_id is None
    except ValueError:
        return False


def _wrong_number(value: object, least: float, most: float, place: str, what: str) -> Iterator[str]:
    if not is_number(value) or not least <= float(str(value)) <= most:
        yield f"{place} must be {what} from {least} to {most}"

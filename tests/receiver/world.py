# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS of the small world of these tests: BIND on port 53, which answers for every name there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.mailroom.erp.tests.receiver.case import Case
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

BROKEN_ZONE = "broken.example"
"""A zone whose master file is no master file: BIND answers SERVFAIL for it."""

_ROOT = """\
$TTL 60
. IN SOA ns.receiver.example. hostmaster.receiver.example. 1 7200 3600 1209600 60
. IN NS ns.receiver.example.
ns.receiver.example. IN A 192.0.2.53
"""
"""Every name that no other zone has does not exist."""


class World(Bind):
    """BIND on the real port, resolver and name server in one; zones take updates with the key of all test servers."""

    PORT = 53
    RECURSION = "yes"


def zones(cases: Iterable[Case], services: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Every zone of the world, apex to master file: the root, the services', and those of all cases as they begin.

    :param services: lines of master files by zone
    """
    lines: dict[str, tuple[str, ...]] = {"receiver.example": ("@ MX 10 mx", "mx A 192.0.2.1"), **services}
    for case in cases:
        own = {organisation(entry["domain"]): () for entry in case.domains}
        for zone, more in {**own, **case.live}.items():
            lines[zone] = (*lines.get(zone, ()), *more)
    texts = {zone: zone_text(zone, "\n".join(records)) for zone, records in lines.items()}
    return {".": _ROOT, BROKEN_ZONE: "this is no master file (", **texts}


def organisation(domain: str) -> str:
    """The registered domain of a name in these tests, which is its zone: two labels."""
    return ".".join(domain.split(".")[-2:])

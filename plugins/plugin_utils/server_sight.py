# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a look at the mail server of one environment showed, as the verdicts, the report and the sheet take it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OTHER_PLACE = "other_place"
"""The finding that nobody has looked from where the ERP sends."""
_HERE = "here"


@dataclass(frozen=True, slots=True)
class ServerSight:
    """What ``smtp_probe`` returned for an environment: the item of ``servers``, by its keys.

    ``summary`` and ``met`` are None when nobody could look; ``place`` is where the ERP sends from; ``certificate_ends``
    is the time (ISO 8601) at which its certificate ends, None when none was seen.
    """

    host: str
    port: int | None
    place: str | None
    result: str
    summary: str | None
    met: Mapping[str, Any] | None
    findings: Sequence[Mapping[str, Any]]
    commands: Sequence[Mapping[str, str]] = ()
    certificate_ends: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether the ERP sends from the machine that has looked."""
        return self.place == _HERE

    @property
    def name(self) -> str:
        """What people call the server."""
        return self.host if self.port is None else f"{self.host} port {self.port}"

    @property
    def is_open(self) -> bool:
        """Whether something may hinder the ERP, beside that nobody has looked from where it sends."""
        return bool(self.hindrances)

    @property
    def hindrances(self) -> list[Mapping[str, Any]]:
        """What hinders the ERP for certain; without such a thing all that may hinder it."""
        found = [one for one in self.told if one["level"] != "warning"]
        certain = [one for one in found if one["level"] == "fail" and one["certain"]]
        return certain if self.result == "fail" else found

    @property
    def warnings(self) -> list[Mapping[str, Any]]:
        """What works, but not well."""
        return [one for one in self.told if one["level"] == "warning"]

    @property
    def told(self) -> list[Mapping[str, Any]]:
        """All that was found, without that nobody has looked from another place."""
        return [one for one in self.findings if one["name"] != OTHER_PLACE]


def read_sight(item: Mapping[str, Any]) -> ServerSight:
    """Read what the module returned for one environment.

    :param item: of its result ``servers``
    """
    return ServerSight(
        host=item["host"],
        port=item["port"],
        place=item["probe_from"],
        result=item["result"],
        summary=item["summary"],
        met=item["met"],
        findings=tuple(item["findings"]),
        commands=tuple(item["commands"]),
        certificate_ends=(item.get("certificate") or {}).get("not_after"),
    )


def unseen(wanted: Mapping[str, Any], reason: str) -> ServerSight:
    """A server that nobody could look at, which says nothing of the server.

    :param wanted: the item of the module's option ``servers``
    :param reason: why, in one sentence
    """
    text = "nobody could look at it from the controller"
    finding = {
        "name": "not_looked",
        "level": "unknown",
        "text": f"{text}: {reason}",
        "lasting": text,
        "certain": False,
        "next_step": "See to that (docs/smtp_probe.md, In site), and run it again.",
        "source": "docs/smtp_probe.md",
    }
    host, port, place = str(wanted["host"]), wanted.get("port"), wanted.get("probe_from")
    return ServerSight(host, port, place, "unknown", None, None, (finding,))

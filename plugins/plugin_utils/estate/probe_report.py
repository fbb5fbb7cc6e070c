# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads at the end of ``site`` about the mail servers: few lines, however many environments there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import listed
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import Caution
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import wrapped

_WIDTH = 100
_ORDER = ("fail", "unknown", "pass")
_LABEL = 9
_UNSEEN = "nobody could look at it"


def probe_lines(sights: Mapping[str, ServerSight]) -> list[str]:
    """Write what was seen of the mail servers; what hinders the ERP, the verdicts of its senders tell.

    :param sights: by host
    :returns: lines of at most 100 characters unless a word is longer; empty when nobody looked
    """
    if not sights:
        return []
    loud: dict[tuple[str, str, str], list[str]] = {}
    for host, sight in sights.items():
        if sight.is_open:
            loud.setdefault((sight.result, sight.name, sight.summary or _UNSEEN), []).append(host)
    lines = ["MAIL SERVERS, as this controller sees them"]
    for key in sorted(loud, key=lambda key: (_ORDER.index(key[0]), key)):
        lines.append(_loud(*key, loud[key]))
    return [*lines, *_quiet({host: sight for host, sight in sights.items() if not sight.is_open})]


def probe_cautions(sights: Mapping[str, ServerSight]) -> Iterator[Caution]:
    """What works but not well, for the part of the report that may be confirmed: nothing in it changes by itself.

    :param sights: by host
    """
    for host, sight in sights.items():
        for one in sight.warnings:
            text = f"{host}: its mail server {sight.name}: {one['lasting']}. {one['next_step']} (docs/smtp_probe.md)"
            yield Caution("environment", host, text)


def _loud(result: str, name: str, summary: str, hosts: list[str]) -> str:
    head = f"  {result.upper():<{_LABEL}}"
    return wrapped(head, f"{name}: {summary.partition(': ')[2] or summary}; {_so_many(hosts)}: {listed(hosts)}", _WIDTH)


def _quiet(sights: Mapping[str, ServerSight]) -> Iterator[str]:
    here = {host: one for host, one in sights.items() if one.is_here}
    elsewhere = {host: one for host, one in sights.items() if not one.is_here}
    if here:
        yield wrapped(f"  {'PASS':<{_LABEL}}", f"{_servers(here.values())} for {_so_many(here)}", _WIDTH)
    if elsewhere:
        text = f"nothing wrong with {_servers(elsewhere.values())}, but {_so_many(elsewhere)} ({listed([*elsewhere])})"
        more = "send from elsewhere, where nobody has looked; their sheets have the command to run there"
        yield wrapped(f"  {'SEEN':<{_LABEL}}", f"{text} {more}", _WIDTH)


def _servers(sights: Iterable[ServerSight]) -> str:
    count = len({one.name for one in sights})
    return so_many(count, "server")


def _so_many(hosts: Iterable[str]) -> str:
    return so_many(len(list(hosts)), "environment")

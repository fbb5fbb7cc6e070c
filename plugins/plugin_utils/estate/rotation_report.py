# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads at the end of ``rotate_secrets``: alarms, new secrets, what is to be done with them, the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import Message, grouped, listed
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.secret_rotation import RotationRun, confirmation
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import EnvironmentOutcome
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import wrapped

_WIDTH = 100


def rotation_report(run: RotationRun, found: Mapping[str, EnvironmentOutcome]) -> list[str]:
    """Write the report.

    :param run: all that is known
    :param found: its ``rotation_outcomes``
    :returns: its lines, each of at most 100 characters unless a single word is longer
    """
    failed = [(host, reason) for host, one in found.items() for reason in one.failed]
    changed = [(host, f"{host}: {text}") for host, one in found.items() for text in one.changed]
    waiting = [(host, f"{host}: {_to_do(run, host)}") for host in run.environments if run.waits(host)]
    tried = [(host, f"{host}: {text}") for host, text in _tried(run)]
    sections = [
        _section(run, f"PROBLEMS: {_so_many(run, {host for host, _reason in failed})}", failed),
        _section(run, "WOULD CHANGE" if run.check_mode else "CHANGED", changed),
        _section(run, "TRIED WITH THE NEW SECRET", tried),
        _section(run, "TO DO BY A PERSON", waiting),
    ]
    lines = [line for section in sections if section for line in ("", *section)]
    return [escape_controls(line) for line in "\n".join([*lines, "", *_rest(run, found)]).split("\n")]


def _section(run: RotationRun, head: str, told: list[tuple[str, str]]) -> list[str]:
    lines = grouped(Message(host, text, kind="environment", others=_keys(run, host)) for host, text in told)
    return [head, *(wrapped("  - ", " ".join(line.split()), _WIDTH) for line in lines)] if lines else []


def _keys(run: RotationRun, host: str) -> dict[str, str]:
    """The key ids of an environment, which its sentences differ in."""
    made = run.made.get(host) or {}
    keys = [made.get("key_id"), *made.get("removed", ()), *(one["key_id"] for one in made.get("retiring", ()))]
    return {str(key): "<key id>" for key in keys if key}


def _to_do(run: RotationRun, host: str) -> str:
    made = run.made[host]
    place, confirm = made["stored"], f"declare {confirmation(made)}"
    if made.get("kind"):
        return f"let the new {made['kind']} be used before {run.ends(host)}, see that it works, and {confirm}"
    where = f", which stands in {place['file']} with its key id," if place else " from your own store"
    return f"put the new secret{where} into the ERP before {run.ends(host)}, see that it sends, and {confirm}"


def _tried(run: RotationRun) -> Iterator[tuple[str, str]]:
    for host, trial in run.trials.items():
        if trial["worked"]:
            yield host, str(trial["told"])


def _rest(run: RotationRun, found: Mapping[str, EnvironmentOutcome]) -> Iterator[str]:
    told = {*found, *(host for host in run.environments if run.waits(host))}
    quiet = [host for host in run.environments if host not in told]
    if quiet:
        yield wrapped("", f"NOTHING DUE: {_so_many(run, quiet)}: {listed(quiet)}", _WIDTH)
    ends = [(str(made["end_date_time"])[:10], host) for host, made in run.made.items() if made["end_date_time"]]
    if ends:
        day, host = min(ends)
        yield f"The first to end of what is in use: {host} on {day}"
    yield _counted(run, found.values())


def _counted(run: RotationRun, found: Iterable[EnvironmentOutcome]) -> str:
    outcomes: list[Any] = list(found)
    changed, failed = sum(bool(one.changed) for one in outcomes), sum(bool(one.failed) for one in outcomes)
    would = "would change" if run.check_mode else "changed"
    return f"{_so_many(run, run.environments)}, {changed} {would}, {failed} failed"


def _so_many(run: RotationRun, names: Iterable[str]) -> str:
    names = list(names)
    others = sum("kind" in run.made.get(name, {}) for name in names)
    count = len(names) - others
    counted = [so_many(count, "environment")] if count or not others else []
    return " and ".join([*counted, *([so_many(others, "other credential")] if others else [])])

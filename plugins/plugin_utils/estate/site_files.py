# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The files of all environments of a run: each compared with what it shall be, and written or only told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.inline_secret import read_secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_files import declared_files
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import made_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import SiteRun, unwell
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import FileChange, apply_files
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import PlayVariables
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.written_environment import plan_environment

_WRITERS = 8
"""So many environments are written at the same time: a disk brings many files to rest in the time of one."""
_AHEAD = 64
"""So many may wait for it, with their texts."""


@dataclass(frozen=True, slots=True)
class FilesOutcome:
    """The files of one environment that changed, or would; or why they cannot be written."""

    changes: tuple[FileChange, ...] = ()
    failure: str | None = None


def site_files(
    run: SiteRun,
    declarations: Mapping[str, Any],
    sights: Mapping[str, ServerSight],
    play: PlayVariables,
    write: bool,
) -> Iterator[tuple[str, FilesOutcome]]:
    """Bring the files of each environment to what they shall be.

    :param run: its ``files`` are not looked at
    :param declarations: as ``judged_variables`` gave them, by host
    :param sights: what was seen of their mail servers, by host
    :param play: has the secret of a host, for settings that are to hold it
    :param write: False only compares
    :returns: each environment, with what came of its files
    """
    with ThreadPoolExecutor(_WRITERS) as pool:
        under_way: deque[tuple[str, Future[FilesOutcome]]] = deque()
        for host, planned in _planned(run, declarations, sights, play):
            under_way.append((host, pool.submit(_written, host, planned, write)))
            if len(under_way) > _AHEAD:
                yield _finished(under_way.popleft())
        yield from map(_finished, under_way)


def _planned(
    run: SiteRun, declarations: Mapping[str, Any], sights: Mapping[str, ServerSight], play: PlayVariables
) -> Iterator[tuple[str, FilesOutcome]]:
    """Each environment, with the files that are to change. In one thread, for secrets are templated here."""

    def secret_of(host: str) -> str:
        view = play.of(host)
        return read_secret(view.templar, view.raw)

    made, failed, catalogues = made_environments(run.tenants), unwell(run), Catalogues()
    for host, declaration in declarations.items():
        if declaration["options"]["state"] == LEAVING:
            # what its person typed in stays readable until it has left
            continue
        try:
            files = declared_files(declaration, made.get(host), failed.get(host, []), catalogues, sights.get(host))
            reader = partial(secret_of, host) if files.holds_secret else None
            yield host, FilesOutcome(tuple(plan_environment(files.folder / host, files.texts, reader)))
        except (OSError, Refused) as error:
            yield host, _failed(host, error)


def _written(host: str, planned: FilesOutcome, write: bool) -> FilesOutcome:
    try:
        apply_files(planned.changes if write else ())
    except OSError as error:
        return _failed(host, error)
    return planned


def _failed(host: str, error: Exception) -> FilesOutcome:
    return FilesOutcome(failure=f"{host}: its files cannot be written: {error}")


def _finished(one: tuple[str, Future[FilesOutcome]]) -> tuple[str, FilesOutcome]:
    host, outcome = one
    return host, outcome.result()

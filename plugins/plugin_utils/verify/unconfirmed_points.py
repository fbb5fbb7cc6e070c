# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Which points of the checklists nobody has confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import point_states
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import facts_from
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import made_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judged_host import judge_host


def unconfirmed_points(
    declarations: Mapping[str, Mapping[str, Any]], tenants: Iterable[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Judge each declaration with what its tenant holds, as its sheet is made.

    :param declarations: what ``judged_variables`` gave, by host
    :param tenants: the results of ``entra_environments``
    :returns: by host the ids of points that are not confirmed, or were for other values
    """
    catalogues, made = Catalogues(), made_environments(tenants)
    return {host: _open(one, made.get(host), catalogues) for host, one in declarations.items()}


def _open(declaration: Mapping[str, Any], made: Any, catalogues: Catalogues) -> tuple[str, ...]:
    options = {**declaration["options"], "made": made or declaration["options"]["made"]}
    catalogue = catalogues.with_entries(options["catalogue_systems"], options["catalogue_services"])
    environment = judge_host(options, facts_from(declaration["facts"]), catalogue, lambda: None).environment
    if environment is None or environment.state == "absent":
        return ()
    return tuple(name for name, state in point_states(environment).items() if not state.is_done)

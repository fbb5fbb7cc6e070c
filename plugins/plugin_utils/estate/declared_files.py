# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the files of an environment are to hold, from what was read and judged of it before, and from its tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import ageing_today
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import facts_from
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import environment_needs
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.environment_texts import (
    FILES,
    environment_texts,
    left_out_texts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judged_host import judge_host


@dataclass(frozen=True, slots=True)
class EnvironmentFiles:
    """The folder that holds those of all environments; the text of each by name, None for one that shall not be there;
    and whether ``settings.yml`` is to hold the secret itself."""

    folder: Path
    texts: Mapping[str, str | None]
    holds_secret: bool


def declared_files(
    declaration: Mapping[str, Any],
    made: Mapping[str, Any] | None,
    reasons: Sequence[str],
    catalogues: Catalogues,
    sight: ServerSight | None = None,
) -> EnvironmentFiles:
    """Say what the files hold.

    :param declaration: what ``judged_variables`` gave for the environment
    :param made: what its tenant holds for it, None when nobody looked
    :param reasons: why the run left it out, one sentence each; its sheet says these instead of values to type in
    :param catalogues: as ``judged_variables`` used them
    :param sight: what was seen of its mail server, None when nobody looked
    :raises Refused: with what the tenant holds, the declaration is wrong
    """
    options = {**declaration["options"], "made": made or declaration["options"]["made"]}
    folder, name = Path(declaration["output_dir"]), options["environment"]
    catalogue = catalogues.with_entries(options["catalogue_systems"], options["catalogue_services"])
    if reasons:
        return EnvironmentFiles(folder, left_out_texts(name, _language(options["system"], catalogue), reasons), False)
    judged = judge_host(options, facts_from(declaration["facts"]), catalogue, lambda: None)
    if judged.environment is None:
        raise Refused(judged.errors)
    if judged.environment.state == "absent":
        return EnvironmentFiles(folder, dict.fromkeys(FILES), False)
    needs = environment_needs(judged.environment, catalogue)
    _settings, texts = environment_texts(judged.environment, needs, ageing_today(options["accept_stale"] or []), sight)
    return EnvironmentFiles(folder, texts, options["secrets"] == "inline")


def _language(system: Any, catalogue: Catalogue) -> str:
    try:
        return catalogue.system(str(system)).language
    except (KeyError, Refused):
        return "en"

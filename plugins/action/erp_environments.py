# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_environments``: writes the files of all environments, and tells what came of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import utc_today
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customer_file_stem
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import server_sights
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.password_calendar import password_calendar
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.probe_report import probe_cautions, probe_lines
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_files import site_files
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import (
    SiteWords,
    run_cautions,
    run_senders,
    site_report,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import (
    SiteRun,
    WrittenFiles,
    outcomes,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import PlayVariables, kept_result
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.written_environment import file_differences

_ARGUMENTS: ArgumentSpec = {
    "judged": {"type": "str", "required": True},
    "plan": {"type": "str", "required": True},
    "records": {"type": "str", "required": True},
    "live": {"type": "str", "required": True},
    "probed": {"type": "str", "default": ""},
    "tenants": {"type": "list", "elements": "dict", "default": []},
    "confirmed_cautions": {"type": "list", "elements": "str", "default": []},
}
_FAILED_RUN = "failed_run{}.json"


class ActionModule(ControllerAction):
    """Ends a run over all environments."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Write the files of all environments for which everything was done, and print the report.

        :param options: the variables that hold what the run knows, and what its tenants hold
        :param variables: those of the host that the task runs for; all others are reached through them
        :returns: what came of each environment of which there is something to tell
        """
        known = {name: kept_result(variables, options[name]) for name in ("judged", "plan", "records", "live")}
        sights = server_sights(known["judged"]["needs"], kept_result(variables, options["probed"]))
        run = self._run(known, options["tenants"], sights, variables)
        found = outcomes(run)
        for line in site_report(run, found, self._words(known, options["confirmed_cautions"], sights)):
            Display().display(line)
        failed = {host: one.failed for host, one in found.items() if one.failed}
        place = self._keep(run, failed, known["judged"]) if failed else None
        told = {host: one.as_dict(self._task.diff, place) for host, one in found.items()}
        ends = [one.as_dict() for one in password_calendar(run.needs, utc_today())]
        changed = any(one.changed for one in found.values())
        return {"changed": changed, "environments": told, "password_ends": ends, "result_file": place}

    def _run(
        self,
        known: Mapping[str, Any],
        tenants: Sequence[Mapping[str, Any]],
        sights: Mapping[str, ServerSight],
        variables: Mapping[str, Any],
    ) -> SiteRun:
        run = SiteRun.of_results(known, tenants, variables)
        files = self._files(run, known["judged"]["declarations"], sights, variables) if run.goes_on else ()
        return replace(run, files=dict(files))

    def _files(
        self,
        run: SiteRun,
        declarations: Mapping[str, Any],
        sights: Mapping[str, ServerSight],
        variables: Mapping[str, Any],
    ) -> Iterator[tuple[str, WrittenFiles]]:
        play = PlayVariables(self._task, variables, self._templar)
        for host, came in site_files(run, declarations, sights, play, not self._task.check_mode):
            shown = file_differences(list(came.changes)) if self._task.diff else []
            yield host, WrittenFiles([change.path.name for change in came.changes], shown, came.failure)

    def _words(
        self, known: Mapping[str, Any], confirmed: Sequence[str], sights: Mapping[str, ServerSight]
    ) -> SiteWords:
        return SiteWords(
            senders=run_senders(known),
            cautions=[*run_cautions(known), *probe_cautions(sights)],
            confirmed=frozenset(confirmed),
            check_mode=self._task.check_mode,
            today=utc_today(),
            servers=probe_lines(sights),
        )

    def _keep(self, run: SiteRun, failed: Mapping[str, list[str]], judged: Mapping[str, Any]) -> str | None:
        """Write down all that is known of a run that failed, beside the folders of the environments."""
        folder = next((one["output_dir"] for one in judged["declarations"].values()), None)
        if self._task.check_mode or not folder:
            return None
        boundary = judged.get("boundary")
        # what is kept of a run for all stays when one customer's run fails
        whose = f"-{customer_file_stem(boundary['customer'])}" if boundary else ""
        file = Path(folder) / _FAILED_RUN.format(whose)
        kept = {"refused": run.refused, "records": run.records, "tenants": run.tenants}
        text = json.dumps({"failed": failed, **kept}, indent=2, sort_keys=True, default=str)
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(file, f"{text}\n".encode())
        except OSError:
            return None
        return str(file)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_handback``: tells where those that leave stand, and writes what is handed back of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedRecord,
    read_records_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite, all_writes
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts, domain_facts
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import SENDERS, part_state
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import made_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import (
    FileChange,
    apply_files,
    plan_files,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.handback import (
    HANDBACK_PAGE,
    Handback,
    handback_page,
    zone_texts,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_report import offboard_lines, what_is_left
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_wishes import OFFBOARD_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import kept_result
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.environment_texts import FILES

_ARGUMENTS: ArgumentSpec = {
    "judged": {"type": "str", "required": True},
    "live": {"type": "str", "required": True},
    "records": {"type": "str", "required": True},
    "tenants": {"type": "list", "elements": "dict", "default": []},
    "dir": {"type": "path", "required": True},
    "snapshot_dir": {"type": "path", "required": True},
    "tell": {"type": "bool", "default": True},
}


class ActionModule(ControllerAction):
    """Hands back."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Write the hand-back of each environment that leaves.

        :param options: the variables that hold what was decided and what a look has shown; and where to write
        :param variables: those of the host that the task runs for
        :returns: which files were written
        :raises Refused: a file cannot be read or written
        """
        judged, looked = kept_result(variables, options["judged"]), kept_result(variables, options["records"])
        records = read_records_plan(looked["plan"]).records if looked.get("plan") else ()
        told = judged["offboarding"]
        if options["tell"]:
            left = dict(_left(judged, records, options["tenants"]))
            for line in offboard_lines(told["environments"], told["domains"], left, self._task.check_mode):
                Display().display(escape_controls(line))
        try:
            live = kept_result(variables, options["live"]).get("domains") or []
            changes = list(_changes(judged, [domain_facts(one) for one in live], options))
            if not self._task.check_mode:
                apply_files(changes)
        except OSError as error:
            rule, place = f"it cannot be written: {error.strerror or error}", str(error.filename or options["dir"])
            problem = OFFBOARD_RULES.problem("offboard", "mail_offboard_dir", place, rule, "Name another folder.")
            raise Refused(problem) from None
        result: Result = {"changed": bool(changes), "files": [str(one.path) for one in changes]}
        return {**result, "diff": [_difference(one) for one in changes]} if self._task.diff else result


def _left(
    judged: Mapping[str, Any], records: Sequence[PlannedRecord], tenants: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, dict[str, bool]]]:
    made = made_environments(tenants)
    for host in judged["offboarding"]["environments"]:
        in_tenant = bool(made.get(host, {}).get("changed"))
        folder = Path((judged["declarations"].get(host) or {}).get("output_dir") or "") / host
        files = any((folder / name).exists() for name in FILES)
        yield host, what_is_left(judged["needs"][host], records, in_tenant, files)


def _changes(
    judged: Mapping[str, Any], live: Sequence[DomainFacts], options: Mapping[str, Any]
) -> Iterator[FileChange]:
    writes: list[tuple[tuple[str, str], LastWrite]] = list(all_writes(Path(options["snapshot_dir"])))
    for host, told in judged["offboarding"]["environments"].items():
        needs, folder = judged["needs"][host], Path(options["dir"]).absolute() / host
        texts: dict[str, str | None] = {
            f"{zone}.zone": text
            for zone, text in zone_texts(host, needs, live).items()
            # once something may be gone, what stood there is known from the first runs only
            if part_state(needs, SENDERS) != "absent" or not (folder / f"{zone}.zone").exists()
        }
        page = handback_page(Handback(host, needs, told, writes))
        yield from plan_files(folder, {**texts, HANDBACK_PAGE: page})


def _difference(change: FileChange) -> dict[str, str]:
    header = str(change.path)
    return {
        "before_header": header,
        "after_header": header,
        "before": change.before or "",
        "after": change.after or "",
    }

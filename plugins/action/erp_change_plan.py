# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_change_plan``: makes a plan of what a run has looked at, and writes it or compares it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.made_plan import (
    PlanFacts,
    made_plan,
    on_this_machine,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_differences import plan_differences
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import (
    PLAN_RULES,
    page_file_of,
    plan_bytes,
    plan_file_of,
    read_plan,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan, PlanningPlaybook
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_page import plan_page
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.proved_plan import (
    PROOF_OPTIONS,
    proved_plan,
    whole_number,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.restored_parts import (
    known_of_restore,
    with_restored,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import server_sights
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_files import site_files
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import run_cautions, run_senders
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import SiteRun, unwell
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import PlayVariables, kept_result

_RESULTS = ("judged", "plan", "records", "live", "probed")
_ARGUMENTS: ArgumentSpec = {
    **{name: {"type": "str", "required": True} for name in _RESULTS},
    "tenants": {"type": "list", "elements": "dict", "default": []},
    "told": {"type": "dict", "default": {}},
    "confirmed_cautions": {"type": "list", "elements": "str", "default": []},
    "inventory_dir": {"type": "path"},
    "agreed": {"type": "bool", "default": False},
    "playbook": {"type": "str", "choices": list(get_args(PlanningPlaybook)), "default": "site"},
    "valid": {"type": "raw", "default": 7},
    **PROOF_OPTIONS,
}
_LONGEST_VALID = 366
_READABLE = 0o644


class ActionModule(ControllerAction):
    """Ends a run that only looked, by a plan or by the leave to carry one out."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Make the plan of this run; write it, or see that it is the one that was agreed.

        :param options: the variables that hold what the run knows, where the plan is, and what is wanted
        :param variables: those of the host that the task runs for; all others are reached through them
        :returns: where the plan is; what ``mail_domains`` is held to where it was agreed
        :raises Refused: the run would do something else than what was agreed, or the plan cannot be written
        """
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        known = {name: kept_result(variables, options[name]) for name in _RESULTS}
        if options["playbook"] == "restore":
            known = known_of_restore(known["records"])
        run = SiteRun.of_results(known, options["tenants"], variables)
        if not run.goes_on:
            return self._none(run, options["agreed"])
        plan = made_plan(self._facts(options, known, run, now, variables))
        return _compared(plan, options, now) if options["agreed"] else self._written(plan, options)

    def _facts(
        self,
        options: Mapping[str, Any],
        known: Mapping[str, Any],
        run: SiteRun,
        now: datetime.datetime,
        variables: Mapping[str, Any],
    ) -> PlanFacts:
        judged = known["judged"]
        play = PlayVariables(self._task, variables, self._templar)
        sights = server_sights(judged["needs"], known["probed"])
        files = dict(site_files(run, judged["declarations"], sights, play, write=False))
        unwritable = [one.failure for one in files.values() if one.failure]
        if unwritable:
            raise Refused(PLAN_RULES.problem("plan", "files", None, "; ".join(unwritable), "Let this user write them."))
        return PlanFacts(
            now=now,
            valid_days=whole_number("mail_plan_valid", options["valid"], 1, _LONGEST_VALID),
            judged=judged,
            plan=known["plan"],
            told=options["told"],
            run=run,
            senders=run_senders(known),
            cautions=list(run_cautions(known)),
            files={host: one.changes for host, one in files.items() if one.changes},
            root=options["inventory_dir"] or "",
            confirmed=frozenset(options["confirmed_cautions"]),
            playbook=options["playbook"],
        )

    def _none(self, run: SiteRun, agreed: bool) -> Result:
        """What a run does that refuses something: it makes no plan, and carries none out."""
        if not agreed:
            Display().display("No plan is written: what is named above stops the run.")
            return {"changed": False, "plan_file": None}
        reasons = [*run.refused["run"], *(reason for found in unwell(run).values() for reason in found)]
        told = "\n".join(dict.fromkeys(reasons))
        return {"failed": True, "msg": f"The plan is not carried out, because this run refuses:\n{told}"}

    def _written(self, plan: ChangePlan, options: Mapping[str, Any]) -> Result:
        file = plan_file_of(options["path"])
        count = len(plan.changed_records)
        place = (
            f"would be written to {file}" if self._task.check_mode else f"{file}, and for people {page_file_of(file)}"
        )
        Display().display(f"The plan: {place}. It changes {count} RRsets and is valid until {plan.valid_until}.")
        if not self._task.check_mode:
            _check_place(file, plan)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                # the page first: one that does not fit its plan is refused
                replace_file(page_file_of(file), plan_page(plan), mode=_READABLE)
                replace_file(file, plan_bytes(plan), mode=_READABLE)
            except OSError as error:
                rule, way_out = f"it cannot be written: {error.strerror or error}", "Name another folder."
                raise Refused(PLAN_RULES.problem("plan", "mail_plan", str(file), rule, way_out)) from None
        return {"changed": False, "plan_file": str(file), "digest": plan.digest}


def _check_place(file: Path, plan: ChangePlan) -> None:
    """The plan of one customer takes the place of no other customer's, nor of one for all."""
    if plan.customer is None or not file.exists():
        return
    known, _data = read_plan(file)
    if known.customer != plan.customer:
        rule = "there is a plan that is not for the customer of this run"
        raise Refused(PLAN_RULES.problem("plan", "mail_plan", str(file), rule, "Name another folder."))


def _compared(now_made: ChangePlan, options: Mapping[str, Any], now: datetime.datetime) -> Result:
    """The leave to carry out a plan; it is read and proved anew, so that nothing is kept from one task to the next."""
    proved = proved_plan(options, now)
    if now_made.playbook == "restore":
        now_made = with_restored(now_made, proved.plan)
    problems = plan_differences(proved.plan, now_made)
    if problems:
        raise Refused(problems)
    signed = f", signed by {'; '.join(proved.signed_by)}" if proved.signed_by else ""
    Display().display(f"The plan {proved.plan.digest[:12]} of {proved.plan.made}{signed} is what this run does.")
    held_to = on_this_machine(proved.plan, options["inventory_dir"] or "")
    place: Result = {"changed": False, "plan_file": str(proved.file), "digest": proved.plan.digest}
    return {**place, "why": f"plan {proved.plan.digest}{signed}", "records_plan": held_to.as_dict()}

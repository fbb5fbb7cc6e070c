# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_secrets_report``: what came of a rotation of secrets, told and given to each host."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.rotation_report import rotation_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.secret_rotation import (
    RotationRun,
    credential_results,
    rotated_tenants,
    rotation_outcomes,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import EnvironmentOutcome
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import kept_result

_ARGUMENTS: ArgumentSpec = {
    "judged": {"type": "str", "required": True},
    "tenants": {"type": "list", "elements": "dict", "required": True},
    "due": {"type": "list", "elements": "str", "default": []},
    "trials": {"type": "list", "elements": "dict", "default": []},
    "credentials": {"type": "list", "elements": "dict", "default": []},
    "credential_trials": {"type": "list", "elements": "dict", "default": []},
    "alarm_days": {"type": "int", "default": 14},
}


class ActionModule(ControllerAction):
    """Ends a run over the secrets of all environments."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Print the report.

        :param options: what the run knows
        :param variables: those of the host that the task runs for
        :returns: what came of each environment of which there is something to tell
        """
        judged = kept_result(variables, options["judged"])
        others, tried = credential_results(*(_called(options[name]) for name in ("credentials", "credential_trials")))
        run = RotationRun(
            tenants=rotated_tenants(judged["tenants"]),
            results=(*options["tenants"], others),
            due=frozenset(options["due"]),
            refused=_refused(judged),
            trials={one["item"]["environment"]: _trial(one) for one in options["trials"]}
            | {name: _trial(one) for name, one in tried.items()},
            now=datetime.datetime.now(datetime.UTC),
            alarm_days=options["alarm_days"],
            check_mode=self._task.check_mode,
        )
        found = rotation_outcomes(run)
        for line in rotation_report(run, found):
            Display().display(line)
        first = str(variables["ansible_play_hosts_all"][0])
        own = _by_host(found, variables["hostvars"], first)
        told = {host: one.as_dict(self._task.diff) for host, one in own.items()}
        return {"changed": any(one.changed for one in own.values()), "environments": told}


def _by_host(
    found: Mapping[str, EnvironmentOutcome], hosts: Mapping[str, Any], first: str
) -> dict[str, EnvironmentOutcome]:
    """What came of each host; what belongs to none is that of the first one of the play."""
    own: dict[str, EnvironmentOutcome] = {}
    for name, one in found.items():
        outcome = own.setdefault(name if name in hosts else first, EnvironmentOutcome())
        outcome.changed += one.changed
        outcome.failed += one.failed
        outcome.differences += one.differences
    return own


def _called(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Results of a loop with the name and the kind of each credential, which its label has."""
    return [
        {**one, "called": str(one["item"]["called"]), "kind": str(one["item"]["kind"])}
        for one in results
        if not one.get("skipped")
    ]


def _refused(judged: Mapping[str, Any]) -> dict[str, list[str]]:
    """By host, what is wrong with a declaration, and with its part of a tenant."""
    found: dict[str, list[str]] = {}
    wrong: Iterable[Mapping[str, Any]] = [
        *judged["problems"],
        *(problem for needs in judged["needs"].values() for problem in needs.get("problems") or []),
    ]
    for parts in wrong:
        problem = Problem(**parts)
        found.setdefault(problem.subject, []).append(str(problem))
    return found


def _trial(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the report tells of one result of ``mail_test``: whether it ``worked``, and how that is ``told``."""
    told = _told(result)
    return {
        "worked": told is not None,
        "told": told,
        "msg": str(result.get("msg") or "mail_test gave no result"),
    }


def _told(result: Mapping[str, Any]) -> str | None:
    """How a trial went well; None when it did not, or nobody can tell."""
    outcome, earlier = result.get("outcome"), (result.get("earlier") or {}).get("state")
    if outcome == "accepted":
        return "a message was accepted"
    if outcome == "signed_in":
        return "it signs in"
    if earlier == "sent":
        return "its message was accepted by an earlier run"
    if earlier == "under_way":
        # it had signed in by then, and another message would be one too many
        return "an earlier run ended while its message was on its way: look for it"
    return "a message would be sent" if outcome == "not_sent" and result.get("changed") else None

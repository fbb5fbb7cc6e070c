# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The rotation of the secrets of all environments: whose is kept here, how a new one is tried, and what came of it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    as_application,
    made_environments,
    tenant_failures,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import EnvironmentOutcome


def rotated_tenants(tenants: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The part of a plan that is about secrets.

    :param tenants: ``TenantPlan.tenants``
    :returns: the same without environments whose secret is not kept here, and without tenants that have no others
    """
    found = {
        tenant_id: {**tenant, "environments": [one for one in tenant["environments"] if one.get("credential")]}
        for tenant_id, tenant in tenants.items()
    }
    return {tenant_id: tenant for tenant_id, tenant in found.items() if tenant["environments"]}


def secret_trials(
    tenants: Mapping[str, Mapping[str, Any]], made: Mapping[str, Mapping[str, Any]], due: Iterable[str]
) -> list[dict[str, Any]]:
    """How the secrets are tried that somebody still has to put into an ERP.

    A secret that is confirmed is in use, and one beside which there is no other is no rotation.

    :param tenants: what :func:`rotated_tenants` gave
    :param made: what the tenants hold now, by environment
    :param due: the environments for which a secret was due when the run began
    :returns: for each ``environment``, ``key_id``, ``tenant`` (without a secret), ``stored`` (file and variable, or
        None), ``from`` (None where the tenant knows no sender), and ``sends``: whether it may send over Graph
    """
    due = set(due)
    return [
        _trial(tenant["tenant"], entry, made[entry["environment"]])
        for tenant in tenants.values()
        for entry in tenant["environments"]
        if _wants_trial(made.get(entry["environment"]), entry["environment"] in due)
    ]


def _wants_trial(made: Mapping[str, Any] | None, was_due: bool) -> bool:
    if made is None or not made["key_id"] or made["confirmed"]:
        return False
    return was_due or bool(made["retiring"])


def _trial(tenant: Mapping[str, Any], entry: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    senders = entry.get("senders") or []
    return {
        "environment": entry["environment"],
        "key_id": made["key_id"],
        "tenant": as_application(tenant, made["app_id"]),
        "stored": made["stored"],
        "from": senders[0] if senders else None,
        "sends": bool(senders) and any(one["role"] == "Mail.Send" for one in entry["application"]["permissions"]),
    }


def other_credentials(declared: Any) -> list[dict[str, Any]]:
    """What names the declared certificates and federated credentials, without anything that may be secret.

    :param declared: the variable ``mail_rotate_credentials``
    :returns: the ``index`` of each, its ``kind``, and what it is ``called``
    :raises ValueError: it is no list of dictionaries, or another kind is among them
    """
    if not isinstance(declared, (list, tuple)) or not all(isinstance(one, Mapping) for one in declared):
        raise ValueError("mail_rotate_credentials is a list of dictionaries (docs/entra.md). Correct it.")
    found = []
    for index, one in enumerate(declared):
        kind = str(one.get("kind"))
        if kind not in ("certificate", "federated"):
            rule = "kind is certificate or federated; secrets are those of environments"
            raise ValueError(f"mail_rotate_credentials[{index}]: {rule} (docs/entra.md). Correct it.")
        application = one.get("unique_name") or one.get("app_id")
        found.append({"index": index, "kind": kind, "called": f"{application} ({kind} {one.get('name')})"})
    return found


def credential_results(
    done: Iterable[Mapping[str, Any]], trials: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Mapping[str, Any]]]:
    """Certificates and federated credentials in the shapes of secrets, so that they are told in the same way.

    :param done: the results of ``entra_app_credential``, each with ``called`` and ``kind``
    :param trials: what ``mail_test`` returned for some of them, each with ``called``
    :returns: one of ``RotationRun.results``, and the trials by name
    """
    made = {str(one["called"]): _credential(one) for one in done}
    differences = [part for one in done for part in one.get("diff") or []]
    result = {"asked": list(made), "environments": made, "diff": differences}
    return result, {str(one["called"]): one for one in trials}


def _credential(one: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("key_id", "end_date_time", "confirmed")
    # the task says that it never changes, so that a change is told once, by the host's own result
    changed = bool(one.get("diff"))
    return {
        **{name: one.get(name) for name in kept},
        "kind": one["kind"],
        "brought": one["kind"] if changed and not one.get("removed") else None,
        "removed": one.get("removed") or [],
        "retiring": one.get("retiring") or [],
        "secret_due": None,
        "stored": None,
        "changed": changed,
        "problems": [str(one["msg"])] if "msg" in one else [],
    }


@dataclass(frozen=True)
class RotationRun:
    """All that a run knows at its end.

    ``tenants``: what :func:`rotated_tenants` gave; ``results``: those of ``entra_environments``, each with the hosts
    ``asked``; ``due``: for whom a secret was due when the run began; ``refused``: by host what is wrong with its
    declaration; ``trials``: by environment what ``mail_test`` returned for its new secret. A secret that ends
    unconfirmed is an alarm ``alarm_days`` before.
    """

    tenants: Mapping[str, Mapping[str, Any]]
    results: tuple[Mapping[str, Any], ...]
    due: frozenset[str]
    refused: Mapping[str, list[str]]
    trials: Mapping[str, Mapping[str, Any]]
    now: datetime.datetime
    alarm_days: int
    check_mode: bool

    @property
    def environments(self) -> list[str]:
        """Those whose secret is kept here, those that are refused, and the names of other credentials."""
        own = [str(one["environment"]) for tenant in self.tenants.values() for one in tenant["environments"]]
        return sorted({*own, *self.refused, *self.made})

    @cached_property
    def made(self) -> dict[str, Any]:
        """What the tenants hold, by environment."""
        return made_environments(self.results)

    def waits(self, host: str) -> bool:
        """Whether somebody still has to say that the ERP uses the new secret."""
        made = self.made.get(host)
        return made is not None and bool(made["key_id"] and made["retiring"]) and not made["confirmed"]

    def ends(self, host: str) -> str | None:
        """The day on which the last old secret of an environment stops to work (YYYY-MM-DD)."""
        days = [str(one["gone_at"])[:10] for one in (self.made.get(host) or {}).get("retiring") or []]
        return max(days, default=None)


def rotation_outcomes(run: RotationRun) -> dict[str, EnvironmentOutcome]:
    """What came of each environment of which there is something to tell; the others are as they were.

    :param run: all that is known at its end
    """
    found = {host: EnvironmentOutcome(failed=list(reasons)) for host, reasons in run.refused.items()}
    for host, reasons in tenant_failures(run.results).items():
        found.setdefault(host, EnvironmentOutcome()).failed += reasons
    for host, made in run.made.items():
        changed = list(_changes(run, host, made))
        failed = [f"{host}: {alarm}" for alarm in _alarms(run, host, made)]
        if changed or failed:
            outcome = found.setdefault(host, EnvironmentOutcome())
            outcome.changed += changed
            outcome.failed += failed
    for result in run.results:
        first = next((host for host in result["asked"] if host in found and found[host].changed), None)
        if first is not None:
            found[first].differences += result.get("diff") or []
    return found


def _changes(run: RotationRun, host: str, made: Mapping[str, Any]) -> Iterator[str]:
    if made["secret_due"] and run.check_mode:
        yield f"a new secret would be made: {made['secret_due']}"
    elif host in run.due and made["key_id"]:
        yield f"a new secret, {made['key_id']}, valid until {str(made['end_date_time'])[:10]}"
    if made.get("brought"):
        yield f"a new {made['brought']}{' would be added' if run.check_mode else ''}"
    for key_id in made["removed"]:
        yield f"the old {_kind(made)} {key_id} {'would be' if run.check_mode else 'is'} removed"


def _kind(made: Mapping[str, Any]) -> str:
    return str(made.get("kind") or "secret")


def _alarms(run: RotationRun, host: str, made: Mapping[str, Any]) -> Iterator[str]:
    """What somebody must do now: nothing of this mends itself, and then mail stops."""
    if made["secret_due"] and not run.check_mode and not made["problems"]:
        yield f"a secret is due and was not made: {made['secret_due']}. Run again."
    trial = run.trials.get(host)
    if trial is not None and not trial["worked"]:
        yield f"the new {_kind(made)} {made['key_id'] or ''}".rstrip() + f" does not work: {trial['msg']}"
    ends = run.ends(host)
    # the run that makes a secret says what to do with it; from the next one on it is an alarm
    late = ends is not None and host not in run.due and _days_until(run, ends) <= run.alarm_days
    if late and run.waits(host):
        yield f"its old {_kind(made)} ends on {ends}, and nobody has confirmed that the new one is used"
    if made["removed"] and not made["confirmed"] and not made["retiring"] and host not in run.due:
        step = f"Send with it, and declare {confirmation(made)}"
        yield f"the last old {_kind(made)} has ended, and nobody has confirmed that the new one is used. {step}"
    last = str(made["end_date_time"] or "")[:10]
    if made.get("kind") == "certificate" and last and _days_until(run, last) <= run.alarm_days:
        yield f"its certificate ends on {last}. Give a new one"


def confirmation(made: Mapping[str, Any]) -> str:
    """What a person declares who has seen that the new one is used.

    :param made: what a tenant holds for an environment, or another credential
    """
    return f"{'confirmed_key_id' if made.get('kind') else 'mail_entra_confirmed_key_id'}: {made['key_id']}"


def _days_until(run: RotationRun, day: str) -> int:
    return (datetime.date.fromisoformat(day) - run.now.date()).days

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Makes a plan of all that a run knows which has judged and looked, and written nothing. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    PlannedFile,
    PlannedRecord,
    RecordsPlan,
    read_records_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import when_text
from ansible_collections.mailroom.erp.plugins.module_utils.version import VERSION
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_digest import catalogue_digest
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.change_reasons import change_reasons
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.declared_parts import declared_parts
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import digest_of, sealed
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import (
    PLAN_SCHEMA,
    ChangePlan,
    JudgedSender,
    PlanBasis,
    PlannedSettings,
    PlanningPlaybook,
    TenantChange,
    UndonePart,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import made_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import Caution, stamp_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import SiteRun
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import FileChange
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import mask_secrets
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import ToldSender
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import report_data

_POLICY = re.compile(r"v=DMARC1\s*;.*?\bp\s*=\s*(none|quarantine|reject)", re.IGNORECASE)
_STRICT = ("none", "quarantine", "reject")
_NEW_SECRET = "(new)"
_ITS_END = re.compile(r", until \d{4}-\d\d-\d\d$")


@dataclass(frozen=True)
class PlanFacts:
    """All that a plan is made of. ``judged`` and ``plan``: the results of ``erp_environments_info`` and
    ``erp_environments_plan``; ``told``: what else the run was told, by variable; ``files``: what changes for each
    environment; ``root``: the folder of the inventory; ``confirmed``: the stamps of cautions that nobody wants told;
    ``playbook``: whose way the run went."""

    now: datetime
    valid_days: int
    judged: Mapping[str, Any]
    plan: Mapping[str, Any]
    told: Mapping[str, Any]
    run: SiteRun
    senders: Sequence[ToldSender]
    cautions: Sequence[Caution]
    files: Mapping[str, Sequence[FileChange]]
    root: str
    confirmed: frozenset[str] = frozenset()
    playbook: PlanningPlaybook = "site"


def made_plan(facts: PlanFacts) -> ChangePlan:
    """Make the plan, with its digest.

    :param facts: all that is known; the same, but for ``now``, make the same plan but for its times
    """
    of_records = _records(facts)
    declared = declared_parts(facts.judged, facts.plan, facts.told, facts.root)
    changing = [one for one in of_records.records if one.changes]
    tenants = _tenants(facts.run)
    settings = _settings(facts.files, {host for one in tenants for host in one.environments})
    senders = tuple(sorted(map(_sender, facts.senders), key=lambda one: canonical_json(report_data(one))))
    plan = ChangePlan(
        schema=PLAN_SCHEMA,
        digest="",
        made=when_text(facts.now),
        valid_until=when_text(facts.now + timedelta(days=facts.valid_days)),
        collection=VERSION,
        playbook=facts.playbook,
        customer=(facts.judged.get("boundary") or {}).get("customer"),
        basis=PlanBasis(
            declaration=digest_of([report_data(one) for one in declared]),
            catalogue=catalogue_digest(),
            live=digest_of([[*one.identity, report_data(one.before), one.elsewhere] for one in of_records.records]),
        ),
        declared=declared,
        records=of_records.records,
        reasons=change_reasons(changing, facts.run.needs),
        files=of_records.files,
        settings=settings,
        tenants=tenants,
        senders=senders,
        left_out=tuple(_left_out(facts.run)),
        risks=tuple(dict.fromkeys(text.replace(f"{facts.root}/", "") for text in _risks(changing, senders, facts))),
    )
    return sealed(plan)


def on_this_machine(plan: ChangePlan, root: str) -> RecordsPlan:
    """What ``mail_domains`` is held to here.

    :param plan: of any machine
    :param root: the folder of the inventory on this one
    """
    files = tuple(replace(one, path=str(Path(root) / one.path)) for one in plan.files)
    return RecordsPlan(plan.records, files)


def _records(facts: PlanFacts) -> RecordsPlan:
    given = facts.run.records.get("plan")
    found = read_records_plan(given) if given else RecordsPlan((), ())
    return RecordsPlan(found.records, tuple(_placed(one, facts.root) for one in found.files))


def _placed(file: PlannedFile, root: str) -> PlannedFile:
    path = Path(file.path)
    return replace(file, path=str(path.relative_to(root))) if root and path.is_relative_to(root) else file


def _settings(files: Mapping[str, Sequence[FileChange]], waiting: set[str]) -> tuple[PlannedSettings, ...]:
    """:param waiting: environments whose tenant changes, so that nobody knows yet what their files will say"""
    return tuple(
        PlannedSettings(
            environment=host,
            file=one.path.name,
            before=_digest(one.before),
            after=None if host in waiting else _digest(one.after),
        )
        for host, changes in sorted(files.items())
        for one in sorted(changes, key=lambda one: one.path.name)
    )


def _digest(text: str | None) -> str | None:
    return None if text is None else sha256(mask_secrets(text, "(secret)").encode()).hexdigest()


def _tenants(run: SiteRun) -> tuple[TenantChange, ...]:
    found = [change for result in run.tenants for change in _tenant(result)]
    return tuple(sorted(found, key=lambda one: (one.tenant, one.what)))


def _tenant(result: Mapping[str, Any]) -> Iterator[TenantChange]:
    environments = result.get("environments") or {}
    tenant = next((str(one["directory_id"]) for one in environments.values()), "")
    changing = tuple(sorted(host for host, one in environments.items() if one["changed"] or one["secret_due"]))
    for part in result.get("diff") or []:
        yield TenantChange(
            tenant, changing, str(part["before_header"]), _json(part["before"]), _json(_undated(part["after"]))
        )


def _undated(after: Any) -> Any:
    """The end of a secret that is still to be made is another one each day."""
    if not isinstance(after, Mapping):
        return after
    return {name: _ITS_END.sub("", str(one)) if name == _NEW_SECRET else one for name, one in after.items()}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)


def _sender(sender: ToldSender) -> JudgedSender:
    after = sender.after
    return JudgedSender(
        environment=after["sender"]["environment"] or None,
        address=sender.address,
        service=after["sender"]["service"] or None,
        before=sender.before["result"],
        after=after["result"],
        reason=after["reason"],
        next=after["next_step"] or None,
    )


def _left_out(run: SiteRun) -> Iterator[UndonePart]:
    refused = run.refused
    found = {**refused["environments"], **refused["domains"]}
    found |= {name: [f"its domains are left out: {', '.join(why)}"] for name, why in refused["dependents"].items()}
    found |= {name: [reason] for name, reason in run.failed_domains.items()}
    for subject, reasons in sorted(found.items()):
        yield UndonePart(subject, "\n".join(reasons))


def _risks(records: Iterable[PlannedRecord], senders: Iterable[JudgedSender], facts: PlanFacts) -> Iterator[str]:
    for one in records:
        if one.after is None:
            yield f"{one.name}: the {one.type} record goes"
        before, after = _policy(one.before), _policy(one.after)
        if one.after is not None and _STRICT.index(after) > _STRICT.index(before):
            yield f"{one.name}: receivers are asked for {after} from now on, and were asked for {before}"
    for sender in senders:
        if sender.after != "pass":
            worse = " and passed before" if sender.before == "pass" else ""
            yield f"{sender.group}, {sender.address}: {sender.after}{worse}: {sender.reason}"
    for host, held in sorted(made_environments(facts.run.tenants).items()):
        if held.get("secret_due"):
            yield f"{host}: a new secret is made in its tenant"
    shown = (one for one in facts.cautions if stamp_of(one) not in facts.confirmed)
    yield from (one.text for one in shown)


def _policy(rrset: Any) -> str:
    found = [match[1].lower() for value in (rrset.values if rrset else ()) if (match := _POLICY.match(value))]
    return found[0] if found else "none"

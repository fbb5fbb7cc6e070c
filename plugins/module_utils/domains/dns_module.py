# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the DNS modules have in common: from an AnsibleModule's parameters to its result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module, Result
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import secret_values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.values import departed
from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import (
    Message,
    failure_list,
    grouped,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import failure_text, refusal_text
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.record_files import RecordFileChange
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import Order, read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome, RecordStep
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.masked_secrets import never_show, without_secrets
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused, encodable
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import default_folder

_APART = ("changed", "failures", "summary", "written", "snapshot", "diff")
"""What conditions of tasks and Ansible itself read of a result, so it is in no text."""
_MANY = ("domains", "senders", "inventory_domains")


@dataclass(frozen=True, slots=True)
class DnsJob:
    """What a module does in its own way: ``read`` makes the order of the parameters, and ``note`` writes down what the
    run did beyond the writes themselves, unless it is check mode."""

    read: Callable[[Mapping[str, Any]], Order] = read_order
    note: Callable[[list[DomainOutcome], Snapshot], None] = lambda _outcomes, _snapshot: None


def run_dns_module(
    module: Module, params: Mapping[str, Any], shape: Callable[[list[DomainOutcome]], Result], job: DnsJob | None = None
) -> NoReturn:
    """Do what the parameters ask for and end the module.

    :param module: the AnsibleModule
    :param params: parameters in the shape of ``mail_domains``
    :param shape: makes the module's own return values of the outcomes
    :param job: what the module does in its own way
    """
    progress = Progress(params.get("progress_file"))
    try:
        run, snapshot, outcomes = _executed(module, params, progress, job or DnsJob())
    except (Refused, ProviderError, MissingLibrary) as error:
        told = refusal_text(error, params) if isinstance(error, Refused) else failure_text(str(error), params)
        module.fail_json(msg=told)
    reports = params.get("on_failure") == "report"
    for warning in [*grouped(one for outcome in outcomes for one in _warnings(outcome)), *run.guard.warnings]:
        if not reports:
            module.warn(sendable(warning))
    would_change = any(outcome.changed for outcome in outcomes)
    result = {**shape(outcomes), "changed": would_change and (run.wrote or module.check_mode)}
    result["snapshot"] = snapshot_path(snapshot)
    many = "senders" in params
    if module._diff or not many:  # of thousands of domains it is half of the result
        result["diff"] = _diff(outcomes)
    if many:
        live = bool(params.get("judge_live")) and run.wrote and result["changed"]
        result |= {"verdicts": verdicts(run, live), "planned": [planned(one) for one in _changed(outcomes)]}
        result["written"] = run.wrote
        result["name_servers"] = run.name_servers() if params.get("tell_name_servers") else []
        result["sender_warnings"] = list(run.guard.warnings)
        result |= {"plan": run.plan.as_dict()} if params.get("tell_plan") else {}
    for one in result.get("failures") or []:
        one["msg"] = failure_text(one["msg"], params)
    result = sendable(result)
    if params.get("as_text"):
        result = in_text(result, params, module.no_log_values)
    failures = [outcome for outcome in outcomes if outcome.failure]
    for line in progress.said:
        module.warn(line)
    if failures and not reports:
        told = failure_text(_failed(failures, len(outcomes), module.check_mode), params)
        module.fail_json(msg=sendable(told), **result)
    module.exit_json(**result)


def _executed(
    module: Module, params: Mapping[str, Any], progress: Progress, job: DnsJob
) -> tuple[Run, Snapshot | None, list[DomainOutcome]]:
    order = job.read(params)
    _mask_secrets(module, order)
    snapshot = open_snapshot(module, params)
    run = Run(order, params.get("resolver"), params.get("concurrency") or 16, progress, snapshot)
    outcomes = run.execute(not module.check_mode)
    if snapshot is not None:
        job.note(outcomes, snapshot)
    return run, snapshot, outcomes


def run_record_module(
    module: Module, kind: Kind, options: Iterable[str], shape: Callable[[Result], Result]
) -> NoReturn:
    """Do what a module for one record of one domain asks for, and end it: it is ``mail_domains`` with one domain.

    :param kind: of the record
    :param options: the names of the options of the record
    :param shape: makes the module's own return values of those of the domain, as :func:`domain_result` gives them
    """
    record = {name: module.params[name] for name in options}
    entry = {"domain": module.params["domain"], kind.option: [record] if kind.many else record}
    run_dns_module(module, {**module.params, "domains": [entry]}, lambda outcomes: shape(domain_result(outcomes[0])))


def sendable(value: Any) -> Any:
    """What Ansible can send to the controller: UTF-8; see :func:`encodable`."""
    if isinstance(value, str):
        return value if value.isascii() else encodable(value)
    if isinstance(value, Mapping):
        return {name: sendable(inner) for name, inner in value.items()}
    return [sendable(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def in_text(result: Result, params: Mapping[str, Any], secrets: Collection[str]) -> Result:
    """Put most of a result into one JSON text, ``text``: Ansible copies and walks each value of it several times.

    :param result: sendable
    :param params: those of the module; what there is of each domain and sender is left out of ``invocation``
    :param secrets: Ansible masks them in a text, too, which may be no JSON any more: where one stands in it, the result
        stays as it is
    """
    apart = {name: result[name] for name in _APART if name in result}
    text = json.dumps({name: value for name, value in result.items() if name not in apart})
    if any(form in text for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])):
        return result
    given = {name: value for name, value in params.items() if name not in _MANY}
    return {**apart, "text": text, "invocation": {"module_args": given}}


def open_snapshot(module: Module, params: Mapping[str, Any]) -> Snapshot | None:
    """The snapshot that the run is to keep; None in check mode, which writes nothing anywhere.

    :param params: with ``snapshot_dir`` and ``why``, as ``dns_module_options.shared_spec`` has them
    """
    if module.check_mode:
        return None
    # The name of a task may have been templated with a secret.
    why = without_secrets(params.get("why") or "no reason given", module.no_log_values)
    return Snapshot(params.get("snapshot_dir") or default_folder(os.environ), why)


def snapshot_path(snapshot: Snapshot | None) -> str | None:
    """The return value ``snapshot``."""
    return str(snapshot.path) if snapshot and snapshot.path else None


def verdicts(run: Run, live: bool) -> dict[str, list[Result]]:
    """The return value ``verdicts``: each sender on the live records, and on the planned ones.

    :param live: also on the records as the world sees them now
    """
    found = {"before": run.guard.before, "after": run.guard.after, **({"live": run.judge_live()} if live else {})}
    return {name: [verdict.as_dict() for verdict in judged] for name, judged in found.items()}


def planned(change: Change) -> Result:
    """One RRset of the return value ``planned``; no values means that it will not exist."""
    name, rdtype = change.key
    return {"name": name, "type": rdtype, "values": list(change.after.values) if change.after else []}


def domain_result(outcome: DomainOutcome) -> Result:
    """The return values of one domain; each kind of record that was asked for has its own key."""
    result: Result = {"domain": outcome.request.domain, "zone": None, "changed": outcome.changed}
    result |= {one.key: [] if one.many else None for one in RECORD_RESULTS.values()}
    for step in outcome.steps:
        called, record = RECORD_RESULTS[step.recipe.kind], record_result(step)
        if called.many:
            result[called.key].append(record)
        else:
            result[called.key] = record
    result["zone"] = next((step.zone for step in outcome.steps if step.zone), None)
    return {**result, "warnings": outcome.warnings}


def record_result(step: RecordStep) -> Result:
    """The return values of one record."""
    plan = step.plan
    record = {"before": plan.before, "after": plan.after}
    return {"name": step.recipe.name, "record": record, "managed_elsewhere": plan.elsewhere, **plan.details}


def _mask_secrets(module: Module, order: Order) -> None:
    """Secrets that came by ``src`` are in no argument spec, so they are named to Ansible here."""
    for account in order.accounts:
        never_show(module, list(secret_values(account)))


def _diff(outcomes: list[DomainOutcome]) -> list[dict[str, str]]:
    steps = [step for outcome in outcomes for step in outcome.steps]
    records = [_step_diff(step, change) for step in steps if step.record_changed for change in step.changes]
    return records + [_file_diff(step.file_change) for step in steps if step.file_change and step.file_changed]


def _changed(outcomes: list[DomainOutcome]) -> list[Change]:
    return [change for outcome in outcomes for step in outcome.steps if step.record_changed for change in step.changes]


def _step_diff(step: RecordStep, change: Change) -> dict[str, str]:
    header = f"{change.key[0]} {change.key[1]} ({step.recipe.kind.replace('_', ' ').upper()})"
    texts = (step.plan.before, step.plan.after) if change is step.change else _beside(change)
    before, after = _line(texts[0], change.before), _line(texts[1], change.after)
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _file_diff(change: RecordFileChange) -> dict[str, str]:
    header = str(change.path)
    before, after = change.before or "", change.after or ""
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _beside(change: Change) -> tuple[str | None, str | None]:
    """The texts of another record that goes with one."""
    before, after = values_of(change.before), values_of(change.after)
    return (" | ".join(departed(before, after)) or None, " | ".join(departed(after, before)) or None)


def _line(record: str | None, rrset: RRset | None) -> str:
    return "" if record is None or rrset is None else f"TTL {rrset.ttl}: {record}\n"


def _warnings(outcome: DomainOutcome) -> list[Message]:
    names = {step.recipe.name for step in outcome.steps} | {step.zone for step in outcome.steps if step.zone}
    return [Message(outcome.request.domain, text, names) for text in outcome.warnings]


def _failed(failures: list[DomainOutcome], total: int, check_mode: bool) -> str:
    """What failed, in words; all of it stands in the return value ``failures``."""
    return failure_list("domains", [_failure(outcome) for outcome in failures], total, check_mode)


def domains_result(outcomes: list[DomainOutcome]) -> Result:
    """The return values of ``mail_domains``: what became of each domain, and of all together."""
    failures = domain_failures(outcomes)
    changed = sum(outcome.changed for outcome in outcomes)
    unchanged = sum(not outcome.changed and not outcome.failure for outcome in outcomes)
    return {
        "domains": [domain_result(outcome) for outcome in outcomes],
        "failures": failures,
        "summary": {"domains": len(outcomes), "changed": changed, "unchanged": unchanged, "failed": len(failures)},
    }


def domain_failures(outcomes: Iterable[DomainOutcome]) -> list[Result]:
    """The return value ``failures``: each domain that failed, and whether it was refused."""
    return [
        {"domain": one.request.domain, "refused": one.refusal is not None, "msg": one.failure}
        for one in outcomes
        if one.failure
    ]


def _failure(outcome: DomainOutcome) -> Message:
    zones = {step.zone for step in outcome.steps if step.zone}
    # a broken rule names its subject itself
    told = outcome.refusal or f"{outcome.request.domain}: {outcome.failure}"
    return Message(outcome.request.domain, told, zones)

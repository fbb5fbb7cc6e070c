# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``erp_verification``: makes the report of ``verify`` of what its tasks found, and writes it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite, last_writes
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import make_folder
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import (
    domain_customers,
    host_customers,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import read_declared_domains
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_probe import server_sights
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import unexplained_items
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import PlayVariables, kept_result
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.customer_reports import (
    customer_report,
    customer_report_file,
    only_report,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.leaving_reports import LeavingEvidence
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import read_previous
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.prometheus_text import prometheus_text
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_lines import (
    check_fail_on,
    failing_risks,
    failing_text,
    report_lines,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import VerifyReport, report_data
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.unconfirmed_points import unconfirmed_points
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import Commands, VerifyFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_report import verify_report

_RESULTS = ("judged", "plan", "records", "live", "audited", "probed", "reported", "advanced")
_ARGUMENTS: ArgumentSpec = {
    **{name: {"type": "str", "required": True} for name in _RESULTS},
    "tenants": {"type": "list", "elements": "dict", "default": []},
    "confirmed_cautions": {"type": "list", "elements": "str", "default": []},
    "snapshot_dir": {"type": "path", "required": True},
    "dir": {"type": "path", "required": True},
    "prometheus": {"type": "path"},
    "archive": {"type": "path"},
    "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
    "stopped": {"type": "raw"},
    "quiet": {"type": "raw"},
    "fail_on": {"type": "list", "elements": "str", "default": ["drift", "fail", "unknown"]},
}
_REPORT = "report.json"
_READABLE = 0o644
"""The exporter that reads the file of figures is another user; it holds names and counts only."""


class ActionModule(ControllerAction):
    """Ends a run that only looked."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Make the report, compare it with the last one, write it, and print what changed.

        :param options: the variables that hold what the run knows, and where to write
        :param variables: those of the host that the task runs for; all others are reached through them
        :returns: where the report is, and which of the risks of ``fail_on`` were found
        :raises Refused: ``fail_on`` has another word, a customer has no proper name, or the report cannot be written
        """
        check_fail_on(options["fail_on"])
        folder = Path(options["dir"]).absolute()
        judged = kept_result(variables, options["judged"])
        customer = (judged.get("boundary") or {}).get("customer")
        file = folder / _REPORT if customer is None else customer_report_file(folder, customer)
        facts = self._facts(options, variables, file)
        report = verify_report(facts)
        if customer is not None:
            report = only_report(report, str(customer), facts.previous.data)
        for line in report_lines(report):
            Display().display(line)
        if not self._task.check_mode:
            self._write(folder, report, options["prometheus"])
        failing = failing_risks(report, options["fail_on"])
        place = str(file)
        return {
            "changed": False,
            "failing": failing,
            "failing_text": failing_text(report, failing, place) if failing else "",
            "report_file": place,
            "report_dir": str(folder),
            "state": report.state,
        }

    def _facts(self, options: Mapping[str, Any], variables: Mapping[str, Any], file: Path) -> VerifyFacts:
        known = {name: kept_result(variables, options[name]) for name in _RESULTS}
        judged, snapshots = known["judged"], Path(options["snapshot_dir"]).absolute()
        play = PlayVariables(self._task, variables, self._templar)
        declared = read_declared_domains(
            (host, own.get("mail_dns_domains")) for host, own in sorted(judged["variables"].items())
        )
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        inventories = variables.get("ansible_inventory_sources") or ["inventory"]
        writes = _writes(snapshots)
        return VerifyFacts(
            now=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
            judged=judged,
            plan=known["plan"],
            commands=Commands([str(one) for one in inventories], snapshots),
            previous=read_previous(file),
            records=known["records"],
            live=known["live"],
            audited=known["audited"],
            reported=known["reported"],
            advanced=known["advanced"],
            tenants=options["tenants"],
            sights=server_sights(judged["needs"], known["probed"]),
            customers=host_customers((host, play.of(host)) for host in hosts),
            domain_customers=_domain_customers(judged, declared.by_name),
            unexplained={name: unexplained_items(one) for name, one in declared.by_name.items()},
            unconfirmed=unconfirmed_points(judged["declarations"], options["tenants"]),
            confirmed=frozenset(options["confirmed_cautions"]),
            writes=writes,
            leaving=_leaving(options, judged, known["plan"], writes),
        )

    def _write(self, folder: Path, report: VerifyReport, figures: str | None) -> None:
        try:
            make_folder(folder)
            for customer, text in self._customers(folder, report):
                make_folder(customer.parent)
                replace_file(customer, text)
            if report.customer is not None:
                # the report on all and its figures are not of this run
                return
            replace_file(folder / _REPORT, _text(report))
            if figures:
                replace_file(Path(figures).absolute(), prometheus_text(report).encode(), mode=_READABLE)
        except OSError as error:
            rule = f"the report cannot be written: {error.strerror or error}"
            way_out = "Let this user write there, or name another folder."
            where = str(error.filename or folder)
            raise Refused(Problem("verify", "mail_report_dir", where, rule, "docs/verify.md", way_out)) from error

    def _customers(self, folder: Path, report: VerifyReport) -> Iterator[tuple[Path, bytes]]:
        if report.customer is not None:
            yield customer_report_file(folder, report.customer), _text(report)
        for one in report.customers:
            file = customer_report_file(folder, one.name)
            yield file, _text(customer_report(report, one.name, read_previous(file).data))


def _domain_customers(
    judged: Mapping[str, Any], domains: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Whose domains are; in a run for one customer all are his, whoever shares one with him."""
    boundary = judged.get("boundary")
    return dict.fromkeys(domains, (str(boundary["customer"]),)) if boundary else domain_customers(domains)


def _text(report: VerifyReport) -> bytes:
    return (json.dumps(report_data(report), indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _leaving(
    options: Mapping[str, Any], judged: Mapping[str, Any], plan: Mapping[str, Any], writes: Mapping[Key, LastWrite]
) -> dict[str, LeavingEvidence]:
    needs = judged["needs"]
    if not any(one["state"] == LEAVING for one in needs.values()):
        return {}
    # only then: Ansible compiles all that an action imports at each start
    from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.still_sending import leaving_evidence

    return leaving_evidence(needs, plan["senders"], options, writes)


def _writes(snapshots: Path) -> Mapping[Key, LastWrite]:
    """The journal tells since when; where it cannot be read, nothing else is less true."""
    try:
        return last_writes(snapshots)
    except OSError as error:
        Display().warning(f"since when records differ is not known: {error}")
        return {}

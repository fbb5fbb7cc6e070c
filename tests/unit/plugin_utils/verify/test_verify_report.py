# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole report of what the tasks of a run returned: what is to be done, how things stand, what makes it fail."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.leaving_reports import LeavingEvidence
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.previous_report import PreviousReport
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_lines import (
    check_fail_on,
    failing_risks,
    report_lines,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import VerifyReport, report_data
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import Commands, VerifyFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_report import verify_report

Data = dict[str, Any]
NAME = "acme.example"
SPF = "v=spf1 mx include:spf.afas.online ~all"
DMARC = "v=DMARC1; p=quarantine; rua=mailto:d@acme.example"
SITE = "ansible-playbook -i 'my inventory.yml' mailroom.erp.site"
RESTORE = "ansible-playbook -i 'my inventory.yml' mailroom.erp.restore -e mail_restore_snapshot=/snapshots/one.yml"


def record(name: str, live: str | None, declared: str | None, **more: Any) -> Data:
    return {"name": name, "record": {"before": live, "after": declared}, "managed_elsewhere": None, **more}


def verdict(result: str = "pass", **more: Any) -> Data:
    sender = {"environment": "erp", "from": f"erp@{NAME}", "service": "afas_online"}
    parts = {kind: {"result": result} for kind in ("spf", "dkim", "dmarc")}
    return {"sender": sender, **parts, "transport": None, "result": result, "reason": "why", "next_step": None, **more}


def audit(**more: Any) -> Data:
    spf = {"record": SPF, "records": [SPF], "lookups": {"total": 2, "void": 0}, "tree": None, "flattened": []}
    dmarc = {"record": DMARC, "records": [DMARC]}
    return {"domain": NAME, "spf": spf, "dkim": [], "dmarc": dmarc, "findings": [], **more}


def facts(**more: Any) -> VerifyFacts:
    """A run in which all is well, but for what is given."""
    planned = {
        "domain": NAME,
        "zone": NAME,
        "changed": False,
        "warnings": [],
        "spf": record(NAME, SPF, SPF),
        "dmarc": record(f"_dmarc.{NAME}", DMARC, DMARC),
        **more.pop("planned", {}),
    }
    servers = {"zone": NAME, "account": ["ns1.example"], "world": ["ns1.example"], "problem": None}
    records = {
        "domains": [planned],
        "failures": [],
        "diff": [],
        "verdicts": {"before": [more.pop("verdict", verdict())], "after": []},
        "name_servers": [{**servers, **more.pop("servers", {})}],
        **more.pop("records", {}),
    }
    needs = {"system": "afas_profit", "state": "present", "senders": [{"from": f"erp@{NAME}", "domain": NAME}]}
    refused: Data = {"environments": {}, "dependents": {}, "domains": {}, "run": []}
    given: Data = {
        "now": datetime.datetime(2026, 11, 29, 3, tzinfo=datetime.UTC),
        "judged": {"needs": {"erp": needs}, "cautions": {}, "tenants": {}},
        "plan": {"names": [NAME], "domains": [{"domain": NAME}], "cautions": [], "refused": refused},
        "commands": Commands(["my inventory.yml"], Path("/snapshots")),
        "records": records,
        "audited": {"domains": [audit(**more.pop("audit", {}))]},
        **more,
    }
    return VerifyFacts(**given)


def told(report: VerifyReport) -> list[tuple[str, str]]:
    return [(one.risk, one.text) for one in report.todo]


def after(report: VerifyReport) -> PreviousReport:
    """The last report, for the next run."""
    return PreviousReport(report_data(report))


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    report = verify_report(facts())
    assert (report.state, told(report), report.unknown, report.changed) == ("fine", [], (), ())
    assert failing_risks(report, ["drift", "fail", "unknown", "due"]) == []


def test_what_nobody_can_explain_is_listed_until_somebody_does() -> None:
    report = verify_report(facts(unexplained={NAME: ["spf ip4:192.0.2.7", "dkim old"]}))
    assert sorted(told(report)) == [
        ("confirm", f"{NAME}: nobody can explain dkim old"),
        ("confirm", f"{NAME}: nobody can explain spf ip4:192.0.2.7"),
    ]
    assert report.todo[0].step.startswith("Find out, and declare it or drop it")


def drifted(**more: Any) -> VerifyFacts:
    live = "v=spf1 mx ~all"
    return facts(planned={"changed": True, "spf": record(NAME, live, SPF)}, **more)


def test_a_sender_that_fails_because_a_record_drifted_is_told_with_the_record() -> None:
    report = verify_report(drifted(verdict=verdict("fail")))
    (only,) = report.todo
    assert only.risk == "drift" and only.text.endswith("; mail of erp@acme.example fails")
    assert (only.command, only.environments, only.domains) == (SITE, ("erp",), (NAME,))
    assert (report.state, report.domains[0].state, report.environments[0].state) == ("failing",) * 3
    assert failing_risks(report, ["fail", "drift"]) == ["fail", "drift"]


@pytest.mark.parametrize(
    ("before", "written", "command"),
    [
        ((SPF,), ("v=spf1 mx ~all",), RESTORE),
        (("v=spf1 a ~all",), (SPF,), SITE),
        ((SPF,), ("v=spf1 ~all",), SITE),
        (None, None, SITE),
    ],
    ids=["we took it away", "we wrote what is declared", "changed again since", "we took all away"],
)
def test_a_snapshot_is_named_where_it_holds_what_is_declared(
    before: tuple[str, ...] | None, written: tuple[str, ...] | None, command: str
) -> None:
    write = LastWrite("2026-11-01T00:00:00Z", "one.yml", before, written)
    (only, _dmarc) = verify_report(drifted(writes={(NAME, "TXT"): write})).domains[0].records
    assert (only.restore, only.last_written, only.seen_right) == (command, "2026-11-01T00:00:00Z", None)


def test_since_when_it_is_wrong_is_remembered_from_run_to_run() -> None:
    first = verify_report(facts())
    second = verify_report(drifted(previous=after(first)))
    third = verify_report(drifted(previous=after(second)))
    for report in (second, third):
        assert report.domains[0].records[0].seen_right == first.made
    assert second.changed and not third.changed
    assert report_lines(third) == [report_lines(third)[0]] and "nothing changed since" in report_lines(third)[0]


def test_name_servers_that_moved_away_from_the_account_are_drift_and_others_are_told() -> None:
    moved = verify_report(facts(servers={"world": ["ns.elsewhere.example"]}))
    (only,) = told(moved)
    assert only[0] == "drift" and "the name servers of acme.example moved" in only[1]
    together = {"account": ["ns2.example"], "world": ["ns2.example"]}
    changed = verify_report(facts(servers=together, previous=after(verify_report(facts()))))
    assert told(changed) == [] and [(one.what, one.after) for one in changed.changed] == [
        ("name servers", "ns2.example")
    ]
    silent = verify_report(facts(servers={"account": None, "world": None, "problem": "SERVFAIL"}))
    assert [risk for risk, _text in told(silent)] == ["unknown"]


def test_a_look_up_that_failed_is_unknown_and_neither_missing_nor_drift() -> None:
    planned = {"spf": record(NAME, None, None), "dmarc": record(f"_dmarc.{NAME}", None, None)}
    failures = {"failures": [{"domain": NAME, "refused": False, "msg": "zone acme.example: SERVFAIL"}]}
    unseen = audit()["spf"] | {"record": None, "records": None, "lookups": None}
    finding = {
        "level": "fault",
        "record": "SPF record",
        "value": None,
        "rule": "it cannot be looked up",
        "source": "RFC 7208",
        "next_step": "Look.",
        "unanswered": True,
    }
    known = verify_report(facts())
    report = verify_report(
        facts(
            planned=planned,
            records=failures,
            audit={"spf": unseen, "findings": [finding]},
            verdict=verdict("unknown"),
            previous=after(known),
        )
    )
    assert {risk for risk, _text in told(report)} == {"unknown"} and report.state == "unknown"
    assert [one.state for one in report.domains[0].records] == ["unknown", "unknown"]
    assert report.domains[0].records[0].seen_right == known.made
    assert failing_risks(report, ["drift", "fail"]) == [] and failing_risks(report, ["unknown"]) == ["unknown"]


def test_a_module_that_died_leaves_all_unknown() -> None:
    dead = facts(records={"domains": [], "msg": "dnspython is not installed"})
    del dead.records["domains"], dead.records["verdicts"]
    report = verify_report(dead)
    assert report.state == "unknown" and "dnspython is not installed" in report.todo[0].text
    gone = verify_report(facts(audited={"msg": "no library", "failed": False}))
    assert [one.why for one in gone.unknown] == ["no library"]
    odd = verify_report(facts(previous=PreviousReport(problem="report.json is no JSON")))
    assert [one.why for one in odd.unknown] == ["report.json is no JSON"]


def test_a_service_that_a_domain_declares_is_told_with_the_domain() -> None:
    sender = {"environment": None, "from": f"*@{NAME}", "service": "microsoft365"}
    report = verify_report(facts(verdict={**verdict("fail"), "sender": sender}))
    (only,) = report.todo
    assert (only.risk, only.domains) == (
        "fail",
        (NAME,),
    ) and "mail of *@acme.example by microsoft365 fails" in only.text
    assert (report.domains[0].state, report.environments[0].senders, report.state) == ("failing", (), "failing")


def server(name: str, level: str, host: str = "mail.acme.example") -> ServerSight:
    finding = {
        "name": name,
        "level": level,
        "text": f"the certificate is for another name ({name})",
        "lasting": f"the certificate is for another name ({name})",
        "certain": True,
        "next_step": "Renew it.",
    }
    ends = "2027-01-31T00:00:00+00:00"
    return ServerSight(host, 587, "here", level, "told", None, (finding,), certificate_ends=ends)


def test_a_certificate_that_was_renewed_wrong_fails_the_sender_and_a_server_that_moved_is_told() -> None:
    before = verify_report(facts(sights={"erp": server("old_tls", "warning")}))
    transport = {"result": "fail", "reason": "its certificate is for another name"}
    sights = {"erp": server("wrong_name", "fail", "mail2.acme.example")}
    report = verify_report(facts(sights=sights, verdict=verdict("fail", transport=transport), previous=after(before)))
    (only,) = report.todo
    assert (only.risk, only.who, only.environments) == ("fail", "erp", ("erp",))
    changes = {one.what: one for one in report.changed}
    assert changes["mail server"].after == "wrong_name (fail)" and changes["sender"].after == "fail"
    assert [one.date for one in report.calendar] == ["2027-01-31"]


TERM, SELECTOR = "ip4:192.0.2.77", "pay1"
WORD = LeavingEvidence(stopped="a person's word: the last mail was on 2026-11-20")


def leaving(evidence: LeavingEvidence | None, records: list[str] | None, fault: str | None = "missing") -> VerifyReport:
    """A run that finds an environment which leaves, with one term and one selector."""
    needs: Data = {"system": "tryton", "state": "leaving", "senders": [{"from": f"erp@{NAME}", "domain": NAME}]}
    needs |= {"domains": {NAME: [{"term": TERM}]}, "dkim": {NAME: [{"selector": SELECTOR}]}}
    selector = {"selector": SELECTOR, "name": f"{SELECTOR}._domainkey.{NAME}", "algorithm": "rsa", "bits": 2048}
    selector |= {"usable": fault is None, "fault": fault, "digest": None, "target": None}
    finding = {
        "level": "fault",
        "record": "DKIM key",
        "value": selector["name"],
        "rule": "no key",
        "source": "RFC 6376",
    }
    finding |= {"next_step": "publish it", "unanswered": False}
    spf = {"record": None, "records": records, "lookups": {"total": 2, "void": 0}, "tree": None, "flattened": []}
    return verify_report(
        facts(
            judged={"needs": {"erp": needs}, "cautions": {}, "tenants": {}},
            verdict=verdict("fail", next_step="publish it"),
            audit={"spf": spf, "dkim": [selector], "findings": [finding] if fault else []},
            leaving={} if evidence is None else {"erp": evidence},
        )
    )


def test_who_has_left_is_told_as_leaving_and_not_as_failing() -> None:
    report = leaving(WORD, ["v=spf1 mx ~all"])
    (environment,), (sender,) = report.environments, report.environments[0].senders
    assert (report.state, environment.state, sender.verdict, sender.next) == ("fine", "fine", "leaving", None)
    assert environment.leaving is not None
    assert environment.leaving.gone == (f"the SPF term {TERM} of {NAME}", f"the DKIM selector {SELECTOR} of {NAME}")
    assert environment.leaving.stands == ()
    (item,) = report.todo
    assert item.risk == "confirm" and "still there: nothing; a person's word" in item.text
    assert failing_risks(report, ["drift", "fail", "unknown", "due"]) == []


@pytest.mark.parametrize("missing", [LeavingEvidence(missing=("there is no archive of reports",)), None])
def test_who_cannot_be_told_to_have_stopped_is_not_fine(missing: LeavingEvidence | None) -> None:
    report = leaving(missing, [], None)
    assert (report.state, report.environments[0].senders[0].verdict) == ("unknown", "unknown")
    assert report.environments[0].leaving is not None
    assert report.environments[0].leaving.stands == (f"the DKIM selector {SELECTOR} of {NAME}",)
    assert failing_risks(report, ["unknown"]) == ["unknown"]
    assert "whether it still sends is not known" in " ".join(one.text for one in report.todo)


def test_who_still_sends_while_the_records_are_gone_fails() -> None:
    report = leaving(
        LeavingEvidence(sends="reports show 3 messages after 2026-11-20, when its records went"), ["v=spf1 ~all"]
    )
    assert (report.state, report.environments[0].senders[0].verdict) == ("failing", "fail")
    assert failing_risks(report, ["fail"]) == ["fail"]
    assert "it still sends: reports show 3 messages" in report.todo[0].text and report.todo[0].risk == "fail"


@pytest.mark.parametrize("records", [[f"v=spf1 {TERM} ~all"], None])
def test_a_failure_that_nothing_gone_explains_is_a_failure(records: list[str] | None) -> None:
    report = leaving(WORD, records, None)
    assert (report.state, report.environments[0].senders[0].reason) == ("failing", "why")


def test_an_environment_that_is_refused_fails_and_hides_nobody() -> None:
    refused = {
        "environments": {"erp": ["erp: it is wrong (docs). Mend it."]},
        "dependents": {},
        "domains": {},
        "run": [],
    }
    plan = {"names": [NAME], "domains": [], "cautions": [], "refused": refused}
    report = verify_report(facts(plan=plan))
    (only,) = report.todo
    assert (only.risk, only.step) == ("fail", "Mend it.") and report.environments[0].refused


def test_what_is_confirmed_by_its_stamp_is_told_no_more() -> None:
    judged = facts().judged | {"cautions": {"erp": ["erp: look at this (docs)."]}}  # type: ignore[operator]
    (caution,) = verify_report(facts(judged=judged)).todo
    assert caution.risk == "confirm" and caution.id in caution.step
    assert verify_report(facts(judged=judged, confirmed=frozenset([caution.id]))).todo == ()
    assert verify_report(facts(judged=judged)).state == "fine"


def test_control_characters_of_others_do_not_reach_the_terminal() -> None:
    report = verify_report(facts(planned={"changed": True, "spf": record(NAME, "v=spf1 \x1b[2J\x07 ~all", SPF)}))
    assert not any("\x1b" in line or "\x07" in line for line in report_lines(report))


@pytest.mark.parametrize("words", [["drift", "everything"], ["Drift"], [""]])
def test_wrong_words_of_fail_on_are_refused(words: list[str]) -> None:
    with pytest.raises(Refused, match="it lists any of: drift, fail, unknown, due"):
        check_fail_on(words)
    check_fail_on([])

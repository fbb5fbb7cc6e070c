# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of each environment, and what a person reads of it: what holds for many once, and nothing as before."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.password_calendar import password_calendar
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import Caution, SiteWords
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import site_report as report_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import (
    SiteRun,
    WrittenFiles,
    outcomes,
    unwell,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import ToldSender

NOTHING: dict[str, Any] = {"environments": {}, "dependents": {}, "domains": {}, "run": []}
MANY = [f"customer{number:03}" for number in range(300)]


def site_report(run: SiteRun, words: SiteWords) -> list[str]:
    return report_of(run, outcomes(run), words)


def needs(host: str) -> dict[str, Any]:
    domain = f"{host}.example"
    return {"domains": {domain: []}, "senders": [{"from": f"erp@{domain}", "domain": domain}]}


def run(hosts: list[str], **more: Any) -> SiteRun:
    known = {"refused": NOTHING, "goes_on": True, **more}
    return SiteRun(hosts=hosts, needs={host: needs(host) for host in hosts}, **known)


def record(domain: str, before: str | None, after: str) -> dict[str, Any]:
    spf = {"record": {"before": before, "after": after}}
    return {"domain": domain, "changed": before != after, "spf": spf, "dmarc": None, "warnings": []}


def sender(host: str, before: str = "pass", after: str = "pass", **more: Any) -> ToldSender:
    def verdict(result: str) -> dict[str, Any]:
        part = {"result": result}
        said = {"environment": host, "from": f"erp@{host}.example", "service": "afas_online"}
        found = {"sender": said, "result": result, "spf": part, "dkim": part, "dmarc": {**part, "policy": "none"}}
        reason = f"the record of {host}.example lacks it"
        return {**found, "reason": reason, "next_step": None, "disposition": "none", **more}

    return ToldSender(verdict(before), verdict(after), verdict(after))


def words(*senders: ToldSender, cautions: list[Caution] | None = None, confirmed: str = "", check: bool = False) -> Any:
    return SiteWords(senders, cautions or [], frozenset(confirmed.split()), check, datetime.date(2026, 11, 29))


def test_three_hundred_unchanged_environments_are_a_line() -> None:
    lines = site_report(run(MANY), words(*(sender(host) for host in MANY)))
    assert lines == [
        "",
        "UNCHANGED: 300 environments: customer000, customer001, customer002, customer003, customer004 and 295",
        "more",
        "",
        "300 environments, 0 changed, 0 failed; 300 senders: 300 pass, 0 fail, 0 unknown",
    ]


def test_the_same_change_and_the_same_verdict_are_told_once() -> None:
    records = {"domains": [record(f"{host}.example", None, "v=spf1 -all") for host in MANY]}
    files = {host: WrittenFiles(["settings.yml"]) for host in MANY}
    text = "\n".join(site_report(run(MANY, records=records, files=files), words(*(sender(h, "fail") for h in MANY))))
    assert "CHANGED: 300 environments\n  - 300 environments (customer000," in text
    assert "SPF of <domain>; settings.yml" in " ".join(text.split())
    assert "  300 senders by afas_online: fail -> PASS (erp@customer000.example" in text
    assert text.count("\n") < 16


def test_fails_come_first_and_each_says_why() -> None:
    found = words(sender("a", "pass", "unknown"), sender("b", "fail", "fail"), sender("c", "fail", "pass"))
    lines = site_report(run(["a", "b", "c"]), found)
    heads = [line for line in lines if "erp@" in line]
    assert [line.partition(",")[0].strip() for line in heads] == ["b", "a", "c"]
    assert any("why:  the record of b.example lacks it" in line for line in lines)


def test_a_domain_that_failed_fails_the_environments_that_send_as_it() -> None:
    failure = {"domain": "b.example", "refused": False, "msg": "b.example: no answer"}
    found = run(["a", "b"], records={"domains": [], "failures": [failure]})
    assert unwell(found) == {"b": ["b.example: no answer"]}
    assert site_report(found, words())[1:3] == [
        "PROBLEMS: 1 environment left out or not done",
        "  - b.example: no answer",
    ]


def test_a_domain_without_an_environment_belongs_to_the_host_that_the_tasks_ran_on() -> None:
    failure = {"domain": "parked.example", "refused": True, "msg": "parked.example: two records"}
    found = run(["a", "b"], records={"domains": [], "failures": [failure]})
    assert unwell(found) == {"a": ["parked.example: two records"]}


def test_what_a_refused_domain_does_to_its_environments_is_told_with_the_domain() -> None:
    refused = {**NOTHING, "domains": {"a.example": ["a.example: two records"]}, "dependents": {"a": ["a.example"]}}
    found = run(["a", "b"], refused=refused, goes_on=False)
    assert unwell(found) == {"a": ["a.example: two records"]}
    assert site_report(found, words(sender("b", "fail", "fail"))) == [
        "",
        "PROBLEMS: 1 environment refused; nothing was written",
        "  - a.example: two records",
        "",
        "2 environments, 0 changed, 1 failed",
    ]


def test_a_tenant_that_failed_fails_all_that_asked_it() -> None:
    one = {"problems": [], "changed": False, "secret_due": None, "key_id": None, "consent": {}, "senders": []}
    one |= {"consent_missing": False, "missing_grants": []}
    tenants = [
        {"asked": ["a"], "msg": "no sign-in"},
        {"asked": ["b"], "environments": {"b": one}, "msg": "the vault file cannot be written"},
        {"asked": ["c", "d"], "environments": {"c": {**one, "problems": ["no right"]}, "d": one}, "msg": "c: no right"},
    ]
    assert unwell(run(["a", "b", "c", "d"], tenants=tenants)) == {
        "a": ["a: no sign-in"],
        "b": ["b: the vault file cannot be written"],
        "c": ["c: no right"],
    }


def test_differences_go_to_the_environment_that_they_are_about() -> None:
    headers = {"before_header": "_dmarc.b.example TXT (DMARC)", "after_header": "", "before": "", "after": "x"}
    records = {"domains": [record("b.example", None, "v=spf1 -all")], "diff": [headers]}
    found = outcomes(run(["a", "b"], records=records, files={"a": WrittenFiles(failure="a: disk full")}))
    assert found["b"].differences == [headers]
    assert (found["a"].failed, found["a"].changed) == (["a: disk full"], [])


def test_in_check_mode_things_would_change() -> None:
    found = run(["a"], files={"a": WrittenFiles(["sheet.md"])})
    lines = site_report(found, words(check=True))
    assert lines[1] == "WOULD CHANGE: 1 environment"
    assert lines[-1] == "1 environment, 1 would change, 0 failed"


def test_a_caution_is_told_once_for_each_cause_and_is_silent_once_confirmed() -> None:
    cautions = [Caution("environment", host, f"{host}: mail_dns_account.key_secret: readable") for host in MANY]
    cautions.append(Caution("domain", "a.example", "a.example: held back"))
    lines = site_report(run(MANY), words(cautions=cautions))
    told = [line for line in lines if "readable" in line or "held back" in line]
    assert len(told) == 2
    stamp = next(line for line in lines if "300 environments (customer000" in line).split()[0]
    silent = site_report(run(MANY), words(cautions=cautions, confirmed=stamp))
    assert not any("readable" in line for line in silent)
    assert any("(1 confirmed" in line for line in silent)
    other = site_report(run(["new"]), words(cautions=[Caution("domain", "b.example", "b.example: held back")]))
    assert told[1].split()[0] in " ".join(other), "the stamp is that of the cause, not of the domain"


@pytest.mark.parametrize("text", ["a: \x1b[2Jcleared", "a: first\nfatal: [forged]: FAILED!", "a: b\r\x07"])
def test_nothing_from_outside_writes_lines_of_its_own(text: str) -> None:
    lines = site_report(run(["a"], refused={**NOTHING, "environments": {"a": [text]}}), words())
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("fatal") for line in lines)


def test_a_caution_is_the_same_on_every_machine_and_told_once_for_all_its_places() -> None:
    def stamps(folder: str, line: int) -> tuple[list[str], str]:
        places = {host: f"{folder}/host_vars/{host}.yml:{line}" for host in MANY}
        cautions = [
            Caution("environment", host, f"{host}: mail_dns_account.key_secret: readable ({place}); not shown")
            for host, place in places.items()
        ]
        lines = site_report(run(MANY), words(cautions=cautions))
        at = next(index for index, text in enumerate(lines) if text.startswith("LOOK AT"))
        told = lines[at + 1 : lines.index("", at)]
        return [text.split()[0] for text in told if not text.startswith("   ")], " ".join(map(str.strip, told))

    (here, told), (there, _told) = stamps("/home/a/inventory", 3), stamps("/srv/b", 17)
    assert len(here) == 1
    assert here == there
    assert "300 environments (customer000, " in told
    assert "readable (/home/a/inventory/host_vars/customer000.yml:3, " in told
    assert "and 295 more); not shown" in told


def password_end(service: str, date: str, *missing: str) -> dict[str, Any]:
    application = {"kind": "application", "permissions": [{"resource": "Microsoft Graph", "role": "Mail.Send"}]}
    way = {"transport": "exchange", "label": "Exchange Azure AD", "entra": application, "missing": [*missing]}
    steps = [{"date": date, "effect": "off_by_default"}, {"date": "unknown", "effect": "ended"}]
    told = {"service": service, "title": service.title(), "system": "AFAS Profit", "source": "its page"}
    return {**told, "steps": steps, "date": "2026-01-27", "check_after": "2026-12-31", "ways": [way], "relay": None}


def ending(ends: dict[str, dict[str, Any]], hosts: list[str] = MANY) -> SiteRun:
    return SiteRun(
        hosts=hosts,
        needs={host: {**needs(host), "password_end": ends.get(host)} for host in hosts},
        refused=NOTHING,
        goes_on=True,
    )


def passwords_told(run: SiteRun, confirmed: str = "") -> list[str]:
    lines = site_report(run, words(confirmed=confirmed))
    head = next((index for index, line in enumerate(lines) if line.startswith("PASSWORDS THAT END")), None)
    return [] if head is None else lines[head : lines.index("", head)]


def test_the_passwords_that_end_are_told_by_date_and_once_for_all_that_move_alike() -> None:
    ends = {host: password_end("mailer", "2026-12") for host in MANY[:200]}
    ends |= {host: password_end("mailer", "2026-12", "mail_entra_tenant") for host in MANY[200:250]}
    ends |= {host: password_end("old", "2024-09-16") for host in MANY[250:252]}
    lines = passwords_told(ending(ends))
    assert lines[1].startswith("  Old: since 2024-09-16: no passwords unless an administrator allows them again; later")
    text = " ".join(" ".join(lines).split())
    assert (
        "200 environments (customer000, customer001, customer002, customer003, customer004 and 195 more): AFAS" in text
    )
    assert "50 environments (customer200" in text and "prepares it once mail_entra_tenant is declared." in text
    assert len(lines) < 20 and max(map(len, lines)) <= 100
    assert [entry.environments for entry in password_calendar(ending(ends).needs, datetime.date(2026, 11, 29))] == [
        tuple(MANY[250:252]),
        tuple(MANY[:250]),
    ]


def test_the_result_has_the_names_of_all() -> None:
    ends = {host: password_end("mailer", "2026-12") for host in MANY}
    [entry] = password_calendar(ending(ends).needs, datetime.date(2026, 11, 29))
    told = entry.as_dict()
    assert (told["date"], told["service"], told["environments"]) == ("2026-12", "mailer", MANY)


def test_nothing_is_told_where_no_password_ends() -> None:
    assert passwords_told(ending({})) == []


def test_the_end_of_a_password_is_silent_once_confirmed_until_its_date_moves() -> None:
    ends = {"a": password_end("mailer", "2026-12")}
    [stamp] = re.findall(r"^  ([0-9a-f]{6})  ", "\n".join(passwords_told(ending(ends, ["a"]))), re.MULTILINE)
    assert passwords_told(ending(ends, ["a"]), stamp) == []
    assert "1 confirmed ends of passwords are not shown" in site_report(ending(ends, ["a"]), words(confirmed=stamp))
    moved = {"a": password_end("mailer", "2027-03")}
    assert passwords_told(ending(moved, ["a"]), stamp) != []

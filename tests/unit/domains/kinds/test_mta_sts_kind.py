# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS on real master files: the record, the policy that it announces, and the mail servers that it must fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import (
    MtaStsPolicy,
    mta_sts_record,
    policy_text,
)
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company, check_problem

ZONE, NAME = "acme.example", "_mta-sts.acme.example"
MX = ("@ IN MX 20 mx2", "@ IN MX 10 mx1")
HOSTS = ("mx1.acme.example", "mx2.acme.example")
RULES = "documentation of mailroom.erp.mail_domains"
WORLD = {
    "service.example": zone_text(
        "service.example",
        'one IN TXT "v=STSv1; id=1;"\ntwo IN TXT "v=STSv1; id=1;"\ntwo IN TXT "v=STSv1; id=2;"\nnone IN TXT "note"',
    )
}


def policy(mode: str = "testing", mx: tuple[str, ...] = HOSTS, max_age: int = 604800) -> MtaStsPolicy:
    return MtaStsPolicy(mode, mx, max_age)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    started = Company(tmp_path, WORLD)
    started.live(*MX)
    return started


def run(company: Company, write: bool = True, seen: bool = True, **options: Any) -> DomainOutcome:
    """With files; ``policy_dir=None`` is without."""
    return company.run(write=write, seen=seen, mta_sts={"policy_dir": str(company.policies), **options})


def published(company: Company) -> tuple[list[str], str | None]:
    """What stands in the DNS, and what the web server hands out."""
    path = company.policies / "mta-sts.acme.example" / ".well-known" / "mta-sts.txt"
    return company.read(NAME), path.read_bytes().decode() if path.exists() else None


def both(wanted: MtaStsPolicy) -> tuple[list[str], str]:
    return [mta_sts_record(wanted)], policy_text(wanted)


def test_a_policy_is_made_of_the_mx_records_and_announced(company: Company) -> None:
    company.live(*MX, "@ IN MX 30 mx1", '_mta-sts 77 IN TXT "note"')
    before = company.files()
    planned = run(company, write=False)
    assert company.files() == before
    done = run(company)
    assert [step.change for step in planned.steps] == [step.change for step in done.steps]
    assert [step.file_change for step in planned.steps] == [step.file_change for step in done.steps]
    records, text = both(policy())
    assert published(company) == (["note", *records], text)
    found = company.rrset(NAME)
    assert found is not None and found.ttl == 77
    plan = done.steps[0].plan
    assert (plan.before, [plan.after], plan.details, done.warnings) == (None, records, {"policy": text}, [])
    written = company.files()
    again = run(company)
    assert (again.changed, again.warnings, company.files()) == (False, [], written)


def test_a_policy_says_what_was_asked_for(company: Company) -> None:
    wish: dict[str, Any] = {"mode": "enforce", "mx": [" MX1.acme.example. ", "*.Acme.example", "mx1.acme.example"]}
    assert run(company, **wish, max_age=86400).warnings == []
    assert published(company) == both(policy("enforce", ("mx1.acme.example", "*.acme.example"), 86400))


def test_a_domain_without_mx_records_is_its_own_mail_server(company: Company) -> None:
    company.live("@ IN A 192.0.2.25")
    run(company)
    assert published(company) == both(policy(mx=(ZONE,)))


def test_the_id_follows_the_policy_and_all_else_in_the_record_stays(company: Company) -> None:
    company.live(*MX, '_mta-sts 77 IN TXT "v=STSv1;id=2024 ; x-new=1"', '_mta-sts IN TXT "note"')
    first = run(company, mode="enforce")
    record = mta_sts_record(policy("enforce")).removeprefix("v=STSv1; ").removesuffix(";")
    assert published(company) == (["note", f"v=STSv1;{record} ; x-new=1"], policy_text(policy("enforce")))
    assert first.steps[0].plan.before == "v=STSv1;id=2024 ; x-new=1"
    company.live(*MX[:1], *company.ours.file("acme.example").read_text().splitlines()[-2:])
    moved = run(company, mode="enforce", ttl=None)
    assert moved.changed and moved.steps[0].plan.after != first.steps[0].plan.after
    assert published(company)[1] == policy_text(policy("enforce", HOSTS[1:]))
    found = company.rrset(NAME)
    assert found is not None and (found.ttl, len(found.values)) == (77, 2)


def test_a_file_that_somebody_changed_is_mended_and_the_record_stays(company: Company) -> None:
    run(company)
    (path,) = company.policies.rglob("mta-sts.txt")
    for other in (b"version: STSv1\n", b"\xff\xfe", policy_text(policy()).replace("\r\n", "\n").encode()):
        path.write_bytes(other)
        path.chmod(0o600)
        mended = run(company)
        assert (mended.changed, mended.steps[0].changes) == (True, [])
        assert published(company) == both(policy())
        assert path.stat().st_mode & 0o7777 == 0o644
        assert sorted(path.parent.iterdir()) == [path]
    path.unlink()
    assert run(company).changed
    assert published(company) == both(policy())


def test_without_a_folder_nothing_is_written_and_that_is_said(company: Company) -> None:
    for changed in (True, False):
        done = run(company, policy_dir=None)
        (warning,) = done.warnings
        assert "https://mta-sts.acme.example/.well-known/mta-sts.txt before senders see this record" in warning
        assert (done.changed, done.steps[0].plan.details["policy"]) == (changed, policy_text(policy()))
    assert (company.read(NAME), company.policies.exists()) == ([mta_sts_record(policy())], False)


def test_a_policy_is_taken_back_and_then_away(company: Company) -> None:
    run(company, mode="enforce", mx=["mx1.acme.example", "mx2.acme.example"])
    company.live("@ IN MX 10 elsewhere.service.example.", *company.read_lines())
    assert run(company, mode="none").warnings == []
    assert published(company) == both(policy("none", ()))
    gone = run(company, state="absent")
    assert (gone.changed, gone.warnings, gone.steps[0].plan.after) == (True, [], None)
    assert gone.steps[0].plan.details == {"policy": None}
    assert published(company) == ([], None)
    assert not run(company, state="absent").changed


def test_who_takes_an_enforced_policy_away_at_once_is_warned(company: Company) -> None:
    run(company, mode="enforce")
    (warning,) = run(company, state="absent").warnings
    assert warning == (
        "acme.example: senders go on with the policy that they have until its max_age is over (RFC 8461 sections 3.3, "
        "8.3); publish mode: none for that long first, with the same max_age"
    )


def test_absent_takes_only_what_is_ours(company: Company) -> None:
    company.live(
        *MX,
        '_mta-sts 60 IN TXT "v=STSv1; id=1;"',
        '_mta-sts IN TXT "note"',
        '_mta-sts IN TXT "v=STSv1; id"',
        '_mta-sts IN TXT "v=STSv10; id=1;"',
    )
    folder = company.policies / "mta-sts.acme.example" / ".well-known"
    folder.mkdir(parents=True)
    (folder / "security.txt").write_text("of others")
    (folder / "mta-sts.txt").write_text("whatever")
    assert run(company, state="absent").changed
    assert published(company) == (["note", "v=STSv10; id=1;"], None)
    assert (folder / "security.txt").read_text() == "of others"
    assert not run(company, state="absent").changed


LOOKED_UP = "cannot be looked up: acme.example MX: no master file answers for it"
REFUSED: list[tuple[list[str], bool, dict[str, Any], tuple[str, str | None, str, str, str]]] = [
    (
        [*MX],
        True,
        {"mx": ["mx1.acme.example", "*.service.example"]},
        (
            "mta_sts.mx",
            "mx2.acme.example",
            "no pattern of the policy allows this MX of the domain; it has mx1.acme.example, *.service.example",
            "RFC 8461 section 4.1",
            "Add it to `mx`",
        ),
    ),
    (
        ["@ IN MX 0 ."],
        True,
        {"mx": ["mx1.acme.example"]},
        ("mta_sts", None, "the domain takes no mail (null MX)", "RFC 7505 section 3", "Leave `mta_sts` out"),
    ),
    (
        ["@ IN MX 0 ."],
        True,
        {},
        ("mta_sts", None, "the domain takes no mail (null MX)", "RFC 7505 section 3", "Leave `mta_sts` out"),
    ),
    ([*MX], False, {}, ("mta_sts.mx", None, LOOKED_UP, RULES, "Give `mx`, or mend the look-up")),
    ([*MX], False, {"mx": list(HOSTS)}, ("mta_sts.mx", None, LOOKED_UP, RULES, "See why the name servers")),
    (
        ["@ IN MX 10 mx_1"],
        True,
        {},
        ("mta_sts", "mx_1.acme.example", "the name of a host", "RFC 8461 section 3.2", "Correct the option"),
    ),
    (
        [*MX, '_mta-sts IN TXT "v=STSv1; id=1;"', '_mta-sts IN TXT "v=STSv1; id=2;"'],
        True,
        {},
        (
            "MTA-STS record",
            "v=STSv1; id=1; | v=STSv1; id=2;",
            "2 MTA-STS records, so that senders act as if there were none",
            "RFC 8461 section 3.1",
            "Remove all but one",
        ),
    ),
    (
        [*MX, '_mta-sts IN TXT "v=STSv1; id"'],
        True,
        {},
        ("MTA-STS record", "id", "fields are written name=value", "RFC 8461 section 3.1", "Remove the record"),
    ),
    (
        [*MX, '_mta-sts IN TXT "v=STSv1; id=1; x=a=b"'],
        True,
        {},
        (
            "MTA-STS record",
            f"{mta_sts_record(policy())} x=a=b",
            'the value "a=b" of "x"',
            "RFC 8461 section 3.1",
            "Remove the record from the zone, or correct it",
        ),
    ),
]


@pytest.mark.parametrize(
    ("records", "seen", "options", "told"),
    REFUSED,
    ids=["MX", "null", "null without mx", "unseen without mx", "unseen", "host", "two", "unreadable", "faulty"],
)
def test_what_senders_would_not_follow_is_refused(
    company: Company,
    records: list[str],
    seen: bool,
    options: dict[str, Any],
    told: tuple[str, str | None, str, str, str],
) -> None:
    company.live(*records)
    company.zone("right.example")
    wish = {"domain": ZONE, "mta_sts": {"policy_dir": str(company.policies), **options}}
    right = {"domain": "right.example", "tls_rpt": {"rua": ["tls@right.example"]}}
    (problem,) = company.problems(right, wish, seen=seen)
    check_problem(problem, ZONE, *told)
    assert not company.policies.exists()


@pytest.mark.parametrize("mx", [[], [ZONE]], ids=["looked up", "given"])
def test_a_null_mx_that_is_planned_in_the_same_run_counts(company: Company, mx: list[str]) -> None:
    company.live("@ IN A 192.0.2.1")
    (problem,) = company.problems({"domain": ZONE, "null_mx": {}, "mta_sts": {"mx": mx}})
    check_problem(
        problem, ZONE, "mta_sts", None, "the domain takes no mail", "RFC 7505 section 3", "Leave `mta_sts` out"
    )


def test_a_null_mx_comes_when_the_policy_goes(company: Company) -> None:
    company.live("@ IN A 192.0.2.1")
    run(company)
    company.run(null_mx={}, mta_sts={"mode": "none", "policy_dir": str(company.policies)})
    assert (published(company), company.read(ZONE, "MX")) == (both(policy("none", ())), ["0 ."])
    company.run(null_mx={}, mta_sts={"state": "absent", "policy_dir": str(company.policies)})
    assert (published(company), company.read(ZONE, "MX")) == (([], None), ["0 ."])


OPTIONS: list[tuple[dict[str, Any], list[str]]] = [
    ({"max_age": -1}, ["mta_sts.max_age", '"-1"', "0 to 31557600", "RFC 8461 section 3.2", "Correct the number"]),
    ({"max_age": 31557601}, ["mta_sts.max_age", '"31557601"', "RFC 8461 section 3.2", "Correct the number"]),
    ({"max_age": "a week"}, ["max_age", "int"]),
    ({"mode": "report"}, ["mode", "must be one of: testing, enforce, none"]),
    ({"mx": ["mx.*.example"]}, ["mta_sts.mx", '"mx.*.example"', "RFC 8461 section 4.1", "Correct the name"]),
    ({"mx": ["mx 1.acme.example"]}, ["mta_sts.mx", '"mx 1.acme.example"', "Correct the name"]),
    ({"mx": [""]}, ["mta_sts.mx", '""', "Correct the name"]),
    ({"folder": "/srv/mta-sts"}, ["mta_sts", "folder", "no such option"]),
]


@pytest.mark.parametrize(("options", "words"), OPTIONS, ids=[str(row[0])[:40] for row in OPTIONS])
def test_a_wrong_option_is_refused_before_the_first_write(
    company: Company, options: dict[str, Any], words: list[str]
) -> None:
    company.zone("right.example", *MX)
    right = {"domain": "right.example", "mta_sts": {"policy_dir": str(company.policies)}}
    (problem,) = company.problems(right, {"domain": ZONE, "mta_sts": options})
    assert problem.subject == ZONE
    for word in words:
        assert word in str(problem)


@pytest.mark.parametrize("seen", [True, False], ids=["uncovered", "unseen"])
def test_a_record_that_stays_is_warned_of_when_its_mail_servers_do_not_fit_any_more(
    company: Company, seen: bool
) -> None:
    wish: dict[str, Any] = {"mode": "enforce", "mx": list(HOSTS)}
    run(company, **wish)
    company.live("@ IN MX 10 mx3", *company.read_lines())
    before = company.files()
    outcome = run(company, seen=seen, **wish)
    (warning,) = outcome.warnings
    assert ('mta_sts.mx "mx3.acme.example": no pattern' if seen else "mta_sts.mx: whether it covers") in warning
    assert (outcome.changed, company.files()) == (False, before)


def test_a_file_is_not_brought_back_when_its_mail_servers_do_not_fit_any_more(company: Company) -> None:
    wish: dict[str, Any] = {"mode": "enforce", "mx": list(HOSTS)}
    run(company, **wish)
    company.live("@ IN MX 10 mx3", *company.read_lines())
    (path,) = company.policies.rglob("mta-sts.txt")
    path.write_text(policy_text(policy("enforce", (*HOSTS, "mx3.acme.example"))))
    entry = {"domain": ZONE, "mta_sts": {"policy_dir": str(company.policies), **wish}}
    (problem,) = company.problems(entry)
    assert (problem.where, problem.value) == ("mta_sts.mx", "mx3.acme.example")


def test_a_writer_in_between_does_not_turn_the_warning_into_a_refusal(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish: dict[str, Any] = {"policy_dir": str(company.policies), "mode": "enforce", "mx": list(HOSTS)}
    company.run(mta_sts=wish)
    path = company.live("@ IN MX 10 mx3", *company.read_lines())
    apply, writers = ZonefileProvider.apply, [lambda: path.write_text(path.read_text().replace(';"', '; x=1"'))]

    def after_somebody(self: ZonefileProvider, *arguments: Any) -> None:
        if writers:
            writers.pop()()
        apply(self, *arguments)

    monkeypatch.setattr(ZonefileProvider, "apply", after_somebody)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    outcome = company.run(mta_sts=wish, tls_rpt={"rua": ["tls@acme.example"]})
    assert (outcome.failure, writers) == (None, [])
    assert company.read("_smtp._tls.acme.example") == ["v=TLSRPTv1; rua=mailto:tls@acme.example"]
    assert company.read(NAME) == [f"{mta_sts_record(policy('enforce'))} x=1"]
    assert any("mx3.acme.example" in warning for warning in outcome.warnings)


def test_a_policy_that_senders_forget_within_a_day_is_warned_of(company: Company) -> None:
    (warning,) = run(company, mode="enforce", max_age=3600).warnings
    assert "max_age: 3600 is less than a day" in warning and "RFC 8461 section 3.2" in warning


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("one", None),
        ("two", "there are 2 MTA-STS records where it is managed"),
        ("none", "there are 0 MTA-STS records where it is managed"),
    ],
)
def test_a_record_at_an_alias_is_left_to_its_target(company: Company, target: str, words: str | None) -> None:
    company.live(*MX, f"_mta-sts IN CNAME {target}.service.example.")
    before = company.files()
    outcome = run(company)
    plan = outcome.steps[0].plan
    assert (plan.elsewhere, outcome.changed) == (f"the alias target {target}.service.example", False)
    assert plan.details == {"policy": None}
    left, *judged = outcome.warnings
    assert "managed elsewhere" in left and len(judged) == (words is not None)
    assert all(words in one for one in judged if words)
    assert (run(company, state="absent").warnings, company.files()) == ([left], before)


def test_a_record_that_is_delegated_away_is_left_alone(company: Company) -> None:
    company.live(*MX, "_mta-sts IN NS ns1.nobody.invalid.")
    before = company.files()
    outcome = run(company)
    assert (outcome.steps[0].plan.elsewhere, outcome.changed) == ("zone _mta-sts.acme.example", False)
    assert any(f"{NAME}: cannot be looked up" in warning for warning in outcome.warnings)
    assert company.files() == before

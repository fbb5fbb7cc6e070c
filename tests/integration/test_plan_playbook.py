# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan from the playbook site to the playbook apply: nothing before it is agreed, exactly that afterwards."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import PASSWORD, estate_of, profit, stored
from ansible_collections.mailroom.erp.tests.integration.estate import (
    PROFIT,
    RELAY,
    SECRET,
    SITE,
    contents,
    inventory,
    spf,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.tools import plan_schema
from jsonschema import Draft202012Validator

APPLY = "mailroom.erp.apply"
DECLARED = inventory({"acme_profit": PROFIT, "acme_relay": RELAY}, vault_relay_password=SECRET)
INLINE = inventory(
    {"acme_profit": PROFIT, "acme_relay": {**RELAY, "erp_mail_secrets": "inline"}}, vault_relay_password=SECRET
)


def with_plan(folder: Path) -> tuple[str, str]:
    return "-e", f"mail_plan={folder / 'out'}"


def plan(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "plan.json").read_text())
    schema = json.loads(plan_schema.FILE.read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
    return found


def journal(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "mailroom" / "snapshots" / "journal.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_plan_changes_nothing_and_apply_does_it_once(estate: Path) -> None:
    before = contents(estate)
    planned = run_playbook(estate, SITE, INLINE, *with_plan(estate), "-vvvv")
    assert planned.rc == 0, planned.output
    assert contents(estate) == before, "a plan changes nothing"
    page = (estate / "out" / "plan.md").read_text()
    shown = planned.unbroken + (estate / "out" / "plan.json").read_text() + page
    assert SECRET not in shown
    found = plan(estate)
    changed = {one["name"]: one for one in found["records"] if one["before"] != one["after"]}
    assert set(changed) == {"acme.example", "_dmarc.acme.example"}
    assert {(one["environment"], one["file"]) for one in found["settings"]} >= {("acme_relay", "settings.yml")}
    assert "acme_profit sends by afas_online: include:spf.afas.online" in page

    first = run_playbook(estate, APPLY, INLINE, *with_plan(estate), "-vvvv")
    assert first.rc == 0, first.output
    assert SECRET not in first.unbroken
    (written,) = spf(estate, "acme.example")
    assert written in changed["acme.example"]["after"]["values"]
    assert f"plan {found['digest']}" in {one["why"] for one in journal(estate)}
    after = contents(estate)

    second = run_playbook(estate, APPLY, INLINE, *with_plan(estate))
    assert (second.rc, second.changed) == (0, 0), second.output
    assert contents(estate) == after


def refused(folder: Path, result: Result, before: dict[str, str], *words: str) -> None:
    assert result.rc != 0 and contents(folder) == before, result.output
    assert [word for word in words if word not in result.flat] == [], result.flat


@pytest.mark.slow
def test_signatures_check_mode_and_a_world_that_moved(estate: Path) -> None:
    before = contents(estate)
    assert run_playbook(estate, SITE, DECLARED, *with_plan(estate)).rc == 0
    signed = inventory(
        {"acme_profit": PROFIT, "acme_relay": RELAY},
        vault_relay_password=SECRET,
        mail_plan_signatures=1,
        mail_plan_allowed_signers="signers/allowed",
    )
    (estate / "signers").mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(estate / "anna")], check=True)
    (estate / "signers" / "allowed").write_text(f"anna@acme.example {(estate / 'anna.pub').read_text()}")
    refused(estate, run_playbook(estate, APPLY, signed, *with_plan(estate)), before, "1 different people must sign it")
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", "mailroom.erp.plan", "-f", str(estate / "anna")]
    subprocess.run([*sign, str(estate / "out" / "plan.json")], check=True)
    check = run_playbook(estate, APPLY, signed, *with_plan(estate), "--check", "--diff")
    assert check.rc == 0 and contents(estate) == before, check.output
    assert "signed by anna@acme.example" in check.flat and any("include:spf.afas.online" in line for line in check.diff)

    zone = estate / "zones" / "acme.example.zone"
    text = zone.read_text()
    zone.write_text(text.replace("v=spf1 mx ip4:192.0.2.1 ~all", "v=spf1 a ~all"))
    moved = contents(estate)
    told = ("acme.example: TXT: it has changed since the plan was made", "v=spf1 a ~all", "make a new plan")
    refused(estate, run_playbook(estate, APPLY, signed, *with_plan(estate)), moved, *told)
    zone.write_text(text)
    other = inventory({"acme_profit": PROFIT}, vault_relay_password=SECRET)
    without = run_playbook(estate, APPLY, other, *with_plan(estate))
    refused(estate, without, before, "environment acme_relay: declaration: it is a part of the plan")
    file = estate / "out" / "plan.json"
    file.write_text(file.read_text().replace("~all", "-all"))
    refused(
        estate, run_playbook(estate, APPLY, DECLARED, *with_plan(estate)), before, "it was edited after it was made"
    )


@pytest.mark.slow
def test_what_is_refused_is_left_out_of_the_plan_or_makes_none(estate: Path) -> None:
    zone = estate / "zones" / "mijnbakkerij.example.zone"
    zone.write_text(zone.read_text() + '@ IN TXT "v=spf1 a -all"\n@ IN TXT "v=spf1 mx -all"\n')
    relay = {**RELAY, "erp_mail_senders": {"environment": "erp@mijnbakkerij.example"}}
    declared = inventory({"acme_profit": PROFIT, "acme_relay": relay}, vault_relay_password=SECRET)
    before = contents(estate)
    stopped = run_playbook(estate, SITE, declared, *with_plan(estate))
    refused(estate, stopped, before, "2 SPF records", "No plan is written")
    assert not (estate / "out").exists()
    skip = ("-e", "mail_on_refused=skip")
    planned = run_playbook(estate, SITE, declared, *with_plan(estate), *skip)
    refused(estate, planned, before, "2 SPF records")
    found = plan(estate)
    assert {one["subject"] for one in found["left_out"]} == {"mijnbakkerij.example", "acme_relay"}
    assert {one["environment"] for one in found["settings"]} == {"acme_profit", "acme_relay"}
    done = run_playbook(estate, APPLY, declared, *with_plan(estate), *skip)
    assert "include:spf.afas.online" in spf(estate, "acme.example")[0], done.output
    assert len(spf(estate, "mijnbakkerij.example")) == 2
    after = contents(estate)
    refused(estate, run_playbook(estate, APPLY, declared, *with_plan(estate)), after, "The plan is not carried out")


@pytest.mark.slow
def test_site_changes_no_more_than_it_may_unless_the_number_is_named(estate: Path) -> None:
    before = contents(estate)
    bounded = inventory({"acme_profit": PROFIT}, mail_max_changes={"rrsets": 1})
    told = ("this run would change 2 RRsets of its only domain (acme.example)", "mail_accept_changes: 2")
    refused(estate, run_playbook(estate, SITE, bounded), before, *told)
    refused(estate, run_playbook(estate, SITE, bounded, "--check"), before, *told)
    accepted = run_playbook(estate, SITE, bounded, "-e", "mail_accept_changes=2")
    assert accepted.rc == 0 and "include:spf.afas.online" in spf(estate, "acme.example")[0], accepted.output


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        started.directory.add_user("erp@acme.example", purpose="shared", enabled=False)
        yield started


@pytest.mark.slow
def test_a_tenant_is_planned_compared_and_brought(estate: Path, server: EntraServer) -> None:
    declared = estate_of(server, {"profit": profit("erp")})
    (estate / "password").write_text(PASSWORD, encoding="utf-8")
    vault = f"--vault-password-file={estate / 'password'}"
    server.plan()
    planned = run_playbook(estate, SITE, declared, *with_plan(estate), vault)
    assert planned.rc == 0, planned.output
    assert {method for method, _path in server.requests} == {"GET"}, "a plan changes no tenant"
    assert {one["environments"][0] for one in plan(estate)["tenants"]} == {"profit"}
    done = run_playbook(estate, APPLY, declared, *with_plan(estate), vault)
    assert done.rc == 0, done.output
    made = stored(estate)["profit"]
    assert server.signs_in(made["application_id"], made["secret"])
    assert made["secret"] not in done.unbroken
    after = contents(estate)
    again = run_playbook(estate, APPLY, declared, *with_plan(estate), vault)
    assert (again.rc, again.changed) == (0, 0), again.output
    assert contents(estate) == after


@pytest.mark.slow
def test_a_restore_can_be_planned_and_applied(estate: Path) -> None:
    before = spf(estate, "acme.example")
    assert run_playbook(estate, SITE, DECLARED).rc == 0
    after = spf(estate, "acme.example")
    (snapshot,) = (estate / "mailroom" / "snapshots").glob("*.yml")
    given = ("-e", f"mail_restore_snapshot={snapshot}")
    files = contents(estate)
    planned = run_playbook(estate, "mailroom.erp.restore", DECLARED, *given, *with_plan(estate))
    assert planned.rc == 0, planned.output
    assert contents(estate) == files, "a plan changes nothing"
    assert plan(estate)["playbook"] == "restore" and plan(estate)["records"]
    other = run_playbook(
        estate, APPLY, DECLARED, *given, *with_plan(estate), "-e", "mail_restore_changed_since=restore"
    )
    assert other.rc != 0 and "the run: declaration: it is declared otherwise" in other.flat, other.output
    assert spf(estate, "acme.example") == after
    done = run_playbook(estate, APPLY, DECLARED, *given, *with_plan(estate))
    assert done.rc == 0 and spf(estate, "acme.example") == before, done.output
    assert journal(estate)[-1]["why"].startswith("plan ")
    again = run_playbook(estate, APPLY, DECLARED, *given, *with_plan(estate))
    assert (again.rc, again.changed) == (0, 0), again.output

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy moves by one step only, whoever else moves it meanwhile; on BIND, also the empty key for all selectors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import parse_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_decision import (
    decide_retreat,
    decide_step,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_recipe import StepDecider
from ansible_collections.mailroom.erp.plugins.modules import mail_records_restore, park_domains
from ansible_collections.mailroom.erp.tests.servers.bind import StartBind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.unit.policy_steps.conftest import Estate, month, question

NONE, QUARANTINE, REJECT = (parse_dmarc(f"v=DMARC1; p={one}") for one in ("none", "quarantine", "reject"))
MODULE = "ansible_collections.mailroom.erp.plugins.modules.dmarc_advance"


def test_a_step_that_is_seen_to_be_done_is_no_second_one() -> None:
    decider = StepDecider(lambda record: decide_step(record, question(month())))
    first, moves = decider.on(NONE)
    assert moves and dict(first.changes) == {"p": "quarantine"}
    assert decider.on(NONE)[1], "the service did not take it: it is tried again"
    assert decider.on(QUARANTINE) == (first, False)
    assert decider.decision == first


def test_a_record_that_another_run_has_moved_is_decided_upon_anew() -> None:
    decider = StepDecider(lambda record: decide_step(record, question(month())))
    decider.on(NONE)
    decision, moves = decider.on(REJECT)
    assert not moves and decision.outcome == "reached"


@pytest.mark.parametrize(("live", "outcome"), [(QUARANTINE, "back"), (NONE, "reached"), (REJECT, "back")])
def test_a_step_back_is_from_what_was_found_first(live: Any, outcome: str) -> None:
    decider = StepDecider(decide_retreat)
    assert decider.on(REJECT)[1]
    decision, moves = decider.on(live)
    assert (decision.outcome, moves) == (outcome, live is REJECT)


def test_runs_at_the_same_time_go_one_step_back_together(tmp_path: Path, start_bind: StartBind) -> None:
    server = start_bind({"acme.example": zone_text("acme.example", '_dmarc TXT "v=DMARC1; p=reject; sp=reject"')})
    options = {
        "domains": ["acme.example"],
        "state": "retreat",
        "retreat_from": "reject",
        "dns": {name: value for name, value in server.dns_option.items() if value is not None},
        "resolver": {"nameservers": [ADDRESS], "port": server.port},
        "snapshot_dir": str(tmp_path / "snapshots"),
        "accept_undelegated": ["acme.example"],
    }
    command = [sys.executable, "-m", MODULE]
    runs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
        for _run in range(3)
    ]
    for run in runs:  # all have read their options before the first one is waited for
        assert run.stdin
        run.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
        run.stdin.close()
    told = [json.loads(run.stdout.read()) for run in runs if run.stdout]
    for run in runs:
        run.wait()
    assert not any(one.get("failed") for one in told), told
    assert server.values("_dmarc.acme.example", "TXT") == ['"v=DMARC1; p=quarantine; sp=quarantine"']
    assert sum(one["changed"] for one in told) >= 1


def test_the_empty_key_for_all_selectors_stands_on_bind_and_goes_again(tmp_path: Path, start_bind: StartBind) -> None:
    records = '@ TXT "v=spf1 mx ~all"\n*.old.example. TXT "any"\ns1._domainkey TXT "v=DKIM1; p=abc"'
    server = start_bind({"old.example": zone_text("old.example", records)})
    estate = Estate(tmp_path)
    given: dict[str, Any] = {
        "dns": {name: value for name, value in server.dns_option.items() if value is not None},
        "accept_undelegated": ["old.example"],
    }
    resolver = {"nameservers": [ADDRESS], "port": server.port}
    parking: dict[str, Any] = {"domains": ["old.example"], "senders": [], "resolver": resolver, **given}
    done = estate.run_module(park_domains, False, **parking)
    assert done.get("changed"), done
    assert server.values("anything._domainkey.old.example", "TXT") == ['"v=DKIM1; p="']
    assert server.values("s1._domainkey.old.example", "TXT") == ['"v=DKIM1; p=abc"']
    assert server.values("old.example", "MX") == ["0 ."]
    assert not estate.run_module(park_domains, False, **parking)["changed"]
    back = estate.run_module(mail_records_restore, False, snapshot=done["snapshot"], resolver=None, dns=given["dns"])
    assert back.get("changed"), back
    assert server.values("old.example", "TXT") == ['"v=spf1 mx ~all"']
    assert server.values("anything._domainkey.old.example", "TXT") in ([], ['"any"'])

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook site as a job of ansible-runner: what its stream of events tells, and that it tells no secret."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailroom.erp.tests.integration.estate import ALL, RELAY, SECRET, spf
from ansible_collections.mailroom.erp.tests.integration.runner_job import RunnerJob, inventory_script


def test_a_job_tells_the_verdicts_in_its_events_and_no_secret(estate: Path) -> None:
    parts = {name: str(estate / name) for name in ("zones", "world")}
    variables = {
        **ALL,
        "mail_dns_account": {"provider": "zonefile", "path": parts["zones"]},
        "mail_dns_resolver": {"zonefiles": list(parts.values())},
        "erp_mail_output_dir": str(estate / "kept" / "settings"),
        "mail_dns_snapshot_dir": str(estate / "kept" / "snapshots"),
        "vault_relay_password": SECRET,
    }
    job = RunnerJob(
        estate / "job", inventory_script({"acme_relay": RELAY}, variables), command_line=["-vvvv", "--diff"]
    )
    job.start()
    result = job.result()
    assert (result.status, result.changed) == ("successful", {"acme_relay": 1}), result.stdout
    (record,) = spf(estate, "acme.example")
    assert "ip4:192.0.2.10" in record.split()
    assert (estate / "kept" / "settings" / "acme_relay" / "settings.yml").exists()
    # what AWX shows is the text of the events, one after the other
    shown = "\n".join(str(one["stdout"]) for one in result.events)
    assert "SENDERS, as receivers judge them" in shown and "3 senders: 3 pass, 0 fail, 0 unknown" in shown, shown
    assert SECRET not in "".join(result.texts.split())

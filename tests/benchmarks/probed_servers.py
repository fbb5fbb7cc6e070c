# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to look at the mail servers of 300 environments, 40 servers behind 50 ms, beside sslyze.

Run it by ``make benchmark-probe``. Our side is a whole ansible-playbook with one task; sslyze gets each server once,
with what it needs for the same facts of TLS (versions and certificate). It does not tell AUTH, SIZE or banner, and
tries every cipher of a version where we only ask for the version. Both run against the same servers, one after the
other, and what they saw is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.benchmarks.latency import DelayingForwarder
from ansible_collections.mailroom.erp.tests.benchmarks.measure import Run, playbook_command, timed
from ansible_collections.mailroom.erp.tests.servers.scripted import ScriptedServer
from ansible_collections.mailroom.erp.tests.servers.scripted_smtp import smtp_script
from ansible_collections.mailroom.erp.tests.servers.server_certificates import issued

SERVERS, ENVIRONMENTS = 40, 300
ONE_WAY = 0.025
"""Seconds: 50 ms there and back."""
SSLYZE = ("--starttls", "smtp", "--certinfo", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3")
TLS_FACTS = {"1.2": "tls_1_2_cipher_suites", "1.3": "tls_1_3_cipher_suites"}


def serve(folder: Path) -> None:
    """Start the server and the ways to it, print their ports, and run until this process is killed."""
    authority = issued(common_name="benchmark authority", authority=True)
    authority.write(folder / "ca.pem")
    context = issued(issuer=authority).context(folder / "server.pem")
    server = ScriptedServer(smtp_script(context))
    ways = [DelayingForwarder(server.port, ONE_WAY) for _number in range(SERVERS)]
    for way in ways:
        threading.Thread(target=way.serve, daemon=True).start()
    print(json.dumps([way.port for way in ways]), flush=True)
    threading.Event().wait()


def our_side(folder: Path, ports: list[int]) -> Run:
    """One task for all environments."""
    asked = [
        {"name": f"env_{number}", "host": "localhost", "port": ports[number % SERVERS], "probe_from": "here"}
        for number in range(ENVIRONMENTS)
    ]
    probe: dict[str, Any] = {"servers": asked, "ca_file": str(folder / "ca.pem")}
    keep = {"content": "{{ seen | to_json }}", "dest": str(folder / "ours.json")}
    tasks: list[dict[str, Any]] = [
        {"mailroom.erp.smtp_probe": probe, "register": "seen"},
        {"ansible.builtin.copy": keep},
    ]
    return timed(playbook_command(folder, tasks), dict(os.environ), folder)


def their_side(folder: Path, ports: list[int], program: str) -> Run:
    """sslyze with all servers."""
    servers = [f"localhost:{port}" for port in ports]
    options = [f"--json_out={folder / 'theirs.json'}", f"--certinfo_ca_file={folder / 'ca.pem'}", "--quiet"]
    command = [program, *SSLYZE, "--mozilla_config", "disable", *options, *servers]
    return timed(command, {**os.environ, "PYTHONPATH": ""}, folder)


def check_agreement(folder: Path, ports: list[int]) -> None:
    """Both sides saw the same of each server.

    :raises SystemExit: they did not
    """
    ours = json.loads((folder / "ours.json").read_text())
    theirs = json.loads((folder / "theirs.json").read_text())["server_scan_results"]
    seen = {one["server_location"]["port"]: one["scan_result"] for one in theirs}
    if ours["result"] != "pass" or len(ours["servers"]) != ENVIRONMENTS or set(seen) != set(ports):
        raise SystemExit(f"not all servers were seen: {ours['result']}, {len(seen)} by sslyze")
    for port in ports:
        facts = ours["seen"][f"localhost port {port}"]
        for version, name in TLS_FACTS.items():
            accepted = bool(seen[port][name]["result"]["accepted_cipher_suites"])
            if accepted != (facts["tls"][version] == "offered"):
                raise SystemExit(f"port {port}: TLS {version} is {facts['tls'][version]} for us, {accepted} for sslyze")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sslyze", required=True, help="the program sslyze, of a virtual environment of its own")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory(prefix="mailroom-probed-") as name:
        folder = Path(name)
        command = [sys.executable, __file__, "--sslyze", "-", "--serve", name]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert server.stdout is not None
            ports = json.loads(server.stdout.readline())
            ours = our_side(folder, ports)
            theirs = their_side(folder, ports, options.sslyze)
            check_agreement(folder, ports)
        finally:
            server.kill()
            server.wait()
    print(f"{ENVIRONMENTS} environments on {SERVERS} servers, {2000 * ONE_WAY:.0f} ms there and back")
    for side, run in (("smtp_probe", ours), ("sslyze", theirs)):
        print(f"{side:12} {run.seconds:7.1f} s, {run.processor:6.1f} s of processor time")
    print(f"smtp_probe takes {ours.seconds / theirs.seconds:.2f} of the time of sslyze")


if __name__ == "__main__":
    main()

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopt of many odd zones from one BIND, beside octodns-dump with 16 workers: both in turn in one go, as a ratio.

Run it by ``make benchmark-adopt``. octodns-dump writes down what is there; adopt reads it, recognises it, proves that
``site`` would change nothing, and writes an inventory. Whole processes are measured. It judges nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from ansible_collections.mailroom.erp.tests.benchmarks.measure import timed
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path, own_program
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET

_WORKERS = 16


def adopt_command(folder: Path, server: Bind) -> list[str]:
    """The playbook, for all zones of a server."""
    variables = {
        "mail_adopt_domains": sorted(server.zones),
        "mail_adopt_dir": str(folder / "inventory"),
        "mail_dns_account": server.dns_option,
        "mail_dns_resolver": server.resolver_option,
    }
    (folder / "adopt.json").write_text(json.dumps(variables))
    program = own_program("ansible-playbook")
    return [program, "-i", "localhost,", "mailroom.erp.adopt", "-e", f"@{folder / 'adopt.json'}"]


def dump_command(folder: Path, server: Bind) -> list[str]:
    """octodns-dump of the same zones to YAML files."""
    account = {"host": ADDRESS, "port": server.port, "key_name": KEY_NAME, "key_secret": KEY_SECRET}
    bind = {"class": "octodns_bind.Rfc2136Provider", **account, "key_algorithm": "hmac-sha256"}
    files = {"class": "octodns.provider.yaml.YamlProvider", "directory": str(folder / "dumped")}
    config = {
        "manager": {"max_workers": _WORKERS},
        "providers": {"bind": bind, "files": files},
        "zones": {f"{zone}.": {"sources": ["bind"], "targets": ["files"]} for zone in sorted(server.zones)},
    }
    (folder / "octodns.yaml").write_text(json.dumps(config))
    (folder / "dumped").mkdir(exist_ok=True)
    program, file = own_program("octodns-dump"), str(folder / "octodns.yaml")
    return [program, "--quiet", "--lenient", "--config-file", file, "--output-dir", str(folder / "dumped"), "*", "bind"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections_path()}
    times: dict[str, list[float]] = {"adopt": [], "octodns-dump": []}
    work: dict[str, list[float]] = {"adopt": [], "octodns-dump": []}
    with Bind(odd_zones(options.zones)) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _repeat in range(options.repeats):
            for side, command in (("adopt", adopt_command), ("octodns-dump", dump_command)):
                for made in ("inventory", "dumped"):
                    shutil.rmtree(folder / made, ignore_errors=True)
                run = timed(command(folder, server), environment, folder)
                times[side].append(run.seconds)
                work[side].append(run.processor)
                count = len(list((folder / ("inventory" if side == "adopt" else "dumped")).iterdir()))
                print(f"{side}: {run.seconds:.1f} s, {run.processor:.1f} s of processor, {count} files")
    ratio = statistics.median(times["adopt"]) / statistics.median(times["octodns-dump"])
    processor = statistics.median(work["adopt"]) / statistics.median(work["octodns-dump"])
    print(
        f"{options.zones} zones: adopt takes {ratio:.2f} of the time of octodns-dump, {processor:.2f} of the processor"
    )


if __name__ == "__main__":
    main()

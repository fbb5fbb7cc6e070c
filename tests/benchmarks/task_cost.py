# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the DNS modules cost beside an empty task: whole ansible-playbook processes, both sides in one go, as ratios.

Run it by ``make benchmark``. It starts a BIND 9 with 2,000 zones on loopback and prints, for an empty task, one
unchanged ``spf_record`` and 2,000 unchanged domains, the median time of several runs and the peak memory of the
largest process.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.benchmarks.measure import playbook_command, timed
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

DOMAINS = 2000
RUNS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """Median wall seconds of a run, and the peak memory in MiB of its largest process."""

    seconds: float
    mebibytes: float


def zones() -> dict[str, str]:
    record = f'@ 600 IN TXT "v=spf1 mx {AFAS_TERM} ~all"\n@ IN MX 10 ns1\n'
    own = {name: zone_text(name, record) for name in names()}
    return {**own, **AFAS_ZONES}


def names() -> list[str]:
    return [f"customer{number}.example" for number in range(DOMAINS)]


def cases(server: Bind) -> dict[str, dict[str, Any]]:
    """The task of each case; the empty one is a module that does nothing, on the same interpreter."""
    shared = {"dns": server.dns_option, "resolver": server.resolver_option}
    spf = {"terms": [AFAS_TERM]}
    return {
        "an empty task": {"ansible.builtin.ping": {}},
        "one unchanged spf_record": {"mailroom.erp.spf_record": {**shared, **spf, "domain": names()[0]}},
        f"{DOMAINS} unchanged domains": {"mailroom.erp.mail_domains": {**shared, "spf": spf, "domains": names()}},
    }


def measure(folder: Path, task: dict[str, Any]) -> Cost:
    command = playbook_command(folder, [task])
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections_path()}
    runs = [timed(command, environment, folder) for _run in range(RUNS)]
    for run in runs:
        if "changed=0" not in run.output:
            raise SystemExit(f"the run did not do what it should:\n{run.output}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Cost(statistics.median(run.seconds for run in runs), peak)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Bind(zones()) as server:
        empty: Cost | None = None
        for name, task in cases(server).items():
            # Each case in a process of its own, so that the peak memory is that of its children only.
            cost = measure_apart(Path(folder), task)
            empty = empty or cost
            ratio = cost.seconds / empty.seconds
            print(
                f"{name:28} {cost.seconds:6.2f} s  {ratio:5.2f} x an empty task  {cost.mebibytes:4.0f} MiB", flush=True
            )


def measure_apart(folder: Path, task: dict[str, Any]) -> Cost:
    done = subprocess.run(
        [sys.executable, __file__, str(folder)], input=json.dumps(task), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return Cost(**json.loads(done.stdout))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        cost = measure(Path(sys.argv[1]), json.load(sys.stdin))
        print(json.dumps({"seconds": cost.seconds, "mebibytes": cost.mebibytes}))
    else:
        main()

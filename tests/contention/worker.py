# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers at work, each a process of its own: the real engine on the parameters of ``mail_domains``.

Takes one line of JSON (a list of parameters), makes a process for each, says "ready", and lets all of them start at
once when a second line comes. Prints one line of JSON, for each of them ``changed``, ``failure`` (the first, or null),
``rounds`` (how often it tried to write) and ``seconds``; null for one that died.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change
from ansible_collections.mailroom.erp.plugins.module_utils.domains import run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot

_OTHERS_SECONDS = 3.0
"""What a run waits for the writes of other controllers: here they all share the processors of one machine, so that each
takes many times as long between its look and its write as one that has a machine to itself."""

_CLOUDFLARE = ("cloudflare", "cloudflare.resources.dns", "cloudflare.resources.zones")


class Counted:
    """A provider that counts its writes and is otherwise the real one."""

    rounds = 0

    def __init__(self, dns: dict[str, Any], tell: Callable[[str], None]) -> None:
        real = open_provider(dns, tell)
        self.zone_of, self.read, self._apply = real.zone_of, real.read, real.apply

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        Counted.rounds += 1
        self._apply(zone, changes, token)


def work(params: dict[str, Any]) -> dict[str, Any]:
    """Do what the parameters ask for.

    :returns: what is printed
    """
    start = time.monotonic()
    zone_lock.OTHERS_SECONDS = _OTHERS_SECONDS
    failure, changed = None, False
    # Locks of a provider are there: writers of one controller share them, those of several do not.
    os.environ["XDG_STATE_HOME"] = params.get("controller", params["snapshot_dir"])
    snapshot = Snapshot(params["snapshot_dir"], "a test")
    try:
        outcomes = run.Run(read_order(params), params.get("resolver"), snapshot=snapshot).execute(write=True)
        changed = any(outcome.changed for outcome in outcomes)
        failure = next((outcome.failure for outcome in outcomes if outcome.failure), None)
    except (Refused, ProviderError) as error:
        failure = str(error)
    return {
        "changed": changed,
        "failure": failure,
        "rounds": Counted.rounds,
        "seconds": round(time.monotonic() - start, 2),
    }


def fork(params: dict[str, Any], barrier: tuple[int, int]) -> int:
    """Start a process that waits at the barrier (a pipe) until nobody can write to it any more.

    :returns: where its result can be read
    """
    result, write = os.pipe()
    if os.fork():
        os.close(write)
        return result
    try:
        os.close(barrier[1])
        os.read(barrier[0], 1)
        os.write(write, json.dumps(work(params)).encode())
    except BaseException:
        traceback.print_exc()
    os._exit(0)


def main() -> None:
    setattr(run, "open_provider", Counted)  # noqa: B010
    # What a process would load only when it is at work, here once for all of them.
    open_provider({"provider": "zonefile", "path": "/"})
    open_provider({"provider": "rfc2136", "server": "localhost", "port": 53, "timeout": 1})
    open_provider({"provider": "transip", "login": "nobody", "token": "of-nobody"})
    for module in (*_CLOUDFLARE, "octodns.provider.yaml", "octodns_bind", "octodns_powerdns"):
        importlib.import_module(module)
    barrier = os.pipe()
    results = [fork(params, barrier) for params in json.loads(sys.stdin.readline())]
    print("ready", flush=True)
    if sys.stdin.readline():
        os.close(barrier[1])
        print(json.dumps([json.loads(Path(f"/dev/fd/{result}").read_text() or "null") for result in results]))


if __name__ == "__main__":
    main()

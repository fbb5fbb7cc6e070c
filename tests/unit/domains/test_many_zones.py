# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over many zones costs a DNS service: requests are counted, and how many are under way at a time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import master_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.question_batch import QuestionBatch
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import NameServer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile import zonefile_provider
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import (
    SERVICE,
    SERVICE_SELECTORS,
    SERVICE_TERM,
    SERVICE_ZONES,
)
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONES = 120
RECORDS = 4
"""Per zone: SPF, two selectors, DMARC."""
NAMES = [f"customer{number}.example" for number in range(ZONES)]
ZONE_TEXTS = {**{name: zone_text(name) for name in NAMES}, **SERVICE_ZONES}


class Traffic:
    """Counts what goes out, and how many questions are under way at the same time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lock = threading.Lock()
        self.most = 0
        self.sent: Counter[str] = Counter()
        self._count(monkeypatch, QuestionBatch, "_send", lambda batch, *_rest: self._asked(batch))
        self._count(monkeypatch, NameServer, "ask", lambda *_rest: "question")
        self._count(monkeypatch, NameServer, "send", lambda *_rest: "update")
        self._count(monkeypatch, dns.resolver.Resolver, "resolve", lambda *_rest: "of the world")

    def _asked(self, batch: QuestionBatch) -> str:
        self.most = max(self.most, len(batch._under_way) + 1)
        return "of the world" if batch._recursion else "question"

    def _count(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, kind: Callable[..., str]) -> None:
        real = getattr(owner, name)

        def counted(*args: Any, **named: Any) -> Any:
            with self._lock:
                self.sent[kind(*args)] += 1
            return real(*args, **named)

        monkeypatch.setattr(owner, name, counted)

    def of(self, work: Callable[[], int]) -> tuple[int, Counter[str]]:
        """What the work changed, and what went out for it."""
        self.sent.clear()
        return work(), Counter(self.sent)


@pytest.fixture
def server() -> Iterator[Bind]:
    with Bind(ZONE_TEXTS) as bind:
        yield bind


def run(dns_option: dict[str, Any], resolver: dict[str, Any], write: bool = True, concurrency: int = 8) -> int:
    """Bring four records into every zone; how many domains changed."""
    selectors = [{"selector": one, "target": f"{one}.dkim.{SERVICE}"} for one in SERVICE_SELECTORS]
    wanted = {"spf": {"terms": [SERVICE_TERM]}, "dkim": selectors, "dmarc": {"policy": "none"}}
    order = read_order({"dns": dns_option, "domains": NAMES, **wanted})
    outcomes = Run(order, resolver, concurrency).execute(write)
    assert [outcome.failure for outcome in outcomes] == [None] * ZONES
    return sum(outcome.changed for outcome in outcomes)


def test_a_name_server_gets_one_update_per_changed_zone_and_none_for_others(
    server: Bind, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(monkeypatch)
    account, resolver = server.dns_option, server.resolver_option
    planned, check = traffic.of(lambda: run(account, resolver, write=False))
    assert planned == ZONES
    # Each name is asked for once, as none of them exists; then the zone's name servers, here and in the world.
    assert check["update"] == 0
    assert check["question"] == ZONES * (RECORDS + 1)
    changed, first = traffic.of(lambda: run(account, resolver))
    assert (changed, first["update"]) == (ZONES, ZONES)
    # The read-back asks once more, and for no wildcard: none answered for these names before they were written.
    assert first["question"] == ZONES * (RECORDS + 1 + RECORDS)
    again, second = traffic.of(lambda: run(account, resolver))
    assert (again, second["update"]) == (0, 0)
    # What stands there now may be a wildcard's: those below the apex and below _domainkey are asked for.
    assert second["question"] == ZONES * (RECORDS + 2)
    # What all zones share is looked up once: the include, and the keys of two selectors.
    assert second["of the world"] == 3
    assert traffic.most == 8 * RECORDS


def test_a_zone_file_is_taken_apart_once_and_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ZoneFolder(tmp_path, ZONE_TEXTS)
    read, written = Counter[str](), Counter[str]()
    parse = master_file.MasterFile

    def counted_parse(data: bytes, zone: str, *rest: Any) -> master_file.MasterFile:
        read[zone] += 1
        return parse(data, zone, *rest)

    def counted_replace(file: Path, *rest: Any, **named: Any) -> None:
        written[file.name] += 1
        replace_file(file, *rest, **named)

    monkeypatch.setattr(master_file, "MasterFile", counted_parse)
    monkeypatch.setattr(zonefile_provider, "replace_file", counted_replace)
    account, resolver = files.dns_option, files.resolver_option
    assert run(account, resolver, write=False) == ZONES
    # By the provider and by the resolver; the service's zone by the resolver only.
    assert (set(read.values()), len(read), written) == ({1}, ZONES + 1, Counter())
    assert run(account, resolver) == ZONES
    assert written == Counter({f"{name}.zone": 1 for name in NAMES})
    read.clear()
    written.clear()
    assert run(account, resolver) == 0
    assert (read, written) == (Counter(), Counter())

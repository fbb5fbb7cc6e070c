# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver, the DNS and the runs of the collection, each once for all cases; and the table at the end.

Their order is that of a user: verdicts in check mode, then the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.receiver import namespace
from ansible_collections.mailroom.erp.tests.receiver.answer import Answer, deliver
from ansible_collections.mailroom.erp.tests.receiver.answer_table import table
from ansible_collections.mailroom.erp.tests.receiver.case import Case
from ansible_collections.mailroom.erp.tests.receiver.cases import CASES
from ansible_collections.mailroom.erp.tests.receiver.milters import OpenDkim, OpenDmarc
from ansible_collections.mailroom.erp.tests.receiver.postfix import Postfix
from ansible_collections.mailroom.erp.tests.receiver.publish import Publisher, Run
from ansible_collections.mailroom.erp.tests.receiver.report_loop import LOOP_ZONES
from ansible_collections.mailroom.erp.tests.receiver.send import Reply, send
from ansible_collections.mailroom.erp.tests.receiver.services import ZONES
from ansible_collections.mailroom.erp.tests.receiver.world import World, zones


@dataclass(frozen=True, slots=True)
class Receiver:
    """A mail server that enforces, with its filters and its SPF service."""

    postfix: Postfix
    opendmarc: OpenDmarc

    def answer(self, case: Case, hand_in: Callable[[Case], Reply] = send) -> Answer:
        """Send the message of a case.

        :param hand_in: sends it
        :returns: what became of it
        """
        return deliver(case, self.postfix, self.opendmarc, hand_in)


@pytest.fixture(scope="session")
def dns() -> Iterator[World]:
    namespace.folder()
    with World(zones(CASES.values(), {**ZONES, **LOOP_ZONES})) as world:
        yield world


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """Start a receiver. A new one has forgotten which names did not exist: OpenDKIM's resolver keeps that in memory."""
    folder.mkdir()
    with (
        OpenDkim(folder / "opendkim"),
        OpenDmarc(folder / "opendmarc") as opendmarc,
        Postfix(folder / "postfix") as postfix,
    ):
        yield Receiver(postfix, opendmarc)


@pytest.fixture(scope="session")
def publisher(dns: World, tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    return Publisher(tmp_path_factory.mktemp("playbook"), dns, list(CASES.values()))


@pytest.fixture(scope="session")
def planned(publisher: Publisher) -> Run:
    """Check mode: the verdicts on the live records, and on those that are planned."""
    return publisher.run("--check")


@pytest.fixture(scope="session")
def live_answers(planned: Run) -> dict[str, Answer]:
    """What a receiver says of every message while only the verdicts are there."""
    with receiving(namespace.folder() / "before") as receiver:
        return {name: receiver.answer(case) for name, case in CASES.items()}


@pytest.fixture(scope="session")
def published(live_answers: dict[str, Answer], publisher: Publisher) -> Run:
    """The run in earnest; it comes when everything before it was seen."""
    return publisher.run()


@pytest.fixture(scope="session")
def receiver(published: Run) -> Iterator[Receiver]:
    with receiving(namespace.folder() / "after") as found:
        yield found


@pytest.fixture(scope="session")
def answers(planned: Run) -> Iterator[dict[str, Answer]]:
    """What the receiver says once the records are there, filled by the tests; printed at the end."""
    found: dict[str, Answer] = {}
    yield found
    print(table(CASES.values(), found, planned.after))

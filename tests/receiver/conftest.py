# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver, the DNS and the verdicts, each made once for all cases; and the table that is printed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.receiver import namespace, table, world
from ansible_collections.mailroom.erp.tests.receiver.answer import Answer, deliver
from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome
from ansible_collections.mailroom.erp.tests.receiver.cases import CASES
from ansible_collections.mailroom.erp.tests.receiver.milters import OpenDkim, OpenDmarc
from ansible_collections.mailroom.erp.tests.receiver.postfix import Postfix
from ansible_collections.mailroom.erp.tests.receiver.publish import publish
from ansible_collections.mailroom.erp.tests.receiver.services import ZONES
from ansible_collections.mailroom.erp.tests.receiver.world import World


class Receiver:
    """A mail server that enforces; remembers what it answered."""

    def __init__(self, postfix: Postfix, opendmarc: OpenDmarc) -> None:
        self._postfix, self._opendmarc = postfix, opendmarc
        self.answers: dict[str, Answer] = {}

    def answer(self, case: Case) -> Answer:
        """Send the message of a case.

        :returns: what became of it
        """
        self.answers[case.name] = deliver(case, self._postfix, self._opendmarc)
        return self.answers[case.name]


@pytest.fixture(scope="session")
def dns() -> Iterator[World]:
    namespace.folder()
    with world.World(world.zones(CASES.values(), ZONES)) as server:
        yield server


@pytest.fixture(scope="session")
def receiver(dns: World, verdicts: dict[str, Outcome], capfd_off: Any) -> Iterator[Receiver]:
    folder = namespace.folder()
    with (
        OpenDkim(folder / "opendkim"),
        OpenDmarc(folder / "opendmarc") as opendmarc,
        Postfix(folder / "postfix") as postfix,
    ):
        found = Receiver(postfix, opendmarc)
        yield found
    print(table.table(found.answers, verdicts))

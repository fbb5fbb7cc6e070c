# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers that any unit test may start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.servers.bind import Bind

StartBind = Callable[..., Bind]


@pytest.fixture
def start_bind() -> Iterator[StartBind]:
    """Start name servers that end with the test; takes what :class:`Bind` takes."""
    started: list[Bind] = []

    def start(zones: Mapping[str, str], **options: Any) -> Bind:
        started.append(Bind(zones, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()

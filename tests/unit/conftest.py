# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers that any unit test may start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from ansible_collections.mailroom.erp.tests.servers.bind import Bind, StartBind


@pytest.fixture
def start_bind() -> Iterator[StartBind]:
    """Start name servers that end with the test; takes what :class:`Bind` takes."""
    with ExitStack() as started:
        yield lambda *zones, **options: started.enter_context(Bind(*zones, **options))

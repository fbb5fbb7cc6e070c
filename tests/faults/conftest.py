# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of faults share: the process that makes the runs, and the kinds of name servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.faults.nursery import Nursery
from ansible_collections.mailroom.erp.tests.integration.estate import make_estate
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.server import Server


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder with the zones of two companies, and those of the services they use."""
    make_estate(tmp_path)
    return tmp_path


@pytest.fixture(params=[*SERVERS])
def kind(request: pytest.FixtureRequest) -> type[Server]:
    """Each kind of name server."""
    return SERVERS[request.param]

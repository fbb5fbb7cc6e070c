# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of zones for the tests of the roles erp_mail and mail_dns, and the collection as it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.artifact import Installed, build_and_install
from ansible_collections.mailroom.erp.tests.integration.estate import make_estate


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder with the zones of two companies, and those of the services they use."""
    make_estate(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The collection from its tarball, built and installed once."""
    return build_and_install(tmp_path_factory.mktemp("artifact"))

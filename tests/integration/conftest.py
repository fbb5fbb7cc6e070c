# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of zones that the tests of the roles erp_mail and mail_dns work in."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.estate import make_estate


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder with the zones of two companies, and those of the services they use."""
    make_estate(tmp_path)
    return tmp_path

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module knows its collection's version, although galaxy.yml does not travel."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.version import VERSION

GALAXY = Path(__file__).parents[3] / "galaxy.yml"


def test_the_version_is_the_one_of_galaxy_yml() -> None:
    assert yaml.safe_load(GALAXY.read_text())["version"] == VERSION

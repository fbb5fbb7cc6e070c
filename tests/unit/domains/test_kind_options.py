# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs stand apart from the code that they are for, and agree with it."""

from __future__ import annotations

import subprocess
import sys

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import (
    DMARC_OPTIONS,
    KIND_OPTIONS,
    MTA_STS_OPTIONS,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_KINDS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import POLICIES
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import STS_MODES

_PLUGINS = "ansible_collections.mailroom.erp.plugins"
_LOADED = f"""
import sys
import {_PLUGINS}.plugin_utils.running.followed_action
print(*(name for name in sys.modules if "_kind" in name or ".evaluation" in name or name.startswith("dns.")))
"""


def test_the_options_are_those_of_the_kinds_in_their_order() -> None:
    assert list(KIND_OPTIONS) == [kind.option for kind in RECORD_KINDS]


def test_choices_are_the_words_of_the_standards() -> None:
    choices = [
        DMARC_OPTIONS[name]["choices"] for name in ("target", "policy", "subdomain_policy", "nonexistent_policy")
    ]
    assert [tuple(one) for one in choices] == [POLICIES] * 4
    assert tuple(MTA_STS_OPTIONS["mode"]["choices"]) == STS_MODES


def test_the_controller_checks_options_without_the_code_behind_them() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []

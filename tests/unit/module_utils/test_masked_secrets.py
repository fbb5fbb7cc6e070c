# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is masked in a text that is kept, and named to Ansible in the way of each core."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.masked_secrets import never_show, without_secrets


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("run of hunter2", {"hunter2"}, "run of ********"),
        ("hunter2", {"hunter2"}, "********"),
        ("hunter2hunter", {"hunter", "hunter2"}, "****************"),
        ("nothing", {""}, "nothing"),
        ("nothing", set(), "nothing"),
    ],
)
def test_no_secret_stays_in_a_text(text: str, secrets: set[str], shown: str) -> None:
    assert without_secrets(text, secrets) == shown


def test_a_secret_is_named_in_the_way_of_every_core(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[str] = []
    newer: Any = ModuleType("ansible.module_utils.secrets")
    newer.register_secret = registered.append
    monkeypatch.setitem(sys.modules, newer.__name__, newer)
    module: Any = SimpleNamespace(no_log_values={"known"})
    never_show(module, ["token", "key"])
    assert (module.no_log_values, registered) == ({"known", "token", "key"}, ["token", "key"])

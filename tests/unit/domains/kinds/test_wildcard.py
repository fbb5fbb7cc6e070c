# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wildcards that a first record ends, seen through a DNS that answers, has nothing, or fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.wildcard import ended_mail, ended_wildcard
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation.table import Table

MX = {("shop.acme.example", "MX"): ("mx.acme.example",), ("*.acme.example", "MX"): ("mx.acme.example",)}

Warns = Callable[[str, World], "str | None"]


def world(table: Table) -> World:
    return World(table, BudgetCounter(table), lambda _name: True)


@pytest.mark.parametrize("warns", [ended_wildcard, ended_mail])
def test_a_wildcard_that_cannot_be_looked_up_is_not_taken_for_none(warns: Warns) -> None:
    assert warns("shop.acme.example", world(Table())) is None
    assert "the wildcard *.acme.example, which ends" in str(warns("shop.acme.example", world(Table(others=MX))))
    told = warns("shop.acme.example", world(Table(failing=["*.acme.example"])))
    assert told == (
        "shop.acme.example: whether the wildcard *.acme.example answers for it until now cannot be looked up: "
        "*.acme.example MX: timed out"
    )

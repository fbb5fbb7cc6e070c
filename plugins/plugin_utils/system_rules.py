# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systems whose rules do not all fit an argument spec, each with a module of its own."""

from __future__ import annotations

from typing import Protocol

from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Environment, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems import afas_profit, compad_bakkerij


class SystemRules(Protocol):
    """What a module in ``systems/`` offers."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge an environment that is present, by the rules that its data file cannot say."""

    def also_sends(self, environment: Environment) -> list[tuple[str, str]]:
        """Name the services that send beside the environment's own: (service, domain that it sends as)."""


_RULES: dict[str, SystemRules] = {"afas_profit": afas_profit, "compad_bakkerij": compad_bakkerij}


def rules_of(system: str) -> SystemRules | None:
    """The rules of a system; None when its data file says all, as with a system that a user added."""
    return _RULES.get(system)

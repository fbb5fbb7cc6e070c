# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The systems whose rules do not all fit an argument spec, each with a module of its own."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.a2000erp import A2000Erp
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.afas_profit import AfasProfit
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.compad_bakkerij import CompadBakkerij
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.exalt import Exalt
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.king_erp import KingErp
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import SystemRules
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.tryton import Tryton

_RULES: dict[str, SystemRules] = {
    "a2000erp": A2000Erp(),
    "afas_profit": AfasProfit(),
    "compad_bakkerij": CompadBakkerij(),
    "exalt": Exalt(),
    "king_erp": KingErp(),
    "tryton": Tryton(),
}
_PLAIN = SystemRules()


def rules_of(system: str) -> SystemRules:
    """The rules of a system; those that hold for any when its data file says all, as with a system that a user adds.

    :param system: its name in the catalogue
    """
    return _RULES.get(system, _PLAIN)

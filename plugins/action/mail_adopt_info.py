# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``mail_adopt_info``: domains by name become a list, and their accounts travel apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.followed_action import FollowedAction

_NOT_READ = ("customer",)
"""What ``mail_adopt_domains`` says of a domain that reading it does not need."""


class ActionModule(FollowedAction):
    """Runs the module ``mail_adopt_info``."""

    # It writes nothing, so there is no journal that could tell why.
    _notes_why = False

    def _prepare(self, arguments: dict[str, Any]) -> list[str]:
        domains = arguments.get("domains")
        if isinstance(domains, Mapping):
            arguments["domains"] = [_entry(name, one) for name, one in domains.items()]
        selectors = arguments.get("selectors") or []
        if isinstance(selectors, list):
            arguments["selectors"] = [*selectors, *Recognition(Catalogue()).selectors]
        return super()._prepare(arguments)


def _entry(name: str, one: Any) -> Any:
    if one is None:
        return {"domain": name}
    if not isinstance(one, Mapping):
        return one  # refused by what checks it
    return {"domain": name, **{key: value for key, value in one.items() if key not in _NOT_READ}}

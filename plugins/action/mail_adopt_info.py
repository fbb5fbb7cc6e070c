# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``mail_adopt_info``: domains by name become a list, and their accounts travel apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import KeyProblem, check_selector
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.followed_action import FollowedAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import kept_result

_NOT_READ = ("customer",)
"""What ``mail_adopt_domains`` says of a domain that reading it does not need."""


class ActionModule(FollowedAction):
    """Runs the module ``mail_adopt_info``."""

    # It writes nothing, so there is no journal that could tell why.
    _notes_why = False

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        """Run the module; selectors that receivers saw sign as a domain are looked for there."""
        name = arguments.pop("reported", None)
        sources = (kept_result(task_vars or {}, name).get("sources") or {}) if name else {}
        if sources and isinstance(arguments.get("domains"), list):
            arguments["domains"] = [_with_signers(one, sources) for one in arguments["domains"]]
            arguments["reported_domains"] = list(sources)
        return super()._execute(arguments, task_vars)

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


def _with_signers(entry: Any, sources: Mapping[str, Any]) -> Any:
    one = entry if isinstance(entry, Mapping) else {"domain": entry}
    domain = alabels_of(one.get("domain"))
    if domain is None:
        return entry  # refused by what reads it
    seen = {str(own["selector"]).lower() for source in sources.get(domain) or [] for own in _signatures(source, domain)}
    found = sorted(filter(_is_selector, seen))
    return {**one, "selectors": [*(one.get("selectors") or []), *found]} if found else entry


def _signatures(source: Mapping[str, Any], domain: str) -> list[Mapping[str, Any]]:
    return [one for one in source.get("selectors") or [] if one.get("domain") == domain]


def _is_selector(text: str) -> bool:
    try:
        check_selector(text)
    except KeyProblem:
        return False
    return True

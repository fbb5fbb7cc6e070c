# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which includes of a declared domain are to be flattened; docs/flatten.md says what that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_flattening import (
    FLATTEN_OPTIONS,
    read_flattening,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource

FLATTEN_KEYS = tuple(FLATTEN_OPTIONS)
"""What a domain in mail_dns_domains may say about it: the options of ``spf_record``."""

_FLATTEN_RULES = RuleSource("docs/flatten.md")


def flattening_of(name: str, declared: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The options of ``spf`` in ``mail_domains`` that flatten what a domain declares; {} when that is nothing.

    :param name: the domain as A-labels
    :param declared: its entry in mail_dns_domains
    :param problems: what is wrong with the declaration is added here
    """
    stated = {key: declared[key] for key in FLATTEN_KEYS if declared.get(key) is not None}
    wrong = _wrong_shapes(name, stated)
    problems += wrong
    if wrong or not stated.get("flatten"):
        return {}
    read_flattening(name, name, {key: option["default"] for key, option in FLATTEN_OPTIONS.items()} | stated, problems)
    return stated


def _wrong_shapes(name: str, stated: Mapping[str, Any]) -> list[Problem]:
    found = []
    includes, days = stated.get("flatten", []), stated.get("flatten_refresh", 1)
    if not (isinstance(includes, list) and all(isinstance(include, str) for include in includes)):
        rule, way_out = "flatten is a list of domains that the record includes", "Write e.g. flatten: [spf.x.example]."
        found.append(_FLATTEN_RULES.problem(name, "mail_dns_domains.flatten", None, rule, way_out))
    if not isinstance(days, int) or isinstance(days, bool):
        rule, way_out = "flatten_refresh is a number of days", "Write e.g. flatten_refresh: 7."
        found.append(_FLATTEN_RULES.problem(name, "mail_dns_domains.flatten_refresh", None, rule, way_out))
    return found

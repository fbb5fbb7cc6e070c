# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a domain in the inventory says about its own SPF record: ``spf`` in mail_dns_domains.

Source of the rules: docs/inventory.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import SPF_ESTATE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.plain_options import validated_options
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import EstateTerms, term_key

DECLARED_SPF_KEYS = ("terms", "absent_terms", "state", "all", "exclusive", "on_duplicate", "lookup_limit", "near_miss")
"""The options of ``spf`` in ``mail_domains`` that a domain of the inventory may give. Flattening has keys of its own
beside ``spf``; whether a first record may be made follows from ``services``."""

_SPEC = {key: SPF_ESTATE_OPTIONS[key] for key in DECLARED_SPF_KEYS}
_WHERE = "mail_dns_domains.spf"
_REMOVALS = {"absent_terms": None, "state": "absent", "exclusive": True}
"""What takes terms away: keys with the value that does; None means any."""


def read_declared_spf(name: str, declared: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Read what a domain says about its SPF record.

    :param name: the domain as A-labels
    :param declared: its entry in mail_dns_domains
    :returns: the options of :data:`DECLARED_SPF_KEYS` that are given, of the right types; and what is wrong
    """
    given = declared.get("spf")
    if given is None:
        return {}, []
    if not isinstance(given, Mapping):
        rule = f"it is a dictionary, not a {type(given).__name__}"
        return {}, [INVENTORY_RULES.problem(name, _WHERE, None, rule, "Write e.g. spf: {on_duplicate: merge}.")]
    stated = {key: value for key, value in given.items() if value is not None}
    unknown = sorted(map(str, set(stated) - set(_SPEC)))
    valid, wrong = validated_options(_SPEC, {key: value for key, value in stated.items() if key in _SPEC})
    problems = [_no_such_key(name, key) for key in unknown]
    problems += [
        INVENTORY_RULES.problem(name, _WHERE, None, message, "docs/inventory.md lists the keys.") for message in wrong
    ]
    if problems:
        return {}, problems
    return {key: valid[key] for key in stated}, []


def refused_spf_removals(name: str, stated: Mapping[str, Any], options: EstateOptions) -> list[Problem]:
    """Say why a domain's record may lose nothing in this run: a sender of whom it knows nothing may need that.

    :param name: the domain as A-labels
    :param stated: what :func:`read_declared_spf` gives
    :param options: whether the run knows every sender
    :returns: one problem for each key that takes terms away; empty when the run knows every sender
    """
    if options.knows_every_sender:
        return []
    rule = "terms are taken away only by a run that knows every sender of the domain"
    way_out = "Set mail_dns_complete: true when this inventory holds every sender, and run for all hosts."
    removing = [key for key, value in _REMOVALS.items() if stated.get(key) and value in (None, stated[key])]
    return [INVENTORY_RULES.problem(name, f"{_WHERE}.{key}", None, rule, way_out) for key in removing]


def spf_entry(
    name: str, terms: EstateTerms, stated: Mapping[str, Any], more: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Put together what is asked of a domain's record.

    :param name: the domain as A-labels
    :param terms: what services and environments need there, or left there
    :param stated: what :func:`read_declared_spf` gives
    :param more: options beside these: of flattening, and ``create``
    :returns: the options of ``spf`` in ``mail_domains``, None when nothing is asked; and contradictions
    """
    own = {key: value for key, value in stated.items() if key not in ("terms", "absent_terms")}
    wanted = _distinct([*terms.wanted, *stated.get("terms", ())])
    absent = _distinct([*terms.absent, *stated.get("absent_terms", ())])
    if not wanted and not absent and not stated and "flatten" not in more:
        return None, []
    problems = _still_needed(name, terms, stated)
    if own.get("state") == "absent" and wanted:
        rule = f"the record is to go, and it is needed: {', '.join(wanted)}"
        way_out = "Leave state out, or take the services and environments away that need it."
        problems.append(INVENTORY_RULES.problem(name, f"{_WHERE}.state", "absent", rule, way_out))
    entry = {"terms": wanted, **own, **({"absent_terms": absent} if absent else {}), **more}
    return entry, problems


def _still_needed(name: str, terms: EstateTerms, stated: Mapping[str, Any]) -> list[Problem]:
    """The terms that the domain would take away although a service or an environment needs them."""
    needed = {term_key(term) for term in terms.wanted}
    rule, way_out = "a service or an environment needs this term", "Take that away first, or keep the term."
    return [
        INVENTORY_RULES.problem(name, f"{_WHERE}.absent_terms", term, rule, way_out)
        for term in stated.get("absent_terms", ())
        if _key(term) in needed
    ]


def _distinct(terms: list[str]) -> list[str]:
    """The first of each group of equal terms."""
    found: dict[object, str] = {}
    for term in terms:
        found.setdefault(_key(term), term)
    return list(found.values())


def _key(term: str) -> object:
    """See :func:`term_key`; what is no term is like itself only, and ``mail_domains`` says what is wrong with it."""
    try:
        return term_key(term)
    except SpfError:
        return term


def _no_such_key(name: str, key: str) -> Problem:
    rule, takes = "there is no such key; its value is not shown", ", ".join(DECLARED_SPF_KEYS)
    return INVENTORY_RULES.problem(name, f"{_WHERE}.{key}", None, rule, f"It takes: {takes}.")

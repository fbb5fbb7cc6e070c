# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The tree of an SPF record: which of its terms cost lookups, and what stands below each. To be shown, not to judge.

What a record costs as a whole, and what is wrong with it, ``spf_budget`` tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import (
    Modifier,
    SpfError,
    SpfRecord,
    Term,
    effective,
    parse_spf,
    select_spf,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import is_counted
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import expand

_MOST_TERMS = 100
"""A tree is not followed further than this many terms: receivers give up at ten lookups."""


@dataclass(slots=True)
class _Walk:
    """One walk through a tree; ``left`` is how many terms may still be followed."""

    lookup: Lookup
    left: int = _MOST_TERMS

    def tree(self, record: SpfRecord, domain: str, path: tuple[str, ...]) -> dict[str, Any]:
        terms = [self._term(term, domain, path) for term in effective(record.terms) if is_counted(term)]
        return {"domain": domain, "terms": terms}

    def _term(self, term: Term, domain: str, path: tuple[str, ...]) -> dict[str, Any]:
        self.left -= 1
        below = self._below(term, domain, path) if self.left > 0 else None
        more = sum(one["lookups"] for one in below["terms"]) if below else 0
        return {"term": term.raw, "lookups": 1 + more, "tree": below}

    def _below(self, term: Term, domain: str, path: tuple[str, ...]) -> dict[str, Any] | None:
        """None for a term that leads to no record that can be read."""
        if not isinstance(term, Modifier) and term.mechanism != "include":
            return None
        spec = term.value if isinstance(term, Modifier) else term.domain
        target = expand(spec, domain) if spec else None
        if target is None or target in path:
            return None
        try:
            records = select_spf(self.lookup(target, "TXT"))
            return self.tree(parse_spf(records[0]), target, (*path, target)) if len(records) == 1 else None
        except (Unresolved, SpfError):
            return None


def spf_tree(record: SpfRecord, domain: str, lookup: Lookup) -> dict[str, Any]:
    """Follow a record.

    :param record: that of the domain
    :param domain: as A-labels
    :param lookup: the source of answers
    :returns: ``domain`` and ``terms``, each with ``term``, ``lookups`` (itself and all below it) and ``tree``: the same
        of what it includes or leads to, None where there is no record that can be read
    """
    return _Walk(lookup).tree(record, domain, (domain,))

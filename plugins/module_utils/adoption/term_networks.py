# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The networks that ``include:`` terms stand for, so that reported mail can be counted for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, parse_spf, select_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_flatten import included_networks

_MOST_TERMS = 200
"""Of one run; each is followed with 200 questions at most. What is beyond is not known."""


def included_by(domains: Iterable[Mapping[str, Any]], measured: Collection[str]) -> list[str]:
    """The names that the SPF records of some domains include, each once, those that most of them have first.

    :param domains: as ``mail_adopt_info`` returns them
    :param measured: the domains that reports tell of, as A-labels
    """
    count: dict[str, int] = {}
    for one in domains:
        if one["domain"] in measured:
            for name in set(_included(one)):
                count[name] = count.get(name, 0) + 1
    return sorted(count, key=lambda name: (-count[name], name))


def term_networks(names: list[str], lookup: Lookup, threads: int) -> dict[str, dict[str, Any]]:
    """Resolve the trees of includes.

    :param names: as :func:`included_by` gives them
    :param lookup: asks the DNS; many threads use it
    :param threads: how many trees are followed at the same time
    :returns: by name ``networks`` (None: not known) and ``problem``, the reason
    """

    def networks(name: str) -> dict[str, Any]:
        try:
            return {"networks": list(map(str, included_networks(name, lookup))), "problem": None}
        except SpfError as error:
            return {"networks": None, "problem": f"{error.term}: {error}"}

    some = names[:_MOST_TERMS]
    found = dict(zip(some, each(networks, some, threads), strict=True))
    beyond = {"networks": None, "problem": f"only {_MOST_TERMS} includes are followed in a run"}
    return {name: found.get(name, beyond) for name in names}


def _included(domain: Mapping[str, Any]) -> Iterator[str]:
    """What a domain includes, but for names that depend on the message."""
    texts = [
        text
        for rrset in domain["records"]
        if (rrset["name"], rrset["type"]) == (domain["domain"], "TXT")
        for text in rrset["values"]
    ]
    for text in select_spf(texts):
        try:
            terms = parse_spf(text).terms
        except SpfError:
            continue
        for term in terms:
            if isinstance(term, Directive) and term.mechanism == "include" and term.domain and "%" not in term.domain:
                yield term.domain.lower().removesuffix(".")

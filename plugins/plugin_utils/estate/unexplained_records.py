# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What nobody can explain yet in the records of a domain: ``unexplained`` in mail_dns_domains. It stays where it is.

Source of the rules: docs/adopt.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import SpfError
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_merge import wished_term
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_spf import term_key

UNEXPLAINED_KEY = "unexplained"
"""The key of a domain in mail_dns_domains."""

UNEXPLAINED_KINDS = ("spf", "dkim", "dmarc", "mx", "mta_sts", "tls_rpt", "cname", "entra")
"""The first word of ``what``: the kind of record; behind it stand the term, selector, tag, host or record. ``entra`` is
an application of a tenant, by its id."""

_RULES = RuleSource("docs/adopt.md")
_KEYS = {"what", "evidence"}
_WHOLE = ("mta_sts", "tls_rpt", "null_mx")
"""Kinds whose whole record is made by declaring them; ``mx`` is what a null MX would end."""


def wrong_unexplained(name: str, declared: Mapping[str, Any]) -> list[Problem]:
    """Check the shape of ``unexplained``.

    :param name: the domain as A-labels
    :param declared: its entry in mail_dns_domains
    """
    given = declared.get(UNEXPLAINED_KEY)
    if given is None:
        return []
    if isinstance(given, list) and all(map(_is_item, given)):
        return []
    kinds = ", ".join(UNEXPLAINED_KINDS)
    rule = f"it is a list of {{what, evidence}}, both texts; what begins with one of: {kinds}"
    way_out = 'Write e.g. unexplained: [{what: "spf ip4:192.0.2.7", evidence: "zone acme.example, 2026-11-29"}].'
    return [_RULES.problem(name, f"mail_dns_domains.{UNEXPLAINED_KEY}", None, rule, way_out)]


def unexplained_items(declared: Mapping[str, Any]) -> list[str]:
    """What is not explained, each as ``what`` has it.

    :param declared: an entry in mail_dns_domains that :func:`wrong_unexplained` has nothing against
    """
    return [" ".join(str(one["what"]).split()) for one in declared.get(UNEXPLAINED_KEY) or []]


def kept_terms(declared: Mapping[str, Any]) -> list[str]:
    """The SPF terms that nothing may take out of the record; what is no term is in no record that could be merged.

    :param declared: as of :func:`unexplained_items`
    """
    return [term for term in _of_kind(declared, "spf") if _is_term(term)]


def explained_after_all(
    name: str, declared: Mapping[str, Any], spf: Mapping[str, Any], selectors: Iterable[Any]
) -> Iterator[Problem]:
    """What is to be changed or removed although it is listed as unexplained.

    :param name: the domain as A-labels
    :param declared: as of :func:`unexplained_items`
    :param spf: what it says about its SPF record
    :param selectors: the entries of ``dkim`` that are planned for it
    """
    terms = {term_key(term) for term in kept_terms(declared)}
    if terms and spf.get("state") == "absent":
        yield _refused(name, "spf.state", "absent")
    for term in spf.get("absent_terms", ()):
        if _is_term(term) and term_key(term) in terms:
            yield _refused(name, "spf.absent_terms", term)
    unknown = set(_of_kind(declared, "dkim"))
    for one in selectors:
        selector = str(one.get("selector")).lower() if isinstance(one, Mapping) else ""
        if selector in unknown:
            yield _refused(name, "dkim", selector)
    policy = declared.get("dmarc")
    removes = isinstance(policy, Mapping) and (policy.get("exclusive") or policy.get("state") == "absent")
    if removes and _of_kind(declared, "dmarc"):
        yield _refused(name, "dmarc", None)
    for kind in _WHOLE:
        if declared.get(kind) is not None and _of_kind(declared, kind.removeprefix("null_")):
            yield _refused(name, kind, None)


def _refused(name: str, key: str, value: str | None) -> Problem:
    rule = "this is listed as unexplained, so that it is kept as it is until somebody knows what it is for"
    way_out = f"When that is known, take it out of mail_dns_domains.{name}.{UNEXPLAINED_KEY}; else leave it as it is."
    return _RULES.problem(name, f"mail_dns_domains.{key}", value, rule, way_out)


def _of_kind(declared: Mapping[str, Any], kind: str) -> list[str]:
    """What stands behind the kind."""
    parts = (one.partition(" ") for one in unexplained_items(declared))
    return [rest for first, _space, rest in parts if first == kind]


def _is_item(one: Any) -> bool:
    if not isinstance(one, Mapping) or set(one) != _KEYS or not all(isinstance(one[key], str) for key in _KEYS):
        return False
    kind, _space, rest = one["what"].strip().partition(" ")
    return kind in UNEXPLAINED_KINDS and bool(rest.strip()) and bool(one["evidence"].strip())


def _is_term(text: Any) -> bool:
    try:
        wished_term(str(text), removed=True)
    except SpfError:
        return False
    return True

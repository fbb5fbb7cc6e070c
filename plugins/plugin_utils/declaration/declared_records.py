# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is declared about DNS records: own SPF terms, the domains that are ours, DKIM selectors and the return path.

Every function takes the value as declared, puts what is wrong with it into ``findings``, and gives only what is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, is_inside, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, SpfError, is_all, parse_term
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    INVENTORY,
    DeclaredSignature,
    Findings,
)

_SELECTOR_WAY_OUT = "Write e.g. {selector: s1, target: s1.domainkey.service.example}."


def spf_terms_of(terms: Any, findings: Findings) -> tuple[str, ...] | None:
    """The user's own SPF terms; None when there are none, so that the catalogue's count.

    :param terms: ``erp_mail_spf_terms``
    :param findings: takes what is wrong
    """
    if terms is None:
        return None
    if not isinstance(terms, list):
        rule = f"the terms are a list, not a {type(terms).__name__}"
        findings.error("erp_mail_spf_terms", None, rule, INVENTORY, 'Write a list, e.g. ["ip4:192.0.2.1"].')
        return ()
    for term in terms:
        wrong = _wrong_term(term)
        if wrong:
            findings.error(
                "erp_mail_spf_terms", term, wrong, INVENTORY, "Name only the servers that send, e.g. ip4:192.0.2.1."
            )
    return tuple(str(term) for term in terms)


def _wrong_term(term: Any) -> str | None:
    if not isinstance(term, str):
        return f"a term is text, not a {type(term).__name__}"
    try:
        parsed = parse_term(term)
    except SpfError as error:
        return str(error)
    if not isinstance(parsed, Directive) or is_all(parsed) or parsed.qualifier != "+":
        return "a term names servers that may send: no all, no modifier, no qualifier but + (RFC 7208 section 4.6.2)"
    return None


def own_domains_of(domains: Any, findings: Findings) -> frozenset[str] | None:
    """The names of ``mail_dns_domains`` as A-labels; None when they are no names at all.

    :param domains: the keys of ``mail_dns_domains``
    :param findings: takes what is wrong
    """
    if not isinstance(domains, list):
        rule = "mail_dns_domains is a dictionary: domain to what is declared for it"
        findings.error(
            "mail_dns_domains", None, rule, INVENTORY, "Write mail_dns_domains: {acme.example: {services: []}}."
        )
        return None
    names = set()
    for domain in domains:
        try:
            names.add(to_alabels(str(domain)))
        except BadName as error:
            findings.error("mail_dns_domains", domain, str(error), INVENTORY, "Correct the name.")
    return frozenset(names)


def signatures_of(declared: Any, findings: Findings) -> dict[str, DeclaredSignature]:
    """The signatures of ``erp_mail_dkim``: domain (A-labels) to its selectors and return path.

    :param declared: ``erp_mail_dkim``
    :param findings: takes what is wrong
    """
    if declared is None:
        return {}
    if not isinstance(declared, Mapping):
        rule = f"it is a dictionary of domain to selectors, not a {type(declared).__name__}"
        way_out = "Write erp_mail_dkim: {acme.example: [{selector: s1, target: ...}]}."
        findings.error("erp_mail_dkim", None, rule, INVENTORY, way_out)
        return {}
    found = (_signature(domain, entries, findings) for domain, entries in declared.items())
    return {domain: signature for domain, signature in found if domain}


def _signature(given: str, entries: Any, findings: Findings) -> tuple[str, DeclaredSignature]:
    where = f"erp_mail_dkim.{given}"
    domain = _name(given, "erp_mail_dkim", findings)
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        rule = "a domain has a list of {selector, target}"
        findings.error(where, None, rule, INVENTORY, _SELECTOR_WAY_OUT)
        return "", DeclaredSignature()
    selectors: dict[str, Mapping[str, str]] = {}
    paths: list[tuple[str, str]] = []
    for entry in entries:
        if "name" in entry:
            paths += _return_path(where, domain, entry, findings)
            continue
        for selector in _selector(where, domain, entry, findings):
            if selector["selector"] in selectors:
                rule = "a selector stands in a domain's list once"
                findings.error(where, selector["selector"], rule, INVENTORY, "Leave one of them.")
            selectors[selector["selector"]] = selector
    return domain, DeclaredSignature(tuple(selectors.values()), paths[0] if paths else None)


def _selector(where: str, domain: str, entry: Mapping[str, Any], findings: Findings) -> Iterator[Mapping[str, str]]:
    if set(entry) not in ({"selector", "target"}, {"selector", "public_key"}):
        rule = "an entry is {selector, target}, {selector, public_key}, or {name, target} for the envelope sender"
        findings.error(where, None, rule, INVENTORY, _SELECTOR_WAY_OUT)
        return
    try:
        name = dkim.check_selector(str(entry["selector"]).lower().removesuffix("._domainkey"))
    except dkim.KeyProblem as error:
        findings.error(f"{where}.selector", entry["selector"], str(error), INVENTORY, "Correct the selector.")
        return
    if "target" in entry:
        target = str(entry["target"]).replace("{domain}", domain).replace("{selector}", name)
        found = _name(target, f"{where}.{name}.target", findings)
        if found:
            yield {"selector": name, "target": found}
    elif _is_public(f"{where}.{name}.public_key", entry["public_key"], findings):
        yield {"selector": name, "public_key": str(entry["public_key"])}


def _is_public(where: str, key: Any, findings: Findings) -> bool:
    try:
        dkim.key_record(str(key))
    except dkim.KeyProblem as error:
        findings.error(where, None, str(error), INVENTORY, "Give the public half of the key.")
        return False
    return True


def _return_path(where: str, domain: str, entry: Mapping[str, Any], findings: Findings) -> list[tuple[str, str]]:
    if set(entry) != {"name", "target"}:
        findings.error(where, None, "the CNAME of the envelope sender is {name, target}", INVENTORY, "Give both.")
        return []
    given = str(entry["name"])
    name = _name(given if "." in given else f"{given}.{domain}", f"{where}.name", findings)
    target = _name(entry["target"], f"{where}.target", findings)
    if name and domain and not is_inside(name, domain):
        findings.error(f"{where}.name", given, f"the name is not inside {domain}", INVENTORY, "Correct the name.")
    return [(name, target)] if name and target else []


def _name(value: Any, where: str, findings: Findings) -> str:
    try:
        return to_alabels(str(value))
    except BadName as error:
        findings.error(where, str(value), str(error), INVENTORY, "Correct the name.")
        return ""

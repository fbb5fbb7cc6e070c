# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a declaration that only some environments have: signatures, consent, the envelope, the checklist.

As in ``declared_parts``: every function takes the value as declared, puts what is wrong into ``findings``, and gives
what is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, is_inside, to_alabels
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_facts import System, Transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import INVENTORY, Findings, Sender, Signature

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONSENT = ("app_id", "publisher_tenant_id", "scopes")
_SELECTOR_WAY_OUT = "Write e.g. {selector: s1, target: s1.domainkey.service.example}."


def signatures_of(declared: Any, findings: Findings) -> dict[str, Signature]:
    """The signatures of ``erp_mail_dkim``: domain (A-labels) to its selectors and return path."""
    if declared is None:
        return {}
    if not isinstance(declared, Mapping):
        rule = f"it is a dictionary of domain to selectors, not a {type(declared).__name__}"
        way_out = "Write erp_mail_dkim: {acme.example: [{selector: s1, target: ...}]}."
        findings.error("erp_mail_dkim", None, rule, INVENTORY, way_out)
        return {}
    found = (_signature(domain, entries, findings) for domain, entries in declared.items())
    return {domain: signature for domain, signature in found if domain}


def _signature(given: str, entries: Any, findings: Findings) -> tuple[str, Signature]:
    where = f"erp_mail_dkim.{given}"
    domain = _name(given, "erp_mail_dkim", findings)
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        rule = "a domain has a list of {selector, target}"
        findings.error(where, None, rule, INVENTORY, _SELECTOR_WAY_OUT)
        return "", Signature()
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
    return domain, Signature(tuple(selectors.values()), paths[0] if paths else None)


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


def consent_of(transport: Transport | None, declared: Any, findings: Findings) -> dict[str, Any]:
    """The consent of ``erp_mail_consent``: app_id, publisher_tenant_id (GUIDs) and scopes (list of str)."""
    if declared is None or transport is None:
        return {}
    if transport.entra is None or transport.entra.kind != "consent":
        rule = f"transport {transport.id} needs no consent for an application of somebody else"
        findings.error("erp_mail_consent", None, rule, transport.source, "Leave it out.")
        return {}
    if not isinstance(declared, Mapping) or set(declared) - set(_CONSENT):
        rule = f"it is a dictionary of {', '.join(_CONSENT)}"
        findings.error("erp_mail_consent", None, rule, INVENTORY, "Correct it.")
        return {}
    for key in ("app_id", "publisher_tenant_id"):
        if key in declared and not _GUID.fullmatch(str(declared[key])):
            rule = "it is a GUID: 8-4-4-4-12 hexadecimal digits"
            findings.error(f"erp_mail_consent.{key}", declared[key], rule, INVENTORY, "Take it from Entra.")
    scopes = declared.get("scopes", [""])
    if not isinstance(scopes, list) or not scopes or not all(isinstance(scope, str) for scope in scopes):
        rule = "scopes is a list of names, such as Mail.Send"
        findings.error("erp_mail_consent.scopes", None, rule, INVENTORY, "List what the application asks for.")
    return dict(declared)


def envelope_of(declared: Any, findings: Findings) -> Sender | None:
    """The address of ``erp_mail_envelope_from``."""
    if declared is None:
        return None
    try:
        return Sender("envelope", None, str(declared), domain_of(declared))
    except BadAddress as error:
        shown = declared if isinstance(declared, str) else None
        findings.error("erp_mail_envelope_from", shown, str(error), INVENTORY, "Give one plain address.")
    return None


def confirmed_of(system: System, declared: Any, findings: Findings) -> tuple[str, ...]:
    """The points of the checklist that ``erp_mail_confirmed`` names."""
    if not isinstance(declared, list | tuple):
        rule = f"it is a list of points of the checklist, not a {type(declared).__name__}"
        findings.error("erp_mail_confirmed", None, rule, INVENTORY, "Write e.g. [fields, test_mail].")
        return ()
    known = [check.id for check in system.checklist]
    for name in (name for name in declared if name not in known):
        shown = name if isinstance(name, str) else None
        rule = f"the checklist of {system.title} has no such point"
        findings.error("erp_mail_confirmed", shown, rule, INVENTORY, f"It has: {', '.join(known)}.")
    return tuple(name for name in known if name in declared)

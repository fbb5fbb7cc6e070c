# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a domain's DMARC record says, as parts of a declaration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.module_utils.adoption.adoption_keys import agreement_names
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import DMARC_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import DmarcError
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import Tag
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import Claim, Finding
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts

_OPTIONS = {
    "p": "policy",
    "sp": "subdomain_policy",
    "np": "nonexistent_policy",
    "adkim": "adkim",
    "aspf": "aspf",
    "fo": "fo",
    "psd": "psd",
}
_ADDRESSES = ("rua", "ruf")


def dmarc_parts(facts: DomainFacts) -> Iterator[Claim | Finding]:
    """Claims and findings of the policy record.

    :param facts: what was read
    """
    name = f"_dmarc.{facts.domain}"
    holder, records = facts.holder(name), dmarc.select_dmarc(facts.texts(name))
    if holder:
        yield Finding(f"dmarc managed elsewhere: {holder}", f"{name} is not a record of this zone", "low")
    elif len(records) > 1:
        for text in records:
            evidence = f"{name} has {len(records)} policy records, so that receivers act as if there were none"
            yield Finding(f"dmarc {text}", evidence, "high")
    elif records:
        yield from _record_parts(facts, records[0])


def _record_parts(facts: DomainFacts, text: str) -> Iterator[Claim | Finding]:
    record = dmarc.parse_dmarc(text)
    note = f"the policy at _dmarc.{facts.domain}"
    for part in (one for tag in record for one in _tag_parts(record.key(tag.name), tag)):
        yield replace(part, note=note) if isinstance(part, Claim) else part
    if any((name, "TXT") not in facts.rrsets and name not in facts.elsewhere for name in agreement_names_of(facts)):
        note = "where its reports go has not agreed to get them, and no agreement is made"
        yield Claim("dmarc", False, note, "authorize_reports")


def agreement_names_of(facts: DomainFacts) -> list[str]:
    """Where the destinations of a domain's reports would agree to get them.

    :param facts: what was read
    """
    return agreement_names(facts.domain, facts.texts(f"_dmarc.{facts.domain}"))


def _tag_parts(name: str, tag: Tag) -> Iterator[Claim | Finding]:
    finding = Finding(f"dmarc {tag.name or '(no tag)'}={tag.value}", "the policy record", "low")
    if name in _OPTIONS and tag.value not in (DMARC_OPTIONS[_OPTIONS[name]].get("choices") or (tag.value,)):
        yield replace(finding, evidence=f"{finding.evidence}; not declared: it is not written as an option takes it")
    elif name in _OPTIONS:
        yield Claim("dmarc", tag.value, "", _OPTIONS[name], otherwise=finding)
    elif name == "t":
        yield Claim("dmarc", tag.value == "y", "", "testing", otherwise=finding)
    elif name in dmarc.OBSOLETE:
        yield Claim("dmarc", {name: tag.value}, "", "obsolete_tags", otherwise=finding)
    elif name in _ADDRESSES:
        for uri in filter(None, (one.strip() for one in tag.value.split(","))):
            yield from _address_parts(name, uri)
    elif name != "v":
        yield finding


def _address_parts(name: str, uri: str) -> Iterator[Claim | Finding]:
    finding, address = Finding(f"dmarc {name}={uri}", "the policy record", "low"), _address(uri)
    try:
        dmarc.report_uri(address)
    except DmarcError as error:
        yield replace(finding, evidence=f"{finding.evidence}; not declared: {error}")
    else:
        yield Claim("dmarc", address, "", name, True, finding)


def _address(uri: str) -> str:
    """A report address as a person declares it; what is encoded stays a URI."""
    plain = uri.partition("!")[0]
    scheme, colon, rest = plain.partition(":")
    return rest if colon and scheme.lower() == "mailto" and "%" not in rest else plain

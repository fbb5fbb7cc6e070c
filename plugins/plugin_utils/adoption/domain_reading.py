# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Everything that was read of one domain's mail, as parts of a declaration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import mx_parts, values_of
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.null_mx_kind import is_null_mx
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim, tls_rpt
from ansible_collections.mailroom.erp.plugins.module_utils.policy.mta_sts import mta_sts_name, mta_sts_records
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList, read_tags
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import (
    DROP,
    KEEP,
    NOBODY,
    Answers,
    erp_question,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import Claim, DomainReading, Finding
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.dmarc_claims import dmarc_parts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import DomainFacts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import environments_question
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_hosts import CoveredRecords
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import ErpWay, Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.spf_claims import SpfReading
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_reading import TenantPart

_PLAIN_KEY_TAGS = {"v": "DKIM1", "k": "rsa"}
"""What a key record says beside the key when the key alone says all."""


def read_domain(
    facts: DomainFacts, recognition: Recognition, answers: Answers, covered: CoveredRecords, tenant: TenantPart
) -> DomainReading:
    """Make parts of a declaration of what was read.

    :param facts: what was read
    :param recognition: what the catalogue knows
    :param answers: what a person said
    :param covered: what ERP environments of the inventory need at it
    :param tenant: what tenants tell of it
    """
    reader = _Reader(facts, recognition, answers, covered, tenant.ways)
    parts = list(reader.parts())
    claims = [one for one in parts if isinstance(one, Claim)]
    findings = [*(one for one in parts if isinstance(one, Finding)), *tenant.findings]
    if not facts.is_ours:
        # nothing can be asked of a zone that no account serves
        findings += [one.otherwise for one in claims if one.otherwise is not None]
        claims = []
    decided = tuple(_decided(findings, facts.domain, answers))
    return DomainReading(facts.domain, tuple(claims), decided, tuple(reader.explained))


def _decided(findings: list[Finding], domain: str, answers: Answers) -> Iterator[Finding]:
    """What nobody has dropped; of several with one name the first."""
    unique = {one.what: one for one in reversed(findings)}
    for one in reversed(unique.values()):
        if not {DROP, KEEP} & set(answers.of(one.what, domain) or ()):
            yield one


class _Reader:
    def __init__(
        self,
        facts: DomainFacts,
        recognition: Recognition,
        answers: Answers,
        covered: CoveredRecords,
        tenant_ways: Sequence[ErpWay],
    ) -> None:
        self._facts, self._recognition, self._answers = facts, recognition, answers
        self._covered, self._tenant_ways = covered, tenant_ways
        self.explained: list[str] = []
        self._place = f"zone {facts.zone}" if facts.is_ours else "public DNS"

    def parts(self) -> Iterator[Claim | Finding]:
        facts, receives = self._facts, self._receives()
        if not facts.is_ours:
            why = "no DNS account is given for it" if facts.account is None else f"{facts.account} serves no zone of it"
            question = f"Name its DNS account in mail_adopt_domains: {why}, so that its records cannot be declared."
            yield Finding("account", "", "medium", question=question, listed=False)
        spf, mx = SpfReading(facts, self._recognition, self._answers, receives, self._covered), list(self._mx())
        selectors, policy = list(self._selectors()), list(dmarc_parts(facts))
        if self._is_parked(spf, mx, selectors, policy):
            yield Claim("services", [], "v=spf1 -all: nobody sends")
            yield Claim("parked", True, "v=spf1 -all, p=reject and a null MX: it never sends")
            yield from (*policy, *mx)
            return
        yield from (*self._services_and_spf(spf), *policy, *selectors, *self._aliases(), *mx)
        self.explained += spf.explained
        if facts.is_ours and self._answers.given.get(erp_question(facts.domain)) is None:
            yield from self._environments(spf.of_erps)
        yield from self._tls_rpt()
        yield from self._mta_sts()

    def _environments(self, found: list[Finding]) -> Iterator[Finding]:
        """The question who of the ERP environments sends, where anything speaks for one."""
        if not found and not self._tenant_ways:
            return
        by_service = self._recognition.ways_of(service for one in found for service in one.candidates)
        ways = [*self._tenant_ways, *by_service]
        systems = tuple(dict.fromkeys(way.system for way in ways))
        terms = tuple(term for one in found for term in one.terms)
        what, question = erp_question(self._facts.domain), environments_question(self._facts.domain, ways)
        yield Finding(what, "", "medium", systems, question, listed=False, terms=terms)

    def _services_and_spf(self, spf: SpfReading) -> list[Claim | Finding]:
        """What the record says; one that is explained whole, and names no service, says that there is none."""
        parts = list(spf.parts())
        explained = spf.records and all(isinstance(one, Claim) and one.key != "services" for one in parts)
        return [*([Claim("services", [], "no term of the SPF record is a service's")] if explained else []), *parts]

    def _is_parked(
        self,
        spf: SpfReading,
        mx: list[Claim | Finding],
        selectors: list[Claim | Finding],
        policy: list[Claim | Finding],
    ) -> bool:
        null_mx = any(isinstance(one, Claim) for one in mx)
        asks = {one.option: one.value for one in policy if isinstance(one, Claim)}
        clean = all(isinstance(one, Claim) for one in (*policy, *mx)) and not selectors
        return spf.is_closed and null_mx and clean and asks.get("policy") == "reject" and self._facts.is_ours

    def _hosts(self) -> list[str]:
        found = self._facts.rrsets.get((self._facts.domain, "MX"))
        return [host for _preference, host in sorted(map(mx_parts, values_of(found)))]

    def _receives(self) -> list[str]:
        """The services that take the domain's mail."""
        return list(dict.fromkeys(one for host in self._hosts() for one in self._recognition.of_mx(host)))

    def _mx(self) -> Iterator[Claim | Finding]:
        domain, found = self._facts.domain, self._facts.rrsets.get((self._facts.domain, "MX"))
        if found and is_null_mx(found):
            otherwise = Finding("mx .", f"{self._place}: it takes no mail", "low")
            yield Claim("null_mx", {}, "MX 0 .: it takes no mail", otherwise=otherwise)
            return
        for host in self._hosts():
            if not is_inside(host, domain) and not self._recognition.of_mx(host):
                yield Finding(
                    f"mx {host}", f"{self._place}: takes the domain's mail; no service of the catalogue", "low"
                )

    def _selectors(self) -> Iterator[Claim | Finding]:
        suffix = f"._domainkey.{self._facts.domain}"
        names = {name for name, rdtype in self._facts.rrsets if name.endswith(suffix) and rdtype in ("TXT", "CNAME")}
        for name in sorted(names):
            yield from self._selector(name, name.removesuffix(suffix))

    def _selector(self, name: str, selector: str) -> Iterator[Claim | Finding]:
        target = self._facts.alias(name)
        keys = [one for one in self._facts.texts(name) if dkim.is_key(one)]
        services = self._recognition.of_selector(selector, target)
        told = f"alias of {target}" if target else f"{len(keys)} key{'s' * (len(keys) != 1)}"
        finding = Finding(f"dkim {selector}", f"{self._place}: {told}", "medium", tuple(services))
        if selector in self._covered.selectors:
            self.explained.append(finding.what)
            return
        said = self._answers.of(finding.what, self._facts.domain) or []
        entry = _entry(selector, target, keys)
        revoked = entry is not None and "revoked" in entry
        if entry and (services or revoked or [one for one in said if one != DROP]):
            note = f"{selector}: {' or '.join(services) or 'as answered'}" if not revoked else f"{selector}: revoked"
            yield Claim("dkim", entry, note, many=True, otherwise=finding)
        elif DROP not in said:
            yield finding
        yield from _services(said, name)

    def _aliases(self) -> Iterator[Claim | Finding]:
        """Names that services give out below a domain, such as return paths."""
        for (name, rdtype), rrset in sorted(self._facts.rrsets.items()):
            inside = is_inside(name, self._facts.domain) and "._domainkey." not in name
            services = self._recognition.of_alias(rrset.values[0]) if rdtype == "CNAME" and inside else []
            if services:
                evidence = f"{self._place}: alias of {rrset.values[0]}, a return path of {', '.join(services)}"
                finding = Finding(f"cname {name}", evidence, "medium", tuple(services))
                said = self._answers.of(finding.what, self._facts.domain)
                yield from [finding] if said is None else _services(said, name)

    def _tls_rpt(self) -> Iterator[Claim | Finding]:
        name = tls_rpt.tls_rpt_name(self._facts.domain)
        records, holder = tls_rpt.tls_rpt_records(self._facts.texts(name)), self._facts.holder(name)
        whole = [Finding(f"tls_rpt {one}", f"{self._place}: {name}", "low") for one in records]
        values = _tags(records[0]).values("rua") if records else []
        uris = [one.strip() for value in values for one in value.split(",") if one.strip()]
        if holder or len(records) != 1 or not uris:
            yield from whole
            return
        rua = [one.removeprefix("mailto:") if "%" not in one else one for one in uris]
        yield Claim("tls_rpt", {"rua": rua}, f"the record at {name}", otherwise=whole[0])

    def _mta_sts(self) -> Iterator[Finding]:
        name = mta_sts_name(self._facts.domain)
        for text in mta_sts_records(self._facts.texts(name)):
            evidence = f"{self._place}: {name}; its policy is served elsewhere, declare mta_sts to take it over"
            yield Finding(f"mta_sts {text}", evidence, "low")


def _services(said: list[str], name: str) -> Iterator[Claim]:
    """The services that a person named for a record."""
    for one in said:
        if one not in (KEEP, DROP, NOBODY):
            yield Claim("services", one, f"{one}: {name}, as answered", many=True)


def _entry(selector: str, target: str | None, keys: list[str]) -> dict[str, object] | None:
    """A selector as ``dkim`` takes it; None for what cannot be declared."""
    if target is not None:
        return {"selector": selector, "target": target}
    if len(keys) != 1:
        return None
    record = _tags(keys[0])
    if not record.get("p"):
        return {"selector": selector, "revoked": True}
    more = {tag.name: tag.value for tag in record if tag.name != "p"}
    plain = all(_PLAIN_KEY_TAGS.get(name) == value for name, value in more.items())
    return {"selector": selector, "public_key": record.get("p") if plain else keys[0]}


def _tags(text: str) -> TagList:
    return read_tags(text)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up what all environments need: one plan for each domain that is ours, or the reasons why there is none.

Nothing here depends on the order of the hosts. Source of the rules: docs/inventory.md.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, is_inside, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import Directive, canonical_domain, parse_term
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY, INVENTORY_RULES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import FLATTEN_KEYS, flattening_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_dkim import aliases_of, selectors_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_senders import estate_senders
from ansible_collections.mailroom.erp.plugins.plugin_utils.needs.environment_needs import service_terms

DOMAIN_KEYS = ("services", *FLATTEN_KEYS, "dns", "zone", "ttl", "dmarc", "dkim")
_STALE_AFTER = datetime.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class HostNeeds:
    """One host's part. ``needs`` is the fact that role erp_mail published (None: it did not); ``account`` and
    ``domains`` are its mail_dns_account and mail_dns_domains; ``declares`` tells that it has an erp_mail_system."""

    host: str
    declares: bool
    needs: Mapping[str, Any] | None
    account: Any
    domains: Any
    services: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EstateOptions:
    """``limit``: the run has a --limit; ``left_out``: environments of the inventory that are not in the play, so that
    what they need is not known; ``today`` decides which addresses are stale."""

    complete: bool
    limit: bool
    accept_stale: frozenset[str]
    today: datetime.date
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class EstatePlan:
    """What ``mail_domains`` is to make, and who sends. ``dns`` is the account of most domains; others name theirs."""

    domains: list[dict[str, Any]] = field(default_factory=list)
    dns: Any = None
    mx_services: list[dict[str, Any]] = field(default_factory=list)
    senders: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def add_up(hosts: Iterable[HostNeeds], options: EstateOptions) -> EstatePlan:
    """Add up the needs of all hosts.

    :param hosts: each host of the play once
    :param options: what the run may do
    :returns: the plan; when it has problems nothing may be written
    """
    return _Sum(sorted(hosts, key=lambda host: host.host), options).plan()


def is_stale(term: Mapping[str, Any], today: datetime.date) -> bool:
    """Tell whether a catalogued address is older than 12 months, or of unknown age. Names do not age this way.

    :param term: one of the terms that ``environment_needs`` lists
    :param today: the day to judge by
    """
    if term["given"] or not str(term["term"]).lstrip("+").lower().startswith(("ip4:", "ip6:")):
        return False
    if not term["date"]:
        return True
    year, month, day = (*map(int, str(term["date"]).split("-")), 1)[:3]
    return today - datetime.date(year, month, day) > _STALE_AFTER


def term_key(term: str) -> object:
    """What equal terms have in common, in all their spellings (RFC 7208 sections 4.6.1, 5.6)."""
    parsed = parse_term(term)
    if not isinstance(parsed, Directive):
        return term
    domain = canonical_domain(parsed.domain) if parsed.domain is not None else None
    return (parsed.qualifier, parsed.mechanism, domain, parsed.network, parsed.prefix4, parsed.prefix6)


class _Sum:
    """The work of one :func:`add_up`."""

    def __init__(self, hosts: list[HostNeeds], options: EstateOptions) -> None:
        self.hosts = hosts
        self.options = options
        self.result = EstatePlan()
        self.catalogue = Catalogue(services=self._own_services())
        self.declared = self._declared()

    def plan(self) -> EstatePlan:
        self._wrong()
        self._unpublished()
        self._accepted_names()
        planned = [entry for name in sorted(self.declared) if (entry := self._domain(name)) is not None]
        accounts = {_text(entry["dns"]): entry["dns"] for entry in planned if entry["dns"] is not None}
        counts = {text: sum(_text(entry["dns"]) == text for entry in planned) for text in accounts}
        common = max(sorted(counts), key=lambda text: counts[text], default=None)
        self.result.dns = accounts[common] if common is not None else None
        self.result.domains = [_without_common(entry, common) for entry in planned]
        self.result.mx_services = self._mx_services()
        self.result.senders = estate_senders([host.needs for host in self.hosts if host.needs], self._is_usable)
        self.result.problems = _unique(self.result.problems)
        self.result.warnings = _unique(self.result.warnings)
        return self.result

    def _problem(self, subject: str, where: str, value: str | None, rule: str, way_out: str) -> None:
        self.result.problems.append(INVENTORY_RULES.problem(subject, where, value, rule, way_out))

    def _warning(self, subject: str, where: str, value: str | None, rule: str, source: str, way_out: str) -> None:
        self.result.warnings.append(Problem(subject, where, value, rule, source, way_out))

    def _own_services(self) -> dict[str, Any]:
        found: dict[str, tuple[str, Any]] = {}
        for host in self.hosts:
            for name, entry in host.services.items():
                first, known = found.setdefault(name, (host.host, entry))
                if known != entry:
                    where = f"erp_mail_catalogue_services.{name}"
                    rule = f"{first} and {host.host} declare two different services of this name"
                    self._problem(host.host, where, None, rule, "Declare it once, for all hosts.")
        return {name: entry for name, (_host, entry) in found.items()}

    def _declared(self) -> dict[str, dict[str, Any]]:
        """The domains that are ours, by A-label name, all hosts' declarations in one."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for host in self.hosts:
            for name, domain in self._domains_of(host).items():
                first, known = found.setdefault(name, (host.host, domain))
                if known != domain:
                    rule = f"{first} and {host.host} declare this domain differently"
                    way_out = "Declare it once, e.g. in group_vars/all.yml."
                    self._problem(name, "mail_dns_domains", None, rule, way_out)
        return {name: domain for name, (_host, domain) in found.items()}

    def _domains_of(self, host: HostNeeds) -> dict[str, dict[str, Any]]:
        if host.domains is None:
            return {}
        if not isinstance(host.domains, Mapping):
            rule = "it is a dictionary: domain to what is declared for it"
            self._problem(host.host, "mail_dns_domains", None, rule, "Write {acme.example: {services: []}}.")
            return {}
        result: dict[str, dict[str, Any]] = {}
        for given, domain in host.domains.items():
            name = self._name(host.host, given)
            if name is not None and name in result:
                rule = f"{name} is declared twice, in two spellings"
                self._problem(host.host, "mail_dns_domains", given, rule, "Declare it once.")
            elif name is not None and self._has_shape(name, domain):
                result[name] = dict(domain or {})
        return result

    def _name(self, host: str, given: str) -> str | None:
        try:
            return to_alabels(given)
        except BadName as error:
            self._problem(host, "mail_dns_domains", given, str(error), "Correct the name.")
        return None

    def _has_shape(self, name: str, domain: Any) -> bool:
        if domain is not None and not isinstance(domain, Mapping):
            rule = f"a domain's declaration is a dictionary, not a {type(domain).__name__}"
            self._problem(name, "mail_dns_domains", None, rule, "Write {services: []} when nobody else sends.")
            return False
        for key in sorted(set(domain or {}) - set(DOMAIN_KEYS)):
            rule = "a domain's declaration has no such key; its value is not shown"
            self._problem(name, f"mail_dns_domains.{key}", None, rule, f"It takes: {', '.join(DOMAIN_KEYS)}.")
        services = (domain or {}).get("services")
        if services is not None and not (isinstance(services, list) and all(isinstance(s, str) for s in services)):
            rule = "services is a list of names of the catalogue; [] when nobody else sends"
            self._problem(name, "mail_dns_domains.services", None, rule, "Write e.g. services: [microsoft365].")
            return False
        return True

    def _unpublished(self) -> None:
        for host in self.hosts:
            if host.declares and host.needs is None:
                rule = "its needs are not known in this play"
                way_out = "Let the role erp_mail (tasks_from: validate) run for it first, as the playbook site does."
                self._problem(host.host, "erp_mail_needs", None, rule, way_out)

    def _wrong(self) -> None:
        """The problems of the environments themselves come first, so that one report has all of them."""
        for host in self.hosts:
            self.result.problems += [Problem(**problem) for problem in (host.needs or {}).get("problems", [])]

    def _accepted_names(self) -> None:
        for name in sorted(self.options.accept_stale - set(self.catalogue.names("services"))):
            rule = "no service of this name is in the catalogue"
            self._problem("mail_dns", "mail_dns_accept_stale", name, rule, self.catalogue.closest("services", name))

    def _domain(self, name: str) -> dict[str, Any] | None:
        declared = self.declared[name]
        wanted = self._declared_terms(name) + self._terms(name, "present")
        absent = self._absent(name, wanted)
        terms = [term["term"] for term in _distinct(wanted) if self._may_publish(name, term)]
        records = {**self._spf(name, terms, absent), **self._dmarc(name)}
        selectors = self._dkim(name, bool(terms))
        if selectors:
            records["dkim"] = selectors
        aliases = self._cnames(name)
        if aliases:
            records["cnames"] = aliases
        if not any(records.values()):
            return None
        more = {key: declared[key] for key in ("zone", "ttl") if declared.get(key) is not None}
        return {"domain": name, "dns": self._account(name), **records, **more}

    def _spf(self, name: str, terms: list[str], absent: list[str]) -> dict[str, Any]:
        """The terms to add, to take away and to flatten; null leaves the record alone, whatever all domains share."""
        flattening = flattening_of(name, self.declared[name], self.result.problems)
        if not terms and not absent and not flattening:
            return {"spf": None}
        spf: dict[str, Any] = {"terms": terms, **flattening}
        if absent:
            spf["absent_terms"] = absent
        if self.declared[name].get("services") is None:
            spf["create"] = False
        return {"spf": spf}

    def _dmarc(self, name: str) -> dict[str, Any]:
        """The policy as declared; it may become stricter only when this run knows every sender."""
        declared = self.declared[name].get("dmarc")
        if not declared:
            return {}
        return {"dmarc": {**declared, "tighten": self._is_whole()} if isinstance(declared, Mapping) else declared}

    def _dkim(self, name: str, has_spf: bool) -> list[Any]:
        needs = [(host.host, host.needs) for host in self.hosts if host.needs]
        found = selectors_of(name, self.declared[name], needs, has_spf)
        self.result.problems += found.problems
        self.result.warnings += found.warnings
        if found.removes and not self._is_whole():
            self._refuse_removal(name)
        return found.entries

    def _cnames(self, name: str) -> list[dict[str, str]]:
        """The other CNAMEs that environments need below a domain, and those that decommissioned ones leave."""
        needs = [host.needs for host in self.hosts if host.needs]
        found = aliases_of(name, needs, [other for other in self.declared if is_inside(other, name)])
        self.result.problems += found.problems
        if found.removes and not self._is_whole():
            self._refuse_removal(name)
        return found.entries

    def _is_whole(self) -> bool:
        """Whether this run holds every sender of these domains."""
        return self.options.complete and not self.options.limit and not self.options.left_out

    def _terms(self, domain: str, state: str) -> list[dict[str, Any]]:
        hosts = [host for host in self.hosts if host.needs and host.needs["state"] == state]
        return [term for host in hosts for term in (host.needs or {})["domains"].get(domain, [])]

    def _declared_terms(self, name: str) -> list[dict[str, Any]]:
        terms: list[dict[str, Any]] = []
        for service in self.declared[name].get("services") or []:
            terms += self._terms_of_service(name, service)
        return terms

    def _terms_of_service(self, domain: str, service: str) -> list[dict[str, Any]]:
        where = "mail_dns_domains.services"
        try:
            terms = service_terms(self.catalogue.service(service))
        except KeyError:
            way_out = self.catalogue.closest("services", service)
            self._problem(domain, where, service, "no service of this name is in the catalogue", way_out)
            return []
        except Refused as refused:
            self.result.problems += refused.problems
            return []
        if not terms:
            rule = "the SPF terms of this service are unknown, so none are planned for it"
            self._warning(domain, where, service, rule, INVENTORY, "Add your own entry in erp_mail_catalogue_services.")
        return terms

    def _absent(self, domain: str, wanted: list[dict[str, Any]]) -> list[str]:
        needed = {term_key(term["term"]) for term in wanted}
        gone = [term for term in _distinct(self._terms(domain, "absent")) if term_key(term["term"]) not in needed]
        if gone and not self._is_whole():
            self._refuse_removal(domain)
        return [term["term"] for term in gone]

    def _refuse_removal(self, domain: str) -> None:
        rule, way_out = self._why_no_removal()
        for host in self.hosts:
            if host.needs and host.needs["state"] == "absent" and _needs_domain(host, domain):
                self._problem(host.host, f"erp_mail_state of {domain}", "absent", rule, way_out)

    def _why_no_removal(self) -> tuple[str, str]:
        if self.options.limit:
            return "terms are not removed under --limit: another host may need them", "Run without --limit."
        if self.options.left_out:
            names = ", ".join(self.options.left_out)
            return f"terms are not removed while hosts that may need them are not in this play: {names}", "Add them."
        rule = "terms are removed only when this inventory holds every sender of the domain"
        return rule, "Set mail_dns_complete: true when that is so."

    def _is_usable(self, term: Mapping[str, Any]) -> bool:
        """Whether a term is recent, given, or accepted by its service's name."""
        return not is_stale(term, self.options.today) or term["service"] in self.options.accept_stale

    def _may_publish(self, domain: str, term: Mapping[str, Any]) -> bool:
        if self._is_usable(term):
            return True
        rule = (
            f"this address of service {term['service']} is of {term['date'] or 'unknown date'}, older than 12 months, "
            "and is not published"
        )
        way_out = (
            f"Check it, then accept it with mail_dns_accept_stale: [{term['service']}], "
            "or state the current terms in erp_mail_spf_terms."
        )
        self._warning(domain, "spf", term["term"], rule, str(term["source"]), way_out)
        return False

    def _account(self, domain: str) -> Any:
        own = self.declared[domain].get("dns")
        if own is not None:
            return self._checked_account(domain, f"mail_dns_domains.{domain}.dns", own)
        needing = [host for host in self.hosts if _needs_domain(host, domain)]
        found = _accounts(needing) or _accounts(self.hosts)
        if len(found) == 1:
            host, account = next(iter(found.values()))
            return self._checked_account(host, "mail_dns_account", account)
        if found:
            names = " and ".join(host for host, _account in found.values())
            rule = f"{names} have different DNS accounts for this domain"
            way_out = f"Name the account of the domain itself: mail_dns_domains.{domain}.dns."
            self._problem(domain, "mail_dns_account", None, rule, way_out)
        else:
            rule = "no host of this play has a DNS account for this domain"
            self._problem(domain, "mail_dns_account", None, rule, "Declare mail_dns_account, or the domain's own dns.")
        return None

    def _checked_account(self, subject: str, where: str, account: Any) -> Any:
        problems = check_dns(account) or untemplated(account)
        for rule in problems:
            self._problem(subject, where, None, rule, "docs/inventory.md shows the accounts.")
        return None if problems else account

    def _mx_services(self) -> list[dict[str, Any]]:
        """What tells by a domain's MX hosts that a service sends as the domain, sorted by name."""
        services = [self.catalogue.service(name) for name in self._sound_services()]
        return [
            {"suffix": suffix, "service": service.name, "terms": list(service.spf_terms.value or ())}
            for service in services
            for suffix in service.mx.value or ()
        ]

    def _sound_services(self) -> list[str]:
        sound = []
        for name in self.catalogue.names("services"):
            try:
                self.catalogue.service(name)
            except Refused as refused:
                self.result.problems += refused.problems
            else:
                sound.append(name)
        return sound


def _needs_domain(host: HostNeeds, domain: str) -> bool:
    needs = host.needs or {}
    return domain in needs.get("domains", {}) or domain in needs.get("dkim", {})


def _accounts(hosts: Iterable[HostNeeds]) -> dict[str, tuple[str, Any]]:
    """The different accounts of some hosts, each with the first host that has it."""
    found: dict[str, tuple[str, Any]] = {}
    for host in hosts:
        if host.account is not None:
            found.setdefault(_text(host.account), (host.host, host.account))
    return found


def untemplated(account: Mapping[str, Any]) -> list[str]:
    """Name the options of an account that are still templates, one sentence each.

    ansible-core 2.18 leaves a template as it stands when a variable in it is undefined.
    """
    names = sorted(name for name, value in account.items() if isinstance(value, str) and "{{" in value)
    return [f"dns.{name} refers to a variable that is not defined in this run" for name in names]


def _without_common(entry: dict[str, Any], common: str | None) -> dict[str, Any]:
    drop = entry["dns"] is None or _text(entry["dns"]) == common
    return {key: value for key, value in entry.items() if not (key == "dns" and drop)}


def _distinct(terms: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of each group of equal terms; one that the user states wins over a catalogued one."""
    found: dict[object, dict[str, Any]] = {}
    for term in terms:
        key = term_key(term["term"])
        if key not in found or (term["given"] and not found[key]["given"]):
            found[key] = term
    return list(found.values())


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _unique(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a user asked for, per domain: every shape that the DNS modules accept becomes a list of requests here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import (
    check_dns,
    ttl_rule,
    with_defaults,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.change_bound import (
    ChangeBound,
    read_change_bound,
    wrong_bound,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import (
    DEFAULT_OPTIONS,
    ENTRY_OPTIONS,
    entry_name,
    wrong_content,
    wrong_entry,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.guard import unknown_names
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import domains_of_inventory
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import KIND_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_KINDS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import Recipe, read_name
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import (
    RecordsPlan,
    read_records_plan,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.plain_options import validated_options
from ansible_collections.mailroom.erp.plugins.module_utils.plain_yaml import BadYaml, load_yaml
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, RuleSource, WayOut

_MAX_TTL = 2**31 - 1
_RULES = RuleSource("documentation of mailroom.erp.mail_domains")


@dataclass(frozen=True, slots=True)
class DomainRequest:
    """All that is asked of one domain. ``account`` is an index into the accounts of the run."""

    domain: str
    account: int
    zone: str | None
    recipes: tuple[Recipe, ...]


@dataclass(slots=True)
class Order:
    """The whole run: requests in the user's order, and the DNS accounts they use, each once.

    ``accept_undelegated`` names the zones that may change although the world sees them elsewhere. ``senders`` are those
    that the change must not harm, except those that ``allow_failing`` names by address or environment. ``inventory``
    are the domains of the inventory that asks, None when a task does. With ``skips_refused``, a domain that breaks
    rules is left out and the others are done; with ``all_or_none``, only when none is left out and none failed so far.
    ``demands``: verdicts tell what large receivers ask for. ``unread`` has the rules that entries break which are no
    request. ``bound`` is how much may change; ``agreed`` is the plan without which nothing may be written, and which
    somebody has looked at, so that no bound is asked for.
    ``tells_plan``: what was read and planned is kept.
    """

    requests: list[DomainRequest] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    accept_undelegated: frozenset[str] = frozenset()
    senders: tuple[Sender, ...] = ()
    allow_failing: frozenset[str] = frozenset()
    inventory: frozenset[str] | None = None
    skips_refused: bool = False
    all_or_none: bool = False
    demands: bool = True
    unread: dict[str, list[Problem]] = field(default_factory=dict)
    bound: ChangeBound | None = None
    agreed: RecordsPlan | None = None
    tells_plan: bool = False


def read_order(params: Mapping[str, Any]) -> Order:
    """Turn a module's parameters into requests.

    :param params: ``domains`` (names or dicts) or ``src``; ``dns``, ``ttl``, ``zone`` and the kinds of records as
        defaults for all; ``senders`` and ``allow_failing_senders``; ``accounts`` as the action plugin
        fills it; ``inventory_domains`` where an inventory asks
    :returns: the requests, with at least the domain, the account and one kind of record each
    :raises Refused: with every problem of every domain
    """
    params = {**params, **_file_content(params)}
    reader = _Reader(params)
    reader.accept(params.get("accept_undelegated") or [])
    reader.order.inventory = domains_of_inventory(params)
    reader.guard(params.get("senders") or [], params.get("allow_failing_senders") or [])
    reader.order.skips_refused = params.get("on_refused") in ("skip", "hold")
    reader.order.all_or_none = params.get("on_refused") == "hold"
    reader.order.demands = params.get("judge_demands", True) is not False
    reader.order.agreed = read_records_plan(params["agreed_plan"]) if params.get("agreed_plan") else None
    reader.order.tells_plan = bool(params.get("tell_plan"))
    reader.order.bound = None if reader.order.agreed else read_change_bound(params)
    reader.problems += wrong_bound(reader.order.bound)
    for entry in params.get("domains") or []:
        reader.read(entry)
    if not reader.problems and not reader.order.requests and not reader.order.unread:
        reader.problems.append(
            _RULES.problem("task", "domains", None, "at least one domain must be given", "List the domains.")
        )
    if reader.problems:
        raise Refused(reader.problems)
    return reader.order


class _Reader:
    """Reads entry after entry, collecting requests, accounts and problems."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.order = Order()
        self.problems: list[Problem] = []
        self._defaults = {name: params[name] for name in DEFAULT_OPTIONS if params.get(name) is not None}
        self._dns = params.get("dns")
        self._given_accounts: Sequence[Mapping[str, Any]] = params.get("accounts") or []
        self._account_index: dict[str, int] = {}
        self._shared_account: int | None = None
        self._seen: set[str] = set()
        self._number = -1
        self._of_file = bool(params.get("src"))
        self._plain: Mapping[str, Any] | None = None
        """What a domain that is given as nothing but a name is asked for: for all of them the same."""

    def accept(self, zones: Sequence[str]) -> None:
        names = [self._name("task", "accept_undelegated", zone) for zone in zones]
        self.order.accept_undelegated = frozenset(name for name in names if name is not None)

    def guard(self, senders: Sequence[object], allowed: Sequence[str]) -> None:
        self.order.senders = read_senders(senders, self.problems)
        self.order.allow_failing = frozenset(allowed)
        self.problems += unknown_names(self.order.senders, self.order.allow_failing)

    def read(self, entry: object) -> None:
        """Read one entry; what is wrong with it is its own problem where refused domains are skipped."""
        before = len(self.problems)
        self._number += 1
        self._read(entry)
        wrong = self.problems[before:]
        if wrong and self.order.skips_refused:
            del self.problems[before:]
            self.order.unread.setdefault(wrong[0].subject, []).extend(wrong)

    def _read(self, entry: object) -> None:
        if isinstance(entry, str) and self._plain is not None:
            self._read_valid(entry, {**self._plain, "domain": entry})
            return
        merged = self._merge(entry)
        if merged is None:
            return
        subject = entry_name(merged, self._number)
        refused = [] if self._of_file else merged.pop("refused", [])  # a file has not passed the action plugin
        wrong = [*refused, *wrong_entry("mail_domains", {**merged, "dns": None}, values=True)]
        if wrong:
            self.problems += [_wrong_option(subject, rule) for rule in wrong]
            return
        valid, wrong = validated_options(ENTRY_OPTIONS, merged)
        if wrong:
            self.problems += [_wrong_option(subject, message) for message in wrong]
            return
        if isinstance(entry, str):
            self._plain = valid
        self._read_valid(subject, valid)

    def _merge(self, entry: object) -> dict[str, Any] | None:
        if isinstance(entry, str):
            entry = {"domain": entry}
        if not isinstance(entry, Mapping):
            rule = f"each domain is a name or a dictionary, not a {type(entry).__name__}"
            self.problems.append(_RULES.problem("domains", "entry", None, rule, "Mend the entry."))
            return None
        merged: dict[str, Any] = _given({**self._defaults, **entry})
        for option in (kind.option for kind in RECORD_KINDS if not kind.many):
            shared, own = self._defaults.get(option), entry.get(option)
            if isinstance(shared, Mapping) and isinstance(own, Mapping):
                merged[option] = _given({**shared, **own})
        return merged

    def _read_valid(self, subject: str, entry: Mapping[str, Any]) -> None:
        before = len(self.problems)
        domain = self._name(subject, "domain", entry["domain"])
        zone = self._name(subject, "zone", entry["zone"]) if entry.get("zone") else None
        account = self._account(subject, entry)
        self._check_entry(subject, domain, zone, entry)
        if account is not None and entry.get("ttl") is not None:
            self._check_ttl(subject, entry["ttl"], account)
        recipes = self._recipes(subject, domain or subject, entry)
        if len(self.problems) == before and domain is not None and account is not None:
            self._seen.add(domain)
            self.order.requests.append(DomainRequest(domain, account, zone, recipes))

    def _recipes(self, subject: str, name: str, entry: Mapping[str, Any]) -> tuple[Recipe, ...]:
        recipes: list[Recipe] = []
        for kind in RECORD_KINDS:
            given = entry.get(kind.option)
            for options in (given or []) if kind.many else [given]:
                if options is not None:
                    recipes += kind.read(subject, name, entry.get("ttl"), options, self.problems)
        self._check_once(subject, recipes)
        return tuple(recipes)

    def _check_once(self, subject: str, recipes: Sequence[Recipe]) -> None:
        """See that no two recipes of an entry are about the same RRset."""
        about = Counter(key for recipe in recipes for key in recipe.keys if key[0] == recipe.name)
        for name in sorted({name for (name, _type), count in about.items() if count > 1}):
            rule = "a name stands in an entry once"
            self.problems.append(_RULES.problem(subject, "records", name, rule, "Leave one of them."))

    def _check_entry(self, subject: str, domain: str | None, zone: str | None, entry: Mapping[str, Any]) -> None:
        if domain in self._seen:
            rule = "a domain stands in a task once; two entries would undo each other"
            self.problems.append(
                _RULES.problem(subject, "domain", entry["domain"], rule, "Put all of it into one entry.")
            )
        if domain and zone and not is_inside(domain, zone):
            rule = "the domain is not inside the zone: names are compared label by label"
            leave = WayOut(("Name the zone that holds the domain, or leave ", Option("zone"), " out."))
            self.problems.append(Problem(subject, "zone", entry["zone"], rule, "RFC 1034 section 3.1", leave))
        if all(entry.get(kind) is None for kind in KIND_OPTIONS):
            rule = "nothing is asked of this domain"
            way_out = f"Give {', '.join(KIND_OPTIONS)} for it or for all domains."
            self.problems.append(_RULES.problem(subject, "options", None, rule, way_out))
        ttl = entry.get("ttl")
        if ttl is not None and not 0 <= ttl <= _MAX_TTL:
            rule = f"a TTL is a number of seconds from 0 to {_MAX_TTL}"
            self.problems.append(Problem(subject, "ttl", str(ttl), rule, "RFC 2181 section 8", "Correct the TTL."))

    def _check_ttl(self, subject: str, ttl: int, account: int) -> None:
        rule = ttl_rule(self.order.accounts[account]["provider"], ttl)
        if rule:
            self.problems.append(_RULES.problem(subject, "ttl", str(ttl), rule, "Correct the TTL, or leave it out."))

    def _name(self, subject: str, where: str, value: str) -> str | None:
        return read_name(subject, where, value, "Correct the name.", self.problems)

    def _account(self, subject: str, entry: Mapping[str, Any]) -> int | None:
        index = entry.get("account")
        if index is not None and not 0 <= index < len(self._given_accounts):
            self.problems.append(
                _RULES.problem(
                    subject, "account", str(index), "there is no such account", "Give the DNS account itself."
                )
            )
            return None
        dns = entry.get("dns") if index is None else self._given_accounts[index]
        dns = self._dns if dns is None else dns
        if dns is None:
            rule, way_out = "no DNS account is given for this domain", WayOut(("Give one: ", Option("dns"), "."))
            self.problems.append(_RULES.problem(subject, "dns", None, rule, way_out))
            return None
        if dns is self._dns and self._shared_account is not None:
            return self._shared_account
        wrong = check_dns(dns)
        self.problems += [_RULES.problem(subject, "dns", None, rule, "Correct the DNS account.") for rule in wrong]
        account = None if wrong else self._intern(with_defaults(dns))
        self._shared_account = account if dns is self._dns else self._shared_account
        return account

    def _intern(self, dns: dict[str, Any]) -> int:
        key = json.dumps(dns, sort_keys=True, default=str)
        if key not in self._account_index:
            self._account_index[key] = len(self.order.accounts)
            self.order.accounts.append(dns)
        return self._account_index[key]


def _given(value: Any) -> Any:
    """A value without the options that are None, which means "not given" at every depth."""
    if isinstance(value, Mapping):
        return {name: _given(inner) for name, inner in value.items() if inner is not None}
    return [_given(inner) for inner in value] if isinstance(value, list) else value


def _wrong_option(subject: str, rule: str) -> Problem:
    return _RULES.problem(subject, "options", None, rule, "Compare with the documented options.")


def _file_content(params: Mapping[str, Any]) -> dict[str, Any]:
    """What ``src`` holds: a list of domains, or a mapping with ``domains`` and what the task does not give."""
    if not params.get("src"):
        return {}
    path = Path(params["src"])
    try:
        content = _parsed(path)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, BadYaml) as error:
        raise Refused(_unreadable(path, str(error))) from None
    except (RecursionError, ValueError):
        raise Refused(_unreadable(path, "it is nested too deeply, or an alias stands inside what it names")) from None
    if isinstance(content, list):
        content = {"domains": content}
    if not isinstance(content, dict):
        raise Refused(_unreadable(path, f"it holds a list of domains, or a mapping, not a {type(content).__name__}"))
    wrong = wrong_content(content)
    if content.get("domains") is None:
        wrong.append("domains is missing: it holds a list of domains, or a mapping with domains")
    if wrong:
        raise Refused(_unreadable(path, rule) for rule in wrong)
    return {name: value for name, value in content.items() if params.get(name) is None}


def _parsed(path: Path) -> object:
    """The data of a file; RecursionError or ValueError for what holds itself, by aliases of YAML."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    content = load_yaml(text)
    if "&" in text:
        json.dumps(content, default=str, skipkeys=True)
    return content


def _unreadable(path: Path, rule: str) -> Problem:
    return _RULES.problem("task", "src", str(path), rule, "Give a readable YAML or JSON file of the documented shape.")

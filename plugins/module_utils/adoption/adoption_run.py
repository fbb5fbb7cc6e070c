# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is live of the mail of domains, by their DNS accounts or by what the world sees; from parameters to a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.adoption.adoption_keys import domain_keys, selector_keys
from ansible_collections.mailroom.erp.plugins.module_utils.adoption.live_records import (
    LiveDomain,
    LiveRecords,
    live_rrset,
)
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, RRset, mx_value
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import read_name, read_selector
from ansible_collections.mailroom.erp.plugins.module_utils.domains.progress import Progress
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import Order, read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import ResolveError, Resolver

_SERVED_AT = ("server", "path", "class", "base_url", "login")
"""The options of an account that tell a person where it is; none of them is a secret."""


def live_mail(params: Mapping[str, Any]) -> Result:
    """Read what is live.

    :param params: the parameters of ``mail_adopt_info``
    :returns: ``domains`` and ``included`` as the module documents them
    :raises Refused: with everything that is wrong with the parameters
    :raises MissingLibrary: a library that a provider or the resolver needs is not installed
    """
    problems: list[Problem] = []
    entries = [one if isinstance(one, Mapping) else {"domain": one} for one in params["domains"]]
    selectors = [read_selector("task", "selectors", str(one), problems) for one in params.get("selectors") or []]
    named = {
        domain: [read_selector(domain, "selectors", str(own), problems) for own in one.get("selectors") or []]
        for domain, one in ((str(entry["domain"]), entry) for entry in entries)
    }
    served = [one for one in entries if params.get("dns") or one.get("account") is not None or one.get("dns")]
    order = _order(params, served, problems)
    others = [_name(one["domain"], problems) for one in entries if one not in served]
    if problems:
        raise Refused(problems)
    threads, progress = params.get("concurrency") or 16, Progress(params.get("progress_file"))
    providers = [open_provider(account, progress.say) for account in order.accounts]
    live = LiveRecords(providers, selectors, threads, progress).read(order.requests, named)
    found = {one.request.domain: _from_account(one, order) for one in live}
    unserved = [one.request.domain for one in live if one.zone is None and one.problem is None]
    world = _World(params.get("resolver"), selectors, named)
    seen = world.read([*others, *unserved], threads, progress)
    domains = list({**found, **{one["domain"]: one for one in seen}}.values())
    return {"domains": domains, "included": _included(domains, params, threads)}


def _included(domains: list[Result], params: Mapping[str, Any], threads: int) -> Result:
    reported = set(params.get("reported_domains") or ())
    if not reported:
        return {}
    # what follows trees of includes is loaded only where reports are kept
    from ansible_collections.mailroom.erp.plugins.module_utils.adoption.term_networks import (
        included_by,
        term_networks,
    )

    names = included_by(domains, reported)
    return term_networks(names, world_of(Resolver(params.get("resolver"))).lookup, threads) if names else {}


def _order(params: Mapping[str, Any], served: list[Mapping[str, Any]], problems: list[Problem]) -> Order:
    """The domains with their accounts, read as a task that changes records has them read."""
    if not served:
        return Order()
    shared = {name: params.get(name) for name in ("dns", "accounts")}
    bare = [{key: value for key, value in one.items() if key != "selectors"} for one in served]
    # what is nothing but a name is read much faster as one
    asked = [one["domain"] if set(one) == {"domain"} else one for one in bare]
    try:
        return read_order({**shared, "domains": asked, "spf": {}})
    except Refused as refused:
        problems += refused.problems
    return Order()


def _name(given: object, problems: list[Problem]) -> str:
    return read_name(str(given), "domains", str(given), "Correct the name.", problems) or ""


def _from_account(one: LiveDomain, order: Order) -> Result:
    account = order.accounts[one.request.account]
    places = [str(account[name]) for name in _SERVED_AT if account.get(name)]
    return {
        "domain": one.request.domain,
        "account": " ".join([account["provider"], *places[:1]]),
        "zone": one.zone,
        "listed": one.listed,
        "records": [live_rrset(rrset) for _key, rrset in sorted(one.rrsets.items())],
        "elsewhere": one.elsewhere,
        "problem": one.problem,
    }


class _World:
    """What everybody sees of domains whose zone no account of ours serves."""

    def __init__(
        self, options: Mapping[str, Any] | None, selectors: Iterable[str], named: Mapping[str, Iterable[str]]
    ) -> None:
        self._options, self._selectors, self._named = options, list(selectors), named

    def read(self, domains: list[str], threads: int, progress: Progress) -> list[Result]:
        if not domains:
            return []
        self._resolver = Resolver(self._options)
        self._resolver.look_ahead([key for domain in domains for key in self._keys(domain)], threads * 4)
        return each(progress.counted("domains looked up", len(domains), self._domain), domains, threads)

    def _keys(self, domain: str) -> list[Key]:
        selectors = [*self._named.get(domain, ()), *self._selectors]
        return [*domain_keys(domain), (f"_dmarc.{domain}", "CNAME"), *selector_keys(domain, selectors)]

    def _domain(self, domain: str) -> Result:
        records, problem = [], None
        for key in self._keys(domain):
            try:
                found = self._resolver.lookup(*key).values
            except ResolveError as error:
                problem = str(error)
                continue
            values = tuple(mx_value(0, one) for one in found) if key[1] == "MX" else found
            records += [live_rrset(RRset(*key, 0, values))] if values else []
        place: Result = {"account": None, "zone": None, "listed": False, "elsewhere": {}}
        return {"domain": domain, "records": records, "problem": problem, **place}

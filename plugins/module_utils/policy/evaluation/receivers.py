# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What large receivers ask for, as a table with sources and dates, and whether a sender does it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.truth import both, either
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved

_MOST_ADDRESSES = 16
"""More addresses of one sender are not looked up one by one."""

_MOST_NAMES = 10
"""As many names of one address are looked at as SPF would (RFC 7208 section 4.6.4)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one receiver asks for, and whether a sender does it: ``met`` is yes, no or unknown."""

    receiver: str
    demand: str
    met: str
    reason: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class DemandFacts:
    """What demands are judged by; None is not known.

    ``spf`` and ``dkim`` pass, aligned or not; ``dmarc``: an aligned pass under both standards; ``has_policy``: a policy
    under both; ``broken``: why a published one is not applied; ``reverse_dns``: see :func:`judge_reverse_dns`.
    """

    domain: str
    spf: bool | None
    dkim: bool | None
    dmarc: bool | None
    has_policy: bool | None
    broken: str | None
    reverse_dns: tuple[bool | None, str]


@dataclass(frozen=True, slots=True)
class DemandSource:
    """Where a receiver says so, and since when it acts by it."""

    title: str
    url: str
    since: str


@dataclass(frozen=True, slots=True)
class Row:
    """One demand of one receiver; ``check`` names how it is judged."""

    receiver: str
    check: str
    demand: str
    source: DemandSource


_GMAIL = DemandSource("Google, Email sender guidelines", "https://support.google.com/a/answer/81126", "February 2024")
_YAHOO = DemandSource("Yahoo, Sender best practices", "https://senders.yahooinc.com/best-practices/", "February 2024")
_OUTLOOK = DemandSource(
    "Microsoft, Outlook's new requirements for high-volume senders",
    "https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/strengthening-email-ecosystem-"
    "outlook%E2%80%99s-new-requirements-for-high%E2%80%90volume-senders/4399730",
    "May 2025",
)
_MANY = "above 5,000 messages a day"

TABLE = (
    Row("gmail", "either", "all mail passes SPF or DKIM, else it is refused with 550 5.7.26", _GMAIL),
    Row("gmail", "reverse_dns", "sending addresses have forward and reverse DNS that agree", _GMAIL),
    Row("gmail", "tls", "mail is sent over TLS", _GMAIL),
    Row("gmail", "both", f"SPF and DKIM, {_MANY}", _GMAIL),
    Row("gmail", "dmarc", f"a DMARC policy of at least p=none, and an aligned pass, {_MANY}", _GMAIL),
    Row("microsoft", "both", f"SPF and DKIM pass, {_MANY}, else 550 5.7.515", _OUTLOOK),
    Row("microsoft", "dmarc", f"a DMARC policy of at least p=none, and an aligned pass, {_MANY}", _OUTLOOK),
    Row("yahoo", "either", "all mail passes SPF or DKIM", _YAHOO),
    Row("yahoo", "reverse_dns", "sending addresses have forward and reverse DNS that agree", _YAHOO),
    Row("yahoo", "both", "SPF and DKIM, for bulk senders", _YAHOO),
    Row("yahoo", "dmarc", "a DMARC policy of at least p=none, and an aligned pass, for bulk senders", _YAHOO),
)
"""What receivers ask for; read in November 2026."""

_MET = {True: "yes", False: "no", None: "unknown"}


def judge_demands(facts: DemandFacts) -> tuple[Demand, ...]:
    """Judge what Gmail, Outlook.com and Yahoo ask for, in the order of the table."""
    answers = {check: judge(facts) for check, judge in _CHECKS.items()}
    return tuple(_demand(place, *answers[row.check]) for place, row in enumerate(TABLE))


def judge_reverse_dns(sources: tuple[str, ...] | None, lookup: Lookup) -> tuple[bool | None, str]:
    """Whether each sending address has a name that points back to it (RFC 8499: forward-confirmed reverse DNS).

    :param sources: the servers that send, as addresses, networks or SPF terms; None when they are not known
    :returns: None when they are no single addresses: which ones a service sends from is its own business
    """
    addresses = _addresses(sources or ())
    if not addresses:
        return None, "the sending addresses are not known one by one"
    try:
        bare = [str(address) for address in addresses if not _is_confirmed(address, lookup)]
    except Unresolved as reason:
        return None, f"the reverse DNS cannot be looked up: {reason}"
    if bare:
        return False, f"{bare[0]} has no PTR record whose name points back to it"
    return True, "each sending address has a name that points back to it"


@lru_cache(maxsize=4096)
def _demand(place: int, met: bool | None, reason: str, next_step: str | None) -> Demand:
    """:param place: in the table, which is found sooner than a row"""
    row = TABLE[place]
    return Demand(row.receiver, row.demand, _MET[met], _said(place, reason), None if met else next_step)


@lru_cache(maxsize=1 << 10)  # thousands of senders are told the same
def _said(place: int, reason: str) -> str:
    source = TABLE[place].source
    return f"{reason} ({source.title}, {source.since})"


def _either(facts: DemandFacts) -> tuple[bool | None, str, str]:
    met = either(facts.spf, facts.dkim)
    reason = {True: "SPF or DKIM passes", False: "neither SPF nor DKIM passes", None: "SPF and DKIM are not certain"}
    return met, reason[met], "Make SPF or DKIM pass; the verdict says how."


def _both(facts: DemandFacts) -> tuple[bool | None, str, str]:
    met = both(facts.spf, facts.dkim)
    parts = (("SPF", facts.spf), ("DKIM", facts.dkim))
    failing = " and ".join(f"{name} does not pass" for name, passes in parts if passes is False)
    open_ones = " and ".join(f"{name} is not certain" for name, passes in parts if passes is None)
    wanted = " and ".join(name for name, passes in parts if not passes)
    reason = "SPF and DKIM pass" if met else failing or open_ones
    return met, reason, f"Make {wanted} pass before {facts.domain} sends in bulk."


def _dmarc(facts: DemandFacts) -> tuple[bool | None, str, str]:
    met = both(facts.has_policy, facts.dmarc)
    if facts.broken:
        return met, facts.broken, f"Correct the policy record of {facts.domain}."
    if facts.has_policy is False:
        step = f'Publish _dmarc.{facts.domain} TXT "v=DMARC1; p=none", with an address for reports.'
        return met, "there is no policy that all receivers would apply", step
    reason = {
        True: "the policy is met by an aligned pass",
        False: "there is no aligned pass",
        None: "whether there is an aligned pass is not certain",
    }
    return met, reason[met], "Make SPF or DKIM pass for the From domain; the verdict says how."


def _reverse(facts: DemandFacts) -> tuple[bool | None, str, str]:
    met, reason = facts.reverse_dns
    step = "Ask who runs the sending servers for PTR records whose names have the same addresses."
    return met, reason, step


def _tls(_facts: DemandFacts) -> tuple[bool | None, str, str]:
    return None, "whether the server uses TLS cannot be seen in the DNS", "Check that the mail server sends over TLS."


_CHECKS: dict[str, Callable[[DemandFacts], tuple[bool | None, str, str]]] = {
    "either": _either,
    "both": _both,
    "dmarc": _dmarc,
    "reverse_dns": _reverse,
    "tls": _tls,
}


@lru_cache(maxsize=1 << 10)  # of many senders with the same servers
def _addresses(sources: tuple[str, ...]) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The sources as addresses; none at all when one of them is anything else."""
    found = []
    for source in sources:
        text = source.lower().removeprefix("+").removeprefix("ip4:").removeprefix("ip6:")
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return []
        if network.num_addresses != 1:
            return []
        found.append(network.network_address)
    return found if len(found) <= _MOST_ADDRESSES else []


def _is_confirmed(address: ipaddress.IPv4Address | ipaddress.IPv6Address, lookup: Lookup) -> bool:
    kind = "A" if address.version == 4 else "AAAA"
    names = lookup(address.reverse_pointer, "PTR")[:_MOST_NAMES]
    return any(_is_same(one, address) for name in names for one in lookup(name, kind))


def _is_same(text: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ipaddress.ip_address(text) == address
    except ValueError:
        return False

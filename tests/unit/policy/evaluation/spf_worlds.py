# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random zones full of SPF records that include each other, rightly and wrongly, over a few small networks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from hypothesis import strategies as st

DOMAINS = tuple(f"d{number}.example" for number in range(7))
HOSTS = tuple(f"h{number}.example" for number in range(6))
NOWHERE = ("gone.example", "void.example")
FAILING = "down.example"
NETWORK4 = "192.0.2."
NETWORK6 = "2001:db8::"
INSIDE = (*(f"{NETWORK4}{last}" for last in range(16)), *(f"{NETWORK6}{last:x}" for last in range(16)))
OUTSIDE = ("203.0.113.9", "2001:db9::9")
SENDERS = ("user@", "a.b-c@", "x+y=z@", "@", "Strong_Bad@", "")
SEEDS = st.integers(0, 2**32).map(random.Random)
"""Hypothesis draws the seed only: drawing each choice would take most of the time."""
HELOS = ("mail.example.net", "h1.example", "localhost")

# 10 terms with a question and 10 more for its hosts each, the record of the domain, and the client's names.
MOST_QUESTIONS = 1 + 10 * 11 + 11
"""What one evaluation may ask, whatever the DNS says."""

_DECIDED = ("%{d}", "%{o}", "%{d2}", "%{dr}.example", "x%%y.example", "%{v}.example")
_OPEN = (
    "%{i}.e.example",
    "%{ir}.%{v}.e.example",
    "%{l}.e.example",
    "%{l1r-+}.%{d}",
    "%{S}.e.example",
    "%{h}",
    "%{i}.%{o}",
)
_BROKEN = (
    "foo",
    "a:",
    "ip4:300.1.1.1",
    "include",
    "all:x",
    "ip6:1::/129",
    "a/33",
    "exists",
    "x.y",
    "=x",
    "exp=",
    "%{i}",
)


@dataclass(slots=True)
class World:
    """A zone as a ``Lookup``; ``asked`` counts the questions."""

    zone: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    asked: int = 0

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        self.asked += 1
        if name == FAILING or name.endswith(f".{FAILING}"):
            raise Unresolved("no answer within 5 s")
        return self.zone.get((name, rdtype), ())


@dataclass(frozen=True, slots=True)
class Style:
    """What may stand in records: ``macros`` that only a message decides, ``broken`` parts, ``ptr``."""

    macros: bool = True
    broken: bool = True
    ptr: bool = True


def world(rng: random.Random, style: Style) -> World:
    """A random zone."""
    made = World()
    for index, name in enumerate(DOMAINS):
        # Mostly trees, sometimes loops.
        others = DOMAINS if rng.random() < 0.1 else (*DOMAINS[index + 1 :], HOSTS[0])
        made.zone[name, "TXT"] = tuple(_texts(rng, style, others))
        _add_addresses(rng, made, name, 0.4)
        made.zone[name, "MX"] = tuple(rng.choices(HOSTS, k=rng.choice((0, 1, 1, 2, 3, 11 if style.broken else 3))))
    for name in HOSTS:
        _add_addresses(rng, made, name, 0.8)
    for name in ("example", "user.e.example", "1.user.example", "in-addr.example", "b.d0.example", "x%y.example"):
        _add_addresses(rng, made, name, 0.5)
    for address in INSIDE:
        _add_names_of_address(rng, made, address)
    made.zone["exp.example", "TXT"] = (rng.choice(_EXPLANATIONS),)
    return made


_EXPLANATIONS = (
    "%{i} is not one of %{d}'s (%{c}, %{v})",
    "See http://www.example.com/why.html?s=%{S}&ip=%{I}&l=%{L1r.}",
    "broken %{x}",
    "%{h} 100%% %{o2}%_%-",
)


def mail_hosts(domain: str, count: int) -> dict[tuple[str, str], tuple[str, ...]]:
    """The answers for a domain whose mail hosts m0.example and on have IPv4 addresses only, 192.0.2.0 and on."""
    hosts = tuple(f"m{number}.example" for number in range(count))
    addresses = {(host, "A"): (f"192.0.2.{number}",) for number, host in enumerate(hosts)}
    return {(domain, "MX"): hosts, **addresses}


def network(rng: random.Random) -> str:
    """An address or a network inside the small ones, as in ip4: and ip6: without the mechanism's name."""
    if rng.random() < 0.6:
        bits = rng.choice((0, 0, 1, 2, 3, 4))
        return f"{NETWORK4}{rng.randrange(16) >> bits << bits}" + (f"/{32 - bits}" if bits else "")
    bits = rng.choice((0, 0, 1, 2, 3, 4))
    return f"{NETWORK6}{rng.randrange(16) >> bits << bits:x}" + (f"/{128 - bits}" if bits else "")


def term(rng: random.Random, style: Style, others: Sequence[str] = DOMAINS) -> str:
    """A mechanism without its qualifier.

    :param others: what may be included
    """
    kinds: tuple[str, ...] = ("ip", "a", "mx", "include", "exists", *(("ptr",) if style.ptr else ()))
    weights = (40, 15, 8, 25, 8, *((3,) if style.ptr else ()))
    kind = rng.choices(kinds, weights)[0]
    if kind == "ip":
        chosen = network(rng)
        return f"ip{'6' if ':' in chosen else '4'}:{chosen}"
    if kind in ("a", "mx"):
        prefix = rng.choice(("", "", "", "/30", "//126", "/29//125"))
        return kind + rng.choice(("", f":{_spec(rng, style, HOSTS)}")) + prefix
    if kind == "ptr":
        return rng.choice(("ptr", "ptr:h1.example"))
    return f"{kind}:{_spec(rng, style, DOMAINS if kind == 'include' else HOSTS)}"


def _spec(rng: random.Random, style: Style, names: Sequence[str]) -> str:
    roll = rng.random() * (1 if names is HOSTS else 3)  # Most includes lead somewhere.
    if roll < 0.06 and style.broken:
        return rng.choice((*NOWHERE, FAILING))
    if roll < 0.12:
        return rng.choice(_DECIDED)
    if roll < 0.22 and style.macros:
        return rng.choice((*_OPEN, "%{p}.example")) if style.ptr else rng.choice(_OPEN)
    return rng.choice(names)


def _texts(rng: random.Random, style: Style, others: Sequence[str]) -> list[str]:
    texts = [_record(rng, style, others)]
    if style.broken:
        texts += rng.choices(([], ["v=spf10"], ["hello"], ["v=spf1 -all"]), (90, 4, 4, 2))[0]
        return texts[1:] if rng.random() < 0.04 else texts
    return texts


def _record(rng: random.Random, style: Style, others: Sequence[str]) -> str:
    qualifiers = rng.choices(("", "-", "~", "?"), (75, 10, 8, 7), k=rng.randrange(6))
    terms = [qualifier + term(rng, style, others) for qualifier in qualifiers]
    ending = rng.choices(("-all", "~all", "?all", "all", "redirect", ""), (30, 20, 10, 5, 20, 15))[0]
    if ending:
        terms.append(f"redirect={_spec(rng, style, others)}" if ending == "redirect" else ending)
    if rng.random() < 0.2:
        terms.insert(rng.randrange(len(terms) + 1), rng.choice(("exp=exp.example", "moo=%{d}", "exp=%{i}.example")))
    if style.broken and rng.random() < 0.04:
        terms.insert(rng.randrange(len(terms) + 1), rng.choice(_BROKEN))
    return rng.choice(("v=spf1", "V=SPF1", "v=spf1 ")) + "".join(f" {one}" for one in terms)


def _add_addresses(rng: random.Random, made: World, name: str, likely: float) -> None:
    for rdtype, base in (("A", NETWORK4), ("AAAA", NETWORK6)):
        if rng.random() < likely:
            last = sorted(rng.sample(range(16), k=rng.choice((1, 1, 2, 3))))
            made.zone[name, rdtype] = tuple(f"{base}{one:x}" if rdtype == "AAAA" else f"{base}{one}" for one in last)


def _add_names_of_address(rng: random.Random, made: World, address: str) -> None:
    """exists:%{i} answers for some addresses, and some have reverse names."""
    if ":" not in address:
        number = address.rpartition(".")[2]
        if rng.random() < 0.5:
            made.zone[f"{address}.e.example", "A"] = ("127.0.0.2",)
        if rng.random() < 0.5:
            made.zone[f"{number}.2.0.192.in-addr.e.example", "A"] = ("127.0.0.2",)
        reverse = f"{number}.2.0.192.in-addr.arpa"
    else:
        reverse = ".".join(reversed(f"20010db8{0:023d}{address.rpartition(':')[2]}")) + ".ip6.arpa"
    if rng.random() < 0.6:
        made.zone[reverse, "PTR"] = tuple(rng.sample((*HOSTS, *DOMAINS[:2], FAILING), k=rng.choice((1, 1, 2))))

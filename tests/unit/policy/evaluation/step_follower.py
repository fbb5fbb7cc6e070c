# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a next step literally: one sentence, applied to records and to what is declared, and nothing else.

A step that is not understood raises :class:`Vague`: so what is advised stays something that can be done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.dkim import judge_published
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender, Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf import parse_spf, select_spf
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_flatten import included_networks
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_macros import expand
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_merge import unite_spf

_VARIABLES = re.compile(r" \((?:mail_dns|erp_mail|in the zone|helo|none when|the selectors|the )[^)]*\)")


class Vague(Exception):
    """A step that nobody can follow without thinking."""


@dataclass
class StepWorld:
    """The DNS, a sender as it is declared, and what is true of it but not declared.

    ``given`` is the key that the service gives at the moment, ``good`` the one that it makes when it is asked.
    """

    sender: Sender
    txt: dict[str, tuple[str, ...]]
    others: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    servers: tuple[str, ...] = ("ip4:192.0.2.10",)
    given: str = ""
    good: str = ""

    def copy(self) -> StepWorld:
        return replace(self, txt=dict(self.txt), others=dict(self.others), failing=set(self.failing))

    def __call__(self, name: str, kind: str) -> tuple[str, ...]:
        """A ``Lookup``, along CNAMEs."""
        if name in self.failing:
            raise Unresolved(f"{name} {kind}: SERVFAIL")
        alias = self.others.get((name, "CNAME"))
        if alias and kind != "CNAME":
            return self(alias[0], kind)
        return self.txt.get(name, ()) if kind == "TXT" else self.others.get((name, kind), ())

    def spf(self, domain: str) -> str:
        """The only SPF record of a domain: a step speaks of one that is not there, or not alone."""
        records = select_spf(self.txt.get(domain, ()))
        if len(records) != 1:
            raise Vague(f"{domain} has {len(records)} SPF records")
        return records[0]

    def set_spf(self, domain: str, text: str) -> None:
        others = tuple(value for value in self.txt.get(domain, ()) if value not in select_spf([value]))
        self.txt[domain] = (*others, text)

    def terms(self, told: str) -> str:
        """Servers as a step names them, as terms of a record."""
        return " ".join(self.servers if told == "the servers that send" else _items(told))


def alternatives(step: str) -> list[list[str]]:
    """A step taken apart: all its sentences must be done, of each one alternative.

    :returns: a list of clauses for each way to follow it
    """
    text = step.removeprefix("Before a policy is published: ")
    if not text.endswith("."):
        raise Vague(f"no sentence: {step}")
    sentences = [_VARIABLES.sub("", one).split(", or ") for one in text[:-1].split(". ")]
    count = max(len(one) for one in sentences)
    return [[one[min(index, len(one) - 1)] for one in sentences] for index in range(count)]


def follow(world: StepWorld, clause: str) -> tuple[StepWorld, bool]:
    """Do what a clause says, and nothing more.

    :returns: the world after it, and whether only somebody else can do it
    """
    for pattern, act in _ACTS:
        found = re.fullmatch(pattern, clause, re.IGNORECASE | re.DOTALL)
        if found:
            after = world.copy()
            return after, bool(act(after, *found.groups()))
    raise Vague(clause)


def _items(told: str) -> list[str]:
    return [item for part in told.split(", ") for item in part.split(" and ")]


def _owner(world: StepWorld, _owner_domain: str, inner: str) -> bool:
    after, _outside = follow(world, inner)
    world.__dict__.update(after.__dict__)
    return True


def _answers(world: StepWorld, name: str) -> bool:
    names = {f"_dmarc.{one}" for one in _items(name.removeprefix("the policies of "))} | {name}
    if not names & world.failing:
        raise Vague(f"{name} does answer")
    world.failing -= names
    return True


def _publish_spf(world: StepWorld, domain: str, servers: str) -> None:
    if select_spf(world.txt.get(domain, ())):
        raise Vague(f"{domain} has an SPF record")
    world.set_spf(domain, f"v=spf1 {world.terms(servers)} -all")


def _replace_value(world: StepWorld, value: str, domain: str, servers: str) -> None:
    values = world.txt[domain]
    if value not in values:
        raise Vague(f"{value} is not at {domain}")
    world.txt[domain] = tuple(one for one in values if one != value)
    _publish_spf(world, domain, servers)


def _replace_record(world: StepWorld, domain: str, servers: str) -> None:
    world.spf(domain)
    world.set_spf(domain, f"v=spf1 {world.terms(servers)} -all")


def _by_addresses(world: StepWorld, term: str, domain: str) -> None:
    name, _colon, target = term.partition(":")
    if name == "include":
        found = [f"ip{one.version}:{one}" for one in included_networks(expand(target, domain) or target, world)]
    else:
        hosts = world(target or domain, "MX") if name == "mx" else (target or domain,)
        found = [f"ip4:{one}" for host in hosts for one in world(host, "A")]
        found += [f"ip6:{one}" for host in hosts for one in world(host, "AAAA")]
    _exchange(world, domain, term, " ".join(found))


def _exchange(world: StepWorld, domain: str, term: str, new: str) -> None:
    words = world.spf(domain).split(" ")
    if term not in words:
        raise Vague(f"{term} is not in the record of {domain}")
    last = len(words) - 1 - words[::-1].index(term)
    world.set_spf(domain, " ".join(word for word in [*words[:last], new, *words[last + 1 :]] if word))


def _remove(world: StepWorld, terms: str, domain: str) -> None:
    for term in _items(terms):
        _exchange(world, domain, term, "")


def _in_front(world: StepWorld, servers: str, term: str, domain: str) -> None:
    words = world.spf(domain).split(" ")
    if term not in words:
        raise Vague(f"{term} is not in the record of {domain}")
    words.insert(words.index(term), world.terms(servers))
    world.set_spf(domain, " ".join(words))


def _at_end(world: StepWorld, servers: str, domain: str) -> None:
    world.set_spf(domain, f"{world.spf(domain)} {world.terms(servers)}")


def _unite(world: StepWorld, domain: str) -> None:
    records = select_spf(world.txt[domain])
    if len(records) < 2:
        raise Vague(f"{domain} has one record")
    world.set_spf(domain, str(unite_spf([parse_spf(one) for one in records], domain)))


def _bounces(world: StepWorld, domain: str) -> None:
    world.sender = replace(world.sender, envelope_domain=domain, envelope_from=f"bounce@{domain}")


def _greet(world: StepWorld, name: str) -> None:
    world.sender = replace(world.sender, envelope_domain=name, helo=name)


def _relax(world: StepWorld, tag: str, name: str) -> None:
    (record,) = world.txt[name]
    if f"{tag}=s" not in record:
        raise Vague(f"{record} has no {tag}=s")
    world.txt[name] = (record.replace(f"{tag}=s", f"{tag}=r"),)


def _sign(world: StepWorld, domain: str) -> None:
    world.sender = replace(world.sender, signature=Signature(domain, ("s9",)))
    world.txt[f"s9._domainkey.{domain}"] = (world.given,)


def _publish_key(world: StepWorld, name: str) -> None:
    world.txt[name] = (*world.txt.get(name, ()), world.given)


def _only_key(world: StepWorld, name: str) -> None:
    world.txt[name] = (world.given,)


def _new_key(world: StepWorld, name: str) -> None:
    world.given = world.good
    world.txt[name] = (world.given,)


def _service_key(world: StepWorld, alias: str, _name: str) -> bool:
    world.txt[alias] = (world.good,)
    return True


def _untag(world: StepWorld, tag: str, name: str) -> None:
    (record,) = world.txt[name]
    world.txt[name] = ("; ".join(part for part in record.split("; ") if not part.startswith(f"{tag}=")),)


def _only_selectors(world: StepWorld) -> None:
    signature = world.sender.signature
    if signature is None:
        raise Vague("nothing is signed")
    usable = tuple(one for one in signature.selectors if _usable(world, one, signature.domain))
    world.sender = replace(world.sender, signature=Signature(signature.domain, usable))


def _usable(world: StepWorld, selector: str, domain: str) -> bool:
    return not judge_published(world(f"{selector}._domainkey.{domain}", "TXT")).faults


def _declare(world: StepWorld, told: str) -> None:
    for item in _items(told):
        _DECLARED[item](world)


def _declare_servers(world: StepWorld) -> None:
    world.sender = replace(world.sender, sources=world.servers)


def _declare_bounces(world: StepWorld) -> None:
    domain = world.sender.envelope_domain or world.sender.domain
    world.sender = replace(world.sender, envelope_domain=domain, envelope_from=f"bounce@{domain}")


def _declare_signature(world: StepWorld) -> None:
    world.sender = replace(world.sender, signature=Signature(world.sender.domain, ()))


_DECLARED: dict[str, Callable[[StepWorld], None]] = {
    "the servers that send": _declare_servers,
    "each address of the servers that send by itself": _declare_servers,
    "the address that bounces go to": _declare_bounces,
    "the whole address that bounces go to": _declare_bounces,
    "the DKIM domain": lambda _world: None,
    "selectors": _declare_signature,
    "erp_mail_spf_terms": _declare_servers,
    "erp_mail_envelope_from": _declare_bounces,
    "erp_mail_dkim.acme.example or mail_dns_domains.acme.example.dkim": _declare_signature,
}

_ACTS: list[tuple[str, Callable[..., bool | None]]] = [
    (r"ask the owner of (\S+) to (.+)", _owner),
    (r"ask the service to publish a usable key at (\S+), where (\S+) leads", _service_key),
    (r"look again when (.+) can be looked up", _answers),
    (r"publish an SPF record at (\S+) that covers (.+)", _publish_spf),
    (r'replace "(.+)" at (\S+) by an SPF record that covers (.+)', _replace_value),
    (r"replace the SPF record of (\S+) by one that covers (.+)", _replace_record),
    (r"replace (\S+) in the SPF record of (\S+) by the addresses that it passes", _by_addresses),
    (r"remove (?!the tag )(.+) from the SPF record of (\S+)", _remove),
    (r"put (.+) in front of (\S+) in the SPF record of (\S+)", _in_front),
    (r"put (.+) at the end of the SPF record of (\S+)", _at_end),
    (r"unite the SPF records of (\S+) in one", _unite),
    # Any domain of it, so one that is not the very same.
    (r"let bounces go to a domain of (\S+)", lambda world, domain: _bounces(world, f"bounces.{domain}")),
    (r"let bounces go to (\S+) itself", _bounces),
    (r"let the server greet with the name (\S+)", _greet),
    (r"change (aspf|adkim)=s to \1=r in the record at (\S+)", _relax),
    (r"have the mail signed with DKIM as ([^\s,]+), and publish the key", _sign),
    (r"have the mail signed with DKIM as (\S+) and declare the selectors: erp_mail_dkim\.\S+ or \S+\.dkim", _sign),
    (r"publish the key that the service gives at (\S+)", _publish_key),
    (r"leave the key that the service gives as the only TXT record at (\S+)", _only_key),
    (r"replace the TXT record at (\S+) by the key that the service gives", _only_key),
    (r"have the service make a new (?:RSA )?key(?: of 2048 bits)?, and publish it alone at (\S+)", _new_key),
    (r"(?:have the service sign with sha256, and )?remove the tag (\w) from the TXT record at (\S+)", _untag),
    (r"declare only the selectors that the service signs with", _only_selectors),
    (r"declare (.+)", _declare),
]

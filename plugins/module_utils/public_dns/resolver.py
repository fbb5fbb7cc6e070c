# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the world sees: DNS look-ups by servers or from master files, each question asked once, with planned records."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import master_file
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file import MasterFile
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.zone_data import Records
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import UDP_BYTES, answer_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import Answer as WireAnswer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.question_batch import QuestionBatch
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, mx_parts
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import longest_match
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.lookup_failure import lookup_failure_text
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.name
    import dns.rdatatype

if TYPE_CHECKING:
    import dns.resolver
    from dns.message import Message
    from dns.name import Name

_MOST_ALIASES = 16
"""A longer chain of CNAMEs is given up, as BIND and dnspython do."""


class ResolveError(Exception):
    """A name could not be looked up: no answer, SERVFAIL, nobody to ask. The message names it and the reason."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a look-up found: ``exists`` False is NXDOMAIN; True without values means no data of that type.

    ``authoritative``: name servers of the zone said so (RFC 1035 section 4.1.1, AA), rather than a memory or a file.
    Who answered is no part of what was found.
    """

    values: tuple[str, ...]
    exists: bool
    authoritative: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Alias:
    """One name's answer where it is an alias: the name that it stands for."""

    target: str
    authoritative: bool = False


_Step = Union[Resolved, _Alias]
"""One name's answer."""

_NO_DATA = Resolved((), exists=True)
_NO_NAME = Resolved((), exists=False)


class Resolver:
    """Looks names up; may be used by several threads at once.

    It and all that :meth:`with_overlay` derives from it ask each question once, failures included.
    """

    def __init__(self, options: Mapping[str, Any] | None, overlay: Mapping[Key, tuple[str, ...]] | None = None) -> None:
        """Nothing is read or asked yet.

        :param options: the option ``resolver``, see ``resolver_options``; None means the system's resolvers
        :param overlay: planned records, answered over live ones; no values means that the RRset will not exist
        :raises MissingLibrary: dnspython is not installed
        """
        libraries.require("dns.message")
        self._live = _Live({name: value for name, value in (options or {}).items() if value is not None})
        self._lay(overlay or {})

    @property
    def asks(self) -> bool:
        """Whether servers may be asked, rather than master files alone read."""
        return self._live.asks

    def with_overlay(self, overlay: Mapping[Key, tuple[str, ...]]) -> Resolver:
        """A resolver that answers these planned records instead of its own; live answers are shared."""
        other = Resolver.__new__(Resolver)
        other._live = self._live
        other._lay(overlay)
        return other

    def look_ahead(self, questions: Iterable[Key], most: int) -> None:
        """Ask the nameserver many questions at once; what gets no good answer is asked for when it is wanted.

        :param questions: names and types
        :param most: how many are under way at the same time
        """
        self._live.look_ahead([(_normal(name), rdtype) for name, rdtype in questions], most)

    def _lay(self, overlay: Mapping[Key, tuple[str, ...]]) -> None:
        self._overlay = {key: _as_answered(key[1], found) for key, found in overlay.items()}
        # A name exists too when only names below it have data (RFC 8020).
        self._planned = {above for (name, _type), found in overlay.items() if found for above in _and_above(name)}

    def lookup(self, name: str, rdtype: str) -> Resolved:
        """Look up one name and type, along CNAMEs (unless they are what is asked for).

        :param name: in any case, with or without the trailing dot
        :param rdtype: "TXT" (values decoded), "A", "AAAA", "MX" (host names, most wanted first), "CNAME", "PTR"
        :returns: the values in a fixed order
        :raises ResolveError: there is no answer that one could rely on
        """
        seen = [_normal(name)]
        authoritative = True
        while isinstance(step := self._step(seen[-1], rdtype), _Alias):
            authoritative = authoritative and step.authoritative
            if step.target in seen or len(seen) > _MOST_ALIASES:
                raise ResolveError(f"{name} {rdtype}: its CNAMEs loop or are too many: {', '.join(seen[:5])} ...")
            seen.append(step.target)
        return step if authoritative else replace(step, authoritative=False)

    def _step(self, name: str, rdtype: str) -> _Step:
        if not self._overlay:
            return self._live.step(name, rdtype)
        planned = self._overlay.get((name, rdtype))
        alias = self._overlay.get((name, "CNAME"))
        if alias and rdtype != "CNAME":
            return _Alias(_normal(alias[0]))
        if planned is not None:
            return Resolved(planned, exists=True)
        step = self._live.step(name, rdtype)
        if isinstance(step, _Alias):
            # A live alias that is planned to go leaves a name without data behind.
            return _NO_DATA if alias == () else step
        return step if step.exists or name not in self._planned else _NO_DATA


class _Live:
    """Answers as they are now, from master files or servers."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = {name: options.get(name, spec["default"]) for name, spec in RESOLVER_OPTIONS.items()}
        self._memory: dict[Hashable, _Question] = {}

    @property
    def asks(self) -> bool:
        """See :attr:`Resolver.asks`."""
        return bool(self._options["nameservers"] or not self._options["zonefiles"])

    def step(self, name: str, rdtype: str) -> _Step:
        """One look-up, no alias followed.

        :raises ResolveError: see :meth:`Resolver.lookup`
        """
        try:
            step: _Step = self._once(("step", name, rdtype), lambda: self._find(name, rdtype))
        except (ProviderError, dns.exception.DNSException, UnicodeError, ValueError) as error:
            raise ResolveError(f"{name} {rdtype}: {lookup_failure_text(error)}") from error
        return step

    def look_ahead(self, questions: Sequence[Key], most: int) -> None:
        """See :meth:`Resolver.look_ahead`. Servers of the system's are asked one by one."""
        servers = self._options["nameservers"]
        if not servers or self._options["zonefiles"]:
            return
        asked = {(values.text_of(values.name_of(name)), rdtype): (name, rdtype) for name, rdtype in questions}
        batch = QuestionBatch(None, self._options["timeout"] / 4, most, recursion=True)
        with contextlib.suppress(OSError):
            batch.ask(list(asked), servers[0], self._options["port"])
        for question, answer in batch.answers.items():
            with contextlib.suppress(ResolveError):
                if answer.tells:
                    step = _from_answer(answer, *question)
                    self._memory.setdefault(("step", *asked[question]), _Question.answered(step))

    def _find(self, name: str, rdtype: str) -> _Step:
        zones = self._once("zones", self._zones)
        zone = longest_match(name, zones)
        if zone is not None:
            master = self._once(("zone", zone), lambda: master_file.read_master_file(zones[zone], zone))
            whole = values.normal_name(name)
            if values.is_at_or_below(whole, zone) and master.cut(whole) is None:
                return _from_file(master, whole, rdtype)
        if not self.asks:
            if _is_above(name, zones):
                return _NO_NAME
            raise ResolveError(f"{name} {rdtype}: no master file answers for it and no nameserver is given")
        return self._from_servers(name, rdtype)

    def _zones(self) -> dict[str, Path]:
        """Every zone of every path; the first path that has one wins."""
        zones: dict[str, Path] = {}
        for path in self._options["zonefiles"]:
            zones = {**master_file.zone_files(Path(path)), **zones}
        return zones

    def _from_servers(self, name: str, rdtype: str) -> _Step:
        # loads TLS too, and HTTPS where libraries for it are installed: for questions that the batch has left
        import dns.resolver

        resolver = self._once("resolver", self._stub)
        qname = values.name_of(name)
        try:
            response = resolver.resolve(qname, rdtype, search=False, raise_on_no_answer=False).response
        except dns.resolver.NXDOMAIN as error:
            answers: dict[Name, Message] = error.kwargs["responses"]
            response = answers[qname]
        return _from_answer(answer_of(response), values.text_of(qname), rdtype)

    def _stub(self) -> dns.resolver.Resolver:
        import dns.resolver

        servers = self._options["nameservers"]
        resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            resolver.nameservers, resolver.port = list(servers), self._options["port"]
        resolver.lifetime = self._options["timeout"]
        resolver.timeout = min(resolver.timeout, resolver.lifetime)
        resolver.use_edns(0, 0, UDP_BYTES)
        return resolver

    def _once(self, question: Hashable, find: Callable[[], Any]) -> Any:
        """Find an answer, or wait for the thread that is already at it."""
        # To make one that is not taken is harmless, and dearer than to look first.
        asked = self._memory.get(question) or self._memory.setdefault(question, _Question())
        return asked.result(find)


class _Question:
    """A question, and what came of it once somebody has wanted to know."""

    __slots__ = ("_error", "_open", "_value")

    def __init__(self) -> None:
        self._open: threading.Lock | None = threading.Lock()
        self._value: Any = None
        self._error: BaseException | None = None

    @classmethod
    def answered(cls, value: Any) -> _Question:
        """One whose answer is known."""
        question = cls()
        question._value, question._open = value, None
        return question

    def result(self, find: Callable[[], Any]) -> Any:
        """The answer: the first thread finds it, and others wait for that."""
        if (is_open := self._open) is not None:
            with is_open:
                if self._open is not None:
                    self._find(find)
        if self._error is not None:
            # Without what stands in it of others who were told the same.
            raise self._error.with_traceback(None)
        return self._value

    def _find(self, find: Callable[[], Any]) -> None:
        try:
            self._value = find()
        except BaseException as error:
            self._error = error
        self._open = None


def _and_above(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]


def _is_above(name: str, zones: Mapping[str, Path]) -> bool:
    """Whether a name is above all zones, or a record about such a name: ``example``, ``_dmarc.example``.

    Where master files are the whole world, nothing stands there; a policy is looked for there all the same (RFC 9989
    section 4.10).
    """
    domain = name.partition(".")[2] if name.startswith("_") else name
    return any(zone.endswith(f".{domain}") for zone in zones)


def _from_file(master: MasterFile, name: str, rdtype: str) -> _Step:
    """What a server of this master file would answer (RFC 1034 section 4.3.2, wildcards as RFC 4592 has them)."""
    if above := master.redirection(name):
        return _alias(_redirected(master, name, above), rdtype)
    owner = _owner(master, name)
    if owner is None:
        return _NO_NAME
    if alias := master.found(owner, "CNAME"):
        return _alias(alias.values[0], rdtype)
    found = master.found(owner, rdtype)
    return Resolved(_values_of(found), exists=True) if found else _NO_DATA


def _redirected(master: MasterFile, name: str, above: str) -> str:
    """What a DNAME above a name makes of it (RFC 6672 section 2.2)."""
    redirection: Any = master.records[above]["DNAME"].rdatas[0]
    return values.text_of(values.name_of(name).relativize(values.name_of(above)).derelativize(redirection.target))


def _owner(master: MasterFile, name: str) -> str | None:
    """The name itself, the wildcard that stands in for it, or None when it does not exist."""
    encloser = name
    while not _exists(master, encloser):
        encloser = values.name_above(encloser)
    if encloser == name:
        return name
    wildcard = f"*.{encloser}"
    return wildcard if wildcard in master.records else None


def _exists(master: MasterFile, name: str) -> bool:
    """A name exists too when only names below it have data (RFC 8020)."""
    return name in master.records or any(values.is_at_or_below(owner, name) for owner in master.records)


def _from_answer(answer: WireAnswer, name: str, rdtype: str) -> _Step:
    alias = answer.rdataset(name, "CNAME")
    if alias:
        return replace(_alias(values.text_of(alias[0].target), rdtype), authoritative=answer.authoritative)
    authority = {found for _owner, found in answer.authority}
    if not answer.rrsets and "NS" in authority and "SOA" not in authority:
        raise ResolveError(f"{name} {rdtype}: the nameserver only refers to others; name one that resolves")
    exists = answer.rcode != "NXDOMAIN"
    return Resolved(_values(tuple(answer.rdataset(name, rdtype) or ())), exists, answer.authoritative)


def _alias(target: str, rdtype: str) -> _Step:
    return Resolved((target,), exists=True) if rdtype == "CNAME" else _Alias(target)


def _values_of(records: Records) -> tuple[str, ...]:
    """The same as :func:`_values` of what was perhaps shown before."""
    if records.rdatas[0].rdtype in (dns.rdatatype.MX, dns.rdatatype.PTR):
        return _values(records.rdatas)
    return tuple(sorted(records.values)) if len(records.values) > 1 else records.values


def _values(rdatas: Sequence[Any]) -> tuple[str, ...]:
    """:param rdatas: all of one type"""
    rdtype = rdatas[0].rdtype if rdatas else None
    if rdtype == dns.rdatatype.MX:
        return _hosts((rdata.preference, values.text_of(rdata.exchange)) for rdata in rdatas)
    if rdtype == dns.rdatatype.PTR:
        return tuple(sorted(values.text_of(rdata.target) for rdata in rdatas))
    return tuple(sorted(values.value_of(rdata) for rdata in rdatas))


def _as_answered(rdtype: str, planned: tuple[str, ...]) -> tuple[str, ...]:
    """The values of a planned RRset as :meth:`Resolver.lookup` gives them."""
    return _hosts(map(mx_parts, planned)) if rdtype == "MX" else planned


def _hosts(records: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """The hosts of MX records, most wanted first (RFC 5321 section 5.1)."""
    return tuple(host for _preference, host in sorted(records))


def _normal(name: str) -> str:
    return name.lower().rstrip(".") or "."

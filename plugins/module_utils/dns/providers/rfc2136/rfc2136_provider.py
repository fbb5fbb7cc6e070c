# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""DNS servers that take updates (RFC 2136): reads are queries, a change is one UPDATE with what was read required."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import Answer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    Conflict,
    Delegated,
    ProviderError,
    ZoneNotFound,
    outside_zone,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.name_server import (
    REFUSALS,
    NameServer,
    Unreachable,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.update import Update, update_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import (
    Change,
    Key,
    RRset,
    ZoneState,
    is_same,
    values_of,
)

with contextlib.suppress(ImportError):
    import dns.name

if TYPE_CHECKING:
    from dns.rdataset import Rdataset

_CONFLICTS = ("NXRRSET", "YXRRSET", "NXDOMAIN", "YXDOMAIN")


@dataclass(frozen=True, slots=True)
class _Token:
    """What was read, exactly: None where there was nothing.

    ``wild``: the same data stand at a wildcard above. ``absent``: names that do not exist, nor by a wildcard.
    """

    rdatasets: Mapping[Key, Rdataset | None]
    wild: frozenset[Key]
    absent: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the server answers for one name and type; ``wild`` and ``absent`` as in :class:`_Token`."""

    rdataset: Rdataset | None
    wild: bool
    absent: bool


_Ask = Callable[[Iterable[Key]], Mapping[Key, Answer]]
"""Asks questions at the same time."""


class Rfc2136Provider:
    """The zones of one primary name server."""

    def __init__(self, dns: Mapping[str, Any]) -> None:
        """Take the option ``dns``; no connection is made yet.

        :param dns: checked, with defaults; see ``account.with_defaults``
        :raises MissingLibrary: dnspython is not installed
        :raises ProviderError: the key cannot be one
        """
        libraries.require("dns.message")
        self._server = NameServer(dns)
        self._zones: dict[str, str] = {}
        self._not_here: dict[str, Answer] = {}
        """By name: the answer that it is not served here, or delegated away."""
        self._ahead: dict[Key, dict[Key, _Found]] = {}
        """By what was asked for: what was found, the alias at the name included."""
        self._own: set[str] = set()
        """Names whose data are no wildcard's: they were absent, and we have put data there."""

    def look_ahead(self, keys: Collection[Key], most: int) -> None:
        """See :meth:`LooksAhead.look_ahead`."""

        def ask(questions: Iterable[Key]) -> Mapping[Key, Answer]:
            found = self._server.ask_ahead(questions, most)
            self._not_here |= {name: answer for (name, _type), answer in found.items() if _is_not_here(answer)}
            return {one: answer for one, answer in found.items() if answer.authoritative and answer.tells}

        answers = self._ask_for(keys, ask)
        untold = {name for name, _type in answers} - set(self._zones)
        for (name, _type), answer in ask((name, "SOA") for name in untold).items():
            self._note_zone(name, "SOA", answer)
        found = self._found(answers, ask)
        for key in answers:
            both = (key, (key[0], "CNAME"))
            if all(one in found for one in both):
                self._ahead[key] = {one: found[one] for one in both}

    def zone_of(self, name: str) -> str:
        """See :meth:`Provider.zone_of`: the owner of the SOA record that the server answers with."""
        if name not in self._zones:
            self._zones[name] = self._find_zone(values.text_of(values.name_of(name)))
        return self._zones[name]

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        """See :meth:`Provider.read`. The token holds the RRsets exactly as the server gave them."""
        zone = values.text_of(values.name_of(zone))
        if (holder := self.zone_of(zone)) != zone:
            raise ZoneNotFound(
                f"{self._server.label}: {zone} is no zone there, it is inside {holder}. Correct the option zone"
            )
        elsewhere = self._elsewhere(zone, {key[0] for key in keys} - {zone})
        here = {key for key in keys if key[0] not in elsewhere}
        known = {key: one for asked in here for key, one in self._ahead.pop(asked, {}).items()}
        ask = partial(self._ask_authority, zone)
        known |= self._found(self._ask_for(here - set(known), ask), ask)
        wild = frozenset(key for key, one in known.items() if one.wild)
        rdatasets = {key: None if one.wild else one.rdataset for key, one in known.items()}
        found = {key: _sorted(values.rrset_of(key, rdataset)) for key, rdataset in rdatasets.items() if rdataset}
        absent = frozenset(name for (name, _type), one in known.items() if one.absent)
        return ZoneState(zone, found, _Token(rdatasets, wild, absent), elsewhere)

    def read_whole(self, zone: str) -> dict[Key, RRset]:
        """See :meth:`ReadsWhole.read_whole`: by a zone transfer, which few servers allow without a key.

        As in ``read``, what a wildcard gives, too, is none of a name's own records.
        """
        found = self._server.transfer(values.text_of(values.name_of(zone)))
        own = {key: rdataset for key, rdataset in found.items() if not _is_wild(key, rdataset, found)}
        return {key: _sorted(values.rrset_of(key, rdataset)) for key, rdataset in own.items()}

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        """See :meth:`Provider.apply`: one UPDATE, with prerequisites (RFC 2136 section 2.4) on what was read."""
        if not isinstance(token, _Token):
            raise TypeError(f"the token of a read is wanted, not a {type(token).__name__}")
        update = update_of(values.text_of(values.name_of(zone)), changes, token.rdatasets)
        self._own.difference_update(change.key[0] for change in changes)
        try:
            rcode = self._server.send(update)
        except Unreachable as lost:
            return self._settle(zone, changes, lost)
        if rcode in _CONFLICTS:
            raise self._conflict(rcode, zone, changes, token)
        if rcode != "NOERROR":
            self._server.refused(rcode, zone, "update")
        self._own |= token.absent & {change.key[0] for change in changes if change.after}
        for change in changes:
            self._withdraw_beside_letters(zone, change)

    def _find_zone(self, name: str) -> str:
        """Ask for the SOA; at an alias (CNAME, DNAME), which no apex is, ask for the parent instead."""
        known = self._not_here.get(name)
        answer = self._server.served(known, name, name) if known else self._server.ask(name, "SOA", name)
        zone = _zone_told(name, "SOA", answer)
        if zone is None and answer.has("CNAME", "DNAME"):
            return self._find_zone(values.text_of(values.name_of(name).parent()))
        if zone is None:
            raise _not_found(f"{self._server.label} serves no zone that holds {name}", answer)
        return zone

    def _note_zone(self, name: str, rdtype: str, answer: Answer) -> None:
        """Remember the zone of a name, where an answer tells it."""
        zone = _zone_told(name, rdtype, answer)
        if zone is not None:
            self._zones |= {name: zone, zone: zone}

    def _elsewhere(self, zone: str, texts: Iterable[str]) -> dict[str, str]:
        """The names that are delegated away from the zone, each with where."""
        found = {}
        for text in texts:
            if not values.name_of(text).is_subdomain(values.name_of(zone)):
                raise outside_zone(text, zone)
            try:
                holder = self.zone_of(text)
            except Delegated as delegated:
                holder = delegated.at
            except ZoneNotFound as error:
                raise ProviderError(f"zone {zone}: {text} is not answered from it. {error}") from error
            if holder != zone:
                found[text] = holder
        return found

    def _ask_authority(self, zone: str, questions: Iterable[Key]) -> Mapping[Key, Answer]:
        """Ask for all of these; whatever is not answered from the zone is an error."""
        found = self._server.ask_all(list(questions), zone)
        for (name, _type), answer in found.items():
            if not answer.authoritative:
                raise ProviderError(
                    f"{self._server.label}, zone {zone}: {name} is not answered from it: {_not_served(answer)}"
                )
        return found

    def _ask_for(self, keys: Collection[Key], ask: _Ask) -> dict[Key, Answer]:
        """Ask for RRsets, first for one of each name: one that does not exist or is an alias has no others."""
        # An answer about the CNAME is about the name itself, whatever the alias stands for.
        first: dict[str, str] = {}
        for name, rdtype in sorted(keys, key=lambda key: (key[0], key[1] != "CNAME", key[1])):
            first.setdefault(name, rdtype)
        answers = dict(ask(first.items()))
        for (name, rdtype), answer in answers.items():
            self._note_zone(name, rdtype, answer)
        others = [(name, rdtype) for name, rdtype in keys if rdtype != first[name]]
        alone = {name for (name, _type), answer in answers.items() if others and _is_all(name, answer)}
        more = ask((name, rdtype) for name, rdtype in others if name not in alone)
        implied = {(name, rdtype): answers[name, first[name]] for name, rdtype in others if name in alone}
        return {**answers, **implied, **more}

    def _found(self, answers: Mapping[Key, Answer], ask: _Ask) -> dict[Key, _Found]:
        """What these answers say: the RRsets asked for, and always whether the name is an alias."""
        rdatasets = {
            (name, wanted): answer.rdataset(name, wanted)
            for (name, rdtype), answer in answers.items()
            for wanted in (rdtype, "CNAME")
        }
        wild = self._wild({key: rdataset for key, rdataset in rdatasets.items() if rdataset}, ask)
        absent = {name for (name, _type), answer in answers.items() if _is_absent(answer)}
        found = {key: _Found(rdatasets[key], is_wild, False) for key, is_wild in wild.items()}
        nothing = {key: _Found(None, False, key[0] in absent) for key, data in rdatasets.items() if data is None}
        return found | nothing

    def _wild(self, found: Mapping[Key, Rdataset], ask: _Ask) -> dict[Key, bool]:
        """Whether each is, or cannot be told from, what a wildcard gives (RFC 4592).

        Asked are the wildcards beside each name, then those one level up. Where such a name does not exist, none
        further up gave the data: it would have answered for this name, too. What gets no answer is left out. Nothing is
        asked about names where no wildcard gave anything before we wrote there.
        """
        wild: dict[Key, bool] = {}
        level = {key: key[0] for key in found}
        while level:
            ends = {key for key, name in level.items() if self._ends(key[0], name)}
            wild |= dict.fromkeys(ends, False)
            stars = {key: _star_beside(name) for key, name in level.items() if key not in ends}
            answers = ask(dict.fromkeys((star, key[1]) for key, star in stars.items()))
            level = {}
            for key, star in stars.items():
                answer = answers.get((star, key[1]))
                if answer is None:
                    continue
                same = answer.rdataset(star, key[1]) == found[key]
                if same or answer.rcode == "NXDOMAIN":
                    wild[key] = same
                else:
                    level[key] = values.text_of(values.name_of(star).parent())
        return wild

    def _ends(self, name: str, level: str) -> bool:
        """Whether no wildcard beside this level can have given what stands at a name."""
        return name in self._own or level == self._zones.get(name) or values.name_of(level).is_wild()

    def _conflict(self, rcode: str, zone: str, changes: Sequence[Change], token: _Token) -> ProviderError:
        names = ", ".join(f"{rdtype} at {name}" for name, rdtype in (change.key for change in changes))
        where = f"{self._server.label}, zone {zone} ({rcode})"
        if any(change.key in token.wild for change in changes):
            return ProviderError(
                f"{where}: {names}: the same data stand at a wildcard above, and the server does not tell which "
                "of them it answers with. Remove one of the two and run again"
            )
        return Conflict(
            f"{where}: someone else has changed {names} since it was read, or a CNAME would stand beside other data. "
            "Nothing was written; look at the zone and run again"
        )

    def _settle(self, zone: str, changes: Sequence[Change], lost: Unreachable) -> None:
        """The answer to an UPDATE was lost: find out whether it was done."""
        try:
            found = self.read(zone, [change.key for change in changes]).rrsets
        except ProviderError as error:
            raise ProviderError(f"{lost}, so it is not known whether zone {zone} has changed: {error}") from error
        if all(is_same(found.get(change.key), change.after) for change in changes):
            return
        if all(is_same(found.get(change.key), change.before) for change in changes):
            raise ProviderError(f"{lost}; zone {zone} is as it was. Run again when the server takes updates") from lost
        raise Conflict(f"{lost}; zone {zone} is neither as it was nor as planned: someone else changes it") from lost

    def _withdraw_beside_letters(self, zone: str, change: Change) -> None:
        """Take our values back where somebody changed only the case of letters in a value that was to go.

        PowerDNS (4.7) compares prerequisites without case but deletes exactly, and so leaves both: two SPF records.
        The read-back of the run then finds the other's value, and plans anew.
        """
        before, after = values_of(change.before), values_of(change.after)
        going, coming = values.departed(before, after), values.departed(after, before)
        if change.key[1] != "TXT" or not going or not coming:
            return
        found = self._server.ask(*change.key, zone).rdataset(*change.key)
        texts = {values.value_of(rdata): rdata for rdata in found or ()}
        other = set(texts) - {*before, *after}
        if not found or not {one.lower() for one in other} & {one.lower() for one in going}:
            return
        update = Update(values.text_of(values.name_of(zone)))
        update.require(change.key, found)
        for value in coming:
            if value in texts:
                update.delete(change.key, texts[value])
        with contextlib.suppress(Unreachable):
            self._server.send(update)


def _sorted(rrset: RRset) -> RRset:
    """Servers rotate the order from one answer to the next."""
    return RRset(rrset.name, rrset.type, rrset.ttl, tuple(sorted(rrset.values)))


def _is_all(name: str, answer: Answer) -> bool:
    """Whether there is nothing else at a name: it is an alias (RFC 1034 section 3.6.2), or does not exist."""
    return answer.rcode == "NXDOMAIN" or answer.rdataset(name, "CNAME") is not None


def _is_absent(answer: Answer) -> bool:
    """Whether the name asked for does not exist: behind an alias it is the target that does not (RFC 6604)."""
    return answer.rcode == "NXDOMAIN" and not answer.has("CNAME", "DNAME")


def _is_wild(key: Key, rdataset: Rdataset, zone: Mapping[Key, Rdataset]) -> bool:
    """Whether a wildcard beside a name or further up has the same data: ``read`` cannot always tell them apart."""
    name, rdtype = key
    while not name.startswith("*.") and "." in name:
        beside = f"*.{name.partition('.')[2]}"
        if zone.get((beside, rdtype)) == rdataset:
            return True
        name = name.partition(".")[2]
    return False


def _star_beside(name: str) -> str:
    return values.text_of(dns.name.Name((b"*", *values.name_of(name).parent().labels)))


def _zone_told(name: str, rdtype: str, answer: Answer) -> str | None:
    """The zone that an answer is from, by its SOA (RFC 2308 section 3) or, in BIND's, by the NS beside the data.

    Where an alias was followed, they may be those of its target's zone.
    """
    followed = answer.has("DNAME") or (rdtype != "CNAME" and answer.has("CNAME"))
    if followed or not answer.authoritative or not answer.tells:
        return None
    asked = values.name_of(name)
    return next((one for one in answer.owners("SOA", "NS") if asked.is_subdomain(values.name_of(one))), None)


def _not_found(problem: str, answer: Answer) -> ZoneNotFound:
    reason = f"{problem}: {_not_served(answer)}"
    at = _delegation(answer)
    return Delegated(reason, at) if at else ZoneNotFound(reason)


def _delegation(answer: Answer) -> str | None:
    """Where a referral points (RFC 1034 section 4.3.2), None when the answer is none."""
    owners = [name for name, rdtype in answer.authority if rdtype == "NS"]
    return owners[0] if owners and not answer.authoritative else None


def _is_not_here(answer: Answer) -> bool:
    """Whether an answer, of whatever type, says that a name is in no zone of the server."""
    return answer.rcode in REFUSALS or (answer.rcode == "NOERROR" and _delegation(answer) is not None)


def _not_served(answer: Answer) -> str:
    delegation = _delegation(answer)
    if delegation:
        return f"it is delegated away at {delegation}. Name the DNS account that serves that zone"
    return (
        f"it answered {answer.rcode} without authority. Name the zone's primary as dns.server, or correct the option "
        "zone"
    )

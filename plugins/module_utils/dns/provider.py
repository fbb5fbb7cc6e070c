# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one contract of all DNS providers, and how they tell what went wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, runtime_checkable

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside


class ProviderError(Exception):
    """The DNS service could not be read or written; the message names zone, service, its answer and the way out."""


class Conflict(ProviderError):
    """The zone is no longer as it was read: someone else wrote. Nothing was applied; read again and plan again."""


class ZoneNotFound(ProviderError):
    """The service does not serve a zone that holds the name."""


class Delegated(ZoneNotFound):
    """The name is below a delegation; ``at`` is the zone that it was delegated to."""

    def __init__(self, message: str, at: str) -> None:
        super().__init__(message)
        self.at = at


class Provider(Protocol):
    """A DNS service that holds zones. Its methods may be called by several threads at once, for different zones."""

    def zone_of(self, name: str) -> str:
        """Find the zone that holds a name: the longest match on label boundaries.

        :param name: lower-case A-labels, no trailing dot
        :returns: the apex of the zone, in the same form
        :raises ZoneNotFound: no zone of this service holds the name
        :raises ProviderError: the service could not be asked
        """

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        """Read the named RRsets of one zone, and any CNAME at these names. Never writes.

        :param zone: an apex as ``zone_of`` gives it, or as the user named it
        :param keys: owner name and type of each RRset wanted, all inside the zone
        :returns: the RRsets that exist, values in an order that is the same for the same data, with the token that
            ``apply`` needs
        :raises ZoneNotFound: the service does not serve this zone
        :raises ProviderError: the service could not be asked
        """

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        """Make all changes or none, if the RRsets concerned are still as they were read.

        Values of a changed RRset that stand in both ``before`` and ``after`` are left exactly as the service has them.

        :param zone: the zone that was read
        :param changes: at least one, each key at most once; ``before`` as ``read`` returned it
        :param token: the token of that ``read``
        :raises Conflict: an RRset that is to change has changed, or another record at its name; nothing was written.
            The same goes for a refusal that somebody else's change may explain, and for a write that did nothing. The
            caller reads, plans and tries again: five times where nothing changes, for a minute where others write
        :raises ProviderError: the service refused or did not answer; it is not tried again
        """


@runtime_checkable
class LooksAhead(Protocol):
    """What a provider may be able to do besides: to ask at once what would else be thousands of questions."""

    def look_ahead(self, keys: Collection[Key], most: int) -> None:
        """Ask for what ``zone_of`` and the next ``read`` will be asked for; each answer serves one read only.

        What cannot be had so is left to them: a service that fails makes no difference here.

        :param keys: as of ``read``, of any zones
        :param most: how many questions are under way at the same time
        """


@runtime_checkable
class ReadsWhole(Protocol):
    """What a provider may be able to do besides: to read a zone without being told which names it has."""

    def read_whole(self, zone: str) -> Mapping[Key, RRset]:
        """Read the RRsets of a zone that are of one of :data:`WHOLE_TYPES`, each as ``read`` would give it.

        What is below a delegation may be among them, as it may be left out. Never writes.

        :param zone: as of ``read``
        :raises ZoneNotFound: the service does not serve this zone
        :raises ProviderError: the service does not tell, or could not be asked
        """


WHOLE_TYPES = ("TXT", "CNAME", "MX", "NS", "DNAME")
"""The types that mail is about, and those that take names out of a zone."""


def outside_zone(name: str, zone: str) -> ProviderError:
    """The error of a name that is to be read from a zone that does not hold it.

    :param name: as it was asked for
    :param zone: as it was named
    """
    return ProviderError(f"{name} is not in zone {zone}. Correct the option zone, or leave it out")


def check_inside(zone: str, names: Collection[str]) -> None:
    """See that a zone holds names.

    :param zone: its apex, as lower-case A-labels
    :param names: in the same form
    :raises ProviderError: it does not hold one of them
    """
    for name in sorted(names):
        if not is_inside(name, zone):
            raise outside_zone(name, zone)


def names_of(zone: str, changes: Sequence[Change], read: Collection[str]) -> set[str]:
    """The owner names that changes are about, for providers that read and compare all records of a name.

    :param read: the names that the token of the ``read`` tells of
    :raises ProviderError: one of them was not read
    """
    names = {change.key[0] for change in changes}
    unread = sorted(names - set(read))
    if unread:
        raise ProviderError(f"zone {zone}: {', '.join(unread)} was not read before it was to be changed")
    return names


def to_nobody(_line: str) -> None:
    """Tell nobody."""

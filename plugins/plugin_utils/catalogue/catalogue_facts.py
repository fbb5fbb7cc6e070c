# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The values of the catalogue: systems, services, and facts with their sources."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts come from. ``date`` is YYYY-MM-DD or YYYY-MM, None when the document bears none; past ``check_after``
    (YYYY-MM-DD, None: they do not age) its facts are to be checked again."""

    title: str
    document: str | None
    url: str | None
    date: str | None
    check_after: str | None = None

    def is_due(self, today: datetime.date) -> bool:
        """Tell whether what it says is to be checked again.

        :param today: the day to judge by
        """
        return self.check_after is not None and today > datetime.date.fromisoformat(self.check_after)

    def __str__(self) -> str:
        return f"{self.title}, {self.date}" if self.date else self.title


@dataclass(frozen=True, slots=True)
class Fact:
    """One value with its source; ``value`` is None when nobody gave it."""

    value: Any = None
    source: Source | None = None


UNKNOWN = Fact()


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about a service, by language. ``submission``: it holds only for mail handed in with a password;
    ``senders_at``: only when a sender is at or below one of these domains (none named: always)."""

    texts: Mapping[str, str]
    source: Source
    submission: bool
    senders_at: tuple[str, ...] = ()

    def text(self, language: str) -> str:
        """The sentence in a language (en or nl), else in English, else in the one there is.

        :param language: of the ERP's screen
        """
        return self.texts.get(language) or self.texts.get("en") or next(iter(self.texts.values()))


@dataclass(frozen=True, slots=True)
class PasswordEnd:
    """How a service ends the sign-in with a password. Facts: ``steps`` list of {date, effect} in the order of their
    dates (YYYY-MM-DD, YYYY-MM or unknown; effect off_by_default: an administrator can turn it on again, or ended);
    ``successors`` list of the services that reach the same mailboxes without a password. ``otherwise`` says what is
    left to a program that has no transport for one of them."""

    steps: Fact
    successors: Fact
    otherwise: Note | None


@dataclass(frozen=True, slots=True)
class Service:
    """A sending service. Facts: ``host`` str, ``ports`` list of {port, security}, ``auth`` none|optional|required,
    ``username`` str, ``spf_terms`` list of str (what a domain's record needs; empty: nothing), ``spf_known_by`` list of
    str (terms that tell its servers, but that are not published), ``domains`` and ``mx`` list of names, ``limits``
    numbers by name, ``dkim`` dict, ``envelope`` sender (the From address is the envelope sender too) or return_path (a
    name below the sender's domain that the service gives out), ``from_rule`` {other, answer, right}: what happens to
    mail whose From is not the account that signs in (refused, replaced or taken), or that only a From which the service
    has verified is taken (verified); ``answer`` is what the service says then, ``right`` what lets an account send so.
    ``password_end`` is None where nobody said that the sign-in with a password ends."""

    name: str
    title: str
    kind: str
    host: Fact
    ports: Fact
    auth: Fact
    username: Fact
    spf_terms: Fact
    spf_known_by: Fact
    dkim: Fact
    domains: Fact
    mx: Fact
    envelope: Fact
    from_rule: Fact
    password_end: PasswordEnd | None
    limits: Mapping[str, Fact]
    warnings: tuple[Note, ...]
    notes: tuple[Note, ...]

    @property
    def telling_terms(self) -> tuple[str, ...]:
        """The SPF terms that tell this service: those that a domain needs for it, and those that only give it away."""
        return tuple(dict.fromkeys([*(self.spf_terms.value or ()), *(self.spf_known_by.value or ())]))

    def security(self, port: int) -> str | None:
        """What the service speaks on a port: none, starttls or implicit; None when unknown.

        :param port: its number
        """
        found = [entry["security"] for entry in self.ports.value or () if entry["port"] == port]
        return found[0] if found and found[0] != "unknown" else None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an ERP's screen. Its value is what the inventory sets, else the named fact, else a default.

    ``spec`` is the argument spec of the setting (None: it cannot be set), ``unset`` what a field without value
    means: keep (leave as it is), empty, or omit (not shown).
    """

    id: str
    label: str
    source: Source
    spec: Mapping[str, Any] | None = None
    fact: str | None = None
    sender: str | None = None
    secret: str | None = None
    format: str | None = None
    required: bool = False
    unset: str = "keep"
    show_if: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entra:
    """What a transport needs from Microsoft Entra: an ``application`` of one's own with ``permissions`` (list of
    {resource, role}), or ``consent`` for the ``application`` of a ``publisher``; field ``user`` says who consents."""

    kind: str
    permissions: tuple[Mapping[str, str], ...]
    application: str | None
    publisher: str | None
    user: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Transport:
    """One way in which an ERP sends: the services it takes (by name, or by kind) and its fields in screen order.

    ``signs_in_as`` is the id of the field with the account that signs in, where neither ``entra`` nor a username names
    it.
    """

    id: str
    label: str
    source: Source
    services: tuple[str, ...]
    kinds: tuple[str, ...]
    fields: tuple[Field, ...]
    entra: Entra | None = None
    signs_in_as: str | None = None

    @property
    def account_field(self) -> Field | None:
        """The field with the account that signs in: who consents, else what takes the service's username."""
        named = self.signs_in_as or (self.entra.user if self.entra else None)
        return next(
            (field for field in self.fields if field.id == named or (not named and field.fact == "username")), None
        )

    @property
    def secret(self) -> Field | None:
        """The field that takes the secret of the environment."""
        return next((field for field in self.fields if field.secret is not None), None)

    @property
    def password(self) -> Field | None:
        """The field that takes a password to sign in with; None where an application or a user signs in by OAuth."""
        return self.secret if self.entra is None else None


@dataclass(frozen=True, slots=True)
class SenderKind:
    """A place where the ERP keeps a sender: one address, or several by key (``many``).

    ``menu`` is empty when no screen of the ERP has a field for it.
    """

    id: str
    label: str
    menu: str
    many: bool
    required: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Rule:
    """A required_if of ansible-core's argument spec, for one transport."""

    transport: str
    required_if: tuple[Any, ...]
    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class Hint:
    """A sentence of the sheet, in the system's language, and when it holds (see ``docs/catalogue.md``)."""

    text: str
    source: Source
    when: Mapping[str, Any]
    label: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChecklistPoint:
    """A point of the checklist, to be confirmed in ``erp_mail_confirmed`` by its id.

    ``about`` names the values that it is confirmed for: ``fields``, ``senders``, ``dkim``, ids of fields; None for all.
    """

    id: str
    text: str
    source: Source
    when: Mapping[str, Any]
    about: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FileKey:
    """A key of an ERP's settings file and where its value comes from: the field ``field``, or several in a URI (RFC
    3986): ``uri`` has the id of the field for each of scheme, host, port, user and password."""

    key: str
    field: str | None
    uri: Mapping[str, str] | None
    source: Source

    @property
    def fields(self) -> tuple[str, ...]:
        """The ids of the fields that its value is made of."""
        return tuple((self.uri or {"": self.field or ""}).values())


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The file of an ERP that is configured by one: where it is unless told otherwise, and the keys of its section."""

    path: str
    section: str
    keys: tuple[FileKey, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class System:
    """An ERP system: its screen, its senders, and what its users must know. ``file`` is where the fields stand when a
    file has them and no screen."""

    name: str
    title: str
    language: str
    menu: str
    senders: tuple[SenderKind, ...]
    settings: tuple[Field, ...]
    transports: tuple[Transport, ...]
    rules: tuple[Rule, ...]
    buttons: tuple[Hint, ...]
    outside: tuple[Hint, ...]
    never: tuple[Hint, ...]
    notes: tuple[Hint, ...]
    checklist: tuple[ChecklistPoint, ...]
    envelope: Fact = UNKNOWN
    file: SettingsFile | None = None

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Credentials of an application: which are ours, which is due, which may go. Nothing here asks Graph."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.certificate import Certificate, read_certificate
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES, is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import WrongGraphAnswer, graph_time
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_MARK = "(mailroom.erp)"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,39}")
_LONGEST_LIFE = 730
"""Days; the longest that Entra's own pages offer for a client secret."""
_MOST_UNKNOWN = 5
"""Secrets that may be somebody's or nobody's; no more are made beside that many."""


@dataclass(frozen=True, slots=True)
class WantedCredential:
    """One credential as it was declared; see the documentation of ``entra_app_credential``. Times are in days."""

    unique_name: str | None
    app_id: str | None
    name: str
    kind: str
    lifetime: int
    renew_before: int
    overlap: int
    confirmed_key_id: str | None
    stored_key_id: str | None
    replace_lost: bool
    certificate: Certificate | None
    federated: Json
    present: bool
    end_unconfirmed: bool = False
    """Whether the old one goes after the overlap although nobody has confirmed the new one."""
    made_before: datetime.datetime | None = None
    """A secret that was made before this moment is due."""
    asked_since: datetime.datetime | None = None
    """Since when secrets were asked for whose values were never stored: nobody has one that was made after that."""

    @property
    def display_name(self) -> None:
        """An application with credentials is never told by its display name alone."""

    @property
    def subject(self) -> str:
        """What the credential is called in messages."""
        return f"{self.unique_name or self.app_id}, {self.kind} {self.name}"

    @property
    def label(self) -> str:
        """The display name of what we make: people see whose it is, and we recognise it."""
        part = f" {self.certificate.fingerprint}" if self.certificate else ""
        return f"{self.name}{part} {_MARK}"

    def is_ours(self, credential: Json) -> bool:
        """Whether a secret or certificate was made by us under this name.

        :param credential: one of the application's, as Graph shows it
        """
        part = " [0-9a-f]{16}" if self.kind == "certificate" else ""
        pattern = f"{re.escape(self.name)}{part} {re.escape(_MARK)}"
        return re.fullmatch(pattern, str(credential.get("displayName"))) is not None

    def problem(self, where: str, value: str | None, rule: str, way_out: str) -> Problem:
        """A broken rule of this credential. The parameters are the fields of :class:`Problem`."""
        return ENTRA_RULES.problem(self.subject, where, value, rule, way_out)


@dataclass(frozen=True, slots=True)
class Retiring:
    """A credential that is still valid and goes later, at the latest when it ends by itself; ``over`` is when we remove
    it, None while nobody can tell."""

    credential: Json
    why: str
    over: datetime.datetime | None = None

    def as_dict(self) -> Json:
        """One item of the return value ``retiring``."""
        ends = credential_time(self.credential, "endDateTime")
        gone = min(ends, self.over) if self.over else ends
        return {
            "key_id": self.credential["keyId"],
            "end_date_time": self.credential["endDateTime"],
            "gone_at": gone.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "why": self.why,
        }


@dataclass(slots=True)
class CredentialPlan:
    """What is to be done with secrets or certificates. ``current`` is the one that stays; ``remove`` goes once there is
    another one, ``retiring`` later, with the reason."""

    create: bool = False
    why: str = ""
    current: Json | None = None
    remove: list[Json] = field(default_factory=list)
    retiring: list[Retiring] = field(default_factory=list)
    lost: list[Json] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    is_confirmed: bool = False
    """Whether somebody has seen that the current one is used."""

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.create or bool(self.remove)


def read_wanted_credential(params: Mapping[str, Any], now: datetime.datetime) -> WantedCredential:
    """The declared credential.

    :param params: the parameters of ``entra_app_credential``
    :param now: the time of the run; a certificate must be valid then
    :raises Refused: with everything that is wrong with them
    :raises MissingLibrary: a certificate cannot be read without cryptography
    """
    pem = params.get("certificate")
    wanted = WantedCredential(
        unique_name=params.get("unique_name"),
        app_id=params.get("app_id"),
        name=params["name"],
        kind=params["kind"],
        lifetime=params["lifetime"],
        renew_before=params["renew_before"],
        overlap=params["overlap"],
        confirmed_key_id=_lower(params.get("confirmed_key_id")),
        stored_key_id=_lower(params.get("stored_key_id")),
        replace_lost=bool(params.get("replace_lost")),
        certificate=read_certificate(pem, params["name"]) if pem else None,
        federated=dict(params.get("federated") or {}),
        present=params.get("state") != "absent",
        end_unconfirmed=bool(params.get("end_unconfirmed")),
        made_before=_moment(params.get("made_before")),
        asked_since=datetime.datetime.fromisoformat(params["asked_since"]) if params.get("asked_since") else None,
    )
    broken = [
        *_broken_rules(wanted),
        *_broken_kind(wanted, now),
        *_broken_moment(wanted, params.get("made_before"), now),
    ]
    problems = [wanted.problem(*rule) for rule in broken]
    if problems:
        raise Refused(problems)
    return wanted


def _broken_rules(wanted: WantedCredential) -> Iterable[tuple[str, str | None, str, str]]:
    if not _NAME.fullmatch(wanted.name):
        rule = "a name has 3 to 40 letters, digits, dots, hyphens or underscores"
        yield "name", wanted.name, rule, "Choose another name."
    if wanted.app_id and not is_guid(wanted.app_id):
        yield "app_id", wanted.app_id, "it is no GUID", "Take the Application ID from Entra."
    if not 0 < wanted.lifetime <= _LONGEST_LIFE:
        yield "lifetime", str(wanted.lifetime), f"a secret lives 1 to {_LONGEST_LIFE} days", "Choose a shorter life."
    if not 0 <= wanted.renew_before < wanted.lifetime:
        rule = f"it must be less than the lifetime of {wanted.lifetime} days, else each run would make a new one"
        yield "renew_before", str(wanted.renew_before), rule, "Choose fewer days."
    if not 0 <= wanted.overlap <= wanted.renew_before:
        rule = f"the old one would expire before the overlap is over; renew_before is {wanted.renew_before} days"
        yield "overlap", str(wanted.overlap), rule, "Choose fewer days, or renew earlier."
    for where in ("confirmed_key_id", "stored_key_id"):
        value = getattr(wanted, where)
        if value and not is_guid(value):
            yield where, None, "a key id is a GUID", "Take it from the result of this module."


def _broken_kind(wanted: WantedCredential, now: datetime.datetime) -> Iterable[tuple[str, str | None, str, str]]:
    if wanted.present and (wanted.kind == "certificate") != (wanted.certificate is not None):
        rule = "it is given with kind: certificate, and only then"
        yield "certificate", None, rule, "Give the certificate as PEM, without its private key."
    if (wanted.kind == "federated" and wanted.present and not wanted.federated) or (
        wanted.kind != "federated" and wanted.federated
    ):
        rule = "it is given with kind: federated, and only then"
        yield "federated", None, rule, "Give issuer and subject of the tokens that are to be trusted."
    if wanted.certificate and wanted.certificate.end <= now:
        rule = f"the certificate expired at {wanted.certificate.end:%Y-%m-%d}"
        yield "certificate", None, rule, "Give one that is valid."


def _broken_moment(
    wanted: WantedCredential, given: str | None, now: datetime.datetime
) -> Iterable[tuple[str, str | None, str, str]]:
    if given and wanted.made_before is None:
        rule = "it is a day or a moment as ISO 8601 has it, such as 2026-11-29 or 2026-11-29T10:30:00Z"
        yield "made_before", str(given), rule, "Write it so."
    elif wanted.made_before is not None and wanted.made_before > now:
        rule = "it lies ahead, so each run until then would make another secret"
        yield "made_before", str(given), rule, "Give the day or the moment from which on secrets are good."


def plan_credential(wanted: WantedCredential, held: list[Json], now: datetime.datetime) -> CredentialPlan:
    """Say what is to be done with the secrets or certificates of an application.

    :param wanted: the credential as it was declared
    :param held: all of them, as Graph shows them
    :param now: the time of the run
    :returns: what is to be done; without changes when nothing is
    :raises Refused: the value of the newest secret was lost, and nobody said to replace it
    """
    ours = [one for one in held if wanted.is_ours(one)]
    if not wanted.present:
        return CredentialPlan(remove=ours)
    live = sorted((one for one in ours if credential_time(one, "endDateTime") > now), key=_start)
    made = _plan_certificate(wanted, live, now) if wanted.certificate else _plan_secret(wanted, live, now)
    made.is_confirmed = not made.create and _is_confirmed(made.current, wanted)
    if made.current is not None and not made.create:
        _plan_retirement(made, wanted, [one for one in live if one is not made.current], now)
    elif made.create:
        made.retiring = [Retiring(one, "until the new one is confirmed") for one in live if one not in made.remove]
    made.remove += [one for one in ours if one not in live]
    if wanted.confirmed_key_id and wanted.confirmed_key_id not in [one["keyId"].lower() for one in ours]:
        made.warnings.append(f"{wanted.subject}: confirmed_key_id names a key that the application does not have")
    return made


def _plan_secret(wanted: WantedCredential, live: list[Json], now: datetime.datetime) -> CredentialPlan:
    if not live:
        return CredentialPlan(create=True, why="there is none")
    newest = live[-1]
    made = CredentialPlan(current=newest)
    if wanted.stored_key_id is not None and newest["keyId"].lower() != wanted.stored_key_id:
        _plan_loss(made, wanted, live)
    elif credential_time(newest, "endDateTime") - now <= datetime.timedelta(days=wanted.renew_before):
        made.create, made.why = True, f"it ends on {newest['endDateTime'][:10]}"
    elif wanted.made_before is not None and _start(newest) < wanted.made_before:
        made.create, made.why = (
            True,
            f"it was made on {newest['startDateTime'][:10]}, before {wanted.made_before:%Y-%m-%d %H:%M} UTC",
        )
    return made


def _plan_loss(made: CredentialPlan, wanted: WantedCredential, live: list[Json]) -> None:
    """The newest secret is not the one that is stored: whoever made it never handed it over."""
    stored = [index for index, one in enumerate(live) if one["keyId"].lower() == wanted.stored_key_id]
    made.lost = live[stored[0] + 1 :] if stored else list(live)
    if not wanted.replace_lost:
        ids = ", ".join(one["keyId"] for one in made.lost)
        rule = f"its value is not stored, and Entra does not show it again: {ids}"
        raise Refused(wanted.problem("stored_key_id", None, rule, "Set replace_lost: true to have another one made."))
    made.create, made.why = True, "its value was lost"
    # What is newer than the stored one was never handed over. Without a stored one, somebody may still be using it.
    since = wanted.asked_since
    made.remove = [*made.lost] if stored else [one for one in made.lost if since is not None and _start(one) >= since]
    if not stored and len(live) - len(made.remove) >= _MOST_UNKNOWN:
        rule = f"there are {len(live)} secrets, none of which is stored, and whether one is in use cannot be told"
        way_out = "Remove in Entra those that nobody uses, or all of them with state: absent, and run again."
        raise Refused(wanted.problem("stored_key_id", None, rule, way_out))


def _plan_certificate(wanted: WantedCredential, live: list[Json], now: datetime.datetime) -> CredentialPlan:
    current = next((one for one in live if one["displayName"] == wanted.label), None)
    made = CredentialPlan(create=current is None, why="there is none", current=current)
    if wanted.certificate and wanted.certificate.end - now <= datetime.timedelta(days=wanted.renew_before):
        end = f"{wanted.certificate.end:%Y-%m-%d}"
        made.warnings.append(f"{wanted.subject}: the certificate ends on {end}: give a new one")
    return made


def _plan_retirement(made: CredentialPlan, wanted: WantedCredential, old: list[Json], now: datetime.datetime) -> None:
    if made.current is None:
        return
    over = credential_time(made.current, "startDateTime") + datetime.timedelta(days=wanted.overlap)
    ends = made.is_confirmed or wanted.end_unconfirmed
    for one in old:
        if ends and over <= now:
            made.remove.append(one)
        else:
            why = f"until {over:%Y-%m-%d}" if ends else f"until {made.current['keyId']} is confirmed"
            made.retiring.append(Retiring(one, why, over if ends else None))


def _is_confirmed(current: Json | None, wanted: WantedCredential) -> bool:
    return current is not None and current["keyId"].lower() == wanted.confirmed_key_id


def credential_time(credential: Json, name: str) -> datetime.datetime:
    """A time of a credential; Graph writes up to seven digits of a second.

    :param credential: a secret or certificate, or an application, as Graph shows it
    :param name: the property, e.g. endDateTime
    :returns: the time, with its zone
    :raises GraphError: there is none
    """
    found = graph_time(credential[name])
    if found is None:
        raise WrongGraphAnswer("GET applications", 200, f"{name} is no time")
    return found


def _start(credential: Json) -> datetime.datetime:
    return credential_time(credential, "startDateTime")


def _moment(text: str | None) -> datetime.datetime | None:
    """A day or a moment in UTC; None when there is none, or it cannot be read."""
    try:
        found = datetime.datetime.fromisoformat(str(text).strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def _lower(value: str | None) -> str | None:
    return None if value is None else value.lower()

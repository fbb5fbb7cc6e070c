# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Brings the zones of a snapshot back to what they were, by the same engine that changed them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    Provider,
    ProviderError,
    ZoneNotFound,
    to_nobody,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import (
    check_dns,
    plain_text,
    public_options,
    with_defaults,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key
from ansible_collections.mailroom.erp.plugins.module_utils.dns.write_loop import write_zone
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore_plan import plan_zone, unheld
from ansible_collections.mailroom.erp.plugins.module_utils.domains.threads import each
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, idna_encoded, longest_match
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource, escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot, keeping
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_file import ZoneEntry, read_snapshot

_RULES = RuleSource("documentation of mailroom.erp.mail_records_restore")


@dataclass(slots=True)
class ZoneWork:
    """One zone on its way back. ``force`` restores records that were changed since."""

    provider: Provider
    account: Mapping[str, Any]
    zone: str
    done: Sequence[Change]
    force: bool
    token: object = None
    changes: list[Change] = field(default_factory=list)
    applied: dict[Key, Change] = field(default_factory=dict)
    failure: str | None = None
    held: list[str] = field(default_factory=list)
    """Why single records are not restored, while the others of the zone are."""

    @property
    def trouble(self) -> str | None:
        """Why the zone, or a record of it, was not restored."""
        return self.failure or "\n".join(self.held) or None

    @property
    def result(self) -> list[Change]:
        """What was changed, or would be in check mode; of a zone that failed only what was written."""
        if self.applied:
            return list(self.applied.values())
        return [] if self.failure else self.changes

    def read_and_plan(self) -> None:
        """Read the zone and plan its way back.

        :raises Refused: a record was changed since, or cannot stand where it stood
        :raises ProviderError: the zone cannot be read
        """
        keys = [change.key for change in self.done]
        beside = [(name, "TXT") for name, rdtype in keys if rdtype == "CNAME"]
        state = self.provider.read(self.zone, list(dict.fromkeys([*keys, *beside])))
        self.token = state.token
        self.changes, self.held = unheld(plan_zone(self.done, state, self.force), state)

    def note_written(self) -> None:
        """See :meth:`ZoneToWrite.note_written`."""
        self.applied |= {change.key: change for change in self.changes}

    def fail(self, reason: str) -> None:
        """See :meth:`ZoneToWrite.fail`."""
        self.failure = reason


def read_restore(params: Mapping[str, Any], tell: Callable[[str], None] = to_nobody) -> list[ZoneWork]:
    """Turn the parameters of ``mail_records_restore`` into the zones to restore.

    :param params: ``snapshot``; ``dns``, or ``accounts``; ``zones``, ``domains``, ``not_domains``, ``changed_since``
    :param tell: called with a line for the user when a DNS service makes the run wait
    :returns: the zones in the order of the snapshot; nothing has been asked of a DNS service yet
    :raises Refused: with everything that is wrong with the snapshot or the parameters
    :raises ProviderError: a key cannot be one
    :raises MissingLibrary: a library is not installed
    """
    found = _below(read_snapshot(Path(params["snapshot"])), params.get("domains"), params.get("not_domains") or ())
    entries = _wanted(found, params.get("zones"))
    accounts = _accounts(params)
    problems: list[Problem] = []
    providers: dict[str, Provider] = {}
    works: dict[tuple[str, str], ZoneWork] = {}
    for entry in entries:
        account = _account_of(entry, accounts, bool(params.get("accounts")), problems)
        if account is None:
            continue
        identity = json.dumps(account, sort_keys=True, default=str)
        if identity not in providers:
            providers[identity] = open_provider(account, tell)
        work = ZoneWork(
            providers[identity], account, entry.zone, entry.changes, params.get("changed_since") == "restore"
        )
        if works.setdefault((identity, entry.zone), work) is not work:
            rule = "it stands in the snapshot for several DNS accounts, which one account cannot stand for"
            problems.append(_RULES.problem(entry.zone, "dns", None, rule, "Give each of them in accounts."))
    if problems:
        raise Refused(problems)
    return list(works.values())


def restore(works: Sequence[ZoneWork], snapshot: Snapshot | None, write: bool, concurrency: int = 16) -> None:
    """Plan the way back of all zones, and go it unless this is check mode; the outcome stands in ``works``.

    :param snapshot: keeps what the restore changes, so that it can be undone too
    :param write: False plans only
    :param concurrency: how many zones are worked on at the same time
    :raises Refused: at least one record must not be restored; nothing has been written
    """
    problems = [problem for found in each(_read_first, works, concurrency) for problem in found]
    if problems:
        raise Refused(problems)
    changing = [work for work in works if work.changes and not work.failure]
    if write and changing:
        with keeping(snapshot, changing):
            each(lambda work: write_zone(work, work.read_and_plan, snapshot), changing, concurrency)


def _read_first(work: ZoneWork) -> list[Problem]:
    """Read and plan a zone; a service that fails fails its own zone, a broken rule refuses the restore."""
    try:
        work.read_and_plan()
    except Refused as refused:
        return refused.problems
    except ZoneNotFound as error:
        way_out = "Give the DNS account that serves the zone, or leave the zone out."
        return [Problem(work.zone, "zone", None, str(error), "RFC 1034 section 4.2", way_out)]
    except ProviderError as error:
        work.fail(str(error))
    return []


def _below(entries: Sequence[ZoneEntry], domains: Sequence[str] | None, not_domains: Sequence[str]) -> list[ZoneEntry]:
    """The records of some domains; the nearest domain above a name decides whose it is."""
    if domains is None:
        return list(entries)
    ours = {_zone_name(name, "domains") for name in domains}
    known = ours | {_zone_name(name, "not_domains") for name in not_domains}
    found = [
        replace(entry, changes=tuple(one for one in entry.changes if longest_match(one.key[0], known) in ours))
        for entry in entries
    ]
    kept = [entry for entry in found if entry.changes]
    if not kept:
        rule = "this snapshot holds no record of these domains"
        raise Refused(_RULES.problem("task", "domains", None, rule, "Name a snapshot of a run that changed them."))
    return kept


def _wanted(entries: Sequence[ZoneEntry], names: Sequence[str] | None) -> list[ZoneEntry]:
    """The zones that the user names, or all."""
    if not names:
        return list(entries)
    wanted = {_zone_name(name) for name in names}
    missing = sorted(wanted - {entry.zone for entry in entries})
    if missing:
        rule = "this snapshot does not hold this zone"
        way_out = "Name zones of the snapshot, or none for all."
        raise Refused(_RULES.problem("task", "zones", name, rule, way_out) for name in missing)
    return [entry for entry in entries if entry.zone in wanted]


def _zone_name(name: str, option: str = "zones") -> str:
    try:
        return idna_encoded(name).lower().removesuffix(".")
    except BadName as error:
        raise Refused(_RULES.problem("task", option, name, str(error), "Correct the name.")) from None


def _accounts(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The accounts that the user gives: ``accounts``, else ``dns``."""
    given = params.get("accounts") or ([params["dns"]] if params.get("dns") is not None else [])
    if not given:
        raise Refused(_RULES.problem("task", "dns", None, "no DNS account is given", "Give dns, or accounts."))
    wrong = [rule for account in given for rule in check_dns(account)]
    if wrong:
        raise Refused(_RULES.problem("task", "dns", None, rule, "Correct the DNS account.") for rule in wrong)
    return [with_defaults(account) for account in given]


def _account_of(
    entry: ZoneEntry, accounts: Sequence[dict[str, Any]], match: bool, problems: list[Problem]
) -> dict[str, Any] | None:
    """The account of a zone: the only one given, or the one with the same options, secrets aside."""
    if not match:
        return accounts[0]
    for account in accounts:
        if _identity(account) == _identity(entry.account):
            return account
    shown = " ".join(f"{name}={value}" for name, value in _identity(entry.account).items())
    rule = f"none of the accounts given is the one that the snapshot names: {escape_controls(shown)}"
    problems.append(_RULES.problem(entry.zone, "accounts", None, rule, "Give that account, or leave the zone out."))
    return None


def _identity(account: Mapping[str, Any]) -> dict[str, str]:
    """What tells accounts apart: all that is no secret, except how long to wait."""
    return {name: plain_text(value) for name, value in public_options(account).items() if name != "timeout"}

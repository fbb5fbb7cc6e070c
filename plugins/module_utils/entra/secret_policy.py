# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""App management policies of a tenant: whether a secret may be made for an application, and how long it may live."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError, graph_time

_ADDITION, _LIFETIME = "passwordAddition", "passwordLifetime"
_DURATION = re.compile(
    r"P(?:([0-9]{1,6})Y)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?[0-9.MS]*)?",
    re.ASCII,
)
_DAYS = (365, 30, 7, 1)


@dataclass(frozen=True, slots=True)
class SecretPolicy:
    """What a tenant allows for the secrets of one application: none, or at most ``longest`` days (None: no limit).

    ``doubt`` says why it cannot be told; None when it can.
    """

    forbidden: bool = False
    longest: int | None = None
    doubt: str | None = None


class SecretPolicies:
    """The policies of one tenant, of which the one for all applications is read once.

    :param graph: the tenant's Microsoft Graph
    :param now: the time of the run
    """

    def __init__(self, graph: Graph, now: datetime.datetime) -> None:
        self._graph, self._now = graph, now
        self._default: Json | None = None
        self._hidden = False

    def of(self, application: Json | None) -> SecretPolicy:
        """Read what holds for the secrets of an application: its own policy, else the tenant's.

        :param application: with id and createdDateTime; None for one that is not made yet
        :raises GraphError: a policy cannot be read for another reason than a missing permission
        """
        right = "Policy.Read.All"
        try:
            found = _judged(self._read_default(), "applicationRestrictions", application, self._now)
            if self._hidden:
                return _doubtful(right)
            if application is None or found == SecretPolicy():
                return found
            right = "Policy.Read.ApplicationConfiguration"
            own = self._graph.get_all(f"applications/{application['id']}/appManagementPolicies")
        except GraphError as error:
            if error.status != 403:
                raise
            return _doubtful(right)
        return _judged(own[0], "restrictions", application, self._now) if own else found

    def _read_default(self) -> Json:
        if self._default is None:
            self._default = {}
            try:
                self._default = self._graph.find("policies/defaultAppManagementPolicy") or {}
            except GraphError as error:
                if error.status != 403:
                    self._default = None
                    raise
                self._hidden = True
        return self._default


def _doubtful(right: str) -> SecretPolicy:
    what = "whether app management policies of the tenant forbid or shorten secrets cannot be told"
    return SecretPolicy(doubt=f"{what} without the permission {right}")


def _judged(policy: Json, part: str, application: Json | None, now: datetime.datetime) -> SecretPolicy:
    if policy.get("isEnabled") is not True:
        return SecretPolicy()
    made = graph_time((application or {}).get("createdDateTime")) or now
    rules = [one for one in (policy.get(part) or {}).get("passwordCredentials") or [] if _holds(one, made)]
    longest = [_days(one.get("maxLifetime")) for one in rules if one.get("restrictionType") == _LIFETIME]
    known = [days for days in longest if days is not None]
    return SecretPolicy(any(one.get("restrictionType") == _ADDITION for one in rules), min(known, default=None))


def _holds(rule: Json, made: datetime.datetime) -> bool:
    """Whether a restriction is on, and is for applications of that age."""
    since = graph_time(rule.get("restrictForAppsCreatedAfterDateTime"))
    return rule.get("state") in (None, "enabled") and (since is None or made >= since)


def _days(duration: object) -> int | None:
    """The whole days of an ISO 8601 duration; None for what is none."""
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None:
        return None
    numbers = [int(number or 0) for number in found.groups()]
    return sum(number * days for number, days in zip(numbers, _DAYS, strict=False)) + numbers[4] // 24

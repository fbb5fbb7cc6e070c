# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The places that a scope names: mailboxes, groups, an administrative unit or a management scope of Exchange. Each is
looked up before anything is written, and what in it an application will not reach is a finding.

Only direct members of a group count, and only groups with an address do [https://learn.microsoft.com/exchange/
permissions-exo/application-rbac, Limitations; Graph beta, Create unifiedRoleAssignment; both read on 2026-11-29].
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import is_guid
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_literal
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import (
    FAIL,
    NOTE,
    ScopeFinding,
    ScopePlace,
    WantedScope,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import (
    NONE,
    NOT_KNOWN,
    SenderState,
    read_mailbox_purposes,
    read_sender_addresses,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused

_MOST_LOOKED_AT = 20
"""Members of a group or unit whose mailboxes are looked at, one request each."""
_GROUP = {"$select": "id,displayName,mail,mailEnabled,groupTypes"}
_MEMBER = {"$select": "id,displayName,mail,userPrincipalName"}
_NAMED = {"$select": "id,displayName"}
_USER, _NESTED = "#microsoft.graph.user", "#microsoft.graph.group"


@dataclass(slots=True)
class _Lookup:
    graph: Graph
    wanted: WantedScope
    known: Mapping[str, SenderState]
    places: list[ScopePlace] = field(default_factory=list)
    findings: list[ScopeFinding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, where: str, value: str, rule: str, way_out: str) -> None:
        self.problems.append(self.wanted.problem(where, value, rule, way_out))

    def tell(self, kind: str, subject: str, result: str, reason: str, step: str | None = None) -> None:
        self.findings.append(ScopeFinding(kind, subject, result, reason, step))


def read_scope_places(
    graph: Graph, wanted: WantedScope, known: Mapping[str, SenderState]
) -> tuple[list[ScopePlace], list[ScopeFinding]]:
    """Look up what a scope names.

    :param graph: the tenant's Microsoft Graph
    :param wanted: the scope as it was declared
    :param known: mailboxes that were looked up before, by address
    :returns: the places, and what is to be known about them
    :raises Refused: with every place that is not there, is of the wrong kind, is empty, or may not be read
    :raises GraphError: something cannot be read for another reason
    """
    look = _Lookup(graph, wanted, known)
    if wanted.mailboxes:
        _with_right(look, "mailboxes", "User.Read.All", lambda: _mailboxes(look))
    for name in wanted.groups:
        _with_right(look, "groups", "GroupMember.Read.All", functools.partial(_group, look, name))
    if wanted.administrative_unit:
        _with_right(look, "administrative_unit", "AdministrativeUnit.Read.All", lambda: _unit(look))
    if wanted.custom_scope:
        _with_right(look, "custom_scope", "RoleManagement.Read.Exchange", lambda: _custom(look))
    if look.problems:
        raise Refused(look.problems)
    return look.places, look.findings


def _with_right(look: _Lookup, where: str, right: str, read: Callable[[], None]) -> None:
    """A refusal to read is the declaration's problem: nothing may be granted for what cannot be seen."""
    try:
        read()
    except GraphError as error:
        if error.status != 403:
            raise
        rule = "this sign-in may not read it, and nothing is granted for what cannot be seen"
        raise Refused(look.wanted.problem(where, None, rule, f"Grant the sign-in {right}.")) from None


def _mailboxes(look: _Lookup) -> None:
    for state in _states(look):
        if state.user is None or state.result == "fail":
            look.refuse("mailboxes", state.address, state.reason, state.next_step or "Correct the address.")
            continue
        scope = f"/Users/{state.user['id']}"
        if scope not in [place.directory_scope for place in look.places]:
            look.places.append(ScopePlace("mailbox", state.address, scope, addresses=(state.address,)))
        if state.mailbox == "shared":
            _tell_shared(look, state.address)
        if state.result != "pass":
            look.tell("mailbox_unknown", state.address, NOT_KNOWN, state.reason, state.next_step)


def _states(look: _Lookup) -> list[SenderState]:
    """The mailboxes as senders; what is no address is told as this task's own option."""
    mailboxes = look.wanted.mailboxes
    if all(address in look.known for address in mailboxes):
        return [look.known[address] for address in mailboxes]
    try:
        return read_sender_addresses(look.graph, mailboxes)
    except Refused as refused:
        named = [replace(one, subject=look.wanted.subject, where="mailboxes") for one in refused.problems]
        raise Refused(named) from None


def _tell_shared(look: _Lookup, address: str) -> None:
    reason = "it is a shared mailbox: the application sends as itself, and nobody needs to sign in to it"
    look.tell("shared_mailbox", address, NOTE, reason)


def _group(look: _Lookup, name: str) -> None:
    found = _one(look, "groups", "groups", name, ("mail", "displayName") if "@" in name else ("displayName",), _GROUP)
    if found is None:
        return
    if not found.get("mailEnabled"):
        rule = (
            "Exchange takes Microsoft 365 groups, distribution lists and mail-enabled security groups, and this is none"
        )
        look.refuse("groups", name, rule, "Name a group that has an address, or list the mailboxes.")
        return
    addresses = _members(look, "groups", name, f"groups/{found['id']}/members")
    look.places.append(ScopePlace("group", name, f"/Groups/{found['id']}", addresses=addresses))


def _unit(look: _Lookup) -> None:
    name = str(look.wanted.administrative_unit)
    path = "directory/administrativeUnits"
    found = _one(look, "administrative_unit", path, name, ("displayName",), _NAMED)
    if found is not None:
        addresses = _members(look, "administrative_unit", name, f"{path}/{found['id']}/members")
        scope = f"/AdministrativeUnits/{found['id']}"
        look.places.append(ScopePlace("administrative unit", name, scope, addresses=addresses))


def _custom(look: _Lookup) -> None:
    name = str(look.wanted.custom_scope)
    path = "roleManagement/exchange/customAppScopes"
    found = _one(look, "custom_scope", path, name, ("displayName",), {})
    if found is None:
        return
    attributes = found.get("customAttributes") or {}
    if attributes.get("Exclusive"):
        rule = "exclusive management scopes do not restrict what applications may use"
        look.refuse("custom_scope", name, rule, "Name one that is not exclusive.")
        return
    filtered = attributes.get("RecipientFilter")
    reason = f"which mailboxes its filter finds ({filtered}) cannot be seen over Graph"
    step = "Look with Get-Recipient -RecipientPreviewFilter in Exchange Online PowerShell."
    look.tell("custom_scope", name, NOT_KNOWN, reason, step)
    look.places.append(ScopePlace("management scope", name, app_scope=found["id"]))


def _one(
    look: _Lookup, where: str, path: str, name: str, properties: tuple[str, ...], query: dict[str, str]
) -> Json | None:
    """The object that is meant: by its id, else by a name that only one has."""
    if is_guid(name):
        found = [one for one in [look.graph.find(f"{path}/{name.lower()}", query)] if one]
    else:
        clauses = [f"{one} eq {odata_literal(name)}" for one in properties]
        found = look.graph.get_all(path, {**query, "$filter": " or ".join(clauses)})
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one["id"] for one in found)
        look.refuse(where, name, f"several have this name: {ids}", "Give the object id of the one that is meant.")
    else:
        look.refuse(where, name, "this tenant has none of this name or id", "Correct it, or make it first.")
    return None


def _members(look: _Lookup, where: str, name: str, path: str) -> tuple[str, ...]:
    """The addresses of the direct members that are mailboxes; the others are told."""
    members = look.graph.get_all(path, _MEMBER)
    users = [one for one in members if one.get("@odata.type") == _USER]
    purposes = read_mailbox_purposes(look.graph, _with_address(users)[:_MOST_LOOKED_AT])
    known = {one["id"]: _purpose(one, purposes) for one in users}
    for one in members:
        _tell_member(look, name, one, known.get(one["id"], NONE))
    if all(purpose == NONE for purpose in known.values()):
        rule = "no direct member of it is a mailbox, so the application would reach none"
        look.refuse(where, name, rule, "Add the mailboxes themselves as members.")
    if (unseen := list(known.values()).count(NOT_KNOWN)) > 0:
        reason = f"whether {unseen} of its members are mailboxes was not seen"
        step = f"User.Read.All and MailboxSettings.Read show it, for {_MOST_LOOKED_AT} members of a group at most."
        look.tell("members_unknown", name, NOT_KNOWN, reason, step)
    return tuple(str(one["mail"]) for one in _with_address(users) if known[one["id"]] not in (NONE, NOT_KNOWN))


def _with_address(users: list[Json]) -> list[Json]:
    return [one for one in users if one.get("mail")]


def _purpose(user: Json, purposes: dict[str, str]) -> str:
    """Graph gives nothing but the id of a member that this sign-in may not read, so a missing address tells nothing."""
    if not user.get("mail"):
        return NONE if user.get("userPrincipalName") else NOT_KNOWN
    return purposes.get(user["id"], NOT_KNOWN)


def _tell_member(look: _Lookup, name: str, member: Json, purpose: str) -> None:
    called = str(member.get("mail") or member.get("userPrincipalName") or member.get("displayName") or member["id"])
    subject = f"{name}: {called}"
    if member.get("@odata.type") == _NESTED:
        reason = "it is a group in the group; only direct members count, so its mailboxes are not reached"
        look.tell("nested_group", subject, FAIL, reason, "Add its mailboxes themselves as members.")
    elif purpose == NONE:
        reason = "this member has no mailbox, so the application does not reach it"
        look.tell("not_mail_enabled", subject, FAIL, reason, "Take it out, or give it a mailbox.")
    elif purpose == "shared":
        _tell_shared(look, called)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Senders in the tenant: whether an address is a mailbox there, and whether its domain is the tenant's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.entra.grants import MOST_CLAUSES
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json, odata_literal
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

_SELECT = "id,accountEnabled,mail,proxyAddresses,userPrincipalName"
NONE, NOT_KNOWN = "none", "unknown"


@dataclass(frozen=True, slots=True)
class SenderState:
    """One sender address in the tenant.

    ``mailbox`` is Exchange's word for its purpose (``user``, ``shared``, ``room`` ...), ``none`` or ``unknown``;
    ``domain_verified`` is None when it cannot be told. ``result`` is pass, fail or unknown.
    """

    address: str
    domain: str
    domain_verified: bool | None
    user: Json | None
    mailbox: str
    result: str
    reason: str
    next_step: str | None

    def as_dict(self) -> dict[str, Any]:
        """One item of the return value ``senders``."""
        user = self.user or {}
        primary = f"SMTP:{self.address}".lower() == next(iter(_primary(user)), "").lower()
        return {
            "address": self.address,
            "domain": self.domain,
            "domain_verified": self.domain_verified,
            "exists": self.user is not None,
            "user_id": user.get("id"),
            "user_principal_name": user.get("userPrincipalName"),
            "sign_in_enabled": user.get("accountEnabled"),
            "primary_address": primary if self.user else None,
            "mailbox": self.mailbox,
            "result": self.result,
            "reason": self.reason,
            "next_step": self.next_step,
        }


def read_sender_addresses(graph: Graph, addresses: Iterable[str]) -> list[SenderState]:
    """Look up sender addresses.

    :param graph: the tenant's Microsoft Graph
    :param addresses: as they were declared: name@domain
    :returns: one item per address, each address once, in the order given
    :raises Refused: with everything that is no address
    :raises GraphError: people cannot be read
    """
    domains, problems = {}, []
    for address in dict.fromkeys(addresses):
        try:
            domains[address] = domain_of(address)
        except BadAddress as error:
            way_out = "Correct the address."
            problems.append(ENTRA_RULES.told("senders", "senders", str(address), str(error), way_out))
    if problems:
        raise Refused(problems)
    users = _find_users(graph, list(domains))
    verified = _verified_domains(graph)
    boxes = read_mailbox_purposes(graph, users.values())
    return [
        _judge(address, domain, users.get(address), None if verified is None else domain in verified, boxes)
        for address, domain in domains.items()
    ]


def _find_users(graph: Graph, addresses: list[str]) -> dict[str, Json]:
    """The account of each address: one that has it as an address of its mailbox, else one that signs in with it."""
    found: dict[str, Json] = {}
    size = MOST_CLAUSES // 3
    for start in range(0, len(addresses), size):
        end = start + size
        some = addresses[start:end]
        clauses = [clause for address in some for clause in _clauses(address)]
        users = graph.get_all("users", {"$filter": " or ".join(clauses), "$select": _SELECT})
        for address in some:
            match = [one for one in users if _has(one, address)] or [one for one in users if _is_name(one, address)]
            found |= {address: match[0]} if match else {}
    return found


def _clauses(address: str) -> list[str]:
    """A mailbox has its primary address as SMTP:, others as smtp:; that Graph folds the case is not documented."""
    kinds = [f"proxyAddresses/any(p:p eq {odata_literal(prefix + address)})" for prefix in ("SMTP:", "smtp:")]
    return [*kinds, f"userPrincipalName eq {odata_literal(address)}"]


def _has(user: Json, address: str) -> bool:
    return f"smtp:{address}".lower() in [str(one).lower() for one in user.get("proxyAddresses") or []]


def _is_name(user: Json, address: str) -> bool:
    return str(user.get("userPrincipalName")).lower() == address.lower()


def _primary(user: Json) -> list[str]:
    return [str(one) for one in user.get("proxyAddresses") or [] if str(one).startswith("SMTP:")]


def _verified_domains(graph: Graph) -> set[str] | None:
    """The tenant's verified domains; None when this sign-in may not read them (Domain.Read.All)."""
    try:
        domains = graph.get_all("domains", {"$select": "id,isVerified"})
    except GraphError as error:
        if error.status != 403:
            raise
        return None
    return {one["id"].lower() for one in domains if one["isVerified"]}


def read_mailbox_purposes(graph: Graph, users: Iterable[Json]) -> dict[str, str]:
    """The purpose of each account's mailbox. A shared mailbox needs no licence, so only the mailbox itself can tell.

    :param graph: the tenant's Microsoft Graph
    :param users: accounts, each with its ``id``
    :returns: object id to Exchange's word (``user``, ``shared`` ...) or ``none``; empty when this sign-in may not read
        mailbox settings (MailboxSettings.Read)
    :raises GraphError: one cannot be read for another reason
    """
    found: dict[str, str] = {}
    for user in users:
        if user["id"] in found:
            continue
        try:
            settings = graph.find(f"users/{user['id']}/mailboxSettings", {"$select": "userPurpose"})
            found[user["id"]] = str((settings or {}).get("userPurpose") or NONE)
        except GraphError as error:
            if error.status != 403:
                raise
            return {}
    return found


def _judge(address: str, domain: str, user: Json | None, verified: bool | None, boxes: dict[str, str]) -> SenderState:
    mailbox = boxes.get(user["id"], NOT_KNOWN) if user else NONE
    result, reason, step = _verdict(address, domain, user, verified, mailbox)
    return SenderState(address, domain, verified, user, mailbox, result, reason, step)


def _verdict(
    address: str, domain: str, user: Json | None, verified: bool | None, mailbox: str
) -> tuple[str, str, str | None]:
    if user is None:
        step = "Make a shared mailbox with it, or add it to one, or declare another sender."
        return "fail", "nobody in the tenant has this address", step
    if verified is False:
        return "fail", f"{domain} is not a verified domain of the tenant", f"Verify {domain} in Microsoft 365."
    if mailbox == NONE:
        step = "Give it a licence with Exchange, or make it a shared mailbox."
        return "fail", "the account has no mailbox in Exchange Online", step
    if not _has(user, address):
        step = "Add the address to the mailbox, or declare the one that it has."
        return "fail", "somebody signs in with it, but it is no address of a mailbox", step
    if mailbox == NOT_KNOWN:
        step = "Grant the automation MailboxSettings.Read to know for sure."
        return "unknown", "the address is there; whether its mailbox is active cannot be read", step
    if verified is None:
        return "unknown", "the mailbox is there; domains cannot be read", "Grant the automation Domain.Read.All."
    return "pass", f"a {mailbox} mailbox has this address", None

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People, mailboxes and domains of the test tenant, and what has been deleted there."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.servers.entra import odata
from ansible_collections.mailroom.erp.tests.servers.entra.applications import readable
from ansible_collections.mailroom.erp.tests.servers.entra.call import (
    OWN_APPLICATIONS,
    READ_DELETED,
    USER_DEFAULTS,
    Answer,
    Call,
)
from ansible_collections.mailroom.erp.tests.servers.entra.odata import absent
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import check_complex


def list_users(call: Call) -> Answer:
    call.need({"User.Read.All"})
    users = [{n: v for n, v in one.items() if n != "mailboxSettings"} for one in call.state["users"].values()]
    return call.collection("user", users, USER_DEFAULTS)


def get_mailbox_settings(call: Call, object_id: str) -> Answer:
    call.need({"MailboxSettings.Read"})
    settings = call.seen("users", object_id)["mailboxSettings"]
    if settings is None:
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        raise odata.GraphFault(404, "MailboxNotEnabledForRESTAPI", message)
    check_complex("mailboxSettings", settings)
    return 200, dict(settings)


def list_domains(call: Call) -> Answer:
    call.need({"Domain.Read.All"})
    return call.collection("domain", list(call.state["domains"].values()))


def get_organization(call: Call) -> Answer:
    return call.collection("organization", [{"id": call.directory.tenant_id, "displayName": "Acme"}])


def list_deleted(call: Call, kind: str) -> Answer:
    call.need(READ_DELETED)
    table = f"deleted{kind[0].upper()}{kind[1:]}s"
    items = list(call.state[table].values())
    return call.collection(kind, [readable(one) if kind == "application" else one for one in items])


def restore(call: Call, object_id: str) -> Answer:
    call.need(OWN_APPLICATIONS)
    try:
        kind, one = call.directory.restore(object_id)
    except KeyError as error:
        raise absent(object_id) from error
    call.wrote = True
    return call.entity(kind, readable(one) if kind == "application" else one)

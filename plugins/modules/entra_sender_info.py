#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sender addresses are mailboxes in a Microsoft Entra tenant."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_sender_info
short_description: Tell which sender addresses are mailboxes in a Microsoft Entra tenant
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Exchange Online sends only as addresses that exist. Looks up each sender address, whether it belongs to a mailbox,
    and whether its domain is verified in the tenant, and says what to do about those that are missing.
  - A shared mailbox counts, also when nobody can sign in to it.
  - What the sign-in may not read is V(unknown), never a pass. It needs C(User.Read.All), C(MailboxSettings.Read) and
    C(Domain.Read.All).
  - Writes nothing anywhere.
extends_documentation_fragment:
  - mailroom.erp.entra
  - mailroom.erp.reads
options:
  senders:
    description: The sender addresses, for example those that an ERP environment resolves to.
    type: list
    elements: str
    required: true
  unique_name:
    description:
      - The unique name of the application that sends, which may be only planned. Given, RV(application) says which
        mailboxes it may send from, and a sender outside them is V(fail).
      - What Exchange has assigned to it (M(mailroom.erp.entra_mail_scope)) is seen with
        C(RoleManagement.Read.Exchange), the members of a group with C(GroupMember.Read.All), those of an administrative
        unit with C(AdministrativeUnit.Read.All). Without them a sender of which it is not known is V(unknown).
    type: str
"""

EXAMPLES = r"""
- name: Are all senders there
  mailroom.erp.entra_sender_info:
    tenant: "{{ acme_tenant }}"
    senders: [erp@acme.example, payroll@acme.example]
  register: found
  failed_when: found.summary.fail > 0
"""

RETURN = r"""
senders:
  description: Each address once, in the order given.
  type: list
  elements: dict
  returned: always
  contains:
    address:
      description: The address.
      type: str
    domain:
      description: Its domain, as A-labels.
      type: str
    domain_verified:
      description: Whether the domain is verified in the tenant; null when domains cannot be read.
      type: bool
    exists:
      description: Whether anybody in the tenant has it.
      type: bool
    user_id:
      description: The object id of the account, or null.
      type: str
    user_principal_name:
      description: The name of the account, or null.
      type: str
    sign_in_enabled:
      description: Whether the account may sign in; a shared mailbox need not.
      type: bool
    primary_address:
      description: Whether it is the mailbox's primary address.
      type: bool
    mailbox:
      description: What the mailbox is for, V(user), V(shared), V(room) and so on; V(none) or V(unknown).
      type: str
    in_scope:
      description:
        - Whether the application of O(unique_name) may send from it; null without one, or when that is not known.
        - It is what has been granted. Exchange may take two hours to act on it.
      type: bool
    result:
      description: V(pass), V(fail) or V(unknown).
      type: str
    reason:
      description: Why.
      type: str
    next_step:
      description: What to do; null when there is nothing to do.
      type: str
application:
  description: The application that sends; null unless O(unique_name) is given.
  type: dict
  returned: always
  contains:
    exists:
      description: Whether it is there.
      type: bool
    app_id:
      description: The Application (client) ID, or null.
      type: str
    granted:
      description: What the whole tenant has granted to it.
      type: list
      elements: str
    every_mailbox:
      description:
        - V(true) when that lets it send as every mailbox, V(false) when Exchange limits it to RV(application.scopes).
        - Null when it is only planned, or when this sign-in may not see what Exchange has assigned.
      type: bool
    scopes:
      description: What Exchange has assigned to it for sending, as Graph writes it; empty when all mailboxes count.
      type: list
      elements: str
      sample: [/Users/0a1b2c3d-0000-4000-8000-000000000001]
summary:
  description: How many pass, fail and are not known.
  type: dict
  returned: always
  sample: {pass: 3, fail: 1, unknown: 0}
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: always
"""

from collections import Counter

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import Task, run_entra_module
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.people import read_sender_addresses
from ansible_collections.mailroom.erp.plugins.module_utils.entra.reach import judged_by_reach, read_reach


def _work(task: Task) -> Result:
    with task.connected() as (graph, _token):
        senders = read_sender_addresses(graph, task.params["senders"])
        name = task.params["unique_name"]
        reach = read_reach(graph, name) if name else None
    if reach:
        senders = [judged_by_reach(reach, sender) for sender in senders]
    count = Counter(sender.result for sender in senders)
    return {
        "changed": False,
        "application": reach.as_dict() if reach else None,
        "senders": [{**sender.as_dict(), "in_scope": reach.has(sender.user) if reach else None} for sender in senders],
        "summary": {result: count[result] for result in ("pass", "fail", "unknown")},
        "requests": graph.requests,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=module_spec("entra_sender_info"), supports_check_mode=True)
    run_entra_module(module, _work)


if __name__ == "__main__":
    main()

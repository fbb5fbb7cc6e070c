#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and start of ``entra_automation``; the work is in ``module_utils/entra``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_automation
short_description: The application that an automation signs in to Microsoft Entra with
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Makes the automation's own application with its service principal and grants what it needs at run time, which are
    C(Application.ReadWrite.OwnedBy) and C(Application.Read.All) of Microsoft Graph, and more to look at senders and
    scopes. Nothing else is ever granted by it.
  - A person runs it, once per tenant. The sign-in of an application is refused.
  - The playbook C(mailroom.erp.entra_bootstrap) calls it.
options:
  unique_name:
    description: The unique name of the application, by which it is found again.
    type: str
    default: mailroom-automation
  display_name:
    description: What people call it.
    type: str
    default: Mailroom automation
  read_senders:
    description: Whether it may see if senders are mailboxes of the tenant (C(User.Read.All), C(Domain.Read.All) and
      C(MailboxSettings.Read)).
    type: bool
    default: true
  read_scopes:
    description: Whether it may see which mailboxes Exchange lets applications use (C(RoleManagement.Read.Exchange)). To
      say which is a person's work, see M(mailroom.erp.entra_mail_scope).
    type: bool
    default: false
extends_documentation_fragment:
  - mailroom.erp.entra
seealso:
  - module: mailroom.erp.entra_app_credential
"""

EXAMPLES = r"""
- name: The automation's own application
  mailroom.erp.entra_automation:
    tenant: {tenant_id: 11111111-2222-3333-4444-555555555555, azure_cli: true}
  register: automation
"""

RETURN = r"""
app_id:
  description: The Application (client) ID that the automation signs in with; null when it is only planned.
  type: str
  returned: success
service_principal_id:
  description: The object id of the service principal; null when it would be made.
  type: str
  returned: success
granted:
  description: What it may do, or would in check mode.
  type: list
  elements: str
  returned: success
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.automation import automation, check_person
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import Task, difference, run_entra_module
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import register


def _work(task: Task) -> Result:
    params = task.params
    looks = {"read_senders": params["read_senders"], "read_scopes": params["read_scopes"]}
    wanted = automation(params["unique_name"], params["display_name"], **looks)
    with task.connected() as (graph, token):
        check_person(wanted, token)
        outcome = register(graph, wanted, token, task.write)
    task.warnings += outcome.plan.warnings
    return {
        "changed": outcome.plan.changes,
        "diff": difference(f"{wanted.subject} (application)", outcome.plan.before, outcome.plan.after),
        "app_id": (outcome.found.application or {}).get("appId"),
        "service_principal_id": (outcome.found.principal or {}).get("id"),
        "granted": outcome.plan.after.get("granted", []),
        "requests": graph.requests,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=module_spec("entra_automation"), supports_check_mode=True)
    run_entra_module(module, _work)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The application, service principal and permissions that an ERP needs in Microsoft Entra."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_app_registration
short_description: Register an application in Microsoft Entra, with the permissions an ERP needs to send mail
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Makes one application and its service principal, requests its application permissions and gives the administrator's
    consent to them, however often it is run.
  - The application is found by a unique name that Entra keeps, so neither a namesake nor a run that died leads to a
    second one. A deleted one is restored.
  - Only permissions that an ERP needs to send mail are ever granted, and never to the application that the automation
    signs in with. Consent needs a right that the automation should not have at run time; docs/entra.md tells who does
    what.
extends_documentation_fragment:
  - mailroom.erp.entra
options:
  unique_name:
    description:
      - A name of your own that the application gets when it is made, and is found by ever after. It cannot be changed.
    type: str
  app_id:
    description: The Application (client) ID of an application that is there already.
    type: str
  display_name:
    description:
      - What people call the application. A new one is called by its O(unique_name) unless given.
      - Without O(unique_name) and O(app_id) the application is found by it; if several have it, they are named and
        nothing is done.
    type: str
  permissions:
    description: The application permissions that the ERP needs.
    type: list
    elements: dict
    default: []
    suboptions:
      resource:
        description: The API, C(Microsoft Graph), C(Office 365 Exchange Online), or the application id of one.
        type: str
        required: true
      role:
        description: The name of the permission, for example C(Mail.Send).
        type: str
        required: true
  access:
    description:
      - With V(tenant), the permissions hold for every mailbox of the tenant.
      - With V(scoped), they are not granted to the tenant and not requested either, so that single mailboxes can be
        granted by M(mailroom.erp.entra_mail_scope). Grants add up, so both together would limit nothing.
      - Required by O(state=present).
    type: str
    choices: [scoped, tenant]
  consent:
    description:
      - What to do about permissions that are not granted yet when the sign-in may not grant them.
      - V(grant) refuses before anything is written; V(report) does everything else, warns, and returns them in
        RV(grants.missing) for a person to consent to.
    type: str
    choices: [grant, report]
    default: grant
  revoke_tenant_grants:
    description:
      - Take away at once what the whole tenant has granted when O(access=scoped). From then on the application reaches
        only the mailboxes that were granted to it.
      - Refused where Exchange has granted none. Whether those that it has granted are in force already is not looked
        at; M(mailroom.erp.entra_mail_scope) takes the grants away when they are, with O(leave_tenant_grants) here.
    type: bool
    default: false
  leave_tenant_grants:
    description:
      - With O(access=scoped), leave what the whole tenant has granted to M(mailroom.erp.entra_mail_scope), which takes
        it away when the scope is effective. Until then nothing is limited, and a warning says so.
    type: bool
    default: false
  owners:
    description: Object ids of people or service principals that shall own the application. Other owners stay.
    type: list
    elements: str
    default: []
  notes:
    description: What administrators read about the application in Entra. Kept as it is unless given.
    type: str
  exclusive:
    description:
      - The application may have no other application permissions than O(permissions). Each other one must be named in
        O(accept_unknown_grants), and is then taken away.
      - Without it, others are kept and reported.
    type: bool
    default: false
  accept_unknown_grants:
    description: Permissions that may be taken away although nobody declared them, as C(API/permission).
    type: list
    elements: str
    default: []
  catalogue_permissions:
    description: What the catalogue's ERP systems need. The controller sets it; do not set it.
    type: list
    elements: dict
    default: []
    suboptions:
      resource:
        description: As O(permissions[].resource).
        type: str
        required: true
      role:
        description: As O(permissions[].role).
        type: str
        required: true
  state:
    description: With V(absent), the application is deleted with its service principal; Entra keeps both for 30 days.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailroom.erp.entra_app_credential
  - module: mailroom.erp.entra_mail_scope
"""

EXAMPLES = r"""
- name: The application of AFAS Profit, for every mailbox of the tenant
  mailroom.erp.entra_app_registration:
    tenant: "{{ acme_tenant }}"
    unique_name: acme-afas-profit
    display_name: AFAS Profit
    access: tenant
    permissions:
      - {resource: Microsoft Graph, role: Mail.Send}
      - {resource: Microsoft Graph, role: Mail.ReadWrite}

- name: The same at run time, where a person consents
  mailroom.erp.entra_app_registration:
    tenant: "{{ acme_tenant }}"
    unique_name: acme-afas-profit
    display_name: AFAS Profit
    access: tenant
    consent: report
    permissions:
      - {resource: Microsoft Graph, role: Mail.Send}
  register: registered
"""

RETURN = r"""
app_id:
  description: The Application (client) ID; null when it would be made.
  type: str
  returned: always
object_id:
  description: The object id of the application; null when it would be made.
  type: str
  returned: always
service_principal_id:
  description: The object id of the service principal; null when it would be made.
  type: str
  returned: always
directory_id:
  description: The Directory (tenant) ID.
  type: str
  returned: always
unique_name:
  description: The unique name; null for an application that was made without one.
  type: str
  returned: always
display_name:
  description: The display name.
  type: str
  returned: always
grants:
  description: Application permissions, as C(API/permission).
  type: dict
  returned: always
  contains:
    granted:
      description: What is granted to the whole tenant, or would be in check mode.
      type: list
      elements: str
    missing:
      description: What a person still has to consent to.
      type: list
      elements: str
    unknown:
      description: What is granted or requested although nobody declared it.
      type: list
      elements: str
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import Task, difference, run_entra_module
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration import register
from ansible_collections.mailroom.erp.plugins.module_utils.entra.registration_plan import read_wanted_registration


def _work(task: Task) -> Result:
    wanted = read_wanted_registration(task.params, task.tenant.client_id)
    with task.connected() as (graph, token):
        outcome = register(graph, wanted, token, task.write)
    plan, application = outcome.plan, outcome.found.application or {}
    task.warnings += plan.warnings
    return {
        "changed": plan.changes,
        "diff": difference(f"{wanted.subject} (application)", plan.before, plan.after),
        "app_id": application.get("appId"),
        "object_id": application.get("id"),
        "service_principal_id": (outcome.found.principal or {}).get("id"),
        "directory_id": task.tenant.tenant_id,
        "unique_name": application.get("uniqueName", wanted.unique_name),
        "display_name": plan.after.get("display_name"),
        "grants": {"granted": plan.after.get("granted", []), "missing": plan.missing, "unknown": plan.unknown},
        "requests": graph.requests,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=module_spec("entra_app_registration"),
        mutually_exclusive=[("unique_name", "app_id")],
        required_one_of=[("unique_name", "app_id", "display_name")],
        required_if=[("state", "present", ("access",))],
        supports_check_mode=True,
    )
    run_entra_module(module, _work)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consent for the application of another company, such as a vendor's, in Microsoft Entra."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_consent
short_description: Consent to what a vendor's application may do in the name of users, in Microsoft Entra
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Makes the application of another company known to the tenant, and gives the administrator's consent to delegated
    permissions, for named users or for everybody.
  - Who publishes the application is compared with what was declared before anything is consented to. An application of
    another publisher is refused, and one that this module has just made known is taken back.
  - Nothing beyond the declared permissions is ever given. What users or others have consented to themselves is kept and
    reported, unless O(exclusive).
  - Consent is for a person to give; docs/entra.md tells who does what.
extends_documentation_fragment:
  - mailroom.erp.entra
options:
  app_id:
    description: The Application (client) ID of the application, from its vendor.
    type: str
    required: true
  publisher_tenant_id:
    description: The Directory (tenant) ID that the application belongs to, from its vendor.
    type: str
    required: true
  verified_publisher:
    description:
      - The name of the publisher that Microsoft has verified, as Entra shows it beside the application.
      - Not compared unless given.
    type: str
  resource:
    description: The API that the permissions are of, by name or by application id.
    type: str
    default: Microsoft Graph
  scopes:
    description:
      - The delegated permissions, for example C(SMTP.Send). Required by O(state=present).
      - With O(state=absent), only these are taken away; all of them unless given.
    type: list
    elements: str
    default: []
  users:
    description:
      - Who may use the application, each by user principal name, address or object id.
      - O(state=present) needs it, or O(all_users).
    type: list
    elements: str
    default: []
  all_users:
    description: Whether the consent is for every user of the tenant.
    type: bool
    default: false
  exclusive:
    description: Whether everything else that the application may do in the name of anybody is taken away.
    type: bool
    default: false
  state:
    description:
      - With V(absent), the consent is taken away, for all who have it unless O(users) or O(all_users) say for whom.
      - The application stays known to the tenant.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailroom.erp.entra_app_registration
"""

EXAMPLES = r"""
- name: KING ERP may send mail as the user who signs in
  mailroom.erp.entra_consent:
    tenant: "{{ acme_tenant }}"
    app_id: "{{ king_app_id }}"
    publisher_tenant_id: "{{ king_publisher_tenant_id }}"
    scopes: [SMTP.Send, offline_access]
    users: [invoices@acme.example]

- name: No more
  mailroom.erp.entra_consent:
    tenant: "{{ acme_tenant }}"
    app_id: "{{ king_app_id }}"
    publisher_tenant_id: "{{ king_publisher_tenant_id }}"
    state: absent
"""

RETURN = r"""
app_id:
  description: The Application (client) ID.
  type: str
  returned: always
service_principal_id:
  description: The object id of the service principal; null when it would be made.
  type: str
  returned: always
publisher:
  description: Who publishes the application; null when the tenant does not know it yet.
  type: dict
  returned: always
  contains:
    tenant_id:
      description: The tenant that it belongs to.
      type: str
    verified_name:
      description: The publisher that Microsoft has verified, or null.
      type: str
grants:
  description: For whom and for which API, to the permissions that hold, or would in check mode.
  type: dict
  returned: always
  sample: {"invoices@acme.example: Microsoft Graph": [SMTP.Send, offline_access]}
beyond:
  description: What was granted although nobody declared it.
  type: list
  elements: str
  returned: always
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: always
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent import read_wanted_consent
from ansible_collections.mailroom.erp.plugins.module_utils.entra.consent_run import consent
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import Task, difference, run_entra_module
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec


def _work(task: Task) -> Result:
    wanted = read_wanted_consent(task.params)
    with task.connected() as (graph, token):
        outcome = consent(graph, wanted, token, task.write)
    task.warnings += outcome.warnings
    plan, principal = outcome.plan, outcome.found.principal
    return {
        "changed": plan.changes,
        "diff": difference(f"{wanted.app_id} (consent)", plan.before, plan.after),
        "app_id": wanted.app_id,
        "service_principal_id": principal["id"] if principal else None,
        "publisher": _publisher(principal) if principal else None,
        "grants": plan.after,
        "beyond": plan.beyond,
        "requests": graph.requests,
    }


def _publisher(principal: dict[str, Any]) -> Result:
    verified = principal.get("verifiedPublisher") or {}
    return {"tenant_id": principal.get("appOwnerOrganizationId"), "verified_name": verified.get("displayName")}


def main() -> None:
    module = AnsibleModule(argument_spec=module_spec("entra_consent"), supports_check_mode=True)
    run_entra_module(module, _work)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is live of mail in Microsoft Entra tenants."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_adopt_info
short_description: Read which applications of Microsoft Entra tenants may send mail, to write a declaration from it
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Tells of each tenant its verified domains; the applications that hold a permission to send mail, granted by the
    tenant, limited by a role of Exchange Online or consented to by people; and when their secrets and certificates end.
    A secret is never read.
  - Microsoft's own applications and the one of the sign-in are left out.
  - It needs C(Application.Read.All). What the sign-in may not read beside that is told in RV(tenants[].unread), with
    the permission that is missing.
  - The playbook C(mailroom.erp.adopt) makes an inventory of it. Writes nothing anywhere.
extends_documentation_fragment:
  - mailroom.erp.entra
  - mailroom.erp.entra.tenants
  - mailroom.erp.reads
options:
  tenant:
    required: false
  tenants:
    description:
      - Several tenants, each as O(tenant). They are read at the same time, and what fails in one stops no other.
    type: list
    elements: dict
  senders:
    description:
      - Addresses to look up in the tenant that has verified their domain.
    type: list
    elements: str
    default: []
  dir:
    description: The folder of an inventory; the senders of ERP environments that were answered there are looked up,
      too. The controller reads it.
    type: path
seealso:
  - module: mailroom.erp.mail_adopt_info
  - module: mailroom.erp.entra_sender_info
"""

EXAMPLES = r"""
- name: Read who may send
  mailroom.erp.entra_adopt_info:
    tenants: ["{{ acme_tenant }}", "{{ beta_tenant }}"]
  register: found
"""

RETURN = r"""
tenants:
  description: What was read of each tenant, in the order given.
  type: list
  elements: dict
  returned: always
  contains:
    tenant_id:
      description: The Directory (tenant) ID.
      type: str
    problem:
      description: Why it could not be read; null where it could.
      type: str
    unread:
      description: What this sign-in may not read, with the permission that is missing.
      type: dict
      sample: {scopes: this sign-in may not read it without RoleManagement.Read.Exchange}
    domains:
      description: The verified domains.
      type: list
      elements: str
    applications:
      description: The applications that may send.
      type: list
      elements: dict
      contains:
        app_id:
          description: The Application (client) ID.
          type: str
        display_name:
          description: What people call it.
          type: str
        unique_name:
          description: The name that it was made with; null where it was made by hand, or elsewhere.
          type: str
        own:
          description: Whether it is an application of this tenant.
          type: bool
        publisher_tenant_id:
          description: The tenant that owns it.
          type: str
        publisher:
          description: Whom Microsoft has verified as its publisher, or null.
          type: str
        permissions:
          description: What the whole tenant has granted to it, of mail.
          type: list
          elements: str
        every_mailbox:
          description: Whether it may send as every mailbox.
          type: bool
        scopes:
          description: What Exchange has assigned to it, each with C(role) and C(place); a mailbox by its address where
            that can be read.
          type: list
          elements: dict
        consent:
          description: What people consented to, each with C(resource), C(scopes) and C(user), null for everybody.
          type: list
          elements: dict
        credentials:
          description: Its secrets and certificates, each with C(kind), C(name) and C(ends).
          type: list
          elements: dict
    senders:
      description: The senders at its domains, as M(mailroom.erp.entra_sender_info) returns them.
      type: list
      elements: dict
    requests:
      description: How many requests were sent to Microsoft Graph.
      type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.adoption.live_tenants import read_tenants
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec


def main() -> None:
    module = AnsibleModule(
        argument_spec=module_spec("entra_adopt_info"),
        required_one_of=[("tenant", "tenants")],
        supports_check_mode=True,
    )
    module.exit_json(changed=False, tenants=read_tenants(module))


if __name__ == "__main__":
    main()

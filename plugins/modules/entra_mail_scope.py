#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mailboxes an application may use in Exchange Online."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_mail_scope
short_description: Say which mailboxes an application may send from in Exchange Online
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Limits an application to some mailboxes, by Exchange's Role Based Access Control for Applications.
  - Grants add up, so a scope limits nothing while the whole tenant grants the same right. The scope is granted first.
    The grant of the whole tenant is taken away when Exchange must have seen the scope (O(settle)), never before. At
    every moment the application has the right, from one of the two.
  - What Exchange has granted is read back at once. That it is in force cannot be seen over Graph at all, and no message
    can show it while the whole tenant grants the same. Microsoft says that it takes 30 minutes to 2 hours.
    RV(scope.state) tells these cases apart.
  - When an assignment was first seen is in no answer of Graph. The module writes it down in a tag of the application.
  - Uses Microsoft Graph beta (C(/roleManagement/exchange)), which Microsoft may change and does not support in
    production; RV(powershell) has the same as commands.
  - Needs the permission C(RoleManagement.ReadWrite.Exchange), which can grant every right in Exchange, so it is for a
    person; docs/entra.md tells who does what. An unchanged application needs C(RoleManagement.Read.Exchange) only.
extends_documentation_fragment:
  - mailroom.erp.entra
options:
  unique_name:
    description:
      - The unique name of the application, as M(mailroom.erp.entra_app_registration) gave it. In check mode the
        application may be only planned.
    type: str
  app_id:
    description: The Application (client) ID of the application.
    type: str
  roles:
    description:
      - What the application may do with the mailboxes, as Exchange calls it.
      - The whole tenant's grants of the same name are taken away, those of other permissions are left alone.
    type: list
    elements: str
    required: true
    choices:
      - Application Mail.ReadWrite
      - Application Mail.Send
      - Application SMTP.SendAsApp
  mailboxes:
    description:
      - The addresses of the mailboxes. One of O(mailboxes), O(groups), O(administrative_unit) and O(custom_scope) is
        given with O(state=present).
    type: list
    elements: str
    default: []
  groups:
    description:
      - Groups whose direct members are the mailboxes, each by object id, address or display name.
      - A group must have an address. A group in a group does not count, and is a finding.
    type: list
    elements: str
    default: []
  administrative_unit:
    description: The administrative unit whose members are the mailboxes, by object id or display name.
    type: str
  custom_scope:
    description:
      - A management scope of Exchange that is there already, by id or name. Which mailboxes its filter finds cannot be
        seen over Graph.
    type: str
  settle:
    description:
      - After how many minutes Exchange must have seen an assignment. Microsoft says 120 at most.
      - With V(0) the grant of the whole tenant goes at once, and the application may be refused for up to two hours.
    type: int
    default: 120
  confirmed_assignments:
    description:
      - Ids from RV(roles[].assignments[].id) of which somebody says that Exchange acts on them, because they are more
        than two hours old.
      - For assignments whose age is not known, because somebody else made them, or because the sign-in may not write to
        the application. Of those whose age is known, the age decides.
      - That a command of RV(checks) says C(InScope) is not enough, as these commands look past what Exchange remembers.
    type: list
    elements: str
    default: []
  exclusive:
    description:
      - Take away every other scope of O(roles) that the application has, when the grant of the whole tenant may go.
      - Without it, others are kept and reported.
    type: bool
    default: false
  state:
    description:
      - With V(absent), every scope of O(roles) is taken away from the application, which may then send from no mailbox.
      - What the whole tenant has granted is left alone.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailroom.erp.entra_app_registration
"""

EXAMPLES = r"""
- name: AFAS Profit sends from two mailboxes only
  mailroom.erp.entra_mail_scope:
    tenant: "{{ acme_tenant }}"
    unique_name: acme-afas-profit
    roles: [Application Mail.Send, Application Mail.ReadWrite]
    mailboxes: [erp@acme.example, payroll@acme.example]
  register: scope

- name: KING over SMTP, for the direct members of a group
  mailroom.erp.entra_mail_scope:
    tenant: "{{ acme_tenant }}"
    unique_name: acme-king
    roles: [Application SMTP.SendAsApp]
    groups: [king-senders@acme.example]
    confirmed_assignments: "{{ king_confirmed_assignments }}"    # made by hand, days ago
"""

RETURN = r"""
app_id:
  description: The Application (client) ID; null when it would be made.
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
scope:
  description: Where the application stands after the run, or would in check mode.
  type: dict
  returned: always
  contains:
    state:
      description:
        - The worst of its roles. V(absent) means that no mailbox is granted, V(granted) that the mailboxes are granted
          and Exchange may not act on it everywhere yet, V(effective) that Exchange must have seen it and that the whole
          tenant does not grant the same right.
        - V(tenant_wide) means that the whole tenant grants the right, so nothing is limited.
      type: str
    effective_at:
      description: When Exchange must have seen the latest assignment (ISO 8601, UTC); null when all were confirmed.
      type: str
roles:
  description: Each of O(roles).
  type: list
  elements: dict
  returned: always
  contains:
    role:
      description: As Exchange calls it.
      type: str
    state:
      description: As RV(scope.state).
      type: str
    effective_by:
      description: V(time) or V(confirmed); null when it is not effective.
      type: str
    assignments:
      description: What Exchange has assigned.
      type: list
      elements: dict
      contains:
        id:
          description: The id of the assignment.
          type: str
        scope:
          description: What it is limited to, as it was declared.
          type: str
    tenant_wide:
      description: Grants of the whole tenant that are still there.
      type: list
      elements: str
findings:
  description: What a person must know.
  type: list
  elements: dict
  returned: always
  contains:
    kind:
      description:
        - V(tenant_wide), V(wider_right), V(undeclared_scope), V(requested), V(not_effective), V(not_remembered);
          V(shared_mailbox), V(mailbox_unknown), V(nested_group), V(not_mail_enabled), V(members_unknown),
          V(custom_scope); V(access_policy).
      type: str
    subject:
      description: What it is about.
      type: str
    result:
      description: V(fail), V(unknown), or V(note) for what is no fault.
      type: str
    reason:
      description: Why.
      type: str
    next_step:
      description: What to do; null when there is nothing to do.
      type: str
checks:
  description: Commands of Exchange Online PowerShell that show whether each mailbox is in scope.
  type: list
  elements: str
  returned: always
powershell:
  description: The same scope as commands of Exchange Online PowerShell.
  type: list
  elements: str
  returned: always
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: always
"""

import datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import Task, difference, run_entra_module
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope import (
    RolePlan,
    WantedScope,
    read_wanted_scope,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.mail_scope_run import ScopeOutcome, bring_scope
from ansible_collections.mailroom.erp.plugins.module_utils.entra.scope_commands import check_commands, scope_commands


def _work(task: Task) -> Result:
    wanted = read_wanted_scope(task.params, task.tenant.client_id)
    with task.connected() as (graph, token):
        outcome = bring_scope(graph, wanted, token, task.write, lambda: datetime.datetime.now(datetime.UTC))
    task.warnings += [f"{wanted.subject}: {one.warning}" for one in outcome.failures]
    return {
        "changed": outcome.changed,
        "diff": difference(f"{wanted.subject} (mailboxes)", outcome.plan.before, outcome.end.after),
        "directory_id": task.tenant.tenant_id,
        **_application(wanted, outcome),
        "scope": outcome.as_dict(),
        "roles": [_role(one) for one in outcome.end.roles],
        "findings": [one.as_dict() for one in outcome.findings],
        "requests": graph.requests,
    }


def _application(wanted: WantedScope, outcome: ScopeOutcome) -> Result:
    application, principal = outcome.found.application, outcome.found.principal
    told: Result = {"app_id": None, "service_principal_id": None, "checks": [], "powershell": []}
    if application is not None:
        told["app_id"] = application["appId"]
    if application is not None and principal is not None:
        told["service_principal_id"] = principal["id"]
        told["checks"] = check_commands(principal["id"], outcome.places)
        told["powershell"] = scope_commands(wanted, application["appId"], principal["id"], outcome.places)
    return told


def _role(one: RolePlan) -> Result:
    return {
        "role": one.role,
        "state": one.state,
        "effective_by": one.effective_by,
        "assignments": [{"id": held["id"], "scope": str(place)} for place, held in one.kept],
        "tenant_wide": one.still_wide,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=module_spec("entra_mail_scope"),
        mutually_exclusive=[("unique_name", "app_id")],
        required_one_of=[("unique_name", "app_id")],
        supports_check_mode=True,
    )
    run_entra_module(module, _work)


if __name__ == "__main__":
    main()

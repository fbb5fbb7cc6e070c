#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation and start of ``entra_environments``; the work is in ``module_utils/entra``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_environments
short_description: What ERP environments need in Microsoft Entra, with one sign-in for each tenant
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Does for many environments what M(mailroom.erp.entra_app_registration), M(mailroom.erp.entra_app_credential),
    M(mailroom.erp.entra_consent) and M(mailroom.erp.entra_sender_info) do for one, with one sign-in for all of them.
  - Several tenants (O(tenants)) are worked on at the same time, each with its own sign-in.
  - A secret is made only for the environments in O(make_secrets). Before that, its place is proved with a trial value;
    its value is stored before the result is given, and is not in the result.
  - A value that cannot be stored is taken back at once. One that was lost on its way, because a run died, is noticed by
    the next run and replaced.
  - What fails for one environment or tenant does not stop the others. The task fails in the end.
  - The role P(mailroom.erp.mail_entra#role) calls it.
options:
  tenant:
    required: false
  environments:
    description: The environments, each with what it needs.
    type: list
    elements: dict
    required: true
    suboptions:
      environment:
        description: Its name.
        type: str
        required: true
      tenant_id:
        description: The tenant that it belongs to; with O(tenants) only.
        type: str
      customer:
        description: The name of the file of its secret. The tenant's id unless given.
        type: str
      application:
        description: An application of one's own, see M(mailroom.erp.entra_app_registration). Grants are made where the
          sign-in may, and told as missing otherwise.
        type: dict
        suboptions:
          unique_name:
            description: Its unique name.
            type: str
            required: true
          display_name:
            description: Its name for people.
            type: str
          permissions:
            description: The application permissions that it needs.
            type: list
            elements: dict
            default: []
            suboptions:
              resource:
                description: The API, by name or application id.
                type: str
                required: true
              role:
                description: The permission's name.
                type: str
                required: true
          access:
            description: Whether the whole tenant grants the permissions, or Exchange for single mailboxes.
            type: str
            choices: [scoped, tenant]
          owners:
            description: Object ids of its owners.
            type: list
            elements: str
            default: []
          state:
            description: Whether it shall be there.
            type: str
            choices: [present, absent]
            default: present
      credential:
        description: Its secret, see M(mailroom.erp.entra_app_credential).
        type: dict
        suboptions:
          name:
            description: The name of the secret.
            type: str
            required: true
          lifetime:
            description: How long a new secret is valid, in days.
            type: int
            default: 180
          renew_before:
            description: How many days before its end another one is made.
            type: int
            default: 30
          overlap:
            description: How many days the old one stays, once the new one is confirmed.
            type: int
            default: 7
          confirmed_key_id:
            description: The key id of the secret that the ERP has been seen to use.
            type: str
          end_unconfirmed:
            description:
              - Remove the old one after C(overlap) although nobody has confirmed the new one.
              - Whoever still uses the old one cannot sign in from then on.
            type: bool
            default: false
          made_before:
            description:
              - A secret that was made before this day or moment (ISO 8601, UTC) is made anew, for example because
                somebody has read it who should not.
            type: str
          stored_key_id:
            description: The key id of the secret that is stored; the controller fills it in.
            type: str
            default: ""
          asked_since:
            description: Since when a secret was asked for that was never stored (ISO 8601); the controller fills it in.
            type: str
      consent:
        description: Consent for the application of somebody else, see M(mailroom.erp.entra_consent).
        type: dict
        suboptions:
          app_id:
            description: The application's id.
            type: str
            required: true
          publisher_tenant_id:
            description: The tenant of its publisher.
            type: str
            required: true
          scopes:
            description: What is consented to.
            type: list
            elements: str
            default: []
          users:
            description: Who consents.
            type: list
            elements: str
            default: []
          state:
            description: Whether the consent shall be there.
            type: str
            choices: [present, absent]
            default: present
      scope:
        description:
          - The mailboxes that the application may use, see M(mailroom.erp.entra_mail_scope), for each permission that
            Exchange can limit. With C(access=scoped) only. The whole tenant's grants are left to it.
          - What this sign-in may not do, and what stands in the way, is told and stops nothing else.
        type: dict
        suboptions:
          mailboxes:
            description: Their addresses.
            type: list
            elements: str
            required: true
          settle:
            description: After how many minutes Exchange must have seen an assignment.
            type: int
            default: 120
          confirmed_assignments:
            description: Ids of assignments whose age is not known, and that somebody says Exchange acts on.
            type: list
            elements: str
            default: []
      senders:
        description: Addresses that must be mailboxes of the tenant.
        type: list
        elements: str
        default: []
  parts:
    description: Which parts of the environments are brought to what is declared; the others are left as they are.
    type: list
    elements: str
    choices: [application, credential, consent, scope]
    default: [application, credential, consent, scope]
  make_secrets:
    description: The environments whose secrets are made when they are due. For others it is only told that one is due.
    type: list
    elements: str
    default: []
  secrets_dir:
    description:
      - The folder of the files that secrets are stored in, on the controller. Each customer has one file.
      - The files are encrypted with the vault id of the file, else with the one that Ansible encrypts with.
    type: path
  hand_over:
    description:
      - V(vault) stores secrets in O(secrets_dir), and never returns them.
      - V(return) returns them for somebody else to store; the result is hidden from all output. The files hold
        everything but the values then, and are written by another call, with O(stored).
    type: str
    choices: [vault, return]
    default: vault
  stored:
    description: Entries, by environment, that somebody else has stored. Given, nothing else is done.
    type: dict
    default: {}
  withdraw:
    description: Key ids, by environment, of secrets that could not be stored. Given, they are removed and nothing else
      is done.
    type: dict
    default: {}
  read_senders:
    description: Whether the senders are looked up.
    type: bool
    default: true
  secrets_pipe:
    description: Set by the controller. A named pipe that takes a secret as soon as it is made.
    type: path
  catalogue_permissions:
    description: Set by the controller. What the catalogue's ERP systems may be granted.
    type: list
    elements: dict
    default: []
    suboptions:
      resource:
        description: The API.
        type: str
        required: true
      role:
        description: The permission's name.
        type: str
        required: true
extends_documentation_fragment:
  - mailroom.erp.entra
  - mailroom.erp.entra.tenants
seealso:
  - module: mailroom.erp.entra_app_registration
  - module: mailroom.erp.entra_app_credential
  - module: mailroom.erp.entra_consent
  - module: mailroom.erp.entra_sender_info
"""

EXAMPLES = r"""
- name: Two environments of one tenant
  mailroom.erp.entra_environments:
    tenant: "{{ acme_tenant }}"
    secrets_dir: "{{ inventory_dir }}/mailroom/secrets"
    make_secrets: [acme_profit]
    environments:
      - environment: acme_profit
        application:
          unique_name: mailroom-acme_profit
          display_name: AFAS Profit (acme_profit)
          access: tenant
          permissions:
            - {resource: Microsoft Graph, role: Mail.Send}
            - {resource: Microsoft Graph, role: Mail.ReadWrite}
        credential: {name: mail}
        senders: [erp@acme.example]
      - environment: acme_office
        senders: [office@acme.example]

- name: Environments of several tenants, at the same time
  mailroom.erp.entra_environments:
    tenants: ["{{ acme_tenant }}", "{{ beta_tenant }}"]
    environments:
      - {environment: acme_office, tenant_id: "{{ acme_tenant.tenant_id }}", senders: [office@acme.example]}
      - {environment: beta_office, tenant_id: "{{ beta_tenant.tenant_id }}", senders: [office@beta.example]}
"""

RETURN = r"""
environments:
  description: What came of each environment, by its name.
  type: dict
  returned: success, or when single environments or tenants failed
  contains:
    directory_id:
      description: The Directory (tenant) ID.
      type: str
    app_id:
      description: The Application (client) ID; null when it would be made.
      type: str
    key_id:
      description: The key id of the secret to use; null for one that would be made.
      type: str
    end_date_time:
      description: When it ends (ISO 8601, UTC).
      type: str
    secret_due:
      description: Why a secret is to be made that was not made; else null.
      type: str
    lost:
      description: Key ids of secrets whose values were lost.
      type: list
      elements: str
    retiring:
      description:
        - What is still valid and will be removed later, each with C(key_id), C(end_date_time), C(gone_at), when it
          stops to work at the latest, and C(why).
      type: list
      elements: dict
    removed:
      description: Key ids of secrets that were removed, or would be.
      type: list
      elements: str
    confirmed:
      description: Whether C(confirmed_key_id) names the secret to use.
      type: bool
    missing_grants:
      description: Permissions that a person still has to consent to.
      type: list
      elements: str
    unknown_grants:
      description: Permissions that nobody declared.
      type: list
      elements: str
    consent:
      description: For whom and for which API, to the delegated permissions that hold.
      type: dict
    consent_missing:
      description: Whether a person still has to consent to the vendor's application.
      type: bool
    scope:
      description:
        - Where the application stands with its mailboxes, C(state) and C(effective_at) as
          M(mailroom.erp.entra_mail_scope) returns them (null when that is not known), and what is C(open).
        - Null when none are declared.
      type: dict
    senders:
      description: The senders, as M(mailroom.erp.entra_sender_info) returns them.
      type: list
      elements: dict
    stored:
      description: The C(file) and the C(variable) of the secret; null when somebody else keeps it.
      type: dict
    changed:
      description: Whether anything of it was changed.
      type: bool
    diff:
      description: Its part of RV(ignore:diff).
      type: list
      elements: dict
    problems:
      description: What failed, one sentence each.
      type: list
      elements: str
differs:
  description: Whether a tenant was not as declared before this run; the same as RV(ignore:changed).
  type: bool
  returned: success
due:
  description: The environments whose secrets are to be made and were not.
  type: list
  elements: str
  returned: success
secrets:
  description: With O(hand_over=return), the values of new secrets by environment.
  type: dict
  returned: when they are handed back
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.tenants_run import run_entra_environments


def main() -> None:
    module = AnsibleModule(
        argument_spec=module_spec("entra_environments"),
        required_one_of=[("tenant", "tenants")],
        supports_check_mode=True,
    )
    run_entra_environments(module)


if __name__ == "__main__":
    main()

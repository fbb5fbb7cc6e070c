#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an application signs in with: a secret, a certificate, or tokens of somebody else."""

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_app_credential
short_description: Give an application in Microsoft Entra a secret, a certificate or a federated credential
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Keeps one named credential of an application. It is made once, and made anew only when it is about to end.
  - A rotation has no gap. The new secret is made first; the old one stays until O(overlap) has passed and
    O(confirmed_key_id) says that the ERP uses the new one (or O(end_unconfirmed) that nobody is waited for).
  - Only secrets and certificates that this module has made under the same O(name) are ever removed. In Entra they carry
    the name of the collection behind their own.
  - The value of a new secret is returned once, and kept nowhere. The result of such a run is hidden from all output;
    what is registered has it.
extends_documentation_fragment:
  - mailroom.erp.entra
options:
  unique_name:
    description: The unique name of the application, as M(mailroom.erp.entra_app_registration) gave it.
    type: str
  app_id:
    description: The Application (client) ID of the application.
    type: str
  name:
    description: What the credential is called; 3 to 40 letters, digits, dots, hyphens or underscores.
    type: str
    required: true
  kind:
    description: What it is.
    type: str
    required: true
    choices:
      secret: A client secret, which Entra makes.
      certificate: A certificate that is there already.
      federated: Tokens of another identity provider, for example of a CI, so that there is no secret at all.
  lifetime:
    description: How many days a new secret is valid.
    type: int
    default: 180
  renew_before:
    description: How many days before its end a secret is made anew, and the end of a certificate is warned about.
    type: int
    default: 30
  overlap:
    description: How many days the old one stays at least, after a new one was made.
    type: int
    default: 7
  confirmed_key_id:
    description: The key id of the secret or certificate that the ERP has been seen to use.
    type: str
  end_unconfirmed:
    description:
      - Remove the old one after O(overlap) although nobody has confirmed the new one.
      - Whoever still uses the old one cannot sign in from then on.
    type: bool
    default: false
  made_before:
    description:
      - A secret that was made before this day or moment (ISO 8601, UTC) is made anew, for example because somebody has
        read it who should not.
    type: str
  stored_key_id:
    description:
      - The key id of the secret whose value is stored where the ERP's settings are taken from; empty when none is.
      - Unless given, nobody can tell whether the value of a secret was lost on its way, so it is not asked.
    type: str
  replace_lost:
    description:
      - Make another secret when the newest one is not the stored one, because its value was lost.
      - What is newer than the stored one is removed at once, as nobody can have got it. When nothing is stored, the old
        ones stay until the new one is confirmed; beside five of them no more is made.
    type: bool
    default: false
  certificate:
    description: A certificate as PEM, without its private key. Required by O(kind=certificate).
    type: str
  federated:
    description: Which tokens are trusted. Required by O(kind=federated).
    type: dict
    suboptions:
      issuer:
        description: The address of the identity provider, as in the tokens' C(iss).
        type: str
        required: true
      subject:
        description: Whom it vouches for, as in the tokens' C(sub).
        type: str
        required: true
      audience:
        description: Whom the tokens are meant for, as in their C(aud).
        type: str
        default: api://AzureADTokenExchange
      description:
        description: What administrators read about it.
        type: str
  state:
    description: With V(absent), everything that this module has made under this O(name) is removed.
    type: str
    choices: [present, absent]
    default: present
requirements:
  - cryptography >= 42, for certificates
seealso:
  - module: mailroom.erp.entra_app_registration
"""

EXAMPLES = r"""
- name: A secret for AFAS Profit
  mailroom.erp.entra_app_credential:
    tenant: "{{ acme_tenant }}"
    unique_name: acme-afas-profit
    name: profit
    kind: secret
    stored_key_id: "{{ acme_profit_key_id | default('') }}"
    confirmed_key_id: "{{ acme_profit_confirmed | default(omit) }}"
  register: credential

- name: No secret at all for what runs in the CI
  mailroom.erp.entra_app_credential:
    tenant: "{{ acme_tenant }}"
    unique_name: acme-mail-tests
    name: ci-main
    kind: federated
    federated:
      issuer: https://token.actions.githubusercontent.com
      subject: repo:acme/mail:ref:refs/heads/main
"""

RETURN = r"""
app_id:
  description: The Application (client) ID; null when it would be made.
  type: str
  returned: always
directory_id:
  description: The Directory (tenant) ID.
  type: str
  returned: always
secret:
  description: The value of the secret that was made in this run; null when none was made.
  type: str
  returned: always
key_id:
  description: The key id of the secret or certificate to use; null for one that would be made, and for federated ones.
  type: str
  returned: always
end_date_time:
  description: When it ends (ISO 8601, UTC).
  type: str
  returned: always
reason:
  description: Why another one was made, or would be; else null.
  type: str
  returned: always
lost:
  description: Key ids of secrets whose values were lost.
  type: list
  elements: str
  returned: always
removed:
  description: Key ids of what was removed, or would be.
  type: list
  elements: str
  returned: always
retiring:
  description:
    - What is still valid and will be removed later, each with C(key_id), C(end_date_time), C(gone_at), when it
      stops to work at the latest, and C(why).
  type: list
  elements: dict
  returned: always
confirmed:
  description: Whether O(confirmed_key_id) names the one to use.
  type: bool
  returned: always
requests:
  description: How many requests were sent to Microsoft Graph.
  type: int
  returned: always
"""

import datetime

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import (
    WantedCredential,
    read_wanted_credential,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import Keeper
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import (
    Task,
    difference,
    run_entra_module,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import module_spec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.federated import Federated
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Json
from ansible_collections.mailroom.erp.plugins.module_utils.masked_secrets import register_secret


def _work(task: Task) -> Result:
    now = datetime.datetime.now(datetime.UTC)
    wanted = read_wanted_credential(task.params, now)
    result: Result = {"directory_id": task.tenant.tenant_id, "secret": None, "key_id": None, "end_date_time": None}
    result |= {"reason": None, "lost": [], "removed": [], "retiring": [], "confirmed": False}
    with task.connected() as (graph, _token):
        if wanted.kind == "federated":
            app_id, before, after = Federated(graph, wanted).keep(task.write)
            changes = {"changed": before != after, "diff": difference(wanted.subject, before, after), "app_id": app_id}
        else:
            changes = _keep(task, wanted, Keeper(graph, wanted, now))
    return {**result, **changes, "requests": graph.requests}


def _keep(task: Task, wanted: WantedCredential, keeper: Keeper) -> Result:
    outcome = keeper.keep(task.write)
    if outcome.secret is not None:
        register_secret(outcome.secret)
    task.warnings += outcome.warnings
    plan, current = outcome.plan, outcome.current or {}
    return {
        "changed": plan.changes,
        "diff": _diff(wanted, outcome.held, plan.remove, plan.create, keeper.new_end()),
        "app_id": outcome.app_id,
        "secret": outcome.secret,
        "key_id": current.get("keyId"),
        "end_date_time": current.get("endDateTime"),
        "reason": plan.why if plan.create else None,
        "lost": [one["keyId"] for one in plan.lost],
        "removed": [one["keyId"] for one in plan.remove],
        "retiring": [one.as_dict() for one in plan.retiring],
        "confirmed": plan.is_confirmed,
    }


def _diff(wanted: WantedCredential, held: list[Json], removed: list[Json], create: bool, end: str) -> list[Result]:
    before = {one["keyId"]: f"{one['displayName']}, until {one['endDateTime'][:10]}" for one in held}
    after = {key_id: text for key_id, text in before.items() if key_id not in [one["keyId"] for one in removed]}
    if create:
        after["(new)"] = f"{wanted.label}, until {end}"
    return difference(wanted.subject, before, after)


def main() -> None:
    module = AnsibleModule(
        argument_spec=module_spec("entra_app_credential"),
        mutually_exclusive=[("unique_name", "app_id")],
        required_one_of=[("unique_name", "app_id")],
        supports_check_mode=True,
    )
    run_entra_module(module, _work)


if __name__ == "__main__":
    main()

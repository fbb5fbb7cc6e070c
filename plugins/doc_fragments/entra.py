# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the Entra modules share; the mirror of ``module_utils/entra/entra_options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tenant:
    description:
      - The Microsoft Entra tenant, and how to sign in to it. Always given whole; one variable per tenant is usual.
      - Exactly one of O(tenant.client_secret), O(tenant.certificate), O(tenant.federated_token) and O(tenant.azure_cli)
        is given.
      - The tenant of the sign-in is compared with O(tenant.tenant_id) before anything is read or written.
      - An option that does not exist is refused before anything is done, without showing its value.
    type: dict
    required: true
    suboptions:
      tenant_id:
        description: The Directory (tenant) ID, a GUID.
        type: str
        required: true
      client_id:
        description: The Application (client) ID of the automation. Needed unless a person signs in.
        type: str
      client_secret:
        description: A client secret of the automation.
        type: str
      certificate:
        description: A certificate of the automation and its private key, both as PEM.
        type: str
      certificate_passphrase:
        description: What the private key in O(tenant.certificate) is encrypted with.
        type: str
      federated_token:
        description:
          - A token of an identity provider that the automation's federated credential trusts, for example of the CI.
          - It lives for minutes, so read it when the play runs, from the file or the variable that the provider offers.
        type: str
      azure_cli:
        description:
          - Use the sign-in of a person, as C(az login) has left it on the controller.
          - This is for the bootstrap, which gives rights that an automation should not have.
        type: bool
      cloud:
        description: Which of Microsoft's clouds holds the tenant.
        type: str
        choices:
          public: Everybody's.
          usgov: Of the US government, L4.
          usgov_dod: Of the US Department of Defense, L5.
          china: Operated by 21Vianet.
        default: public
      authority:
        description:
          - Where to sign in, instead of the address of O(tenant.cloud), for example C(https://login.example).
          - For a cloud that is not in the list, or a tenant to test with. Goes with O(tenant.graph_url).
        type: str
      graph_url:
        description: Where Microsoft Graph is, without a version. Goes with O(tenant.authority).
        type: str
      ca_file:
        description:
          - Certificate authorities to trust instead of the system's, as a PEM file on the controller.
          - The environment's proxies and certificates are not used then.
        type: path
      timeout:
        description:
          - Seconds to wait for a write to be seen everywhere, and for a service that is busy.
          - New objects usually take seconds, sometimes minutes.
        type: float
        default: 300.0
      poll_interval:
        description: Seconds between two looks while waiting.
        type: float
        default: 1.0
requirements:
  - msal >= 1.35
  - requests >= 2.31
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what it would change, without writing anything anywhere.
    support: full
  diff_mode:
    description: Returns what was and what is, without any secret, when in diff mode.
    support: full
  idempotent:
    description: Changes nothing when the tenant is as declared.
    support: full
  action_group:
    description: Use C(group/mailroom.erp.entra) in C(module_defaults) to give O(tenant) once.
    support: full
    membership: [mailroom.erp.entra]
"""

    TENANTS: str


_TENANTS = r"""
options:
  tenants:
    description:
      - Several tenants, each as O(tenant), which has no say then. Each environment names its own by C(tenant_id).
      - They are worked on at the same time, each with its own sign-in. One without environments is not asked.
    type: list
    elements: dict
"""

# The options are those of one tenant. Not in the class: what judges its YAML there takes plain texts only.
_ONE = ModuleDocFragment.DOCUMENTATION
ModuleDocFragment.TENANTS = _TENANTS + _ONE[_ONE.index("    suboptions:") : _ONE.index("requirements:")]

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_secrets_report``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_secrets_report
short_description: Tell what came of a rotation of secrets
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Prints which secrets were made or removed, whether the new ones work, what a person has to do with them, and which
    old ones end before anybody has confirmed the new one.
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
attributes:
  diff_mode:
    support: full
    description: Gives each host its differences.
options:
  tenants:
    description: What the filter P(mailroom.erp.mail_tenant_results#filter) gave.
    type: list
    elements: dict
    required: true
  due:
    description: The environments for which a secret was due when the run began.
    type: list
    elements: str
    default: []
  trials:
    description: The C(results) of M(mailroom.erp.mail_test), looped over what the filter
      P(mailroom.erp.mail_secret_trials#filter) gave.
    type: list
    elements: dict
    default: []
  credentials:
    description:
      - The C(results) of M(mailroom.erp.entra_app_credential) for other credentials, looped over what the filter
        P(mailroom.erp.mail_other_credentials#filter) gave.
    type: list
    elements: dict
    default: []
  credential_trials:
    description: The C(results) of M(mailroom.erp.mail_test) for these.
    type: list
    elements: dict
    default: []
  alarm_days:
    description: How many days before its end an old secret without a confirmed new one fails its environment.
    type: int
    default: 14
seealso:
  - module: mailroom.erp.entra_environments
  - module: mailroom.erp.erp_outcome
"""

EXAMPLES = r"""
- name: Tell what came of the secrets
  mailroom.erp.erp_secrets_report:
    judged: judged
    tenants: "{{ results }}"
  run_once: true
  register: run
"""

RETURN = r"""
environments:
  description:
    - For each environment of which there is something to tell, what C(changed), what C(failed), C(diff), and
      C(result_file), which is null.
  returned: success
  type: dict
"""

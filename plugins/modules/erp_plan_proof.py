#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_plan_proof``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_plan_proof
short_description: See that a plan may be carried out
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Reads a plan that the playbook C(mailroom.erp.site) has written, and sees that no byte of it was edited, that it has
    not expired, and that enough people have signed it.
  - The guide is C(docs/plan.md), the JSON Schema C(docs/schema/plan-1.json).
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.signed_plan
attributes:
  diff_mode:
    support: none
    description: Changes nothing, so there is no difference to show.
options:
  customer:
    description: For whom the run is, C(mail_run_customer); a plan for another one, or for all, is refused.
    type: str
seealso:
  - module: mailroom.erp.erp_change_plan
"""

EXAMPLES = r"""
- name: See that two people have signed the plan
  mailroom.erp.erp_plan_proof:
    path: plan
    signatures: 2
    allowed_signers: /srv/mailroom/allowed_signers
"""

RETURN = r"""
playbook:
  description: The playbook that made the plan.
  returned: success
  type: str
  sample: site
digest:
  description: The SHA-256 of all that the plan says.
  returned: success
  type: str
made:
  description: When it was made (ISO 8601, UTC).
  returned: success
  type: str
plan_file:
  description: The file of the plan.
  returned: success
  type: str
signed_by:
  description: Who signed it, each person once; empty when nobody has to.
  returned: success
  type: list
  elements: str
valid_until:
  description: Until when it may be carried out (ISO 8601, UTC).
  returned: success
  type: str
"""

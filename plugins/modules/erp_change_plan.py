#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_change_plan``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_change_plan
short_description: Write what a run would do as a plan, or see that it is what was agreed
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Makes a plan, C(mailroom.erp/plan/1), of what the tasks of the playbook C(mailroom.erp.site) have looked at without
    writing anything, and writes it as JSON, with a page for people.
  - With O(agreed), it compares that plan with the one in O(path), and fails with each difference. The playbook
    C(mailroom.erp.apply) writes after that.
  - The guide is C(docs/plan.md), the JSON Schema C(docs/schema/plan-1.json).
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
  - mailroom.erp.play.planned
  - mailroom.erp.signed_plan
attributes:
  check_mode:
    support: full
    description: Writes no plan; compares as ever.
  diff_mode:
    support: none
    description: The plan is the difference.
options:
  records:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_domains) in check mode, with
      O(mailroom.erp.mail_domains#module:tell_plan). With O(playbook=restore) that of
      M(mailroom.erp.mail_records_restore) in check mode.
    type: str
    required: true
  live:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_auth_info) on senders, where
      there were no records to look at.
    type: str
    required: true
  probed:
    description: The name of the variable that holds the result of M(mailroom.erp.smtp_probe). It need not be defined.
    type: str
    required: true
  told:
    description: What else the run was told, by variable. It is a part of what the plan rests on; no secrets.
    type: dict
    default: {}
  confirmed_cautions:
    description: The stamps of what is not to be told again, as the report prints them.
    type: list
    elements: str
    default: []
  inventory_dir:
    description: The folder of the inventory. The plan names what is in it by relative paths.
    type: path
  agreed:
    description: Whether the plan in O(path) is compared, rather than written.
    type: bool
    default: false
  playbook:
    description: The playbook whose way this run goes. A plan of another one is not what this run does.
    type: str
    choices: [site, offboard, restore]
    default: site
  valid:
    description: How many days the plan is valid, which is C(mail_plan_valid); a whole number from 1 to 366.
    type: raw
    default: 7
seealso:
  - module: mailroom.erp.erp_plan_proof
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: Write the plan
  mailroom.erp.erp_change_plan:
    judged: judged
    plan: plan
    records: records
    live: live
    probed: probed
    path: plan
"""

RETURN = r"""
digest:
  description: The SHA-256 of all that the plan says.
  returned: when there is a plan
  type: str
plan_file:
  description: The file of the plan; null when the run refuses something, so that there is none.
  returned: success
  type: str
records_plan:
  description: What O(mailroom.erp.mail_domains#module:agreed_plan) takes.
  returned: with O(agreed)
  type: dict
why:
  description: The plan by its digest, and who signed it, for the snapshot and the journal.
  returned: with O(agreed)
  type: str
"""

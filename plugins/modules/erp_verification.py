#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_verification``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_verification
short_description: Make the report of what is as declared, what drifted, and what somebody must do
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Takes what the tasks of the playbook C(mailroom.erp.verify) found, makes the report C(mailroom.erp/report/1),
    compares it with that of the last run, writes it as JSON, and prints what changed. Nothing changed is one line.
  - The report on all is C(report.json); each customer has one of its own in C(customers), in which no other customer is
    named. They are for the user of Ansible only.
  - The guide is C(docs/verify.md), the JSON Schema C(docs/schema/report-1.json).
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
  - mailroom.erp.play.planned
  - mailroom.erp.dns.resolver
attributes:
  check_mode:
    support: full
    description: Writes no report.
  diff_mode:
    support: none
    description: What changed since the last run is printed.
options:
  records:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_domains) in check mode.
    type: str
    required: true
  live:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_auth_info) on senders, where
      there were no records to look at.
    type: str
    required: true
  audited:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_auth_info) on domains.
    type: str
    required: true
  probed:
    description: The name of the variable that holds the result of M(mailroom.erp.smtp_probe). It need not be defined.
    type: str
    required: true
  reported:
    description: The name of the variable that holds the result of M(mailroom.erp.dmarc_report_info). It need not be
      defined.
    type: str
    required: true
  advanced:
    description: The name of the variable that holds the result of M(mailroom.erp.dmarc_advance) in check mode. It need
      not be defined.
    type: str
    required: true
  confirmed_cautions:
    description: The stamps of what is not to be told again, as the report prints them.
    type: list
    elements: str
    default: []
  snapshot_dir:
    description: The folder of the snapshots and of the journal, which tell when a record was written last.
    type: path
    required: true
  dir:
    description: The folder of the reports, made for this user only.
    type: path
    required: true
  prometheus:
    description:
      - The file that gets the figures for the textfile collector of Prometheus' node_exporter.
      - It holds names of domains and environments, and is readable for all.
    type: path
  archive:
    description: The folder of the archive of reports, which tells whether environments that leave still send.
    type: path
  stopped:
    description: A person's word, by environment the day of the last mail, C(mail_offboard_stopped).
    type: raw
  quiet:
    description: On how many days reports must show no mail, C(mail_offboard_quiet_days).
    type: raw
  fail_on:
    description: What makes the playbook fail, any of V(drift), V(fail), V(unknown) and V(due).
    type: list
    elements: str
    default: [drift, fail, unknown]
seealso:
  - module: mailroom.erp.erp_environments
"""

EXAMPLES = r"""
- name: Tell what differs, and write the report
  mailroom.erp.erp_verification:
    judged: judged
    plan: plan
    records: records
    live: live
    audited: audited
    probed: probed
    reported: reported
    advanced: advanced
    snapshot_dir: mailroom/snapshots
    dir: mailroom/report
  run_once: true
  register: verified
"""

RETURN = r"""
failing:
  description: Which of O(fail_on) were found.
  returned: success
  type: list
  elements: str
failing_text:
  description: The same in words, empty when none was found.
  returned: success
  type: str
report_dir:
  description: The folder of the reports.
  returned: success
  type: str
report_file:
  description: The file of the report on all.
  returned: success
  type: str
state:
  description: How things stand, V(fine), V(attention), V(failing) or V(unknown).
  returned: success
  type: str
"""

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_environments``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_environments
short_description: Write the files of all environments of a play, and tell what came of the run
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Writes or removes the files of each environment for which all was done, as M(mailroom.erp.erp_mail_files) does
    for one. The sheet of one that was left out says so; its settings stay as they are.
  - Prints a report. It has what is wrong, what changed, the senders of which there is something to tell, the
    passwords that end, what to look at, and in one line all environments that are as they were. What holds for three
    of them or more is told once.
  - When something failed, all that is known of the run is kept in C(failed_run.json) beside the folders of the
    environments, for the user of Ansible only. It holds no secret.
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
  - mailroom.erp.play.planned
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would change.
  diff_mode:
    support: full
    description: Returns the differences of each environment, for M(mailroom.erp.erp_outcome).
options:
  records:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_domains).
    type: str
    required: true
  live:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_auth_info) after a change.
    type: str
    required: true
  probed:
    description:
      - The name of the variable that holds what M(mailroom.erp.smtp_probe) returned for
        RV(mailroom.erp.erp_environments_info#module:mail_servers). It need not be defined.
      - What was seen of a mail server stands on the sheets and in the report.
    type: str
    default: ""
  confirmed_cautions:
    description: The stamps of what is not to be told again, as the report prints them.
    type: list
    elements: str
    default: []
seealso:
  - module: mailroom.erp.erp_mail_files
  - module: mailroom.erp.erp_outcome
"""

EXAMPLES = r"""
- name: Write the settings and the sheets of all environments
  mailroom.erp.erp_environments:
    judged: judged
    plan: plan
    records: records
    live: live
  run_once: true
  register: run
"""

RETURN = r"""
environments:
  description:
    - What came of each environment of which there is something to tell, by name.
    - Each has C(changed) and C(failed), lists of sentences, and in diff mode C(diff).
  returned: success
  type: dict
password_ends:
  description:
    - The environments that sign in with a password that their service ends, by the date of its first step.
    - The report names the first five of each kind; here are all of them.
  returned: success
  type: list
  elements: dict
  contains:
    date:
      description: The date of the first step, as YYYY-MM-DD or YYYY-MM; V(unknown) when it is not known.
      returned: always
      type: str
      sample: "2026-12"
    service:
      description: The service of the catalogue.
      returned: always
      type: str
      sample: microsoft365
    text:
      description: All steps in words.
      returned: always
      type: str
    environments:
      description: The names of the environments.
      returned: always
      type: list
      elements: str
result_file:
  description: The file with all that is known of a run in which something failed; null without one.
  returned: success
  type: str
"""

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_mail_tests``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_mail_tests
short_description: Tell what came of one message of each sender
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Prints which messages were sent, refused, or sent before, what their receiver found where they arrived, whether that
    is what the verdict of the sender says, and which environments nobody but the ERP can test.
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
  - mailroom.erp.play.planned
attributes:
  diff_mode:
    support: none
    description: A message is no difference.
options:
  trials:
    description: The C(results) of M(mailroom.erp.mail_test), looped over what the filter
      P(mailroom.erp.mail_sender_tests#filter) gave.
    type: list
    elements: dict
    default: []
seealso:
  - module: mailroom.erp.mail_test
  - module: mailroom.erp.erp_outcome
"""

EXAMPLES = r"""
- name: Tell what came of the messages
  mailroom.erp.erp_mail_tests:
    judged: judged
    plan: plan
    trials: "{{ tried.results }}"
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

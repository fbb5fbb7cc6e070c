#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_handback``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_handback
short_description: Tell where environments that leave stand, and write what is handed back of them
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Called by the playbook C(mailroom.erp.offboard), see C(docs/offboard.md). It runs on the controller.
  - For each environment that leaves it writes C(handback.md), with what it needed, what stays for others and what was
    changed in the DNS, and a zone file for each zone. They hold no secrets.
  - A zone file is what stood there before anything went. It is written as long as nothing may go, and not after that.
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
attributes:
  check_mode:
    support: full
    description: Writes nothing, and tells what it would write.
  diff_mode:
    support: full
    description: Shows each file.
options:
  live:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_adopt_info) on the domains of
      those that leave. It need not be defined.
    type: str
    required: true
  records:
    description: The name of the variable that holds the result of M(mailroom.erp.mail_domains) in check mode, with
      O(mailroom.erp.mail_domains#module:tell_plan). It need not be defined; empty for none.
    type: str
    required: true
  tenants:
    description: What came of each tenant, as the filter P(mailroom.erp.mail_tenant_results#filter) gives it.
    type: list
    elements: dict
    default: []
  dir:
    description: The folder that gets a folder for each environment, which is C(mail_offboard_dir).
    type: path
    required: true
  snapshot_dir:
    description: The folder of the snapshots and the journal.
    type: path
    required: true
  tell:
    description: Whether to print where each environment stands.
    type: bool
    default: true
seealso:
  - module: mailroom.erp.erp_offboarding
"""

EXAMPLES = r"""
- name: Hand back
  mailroom.erp.erp_handback:
    judged: judged
    live: live
    records: looked
    dir: /srv/mailroom/handback
    snapshot_dir: /srv/mailroom/snapshots
"""

RETURN = r"""
files:
  description: The files that were written, or would be.
  returned: success
  type: list
  elements: str
"""

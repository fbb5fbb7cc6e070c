#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_offboarding``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_offboarding
short_description: Decide what may go of the environments that leave
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Called by the playbook C(mailroom.erp.offboard), see C(docs/offboard.md). It runs on the controller, and writes
    nothing.
  - Of each environment with C(erp_mail_state=leaving) it decides which stages are permitted, from the reports in
    O(archive) and from what a person told, and gives back what was judged as it holds then. So the tasks of the
    playbook C(mailroom.erp.site), which follow, take away what may go, and leave the rest as it is.
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
  - mailroom.erp.dns.resolver
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    description: Nothing changes.
options:
  plan:
    description: The name of the variable that holds the result of M(mailroom.erp.erp_environments_plan).
    type: str
    required: true
  complete:
    description: Whether the inventory holds every sender, which is C(mail_dns_complete). Nothing is decided without.
    type: bool
    default: false
  limit:
    description: The limit of the run, C(ansible_limit). Nothing is decided with one.
    type: str
    default: ""
  archive:
    description: The folder that M(mailroom.erp.dmarc_report_info) keeps reports in. Without it only a person's word
      counts.
    type: path
  stopped:
    description: The days of the last mail by environment, which is C(mail_offboard_stopped).
    type: raw
  final:
    description: Whether, or for which environments, the last stage may be done, which is C(mail_offboard_final).
    type: raw
  domains:
    description: The domains that leave as well, which is C(mail_offboard_domains).
    type: raw
  customers:
    description: The customers that leave with all they have, which is C(mail_offboard_customers).
    type: raw
  quiet:
    description: On how many days reports must show no mail, which is C(mail_offboard_quiet_days); 35 unless given.
    type: raw
  selectors:
    description: How many days selectors and terms stay after the last mail, which is C(mail_offboard_selector_days); 14
      unless given.
    type: raw
seealso:
  - module: mailroom.erp.erp_environments_info
  - module: mailroom.erp.erp_handback
"""

EXAMPLES = r"""
- name: Decide what may go of the environments that leave
  mailroom.erp.erp_offboarding:
    judged: judged
    plan: plan
    archive: /srv/mailroom/reports
    stopped: {acme_profit: 2026-11-20}
  register: judged
"""

RETURN = r"""
needs:
  description: As M(mailroom.erp.erp_environments_info) gives them, with C(parts), the state of each part of an
    environment that leaves. All else that it gives is given, too.
  returned: success
  type: dict
offboarding:
  description: C(environments), each that leaves with its C(stages), C(last_mail), C(proof) and what is C(kept) because
    others need it; C(domains), each that leaves with why its policies stay; C(read), what
    M(mailroom.erp.mail_adopt_info) is to read, with accounts; and C(refused), what is wrong, one line each.
  returned: success
  type: dict
"""

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_environments_info``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_environments_info
short_description: Read and judge what all hosts of a play declare
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Reads the variables of the declaration of each host, templated once, and judges them as
    M(mailroom.erp.erp_mail_info) does for one host.
  - In a run for one customer (C(mail_run_customer)) domains of others are left out, and nothing of theirs is templated.
  - What is wrong with a host does not fail the task. It stands in the host's needs, so that it can be told with all
    else that is wrong.
extends_documentation_fragment: [mailroom.erp.play]
attributes:
  diff_mode:
    support: none
    description: Changes nothing, so there is no difference to show.
options:
  hosts:
    description: The names of the hosts, C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
seealso:
  - module: mailroom.erp.erp_environments_plan
  - module: mailroom.erp.erp_mail_info
"""

EXAMPLES = r"""
- name: Judge the declarations of all environments
  mailroom.erp.erp_environments_info:
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
  no_log: true
  register: judged
"""

RETURN = r"""
variables:
  description: For each host the accounts and domains that it declares, with their secrets.
  returned: success
  type: dict
needs:
  description: For each host that declares an environment C(needs), as M(mailroom.erp.erp_mail_info) returns it.
  returned: success
  type: dict
mail_servers:
  description:
    - What to look for at the mail servers of all of them, for O(mailroom.erp.smtp_probe#module:servers).
    - Environments that want the same of the same server share an item.
  returned: success
  type: list
  elements: dict
declarations:
  description: For each of them the declaration, for M(mailroom.erp.erp_environments).
  returned: success
  type: dict
tenants:
  description: What all of them need from Microsoft Entra, as the filter P(mailroom.erp.mail_tenants#filter) gives it.
  returned: success
  type: dict
problems:
  description: The broken rules of these, by their parts.
  returned: success
  type: list
  elements: dict
left_out:
  description: The environments of the inventory that are not among O(hosts).
  returned: success
  type: list
  elements: str
boundary:
  description:
    - In a run for one customer what is that customer's, C(domains); which domains of others lie below these,
      C(foreign_below); variables of the run that are left to a run for all, C(left_to_all); and what would cross the
      boundary, C(problems). With any of these nothing else is returned. Null in a run for all.
  returned: success
  type: dict
cautions:
  description: For each host what works, but not well, one sentence each.
  returned: success
  type: dict
"""

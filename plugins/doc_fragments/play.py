# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules share which the playbook ``site`` calls for all hosts of a play."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
notes:
  - The playbook C(mailroom.erp.site) calls it. It is not meant for tasks of your own; use the role
    P(mailroom.erp.erp_mail#role) for single hosts.
  - It runs in Ansible's own process on the controller, because a task per host would take minutes for hundreds of
    hosts.
attributes:
  check_mode:
    support: full
    description: Writes nothing, so it runs the same in check mode.
"""

    JUDGED = r"""
options:
  judged:
    description: The name of the variable that holds the result of M(mailroom.erp.erp_environments_info).
    type: str
    required: true
"""

    PLANNED = r"""
options:
  plan:
    description: The name of the variable that holds the result of M(mailroom.erp.erp_environments_plan).
    type: str
    required: true
  tenants:
    description: What the filter P(mailroom.erp.mail_tenant_results#filter) gives.
    type: list
    elements: dict
    default: []
"""

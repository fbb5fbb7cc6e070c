#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_outcome``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_outcome
short_description: Give a host its own part of what one task did for all hosts
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Ends as changed, with the differences, or as failed, as M(mailroom.erp.erp_environments) found for the host of
    the task.
  - The message of a failure is a few short lines, and names the file with all of it.
extends_documentation_fragment: [mailroom.erp.play]
attributes:
  diff_mode:
    support: full
    description: Shows the differences that were found.
options:
  run:
    description: The name of the variable that M(mailroom.erp.erp_environments) registered, for all hosts of its play.
    type: str
    required: true
seealso:
  - module: mailroom.erp.erp_environments
"""

EXAMPLES = r"""
- name: Tell what changed and what failed
  mailroom.erp.erp_outcome:
    run: run
"""

RETURN = r"""
what:
  description: What changed, or would, one sentence each.
  returned: always
  type: list
  elements: str
"""

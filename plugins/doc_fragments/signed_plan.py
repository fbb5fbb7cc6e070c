# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules share which read a plan and its signatures."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  path:
    description:
      - The plan, a file whose name ends in C(.json); or the folder that holds it as C(plan.json).
      - A page for people is beside it, C(plan.md), and so are signatures, C(plan.json.<who>.sig).
    type: path
    required: true
  signatures:
    description: How many different people must have signed the plan, which is C(mail_plan_signatures); a whole number.
    type: raw
    default: 0
  allowed_signers:
    description: The file of those who may sign, as C(ssh-keygen) describes it under ALLOWED SIGNERS.
    type: path
"""

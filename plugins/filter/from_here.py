# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path as the person means it who typed it: relative to where they stand, not to a playbook or a role."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.mailroom.erp.plugins.plugin_utils.files.standing_folder import from_here

DOCUMENTATION = r"""
name: from_here
short_description: A path relative to the working directory
version_added: 0.1.0
description:
  - Makes a path absolute that was given on the command line.
  - Modules and roles look beside themselves for a relative path, which is not what somebody means who types one.
options:
  _input:
    description: A path. C(~) is the home of the user who runs Ansible.
    type: str
    required: true
author:
  - The mailroom.erp authors
"""

EXAMPLES = r"""
- name: Show which folder is meant
  ansible.builtin.debug:
    msg: "{{ 'plans/today' | mailroom.erp.from_here }}"
"""

RETURN = r"""
_value:
  description: An absolute path.
  type: str
"""


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name the filters, as Ansible asks for them."""
        return {"from_here": from_here}

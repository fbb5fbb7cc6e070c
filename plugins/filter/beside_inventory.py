# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where files that a run writes may lie: beside the inventory, and never where Ansible would read them as inventory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from ansible_collections.mailroom.erp.plugins.plugin_utils.files.standing_folder import standing_folder

DOCUMENTATION = r"""
name: beside_inventory
short_description: The folder beside an inventory
version_added: 0.1.0
description:
  - Gives the folder that holds the inventory file of a host.
  - When the inventory is a folder, Ansible reads every YAML file below it as inventory, so the folder that holds that
    folder is given instead.
positional: _input, sources
options:
  _input:
    description: The C(inventory_dir) of the host; empty when the inventory is no file.
    type: str
    required: true
  sources:
    description: C(ansible_inventory_sources).
    type: list
    elements: str
    default: []
author:
  - The mailroom.erp authors
"""

EXAMPLES = r"""
- name: Show where the files of this host lie
  ansible.builtin.debug:
    msg: "{{ inventory_dir | mailroom.erp.beside_inventory(ansible_inventory_sources) }}/mailroom"
"""

RETURN = r"""
_value:
  description: An absolute path; the working directory when the inventory is no file.
  type: str
"""


def beside_inventory(inventory_dir: str | None, sources: Iterable[str] = ()) -> str:
    """Find the folder beside an inventory.

    :param inventory_dir: the folder of the host's inventory file, empty when there is none
    :param sources: what was given as inventory: files, folders or lists of hosts
    :returns: an absolute path that Ansible does not read as inventory
    """
    if not inventory_dir:
        return standing_folder()
    folder = os.path.abspath(inventory_dir)
    roots = [os.path.abspath(source) for source in sources if os.path.isdir(source)]
    around = [root for root in roots if os.path.commonpath([root, folder]) == root]
    return os.path.dirname(min(around, key=len)) if around else folder


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name the filters, as Ansible asks for them."""
        return {"beside_inventory": beside_inventory}

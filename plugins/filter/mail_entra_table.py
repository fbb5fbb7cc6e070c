# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each environment has in its tenant, as text that a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.tenant_text import tenant_lines

DOCUMENTATION = r"""
name: mail_entra_table
short_description: A readable table of what each environment has in Microsoft Entra
version_added: 0.1.0
author:
  - The mailroom.erp authors
description:
  - Turns the facts C(mail_entra_made) that the role P(mailroom.erp.mail_entra#role) publishes into text. Each
    environment has a block with its application, its secret, consent and senders, and what a person still has to do.
positional: _input, hosts
options:
  _input:
    description: The variable C(hostvars).
    type: raw
    required: true
  hosts:
    description: The names of the hosts to tell of.
    type: list
    elements: str
    required: true
  width:
    description: The longest line, in characters.
    type: int
    default: 100
"""

EXAMPLES = r"""
- name: Show what each environment has in its tenant
  ansible.builtin.debug:
    msg: "{{ hostvars | mailroom.erp.mail_entra_table(ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
"""


def mail_entra_table(hostvars: Mapping[str, Any], hosts: Iterable[str], width: int = 100) -> str:
    """Lay out what the environments have.

    :param hostvars: the variable of that name
    :param hosts: hosts without the fact are left out
    :param width: the longest line in characters
    :raises AnsibleFilterError: a fact has another shape
    """
    try:
        found = {name: hostvars[name].get("mail_entra_made") for name in map(str, hosts)}
        blocks = [[name, *tenant_lines(plain_value(made), width)] for name, made in found.items() if made]
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"mail_entra_table wants the facts of the role mail_entra: {error!r}") from error
    return "\n\n".join("\n".join(block) for block in blocks if len(block) > 1)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_entra_table": mail_entra_table}

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_mail_config``; the action plugin of the same name has ``erp_config_file`` do the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_mail_config
short_description: Write one ERP environment's mail settings into the file that the ERP reads
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - For ERP systems that are configured by a file, such as Tryton. The catalogue says which keys of which section
    the file has, and from which fields their values come; M(mailroom.erp.erp_config_file) writes them, where the ERP
    runs.
  - The role P(mailroom.erp.erp_mail_file#role) calls it. The secret is read from C(erp_mail_password) in Ansible's own
    process, percent-encoded where it stands in a URI, and handed to the module as a secret; no task has it among its
    options.
  - A system without a file is skipped.
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would change.
  diff_mode:
    support: full
    description: Shows the keys of the catalogue only, secrets masked.
options:
  system:
    description: The ERP system, a name of the catalogue.
    type: str
    required: true
  settings:
    description: The settings of the environment, as M(mailroom.erp.erp_mail_info) returns them. Not used with
      O(state=absent).
    type: dict
    default: {}
  path:
    description: The file. The catalogue's place unless given.
    type: path
  state:
    description: With V(absent) what was written goes, which is known by the mark above it.
    type: str
    choices: [present, absent]
    default: present
  catalogue_systems:
    description: ERP systems of your own, shaped as docs/catalogue.md says.
    type: dict
    default: {}
seealso:
  - module: mailroom.erp.erp_config_file
  - module: mailroom.erp.erp_mail_info
"""

EXAMPLES = r"""
- name: Write what the ERP's file says of mail
  mailroom.erp.erp_mail_config:
    system: tryton
    settings: "{{ judged.settings }}"
    path: /etc/tryton/trytond.conf
  become: true
"""

RETURN = r"""
path:
  description: The file, as given.
  type: str
  returned: success
changed_keys:
  description: The keys whose value changed, or would.
  type: list
  elements: str
  returned: success
"""

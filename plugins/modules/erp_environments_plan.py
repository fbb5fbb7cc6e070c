#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_mail_files``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_mail_files
short_description: Write the files of one ERP environment on the controller
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Writes small text files into one folder on the controller, for their owner only. The folder is made with
    mode 0700 when it is missing, files get mode 0600.
  - A file that is as wanted already is left alone. One that is not is replaced whole.
  - The role P(mailroom.erp.erp_mail#role) writes C(settings.yml), C(sheet.md) and C(sheet.html) with it. It works in
    Ansible's own process, because for hundreds of environments the start of a module per file would take minutes.
notes:
  - It always runs on the controller as the user of Ansible. C(become) has no effect on it.
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would change.
  diff_mode:
    support: full
    description: Shows the difference of each file, the same in check mode as in the run.
options:
  path:
    description: The folder.
    type: path
    required: true
  files:
    description: The text of each file, by its name in the folder.
    type: dict
    required: true
  state:
    description: Whether the files shall be there or not. The folder itself stays.
    type: str
    choices: [present, absent]
    default: present
  secrets:
    description:
      - With V(inline), the value of C(erp_mail_password) is written into C(settings.yml) beside the name of its
        variable. It is read only then, and never shown, in a difference neither.
    type: str
    choices: [reference, inline]
    default: reference
seealso:
  - module: mailroom.erp.erp_mail_info
"""

EXAMPLES = r"""
- name: Write the settings and the sheet
  mailroom.erp.erp_mail_files:
    path: "{{ inventory_dir }}/mailroom/{{ inventory_hostname }}"
    files:
      settings.yml: "{{ judged.settings_yaml }}"
      sheet.md: "{{ judged.sheet }}"
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: The paths of the files that were written or removed, or would be.
  returned: success
  type: list
  elements: str
"""

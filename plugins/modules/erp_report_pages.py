#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_report_pages``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_report_pages
short_description: Make HTML pages of the reports of the playbook verify
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Reads C(report.json) and C(customers/*.json) in a folder, as the playbook C(mailroom.erp.verify) writes them. Makes
    C(index.html) and a page for each customer beside them.
  - A page needs no other file, no script and no network. The page of a customer has nothing of another customer in it.
  - Files get mode 0600, and each is replaced whole. One that is as wanted already is left alone.
  - A report that is missing, broken or of another run is refused before a page is written.
notes:
  - It always runs on the controller as the user of Ansible. C(become) has no effect on it.
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would change.
  diff_mode:
    support: full
    description: Names the pages that change, without their HTML.
options:
  path:
    description: The folder with the reports; the pages go there too.
    type: path
    required: true
  customer:
    description: Make the page of this customer only, and read no other report.
    type: str
  language:
    description: The language of the pages. Texts that come from the report stay English, and are marked as such.
    type: str
    choices: [en, nl]
    default: en
"""

EXAMPLES = r"""
- name: Make the pages of the last run, in Dutch
  mailroom.erp.erp_report_pages:
    path: "{{ inventory_dir }}/mailroom/report"
    language: nl
  delegate_to: localhost
"""

RETURN = r"""
files:
  description: The paths of the pages that were written, or would be.
  returned: success
  type: list
  elements: str
pages:
  description: How many pages there are.
  returned: success
  type: int
"""

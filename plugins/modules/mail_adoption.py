#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of what is live."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_adoption
short_description: Write an inventory of what is live of the mail of domains
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Called by the playbook C(mailroom.erp.adopt), see docs/adopt.md. It runs on the controller.
  - Makes a declaration of what M(mailroom.erp.mail_adopt_info) read, such that the playbook C(mailroom.erp.site) would
    change and refuse nothing, and a file of questions about what it cannot tell. Answers in that file are put in by the
    next run. What a person has edited stays as it is.
  - It reads the variables C(mail_adopt_domains), C(mail_adopt_tenants), C(mail_entra_tenant), C(mail_dns_account),
    C(mail_dns_resolver), C(mail_reports_archive) and C(erp_mail_catalogue_services) as they were given, so that a
    reference to a secret stays a reference. A secret that was given itself is not written; a reference to a variable
    takes its place.
options:
  live:
    description: The variable that holds what M(mailroom.erp.mail_adopt_info) returned.
    type: str
    required: true
  reported:
    description: The variable that holds what M(mailroom.erp.dmarc_report_info) returned; empty for none.
    type: str
    default: ""
  tenants:
    description: The variable that holds what M(mailroom.erp.entra_adopt_info) returned; empty for none.
    type: str
    default: ""
  customer:
    description: For whom the run is, C(mail_run_customer). Only domains of this customer are adopted, into a folder
      that declares no domain of another.
    type: str
  dir:
    description: The folder of the inventory, made when it is not there.
    type: path
    required: true
attributes:
  check_mode:
    description: Writes nothing, and tells what it would write.
    support: full
  diff_mode:
    description: Shows each file.
    support: full
  idempotent:
    description: A second run over the same records writes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Write the inventory and the questions
  mailroom.erp.mail_adoption:
    live: __mail_adopt_live
    dir: /srv/inventory
"""

RETURN = r"""
files:
  description: The files that were written, or would be.
  type: list
  elements: str
  returned: success
new:
  description: The domains that the inventory did not have.
  type: list
  elements: str
  returned: success
environments:
  description: The ERP environments that were put in as hosts.
  type: list
  elements: str
  returned: success
updated:
  description: Domains whose entries got an answer.
  type: list
  elements: str
  returned: success
edited:
  description: Domains with an answer that was not put in, because a person has edited the entry.
  type: list
  elements: str
  returned: success
unread:
  description: Domains that could not be read, each with the reason.
  type: dict
  returned: success
questions:
  description: How many questions are open.
  type: int
  returned: success
"""

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_environments_plan``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_environments_plan
short_description: Add up what all environments need, without those that break rules
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Adds up the needs of all hosts into options of M(mailroom.erp.mail_domains), as the filter
    P(mailroom.erp.mail_needs#filter) does.
  - What breaks a rule is left out with all that depends on it. A domain takes the environments that send as it with
    it, and an environment takes all its needs with it. Its senders still count, so no change may harm them.
extends_documentation_fragment:
  - mailroom.erp.play
  - mailroom.erp.play.judged
attributes:
  diff_mode:
    support: none
    description: Changes nothing, so there is no difference to show.
options:
  looked:
    description:
      - The name of the variable that holds what M(mailroom.erp.mail_domains) returned in check mode, with
        O(mailroom.erp.mail_domains#module:on_refused=skip). Its failures are left out. It need not be defined.
    type: str
    required: true
  probe:
    description: Whether mail servers are looked at, which is C(mail_probe); what is neither true nor false is told as
      wrong.
    type: raw
    default: false
  probed:
    description:
      - The name of the variable that holds what M(mailroom.erp.smtp_probe) returned for
        RV(mailroom.erp.erp_environments_info#module:mail_servers). It need not be defined.
      - A server that is not as an ERP needs it counts for the verdicts of its senders.
    type: str
    default: ""
  tenants:
    description: What the filter P(mailroom.erp.mail_tenant_results#filter) gives. Environments that failed are left
      out.
    type: list
    elements: dict
    default: []
  complete:
    description: Whether this inventory holds every sender of these domains, which is C(mail_dns_complete).
    type: bool
    default: false
  limit:
    description: The pattern of C(--limit), empty when there is none.
    type: str
    default: ""
  accept_stale:
    description: The services whose old addresses are published, which is C(mail_dns_accept_stale).
    type: list
    elements: str
    default: []
  on_refused:
    description: Whether anything may be done while something is left out; V(stop) or V(skip), any other is told as
      wrong.
    type: str
    default: stop
  only_removals:
    description: Whether nothing is planned but what takes records away, as for the playbook C(mailroom.erp.offboard).
    type: bool
    default: false
seealso:
  - module: mailroom.erp.erp_environments_info
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: Add up the needs of all environments
  mailroom.erp.erp_environments_plan:
    judged: judged
    looked: looked
  run_once: true
  no_log: true
  register: plan
"""

RETURN = r"""
domains:
  description: What to make of each domain, for the option of M(mailroom.erp.mail_domains) of this name.
  returned: success
  type: list
  elements: dict
dns:
  description: The DNS account of most domains, with its secrets.
  returned: success
  type: dict
mx_services:
  description: Which services are told by a domain's MX hosts.
  returned: success
  type: list
  elements: dict
senders:
  description: Who sends, for the option of M(mailroom.erp.mail_domains) of this name.
  returned: success
  type: list
  elements: dict
names:
  description: All domains that are ours, as A-labels.
  returned: success
  type: list
  elements: str
parked:
  description: The domains that never send, for the option C(domains) of M(mailroom.erp.park_domains).
  returned: success
  type: list
  elements: dict
audited:
  description: All domains that are ours, each with the DKIM selectors that are known, for the option C(domains) of
    M(mailroom.erp.mail_auth_info).
  returned: success
  type: list
  elements: dict
managed:
  description: The domains whose DMARC policy M(mailroom.erp.dmarc_advance) moves.
  returned: success
  type: list
  elements: str
complete:
  description: Whether the run knows every sender, so that policies may become stricter.
  returned: success
  type: bool
cautions:
  description: What is held back or not known, one sentence each.
  returned: success
  type: list
  elements: str
refused:
  description: What is left out and why.
  returned: success
  type: dict
  contains:
    environments:
      description: Environments that break rules, by name, with a list of sentences each.
      type: dict
      returned: always
    dependents:
      description: Environments that send as domains which are left out, each with the list of these.
      type: dict
      returned: always
    domains:
      description: Domains that break rules, with a list of sentences each.
      type: dict
      returned: always
    run:
      description: What is wrong with the run as a whole, so that nothing can be done.
      type: list
      elements: str
      returned: always
goes_on:
  description: Whether anything may be written.
  returned: success
  type: bool
"""

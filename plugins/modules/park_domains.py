#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that never send get the records that say so, unless somebody is seen to send as them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: park_domains
short_description: Publish that domains never send mail
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Gives each domain C(v=spf1 -all), a DMARC policy of V(reject) for itself and its subdomains, and an empty DKIM key
    for all selectors that have no record of their own (C(*._domainkey)). Where it has no MX records, it gets a null MX.
  - Whatever else stands in its SPF record goes. Other tags of the DMARC record, other TXT values, single selectors and
    MX records stay.
  - A domain that a declared sender uses is refused, and so is one as which mail passed DMARC by the reports in
    O(archive), or with which in the envelope or the signature it passed SPF or DKIM.
  - Records are written as M(mailroom.erp.mail_domains) writes them; M(mailroom.erp.mail_records_restore) brings back
    what was there.
  - The guide is C(docs/reports.md).
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
  - mailroom.erp.dns.accounts
  - mailroom.erp.senders
  - mailroom.erp.dns.progress
options:
  domains:
    description: The domains, each a name, or a dictionary with C(domain) and any of C(zone), C(ttl) and C(dns).
    type: list
    elements: raw
    required: true
  accounts:
    description:
      - The DNS accounts that single domains named in C(dns). The controller fills this in; do not set it.
  archive:
    description:
      - The archive of M(mailroom.erp.dmarc_report_info). Without it, or without a report on a domain, a warning says
        that nobody knows whether somebody sends as it.
    type: path
  quiet_days:
    description: How many days back reports are asked whether mail passed.
    type: int
    default: 400
  senders:
    description:
      - Who is declared to send, all of them. A domain that one of them has in From, in the envelope or in its signature
        is refused; so is whatever would make receivers treat one of them worse.
      - What is not given is not known, and a verdict that rests on it is unknown, never a pass.
    required: true
  tighten:
    description: Whether every sender is known. With V(false), a domain whose policy would become stricter is refused.
    type: bool
    default: true
  on_refused:
    description: Whether domains that are refused stop the others, or are left out and counted among the RV(failures).
    type: str
    choices: [stop, skip]
    default: stop
  inventory_domains:
    description:
      - The domains that an inventory declares, as A-labels. The role P(mailroom.erp.mail_dns#role) sets it; do not set
        it in a task of your own.
      - Where it is given, messages and next steps name the variables of the inventory instead of options.
    type: list
    elements: str
  concurrency:
    description: How many zones are worked on at the same time.
    type: int
    default: 16
seealso:
  - module: mailroom.erp.mail_domains
  - module: mailroom.erp.mail_records_restore
"""

EXAMPLES = r"""
- name: Domains that we keep, and nobody sends as
  mailroom.erp.park_domains:
    domains: [acme-old.example, acme-typo.example]
    archive: /var/lib/mailroom/reports
    senders: "{{ our_senders }}"
    dns: "{{ acme_dns }}"
"""

RETURN = r"""
domains:
  description: What became of each domain, in the order given.
  type: list
  elements: dict
  returned: always
  contains:
    domain:
      description: The domain, as A-labels.
      type: str
    zone:
      description: The zone that holds it; null when it was not found.
      type: str
    changed:
      description: Whether its records were changed, or would be in check mode.
      type: bool
    spf:
      description: C(name), C(record), C(lookups) and C(flattened), as of M(mailroom.erp.spf_record); null when not
        asked for.
      type: dict
    dkim:
      description: For each selector C(name), C(record), C(managed_elsewhere) and C(key), as of
        M(mailroom.erp.dkim_record).
      type: list
      elements: dict
    dmarc:
      description: C(name), C(record) and C(managed_elsewhere), as of M(mailroom.erp.dmarc_record); null when not asked
        for.
      type: dict
    cnames:
      description: For each other alias C(name), C(record) and C(managed_elsewhere).
      type: list
      elements: dict
    reports:
      description: For each report address outside the domain C(name), C(record) and C(managed_elsewhere), as of
        M(mailroom.erp.dmarc_record).
      type: list
      elements: dict
    null_mx:
      description: C(name) and C(record); null when not asked for.
      type: dict
    tls_rpt:
      description: C(name), C(record) and C(managed_elsewhere); null when not asked for.
      type: dict
    mta_sts:
      description: C(name), C(record), C(managed_elsewhere) and C(policy), the text that the web server hands out; null
        when not asked for.
      type: dict
    warnings:
      description: What to look at.
      type: list
      elements: str
failures:
  description: The domains whose zone could not be read or written, and unless O(on_refused=stop) those that break rules
    (C(refused)), with the reason.
  type: list
  elements: dict
  returned: always
  sample:
    - domain: acme.example
      refused: false
      msg: "zone acme.example: ns1.acme.example did not answer within 10 s"
summary:
  description: How many domains there are, and how many of them changed, stayed and failed.
  type: dict
  returned: always
  sample: {domains: 2000, changed: 3, unchanged: 1996, failed: 1}
verdicts:
  description:
    - What receivers make of each sender in O(senders), in that order, as of M(mailroom.erp.mail_auth_info).
    - C(before) is judged on the live records, C(after) on the planned ones, so that both are the same in check mode.
  type: dict
  returned: when nothing was refused
  sample: {before: [], after: []}
sender_warnings:
  description: What to look at in the verdicts, one sentence each.
  type: list
  elements: str
  returned: when nothing was refused
planned:
  description:
    - Every RRset that changes, as it will be, for O(mailroom.erp.mail_auth_info#module:planned).
    - No values means that it will not exist. Bytes that are no UTF-8 are escaped; no mail record holds any.
  type: list
  elements: dict
  returned: when nothing was refused
  sample: [{name: acme.example, type: TXT, values: ["v=spf1 include:spf.afas.online ~all"]}]
written:
  description: Whether the run went on to write; not in check mode.
  type: bool
  returned: when nothing was refused
snapshot:
  description: The file that holds what stood there before, for M(mailroom.erp.mail_records_restore); null when nothing
    was written.
  type: str
  returned: when nothing was refused
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import (
    DnsJob,
    domains_result,
    run_dns_module,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.park_order import read_park_order


def main() -> None:
    module = AnsibleModule(argument_spec=DNS_MODULE_OPTIONS["park_domains"], supports_check_mode=True)
    run_dns_module(module, module.params, domains_result, DnsJob(read=read_park_order))


if __name__ == "__main__":
    main()

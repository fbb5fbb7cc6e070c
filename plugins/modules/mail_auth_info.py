#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers make of domains and senders, on live or planned records."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_auth_info
short_description: Audit the mail records of domains, and tell what receivers will make of senders
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Looks at everything that the DNS says about the mail of domains, as the world sees it, and says what is wrong with
    it and what to do.
  - Judges senders by SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 9989, and RFC 7489 as most receivers still have
    it), before a message is sent. It is a verdict on authentication; reputation and content are not judged.
  - Writes nothing anywhere.
extends_documentation_fragment:
  - mailroom.erp.senders
  - mailroom.erp.dns.resolver
  - mailroom.erp.reads
  - mailroom.erp.dns.progress
options:
  domains:
    description:
      - The domains to audit, each a name, or a dictionary with C(domain) and C(selectors).
      - The DNS cannot list the selectors of a domain; those of O(senders) are looked at too.
    type: list
    elements: raw
  planned:
    description:
      - Records that are answered instead of the live ones, as M(mailroom.erp.mail_domains) returns them in C(planned).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The owner name.
        type: str
        required: true
      type:
        description: The type of the RRset.
        type: str
        required: true
        choices: [TXT, CNAME]
      values:
        description: Its values, TXT decoded; V([]) says that the RRset will not exist.
        type: list
        elements: str
        required: true
  inventory_domains:
    description:
      - The domains that an inventory declares, as A-labels. The role P(mailroom.erp.mail_dns#role) sets it; do not set
        it in a task of your own.
      - Where it is given, messages and next steps name the variables of the inventory instead of options.
    type: list
    elements: str
  concurrency:
    description: How many domains or senders are looked at at the same time.
    type: int
    default: 16
requirements:
  - dnspython >= 2.6
  - idna, for internationalised domain names
attributes:
  action_group:
    description: Use C(group/mailroom.erp.dns) in C(module_defaults) to give O(resolver) once.
    support: full
    membership: [mailroom.erp.dns]
seealso:
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: What is wrong with the mail of our domains
  mailroom.erp.mail_auth_info:
    domains:
      - acme-shop.example
      - domain: acme.example
        selectors: [selector1, selector2]
  register: audit

- name: Would this mail be accepted
  mailroom.erp.mail_auth_info:
    senders:
      - from: invoices@acme.example
        envelope_domain: acme.example
        sources: [192.0.2.10]
        dkim: {domain: acme.example, selectors: [s1]}
  register: judged
  failed_when: judged.summary.senders.fail > 0

- name: Would it be accepted after this change
  mailroom.erp.mail_auth_info:
    senders: "{{ our_senders }}"
    planned: "{{ checked.planned }}"
"""

RETURN = r"""
domains:
  description: What was found about each domain, each domain once.
  type: list
  elements: dict
  returned: always
  contains:
    domain:
      description: The domain, as A-labels.
      type: str
    spf:
      description: C(record) (null unless there is exactly one), C(records) (null when they cannot be looked up),
        C(lookups) and C(flattened) as of M(mailroom.erp.spf_record), and C(tree) with C(domain) and the C(terms) that
        cost lookups, each with C(term), C(lookups) and the C(tree) of what it includes.
      type: dict
    dkim:
      description: For each selector C(selector), C(name), C(target) (of an alias), C(algorithm), C(bits), C(usable)
        (null when it cannot be looked up), C(fault), one word for why it is not usable, and the C(digest) of the key.
      type: list
      elements: dict
    dmarc:
      description: C(name), C(record), C(records) (null when they cannot be looked up), C(policy), C(managed_elsewhere),
        and C(reports) with C(destination), C(name) and C(authorized) (null when it cannot be looked up) for each report
        address outside the domain.
      type: dict
    mx:
      description: The hosts that take its mail, the most wanted first; null when they cannot be looked up.
      type: list
      elements: str
    findings:
      description:
        - What to look at, each with C(level), C(record), C(value), C(rule), C(source), C(next_step) and C(unanswered),
          which says that a name could not be looked up.
        - C(level) is V(fault) when receivers will not do what is meant, else V(concern).
      type: list
      elements: dict
verdicts:
  description: What receivers will make of each sender, in the order given; docs/verdicts.md explains every part.
  type: list
  elements: dict
  returned: always
  contains:
    sender:
      description: C(environment), C(from), C(envelope_from), C(envelope_domain), C(service) and C(used_for).
      type: dict
    spf:
      description: C(result), C(domain), C(aligned), C(reason), C(term), C(address) and C(caution).
      type: dict
    dkim:
      description: C(result), C(domain), C(selectors), C(aligned), C(reason) and C(caution).
      type: dict
    dmarc:
      description: C(result), C(policy), C(record_name), C(record), C(standard) and C(reason).
      type: dict
    result:
      description: V(pass), V(fail) or V(unknown).
      type: str
    disposition:
      description: What receivers are asked to do, V(none), V(quarantine), V(reject) or V(unknown).
      type: str
    reason:
      description: Why, with its source.
      type: str
    next_step:
      description: What to do; null when there is nothing to do.
      type: str
    cautions:
      description: Why strict receivers may refuse mail that passes, one sentence for each reason.
      type: list
      elements: str
    receivers:
      description: What Gmail, Microsoft and Yahoo ask for beyond, each with C(receiver), C(demand), C(met), C(reason)
        and C(next_step).
      type: list
      elements: dict
summary:
  description: How many findings there are, and how many senders pass, fail and are not known.
  type: dict
  returned: always
  sample: {faults: 1, concerns: 3, senders: {pass: 7, fail: 1, unknown: 2}}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit_run import inform
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import sendable
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import refusal_text
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


def main() -> None:
    module = AnsibleModule(
        argument_spec=DNS_MODULE_OPTIONS["mail_auth_info"],
        required_one_of=[("domains", "senders")],
        supports_check_mode=True,
    )
    try:
        result = inform(module.params)
    except (Refused, MissingLibrary) as error:
        module.fail_json(msg=refusal_text(error, module.params) if isinstance(error, Refused) else str(error))
    module.exit_json(changed=False, **sendable(result))


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is live of the mail of domains."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_adopt_info
short_description: Read all that is live of the mail of domains, to write a declaration from it
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Reads the records of mail of many domains from their DNS accounts, as P(mailroom.erp.mail_dns#role) would before it
    changes them. Where the service can tell which names a zone has, all DKIM selectors are found; else those of
    O(selectors) are looked for.
  - A domain for which no account is given, or whose zone the account does not serve, is looked up in public DNS.
  - The playbook C(mailroom.erp.adopt) makes an inventory of it. Writes nothing anywhere.
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
  - mailroom.erp.dns.accounts
  - mailroom.erp.reads
  - mailroom.erp.dns.progress
notes:
  - O(accept_undelegated), O(snapshot_dir) and O(why) are taken so that C(module_defaults) of the group reach all its
    modules. Nothing is written, so they say nothing here.
options:
  domains:
    description:
      - The domains, each a name, or a dictionary with C(domain) and perhaps C(zone), C(dns) and C(selectors).
      - Or a dictionary of such dictionaries by the name of the domain, as C(mail_adopt_domains) has it.
    type: list
    elements: raw
    required: true
  accounts:
    description:
      - The DNS accounts that single domains named in C(dns). The controller fills this in; do not set it.
  selectors:
    description: DKIM selectors to look for where a service does not tell which names a zone has, beside those that the
      catalogue knows.
    type: list
    elements: str
    default: []
  reported:
    description:
      - The variable that holds what M(mailroom.erp.dmarc_report_info) returned. Selectors that receivers saw sign as a
        domain are looked for there. The controller reads it.
    type: str
  reported_domains:
    description: The domains that reports tell of. The controller fills this in; do not set it.
    type: list
    elements: str
    default: []
  as_text:
    description:
      - Return all of it as one JSON text, RV(text), for a task that reads it from the variable.
      - Ansible copies and marks each value of a result several times, so that thousands of records cost it seconds.
    type: bool
    default: false
  concurrency:
    description: How many zones are read at the same time.
    type: int
    default: 16
requirements:
  - dnspython >= 2.6
  - idna, for internationalised domain names
attributes:
  action_group:
    description: Use C(group/mailroom.erp.dns) in C(module_defaults) to give O(dns) and O(resolver) once.
    support: full
    membership: [mailroom.erp.dns]
seealso:
  - module: mailroom.erp.mail_auth_info
"""

EXAMPLES = r"""
- name: Read what is live
  mailroom.erp.mail_adopt_info:
    domains: [acme.example, acme-shop.example]
    dns: {provider: zonefile, path: /srv/zones}
    selectors: [selector1, selector2]
  register: live
"""

RETURN = r"""
domains:
  description: What was read of each domain.
  type: list
  elements: dict
  returned: unless O(as_text)
  contains:
    domain:
      description: The domain, as A-labels.
      type: str
    account:
      description: The provider and where it is; null where only public DNS was asked.
      type: str
    zone:
      description: The zone that holds the domain; null where no account serves it.
      type: str
    listed:
      description: Whether the service told all names of the zone, so that no selector is overlooked.
      type: bool
    records:
      description: The RRsets, each with C(name), C(type), C(ttl) and C(values), TXT decoded.
      type: list
      elements: dict
    elsewhere:
      description: Names that are delegated away from the zone, each with who holds them.
      type: dict
    problem:
      description: Why it could not be read, or not all of it; null where it could.
      type: str
included:
  description:
    - What the SPF records of domains with reports include, by name; empty without O(reported).
    - Each with C(networks), the addresses for which the include passes; null where nobody can tell, and C(problem) says
      why.
  type: dict
  returned: unless O(as_text)
  sample: {spf.vendor.example: {networks: [192.0.2.0/28], problem: null}}
text:
  description: RV(domains) and RV(included), as JSON.
  type: str
  returned: with O(as_text)
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.adoption.adoption_run import live_mail
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import sendable
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


def main() -> None:
    module = AnsibleModule(argument_spec=DNS_MODULE_OPTIONS["mail_adopt_info"], supports_check_mode=True)
    try:
        found = sendable(live_mail(module.params))
    except (Refused, MissingLibrary, ProviderError) as error:
        module.fail_json(msg=str(error))
    result = {"text": json.dumps(found)} if module.params["as_text"] else found
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terms of one domain's SPF record; a thin face of ``mail_domains``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spf_record
short_description: Merge terms into a domain's live SPF record
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Adds terms to the SPF record (RFC 7208) that a domain has, or takes terms away, and leaves everything else as it is,
    order, spelling, unknown modifiers and all other TXT records included.
  - The whole tree of included records is counted before anything is written. An eleventh DNS lookup, a third one that
    finds nothing, or an include that does not resolve is refused.
  - The change is one atomic write that fails when someone else wrote in between; the module then reads, merges and
    tries again.
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
options:
  domain:
    description: The domain that sends mail. Internationalised names are turned into A-labels.
    type: str
    required: true
  zone:
    description:
      - The zone that holds the domain.
      - Unless given, it is found by the longest match on label boundaries.
    type: str
  terms:
    description:
      - Mechanisms and modifiers, each an item, without C(v=spf1) and without C(all).
      - A term that the record already has in another spelling, or an address inside a network that it already lists, is
        not added again.
      - New terms go before C(all), or else before C(redirect=).
    type: list
    elements: str
    default: []
  state:
    description:
      - With V(present), the terms are there.
      - With V(absent), exactly these terms are taken away; without O(terms) the whole record is.
    type: str
    choices: [present, absent]
    default: present
  all:
    description:
      - What a receiver shall do with every other sender. V(keep) leaves it as it is; a new record gets C(~all).
      - V(+all) is refused.
    type: str
    choices: [keep, '-all', '~all', '+all', '?all']
    default: keep
  exclusive:
    description: Whether terms that O(terms) does not list are taken away.
    type: bool
    default: false
  on_duplicate:
    description:
      - What to do when the domain has more than one SPF record, which no receiver accepts.
      - V(merge) makes one of them, with the terms of all and the softest C(all).
    type: str
    choices: [fail, merge]
    default: fail
  lookup_limit:
    description:
      - What to do when the record would cost more DNS lookups than RFC 7208 section 4.6.4 allows, or does not resolve.
      - A change that makes a costly record cheaper is never refused.
    type: str
    choices: [enforce, warn, ignore]
    default: enforce
  near_miss:
    description:
      - What to do when a TXT value at the name is meant as an SPF record, receivers ignore it (C(v=spf1;), quotes in
        it, words without spaces between), and the name has no SPF record yet.
      - V(refuse) names it before anything is written. V(replace) has the new record take its place; nothing of it is
        taken over. V(keep) writes the new record beside it.
      - Beside a record that is there, or with O(state=absent), only V(replace) takes it away. A warning names it.
    type: str
    choices: [refuse, replace, keep]
    default: refuse
  flatten:
    description:
      - Domains whose C(include:) is replaced by the addresses that it passes, its whole tree taken into account. The
        qualifier and the place stay. The next run with the same domain renews them.
      - What does not fit into the record goes into C(_spf1.<domain>) to C(_spf8.<domain>), which the record includes.
      - An include that the record does not have, and O(terms) do not add, is not looked at.
      - An include with C(exists), C(ptr), C(+all) or macros in its tree, one that does not resolve, or a part of it
        that gives no addresses, is refused, and the record stays.
      - With O(state=absent), the include is taken away, flattened or not.
      - C(docs/flatten.md) says how flattened addresses are told from others.
    type: list
    elements: str
    default: []
  flatten_refresh:
    description: Days after which M(mailroom.erp.mail_auth_info) reports the addresses of flattened includes as stale.
    type: int
    default: 7
  ttl:
    description:
      - Seconds that resolvers may keep the record. Kept as it is unless given; a new record gets V(3600).
      - In DNS all TXT records of one name share their TTL.
    type: int
seealso:
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: Let AFAS Online send as acme.example
  mailroom.erp.spf_record:
    domain: acme.example
    terms: [include:spf.afas.online]
    dns: "{{ acme_dns }}"
  vars:
    acme_dns:
      provider: rfc2136
      server: ns1.acme.example
      key_name: mailroom.
      key_secret: "{{ vault_acme_tsig }}"

- name: Save three lookups, and look the addresses up again each night
  mailroom.erp.spf_record:
    domain: acme.example
    terms: [include:spf.service.example]
    flatten: [spf.service.example]
    flatten_refresh: 3
    dns: "{{ acme_dns }}"

- name: Stop listing a mail server that is gone
  mailroom.erp.spf_record:
    domain: acme.example
    terms: [ip4:192.0.2.9]
    state: absent
    dns: {provider: zonefile, path: /etc/bind/zones}
"""

RETURN = r"""
record:
  description: The SPF record before and after; null where there is none.
  type: dict
  returned: always
  contains:
    before:
      description: The record as it was.
      type: str
      sample: v=spf1 mx ~all
    after:
      description: The record as it is, or would be in check mode.
      type: str
      sample: v=spf1 mx include:spf.afas.online ~all
lookups:
  description: What the record costs a receiver; null when there is no record or O(lookup_limit=ignore).
  type: dict
  returned: always
  contains:
    total:
      description: DNS lookups in all branches of the tree; at most 10 are allowed.
      type: int
    void:
      description: Terms that find nothing, whatever address family the client has; at most 2 should.
      type: int
    terms:
      description: The same for each term of the record that looks something up.
      type: list
      elements: dict
      sample: [{term: include:spf.afas.online, lookups: 1, void: 0}]
    indeterminate:
      description: Terms whose macros only a message decides. When there are any, the counts are at least what they say.
      type: list
      elements: str
flattened:
  description: The flattened includes of the record as it is, or would be in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    include:
      description: The domain that the include names.
      type: str
    when:
      description: The day (UTC) for which the addresses are noted.
      type: str
      sample: "2026-11-21"
    refresh:
      description: Days after which they are stale.
      type: int
    stale:
      description: Whether they are.
      type: bool
    records:
      description: The names of the records that hold the addresses.
      type: list
      elements: str
zone:
  description: The zone that holds the record.
  type: str
  returned: always
snapshot:
  description: The file that holds what stood there before, for M(mailroom.erp.mail_records_restore); null when nothing
    was written.
  type: str
  returned: when nothing was refused
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import run_record_module
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import SPF_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_kind import SPF_KIND


def _shape(domain: Result) -> Result:
    return {"lookups": None, **domain["spf"], "zone": domain["zone"]}


def main() -> None:
    module = AnsibleModule(argument_spec=DNS_MODULE_OPTIONS["spf_record"], supports_check_mode=True)
    run_record_module(module, SPF_KIND, SPF_OPTIONS, _shape)


if __name__ == "__main__":
    main()

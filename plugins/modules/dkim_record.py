#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One DKIM selector of a domain; a thin face of ``mail_domains``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dkim_record
short_description: Publish one DKIM selector, as an alias of a service's key or as a key of one's own
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Publishes C(<selector>._domainkey.<domain>), either as a CNAME to the key of a sending service or as a TXT record
    with a key of one's own, or an empty one (RFC 6376). All other selectors stay.
  - What stands in the way at that name is named and refused before anything is written.
  - A selector that is delegated to somebody else is judged, and reported as managed elsewhere, but never changed.
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
options:
  domain:
    description: The domain that signs. Internationalised names are turned into A-labels.
    type: str
    required: true
  zone:
    description:
      - The zone that holds the domain.
      - Unless given, it is found by the longest match on label boundaries.
    type: str
  selector:
    description: The selector, without C(_domainkey). It may have dots.
    type: str
    required: true
  target:
    description:
      - The name that the service gave for its key; the selector becomes a CNAME to it.
      - C({domain}) stands for the domain and C({selector}) for the selector.
    type: str
  public_key:
    description:
      - A public key of one's own, of any length, as PEM, as base64, or as the whole record.
      - An RSA key in the form of PKCS#1 (C(BEGIN RSA PUBLIC KEY)), which some receivers refuse, is published as
        SubjectPublicKeyInfo. Blanks and ends of lines inside a whole record's key are taken out.
      - A private key is refused without being shown.
    type: str
  revoked:
    description:
      - Publish an empty key, which no signature is valid by (RFC 6376 section 3.6.1).
      - With O(selector=*) it stands for all selectors that have no record of their own, at a domain that never sends.
    type: bool
    default: false
  state:
    description:
      - With V(absent), the alias or the key at the selector is taken away; with O(target) or O(public_key), only when
        it is that one.
    type: str
    choices: [present, absent]
    default: present
  validate:
    description:
      - What to do when the world finds no usable key at the selector, following the alias; revoked keys, RSA keys below
        1024 bits and keys that exclude sha256 are not usable.
      - V(warn) publishes all the same, V(require) refuses before anything is written.
    type: str
    choices: [warn, require, ignore]
    default: warn
  near_miss:
    description:
      - What to do when a TXT value at the name is meant as a key, receivers ignore it (quotes in it, no semicolons, a
        tag twice), and the name has no key yet.
      - V(refuse) names it before anything is written. V(replace) has the new record take its place; nothing of it is
        taken over. V(keep) writes the new record beside it.
      - Beside a record that is there, or with O(state=absent), only V(replace) takes it away. A warning names it.
    type: str
    choices: [refuse, replace, keep]
    default: refuse
  ttl:
    description: Seconds that resolvers may keep the record. Kept as it is unless given; a new record gets V(3600).
    type: int
seealso:
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: Let SendGrid sign as acme.example
  mailroom.erp.dkim_record:
    domain: acme.example
    selector: s1
    target: s1.domainkey.u1234.wl.sendgrid.net
    dns: "{{ acme_dns }}"

- name: Publish the key of our own mail server
  mailroom.erp.dkim_record:
    domain: acme.example
    selector: mail2026
    public_key: "{{ lookup('ansible.builtin.file', 'mail2026.pub.pem') }}"
    validate: require
    dns: "{{ acme_dns }}"

- name: No signature of a domain that never sends is valid
  mailroom.erp.dkim_record:
    domain: acme-old.example
    selector: "*"
    revoked: true
    dns: "{{ acme_dns }}"
"""

RETURN = r"""
record:
  description: The target of the alias, or the key record, before and after; null where there is none.
  type: dict
  returned: always
  contains:
    before:
      description: The record as it was.
      type: str
      sample: s1.domainkey.u1234.wl.sendgrid.net
    after:
      description: The record as it is, or would be in check mode.
      type: str
      sample: s1.domainkey.u1234.wl.sendgrid.net
name:
  description: The owner name of the record.
  type: str
  returned: always
  sample: s1._domainkey.acme.example
key:
  description: What receivers make of the key; null when there is none to judge.
  type: dict
  returned: always
  contains:
    algorithm:
      description: V(rsa) or V(ed25519).
      type: str
    bits:
      description: The size of an RSA key.
      type: int
    usable:
      description: Whether receivers use the key.
      type: bool
managed_elsewhere:
  description: Who manages the record instead of the zone; null when the zone does.
  type: str
  returned: always
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
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dkim_kind import DKIM_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import DKIM_OPTIONS


def _shape(domain: Result) -> Result:
    return {"key": None, **domain["dkim"][0], "zone": domain["zone"]}


def main() -> None:
    module = AnsibleModule(argument_spec=DNS_MODULE_OPTIONS["dkim_record"], supports_check_mode=True)
    run_record_module(module, DKIM_KIND, DKIM_OPTIONS, _shape)


if __name__ == "__main__":
    main()

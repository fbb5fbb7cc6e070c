#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain's DMARC policy; a thin face of ``mail_domains``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dmarc_record
short_description: Publish a domain's DMARC policy, and the agreement of outside report addresses
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Publishes C(_dmarc.<domain>) as RFC 9989 has it. Tags that are not declared, unknown ones and report addresses that
    are there stay.
  - The names of tags are compared without case. A tag that stands more than once makes a record void (RFC 6376 section
    3.2), and the record is mended; where its values differ, it is refused until the option of the tag says which one is
    meant. A mail address in the record without C(mailto:) gets it. What is no tag, and a version that is not written
    C(v=DMARC1), is mended when the record changes. Each is a warning.
  - A report address outside the domain must agree to get the reports (RFC 9990 section 4). Where its zone is ours, that
    record is published too; where it is not, a missing one is a warning with the record to ask for.
  - Within one organisation none is needed. Two domains are of one when the tree walk of RFC 9989 and the public suffix
    list of RFC 7489 both say so. Without the library publicsuffixlist only a domain above or below is taken for it.
  - A C(_dmarc) that is an alias or is delegated to somebody else is judged, and reported as managed elsewhere, but
    never changed.
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
  mode:
    description:
      - With V(fixed), O(policy) is what the record says.
      - With V(managed), the policy lives in the DNS and this module never moves it; a new record begins with V(none).
    type: str
    choices: [fixed, managed]
    default: fixed
  target:
    description: The policy where O(mode=managed) shall end.
    type: str
    choices: [none, quarantine, reject]
  policy:
    description:
      - What receivers shall do with mail that fails (C(p)).
      - Kept as it is unless given; a new record says V(none) explicitly, for receivers that only know RFC 7489.
    type: str
    choices: [none, quarantine, reject]
  subdomain_policy:
    description: The same for subdomains (C(sp)).
    type: str
    choices: [none, quarantine, reject]
  nonexistent_policy:
    description: The same for subdomains that do not exist (C(np)).
    type: str
    choices: [none, quarantine, reject]
  adkim:
    description: Alignment of DKIM, relaxed or strict.
    type: str
    choices: [r, s]
  aspf:
    description: Alignment of SPF, relaxed or strict.
    type: str
    choices: [r, s]
  rua:
    description:
      - Mail addresses that get aggregate reports. They are added to those in the record.
      - C({domain}) stands for the domain.
    type: list
    elements: str
    default: []
  ruf:
    description: Mail addresses that get failure reports. They are added to those in the record.
    type: list
    elements: str
    default: []
  fo:
    description: When failure reports are wanted, for example V(1) or V(d:s).
    type: str
  testing:
    description: Whether receivers are asked to apply one step less (C(t)). Many do not know the tag.
    type: bool
  psd:
    description: Whether the domain is a public suffix.
    type: str
    choices: ["y", "n", u]
  exclusive:
    description: Whether report addresses and tags that are not declared are taken away. C(p) stays unless declared.
    type: bool
    default: false
  tighten:
    description:
      - Whether the policy may become stricter than it is in the DNS. Refused otherwise, before anything is written.
      - The role P(mailroom.erp.mail_dns#role) sets it to V(false) when a run may not know every sender of the domain.
    type: bool
    default: true
  accept_unseen_senders:
    description:
      - Whether the domain, or its subdomains, may get their first policy of V(reject). Refused otherwise.
      - Only declared senders can be judged. Whoever else sends as the domain shows in aggregate reports, and nowhere
        else; read those of some weeks under V(quarantine) first.
      - Where people write to mailing lists, RFC 9989 section 7.4 asks for a month at V(none) and as long at
        V(quarantine), or for no V(reject) at all.
    type: bool
    default: false
  accept_lost_forwarded_mail:
    description:
      - Whether mail may be rejected although a declared sender does not sign it with DKIM; this is looked at where
        senders are declared, which O(mailroom.erp.mail_domains#module:senders) does.
    type: bool
    default: false
  authorize_reports:
    description: Whether the agreement of report addresses outside the domain is published or checked.
    type: bool
    default: true
  obsolete_tags:
    description:
      - Tags that RFC 9989 removed (C(pct), C(rf), C(ri)), for receivers that only know RFC 7489. They give a warning.
    type: dict
  state:
    description: With V(absent), the policy record is taken away.
    type: str
    choices: [present, absent]
    default: present
  near_miss:
    description:
      - What to do when a TXT value at the name is meant as a policy, receivers ignore it (C(v=DMARC1 p=reject), a
        blank before it, quotes in it), and the name has no policy record yet.
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
- name: Ask for reports, and quarantine what fails
  mailroom.erp.dmarc_record:
    domain: acme.example
    policy: quarantine
    rua: [dmarc@acme.example, acme@reports.example]
    dns: "{{ acme_dns }}"
"""

RETURN = r"""
record:
  description: The policy record before and after; null where there is none.
  type: dict
  returned: always
  contains:
    before:
      description: The record as it was.
      type: str
      sample: v=DMARC1; p=none
    after:
      description: The record as it is, or would be in check mode.
      type: str
      sample: v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.example
name:
  description: The owner name of the record.
  type: str
  returned: always
  sample: _dmarc.acme.example
managed_elsewhere:
  description: Who manages the record instead of the zone; null when the zone does.
  type: str
  returned: always
reports:
  description: The agreement of each report address outside the domain.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Where the agreement is published.
      type: str
      sample: acme.example._report._dmarc.reports.example
    record:
      description: The agreement before and after; null where there is none, or none is needed.
      type: dict
    managed_elsewhere:
      description: The destination, when its zone is not ours; else null.
      type: str
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
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dmarc_kind import DMARC_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import DMARC_OPTIONS


def _shape(domain: Result) -> Result:
    return {**domain["dmarc"], "reports": domain["reports"], "zone": domain["zone"]}


def main() -> None:
    module = AnsibleModule(argument_spec=DNS_MODULE_OPTIONS["dmarc_record"], supports_check_mode=True)
    run_record_module(module, DMARC_KIND, DMARC_OPTIONS, _shape)


if __name__ == "__main__":
    main()

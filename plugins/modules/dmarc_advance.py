#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC policies that become stricter by one step, when what receivers reported carries it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dmarc_advance
short_description: Move DMARC policies by one step, on the evidence of aggregate reports
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Moves the policy of each domain one step from V(none) to V(quarantine) to V(reject), only when the reports in
    O(archive) carry it. Otherwise it tells what is missing, and since when. No reports is no evidence.
  - A step needs O(thresholds.minimum_days) days on which reports saw the present policy and no other,
    O(thresholds.minimum_reporters) reporters, every declared sender seen (or named in O(seasonal)) and passing, with
    an aligned DKIM signature before V(reject) (RFC 9989 section 7.4), and hardly any mail that nobody is declared to
    send.
  - C(sp) and C(np) move along where they stand in the record and are weaker. All else in it stays.
  - Records are written as M(mailroom.erp.mail_domains) writes them, with its guard, snapshot, journal and read-back.
    Every decision goes into the journal with its evidence, those to wait too.
  - After a step the days begin anew, so a second run changes nothing.
  - A domain that is refused, or whose DNS service fails, stops no other one; the task ends failed with a list.
  - The guide is C(docs/reports.md).
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
  - mailroom.erp.dns.accounts
  - mailroom.erp.senders
  - mailroom.erp.dns.progress
options:
  domains:
    description:
      - The domains, each a name, or a dictionary with C(domain) and any of C(zone), C(dns) and C(dmarc), as
        M(mailroom.erp.mail_domains) takes it. Other kinds of records in it are left alone.
      - A domain whose C(dmarc) does not say C(mode=managed) is refused. One without C(dmarc) ends at O(target).
    type: list
    elements: raw
    required: true
  only:
    description:
      - Of O(domains), only these. A name that is not among them is refused.
      - Where O(inventory_domains) is given and this is not, domains whose policy is not managed are left alone.
    type: list
    elements: str
  accounts:
    description:
      - The DNS accounts that single domains named in C(dns). The controller fills this in; do not set it.
  state:
    description:
      - With V(advance), a policy becomes one step stricter when the evidence carries it.
      - With V(retreat), it goes one step back, whatever reports say. Another run goes back further, see
        O(retreat_from).
    type: str
    choices: [advance, retreat]
    default: advance
  target:
    description: Where the policy of a domain that does not say so itself is to end.
    type: str
    choices: [quarantine, reject]
  retreat_from:
    description: With O(state=retreat), only policies that are at this one go back. So a second run changes nothing.
    type: str
    choices: [quarantine, reject]
  not_domains:
    description: Domains below those of O(domains) that are somebody else's. Reports on them are no evidence of these.
    type: list
    elements: str
    default: []
  archive:
    description:
      - The archive of M(mailroom.erp.dmarc_report_info). Required with O(state=advance).
      - Reports of the last 400 days count.
    type: path
  senders:
    description:
      - Who is declared to send, as resolved facts; the role P(mailroom.erp.mail_dns#role) gives those of all
        environments. All of them, since whoever is not named cannot be waited for. Required with O(state=advance).
      - What is not given is not known, and a verdict that rests on it is unknown, never a pass.
  seasonal:
    description:
      - Declared senders that need not be seen, each by its environment, its service or its address, for example the one
        of the yearly payslips. When they are seen they must pass.
      - A name that no sender has is refused.
    type: list
    elements: str
    default: []
  let_fail:
    description:
      - Unknown sources that may fail, each by the domain or network that the report names. They count no more.
    type: list
    elements: str
    default: []
  services:
    description:
      - The services that may be behind unknown sources, as M(mailroom.erp.dmarc_report_info) takes them.
      - Unless given, all of the catalogue with C(erp_mail_catalogue_services).
    type: list
    elements: raw
  thresholds:
    description: How much evidence a step needs.
    type: dict
    suboptions:
      minimum_days:
        description:
          - Days on which reports saw the present policy, and none saw another one since. A day without reports does not
            count. The newest of them, as many, are looked at.
        type: int
        default: 30
      minimum_reporters:
        description: >-
          Receivers that reported in the last O(thresholds.minimum_days) days. All in whose names one organisation
          mailed are one.
        type: int
        default: 3
      newest_days:
        description: How many days old the newest report may be.
        type: int
        default: 7
      failing_share:
        description:
          - Which share of a declared sender's messages of the last O(thresholds.minimum_days) days may fail. Before
            V(reject) the same holds for those without an aligned DKIM pass.
        type: float
        default: 0.0
      unknown_share:
        description: Which share of the messages of the last O(thresholds.minimum_days) days may be of unknown sources.
        type: float
        default: 0.01
      unknown_messages:
        description: How many messages may be of unknown sources.
        type: int
        default: 100
      left_out:
        description: How many records of reports may be unusable; nobody knows whose they are.
        type: int
        default: 0
  reverse_names:
    description:
      - Look up the names of the 1000 unknown addresses with the most messages, to name them better. Their name servers
        see the questions.
    type: bool
    default: false
  allow_failing_senders:
    description:
      - Senders that may fare worse by this change, each by its address, or all of an environment by its name.
      - A name that no sender has is refused.
    type: list
    elements: str
    default: []
  on_failure:
    description:
      - What becomes of the task when domains failed.
      - V(report) lets it succeed. RV(failures) has them, and warnings stand in RV(domains[].warnings) and
        RV(sender_warnings) only.
    type: str
    choices: [fail, report]
    default: fail
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
attributes:
  idempotent:
    description:
      - A step needs evidence of days at the policy before it, so that a second run changes nothing.
      - With O(state=retreat), only where O(retreat_from) is given.
    support: partial
seealso:
  - module: mailroom.erp.dmarc_report_info
  - module: mailroom.erp.mail_domains
  - module: mailroom.erp.dmarc_record
"""

EXAMPLES = r"""
- name: One step towards reject, where what receivers saw carries it
  mailroom.erp.dmarc_advance:
    domains: [acme.example, acme-shop.example]
    target: reject
    archive: /var/lib/mailroom/reports
    senders: "{{ our_senders }}"
    seasonal: [payslips]
    dns: "{{ acme_dns }}"
  register: policies

- name: What moved, what is missing, and whom nobody declared
  ansible.builtin.debug:
    msg: "{{ policies.report }}"

- name: One step back, at once
  mailroom.erp.dmarc_advance:
    domains: [acme.example]
    state: retreat
    retreat_from: reject
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
      description: Whether its policy was moved, or would be in check mode.
      type: bool
    decision:
      description:
        - C(outcome) is V(step), V(wait), V(reached) (no step is left), V(back) or V(elsewhere) (the record is managed
          elsewhere). C(policies) are those of the live record, C(changes) those that the step moves, by tag.
        - C(missing) lists what is missing, each with C(condition), C(text), C(since) (a day, null when reports do not
          tell) and C(subject).
        - C(evidence) is what the decision rests on, in counts, without any address; C(digest) is of that and of the
          reports that count. The journal holds the same.
        - In it, C(subdomains) are names whose reports count as the domain's, and C(doubtful) is what reports tell that
          name C(subdomains) of which nobody can tell whether they have a policy of their own, each with the reason. It
          counts against a step, never for it.
        - Null when the record was not read.
      type: dict
    unknown:
      description:
        - The sources on the days that count that nobody is declared to send from, at most 50, the largest first.
          Each has C(name), C(known_by), C(messages), C(networks), C(envelope_domains), C(dkim_domains),
          C(reverse_names), C(guess) (a service of the catalogue, which is a guess) and C(let_fail).
      type: list
      elements: dict
    record:
      description: The policy record C(before) and C(after); null when the domain was refused before it was read.
      type: dict
    managed_elsewhere:
      description: Who manages the record instead, null when nobody does.
      type: str
    warnings:
      description: What to look at.
      type: list
      elements: str
report:
  description: What moved, what is missing and since when, and the unknown sources, as lines for a person.
  type: list
  elements: str
  returned: always
failures:
  description: The domains that were refused (C(refused)), or whose zone could not be read or written, with the reason.
  type: list
  elements: dict
  returned: always
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
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import DnsJob, run_dns_module
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.advance_order import read_advance_order
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.advance_run import advance_result, note_steps


def main() -> None:
    module = AnsibleModule(
        argument_spec=DNS_MODULE_OPTIONS["dmarc_advance"],
        required_if=[("state", "advance", ("archive", "senders"))],
        supports_check_mode=True,
    )
    job = DnsJob(read=read_advance_order, note=note_steps)
    run_dns_module(module, module.params, advance_result(module.check_mode, module.params), job)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many domains in one process: one validation, one resolution of each name, one write per zone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_domains
short_description: Make the mail records of many domains right, in one process
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Does for any number of domains what M(mailroom.erp.spf_record), M(mailroom.erp.dkim_record) and
    M(mailroom.erp.dmarc_record) do for one, in one process.
  - Everything is read, planned and judged before anything is written. One wrong domain among a thousand refuses the
    whole task, and the message lists all that is wrong.
  - Every sender in O(senders) is judged on the live records and on the planned ones. A change after which receivers
    would treat one of them worse is refused.
  - Three kinds of records have no module of their own. O(null_mx) says that a domain takes no mail, O(tls_rpt) where
    senders report on TLS, O(mta_sts) that they shall insist on it.
  - The records of one zone are written together or not at all. A DNS service that fails during the run fails its own
    zones; the others are done, and the task ends failed with a list.
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
  - mailroom.erp.dns.accounts
  - mailroom.erp.senders
  - mailroom.erp.dns.progress
options:
  domains:
    description:
      - The domains, each a name, or a dictionary with C(domain) and any of C(zone), C(dns), C(ttl) and the kinds of
        records, which are C(spf), C(dkim), C(cnames), C(dmarc), C(null_mx), C(tls_rpt) and C(mta_sts).
      - What an entry does not give is taken from the options of the task; C(dns), C(dkim) and C(cnames) are always
        given whole, the other kinds are completed key by key.
      - A kind of record that an entry gives as null is left alone for that domain.
      - The kinds of records of an entry take what the options of the same name take.
    type: list
    elements: raw
  src:
    description:
      - A plain YAML or JSON file with the list of domains, or with a dictionary that has it as C(domains) and any of
        C(dns), C(ttl), C(zone), C(senders) and the kinds of records as defaults.
      - The module reads it itself, which is much faster for thousands of domains than passing them through Ansible's
        templating. Expressions in it are not evaluated.
      - Its options have the names, shapes and types of those of the task; a message about a wrong name, shape or type
        does not show the value.
    type: path
  accounts:
    description:
      - The DNS accounts that single domains named in C(dns). The controller fills this in; do not set it.
  spf:
    description: What is wanted of the SPF record of every domain that does not say otherwise.
    type: dict
    suboptions:
      terms:
        description: As in M(mailroom.erp.spf_record).
        type: list
        elements: str
        default: []
      absent_terms:
        description: Terms to take away in the same change.
        type: list
        elements: str
        default: []
      kept_terms:
        description: Terms that stay in any case where they are there, O(spf.exclusive) or not.
        type: list
        elements: str
        default: []
      state:
        description: As in M(mailroom.erp.spf_record).
        type: str
        choices: [present, absent]
        default: present
      all:
        description: As in M(mailroom.erp.spf_record).
        type: str
        choices: [keep, '-all', '~all', '+all', '?all']
        default: keep
      exclusive:
        description: As in M(mailroom.erp.spf_record).
        type: bool
        default: false
      on_duplicate:
        description: As in M(mailroom.erp.spf_record).
        type: str
        choices: [fail, merge]
        default: fail
      lookup_limit:
        description: As in M(mailroom.erp.spf_record).
        type: str
        choices: [enforce, warn, ignore]
        default: enforce
      near_miss:
        description: As in M(mailroom.erp.spf_record).
        type: str
        choices: [refuse, replace, keep]
        default: refuse
      flatten:
        description: As in M(mailroom.erp.spf_record).
        type: list
        elements: str
        default: []
      flatten_refresh:
        description: As in M(mailroom.erp.spf_record).
        type: int
        default: 7
      create:
        description:
          - Whether a domain that has no SPF record may get its first one.
          - A first record turns the mail of every sender that it does not list into a softfail.
        type: bool
        default: true
      other_flattened:
        description:
          - What becomes of flattened includes of the record that O(spf.flatten) does not list. V(keep) leaves them,
            V(warn) leaves them and says so, V(restore) puts the include back in the place of its addresses.
        type: str
        choices: [keep, warn, restore]
        default: keep
      mx_services:
        description:
          - Services that are recognised by the MX hosts of their customers.
          - When a domain gets its first record and its MX belongs to a service whose terms the record leaves out, a
            warning says so.
        type: list
        elements: dict
        default: []
        suboptions:
          suffix:
            description: The domain that the MX hosts are in.
            type: str
            required: true
          service:
            description: The name of the service.
            type: str
            required: true
          terms:
            description: The service's SPF terms.
            type: list
            elements: str
            default: []
  dkim:
    description:
      - The selectors of every domain that does not list its own.
      - In O(dkim[].target), C({domain}) stands for the domain and C({selector}) for the selector.
    type: list
    elements: dict
    suboptions:
      selector:
        description: As in M(mailroom.erp.dkim_record).
        type: str
        required: true
      target:
        description: As in M(mailroom.erp.dkim_record).
        type: str
      public_key:
        description: As in M(mailroom.erp.dkim_record).
        type: str
      revoked:
        description: As in M(mailroom.erp.dkim_record).
        type: bool
        default: false
      state:
        description: As in M(mailroom.erp.dkim_record).
        type: str
        choices: [present, absent]
        default: present
      validate:
        description: As in M(mailroom.erp.dkim_record).
        type: str
        choices: [warn, require, ignore]
        default: warn
      near_miss:
        description: As in M(mailroom.erp.dkim_record).
        type: str
        choices: [refuse, replace, keep]
        default: refuse
  cnames:
    description:
      - Other aliases that a sending service asks for inside a domain, such as the one of its envelope sender.
      - Usually given for single domains.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the alias; without a dot, a label below the domain.
        type: str
        required: true
      target:
        description: The name that it stands for.
        type: str
        required: true
      state:
        description: With V(absent), the alias is taken away when it is this one.
        type: str
        choices: [present, absent]
        default: present
  dmarc:
    description:
      - What is wanted of the DMARC policy of every domain that does not say otherwise.
      - In report addresses, C({domain}) stands for the domain.
    type: dict
    suboptions:
      mode:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [fixed, managed]
        default: fixed
      target:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [none, quarantine, reject]
      policy:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [none, quarantine, reject]
      subdomain_policy:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [none, quarantine, reject]
      nonexistent_policy:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [none, quarantine, reject]
      adkim:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [r, s]
      aspf:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [r, s]
      rua:
        description: As in M(mailroom.erp.dmarc_record).
        type: list
        elements: str
        default: []
      ruf:
        description: As in M(mailroom.erp.dmarc_record).
        type: list
        elements: str
        default: []
      fo:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
      testing:
        description: As in M(mailroom.erp.dmarc_record).
        type: bool
      psd:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: ["y", "n", u]
      exclusive:
        description: As in M(mailroom.erp.dmarc_record).
        type: bool
        default: false
      tighten:
        description: As in M(mailroom.erp.dmarc_record).
        type: bool
        default: true
      accept_unseen_senders:
        description: As in M(mailroom.erp.dmarc_record).
        type: bool
        default: false
      accept_lost_forwarded_mail:
        description:
          - Whether mail may be rejected (p or sp V(reject)) although a sender in O(senders) has no aligned DKIM pass.
            Refused otherwise.
          - SPF alone does not survive forwarding, so whoever gets such mail by way of an alias or a mailing list loses
            it; RFC 9989 section 7.4 says that a domain at p=reject must not rely on SPF only.
        type: bool
        default: false
      authorize_reports:
        description: As in M(mailroom.erp.dmarc_record).
        type: bool
        default: true
      obsolete_tags:
        description: As in M(mailroom.erp.dmarc_record).
        type: dict
      state:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [present, absent]
        default: present
      near_miss:
        description: As in M(mailroom.erp.dmarc_record).
        type: str
        choices: [refuse, replace, keep]
        default: refuse
  null_mx:
    description:
      - A null MX (RFC 7505), which says that a domain takes no mail, so that senders give up at once.
      - Refused where the domain has another MX record. A warning tells when the domain's SPF record lets somebody send,
        because receivers may refuse mail from a domain that takes none.
    type: dict
    suboptions:
      state:
        description: With V(absent), a null MX is taken away; any other MX record stays.
        type: str
        choices: [present, absent]
        default: present
  tls_rpt:
    description:
      - Where senders report whether they reached the domain's mail servers by TLS (TLSRPT, RFC 8460).
      - Addresses and fields that the record has already are kept.
    type: dict
    suboptions:
      rua:
        description:
          - Mail addresses, or C(https:) URIs, that get the reports. C({domain}) stands for the domain.
        type: list
        elements: str
        default: []
      exclusive:
        description: Whether addresses and fields that are not given are taken away.
        type: bool
        default: false
      state:
        description: With V(absent), the whole record is taken away.
        type: str
        choices: [present, absent]
        default: present
      near_miss:
        description:
          - What to do when a TXT value at the name is meant as such a record, senders ignore it, and the record is new.
          - V(refuse) names it before anything is written, V(replace) has the new record take its place, V(keep) writes
            the new record beside it.
        type: str
        choices: [refuse, replace, keep]
        default: refuse
  mta_sts:
    description:
      - By which policy senders insist on TLS with the domain's mail servers (MTA-STS, RFC 8461).
      - The policy is a text that a web server hands out, and a TXT record announces it with an id. The id follows from
        the policy, so it changes when the policy does, and only then.
      - Refused where an MX record of the domain names a host that the policy does not allow, where the domain takes no
        mail, and where that cannot be looked up. Where record and file stay as they are, a warning says so instead.
    type: dict
    suboptions:
      mode:
        description:
          - With V(testing), senders only report (see O(tls_rpt)); with V(enforce), they send no mail without TLS.
          - V(none) takes a policy back. Publish it for as long as the old O(mta_sts.max_age) lasted, then use
            O(mta_sts.state=absent) (RFC 8461 section 8.3).
        type: str
        choices: [testing, enforce, none]
        default: testing
      mx:
        description:
          - The hosts that may get mail, each a name, or C(*.) and a name for exactly one label.
          - Unless given, the hosts of the domain's MX records.
        type: list
        elements: str
        default: []
      max_age:
        description: Seconds that senders keep the policy, at most V(31557600).
        type: int
        default: 604800
      policy_dir:
        description:
          - The folder for policies. That of a domain is written to C(mta-sts.<domain>/.well-known/mta-sts.txt) there,
            before the record, with mode 0644. A web server that has the folder C(mta-sts.<domain>) as the root of the
            host of that name serves it.
          - Unless given, nothing is written; the result of the domain has the text, as C(mta_sts.policy).
        type: path
      state:
        description: With V(absent), the record is taken away, and then the file.
        type: str
        choices: [present, absent]
        default: present
      near_miss:
        description:
          - What to do when a TXT value at the name is meant as such a record, senders ignore it, and the record is new.
          - V(refuse) names it before anything is written, V(replace) has the new record take its place, V(keep) writes
            the new record beside it.
        type: str
        choices: [refuse, replace, keep]
        default: refuse
  allow_failing_senders:
    description:
      - Senders that may fare worse by this change, each by its address, or all of an environment by its name.
      - A name that no sender has is refused.
    type: list
    elements: str
    default: []
  on_refused:
    description:
      - What happens when domains break rules, such as a second SPF record or an eleventh lookup.
      - V(stop) writes nothing for any domain, and tells all that is refused.
      - V(skip) leaves these domains out, does the others, and counts them among the RV(failures). The others are
        judged without the records of those that are left out.
      - V(hold) looks at all domains as V(skip) does, but writes nothing when one is left out, or failed so far because
        its service does not answer. RV(written) tells; RV(domains) and RV(planned) are then as in check mode.
    type: str
    choices: [stop, skip, hold]
    default: stop
  on_failure:
    description:
      - What becomes of the task when domains failed.
      - V(report) lets it succeed. RV(failures) has them, and warnings stand in RV(domains[].warnings) and
        RV(sender_warnings) only.
    type: str
    choices: [fail, report]
    default: fail
  judge_demands:
    description: Whether verdicts tell what large receivers ask for (C(receivers)), which is most of their length.
    type: bool
    default: true
  judge_live:
    description: Whether each sender is judged once more after a change, on the records as the world sees them then.
    type: bool
    default: false
  tell_name_servers:
    description: Whether RV(name_servers) tells the name servers of every zone, also of those in which nothing changes.
    type: bool
    default: false
  tell_plan:
    description: Whether RV(plan) tells all that was read and what becomes of it.
    type: bool
    default: false
  as_text:
    description:
      - Return RV(domains), RV(verdicts), RV(planned) and whatever else there is for each domain or sender as one JSON
        text, RV(text), for a task that reads it from the variable.
      - Ansible copies and walks each value of a result several times, so that hundreds of senders cost it seconds. A
        result in which a secret would stand stays as it is, so that Ansible can mask the secret.
    type: bool
    default: false
  agreed_plan:
    description:
      - What RV(plan) told on another day. Nothing is written unless the run finds every record as it was then, or as
        the plan makes it, and would change what the plan changes, exactly so. What differs is named, and refuses the
        task.
      - The same holds for each zone right before each further write, when somebody else writes at the same time.
      - The playbook C(mailroom.erp.apply) sets it; docs/plan.md tells more.
    type: dict
    suboptions:
      records:
        description: The RRsets.
        type: list
        elements: dict
        required: true
        suboptions:
          zone:
            description: The zone that holds it.
            type: str
            required: true
          view:
            description: Which of the accounts that hold the zone, 0 unless several do.
            type: int
            default: 0
          name:
            description: Its name.
            type: str
            required: true
          type:
            description: Its type.
            type: str
            required: true
          before:
            description: As it was read; null for one that is not there.
            type: dict
            suboptions: &rrset
              ttl:
                description: In seconds.
                type: int
                required: true
              values:
                description: Its values in printable characters, as snapshots have them.
                type: list
                elements: str
                required: true
          after:
            description: As it will be.
            type: dict
            suboptions: *rrset
          elsewhere:
            description: Who has the name, when it is delegated away.
            type: str
          domains:
            description: The domains that it was read for.
            type: list
            elements: str
            default: []
          kinds:
            description: The kinds of records that it is.
            type: list
            elements: str
            default: []
      files:
        description: The files that change.
        type: list
        elements: dict
        required: true
        suboptions:
          path:
            description: Where it is.
            type: str
            required: true
          domain:
            description: The domain that it is of.
            type: str
            required: true
          before:
            description: The SHA-256 of its text; null for none.
            type: str
          after:
            description: The SHA-256 of its text to be.
            type: str
  max_changes:
    description:
      - How much one run may change. What would change more is refused as a whole, before anything is written and in
        check mode, unless O(accept_changes) names how much it is.
      - No bound is asked for where there is an O(agreed_plan).
    type: dict
    suboptions:
      rrsets:
        description: So many RRsets at most.
        type: int
      share:
        description: This share of the domains of the run at most, from 0 to 1. Runs of fewer than ten domains are not
          held to it.
        type: float
  accept_changes:
    description: The number of RRsets that the run changes, where it is more than O(max_changes) and meant. Any other
      number accepts nothing.
    type: int
  ttl:
    description: As in M(mailroom.erp.spf_record), for all domains.
    type: int
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
  - module: mailroom.erp.spf_record
  - module: mailroom.erp.dkim_record
  - module: mailroom.erp.dmarc_record
"""

EXAMPLES = r"""
- name: Let AFAS Online send as all our domains
  mailroom.erp.mail_domains:
    domains: [acme.example, acme-shop.example]
    spf:
      terms: [include:spf.afas.online]
    dns: "{{ acme_dns }}"

- name: Two customers with a DNS account each
  mailroom.erp.mail_domains:
    domains:
      - domain: acme.example
        dns: "{{ acme_dns }}"
        spf:
          terms: [include:spf.afas.online]
      - domain: jansen.example
        dns: "{{ jansen_dns }}"
        spf:
          terms: [include:_spf.google.com]
          absent_terms: [ip4:192.0.2.9]

- name: Domains that nobody writes to
  mailroom.erp.mail_domains:
    domains: [acme-old.example, acme-parked.example]
    null_mx: {}
    spf: {all: '-all', exclusive: true}
    dns: "{{ acme_dns }}"

- name: Reports on TLS, and a policy that is tried out
  mailroom.erp.mail_domains:
    domains: [acme.example]
    tls_rpt:
      rua: [tls-reports@acme.example]
    mta_sts:
      mode: testing
      policy_dir: /srv/mta-sts
    dns: "{{ acme_dns }}"

- name: Thousands of domains from a file
  mailroom.erp.mail_domains:
    src: estate.yml
    dns: "{{ acme_dns }}"
    spf:
      terms: [include:spf.afas.online]
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
    - C(live), with O(judge_live) after a change, is judged on the records as the world sees them then.
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
name_servers:
  description:
    - With O(tell_name_servers) each zone with the name servers that its DNS account has for it (C(account)), and those
      that the world finds (C(world)); null with a C(problem) when it cannot be told.
  type: list
  elements: dict
  returned: when nothing was refused
  sample: [{zone: acme.example, account: [ns1.host.example], world: [ns1.host.example], problem: null}]
plan:
  description:
    - Every RRset that was read, as it was (C(before)) and as it will be (C(after)), and the files that change, in the
      shape of O(agreed_plan).
  type: dict
  returned: with O(tell_plan), when nothing was refused
  sample:
    records:
      - zone: acme.example
        view: 0
        name: acme.example
        type: TXT
        before: {ttl: 3600, values: ["v=spf1 mx ~all"]}
        after: {ttl: 3600, values: ["v=spf1 mx include:spf.afas.online ~all"]}
        elsewhere: null
        domains: [acme.example]
        kinds: [spf]
    files: []
text:
  description: The result as JSON, without RV(failures), RV(summary), RV(written), RV(snapshot) and whether it changed.
  type: str
  returned: with O(as_text), when nothing was refused
written:
  description: Whether the run went on to write; not in check mode, nor where O(on_refused=hold) held it.
  type: bool
  returned: when nothing was refused
snapshot:
  description: The file that holds what stood there before, for M(mailroom.erp.mail_records_restore); null when nothing
    was written.
  type: str
  returned: when nothing was refused
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import domains_result, run_dns_module
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS


def main() -> None:
    module = AnsibleModule(
        argument_spec=DNS_MODULE_OPTIONS["mail_domains"],
        mutually_exclusive=[("domains", "src")],
        required_one_of=[("domains", "src")],
        supports_check_mode=True,
    )
    run_dns_module(module, module.params, domains_result)


if __name__ == "__main__":
    main()

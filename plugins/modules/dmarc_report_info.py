#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers report of the mail of domains, and who is behind its sources."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dmarc_report_info
short_description: Tell what receivers report of the mail of domains, and who is behind each source
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Reads aggregate reports of DMARC (RFC 9990, RFC 7489 and the drafts before), and reports of TLS (RFC 8460) beside
    them. They may lie in files, folders, Maildirs and mboxes, as XML or JSON, packed with gzip or zip, or attached to
    messages. What parsedmarc has written as JSON is read, too.
  - Ties each source to a declared sender, by the addresses of its SPF terms, its DKIM signature and its envelope, or to
    a service of the catalogue. Any other source is unknown, with the reason.
  - A file that cannot be read is named with the reason, and skipped. A report that comes twice counts once.
  - With O(archive), what was read is kept, and the next run reads only what is new.
  - Source addresses are personal data in places. See O(shorten_addresses) and O(retention).
  - The guide is C(docs/reports.md).
extends_documentation_fragment:
  - mailroom.erp.senders
  - mailroom.erp.dns.resolver
options:
  paths:
    description:
      - Files and folders with reports. Folders are read with all that is in them, but for names that begin with a dot.
      - Required unless there is an O(archive).
    type: list
    elements: path
    default: []
  authserv_id:
    description:
      - The server that takes the messages in O(paths), by the name that it writes into Authentication-Results. Then a
        report in a message counts only where this server found that DMARC passed for it; any other is told in
        RV(files.skipped), and looked at again by the next run. Reporters are to send so (RFC 7489 section 7.2.1.1).
      - V("") believes headers without such a name, as Exchange Online writes them.
      - Only its own headers are believed. It must take away those with its name that come from outside (RFC 8601
        section 5).
      - Reports in files of their own count as ever, and so does what an earlier run has read.
    type: str
  domains:
    description:
      - The domains to tell about, those whose policy was published. Unless given, all names that were reported on, each
        as it was reported.
      - Some receivers name a subdomain instead, for example those with OpenDMARC. Where the DNS has no policy for it,
        it is told with the nearest of these domains above it, in RV(domains), RV(sources) and RV(days).
    type: list
    elements: str
    default: []
  not_domains:
    description: Domains below those of O(domains) that are somebody else's, and are told with none of these.
    type: list
    elements: str
    default: []
  since:
    description:
      - Tell only about reports whose period ends at this time or later, a date or a time of ISO 8601, for example
        V(2026-11-01). Without a time zone it is UTC.
      - All reports are read and kept nevertheless.
    type: str
  include_days:
    description: Return what was reported day by day, too.
    type: bool
    default: false
  include_records:
    description: Return every record of every report, too. That may be much.
    type: bool
    default: false
  senders:
    description:
      - Who is declared to send, as M(mailroom.erp.mail_auth_info) takes it.
      - A report tells no more of an address than its domain. Senders that differ in nothing else are told together.
    default: []
  services:
    description:
      - The services that may be behind other sources, each by its name in the catalogue, or as a dictionary with
        C(name), C(title), C(spf_terms) and C(domains), which are the service's own, that it signs as.
      - Unless given, all of the catalogue with C(erp_mail_catalogue_services).
    type: list
    elements: raw
  archive:
    description:
      - A folder for what was read, made where it is missing. Nobody else can read it.
      - Runs at the same time wait for each other.
    type: path
  retention:
    description:
      - Days after the end of its period for which a report is kept. Older ones are deleted, and not read again.
      - Unless given, all are kept. Needs O(archive).
    type: int
  shorten_addresses:
    description:
      - Keep and tell source addresses as networks only, /24 for IPv4 and /48 for IPv6.
      - Addresses that an earlier run has kept whole are shortened, too. There is no way back.
      - A source is then tied to a declared server only where all of its network is declared, or by its signature.
    type: bool
    default: false
  reverse_names:
    description: Look up the names of the 1000 addresses with the most messages. Their name servers see the questions.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads and tells the same in C(check_mode), on a copy of the archive. Nothing is written.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: A file that has been read is not read into O(archive) again.
    support: full
seealso:
  - module: mailroom.erp.mail_auth_info
  - module: mailroom.erp.dmarc_record
"""

EXAMPLES = r"""
- name: What receivers saw of our mail, read every night
  mailroom.erp.dmarc_report_info:
    paths: [/var/mail/dmarc-reports]
    archive: /var/lib/mailroom/reports
    retention: 400
    senders: "{{ our_senders }}"
  register: reports

- name: Whom nobody has declared, the largest first
  ansible.builtin.debug:
    msg: "{{ reports.sources['acme.example'] | default([]) | selectattr('who.kind', 'eq', 'unknown') }}"

- name: Every record of November, for another program
  mailroom.erp.dmarc_report_info:
    archive: /var/lib/mailroom/reports
    domains: [acme.example]
    since: 2026-11-01
    include_records: true
"""

RETURN = r"""
files:
  description: What came of the files and messages in O(paths).
  type: dict
  returned: always
  contains:
    read:
      description: Those that were new.
      type: int
    known:
      description: Those that an earlier run has read into O(archive).
      type: int
    reports:
      description: The reports in the new ones that count.
      type: int
    duplicates:
      description: The reports that had been counted before, known by reporter, id and domain.
      type: int
    expired:
      description: The reports that are older than O(retention).
      type: int
    skipped:
      description: What could not be read, each with C(file) and C(reason). Of known files it is told again.
      type: list
      elements: dict
    incomplete:
      description: Reports of which single records were left out, each with C(file) and C(reason).
      type: list
      elements: dict
    notes:
      description: What else a person should know of a report, each with C(file) and C(reason).
      type: list
      elements: dict
domains:
  description: What was reported on each domain, by its name as A-labels. Times are in UTC, as ISO 8601.
  type: dict
  returned: always
  contains:
    reports:
      description: How many reports count.
      type: int
    reporters:
      description: How many receivers sent them; C(reporter_names) has their names.
      type: int
    begin:
      description: When the first period began, null without reports.
      type: str
    end:
      description: When the last period ended, null without reports.
      type: str
    messages:
      description: How many messages were seen. C(pass) and C(fail) tell how many of them passed DMARC.
      type: int
    policy_published:
      description: The policy that the newest report saw, by tag; null without reports.
      type: dict
    overlaps:
      description:
        - Reporters whose periods overlap, each with C(org), C(reports) and C(first), the time of the first such report.
        - Some reporters split a day among several reports; others count messages twice.
      type: list
      elements: dict
    records_left_out:
      description: How many records of these reports could not be used.
      type: int
    mailed_by_others:
      description:
        - Reports that came in a message of another organisation than they name, each reporter with C(org),
          C(mailed_by), the domain in From of the message, and C(reports). Some reporters do so; so would somebody who
          invents reports.
      type: list
      elements: dict
    subdomains:
      description: Names below it that reports give instead of it, and that have no policy of their own. They are told
        with it.
      type: list
      elements: str
    doubtful_subdomains:
      description:
        - Names below it that reports give, and of which nobody can tell whether they have a policy of their own, each
          with C(domain) and C(reason). They are told under their own name.
      type: list
      elements: dict
sources:
  description: By domain, the sources of its mail, those with the most messages first.
  type: dict
  returned: always
  contains:
    source:
      description: Its address, or its network with O(shorten_addresses).
      type: str
    reverse_name:
      description: Its name in the DNS; null unless O(reverse_names) is true and it has one.
      type: str
    messages:
      description: How many messages came from there, of this sender.
      type: int
    spf:
      description: C(pass) and C(fail), in messages; passed means with alignment.
      type: dict
    dkim:
      description: As C(spf).
      type: dict
    dmarc:
      description: As C(spf).
      type: dict
    selectors:
      description: The signatures that receivers saw, each with C(domain), C(selector), C(result) and C(messages).
      type: list
      elements: dict
    header_from:
      description: The domains in From.
      type: list
      elements: str
    envelope_from:
      description: The domains of the envelope.
      type: list
      elements: str
    who:
      description:
        - Who it is. C(kind) is V(declared), V(service) or V(unknown). C(environments) and C(service) name it, C(proof)
          says by what it is known (V(dkim), V(address), V(envelope)), C(reason) why, as a sentence.
        - More than one environment means that reports cannot tell which.
      type: dict
tls:
  description:
    - What was reported on TLS to each domain. Each has C(reports), C(reporters), C(begin), C(end), C(successful) and
      C(failed) in sessions, C(policy_types), and C(failures) with C(result_type), C(mx), C(reason) and C(sessions).
  type: dict
  returned: always
days:
  description: By domain the days on which it was reported on, each with C(day), C(messages), C(pass) and C(fail).
  type: dict
  returned: when O(include_days=true)
  sample: {acme.example: [{day: "2026-11-01", messages: 12, pass: 11, fail: 1}]}
records:
  description:
    - Each record with C(domain), C(org), C(report_id), C(begin), C(end), C(source_ip), C(count), C(disposition),
      C(dkim), C(spf), C(header_from) and C(envelope_from), in the order of time. C(domain) is the name that was
      reported.
    - C(dkim) and C(spf) are the aligned results.
  type: list
  elements: dict
  returned: when O(include_records=true)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_options import REPORT_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import inform_of_reports
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import sendable
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


def main() -> None:
    module = AnsibleModule(
        argument_spec=REPORT_OPTIONS, required_one_of=[("paths", "archive")], supports_check_mode=True
    )
    try:
        result = inform_of_reports(module.params, write=not module.check_mode)
    except (Refused, MissingLibrary) as error:
        module.fail_json(msg=sendable(str(error)))
    module.exit_json(**sendable(result))


if __name__ == "__main__":
    main()

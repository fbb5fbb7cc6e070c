#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail servers as an ERP will meet them: reached, TLS, certificate, sign-in and size."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_probe
short_description: Tell whether mail servers are as an ERP needs them
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Looks at mail servers from where the module runs. Whether each is reached, its banner, STARTTLS or implicit TLS, the
    versions of TLS, the certificate, AUTH before and after TLS, and SIZE; judged by what the ERP wants.
  - Sends no mail and no password, and writes nothing anywhere.
  - Each server gets at most three connections, however many environments use it.
  - What cannot be told, such as after a temporary answer or a time-out, is V(unknown), never a pass, and never "no
    TLS".
  - What is seen is seen from here. Unless O(probe_from=here), the result is no pass, and there are commands to run
    where the ERP sends from.
  - The task does not fail because of what it finds.
  - The guide, with each finding and what to do about it, is C(docs/smtp_probe.md).
requirements:
  - cryptography >= 42
extends_documentation_fragment:
  - mailroom.erp.reads
options:
  servers:
    description:
      - The servers, one item for each environment that uses one. Two items with the same host, port and kind of start
        are one server, which is looked at once.
      - Or give one server by O(host) and the options beside it.
    type: list
    elements: dict
    suboptions:
      name:
        description: Who uses the server, for people.
        type: str
      host:
        description: The server's name in A-labels or its address, as it is set in the ERP.
        type: str
        required: true
      port:
        description: Its port. Unless given, 587 with STARTTLS, 465 with implicit TLS, 25 without TLS.
        type: int
      security:
        description: How the ERP protects the connection.
        type: str
        choices:
          none: Not at all.
          starttls: With STARTTLS (explicit TLS), which the server must offer.
          opportunistic: With STARTTLS where the server offers it, else in clear.
          implicit: With TLS from the start (SSL).
        default: starttls
      verify:
        description: Whether the ERP checks the certificate. Otherwise what is wrong with it is a warning.
        type: bool
        default: true
      expect:
        description: What the ERP wants of the server.
        type: dict
        suboptions:
          auth:
            description: The mechanism that the ERP signs in by, such as V(LOGIN); V(any) for any. Unless given, none.
            type: str
          min_size:
            description: The bytes of the largest message that the ERP sends.
            type: int
          tls:
            description: The newest version of TLS that the ERP speaks. Unless given, it is not known.
            type: str
            choices: ["1.0", "1.1", "1.2", "1.3"]
      probe_from:
        description:
          - Where the ERP sends from. V(here) is the machine that the module runs on, anything else the name of another
            place.
          - Unless given, nobody knows, which is the same as another place.
        type: str
  name:
    description: See O(servers[].name).
    type: str
  host:
    description: See O(servers[].host). Required unless O(servers) is given.
    type: str
  port:
    description: See O(servers[].port).
    type: int
  security:
    description: See O(servers[].security).
    type: str
    choices: [none, starttls, opportunistic, implicit]
    default: starttls
  verify:
    description: See O(servers[].verify).
    type: bool
    default: true
  expect:
    description: See O(servers[].expect).
    type: dict
    suboptions:
      auth:
        description: See O(servers[].expect.auth).
        type: str
      min_size:
        description: See O(servers[].expect.min_size).
        type: int
      tls:
        description: See O(servers[].expect.tls).
        type: str
        choices: ["1.0", "1.1", "1.2", "1.3"]
  probe_from:
    description: See O(servers[].probe_from).
    type: str
  ca_file:
    description: Certificate authorities to trust instead of the system's, as a PEM file.
    type: path
  ehlo_name:
    description: What this machine calls itself. Unless given, its own name.
    type: str
  timeout:
    description:
      - Seconds that one server may take, with all its connections.
      - The banner may take half of it; some servers wait 15 seconds with it.
    type: float
    default: 60.0
  concurrency:
    description: How many servers are looked at together, at most 50.
    type: int
    default: 20
seealso:
  - module: mailroom.erp.mail_test
  - module: mailroom.erp.erp_mail_info
"""

EXAMPLES = r"""
- name: The server of AFAS Profit, with Enforce secure communication
  mailroom.erp.smtp_probe:
    host: relay.acme.example
    port: 465
    security: implicit
    expect: {auth: any, tls: "1.2"}
    probe_from: AFAS, where Profit runs
  register: relay

- name: Two environments on one server, looked at once, from the machine that KING ERP runs on
  mailroom.erp.smtp_probe:
    servers:
      - name: acme_king
        host: smtp.acme.example
        expect: {auth: LOGIN, min_size: 20000000}
        probe_from: here
      - name: acme_exalt
        host: smtp.acme.example
        verify: false
        probe_from: here
    timeout: 30
  register: seen
  failed_when: seen.result == 'fail'
  delegate_to: king.acme.example
"""

RETURN = r"""
result:
  description: The worst result of all servers, V(fail), V(unknown) or V(pass).
  type: str
  returned: always
connections:
  description: How many connections were made, to all servers together.
  type: int
  returned: always
servers:
  description: What was found for each item of O(servers), in its order.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Who uses the server, as given.
      type: str
    host:
      description: The server.
      type: str
    port:
      description: Its port.
      type: int
    security:
      description: As given.
      type: str
    probe_from:
      description: Where the ERP sends from, as given.
      type: str
    result:
      description: V(fail) when the ERP cannot send so, V(unknown) when nobody can tell from here, else V(pass).
      type: str
    summary:
      description: What was seen, in one line.
      type: str
    met:
      description:
        - The same as data, without anything that changes while the server stays as it is.
        - C(reached); C(tls_start), V(STARTTLS) or V(implicit TLS), and C(tls), the version; C(valid_until), the last
          day of the certificate as YYYY-MM-DD; C(auth), a list; C(size) in bytes. Null for what was not seen.
      type: dict
    findings:
      description:
        - What is wrong or unknown, the worst first, each with C(name), C(level) (V(fail), V(unknown), V(warning)),
          C(text), C(next_step) and C(source), the rule's; C(lasting), the text without what may be otherwise at the
          next look, such as the server's words or the days left; and C(certain), whether it holds where the ERP sends
          from, too.
      type: list
      elements: dict
    commands:
      description:
        - What to run where the ERP sends from, each with C(tool) and C(command). Empty with O(probe_from=here).
      type: list
      elements: dict
    seen:
      description: The key of RV(seen) that has the facts.
      type: str
seen:
  description:
    - The facts of each server that was looked at, by host, port and kind of start.
    - C(address), C(connections) and C(seconds); C(banner) and C(banner_seconds); C(before_tls) and C(after_tls), each
      with C(extensions), C(auth), C(size) (0 for no fixed limit) and C(starttls); C(tls), which has V(offered),
      V(refused) or V(unknown) for each version; C(certificate), with C(subject), C(issuer), C(names), C(common_name),
      C(matches) (V(san), V(cn) or null), C(not_before), C(not_after), C(days_left), C(lifetime_days), C(self_issued),
      C(trusted), C(distrust), C(key), C(signature) and C(sha256); C(ended), where and why the conversation ended
      early.
    - What was not seen is null.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import SMTP_PROBE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_run import run_smtp_probe


def main() -> None:
    run_smtp_probe(AnsibleModule(argument_spec=SMTP_PROBE_OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()

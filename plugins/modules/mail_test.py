#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One real test message, handed in as an ERP hands in its mail."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_test
short_description: Send one real test message as an ERP would, and tell what the service says
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Sends one small message of one sender to one address, over SMTP with a password or OAuth, or over Microsoft Graph.
  - Returns the words of the service. Refusals that are known come with cause, next step and source.
  - With O(expect=refused) it is the negative proof. A message from a mailbox outside the scope of an application must
    be refused; where it goes through, the scope is not in force.
  - The same message is never sent twice, see O(once_per). Nothing is sent in check mode.
  - With O(expect=signed_in) it only signs in, and sends nothing.
  - The task fails unless the service does what is expected. What cannot be told, such as a temporary answer, is no
    success.
  - The guide is C(docs/mail_test.md).
extends_documentation_fragment:
  - mailroom.erp.entra
options:
  from:
    description:
      - The address that sends, as the ERP has it in From.
      - Required unless O(expect=signed_in) with O(submission=graph).
    type: str
  to:
    description:
      - The one address that gets the message; it goes to nobody else.
      - Take one that expects such mail, for Exalt its System Notification Mailbox.
      - Required unless O(expect=signed_in).
    type: str
  submission:
    description: How the message is handed in.
    type: str
    required: true
    choices:
      smtp: To a mail server, as O(smtp) says.
      graph: To Microsoft Graph (sendMail), with an application of O(tenant).
  smtp:
    description: The mail server, as it is set in the ERP. Required by O(submission=smtp).
    type: dict
    suboptions:
      host:
        description: Its name, which must be in its certificate.
        type: str
        required: true
      port:
        description: Its port. Unless given, 587 with STARTTLS, 465 with implicit TLS, 25 without TLS.
        type: int
      security:
        description: How the connection is protected. The certificate is always checked.
        type: str
        choices:
          none: Not at all.
          starttls: With STARTTLS, which the server must offer.
          implicit: With TLS from the start.
        default: starttls
      auth:
        description: How to sign in.
        type: str
        choices:
          none: Not at all, for a server that knows this machine by its address.
          plain: With a password, by PLAIN.
          login: With a password, by LOGIN.
          password: With a password, by PLAIN where the server offers it, else by LOGIN.
          xoauth2: With a token, by XOAUTH2; of O(tenant) unless O(smtp.access_token) is given.
        default: plain
      user:
        description: Who signs in; with O(smtp.auth=xoauth2) the mailbox. Required unless O(smtp.auth=none).
        type: str
      password:
        description: The password. Required by O(smtp.auth=plain), O(smtp.auth=login) and O(smtp.auth=password).
        type: str
      access_token:
        description: A token for O(smtp.auth=xoauth2), of a service that is not Microsoft's.
        type: str
      resource:
        description:
          - Whom the token of O(tenant) is meant for. Unless given, Exchange Online of the public cloud.
          - Required with another O(tenant.cloud).
        type: str
      control_user:
        description:
          - For O(expect=refused) with O(smtp.auth=xoauth2), a mailbox inside the scope.
          - Where O(smtp.user) may not sign in, its sign-in with the same token shows that the token is good, so that it
            is the scope that refuses. No message is sent as it.
        type: str
      envelope_from:
        description: The address for bounces (MAIL FROM). Unless given, that of O(from).
        type: str
      ehlo_name:
        description: What this machine calls itself. Unless given, its own name.
        type: str
      ca_file:
        description: Certificate authorities to trust instead of the system's, as a PEM file.
        type: path
      accept_cleartext:
        description: Sign in without TLS, where everybody on the way can read the password.
        type: bool
        default: false
      timeout:
        description:
          - Seconds that one answer may take as a whole. The one that takes the message may take ten times as long (RFC
            5321 section 4.5.3.2.6).
        type: float
        default: 60.0
  tenant:
    description:
      - The Microsoft Entra tenant, and how to sign in to it as the application that the ERP uses. Always given whole.
      - Exactly one of O(tenant.client_secret), O(tenant.certificate), O(tenant.federated_token) and O(tenant.azure_cli)
        is given.
      - Required by O(submission=graph), and by O(smtp.auth=xoauth2) without O(smtp.access_token). Only these need the
        libraries below.
    required: false
  mailbox:
    description:
      - For O(submission=graph), the address or the id of the user whose mailbox sends. Unless given, O(from).
    type: str
  expect:
    description: What the service should do.
    type: str
    choices:
      accepted: It takes the message.
      refused: It refuses this sender, because its mailbox is outside the scope.
      signed_in: It takes the sign-in. No message is sent. It is tried in check mode too.
    default: accepted
  once_per:
    description:
      - A text that names this message among those of the same O(from), O(to) and O(expect). For each value the message
        is sent once, however often the task runs.
      - A date gives one message a day; the key id of a secret one for each secret.
      - Unless given, one message for the same settings. Secrets do not count among them.
    type: str
  accept_second_message:
    description: Send again where an earlier run died while the message was on its way, so that it may have been sent.
    type: bool
    default: false
  state_dir:
    description:
      - The folder where it is kept what has been sent, on the machine that the module runs on.
      - Unless given, V(mailroom) in the user's state folder (E(XDG_STATE_HOME), else C(~/.local/state)).
    type: path
  limits:
    description: What the service allows one account, as C(limits) of its entry in the catalogue has it.
    type: dict
    suboptions:
      messages_per_minute:
        description: Further messages of this machine wait.
        type: int
      messages_per_day:
        description: Further messages of this machine are not sent.
        type: int
      message_size:
        description: The largest message, in bytes.
        type: int
  fetch:
    description:
      - Where the message arrives, to read what its receiver found.
      - Exactly one of O(fetch.maildir) and O(fetch.imap) is given.
      - Nothing is moved or marked there.
    type: dict
    suboptions:
      authserv_id:
        description:
          - The name by which the receiving server signs its Authentication-Results (RFC 8601). Those of others are not
            believed.
          - An empty text stands for a receiver that writes none, as Exchange Online does.
        type: str
        required: true
      maildir:
        description: A Maildir on this machine.
        type: path
      imap:
        description: A mailbox over IMAP.
        type: dict
        suboptions:
          host:
            description: The server's name, which must be in its certificate.
            type: str
            required: true
          port:
            description: Its port. Unless given, 993, or 143 with STARTTLS.
            type: int
          security:
            description: How the connection is protected.
            type: str
            choices:
              starttls: With STARTTLS.
              implicit: With TLS from the start.
            default: implicit
          user:
            description: Who signs in.
            type: str
            required: true
          password:
            description: The password.
            type: str
            required: true
          folder:
            description: The folder to look into.
            type: str
            default: INBOX
          ca_file:
            description: Certificate authorities to trust instead of the system's, as a PEM file.
            type: path
      timeout:
        description: Seconds to wait for the message.
        type: float
        default: 60.0
  verdict:
    description:
      - What is foretold of this sender, an item of C(verdicts) of M(mailroom.erp.mail_auth_info) or
        M(mailroom.erp.mail_domains). Its C(spf), C(dkim) and C(dmarc) are compared with what the receiver found.
    type: dict
attributes:
  check_mode:
    description: Nothing is sent in C(check_mode), and nobody is asked, except with O(expect=signed_in).
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Sends nothing when the message of O(once_per) has been sent.
    support: full
seealso:
  - module: mailroom.erp.mail_auth_info
  - module: mailroom.erp.entra_sender_info
"""

EXAMPLES = r"""
- name: KING ERP sends over Exchange Online with OAuth, once for each secret
  mailroom.erp.mail_test:
    from: invoices@acme.example
    to: notifications@acme.example
    submission: smtp
    smtp:
      host: smtp.office365.com
      auth: xoauth2
      user: invoices@acme.example
    tenant: "{{ king_application }}"
    once_per: "{{ king_key_id }}"
    limits: {messages_per_minute: 30}

- name: A mailbox outside the scope is refused
  mailroom.erp.mail_test:
    from: director@acme.example
    to: notifications@acme.example
    submission: graph
    tenant: "{{ king_application }}"
    expect: refused
    once_per: "{{ king_scope_changed_on }}"

- name: The new secret works
  mailroom.erp.mail_test:
    from: invoices@acme.example
    submission: graph
    tenant: "{{ king_application }}"
    expect: signed_in

- name: The bakery's mail over its provider, and what the receiver makes of it
  mailroom.erp.mail_test:
    from: mijnbakkerij@ziggo.example
    to: tests@acme.example
    submission: smtp
    smtp: {host: smtp.ziggo.example, user: mijnbakkerij, password: "{{ vault_bakery_password }}"}
    fetch: {authserv_id: mx.acme.example, maildir: /var/mail/tests}
    verdict: "{{ audit.verdicts[0] }}"
"""

RETURN = r"""
outcome:
  description:
    - V(accepted) and V(refused) are what the service said. V(unknown) is a temporary answer, or one that was lost.
      V(not_sent) means that this side sent nothing, V(signed_in) that the sign-in was taken and nothing sent.
  type: str
  returned: always
sent:
  description: Whether a message has gone out in this run; null when nobody can tell.
  type: bool
  returned: always
proof:
  description:
    - With O(expect=refused), V(holds) when this sender was refused, V(broken) when the message was accepted, V(unknown)
      when it was refused for another reason or nobody can tell; null otherwise.
  type: str
  returned: always
answer:
  description:
    - The answer that decided, with C(stage), C(code) (of SMTP, or the status of HTTP), C(enhanced) (the enhanced status
      code, or the code of Graph's error) and C(text), the service's words on one line. Null when nobody was asked.
    - What was sent as a secret is masked in it.
  type: dict
  returned: always
cause:
  description:
    - What the answer means, with C(name), C(about), C(explanation), C(step) and C(source), which has C(title), C(url)
      and C(date). Null when it is not known, or all went well.
  type: dict
  returned: always
message_id:
  description: The Message-ID of the message; null in check mode.
  type: str
  returned: always
earlier:
  description: What an earlier run has left, C(state) and C(at); null when this run did not stop because of it.
  type: dict
  returned: always
observed:
  description:
    - What was seen of the message where it arrived. C(arrived), C(reason) when nothing is known, C(spf), C(dkim) and
      C(dmarc), each with C(result) and C(domain), C(agrees), which is null when nothing could be compared with
      O(verdict), and C(differences), each with C(method), C(verdict) and C(observed).
    - Null without O(fetch).
  type: dict
  returned: always
once_per:
  description: The value that names the message, given or made of the settings.
  type: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import MAIL_TEST_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_run import run_mail_test


def main() -> None:
    run_mail_test(AnsibleModule(argument_spec=MAIL_TEST_OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()

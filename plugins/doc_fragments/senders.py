# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option ``senders``; the mirror of ``module_utils/domains/sender_option.py``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  senders:
    description:
      - Who sends, as resolved facts; the role P(mailroom.erp.mail_dns#role) gives those of all environments.
      - What is not given is not known, and a verdict that rests on it is unknown, never a pass.
    type: list
    elements: dict
    suboptions:
      from:
        description: The address in the header From.
        type: str
        required: true
      envelope_from:
        description:
          - The address that bounces go to (RFC 5321 MAIL FROM).
          - V("") is the null sender, for which SPF is looked up at O(senders[].helo) (RFC 7208 section 2.4).
        type: str
      envelope_domain:
        description: Its domain, where only that is known.
        type: str
      sources:
        description:
          - The servers that send, each as an address, a network or an SPF term that covers them, for example
            V(192.0.2.10), V(198.51.100.0/24) or V(include:spf.afas.online).
          - The result is the worst over all of them.
        type: list
        elements: str
      dkim:
        description: The signature that the sending service makes.
        type: dict
        suboptions:
          domain:
            description: The domain that signs (d=).
            type: str
            required: true
          selectors:
            description: The selectors that it may use; V([]) says that mail is not signed.
            type: list
            elements: str
            required: true
      helo:
        description:
          - The name that the server greets with.
          - Some receivers check its SPF record too; where that refuses the servers, the verdict has a caution.
        type: str
      transport:
        description:
          - What was found about handing the mail in, such as a mailbox that does not exist; nothing when nobody looked.
          - Unless it is V(pass), the verdict is none either.
        type: dict
        suboptions:
          result:
            description: What was found.
            type: str
            choices: [pass, fail, unknown]
            required: true
          reason:
            description: Why.
            type: str
            required: true
          next_step:
            description: What to do.
            type: str
      environment:
        description: The ERP environment, for messages and reports.
        type: str
      service:
        description: The sending service, for messages and reports.
        type: str
      used_for:
        description: The messages that this sender is taken for, for messages and reports.
        type: list
        elements: str
        default: []
requirements:
  - publicsuffixlist, for verdicts
"""

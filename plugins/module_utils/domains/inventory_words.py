# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the user of an inventory writes for an option of ``mail_domains``: messages of ``site`` name nothing else.

Source of the names: docs/inventory.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import dns_spec
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import KIND_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

INVENTORY_DOMAINS: dict[str, Any] = {"type": "list", "elements": "str"}
"""The option ``inventory_domains``: the names of mail_dns_domains, where an inventory is what asks; None where a task
is."""

_OF_THE_RUN = {
    "accept_changes": "mail_accept_changes",
    "accept_undelegated": "mail_dns_accept_undelegated",
    "allow_failing_senders": "mail_dns_allow_failing_senders",
    "archive": "mail_reports_archive",
    "let_fail": "mail_reports_let_fail",
    "max_changes": "mail_max_changes",
    "only": "mail_policy_domains",
    "quiet_days": "mail_parked_quiet_days",
    "resolver": "mail_dns_resolver",
    "seasonal": "mail_reports_seasonal",
    "senders": "erp_mail_senders",
    "snapshot_dir": "mail_dns_snapshot_dir",
    "thresholds": "mail_reports_thresholds",
}
_OF_A_DOMAIN = ("dns", "zone", "ttl")
_OTHERWISE = {
    "spf.state: absent": "mail_dns_domains.{domain}.spf.absent_terms",
    "spf.create: true": "mail_dns_domains.{domain}.services, a list of who else sends, [] for nobody",
    "spf.flatten": "mail_dns_domains.{domain}.flatten",
    "spf.flatten_refresh": "mail_dns_domains.{domain}.flatten_refresh",
    "flatten": "mail_dns_domains.{domain}.flatten",
    "flatten_refresh": "mail_dns_domains.{domain}.flatten_refresh",
    "dmarc.tighten: true": "mail_dns_complete: true, and run for all hosts",
    "cnames.name": "erp_mail_dkim",
    "cnames.target": "erp_mail_dkim",
}
"""What an inventory says in another way than by the key of the same name."""

_ACCOUNT_OPTION = re.compile(rf"(?<![\w.-])dns\.(?=(?:{'|'.join(dns_spec()['options'])})\b)")
"""An option of a DNS account in a sentence of a DNS service, such as ``dns.server``."""


def domains_of_inventory(params: Mapping[str, Any]) -> frozenset[str] | None:
    """The domains that the asking inventory declares, as A-labels; None when it is a task that asks.

    :param params: the module's parameters
    """
    given = params.get("inventory_domains")
    return None if given is None else frozenset(str(name) for name in given)


def inventory_option(subject: str, option: str) -> str:
    """Name an option as the user of an inventory does.

    :param subject: the subject of the problem: a domain, or the name of a selector below one
    :param option: the text of an ``Option``, or any place of a problem
    :returns: a variable or a key of one, with the value to give; what is no option is returned as it is
    """
    path, colon, value = option.partition(": ")
    domain = subject.partition("._domainkey.")[2] or subject
    if option in _OTHERWISE or path in _OTHERWISE:
        return _OTHERWISE.get(option, _OTHERWISE.get(path, "")).format(domain=domain)
    head, _dot, inner = path.partition(".")
    if path in _OF_THE_RUN:
        return f"{_OF_THE_RUN[path]}{colon}{value}"
    if inner and head in ("dns", "resolver", "thresholds", "max_changes"):
        return f"{'mail_dns_account' if head == 'dns' else _OF_THE_RUN[head]}.{inner}{colon}{value}"
    if path in _OF_A_DOMAIN or head in KIND_OPTIONS:
        return f"mail_dns_domains.{domain}.{path}{colon}{value}"
    return option


def refusal_text(error: Refused, params: Mapping[str, Any]) -> str:
    """A refusal in the words of whoever asked: a task, or an inventory.

    :param params: the module's parameters, with ``inventory_domains`` where an inventory asked
    """
    return str(error if params.get("inventory_domains") is None else error.worded(inventory_option))


def failure_text(text: str, params: Mapping[str, Any]) -> str:
    """What a DNS service says of its account, in the words of whoever asked.

    :param params: see :func:`refusal_text`
    """
    return text if params.get("inventory_domains") is None else _ACCOUNT_OPTION.sub("mail_dns_account.", text)

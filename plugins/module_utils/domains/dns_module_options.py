# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of the DNS modules as argument specs: what a module is started with and what its action checks first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import (
    check_accounts,
    check_dns,
    dns_spec,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.change_bound import MAX_CHANGES_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import INVENTORY_DOMAINS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import (
    DKIM_OPTIONS,
    DMARC_OPTIONS,
    KIND_OPTIONS,
    SPF_OPTIONS,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.planned_records import AGREED_PLAN_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_spec import SENDER_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import (
    OwnCheck,
    is_name_text,
    shown_name,
    wrong_options,
)
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS


def shared_spec() -> dict[str, Any]:
    """The argument spec of the options ``dns``, ``zone`` and ``resolver``, and the rest that every DNS module takes."""
    return {
        "dns": dns_spec(),
        "zone": {"type": "str"},
        "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
        "accept_undelegated": {"type": "list", "elements": "str", "default": []},
        "snapshot_dir": {"type": "path"},
        "why": {"type": "str"},
    }


def domain_spec() -> dict[str, Any]:
    """The argument spec of the options that every module for one domain takes."""
    return {"domain": {"type": "str", "required": True}, "ttl": {"type": "int"}, **shared_spec()}


ENTRY_OPTIONS: ArgumentSpec = {
    "domain": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "ttl": {"type": "int"},
    "account": {"type": "int"},
    "dns": {"type": "raw"},
    **KIND_OPTIONS,
}
"""One of ``domains``. The action plugin sets ``account``, an index into ``accounts``. In place of an entry that breaks
rules it sends ``refused``, these rules, so that the entry's own values stay on the controller."""

_CHECKED_ENTRIES: dict[str, ArgumentSpec] = {
    "mail_domains": {**ENTRY_OPTIONS, "dns": dns_spec()},
    "mail_auth_info": {
        "domain": {"type": "str", "required": True},
        "selectors": {"type": "list", "elements": "str", "default": []},
    },
    "mail_adopt_info": {
        "domain": {"type": "str", "required": True},
        "zone": {"type": "str"},
        "dns": dns_spec(),
        "selectors": {"type": "list", "elements": "str", "default": []},
    },
    "dmarc_advance": {**ENTRY_OPTIONS, "dns": dns_spec()},
    "park_domains": {
        "domain": {"type": "str", "required": True},
        "zone": {"type": "str"},
        "ttl": {"type": "int"},
        "dns": dns_spec(),
    },
}
"""One of ``domains`` by module."""

DEFAULT_OPTIONS = ("zone", "ttl", *KIND_OPTIONS)
"""What may be given for all domains and for one."""


def _mail_domains() -> ArgumentSpec:
    shared = shared_spec()
    del shared["zone"]  # a zone for all domains would be right for hardly any of them
    return {
        "domains": {"type": "list", "elements": "raw"},
        "src": {"type": "path"},
        "accounts": {**dns_spec(), "type": "list", "elements": "dict"},
        **KIND_OPTIONS,
        "senders": {"type": "list", "elements": "dict", "options": SENDER_OPTIONS},
        "allow_failing_senders": {"type": "list", "elements": "str", "default": []},
        "on_refused": {"type": "str", "choices": ["stop", "skip", "hold"], "default": "stop"},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
        "judge_demands": {"type": "bool", "default": True},
        "judge_live": {"type": "bool", "default": False},
        "tell_name_servers": {"type": "bool", "default": False},
        "tell_plan": {"type": "bool", "default": False},
        "as_text": {"type": "bool", "default": False},
        "agreed_plan": {"type": "dict", "options": AGREED_PLAN_OPTIONS},
        "max_changes": {"type": "dict", "options": MAX_CHANGES_OPTIONS},
        "accept_changes": {"type": "int"},
        "ttl": {"type": "int"},
        "inventory_domains": INVENTORY_DOMAINS,
        "progress_file": {"type": "path"},
        "concurrency": {"type": "int", "default": 16},
        **shared,
    }


THRESHOLD_OPTIONS: ArgumentSpec = {
    "minimum_days": {"type": "int", "default": 30},
    "minimum_reporters": {"type": "int", "default": 3},
    "newest_days": {"type": "int", "default": 7},
    "failing_share": {"type": "float", "default": 0.0},
    "unknown_share": {"type": "float", "default": 0.01},
    "unknown_messages": {"type": "int", "default": 100},
    "left_out": {"type": "int", "default": 0},
}
"""How much evidence a step of a policy needs."""


def _advance() -> ArgumentSpec:
    shared = shared_spec()
    del shared["zone"]  # as of mail_domains
    return {
        "domains": {"type": "list", "elements": "raw", "required": True},
        "accounts": {**dns_spec(), "type": "list", "elements": "dict"},
        "state": {"type": "str", "choices": ["advance", "retreat"], "default": "advance"},
        "only": {"type": "list", "elements": "str"},
        "target": {"type": "str", "choices": ["quarantine", "reject"]},
        "retreat_from": {"type": "str", "choices": ["quarantine", "reject"]},
        "not_domains": {"type": "list", "elements": "str", "default": []},
        "archive": {"type": "path"},
        "senders": {"type": "list", "elements": "dict", "options": SENDER_OPTIONS},
        "seasonal": {"type": "list", "elements": "str", "default": []},
        "let_fail": {"type": "list", "elements": "str", "default": []},
        "services": {"type": "list", "elements": "raw"},
        "thresholds": {"type": "dict", "options": THRESHOLD_OPTIONS, "apply_defaults": True},
        "reverse_names": {"type": "bool", "default": False},
        "allow_failing_senders": {"type": "list", "elements": "str", "default": []},
        "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
        "inventory_domains": INVENTORY_DOMAINS,
        "progress_file": {"type": "path"},
        "concurrency": {"type": "int", "default": 16},
        **shared,
    }


def _park() -> ArgumentSpec:
    shared = shared_spec()
    del shared["zone"]  # as of mail_domains
    return {
        "domains": {"type": "list", "elements": "raw", "required": True},
        "accounts": {**dns_spec(), "type": "list", "elements": "dict"},
        "archive": {"type": "path"},
        "quiet_days": {"type": "int", "default": 400},
        "senders": {"type": "list", "elements": "dict", "options": SENDER_OPTIONS, "required": True},
        "tighten": {"type": "bool", "default": True},
        "on_refused": {"type": "str", "choices": ["stop", "skip"], "default": "stop"},
        "inventory_domains": INVENTORY_DOMAINS,
        "progress_file": {"type": "path"},
        "concurrency": {"type": "int", "default": 16},
        **shared,
    }


def _adopt() -> ArgumentSpec:
    shared = shared_spec()
    del shared["zone"]  # as of mail_domains
    return {
        "domains": {"type": "list", "elements": "raw", "required": True},
        "accounts": {**dns_spec(), "type": "list", "elements": "dict"},
        "selectors": {"type": "list", "elements": "str", "default": []},
        "reported": {"type": "str"},
        "reported_domains": {"type": "list", "elements": "str", "default": []},
        "as_text": {"type": "bool", "default": False},
        "progress_file": {"type": "path"},
        "concurrency": {"type": "int", "default": 16},
        **shared,
    }


def _restore() -> ArgumentSpec:
    shared = shared_spec()
    del shared["zone"]  # the snapshot names the zones
    return {
        "snapshot": {"type": "path", "required": True},
        "accounts": {**dns_spec(), "type": "list", "elements": "dict"},
        "zones": {"type": "list", "elements": "str"},
        "domains": {"type": "list", "elements": "str"},
        "not_domains": {"type": "list", "elements": "str", "default": []},
        "changed_since": {"type": "str", "choices": ["refuse", "restore"], "default": "refuse"},
        "concurrency": {"type": "int", "default": 16},
        **shared,
    }


_PLANNED: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "required": True, "choices": ["TXT", "CNAME"]},
    "values": {"type": "list", "elements": "str", "required": True},
}

DNS_MODULE_OPTIONS: dict[str, ArgumentSpec] = {
    "spf_record": {**domain_spec(), **SPF_OPTIONS},
    "dkim_record": {**domain_spec(), **DKIM_OPTIONS},
    "dmarc_record": {**domain_spec(), **DMARC_OPTIONS},
    "mail_domains": _mail_domains(),
    "mail_auth_info": {
        "domains": {"type": "list", "elements": "raw"},
        "senders": {"type": "list", "elements": "dict", "options": SENDER_OPTIONS},
        "planned": {"type": "list", "elements": "dict", "default": [], "options": _PLANNED},
        "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
        "inventory_domains": INVENTORY_DOMAINS,
        "progress_file": {"type": "path"},
        "concurrency": {"type": "int", "default": 16},
    },
    "mail_adopt_info": _adopt(),
    "mail_records_restore": _restore(),
    "dmarc_advance": _advance(),
    "park_domains": _park(),
}
"""The options of each DNS module. An action checks by the same object that the module is started with."""

_SRC_OPTIONS: ArgumentSpec = {
    "domains": {"type": "list", "elements": "raw", "required": True},
    "dns": dns_spec(),
    "senders": {"type": "list", "elements": "dict", "options": SENDER_OPTIONS},
    **{name: ENTRY_OPTIONS[name] for name in DEFAULT_OPTIONS},
}


def wrong_arguments(module: str, arguments: Mapping[str, Any]) -> list[str]:
    """Check the names and shapes of all options of a DNS module but those inside single domains.

    :param module: its name, without the collection's
    :param arguments: what the task gives
    :returns: one sentence per broken rule; none quotes a value
    """
    return wrong_options(DNS_MODULE_OPTIONS[module], arguments, _OWN)


def wrong_content(content: Mapping[str, Any]) -> list[str]:
    """Check what a file of domains gives, but what is inside single domains: names, shapes, types and choices.

    :param content: of the file
    :returns: see :func:`wrong_arguments`
    """
    return wrong_options(_SRC_OPTIONS, content, _OWN, values=True)


def wrong_entry(module: str, entry: Mapping[str, Any], values: bool = False) -> list[str]:
    """Check one of ``domains``.

    :param module: its name, without the collection's
    :param entry: a dictionary, as a task or a file gives it
    :param values: also types and choices
    :returns: see :func:`wrong_arguments`
    """
    return wrong_options(_CHECKED_ENTRIES[module], entry, {"dns": check_dns}, values=values)


def entry_name(entry: object, number: int) -> str:
    """What messages call one of ``domains``: its domain, or its place where that could be something else.

    :param number: its index
    """
    domain = entry.get("domain") if isinstance(entry, Mapping) else entry
    named = isinstance(domain, str) and shown_name(domain) == domain
    return str(domain) if named else f"domains[{number}]"


def _check_domains(domains: object) -> list[str]:
    """Check the shapes of the list and of its elements. A text may name domains with commas, as Ansible takes it."""
    if not isinstance(domains, (list, tuple)):
        names = isinstance(domains, str) and all(is_name_text(one) for one in domains.split(","))
        return [] if names else ["domains must be a list of names and dictionaries, not a text or a dictionary"]
    return [
        f"domains[{number}] must be the name of a domain or a dictionary"
        for number, entry in enumerate(domains)
        if not isinstance(entry, Mapping) and not is_name_text(entry)
    ]


_OWN: dict[str, OwnCheck] = {"dns": check_dns, "accounts": check_accounts, "domains": _check_domains}

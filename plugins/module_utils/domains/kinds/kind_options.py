# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of all kinds as argument specs, without what is behind them: the controller checks options by them, where
Ansible compiles each file of a collection anew at every start."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec

_POLICIES = ["none", "quarantine", "reject"]

NEAR_MISS_OPTIONS: ArgumentSpec = {
    "near_miss": {"type": "str", "choices": ["refuse", "replace", "keep"], "default": "refuse"}
}
"""The option of every kind whose records are TXT values."""

FLATTEN_OPTIONS: ArgumentSpec = {
    "flatten": {"type": "list", "elements": "str", "default": []},
    "flatten_refresh": {"type": "int", "default": 7},
}
"""The options of ``spf_record``, and of ``spf`` in ``mail_domains``, that are about flattening."""

_MX_SERVICE: ArgumentSpec = {
    "suffix": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "terms": {"type": "list", "elements": "str", "default": []},
}

SPF_OPTIONS: ArgumentSpec = {
    "terms": {"type": "list", "elements": "str", "default": []},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "all": {"type": "str", "choices": ["keep", "-all", "~all", "+all", "?all"], "default": "keep"},
    "exclusive": {"type": "bool", "default": False},
    "on_duplicate": {"type": "str", "choices": ["fail", "merge"], "default": "fail"},
    "lookup_limit": {"type": "str", "choices": ["enforce", "warn", "ignore"], "default": "enforce"},
    **NEAR_MISS_OPTIONS,
    **FLATTEN_OPTIONS,
}
"""The SPF options of ``spf_record``, and of ``spf`` in ``mail_domains``."""

SPF_ESTATE_OPTIONS: ArgumentSpec = {
    **SPF_OPTIONS,
    "absent_terms": {"type": "list", "elements": "str", "default": []},
    "kept_terms": {"type": "list", "elements": "str", "default": []},
    "create": {"type": "bool", "default": True},
    "other_flattened": {"type": "str", "choices": ["keep", "warn", "restore"], "default": "keep"},
    "mx_services": {"type": "list", "elements": "dict", "default": [], "options": _MX_SERVICE},
}
"""What ``mail_domains`` adds: terms to take away in the same change, those that stay in any case, how to judge a first
record, and what becomes of flattened includes that are not asked for."""

DKIM_OPTIONS: ArgumentSpec = {
    "selector": {"type": "str", "required": True},
    "target": {"type": "str"},
    "public_key": {"type": "str", "no_log": False},
    "revoked": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "validate": {"type": "str", "choices": ["warn", "require", "ignore"], "default": "warn"},
    **NEAR_MISS_OPTIONS,
}
"""The options of ``dkim_record``, and of each entry of ``dkim`` in ``mail_domains``."""

CNAME_OPTIONS: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "target": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
"""The options of each entry of ``cnames`` in ``mail_domains``."""

DMARC_OPTIONS: ArgumentSpec = {
    "mode": {"type": "str", "choices": ["fixed", "managed"], "default": "fixed"},
    "target": {"type": "str", "choices": _POLICIES},
    "policy": {"type": "str", "choices": _POLICIES},
    "subdomain_policy": {"type": "str", "choices": _POLICIES},
    "nonexistent_policy": {"type": "str", "choices": _POLICIES},
    "adkim": {"type": "str", "choices": ["r", "s"]},
    "aspf": {"type": "str", "choices": ["r", "s"]},
    "rua": {"type": "list", "elements": "str", "default": []},
    "ruf": {"type": "list", "elements": "str", "default": []},
    "fo": {"type": "str"},
    "testing": {"type": "bool"},
    "psd": {"type": "str", "choices": ["y", "n", "u"]},
    "exclusive": {"type": "bool", "default": False},
    "tighten": {"type": "bool", "default": True},
    "accept_unseen_senders": {"type": "bool", "default": False},
    "accept_lost_forwarded_mail": {"type": "bool", "default": False},
    "authorize_reports": {"type": "bool", "default": True},
    "obsolete_tags": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **NEAR_MISS_OPTIONS,
}
"""The options of ``dmarc_record``, and of ``dmarc`` in ``mail_domains``."""

NULL_MX_OPTIONS: ArgumentSpec = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
"""The options of ``null_mx`` in ``mail_domains``."""

TLS_RPT_OPTIONS: ArgumentSpec = {
    "rua": {"type": "list", "elements": "str", "default": []},
    "exclusive": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **NEAR_MISS_OPTIONS,
}
"""The options of ``tls_rpt`` in ``mail_domains``."""

MTA_STS_OPTIONS: ArgumentSpec = {
    "mode": {"type": "str", "choices": ["testing", "enforce", "none"], "default": "testing"},
    "mx": {"type": "list", "elements": "str", "default": []},
    "max_age": {"type": "int", "default": 604800},
    "policy_dir": {"type": "path"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **NEAR_MISS_OPTIONS,
}
"""The options of ``mta_sts`` in ``mail_domains``."""

KIND_OPTIONS: ArgumentSpec = {
    "spf": {"type": "dict", "options": SPF_ESTATE_OPTIONS},
    "dkim": {"type": "list", "elements": "dict", "options": DKIM_OPTIONS},
    "cnames": {"type": "list", "elements": "dict", "options": CNAME_OPTIONS},
    "dmarc": {"type": "dict", "options": DMARC_OPTIONS},
    "null_mx": {"type": "dict", "options": NULL_MX_OPTIONS},
    "tls_rpt": {"type": "dict", "options": TLS_RPT_OPTIONS},
    "mta_sts": {"type": "dict", "options": MTA_STS_OPTIONS},
}
"""The kinds as options of ``mail_domains`` and of its entries, in the order of ``kind_table``."""

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of ``dmarc_report_info`` as an argument spec, and the checks of their names and shapes.

Ansible loads this for each playbook with a task that may read reports; what reads them is apart (``report_request``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_spec import SENDER_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import is_name_text, wrong_options
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS

SERVICE_OPTIONS: ArgumentSpec = {
    "name": {"type": "str", "required": True},
    "title": {"type": "str"},
    "spf_terms": {"type": "list", "elements": "str"},
    "domains": {"type": "list", "elements": "str"},
}
"""One of ``services``, when it is no name of the catalogue."""

REPORT_OPTIONS: ArgumentSpec = {
    "paths": {"type": "list", "elements": "path", "default": []},
    "authserv_id": {"type": "str"},
    "domains": {"type": "list", "elements": "str", "default": []},
    "not_domains": {"type": "list", "elements": "str", "default": []},
    "since": {"type": "str"},
    "include_days": {"type": "bool", "default": False},
    "include_records": {"type": "bool", "default": False},
    "senders": {"type": "list", "elements": "dict", "default": [], "options": SENDER_OPTIONS},
    "services": {"type": "list", "elements": "raw"},
    "archive": {"type": "path"},
    "retention": {"type": "int"},
    "shorten_addresses": {"type": "bool", "default": False},
    "reverse_names": {"type": "bool", "default": False},
    "resolver": {"type": "dict", "options": RESOLVER_OPTIONS},
}


def wrong_report_arguments(arguments: Mapping[str, Any]) -> list[str]:
    """Check the names and shapes of all options before the module starts.

    :param arguments: what the task gives
    :returns: one sentence per broken rule; none quotes a value
    """
    problems = wrong_options(REPORT_OPTIONS, arguments, {"services": wrong_services})
    if not problems and not arguments.get("paths") and not arguments.get("archive"):
        problems.append("paths, archive: give one of them, or both")
    return problems


def wrong_services(services: object) -> list[str]:
    """Check the shape of the option ``services``; gives one sentence per broken rule, without any value."""
    if not isinstance(services, (list, tuple)):
        return ["services must be a list of names and dictionaries"]
    problems: list[str] = []
    for number, one in enumerate(services):
        if isinstance(one, Mapping):
            problems += wrong_options(SERVICE_OPTIONS, one, {}, f"services[{number}].")
            problems += [] if one.get("name") else [f"services[{number}].name is required"]
        elif not is_name_text(one):
            problems.append(f"services[{number}] must be the name of a service, or a dictionary")
    return problems

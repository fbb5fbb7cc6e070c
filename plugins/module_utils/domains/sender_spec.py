# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The option ``senders`` as an argument spec, without what reads it: see ``kind_options``."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec

SENDER_OPTIONS: ArgumentSpec = {
    "from": {"type": "str", "required": True},
    "envelope_from": {"type": "str"},
    "envelope_domain": {"type": "str"},
    "sources": {"type": "list", "elements": "str"},
    "dkim": {
        "type": "dict",
        "options": {
            "domain": {"type": "str", "required": True},
            "selectors": {"type": "list", "elements": "str", "required": True},
        },
    },
    "helo": {"type": "str"},
    "transport": {
        "type": "dict",
        "options": {
            "result": {"type": "str", "required": True, "choices": ["pass", "fail", "unknown"]},
            "reason": {"type": "str", "required": True},
            "next_step": {"type": "str"},
        },
    },
    "environment": {"type": "str"},
    "service": {"type": "str"},
    "used_for": {"type": "list", "elements": "str", "default": []},
}
"""One sender. What is not given is not known; a verdict that rests on it is unknown."""

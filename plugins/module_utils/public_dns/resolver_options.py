# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The option ``resolver``, which says how the world is asked; the controller reads it too, so it imports nothing."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec

RESOLVER_OPTIONS: ArgumentSpec = {
    "nameservers": {"type": "list", "elements": "str", "default": []},
    "port": {"type": "int", "default": 53},
    "zonefiles": {"type": "list", "elements": "path", "default": []},
    "timeout": {"type": "float", "default": 5.0},
}

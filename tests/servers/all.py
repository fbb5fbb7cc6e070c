# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of name servers that take updates; what is promised of one is proven on all."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.knot import Knot
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import Server

SERVERS: dict[str, type[Server]] = {"bind": Bind, "knot": Knot, "powerdns": PowerDns}

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of estates share: the options of a run, and the account of every domain."""

from __future__ import annotations

import datetime
from dataclasses import replace

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions

TODAY = datetime.date(2026, 11, 21)
OPTIONS = EstateOptions(complete=False, limit=False, accept_stale=frozenset(), today=TODAY)
COMPLETE = replace(OPTIONS, complete=True)
ACCOUNT = {"provider": "zonefile", "path": "/zones"}
OTHER_ACCOUNT = {"provider": "zonefile", "path": "/other"}

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The version of the collection. Where a module runs there is no galaxy.yml; a test compares the two."""

from __future__ import annotations

VERSION = "0.1.0"

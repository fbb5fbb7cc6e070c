# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A service's own words without the names that nobody asked for: an account may have the zones of other customers."""

from __future__ import annotations

import re

from ansible_collections.mailroom.erp.plugins.module_utils.dns.api_answer import compared_name
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside

_NAME = re.compile(r"(?<![\w-])[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]*")
_HIDDEN = "(another name)"


def without_other_names(text: str, asked: str) -> str:
    """Take out what looks like a domain name and is neither above nor below the one that was asked for.

    :param text: what the service says
    :param asked: the name, as A-labels
    """

    def kept(match: re.Match[str]) -> str:
        name = compared_name(match[0])
        return match[0] if name and (is_inside(asked, name) or is_inside(name, asked)) else _HIDDEN

    return _NAME.sub(kept, text)

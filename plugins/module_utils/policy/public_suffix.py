# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Zones that belong to nobody who sends mail: the root, and public suffixes such as ``com`` or ``co.uk``."""

from __future__ import annotations

from functools import cache
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary, require


def is_everybodys(zone: str) -> bool:
    """Tell whether a zone is the root or a public suffix under which others register names.

    A name that the list does not know, such as one of an internal network, is none. Without the library
    publicsuffixlist only the root is known.

    :param zone: as A-labels
    """
    if zone in ("", "."):
        return True
    suffixes = _icann_suffixes()
    return suffixes is not None and suffixes.publicsuffix(zone) == zone


def organisation(name: str) -> str:
    """The part of a name that somebody registered: what stands above is everybody's. Without the library
    publicsuffixlist the last two labels, of which one more is the worst case.

    :param name: as A-labels; another text stays as it is
    """
    labels = name.split(".")
    for start in range(len(labels) - 2, -1, -1):
        candidate = ".".join(labels[start:])
        if not is_everybodys(candidate):
            return candidate
    return name


@cache
def _icann_suffixes() -> Any:
    """The list that comes with the package, without the suffixes that companies have put there for themselves."""
    try:
        return require("publicsuffixlist").PublicSuffixList(accept_unknown=False, only_icann=True)
    except MissingLibrary:
        return None

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifier alignment: whether what SPF or DKIM authenticates belongs to the From domain (RFC 9989 section 4.4)."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import Standard
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved


def is_aligned(standard: Standard, author: str, identifier: str | None, strict: bool) -> bool | None:
    """Tell whether an identifier is aligned with the From domain.

    Strict alignment wants the same domain, relaxed alignment the same organisational domain (RFC 9989 sections 3.2.10
    and 4.10.2, RFC 7489 section 3.1).

    :param author: the From domain, as A-labels
    :param identifier: the domain of the envelope sender, or d= of a signature; None when it is not known
    :returns: None when it cannot be told
    """
    if identifier is None:
        return None
    if author == identifier or strict:
        return author == identifier
    if author.rpartition(".")[2] != identifier.rpartition(".")[2]:
        return False
    try:
        return standard.organisation(author) == standard.organisation(identifier)
    except Unresolved:
        return None

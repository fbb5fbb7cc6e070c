# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether two domains belong together: identifier alignment (RFC 9989 section 4.4), and one organisation or two."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.discovery import (
    Standard,
    SuffixList,
    TreeWalk,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.truth import both
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup, Unresolved


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


def same_organisation(lookup: Lookup, domain: str, other: str) -> bool | None:
    """Tell whether receivers of both standards take two domains for one organisation.

    They compare organisational domains (RFC 9990 section 4, RFC 7489 section 7.1). Without the suffix list there is
    only one standard to ask, and never a yes.

    :param lookup: asks the DNS
    :param domain: as A-labels, as ``other``
    :returns: False when one standard takes them for two; None when it cannot be told
    """
    if domain == other:
        return True
    try:
        by_list = is_aligned(SuffixList(lookup), domain, other, strict=False)
    except MissingLibrary:
        by_list = None
    return False if by_list is False else both(by_list, is_aligned(TreeWalk(lookup), domain, other, strict=False))

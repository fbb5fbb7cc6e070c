# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The world as a resolver shows it, in the form in which records and senders are judged."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import World
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolved, ResolveError, Resolver


def world_of(resolver: Resolver) -> World:
    """Wrap a resolver: names that cannot be looked up are ``Unresolved``, and SPF trees are counted over its answers.

    :param resolver: live answers, or planned records over live ones
    """

    def ask(name: str, rdtype: str) -> Resolved:
        try:
            return resolver.lookup(name, rdtype)
        except ResolveError as error:
            raise Unresolved(str(error)) from None

    def lookup(name: str, rdtype: str) -> tuple[str, ...]:
        return ask(name, rdtype).values

    return World(
        lookup,
        BudgetCounter(lookup),
        lambda name: ask(name, "A").exists,
        lambda name, rdtype: ask(name, rdtype).authoritative,
    )

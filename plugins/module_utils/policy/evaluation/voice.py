# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How next steps are worded: for whoever writes tasks, or in the variables of an inventory; and whose a domain is.

A step is one sentence. Its alternatives stand between ", or "; each of them alone takes the reason of the verdict away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

SPF_VARIABLES = "erp_mail_spf_terms for this environment, mail_dns_domains.{}.services for everyone else"


@dataclass(frozen=True, slots=True)
class Voice:
    """Who is spoken to.

    ``domains`` are those that an inventory declares, as A-labels; None where a task asks. ``near`` are the domains of
    the sender, whose neighbours are taken for its own where a task asks.
    """

    domains: Collection[str] | None
    near: tuple[str, ...] = ()

    def is_own(self, domain: str) -> bool:
        """Whether the one spoken to can change the records of a domain."""
        if self.domains is not None:
            return any(_is_below(domain, name) for name in self.domains)
        return any(_is_below(domain, name) or _is_below(name, domain) for name in self.near)

    def at(self, domain: str, variable: str) -> str:
        """In brackets, where an inventory says so; what it has no variable for is done in the zone.

        :param variable: a key of the domain in mail_dns_domains, or "" for what is done in the zone
        """
        if self.domains is None:
            return ""
        return f" (mail_dns_domains.{domain}.{variable})" if variable and domain in self.domains else " (in the zone)"

    def said(self, variables: str) -> str:
        """Variables in brackets for an inventory, nothing for a task."""
        return "" if self.domains is None else f" ({variables})"

    def once_found(self, name: str) -> str:
        """A step that waits for the DNS, and tells an inventory who was asked.

        :param name: what cannot be looked up
        """
        return f"look again when {name} can be looked up{self.said('mail_dns_resolver: who is asked')}"

    def by_owner(self, domain: str, step: str) -> str:
        """A step that only the owner of a domain can do is asked for."""
        return step if self.is_own(domain) else f"ask the owner of {domain} to {step}"


def sentence(alternatives: Iterable[str]) -> str:
    """One step: a sentence of alternatives, each said once."""
    text = ", or ".join(dict.fromkeys(alternatives))
    return f"{text[0].upper()}{text[1:]}."


def enumerated(items: Sequence[str]) -> str:
    """Items for a sentence: "a, b and c"."""
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def _is_below(domain: str, other: str) -> bool:
    return domain == other or domain.endswith(f".{other}")

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What receivers will see of one sender's mail. What nobody knows is None: such a verdict is unknown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM signature: ``d=`` as A-labels and the selectors it may use; no selectors means that mail is not signed."""

    domain: str
    selectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TransportFinding:
    """What the system that hands mail in says of the sender, such as whether its mailbox exists.

    ``result`` is pass, fail or unknown; ``reason`` and ``next_step`` are for people.
    """

    result: str
    reason: str
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """One address that mail is sent as, and how.

    ``address`` and ``domain`` are the header From (domains as A-labels). ``envelope_domain`` is the domain that bounces
    go to, which SPF is looked up for; ``envelope_from`` the whole address when it is known. ``sources`` says which
    servers send: addresses, networks, or SPF terms that cover them. ``signature`` is the DKIM signature. ``helo`` is
    the name that the server greets with. ``transport`` is what was found about handing mail in, None when nobody
    looked. ``environment``, ``service`` and ``used_for`` are for people.
    """

    address: str
    domain: str
    envelope_domain: str | None = None
    envelope_from: str | None = None
    sources: tuple[str, ...] | None = None
    signature: Signature | None = None
    helo: str | None = None
    environment: str | None = None
    service: str | None = None
    used_for: tuple[str, ...] = ()
    transport: TransportFinding | None = None

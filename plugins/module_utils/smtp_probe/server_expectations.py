# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What an ERP wants of a mail server, and the shape of what is found of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FAILS, UNSURE, WARNS = "fail", "unknown", "warning"
"""The ERP cannot send so; nobody can tell from here; it works, but not well."""
PASSES = "pass"
CLEAR, STARTTLS, OPPORTUNISTIC, IMPLICIT = "none", "starttls", "opportunistic", "implicit"
SECURITIES = (CLEAR, STARTTLS, OPPORTUNISTIC, IMPLICIT)
ANY_MECHANISM = "any"


@dataclass(frozen=True, slots=True)
class ServerExpectations:
    """What one ERP environment wants of its mail server.

    ``security`` is one of ``SECURITIES``; ``verify`` tells whether the ERP checks the certificate; ``auth`` is the
    mechanism that it signs in by, ``any`` for any, None when it does not sign in; ``min_size`` the bytes of its largest
    message; ``tls`` the newest version that it speaks (1.0 to 1.3). None is not known.
    """

    security: str
    verify: bool = True
    auth: str | None = None
    min_size: int | None = None
    tls: str | None = None


@dataclass(frozen=True, slots=True)
class ServerFinding:
    """One thing that was found: ``name`` for programs, ``level`` fail, unknown or warning, sentences for people, the
    source of the rule. ``depends_on_place`` tells that another machine might find something else, because a server and
    what stands before it may treat clients by their address. ``detail`` ends the sentence with what may be otherwise at
    the next look: words of the server, seconds, days left."""

    name: str
    level: str
    text: str
    next_step: str
    source: str
    depends_on_place: bool = False
    detail: str = ""

    @property
    def sentence(self) -> str:
        """All that is told now."""
        return f"{self.text}{self.detail}"

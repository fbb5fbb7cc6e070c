# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The outcome of an SPF evaluation (RFC 7208 section 2.6)."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_cause import SpfCause

RESULTS = ("pass", "neutral", "none", "softfail", "fail", "permerror", "temperror")
"""The seven results, best first."""


@dataclass(frozen=True, slots=True)
class SpfResult:
    """One result and why.

    ``result`` is one of :data:`RESULTS`, or "unknown" when what it rests on is not known. ``reason`` is one sentence
    with its source. ``term`` is the directive that decided, with the includes that led to it ("include:x > ip4:y").
    ``address`` is the sending address that it was decided for. ``lookups`` and ``void`` are what the evaluation cost.
    ``explanation`` is the text of ``exp=`` after a fail. ``caution`` says why some receivers may give permerror.
    ``cause`` is what must be changed for it to become a pass.
    """

    result: str
    reason: str
    term: str | None = None
    address: str | None = None
    lookups: int = 0
    void: int = 0
    explanation: str | None = None
    caution: str | None = None
    cause: SpfCause | None = None

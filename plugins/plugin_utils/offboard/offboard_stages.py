# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The stages in which an environment leaves, and which of them the evidence permits now. Pure.

The order loses no mail: nothing of what makes mail pass goes while some of it may be under way. Source of the rules and
of the numbers: docs/offboard.md; that a key is kept for a while after the last signature, RFC 6376 section 5.2.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import (
    ALIASES,
    LEAVING,
    LEAVING_PARTS,
    SELECTORS,
    SENDERS,
    TENANT,
    TERMS,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.stop_evidence import StopFinding

SELECTOR_DAYS = 14
"""Days from the last mail until its selectors go, unless mail_offboard_selector_days says another number. A message
waits in a queue for at least four to five days (RFC 5321 section 4.5.4.1), and in a second one where it is forwarded;
the rest is for a receiver that looks at a signature when the message is read (RFC 6376 section 5.2)."""

STOPPED, POLICY = "stopped", "policy"
OFFBOARD_STAGES = (STOPPED, TENANT, SELECTORS, TERMS, POLICY)
"""In their order: sending has stopped; what stands in the tenant, the DKIM selectors and the SPF terms go; and last,
with consent, the return paths, the files, and the policies of domains that leave as well."""

DONE, READY, WAITING = "done", "ready", "waiting"

_PARTS = {STOPPED: SENDERS, TENANT: TENANT, SELECTORS: SELECTORS, TERMS: TERMS, POLICY: ALIASES}
"""The part of an environment whose state becomes absent once its stage is permitted."""


@dataclass(frozen=True, slots=True)
class StageFacts:
    """All that the stages of one environment rest on. ``selector_days`` as :data:`SELECTOR_DAYS`; ``final``: a person
    consents to the last stage."""

    stop: StopFinding
    today: datetime.date
    selector_days: int = SELECTOR_DAYS
    final: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: ``state`` is done, ready (it is done by this run) or waiting; ``reason`` says what for, or by what it
    is known, and ``until`` is the first day on which it may be permitted, where that can be told."""

    name: str
    state: str
    reason: str = ""
    until: datetime.date | None = None

    @property
    def is_permitted(self) -> bool:
        """Whether this run may do it, or it is done."""
        return self.state != WAITING


def stages_of(facts: StageFacts) -> tuple[Stage, ...]:
    """Decide what may be done now.

    :returns: the stages in their order; none is permitted behind one that is not
    """
    found: list[Stage] = []
    for stage in _wished(facts):
        before = found[-1] if found else None
        if before is not None and not before.is_permitted:
            days = [one for one in (before.until, stage.until) if one]
            stage = Stage(stage.name, WAITING, f"the stage before: {before.name}", max(days, default=None))
        found.append(stage)
    return tuple(found)


def part_states(stages: tuple[Stage, ...]) -> dict[str, str]:
    """The state of each part of the environment, as the estate takes it.

    :param stages: as :func:`stages_of` gives them
    :returns: leaving while its stage waits, then absent
    """
    permitted = {_PARTS[one.name] for one in stages if one.is_permitted}
    return {part: "absent" if part in permitted else LEAVING for part in LEAVING_PARTS}


def looked_at(stages: tuple[Stage, ...], left: Mapping[str, bool]) -> tuple[Stage, ...]:
    """The same stages, with what is done already.

    :param stages: as :func:`stages_of` gives them
    :param left: by stage whether there is still something to be taken away, as a look has shown; a stage of which that
        is not known is missing
    """
    return tuple(
        replace(one, state=DONE) if one.state == READY and left.get(one.name) is False else one for one in stages
    )


def _wished(facts: StageFacts) -> Iterator[Stage]:
    """Each stage as if those before it were done."""
    stop = facts.stop
    if stop.day is None:
        yield Stage(STOPPED, WAITING, "; ".join(stop.missing), stop.until)
    else:
        yield Stage(STOPPED, DONE, stop.proof)
    yield _permitted(TENANT)
    keys_until = stop.day + datetime.timedelta(days=facts.selector_days) if stop.day else None
    for name in (SELECTORS, TERMS):
        if keys_until is None or facts.today < keys_until:
            reason = f"mail may be under way until {facts.selector_days} days after the last"
            yield Stage(name, WAITING, reason, keys_until)
        else:
            yield _permitted(name)
    if facts.final:
        yield _permitted(POLICY)
    else:
        yield Stage(POLICY, WAITING, "it is final, and nobody has consented (mail_offboard_final: true)")


def _permitted(name: str) -> Stage:
    return Stage(name, READY)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The policies that a DMARC record asks for, and the records one step stricter or one step looser than it.

Source of the tags and their defaults: RFC 9989 section 4.7.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.mailroom.erp.plugins.module_utils.policy.dmarc import POLICIES
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import TagList

STEP_TAGS = ("p", "sp", "np")
"""The tags that a step moves; sp and np only where they stand in the record, because else they follow p."""


def stated_policies(record: TagList) -> dict[str, str]:
    """The policies that stand in a record, by tag; p is none where it is missing.

    :param record: one that receivers can apply
    """
    found = {tag: (record.get(tag) or "").lower() for tag in STEP_TAGS}
    return {"p": found["p"] or "none"} | {tag: value for tag, value in found.items() if value and tag != "p"}


def advanced(policies: Mapping[str, str], target: str) -> dict[str, str]:
    """The policies of one step towards a target: what changes, by tag; empty where nothing is left to do.

    :param policies: as :func:`stated_policies` gives them
    :param target: where p is to end; sp and np move along while they are weaker than p
    """
    goal = min(_strength(policies["p"]) + 1, _strength(target))
    after = max(goal, _strength(policies["p"]))
    changes = {"p": after} | {
        tag: min(_strength(value) + 1, after)
        for tag, value in policies.items()
        if tag != "p" and after > _strength(value)
    }
    # a target that is weaker than what stands there moves nothing
    reached = _strength(policies["p"]) > _strength(target)
    return {} if reached else _changed(policies, changes)


def retreated(policies: Mapping[str, str]) -> dict[str, str]:
    """The policies of one step back: what changes, by tag; sp and np go back where they are stricter than p then is.

    :param policies: as :func:`stated_policies` gives them
    """
    after = max(_strength(policies["p"]) - 1, 0)
    changes = {"p": after} | {
        tag: _strength(value) - 1 for tag, value in policies.items() if tag != "p" and _strength(value) > after
    }
    return _changed(policies, changes)


def policies_text(policies: Mapping[str, str]) -> str:
    """Policies as a record spells them, for people: ``p=none; sp=none``."""
    return "; ".join(f"{tag}={policies[tag]}" for tag in STEP_TAGS if tag in policies)


def rejects(changes: Mapping[str, str]) -> bool:
    """Whether a step is the one to reject: of the domain, or of its subdomains. Nobody sends as one that is none."""
    return "reject" in (changes.get("p"), changes.get("sp"))


def _changed(policies: Mapping[str, str], after: Mapping[str, int]) -> dict[str, str]:
    found = {tag: POLICIES[strength] for tag, strength in after.items()}
    return {tag: found[tag] for tag in STEP_TAGS if tag in found and found[tag] != policies[tag]}


def _strength(policy: str) -> int:
    return POLICIES.index(policy)

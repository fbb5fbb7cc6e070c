# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What makes DKIM pass where mail is signed for an aligned domain: a step for each selector without a usable key."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.dkim_readiness import SelectorReadiness
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.outcome import Verdict
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.voice import Voice, sentence

_GIVEN = "the key that the service gives"
_STEPS = {
    "missing": f"publish {_GIVEN} at {{name}}",
    "several": f"leave {_GIVEN} as the only TXT record at {{name}}",
    "no_key": f"replace the TXT record at {{name}} by {_GIVEN}",
    "data": f"replace the TXT record at {{name}} by {_GIVEN}",
    "algorithm": "have the service make a new RSA key of 2048 bits, and publish it alone at {name}",
    "small": "have the service make a new RSA key of 2048 bits, and publish it alone at {name}",
    "revoked": "have the service make a new key, and publish it alone at {name}",
    "h": "have the service sign with sha256, and remove the tag h from the TXT record at {name}",
    "s": "remove the tag s from the TXT record at {name}",
}
"""By the kind of cause."""
_ALIASED = "ask the service to publish a usable key at {alias}, where {name} leads"


def key_steps(verdict: Verdict, voice: Voice, selectors_at: str) -> list[str]:
    """The steps to a DKIM pass, one sentence for each selector without a usable key.

    :param selectors_at: the variables that declare selectors
    """
    declared = f"declare only the selectors that the service signs with{voice.said(selectors_at)}"
    sure = [declared] if verdict.dkim.result == "unknown" else []
    unusable = [one for one in verdict.dkim.selectors if one.result != "pass"]
    return [sentence([_step(one, voice, selectors_at), *sure]) for one in unusable]


def key_step(kind: str, name: str, alias: str | None) -> str:
    """What makes a key usable, as a part of a sentence.

    :param kind: of :class:`KeyVerdict`, or "missing"
    :param name: where receivers look for the key
    :param alias: where a CNAME there leads
    """
    if alias:
        return _ALIASED.format(alias=alias, name=name)
    return _STEPS[kind].format(name=name)


def _step(one: SelectorReadiness, voice: Voice, selectors_at: str) -> str:
    kind, alias = (one.cause.kind, one.cause.alias) if one.cause else ("missing", None)
    if kind == "unresolved":
        return voice.once_found(one.name)
    return f"{key_step(kind, one.name, alias)}{'' if alias else voice.said(selectors_at)}"

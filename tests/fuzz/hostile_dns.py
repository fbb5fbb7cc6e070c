# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One hostile DNS: all that reads what the DNS says, on lines of text. Whatever they are, there is a result after
bounded work, and no exception but the documented ones.

``fuzz_spf.py`` looks for lines that break this; what it found is in the folder ``found_dns``, and tried again by the
unit tests.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim, dmarc, spf, tags
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.servers import BadSource
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sources import check_sources
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.spf_result import RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import BudgetCounter
from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds

FOUND = Path(__file__).with_name("found_dns")
"""Inputs that broke something once."""
LONGEST = 8192
"""Bytes of an input."""
MOST_QUESTIONS_OF_SOURCES = 5000


class Fuzzed:
    """A DNS made of lines: each name has the one that its spelling picks, or several, or fails."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.asked = 0

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        self.asked += 1
        chosen = self._lines[sum(name.encode("utf-8", "surrogateescape")) % len(self._lines)]
        # half a pair of surrogates is no name, as the resolver has it
        if chosen.startswith("!") or any("\ud800" <= one <= "\udfff" for one in name):
            raise Unresolved("no answer")
        if rdtype == "TXT":
            return tuple(chosen.split("\t"))
        if rdtype in ("A", "AAAA"):
            return (("192.0.2.1", "198.51.100.7") if rdtype == "A" else ("2001:db8::1",)) if len(chosen) % 2 else ()
        return tuple(word for word in chosen.split(" ") if word)


def one_case(data: bytes) -> None:
    """One input: the first bytes choose client and source, the rest is what the DNS says."""
    text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    for line in lines:
        parse_all(line)
    evaluate(lines, text[:1])


def parse_all(text: str) -> None:
    """Every parser, on one value."""
    with contextlib.suppress(spf.SpfError):
        record = spf.parse_spf(text)
        assert str(record) == text
        BudgetCounter(Fuzzed([text])).count(record, "d0.example")
    with contextlib.suppress(tags.TagError):
        assert str(tags.parse_tags(text)) == text
    with contextlib.suppress(dmarc.DmarcError):
        policy = dmarc.parse_dmarc(text)
        dmarc.dmarc_faults(policy)
        dmarc.dmarc_concerns(policy)
        dmarc.destinations(policy, "d0.example")
        dmarc.is_stricter(policy, None)
    dkim.judge_key(text)
    dkim.is_key(text)
    with contextlib.suppress(dkim.KeyProblem):
        dkim.key_record(text)


def evaluate(lines: list[str], choice: str) -> None:
    """check_host and check_sources over a DNS that says these lines."""
    ip = "2001:db8::1" if choice > "m" else "192.0.2.1"
    sender, helo = lines[0][:400], lines[-1][:400]
    world = Fuzzed(lines)
    found = SpfEvaluator(world).check_host(ip, "d0.example", sender, helo)
    assert found.result in RESULTS and "RFC" in found.reason
    assert world.asked <= spf_worlds.MOST_QUESTIONS
    world = Fuzzed(lines)
    with contextlib.suppress(BadSource):
        judged = check_sources(SpfEvaluator(world), [lines[0]], "d0.example", sender, helo or None)
        assert judged.result in (*RESULTS, "unknown") and "RFC" in judged.reason
    judged = check_sources(SpfEvaluator(world), ["192.0.2.0/29", "include:d1.example"], "d0.example", sender)
    assert judged.result in (*RESULTS, "unknown") and "RFC" in judged.reason
    assert world.asked <= MOST_QUESTIONS_OF_SOURCES

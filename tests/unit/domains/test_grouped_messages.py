# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of many domains is said once, with their names."""

from __future__ import annotations

import re

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import (
    Message,
    failure_list,
    grouped,
    listed,
    template_of,
)
from hypothesis import given
from hypothesis import strategies as st

LABELS = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
DOMAINS = st.lists(LABELS.map(lambda label: f"{label}.example"), min_size=1, max_size=12, unique=True)


def about(domain: str, text: str) -> Message:
    return Message(domain, text.format(domain=domain), (f"_dmarc.{domain}", domain))


def test_a_sentence_that_differs_in_names_only_is_told_once() -> None:
    told = "{domain}: _dmarc.{domain} is an alias; whoever writes to {domain} knows"
    assert grouped(about(f"c{number}.example", told) for number in range(300)) == [
        "300 domains (c0.example, c1.example, c2.example, c3.example, c4.example and 295 more): "
        "_dmarc.<domain> is an alias; whoever writes to <domain> knows"
    ]


def test_a_zone_of_another_name_stands_for_itself() -> None:
    messages = [
        Message(f"mail.c{n}.example", f"mail.c{n}.example: zone c{n}.example: no answer", {f"c{n}.example"})
        for n in range(3)
    ]
    assert grouped(messages) == [
        "3 domains (mail.c0.example, mail.c1.example, mail.c2.example): zone <zone>: no answer"
    ]


def test_one_or_two_are_told_as_they_are() -> None:
    assert grouped([about("a.example", "{domain}: odd"), about("b.example", "{domain}: odd")]) == [
        "a.example: odd",
        "b.example: odd",
    ]


def test_the_same_sentence_of_one_domain_is_told_once() -> None:
    assert grouped([about("a.example", "{domain}: odd")] * 5) == ["a.example: odd"]


def test_a_name_inside_another_is_no_name() -> None:
    texts = ["{domain}: see my-{domain} and {domain}.nl and x{domain}"]
    (line,) = grouped(about(domain, texts[0]) for domain in ("a.example", "b.example", "c.example"))[:1]
    assert line == "a.example: see my-a.example and a.example.nl and xa.example"


@given(st.text("a.- b", max_size=25), st.text("a.- b", min_size=1, max_size=3))
def test_names_are_found_as_one_pattern_would_find_them(text: str, name: str) -> None:
    pattern = rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)"
    assert template_of(Message(name, text)) == re.sub(pattern, "<domain>", text)


def test_the_end_of_a_task_is_told_right_at_the_edges() -> None:
    def told(failed: int, total: int, check_mode: bool = False) -> list[str]:
        failures = [about(f"c{number}.example", "{domain}: no answer") for number in range(failed)]
        return failure_list("domains", failures, total, check_mode).splitlines()

    assert told(1, 4) == ["1 of 4 domains failed, the others are done:", "c0.example: no answer"]
    assert told(1, 4, True)[0] == "1 of 4 domains failed, the others would be done:"
    names = "c0.example, c1.example, c2.example, c3.example"
    assert told(4, 4) == told(4, 4, True) == ["all 4 domains failed:", f"4 domains ({names}): no answer"]
    assert told(1, 1) == ["domain failed:", "c0.example: no answer"]


def test_names_in_a_sentence() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([*"abcdefg"]) == "a, b, c, d, e and 2 more"


@given(DOMAINS, st.sampled_from(["{domain}: one", "{domain}: another, of {domain}"]))
def test_every_domain_is_counted(domains: list[str], text: str) -> None:
    lines = grouped(about(domain, text) for domain in domains)
    if len(domains) < 3:
        assert lines == [text.format(domain=domain) for domain in domains]
    else:
        assert len(lines) == 1 and lines[0].startswith(f"{len(domains)} domains ({domains[0]}, ")

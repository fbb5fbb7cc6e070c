# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``senders``: what is understood, and what is refused with the place and the rule."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.guard import unknown_names
from ansible_collections.mailroom.erp.plugins.module_utils.domains.sender_option import read_senders
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Sender, Signature
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem


def read(*entries: object) -> tuple[Sender, ...]:
    problems: list[Problem] = []
    senders = read_senders(entries, problems)
    assert problems == []
    return senders


def test_a_sender_is_read_with_all_that_is_known() -> None:
    (sender,) = read(
        {
            "from": "Facturen@Bäckerei.example",
            "envelope_from": "bounce@mail.acme.example",
            "sources": ["192.0.2.1", "198.51.100.0/24", "include:spf.afas.online"],
            "dkim": {"domain": "ACME.example", "selectors": ["S1"]},
            "environment": "acme_profit",
            "used_for": ["reminders"],
        }
    )
    assert (sender.address, sender.domain) == ("Facturen@Bäckerei.example", "xn--bckerei-5wa.example")
    assert sender.envelope_domain == "mail.acme.example"
    assert sender.sources == ("192.0.2.1", "198.51.100.0/24", "include:spf.afas.online")
    assert sender.signature == Signature("acme.example", ("s1",))
    assert (sender.environment, sender.used_for) == ("acme_profit", ("reminders",))


def test_what_is_not_given_is_not_known() -> None:
    (sender,) = read({"from": "erp@acme.example", "sources": None, "dkim": None})
    assert sender == Sender("erp@acme.example", "acme.example")


def test_unsigned_mail_is_not_the_same_as_unknown() -> None:
    (sender,) = read({"from": "erp@acme.example", "dkim": {"domain": "acme.example", "selectors": []}})
    assert sender.signature == Signature("acme.example", ())


def test_the_same_sender_is_judged_once() -> None:
    assert len(read({"from": "erp@acme.example"}, {"from": "erp@acme.example"})) == 1


WRONG: dict[str, tuple[object, list[str]]] = {
    "no dictionary": ("erp@acme.example", ["senders", "a dictionary, not a str"]),
    "no address": ({}, ["from"]),
    "bad address": ({"from": "erp at acme"}, ["senders.from", "name@domain", "RFC 5321"]),
    "bad envelope": ({"from": "a@b.example", "envelope_from": "nobody"}, ["senders.envelope_from", "RFC 5321"]),
    "two envelopes": (
        {"from": "a@b.example", "envelope_from": "a@b.example", "envelope_domain": "c.example"},
        ["senders.envelope_domain", "c.example", "b.example"],
    ),
    "a null sender with a domain": (
        {"from": "a@b.example", "envelope_from": "", "envelope_domain": "b.example"},
        ["senders.envelope_domain", "the null sender", "helo"],
    ),
    "bad source": ({"from": "a@b.example", "sources": ["192.0.2.300"]}, ["senders.sources", "192.0.2.300"]),
    "bad term": ({"from": "a@b.example", "sources": ["includes:x.example"]}, ["senders.sources", "includes:x.example"]),
    "bad selector": (
        {"from": "a@b.example", "dkim": {"domain": "b.example", "selectors": ["s_1"]}},
        ["senders.dkim.selectors", "s_1", "RFC 6376"],
    ),
    "misspelled": ({"from": "a@b.example", "envelop_from": "x@y.example"}, ["envelop_from"]),
}


@pytest.mark.parametrize(("entry", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_sender_is_refused(entry: object, words: list[str]) -> None:
    problems: list[Problem] = []
    read_senders([entry], problems)
    text = "\n".join(map(str, problems))
    assert problems and all(word in text for word in words), text


@pytest.mark.parametrize("name", ["erp@acme.example", "acme_profit"])
def test_a_sender_is_allowed_by_address_or_environment(name: str) -> None:
    senders = read({"from": "erp@acme.example", "environment": "acme_profit"})
    assert unknown_names(senders, [name]) == []


def test_an_allowed_name_that_nobody_has_is_refused() -> None:
    senders = read({"from": "erp@acme.example"})
    (problem,) = unknown_names(senders, ["epr@acme.example"])
    assert "epr@acme.example" in str(problem) and "no declared sender" in problem.rule


def test_a_sender_without_environment_matches_no_name() -> None:
    entry: dict[str, Any] = {"from": "erp@acme.example"}
    assert unknown_names(read(entry), ["None"])

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of refusals: each is reachable, has a source, and stands in the guide as it is in the data."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test import refusal_table
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import KnownRefusal
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.refusal_table import KNOWN_REFUSALS, known_refusal
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import ServiceAnswer

GUIDE = Path(refusal_table.__file__).parents[3] / "docs" / "mail_test.md"
NAMES = {"sender", "user", "mailbox", "recipient", "server"}
DEMANDED = ("5.7.60", "5.7.57", "5.7.139", "5.7.26", "5.7.515", "5.7.236", "5.7.64", "ATTR36", "535", "421")


def told_by(refusal: KnownRefusal) -> str:
    """How a refusal is told apart, as the guide has it."""
    codes = sorted(refusal.codes)
    shown = f"{codes[0]} to {codes[-1]}" if len(codes) > 5 else ", ".join(map(str, codes))
    parts = [shown, re.sub(r"\\(.)", r"\1", refusal.enhanced), *([f"`{refusal.words}`"] if refusal.words else [])]
    parts += [f"smtp.auth: {' or '.join(refusal.auth)}"] if refusal.auth else []
    parts += [f"at {' or '.join(refusal.stages)}"] if refusal.stages else []
    return ", ".join(part for part in parts if part).replace("|", r"\|") or "this side stops"


def row(refusal: KnownRefusal) -> str:
    """The line of a refusal in the guide; run as a program, this file prints all of them."""
    source = refusal.source
    link = f"[{source.title}]({source.url})" if source.url.startswith("https:") else source.title
    sentences = f"{refusal.explanation} {refusal.step}".replace("|", r"\|")
    return f"| `{refusal.name}` | {told_by(refusal)} | {refusal.about} | {sentences} | {link}, {source.read_on} |"


def test_the_guide_has_the_table_as_it_is() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("## Refusals that are known")[2]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    rows = [row(one) for one in KNOWN_REFUSALS]
    assert [line for line in lines if line not in rows] == []
    assert [one for one in rows if one not in lines] == []


def test_names_are_unique_and_sources_complete() -> None:
    names = [one.name for one in KNOWN_REFUSALS]
    assert len(names) == len(set(names))
    for one in KNOWN_REFUSALS:
        assert re.fullmatch(r"2026-\d\d(-\d\d)?", one.source.read_on) and one.source.title
        assert one.source.url.startswith("https://") or one.source.url == "docs/mail_test.md"
        used = {field for _text, field, _spec, _how in string.Formatter().parse(one.explanation + one.step) if field}
        assert used <= NAMES and one.explanation.endswith(".") and one.step.endswith((".", ")."))


def test_what_was_asked_for_is_known() -> None:
    everything = " ".join(row(one) for one in KNOWN_REFUSALS)
    assert [one for one in DEMANDED if one not in everything] == []


@pytest.mark.parametrize(
    ("submission", "auth", "answer", "name"),
    [
        ("smtp", "plain", ServiceAnswer("sign_in", 535, "5.7.3", "Authentication unsuccessful"), "sign_in_refused"),
        ("smtp", "xoauth2", ServiceAnswer("sign_in", 535, "5.7.3", "no"), "token_without_mailbox"),
        ("smtp", "plain", ServiceAnswer("sign_in", 454, "4.7.0", "later"), "temporary_sign_in_failure"),
        ("smtp", "plain", ServiceAnswer("mail_from", 454, "4.7.0", "later"), "temporary_refusal"),
        ("smtp", "plain", ServiceAnswer("ehlo", 530, None, "Must issue a STARTTLS command first"), "starttls_needed"),
        ("smtp", "plain", ServiceAnswer("mail_from", 530, "5.7.0", "Authentication Required"), "sign_in_needed"),
        ("smtp", "plain", ServiceAnswer("sign_in", 504, "5.7.4", "Unrecognized"), "mechanism_unknown"),
        ("smtp", "plain", ServiceAnswer("sign_in", 534, "5.7.9", "too weak"), "mechanism_too_weak"),
        ("smtp", "plain", ServiceAnswer("sign_in", 538, "5.7.11", "Encryption required"), "encryption_needed"),
        ("smtp", "plain", ServiceAnswer("message", 550, "5.7.23", "spf"), "spf_violation"),
        ("smtp", "plain", ServiceAnswer("message", 554, "5.2.2", "quota"), "sending_limit"),
        ("smtp", "plain", ServiceAnswer("message", 554, "5.7.1", "spam"), None),
        ("graph", "", ServiceAnswer("send_mail", 403, "ErrorAccessDenied", "[RAOP] : Blocked"), "access_policy"),
        ("graph", "", ServiceAnswer("send_mail", 403, "Authorization_RequestDenied", "no"), "graph_right_missing"),
        ("graph", "", ServiceAnswer("send_mail", 429, "ErrorExceededMessageLimit", "no"), "graph_submission_blocked"),
        ("graph", "", ServiceAnswer("send_mail", 401, "InvalidAuthenticationToken", "no"), "graph_token_refused"),
        ("graph", "", ServiceAnswer("send_mail", 413, "ErrorMessageSizeExceeded", "no"), "graph_message_too_long"),
        ("graph", "", ServiceAnswer("send_mail", 418, "Teapot", "no"), None),
    ],
)
def test_what_an_answer_means(submission: str, auth: str, answer: ServiceAnswer, name: str | None) -> None:
    found = known_refusal(submission, auth, answer, None)
    assert (found.name if found else None) == name


def test_a_stop_of_this_side_is_found_by_its_name_alone() -> None:
    answer = ServiceAnswer("", None, None, "")
    for one in KNOWN_REFUSALS:
        found = known_refusal("smtp", "", answer, one.name)
        assert (found is one) is one.ours
    assert known_refusal("smtp", "", answer, None) is None


if __name__ == "__main__":
    print("\n".join(map(row, KNOWN_REFUSALS)))

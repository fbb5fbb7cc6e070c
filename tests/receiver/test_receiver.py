# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver that enforces SPF, DKIM and DMARC answers as the verdict said before the records were published.

Three things are compared for each case: what its author expects by the RFCs, what the receiver does, and the verdict.
"""

from __future__ import annotations

from dataclasses import fields

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.tests.receiver.answer import Answer
from ansible_collections.mailroom.erp.tests.receiver.case import OPENDMARC_IS_7489, Outcome
from ansible_collections.mailroom.erp.tests.receiver.cases import CASES
from ansible_collections.mailroom.erp.tests.receiver.conftest import Receiver
from ansible_collections.mailroom.erp.tests.receiver.publish import Run
from ansible_collections.mailroom.erp.tests.receiver.services import CATALOGUED

OUTCOME = [field.name for field in fields(Outcome)]
LABELLED = [name for name, case in CASES.items() if case.label]


def test_there_are_cases_of_every_kind() -> None:
    answers = [case.answer for case in CASES.values()]
    assert {(one.spf, one.dkim) for one in answers} >= {
        (spf, dkim) for spf in ("pass", "fail", "permerror") for dkim in ("pass", "fail", "none")
    }
    assert {one.disposition for one in answers} == {"none", "quarantine", "reject"}
    assert all(CASES[name].verdict or CASES[name].label.startswith(OPENDMARC_IS_7489) for name in LABELLED)
    assert [name for name, case in CASES.items() if case.verdict and not case.label] == []


@pytest.mark.parametrize("service", CATALOGUED)
def test_services_send_as_the_catalogue_says(service: str) -> None:
    assert Catalogue().service(service).spf_terms.value == [CATALOGUED[service]]


@pytest.mark.parametrize("name", [name for name in CASES if name not in LABELLED])
def test_receiver_answers_the_live_records_as_the_verdict_said(
    name: str, planned: Run, live_answers: dict[str, Answer]
) -> None:
    found, said = live_answers[name].outcome, planned.before[name]
    wrong = [part for part in OUTCOME if getattr(said, part) not in ("unknown", getattr(found, part))]
    assert wrong == [], f"{CASES[name].about}: {said}, {live_answers[name]}"


def test_verdicts_come_before_the_records(planned: Run, published: Run) -> None:
    assert not planned.wrote
    assert published.wrote and published.returned["changed"]
    assert published.returned["verdicts"] == planned.returned["verdicts"]


@pytest.mark.parametrize("name", CASES)
def test_receiver_answers_as_the_verdict_said(
    name: str, planned: Run, receiver: Receiver, answers: dict[str, Answer]
) -> None:
    case = CASES[name]
    answers[name] = receiver.answer(case)
    assert answers[name].outcome == case.answer, f"{case.about}: {answers[name]}"
    assert planned.after[name] == case.expected_verdict, f"{case.about}: {case.label}"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.expected_verdict.dmarc != "none"])
def test_result_of_the_verdict_is_that_of_dmarc(name: str, planned: Run) -> None:
    verdict = planned.verdicts[name]
    assert verdict["result"] == CASES[name].expected_verdict.dmarc
    assert verdict["reason"]
    assert (verdict["next_step"] is None) == (verdict["result"] == "pass"), verdict["next_step"]


@pytest.mark.parametrize("name", [name for name in LABELLED if CASES[name].label.startswith(OPENDMARC_IS_7489)])
def test_the_verdict_names_the_standard_that_this_receiver_does_not_know(name: str, planned: Run) -> None:
    assert planned.verdicts[name]["dmarc"]["standard"] == "RFC 9989"

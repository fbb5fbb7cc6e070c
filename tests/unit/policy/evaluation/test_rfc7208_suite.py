# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conformance suite of RFC 7208, every case by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.check_host import SpfEvaluator
from ansible_collections.mailroom.erp.tests.tools import spf_suite

CASES = spf_suite.load()


def test_the_suite_has_203_cases() -> None:
    assert len(CASES) == len({case.name for case in CASES}) == 203
    assert len({case.name.partition("/")[0] for case in CASES}) == 16


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_case_of_the_suite_has_one_of_its_results(case: spf_suite.Case) -> None:
    domain = case.mailfrom.rpartition("@")[2] or case.helo
    sender = case.mailfrom or f"postmaster@{domain}"
    found = SpfEvaluator(case.zone).check_host(case.host, domain, sender, case.helo)
    assert found.result in case.results, found.reason
    if case.explanation is not None:
        assert (found.explanation or "DEFAULT") == case.explanation


def test_a_kept_archive_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = spf_suite.archive()
    monkeypatch.setattr(spf_suite, "_download", lambda folder: pytest.fail("asked the network"))
    assert spf_suite.archive() == kept


def test_an_archive_that_is_not_the_pinned_one_is_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    genuine = spf_suite.archive().read_bytes()
    (tmp_path / spf_suite.ARCHIVE).write_bytes(genuine + b"!")

    def download(folder: Path) -> Path:
        (folder / spf_suite.ARCHIVE).write_bytes(genuine)
        return folder / spf_suite.ARCHIVE

    monkeypatch.setattr(spf_suite, "_download", download)
    assert spf_suite.archive(tmp_path).read_bytes() == genuine

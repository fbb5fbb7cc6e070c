# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of mail_test in this process, against the test mail server and the test tenant."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import MAIL_TEST_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_run import run_mail_test
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer

SENDER, RECIPIENT, PASSWORD = "erp@acme.example", "tests@acme.example", "correct-horse-battery"

Run = Callable[..., dict[str, Any]]


class Ended(Exception):
    """The module has ended; ``result`` is what it returns."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


class FakeModule:
    """The part of AnsibleModule that is used."""

    _diff = False

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params, self.check_mode = params, check_mode
        self.no_log_values: set[str] = set()
        self.warnings: list[str] = []

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **kwargs: Any) -> NoReturn:
        raise Ended({"failed": False, "warnings": self.warnings, **kwargs})

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        raise Ended({"failed": True, "msg": msg, "warnings": self.warnings, **kwargs})


def run_once(params: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    """Run the module's work with these options; gives its result."""
    checked = ArgumentSpecValidator(MAIL_TEST_OPTIONS).validate(copy.deepcopy(params))
    assert not checked.error_messages, checked.error_messages
    module = FakeModule(checked.validated_parameters, check_mode)
    with pytest.raises(Ended) as ended:
        run_mail_test(module)
    return ended.value.result


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as started:
        started.accounts = {SENDER: PASSWORD}
        yield started


@pytest.fixture
def tenant() -> Iterator[EntraServer]:
    with EntraServer() as started:
        started.directory.add_user(SENDER)
        yield started


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a test with the state in the folder of the test."""

    def start(check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {"from": SENDER, "to": RECIPIENT, "submission": "smtp", "state_dir": str(tmp_path / "state")}
        return run_once({**given, **options}, check_mode)

    return start


def signed_in(server: MailServer, **more: Any) -> dict[str, Any]:
    """The option ``smtp`` of somebody who signs in with the right password."""
    return server.smtp_option(user=SENDER, password=PASSWORD, **more)

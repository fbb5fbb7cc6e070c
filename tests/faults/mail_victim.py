# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of mail_test that end at a chosen step, each in a process of its own; see ``victim``, whose lines these are."""

from __future__ import annotations

import importlib
import json
import socket
import ssl
import sys
from typing import Any, NoReturn

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import MAIL_TEST_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_run import run_mail_test
from ansible_collections.mailroom.erp.tests.faults import victim

_PREFIX = "ansible_collections.mailroom.erp.plugins.module_utils.mail_test."


class Ended(Exception):
    """The module has ended."""


class FakeModule:
    """The part of AnsibleModule that is used; what it returns is in ``result``."""

    _diff = check_mode = False

    def __init__(self, params: dict[str, Any]) -> None:
        self.params, self.no_log_values = params, set[str]()
        self.result: dict[str, Any] = {}

    def warn(self, warning: str) -> None:
        """Say nothing."""

    def exit_json(self, **kwargs: Any) -> NoReturn:
        self.result = kwargs
        raise Ended

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        self.result = {"failed": True, "msg": msg, **kwargs}
        raise Ended


class MailCounter(victim.Counter):
    """Counts what goes over the connection, too."""

    def install(self) -> None:
        for owner in (socket.socket, ssl.SSLSocket):
            for name in ("sendall", "recv", "recv_into"):
                setattr(owner, name, self._counted(name, getattr(owner, name)))
        super().install()


def work(params: dict[str, Any]) -> dict[str, Any]:
    """Run the module's work; gives its result."""
    module = FakeModule(ArgumentSpecValidator(MAIL_TEST_OPTIONS).validate(params).validated_parameters)
    try:
        run_mail_test(module)
    except Ended:
        return module.result


def main() -> None:
    for module in ("smtp_submission", "graph_submission", "maildir_look"):
        importlib.import_module(_PREFIX + module)
    importlib.import_module("msal")
    victim.work, victim.Counter = work, MailCounter  # type: ignore[misc]
    for line in sys.stdin:
        print(json.dumps(victim.victim(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The module's end of a pipe to the controller, through which a new secret goes at once, so that it is stored although
the rest of the run takes its time, or dies. A value in a pipe never is on a disk."""

from __future__ import annotations

import contextlib
import json
import os
import select
import threading

from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import CredentialOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused


class SecretPipe:
    """The end that writes; may be used by several threads at once.

    :param path: of a named pipe that somebody reads
    :raises Refused: nobody does
    """

    def __init__(self, path: str) -> None:
        try:
            # waits for no reader: one that is not there now has died
            self._pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            rule = f"nobody is there to take new secrets: {error.strerror}"
            way_out = "It is set by the controller: leave it out."
            raise Refused(ENTRA_RULES.problem("task", "secrets_pipe", path, rule, way_out)) from None
        os.set_blocking(self._pipe, True)
        self._lock = threading.Lock()

    def is_heard(self) -> bool:
        """Whether the reader still lives."""
        look = select.poll()  # one for each look: two threads may not use the same at once
        look.register(self._pipe, 0)  # errors are told whatever is asked for
        return not look.poll(0)

    def give(self, tenant_id: str, environment: str, outcome: CredentialOutcome) -> None:
        """Write one line of JSON; a reader that has died is no error, for the next run finds what was lost.

        :param tenant_id: of the tenant
        :param environment: its name
        :param outcome: with the new secret
        """
        key = outcome.current or {}
        found = {
            "directory_id": tenant_id,
            "app_id": outcome.app_id,
            "key_id": key.get("keyId"),
            "end_date_time": key.get("endDateTime"),
        }
        line = json.dumps({"environment": environment, "found": found, "secret": outcome.secret}) + "\n"
        with self._lock, contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of ``entra_adopt_info``: the senders of environments that a person named are looked up, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Result
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import answered_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.questions import read_questions
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.standing_folder import from_here
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.entra_action import EntraAction


class ActionModule(EntraAction):
    """Runs the module ``entra_adopt_info``."""

    def _execute(self, arguments: dict[str, Any], task_vars: Mapping[str, Any] | None) -> Result:
        folder = arguments.pop("dir", None)
        answered = list(_answered_senders(Path(from_here(folder)))) if folder else []
        return super()._execute({**arguments, "senders": [*(arguments.get("senders") or []), *answered]}, task_vars)


def _answered_senders(folder: Path) -> Iterator[str]:
    """The addresses of the answers; a file that cannot be read is refused by what writes it."""
    try:
        answers = read_questions(folder).answers
    except Refused:
        return
    for one in answered_environments(answers):
        senders = one.variables.get("erp_mail_senders") if isinstance(one.given, Mapping) else None
        for own in senders.values() if isinstance(senders, Mapping) else ():
            yield from (str(address) for address in (own.values() if isinstance(own, Mapping) else [own]))

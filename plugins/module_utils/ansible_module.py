# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the collection uses of AnsibleModule, as types."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

ArgumentSpec = dict[str, dict[str, Any]]
"""Options by name, as AnsibleModule and its validator take them."""

Result = dict[str, Any]
"""The return values of a module or an action plugin."""


class Module(Protocol):
    """The part of AnsibleModule that is used here."""

    params: dict[str, Any]
    check_mode: bool
    _diff: bool
    no_log_values: set[str]

    def exit_json(self, **kwargs: Any) -> NoReturn:
        """End the module."""

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        """End the module as failed."""

    def warn(self, warning: str) -> None:
        """Show a warning to the user."""

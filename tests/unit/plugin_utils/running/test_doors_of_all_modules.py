# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No module takes an option that it has not, at any depth that its documentation knows: its value would be printed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from ansible.plugins.action import ActionBase
from ansible_collections.mailroom.erp.plugins import modules
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.action_base import MailroomAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction

CANARY = "canary-7f3a9c1e5b"
FILES = {file.stem: file for file in sorted(Path(modules.__path__[0]).glob("[a-z]*.py"))}


def action_class(module: str) -> Any:
    return importlib.import_module(f"ansible_collections.mailroom.erp.plugins.action.{module}").ActionModule


def documented(module: str) -> dict[str, Any]:
    """The options of a module, those of its fragments too."""
    package = "ansible_collections.mailroom.erp.plugins"
    own = yaml.safe_load(importlib.import_module(f"{package}.modules.{module}").DOCUMENTATION)
    options: dict[str, Any] = {}
    for name in own.get("extends_documentation_fragment", []):
        _erp, file, *part = name.removeprefix("mailroom.").split(".")
        fragment = importlib.import_module(f"{package}.doc_fragments.{file}").ModuleDocFragment
        found = yaml.safe_load(getattr(fragment, part[0].upper() if part else "DOCUMENTATION"))
        options |= found.get("options", {})
    options |= own.get("options", {})
    return options


def misspelled(options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Arguments with one name too many, at the top and in each option that has options of its own."""
    yield {"secrett": CANARY}
    for name, option in options.items():
        for inner in misspelled(option["suboptions"]) if option.get("suboptions") else ():
            yield {name: [inner] if option.get("type") == "list" else inner}


CHECKED = [name for name in FILES if issubclass(action_class(name), MailroomAction)]


def test_all_others_are_checked_by_ansible_itself() -> None:
    """Those do their work on the controller, where a name that is wrong is told without its value."""
    others = {name for name in FILES if name not in CHECKED and not issubclass(action_class(name), ControllerAction)}
    assert others == {"erp_mail_config"}, "it calls the same check of Ansible"


@pytest.mark.parametrize("number", [float("inf"), float("nan"), "inf", "1e999999999", "yes", True])
def test_what_is_no_number_is_told_before_ansible_reckons_with_it(number: object) -> None:
    action = action_class("erp_secrets_report").__new__(action_class("erp_secrets_report"))
    action._task = SimpleNamespace(args={"alarm_days": number})
    with patch.object(ActionBase, "run", return_value={}):
        told = action.run()
    assert told["failed"] and "alarm_days" in told["msg"] and "it is no number" in told["msg"]


@pytest.mark.parametrize("module", CHECKED)
def test_a_misspelled_option_is_refused_at_every_depth_without_its_value(module: str) -> None:
    options = documented(module)
    tried = list(misspelled(options))
    assert len(tried) > sum(1 for one in options.values() if one.get("suboptions"))
    for arguments in tried:
        action = action_class(module).__new__(action_class(module))
        action._task = SimpleNamespace(action=f"mailroom.erp.{module}", args=arguments)
        told = action._prepare(dict(arguments))
        assert told, f"the module would be started with {arguments}"
        assert CANARY not in str(told), told

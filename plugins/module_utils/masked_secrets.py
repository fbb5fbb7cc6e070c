# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How Ansible learns of a secret that is in no option, so that it shows it nowhere; cores differ in that."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Collection

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module

_MASK = "********"


def register_secret(value: str) -> None:
    """Let Ansible mask a value wherever it would be shown; ansible-core 2.22 is the first that offers this.

    Older cores mask by ``no_log_values``, which would blank the value in the result that has to hand it over; for them
    the controller's part hides the whole result instead.

    :param value: the secret
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("ansible.module_utils.secrets").register_secret(value)


def never_show(module: Module, secrets: Collection[str]) -> None:
    """Let Ansible mask values that the result has no need to hand over, on each core by its own way.

    :param module: the AnsibleModule; before 2.22 its ``no_log_values`` mask its result, and since then nothing
    :param secrets: the values
    """
    module.no_log_values.update(secrets)
    for value in secrets:
        register_secret(value)


def without_secrets(text: str, secrets: Collection[str]) -> str:
    """A text with a mask in place of each secret that stands in it.

    :param text: what is to be kept or shown
    :param secrets: values; an empty one hides nothing
    """
    for value in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(value, _MASK)
    return text

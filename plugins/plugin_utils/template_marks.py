# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Text that came from outside is never a template, whatever variable it goes through."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ansible.release import __version__ as core

_MARKS_TEMPLATES = tuple(int(part) for part in core.split(".")[:2]) >= (2, 19)
"""Since ansible-core 2.19 only text that is marked as a template is one; before, all text was that is not marked."""


def never_templates(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result ansible-core does not template again when a variable holds it.

    The inventory may hold a name such as ``!unsafe "{{ x }}"``, and a tenant or the DNS any text.

    :param function: the filter
    :returns: the same, with all text of its result marked where that is needed
    """
    if _MARKS_TEMPLATES:
        return function

    @wraps(function)
    def marked(*arguments: Any, **options: Any) -> Any:
        from ansible.utils.unsafe_proxy import wrap_var

        return wrap_var(function(*arguments, **options))

    return marked

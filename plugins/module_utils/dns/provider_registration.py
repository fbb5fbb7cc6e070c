# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is known of a DNS provider before its code is loaded. The controller reads it, so it imports no library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider


def no_problems(_dns: Mapping[str, Any]) -> list[str]:
    """For a provider whose options need no more than their types."""
    return []


def any_ttl(_ttl: int) -> str | None:
    """For a service that takes every TTL."""
    return None


@dataclass(frozen=True, slots=True)
class ProviderRegistration:
    """One provider, as its ``<name>_options.py`` registers it.

    ``options`` are the options of ``dns`` for this provider, as argument specs; one that is ``required`` is required of
    this provider only. An option that several providers have is the same for all of them.

    ``open`` makes the provider of a checked ``dns`` option with its defaults, and of a function that is called with a
    line for the user each time that the service makes the run wait. It imports the provider's code, and is the only one
    to do so.

    ``problems`` tells what is wrong with a ``dns`` whose dictionaries and lists are such: one sentence per broken rule,
    which names options and never shows a value. Options may be missing, or be of another provider. ``ttl_rule`` gives
    the rule that a TTL in seconds breaks, None for one that the service takes.
    """

    name: str
    options: ArgumentSpec
    open: Callable[[Mapping[str, Any], Callable[[str], None]], Provider]
    problems: Callable[[Mapping[str, Any]], list[str]] = no_problems
    ttl_rule: Callable[[int], str | None] = any_ttl

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS service that does something else before one of its calls: other writers, and failures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, Provider, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, Key, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains import restore, run

Fault = Callable[[str, str], None]
"""Called with ``read`` or ``apply`` and the zone, before the provider does it."""


class Misbehaving:
    """A provider, and what happens before each of its calls."""

    def __init__(self, real: Provider, fault: Fault) -> None:
        self._real, self._fault = real, fault

    def zone_of(self, name: str) -> str:
        return self._real.zone_of(name)

    def read(self, zone: str, keys: Collection[Key]) -> ZoneState:
        self._fault("read", zone)
        return self._real.read(zone, keys)

    def apply(self, zone: str, changes: Sequence[Change], token: object) -> None:
        self._fault("apply", zone)
        self._real.apply(zone, changes, token)


def misbehave(patch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Have runs and restores open such a provider over master files, and not wait between their attempts."""
    for module in (run, restore):
        patch.setattr(module, "open_provider", lambda dns, _tell: Misbehaving(ZonefileProvider(dns), fault))
    patch.setattr("time.sleep", lambda seconds: None)


def once_before_write(zone: str, act: Callable[[], object]) -> Fault:
    """Do something right before the first write to a zone."""
    done: list[str] = []

    def fault(call: str, where: str) -> None:
        if (call, where) == ("apply", zone) and not done:
            done.append(where)
            act()

    return fault


def failing(call: str, zone: str) -> Fault:
    """The service fails at each such call for this zone."""

    def fault(done: str, where: str) -> None:
        if (done, where) == (call, zone):
            raise ProviderError(f"zone {where}: the server is on fire")

    return fault


def never_lands(call: str, _zone: str) -> None:
    """No write of any zone gets through; a fault to be given to :func:`misbehave`."""
    if call == "apply":
        raise Conflict("something stands in the way")

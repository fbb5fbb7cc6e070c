# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one table of DNS providers. A new provider is a folder of its own, and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Provider, ProviderError, to_nobody
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider_registration import ProviderRegistration
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_options import CLOUDFLARE
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_options import OCTODNS
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.rfc2136_options import RFC2136
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_options import TRANSIP
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_options import ZONEFILE
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require

_ALONE = ("required",)
"""What an option may be for one provider and not for another."""


class RegistryError(ValueError):
    """Two providers do not fit together, or one is not whole; the message names providers and option."""


def registered(providers: Iterable[ProviderRegistration]) -> dict[str, ProviderRegistration]:
    """Put providers together, in their order.

    All of them share one option ``dns``, so an option that two of them have must be the same: another type would read
    values wrongly, and a missing ``no_log`` would show the other's secret.

    :raises RegistryError: a name is taken or missing, an option differs, or a provider cannot be opened
    """
    found: dict[str, ProviderRegistration] = {}
    for one in providers:
        _check_whole(one)
        if one.name in found:
            raise RegistryError(f"two providers are called {one.name}: give one of them another name")
        for other in found.values():
            _check_same(one, other)
        found[one.name] = one
    return found


def _check_whole(one: ProviderRegistration) -> None:
    parts = {"open": one.open, "problems": one.problems, "ttl_rule": one.ttl_rule}
    wrong = sorted(name for name, part in parts.items() if not callable(part))
    if not one.name or wrong or not isinstance(one.options, dict):
        what = ", ".join(wrong) or ("options" if one.name else "name")
        raise RegistryError(f"provider {one.name or '(without a name)'} is registered in part: it lacks {what}")
    for name, option in one.options.items():
        if name == "provider" or "type" not in option:
            rule = "belongs to all of them" if name == "provider" else "has no type"
            raise RegistryError(f"provider {one.name}: its option dns.{name} {rule}")


def _check_same(one: ProviderRegistration, other: ProviderRegistration) -> None:
    for name in one.options.keys() & other.options.keys():
        mine, theirs = (
            {key: value for key, value in it.options[name].items() if key not in _ALONE} for it in (one, other)
        )
        different = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
        if different:
            raise RegistryError(
                f"providers {other.name} and {one.name} have an option dns.{name} with another {', '.join(different)}: "
                "give one of them another name"
            )


PROVIDERS: Mapping[str, ProviderRegistration] = registered([CLOUDFLARE, RFC2136, ZONEFILE, OCTODNS, TRANSIP])
"""All providers by name, in the order in which users are told of them."""


def open_provider(dns: Mapping[str, Any], tell: Callable[[str], None] = to_nobody) -> Provider:
    """Build the provider that a ``dns`` option names. Imports only what this provider needs.

    :param dns: the option's values, already checked by ``account.check_dns``, with their defaults
    :param tell: called with a line for the user when the service makes the run wait; by any thread
    :returns: the provider, with no connection made yet
    :raises MissingLibrary: a library that this provider needs is not installed
    :raises ProviderError: there is no such provider
    """
    registration = PROVIDERS.get(str(dns.get("provider")))
    if registration is None:
        raise ProviderError(f"there is no DNS provider {dns.get('provider')}; choose one of: {', '.join(PROVIDERS)}")
    require("dns")
    return registration.open(dns, tell)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One octoDNS provider class and its options: made when needed, asked quietly, its errors told without its secrets."""

from __future__ import annotations

import base64
import contextlib
import importlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns.api_answer import compared_name
from ansible_collections.mailroom.erp.plugins.module_utils.dns.other_names import without_other_names
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_records import zones_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns.octodns_risks import (
    GAPS,
    WHOLE,
    risks_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import idna_encoded
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.whole_answer import within

_TELLING = 6
"""As many characters of a secret give too much of it away."""
_ATTEMPTS = 3
OCTODNS_PAUSE = 0.5
"""Seconds before the second attempt, twice as many before the third."""
OCTODNS_SECONDS = 900.0
"""How long a class may take to read: some wait for five minutes when a service limits the rate."""
_LONGEST_TEXT = 400
"""Characters of an error that are shown; some carry whole web pages."""


class OctodnsClass:
    """A provider class of octoDNS with the options that the user gave."""

    def __init__(self, dns: Mapping[str, Any]) -> None:
        """Find the class; nothing is made or asked yet.

        :param dns: the option ``dns``, with defaults
        :raises MissingLibrary: octoDNS, or the package of the class, is not installed
        :raises ProviderError: there is no such provider class, or its risk is accepted for no zone
        """
        self.name = str(dns["class"])
        self._options = {**dns["options"], **dns["secrets"]}
        self._telling = _pieces(map(str, dns["secrets"].values()))
        _silence()
        self._class = self._find()
        self._risks = risks_of(self._class, dns["options"])
        self._accepted = {option: {apex(zone) for zone in dns[option]} for option in (GAPS, WHOLE)}
        for option, reason in self._risks.items():
            if not self._accepted.get(option):
                raise ProviderError(f"{self.name} {reason}. {_way_out(option)}")

    @property
    def lists_zones(self) -> bool:
        """Whether it can tell which zones it has; octoDNS leaves that to each class."""
        return hasattr(self._class, "list_zones")

    def listed_zones(self, name: str) -> frozenset[str]:
        """The zones that it lists, as A-labels; what is no domain name is nobody's, and left out.

        :param name: what is looked for: of the others none is in a message
        :raises ProviderError: it cannot list them, or there is no end of them
        """
        source = self.made(name)
        try:
            found = [compared_name(zone) for zone in within(OCTODNS_SECONDS, partial(zones_of, source))]
        except ProviderError:
            raise
        except Exception as error:
            said = without_other_names(self._told(error), name)
        else:
            return frozenset(zone for zone in found if zone is not None)
        raise ProviderError(f"{self.name}, zone {name}: it cannot list its zones: {said}")

    def check_accepted(self, zone: str) -> None:
        """See that the user accepts what this class risks in a zone.

        :raises ProviderError: the zone is not named
        """
        for option, reason in self._risks.items():
            if zone not in self._accepted[option]:
                raise ProviderError(f"zone {zone}: {self.name} {reason}. {_way_out(option)}")

    def made(self, zone: str) -> Any:
        """A new provider: those that were used before may remember what they have read.

        :param zone: for messages
        :raises ProviderError: it cannot be made with these options
        """
        return self.ask(zone, "cannot be made with these options", self._class, "mailroom", **self._options)

    def ask(self, zone: str, failure: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call something of octoDNS that changes nothing.

        :param zone: for messages
        :param failure: what it means when it fails
        :raises ProviderError: it failed, or took longer than :data:`OCTODNS_SECONDS`; no part of a secret is in the
            message, and no exception behind it
        """
        return self.act(zone, failure, within, OCTODNS_SECONDS, partial(function, *arguments, **named))

    def act(self, zone: str, failure: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """As :meth:`ask`, for what may change something: however long it takes, it is not left to do so unseen."""
        try:
            return function(*arguments, **named)
        except ProviderError:
            raise
        except Exception as error:
            said = self._told(error)
        raise ProviderError(f"{self.name}, zone {zone}: it {failure}: {said}")

    def ask_again(self, zone: str, failure: str, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """As :meth:`ask`, for what may be asked several times: a service may be busy for a moment."""
        for attempt in range(1, _ATTEMPTS):
            with contextlib.suppress(ProviderError):
                return self.ask(zone, failure, function, *arguments, **named)
            time.sleep(OCTODNS_PAUSE * attempt)
        return self.ask(zone, failure, function, *arguments, **named)

    def _find(self) -> Any:
        libraries.require("octodns")
        module, _dot, name = self.name.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), name, None)
        except ImportError as error:
            package = module.partition(".")[0].replace("_", "-")
            raise libraries.missing_library(module, package, error) from None
        base = libraries.require("octodns.provider.base").BaseProvider
        if not (isinstance(found, type) and issubclass(found, base)):
            raise ProviderError(
                f"dns.class: {self.name} is no provider class of octoDNS. Name one as in octoDNS's configuration"
            )
        return found

    def _told(self, error: Exception) -> str:
        """The error in one line, its text left out when it gives away a secret."""
        text = escape_controls(str(error)).strip().rstrip(".")
        lowered = text.lower()
        if any(piece in lowered for piece in self._telling):
            return f"{type(error).__name__} (its text holds a part of a secret, so it is not shown)"
        return f"{type(error).__name__}: {text[:_LONGEST_TEXT]}" if text else type(error).__name__


def _way_out(option: str) -> str:
    accept = f"Name the zone in dns.{option} if you accept that, or use" if option else "Use"
    return f"{accept} another class or provider"


def apex(zone: object) -> str:
    """The name of a zone as A-labels, lower case, without the trailing dot."""
    return idna_encoded(str(zone)).lower().removesuffix(".")


def _silence() -> None:
    """octoDNS and its classes log what they do; without a handler Python would write their warnings to stderr."""
    logging.lastResort = logging.NullHandler()


def _pieces(secrets: Iterator[str]) -> frozenset[str]:
    """All that would give a secret away, as it is and as it travels, in lower case."""
    forms = {
        form.lower()
        for secret in secrets
        for form in (
            secret,
            escape_controls(secret),
            quote(secret, safe=""),
            base64.b64encode(secret.encode()).decode(),
        )
    }
    return frozenset(form[at : at + _TELLING] for form in forms for at in range(len(form) - _TELLING + 1))

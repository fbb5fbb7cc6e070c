# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is a secret, by its name, and what a secret must be to be masked."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SHORTEST_SECRET = 8
"""Characters. A shorter no_log value would blank out harmless words in every output of the task."""

_SECRET_NAME = re.compile(r"pass|secret|token|api_?key|private_?key|wachtwoord|toegangscode|credential", re.IGNORECASE)

_KEY_NAME = re.compile(r"(?:.*[_-])?key", re.IGNORECASE)
_KEY_OF_NOTHING_SECRET = re.compile(r"(?:.*[_-])?public[_-]?key", re.IGNORECASE)

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def looks_secret(name: str) -> bool:
    """Tell whether an option's name announces a secret, so that its value is not shown even when misplaced."""
    return _SECRET_NAME.search(name) is not None


def names_key(name: str) -> bool:
    """Tell whether an option of a client is called a key: ``key``, ``consumer_key``, ``application_key``.

    Libraries of DNS services call secrets so (octodns-transip, octodns-azure, octodns-ovh).

    :param name: of the option
    """
    return _KEY_NAME.fullmatch(name) is not None and _KEY_OF_NOTHING_SECRET.fullmatch(name) is None


def is_private_url(url: str) -> bool:
    """Tell whether nobody on the way can read what is sent to a URL: it is https://, or http:// on this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        )
    except ValueError:
        return False


def is_too_short(secret: object) -> bool:
    """Tell whether a secret is too short to be masked without harm."""
    return len(str(secret)) < SHORTEST_SECRET


def too_short(path: str) -> str:
    """The broken rule of a secret that is too short, as one sentence without its value.

    :param path: the option that holds it, such as ``dns.key_secret``
    """
    return (
        f"{path} is shorter than {SHORTEST_SECRET} characters: Ansible masks secrets by replacing their text, "
        "so a short one would blank out other output and could be guessed from it. Use a longer secret"
    )

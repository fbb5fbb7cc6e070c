# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Domain names as mail standards compare them: lower-case A-labels without the trailing dot."""

from __future__ import annotations

import re
from collections.abc import Container

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What separates labels in an internationalised name (RFC 3490 section 3.1)."""


class BadName(ValueError):
    """The text is no domain name; the message is the broken rule with its source."""


def to_alabels(name: str) -> str:
    """Normalise a domain name: internationalised labels to A-labels (UTS 46), lower case, no trailing dot.

    Underscores are allowed, as in ``_spf.example.nl`` and ``selector._domainkey.example.nl``.

    :param name: the name as the user or the DNS gave it
    :returns: at least two labels of at most 63 bytes, 253 bytes in all
    :raises BadName: with the broken rule (RFC 1035 section 2.3.4, RFC 5891)
    :raises MissingLibrary: the name is internationalised and the library idna is not installed
    """
    ascii_name = idna_encoded(name)
    plain = ascii_name.lower().removesuffix(".")
    labels = plain.split(".")
    if len(plain) > 253:
        raise BadName(f"a domain name has at most 253 bytes, this one has {len(plain)} (RFC 1035 section 2.3.4)")
    for label in labels:
        _check_label(label)
    if len(labels) < 2:
        raise BadName("a mail domain has at least two labels (RFC 5321 section 2.3.5)")
    return plain


def alabels_of(given: object) -> str | None:
    """A name as :func:`to_alabels` gives it; None for what is no name.

    :param given: what may be a domain name
    """
    try:
        return to_alabels(str(given))
    except BadName:
        return None


def idna_encoded(name: str) -> str:
    """Turn internationalised labels into A-labels (UTS 46, IDNA 2008); ASCII stays as it is.

    :raises BadName: it is no valid internationalised name (RFC 5891)
    :raises MissingLibrary: the name is internationalised and the library idna is not installed
    """
    if name.isascii():
        return name
    idna = require("idna")
    try:
        return ".".join(
            label if label.isascii() else str(idna.encode(label, uts46=True).decode("ascii"))
            for label in _DOTS.split(name)
        )
    except idna.IDNAError as error:
        raise BadName(f"it is no valid internationalised name: {error} (RFC 5891 section 4)") from None


def is_inside(name: str, zone: str) -> bool:
    """Tell whether a normalised name is the zone's apex or below it, on label boundaries."""
    return name == zone or name.endswith("." + zone)


def parents_of(name: str) -> list[str]:
    """A normalised name and all names above it, the root left out: a.example gives a.example and example."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def longest_match(name: str, zones: Container[str]) -> str | None:
    """The zone that holds a name: the longest that is the name itself or its parent at a label boundary."""
    parent = name
    while parent not in zones:
        parent = parent.partition(".")[2]
        if not parent:
            return None
    return parent


def _check_label(label: str) -> None:
    if not label:
        raise BadName("a domain name has no empty label (RFC 1035 section 2.3.1)")
    if len(label) > 63:
        raise BadName(f"a label has at most 63 bytes, this one has {len(label)} (RFC 1035 section 2.3.4)")
    if not _LABEL.fullmatch(label):
        raise BadName(
            "a label holds letters, digits, hyphens and underscores, "
            "and neither begins nor ends with a hyphen (RFC 1035 section 2.3.1)"
        )

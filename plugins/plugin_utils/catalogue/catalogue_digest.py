# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One text for all facts of the catalogue, to see whether they are still those of another day."""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent


def catalogue_digest() -> str:
    """The SHA-256 of the names and bytes of all its files. Entries of an inventory are part of what is declared."""
    found = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*/*.yml")):
        data = path.read_bytes()
        found.update(f"{path.parent.name}/{path.name} {len(data)}\n".encode() + data)
    return found.hexdigest()

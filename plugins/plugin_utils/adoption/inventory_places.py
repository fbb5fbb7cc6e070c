# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Where each domain stands in an inventory, or will: its file, its group, and whether a person has edited its entry."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.entry_text import entry_digest
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_files import InventoryFile, KnownEntry

_OURS = "domains"
"""The group of domains that are no customer's."""
_TAKEN = ("all", "ungrouped", "questions", "localhost")


@dataclass(frozen=True, slots=True)
class AdoptionWish:
    """What a person said of a domain: whose it is, and how its zone is reached where the account of all is not it.

    ``dns`` is the account as it may stand in an inventory."""

    customer: str | None = None
    dns: Any = None
    zone: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The keys of its entry in mail_dns_domains."""
        found = {"customer": self.customer, "dns": self.dns, "zone": self.zone}
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class InventoryPlaces:
    """The files of an inventory as they are; ``written`` are the digests of what was written before."""

    folder: Path
    files: Mapping[Path, InventoryFile]
    wishes: Mapping[str, AdoptionWish]
    written: Mapping[str, str]

    def wish(self, domain: str) -> AdoptionWish:
        """What a person said of a domain.

        :param domain: as A-labels
        """
        return self.wishes.get(domain) or AdoptionWish()

    def known(self, domain: str) -> tuple[InventoryFile, KnownEntry] | None:
        """The entry of a domain and its file; None for one that the inventory does not have.

        :param domain: as A-labels
        """
        return next(((one, one.entries[domain]) for one in self.files.values() if domain in one.entries), None)

    def declared(self, domain: str) -> dict[str, Any]:
        """What the entry of a domain says; empty where there is none, or none that is a dictionary.

        :param domain: as A-labels
        """
        known = self.known(domain)
        return known[1].declared if known and isinstance(known[1].declared, dict) else {}

    def is_untouched(self, domain: str) -> bool:
        """Whether the entry of a domain is as it was written, or there is none.

        :param domain: as A-labels
        """
        known = self.known(domain)
        return known is None or self.written.get(domain) == entry_digest(known[0].lines_of(known[1]))

    def home(self, domain: str) -> Path:
        """The file of a domain, of those that are there or are made.

        :param domain: as A-labels
        """
        known = self.known(domain)
        return known[0].path if known else self.folder / f"{group_name(self.wish(domain).customer)}.yml"

    def group(self, domain: str) -> str | None:
        """The group that takes the ERP environments of a domain; None where its file cannot be added to.

        :param domain: as A-labels
        """
        own, file = group_name(self.wish(domain).customer), self.files.get(self.home(domain))
        if file is None or own in file.groups:
            return own
        return next(iter(file.groups)) if len(file.groups) == 1 else None

    @property
    def hosts(self) -> dict[str, Any]:
        """All hosts of the files, with what they declare there."""
        return {name: declared for file in self.files.values() for name, declared in file.hosts.items()}


def group_name(customer: str | None) -> str:
    """The name of a customer's group and file.

    :param customer: its name, None for domains that are no customer's
    """
    if customer is None:
        return _OURS
    plain = unicodedata.normalize("NFKD", customer).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return found if found and found[0].isalpha() and found not in (*_TAKEN, _OURS) else f"customer_{found}"


def listed_items(declared: Mapping[str, Any]) -> dict[str, str]:
    """What an entry lists as unexplained, with its evidence, whatever a person has made of it.

    :param declared: what the entry says
    """
    items = declared.get("unexplained")
    found = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
    return {str(one.get("what")): str(one.get("evidence")) for one in found}

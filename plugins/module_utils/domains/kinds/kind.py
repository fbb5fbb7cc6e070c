# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a kind of record says of itself. Whatever loops over kinds loops over ``kind_table``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import KIND_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import Recipe
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem


@dataclass(frozen=True, slots=True)
class RecordResult:
    """How results call one sort of record.

    ``kind`` is that of its recipes, ``key`` the name in the result of a domain, ``many`` whether it is a list there,
    ``label`` what tables call it.
    """

    kind: str
    key: str
    label: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record that a domain may have.

    ``option`` is the option of ``mail_domains`` and of its entries, as ``kind_options`` has it. ``declared`` tells that
    a domain in the inventory (``mail_dns_domains``) may state it.

    ``is_record`` tells the records of the kind from other TXT values at a name. A name has one of them at most, so that
    two are versions of one. None: it is no TXT record.

    ``read`` turns validated options into recipes. It takes the domain as the user wrote it (for messages), the same as
    A-labels, the TTL in seconds or None, the options of one record, and the list to which it adds what is wrong.
    """

    option: str
    read: Callable[[str, str, int | None, Mapping[str, Any], list[Problem]], Sequence[Recipe]]
    results: tuple[RecordResult, ...]
    declared: bool = False
    is_record: Callable[[str], bool] | None = None

    @property
    def options(self) -> ArgumentSpec:
        """What is inside the option."""
        inner: ArgumentSpec = KIND_OPTIONS[self.option]["options"]
        return inner

    @property
    def many(self) -> bool:
        """Whether the option is a list: the records of such a kind are always given whole, those of others are
        completed key by key from what is given for all domains."""
        return bool(KIND_OPTIONS[self.option]["type"] == "list")

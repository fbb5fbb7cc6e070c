# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each domain got, as text that a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_RESULTS
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import check_width, wrapped

DOCUMENTATION = r"""
name: mail_domains_table
short_description: A readable table of what mail_domains did
version_added: 0.1.0
description:
  - Turns the C(domains) that M(mailroom.erp.mail_domains) returns into text with one block per domain.
  - Each block has the domain, whether it changed, its SPF record before and after, and what that record costs in DNS
    lookups (RFC 7208 section 4.6.4); then its selectors, its DMARC policy and the agreement of its report addresses,
    where these were asked for.
positional: _input
options:
  _input:
    description: The C(domains) of the result, in the order in which they are to be shown.
    type: list
    elements: dict
    required: true
  width:
    description: The longest line, in characters. Records are broken between terms, never inside one.
    type: int
    default: 100
author:
  - The mailroom.erp authors
"""

EXAMPLES = r"""
- name: Show what each domain got
  ansible.builtin.debug:
    msg: "{{ result.domains | mailroom.erp.mail_domains_table }}"
  vars:
    result:
      domains:
        - domain: acme.example
          changed: true
          spf:
            record:
              before: v=spf1 mx ~all
              after: v=spf1 mx include:spf.afas.online ~all
            lookups: {total: 2, void: 0, terms: {}, indeterminate: []}
"""

RETURN = r"""
_value:
  description: The table; its last line counts the domains and those that changed.
  type: str
"""

_LABEL = 10
_NARROWEST = 40


def _wrapped(label: str, text: str, width: int) -> str:
    return wrapped(f"  {label:<{_LABEL}}", text, width)


def _record(entry: Mapping[str, Any], moment: str) -> str:
    return entry["spf"]["record"][moment] or "(no SPF record)"


def _lookups(lookups: Mapping[str, Any] | None) -> str:
    """The cost of a record; a term with macros makes it a lower bound."""
    if not lookups:
        return "-"
    at_least = "at least " if lookups.get("indeterminate") else ""
    return f"{at_least}{lookups['total']} of 10, void {lookups['void']} of 2"


def _spf_rows(entry: Mapping[str, Any], width: int) -> list[str]:
    if entry["spf"] is None:
        return []
    return [
        _wrapped("before", _record(entry, "before"), width),
        _wrapped("after", _record(entry, "after"), width),
        _wrapped("lookups", _lookups(entry["spf"].get("lookups")), width),
    ]


def _other_rows(entry: Mapping[str, Any], width: int) -> list[str]:
    """The other kinds of records, a line each: what stands there, and what stood there when it is another."""
    rows = []
    for result in RECORD_RESULTS.values():
        found: Any = entry.get(result.key) or []
        records = found if result.many or not found else [found]
        rows += [_wrapped(result.label, _other(one), width) for one in records if result.kind != "spf"]
    return rows


def _other(one: Mapping[str, Any]) -> str:
    before, after = one["record"]["before"] or "nothing", one["record"]["after"] or "nothing"
    was = f" (was {before})" if before != after else ""
    elsewhere = f" (managed elsewhere: {one['managed_elsewhere']})" if one["managed_elsewhere"] else ""
    return f"{one['name']}: {after}{was}{elsewhere}"


def _block(entry: Mapping[str, Any], width: int) -> str:
    """One domain's part of the table."""
    title = f"{entry['domain']}  ({'changed' if entry['changed'] else 'unchanged'})"
    return "\n".join([title, *_spf_rows(entry, width), *_other_rows(entry, width)])


def mail_domains_table(domains: Iterable[Mapping[str, Any]], width: int = 100) -> str:
    """Lay out what mail_domains returned.

    :param domains: its ``domains``: dicts with domain, changed, spf, dkim, dmarc and reports as documented there
    :param width: the longest line in characters, at least 40; a longer term keeps a line of its own
    :returns: one block per domain and a line that counts them
    :raises AnsibleFilterError: the input has another shape, or the width is too small
    """
    check_width("mail_domains_table", width, _NARROWEST)
    try:
        entries = list(domains)
        blocks = [_block(entry, width) for entry in entries]
        changed = sum(bool(entry["changed"]) for entry in entries)
    except (KeyError, TypeError, AttributeError) as error:
        raise AnsibleFilterError(
            f"mail_domains_table wants the `domains` of a mail_domains result; this is something else: {error!r}"
        ) from error
    return "\n\n".join([*blocks, f"{so_many(len(blocks), 'domain')}, {changed} changed"])


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_domains_table": mail_domains_table}

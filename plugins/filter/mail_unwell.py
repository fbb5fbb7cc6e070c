# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``mail_unwell``: the environments for which a run does nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import SiteRun, unwell
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates


def mail_unwell(
    needs: Mapping[str, Any],
    refused: Mapping[str, Any],
    records: Mapping[str, Any],
    tenants: Iterable[Mapping[str, Any]] = (),
) -> list[str]:
    """Name them; ``mail_unwell.yml`` documents the options."""
    hosts = plain_value(list(needs))
    failures = plain_value(records.get("failures") or [])
    known = SiteRun(
        hosts, plain_value(needs), plain_value(refused), True, {"failures": failures}, plain_value(list(tenants))
    )
    return sorted(unwell(known))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Name the filters, as Ansible asks for them."""
        return {"mail_unwell": never_templates(mail_unwell)}

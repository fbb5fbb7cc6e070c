# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What is set in the ERP's own screen, and which points of the checklist are done.

Every function takes the value as declared, puts what is wrong with it into ``findings``, and gives only what is right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import System, Transport
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import INVENTORY, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import checked_settings

_STAMP = re.compile(r"([a-z2-7]{4})+")


def settings_given(system: System, transport: Transport | None, settings: Any, findings: Findings) -> dict[str, Any]:
    """The settings of ``erp_mail_settings`` that are right, with the types of their specs.

    :param system: whose screen it is
    :param transport: whose fields there are; None when it is not known, and then no setting is judged
    :param settings: ``erp_mail_settings``
    :param findings: takes what is wrong
    """
    if not isinstance(settings, Mapping):
        rule = f"the settings are a dictionary, not a {type(settings).__name__}"
        findings.error("erp_mail_settings", None, rule, INVENTORY, "Write erp_mail_settings: {name: value}.")
        return {}
    return checked_settings(system, transport, settings, findings) if transport is not None else {}


def confirmed_of(system: System, declared: Any, findings: Findings) -> dict[str, str | None]:
    """The points of the checklist that ``erp_mail_confirmed`` names.

    :param system: whose checklist it is
    :param declared: ``erp_mail_confirmed``
    :param findings: takes what is wrong
    :returns: the stamp of each by id, None for one that is named without
    """
    if not isinstance(declared, list | tuple):
        rule = f"it is a list of points of the checklist, not a {type(declared).__name__}"
        findings.error("erp_mail_confirmed", None, rule, INVENTORY, "Write e.g. [fields, test_mail].")
        return {}
    known = [check.id for check in system.checklist]
    confirmed: dict[str, str | None] = {}
    for entry in declared:
        name, at, stamp = entry.partition("@") if isinstance(entry, str) else ("", "", "")
        if name not in known:
            rule = f"the checklist of {system.title} has no such point"
            shown = entry if isinstance(entry, str) else None
            findings.error("erp_mail_confirmed", shown, rule, INVENTORY, f"It has: {', '.join(known)}.")
        elif at and not _STAMP.fullmatch(stamp):
            rule = "a point is named as id, or as id@stamp with the stamp that the sheet shows"
            findings.error("erp_mail_confirmed", entry, rule, INVENTORY, "Copy it from the end of the sheet.")
        elif stamp and confirmed.get(name) not in (None, stamp):
            rule = "the point is named twice, for different values"
            findings.error("erp_mail_confirmed", entry, rule, INVENTORY, "Keep the one that was confirmed last.")
        else:
            confirmed[name] = stamp or confirmed.get(name)
    return confirmed

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The texts of an environment's files: its settings, and its sheet in both forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.stale_terms import Ageing
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import settings_of, settings_yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import left_out_sheet, sheet_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_html import html_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_markdown import markdown_sheet
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_sight import with_sight

SETTINGS, SHEET, PAGE = "settings.yml", "sheet.md", "sheet.html"
FILES = (SETTINGS, SHEET, PAGE)
"""All files of an environment."""


def environment_texts(
    environment: Environment, needs: Mapping[str, Any], ageing: Ageing, sight: ServerSight | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Write down an environment that is there.

    :param environment: without errors
    :param needs: what ``environment_needs`` gave for it
    :param ageing: tells what is too old
    :param sight: what was seen of its mail server, None when nobody looked
    :returns: its settings, and the text of each file by name
    """
    settings = settings_of(environment)
    sheet = with_sight(sheet_of(environment, settings, needs, ageing), environment, settings, sight)
    return settings, {SETTINGS: settings_yaml(settings), SHEET: markdown_sheet(sheet), PAGE: html_sheet(sheet)}


def left_out_texts(name: str, language: str, reasons: Iterable[str]) -> dict[str, str]:
    """Write down that a run left an environment out. What was typed in before need not be wrong, so settings stay.

    :param name: of the environment
    :param language: of its system
    :param reasons: why, one sentence each
    :returns: the text of each file by name
    """
    sheet = left_out_sheet(language, name, reasons)
    return {SHEET: markdown_sheet(sheet), PAGE: html_sheet(sheet)}

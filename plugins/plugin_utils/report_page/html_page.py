# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A report as one HTML page that needs no other file and no script. Pure: report in, text out."""

from __future__ import annotations

import base64
import functools
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customer_file_stem
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.dmarc_ladder_svg import dmarc_ladder_svg
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.evidence_plot_svg import evidence_plot_svg
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.page_style import SIGNS, report_style
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_words import PageTexts, shown_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.spf_tree_svg import spf_tree_svg
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    RISKS,
    DomainReport,
    EnvironmentReport,
    TodoItem,
    VerifyReport,
)
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_WORST = ("failing", "attention", "unknown", "fine")
_FEW = 6
"""So many environments or domains are shown open."""
_MOST = 20
"""So many things to do of one risk are shown open."""


def html_report(report: VerifyReport, language: str) -> str:
    """Write a report as HTML.

    :param report: on all, or of one customer
    :param language: of the page's own words; texts of the report stay English
    :returns: the page, ending in one newline; the same report gives the same bytes
    """
    page = _Page(report, PageTexts(language, report.made))
    return _templates().get_template("page.html.j2").render(page.names()).strip() + "\n"


@functools.cache
def _templates() -> Environment:
    folder = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(
        loader=folder,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class _Page:
    """What the templates use."""

    def __init__(self, report: VerifyReport, texts: PageTexts) -> None:
        self._report, self._texts, self._words = report, texts, texts.words
        self._customers = {one.name for one in report.customers}
        self._owners: dict[str, tuple[str, ...]] = {one.name: one.customers for one in report.domains}
        self._owners |= {one.name: (one.customer,) for one in report.environments if one.customer}

    def names(self) -> dict[str, Any]:
        """All names by which templates reach it."""
        report, style = self._report, report_style()
        customer = report.customer
        title = self._words["page"]["title"]
        return {
            "r": report,
            "w": self._words,
            "t": self._texts,
            "title": title if customer is None else self._words["page"]["title_of"].format(customer=customer),
            # ours, and without anything of the report
            "style": Markup(style),
            "style_digest": Markup(base64.b64encode(sha256(style.encode()).digest()).decode()),
            "signs": SIGNS,
            "few": _FEW,
            "most": _MOST,
            "todo": [(risk, found) for risk in RISKS if (found := [one for one in report.todo if one.risk == risk])],
            "own_environments": [one for one in report.environments if one.customer not in self._customers],
            "own_domains": [one for one in report.domains if not self._customers & {*one.customers}],
            "by_state": _by_state,
            "states_of": _states_of,
            "owners": self._owners_of,
            "link_of": _link_of,
            "domain_link": self._domain_link,
            "anchor": _anchor,
            "verdict_word": self._verdict_word,
            "key_words": self._key_words,
            "right_records": lambda one: sum(record.state == "declared" for record in one.records),
            "spf_tree": lambda spf: spf_tree_svg(spf, self._words["spf"]),
            "ladder": lambda dmarc: dmarc_ladder_svg(dmarc, self._words["dmarc"]),
            "plot": lambda days: evidence_plot_svg(days, self._words["plot"]),
        }

    def _owners_of(self, item: TodoItem) -> list[str]:
        """The customers that an item is about; on the page of one it goes without saying."""
        names = {owner for one in (*item.environments, *item.domains) for owner in self._owners.get(one, ())}
        return sorted(names & self._customers)

    def _domain_link(self, domain: DomainReport) -> str:
        owners = sorted(self._customers & {*domain.customers})
        return f"{_link_of(owners[0]) if owners else ''}#{_anchor(domain.name)}"

    def _verdict_word(self, result: str | None) -> str:
        words = self._words["verdict"]
        return str(words.get(result, result) if result else words["not_looked"])

    def _key_words(self, domain: DomainReport) -> str:
        counted = Counter(one.state for one in domain.dkim)
        told = (f"{count} {self._words['key_state'][state]}" for state, count in sorted(counted.items()))
        return ", ".join(told) or str(self._words["page"]["none"])


def _by_state(parts: Iterable[Any]) -> list[Any]:
    """The worst first, else in their order."""
    return sorted(parts, key=lambda one: _WORST.index(one.state))


def _states_of(parts: Iterable[EnvironmentReport | DomainReport]) -> list[str]:
    found = {str(one.state) for one in parts}
    return [state for state in _WORST if state in found]


def _link_of(customer: str) -> str:
    return f"customers/{customer_file_stem(customer)}.html"


def _anchor(domain: str) -> str:
    return f"domain-{domain}"

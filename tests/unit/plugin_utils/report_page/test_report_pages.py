# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of reports: words, safety of what is in them, one customer's only, and their size for hundreds."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.declared_customers import customer_file_stem
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.html_page import html_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.page_style import REPORT_COLOURS
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_folder import report_pages
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_reading import report_from_data
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_words import LANGUAGES, report_words
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.customer_reports import (
    customer_report,
    customer_report_file,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    CustomerSummary,
    LeavingReport,
    VerifyReport,
    report_data,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report

EVIL = "<script>alert('x')</script>\x1b[31m\u202e"


def write_reports(folder: Path, report: VerifyReport) -> None:
    """The reports as verify writes them."""
    (folder / "customers").mkdir()
    (folder / "report.json").write_text(json.dumps(report_data(report)), encoding="utf-8")
    for one in report.customers:
        own = json.dumps(report_data(customer_report(report, one.name, {})))
        (folder / "customers" / f"{customer_file_stem(one.name)}.json").write_text(own, encoding="utf-8")


# --- words -----------------------------------------------------------------------------------------------------------


def leaves(words: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """All texts with their keys; the names of months have no placeholders, but a place each."""
    if isinstance(words, str):
        yield place, words
        return
    items = words.items() if isinstance(words, Mapping) else enumerate(words)
    for key, one in items:
        yield from leaves(one, f"{place}.{key}")


def placeholders(text: str) -> set[str | None]:
    return {part[1] for part in string.Formatter().parse(text) if part[1] is not None}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_each_language_has_the_same_keys_and_placeholders(language: str) -> None:
    english = {place: placeholders(text) for place, text in leaves(report_words("en"))}
    assert {place: placeholders(text) for place, text in leaves(report_words(language))} == english


def test_texts_of_the_report_are_marked_as_english() -> None:
    page = html_report(sample_report(), "nl")
    assert '<html lang="nl">' in page
    assert '<span lang="en">Switch on signing as vries.example at the service.</span>' in page
    assert "9 december 2026" in page


# --- safety ----------------------------------------------------------------------------------------------------------


def hostile(part: Any) -> Any:
    """The same report with every free text made an attack."""
    if isinstance(part, dict):
        fixed = ("schema", "state", "risk", "who", "verdict", "level", "mode", "scope", "result", "day", "made")
        return {key: one if key in fixed else hostile(one) for key, one in part.items()}
    if isinstance(part, list):
        return [hostile(one) for one in part]
    return EVIL + part if isinstance(part, str) else part


class Tags(HTMLParser):
    """Collects the tags of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_nothing_of_a_report_becomes_markup_or_a_control_character() -> None:
    page = html_report(report_from_data(hostile(report_data(sample_report()))), "en")
    assert "script" not in {tag for tag, _names in Tags(page).tags}
    assert "&lt;script&gt;" in page
    assert not re.search(r"[^\n\x20-\x7e\xa0-\U0010ffff]|\u202e", page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_asks_for_nothing(language: str) -> None:
    tags = Tags(html_report(sample_report(), language)).tags
    assert not {"script", "link", "img", "iframe", "form", "object"} & {tag for tag, _names in tags}
    assert not [name for _tag, names in tags for name in names if name in ("style", "src") or name.startswith("on")]
    links = [names["href"] for _tag, names in tags if "href" in names]
    assert links
    assert all(str(link).startswith(("#", "customers/")) for link in links)


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    report = customer_report(sample_report(), "De Vries", {})
    tags = Tags(html_report(report, "en")).tags
    ids = [names["id"] for _tag, names in tags if "id" in names]
    assert len(ids) == len(set(ids))
    assert {str(names["href"]).removeprefix("#") for tag, names in tags if tag == "a"} <= set(ids)


@pytest.mark.parametrize(("language", "word"), [("en", "leaving"), ("nl", "vertrekt")])
def test_an_environment_that_leaves_is_told_as_that(language: str, word: str) -> None:
    report = sample_report()
    first, *others = report.environments
    left = replace(first.senders[0], verdict="leaving", reason="it is leaving")
    told = LeavingReport(("the SPF term a of x.example",), (), "a person's word: the last mail was on 2026-11-20")
    page = html_report(
        replace(report, environments=(replace(first, customer=None, senders=(left,), leaving=told), *others)), language
    )
    assert re.search(rf"b-leaving.*?</span> {word}</span>", page)
    assert "the SPF term a of x.example" in page and "a person&#39;s word" in page


# --- what a reader sees ----------------------------------------------------------------------------------------------


def test_what_fails_stands_before_what_is_to_be_confirmed() -> None:
    page = html_report(sample_report(), "en")
    places = [page.index(f'id="risk-{risk}"') for risk in ("fail", "drift", "due", "unknown", "confirm")]
    assert places == sorted(places)


def test_a_budget_that_is_spent_is_drawn_with_what_is_too_much() -> None:
    page = html_report(customer_report(sample_report(), "De Vries", {}), "en")
    assert page.count('<rect class="used"') == 10
    assert page.count('<rect class="over"') == 1


def test_what_is_not_known_is_never_said_to_be_missing() -> None:
    report = sample_report()
    page = html_report(replace(report, domains=report.domains[2:3], customers=(), environments=(), todo=()), "en")
    assert "No DMARC record was read" in page
    assert "its look-ups are not known" in page
    assert '<text class="strong"' not in page


@pytest.mark.parametrize("scheme", REPORT_COLOURS)
@pytest.mark.parametrize("text", ["good", "bad", "look", "odd"])
@pytest.mark.parametrize("ground", ["paper", "field"])
def test_colours_can_be_read(scheme: str, text: str, ground: str) -> None:
    colours = REPORT_COLOURS[scheme]
    light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- folders of reports ----------------------------------------------------------------------------------------------


def test_a_customers_page_names_no_other_customer(tmp_path: Path) -> None:
    report = sample_report()
    write_reports(tmp_path, report)
    pages = report_pages(tmp_path, "en")
    assert len(pages) == 1 + len(report.customers)
    for customer in report.customers:
        page = pages[f"customers/{customer_file_stem(customer.name)}.html"]
        others = {one.name for one in report.customers} - {customer.name}
        others |= {one.name for one in report.environments if one.customer != customer.name}
        others |= {one.name for one in report.domains if customer.name not in one.customers}
        assert [name for name in others if name in page or name.replace("&", "&amp;") in page] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON"),
        ("[]", "no report of the schema"),
        ('{"schema": "mailroom.erp/report/2"}', "no report of the schema"),
        ('{"schema": "mailroom.erp/report/1"}', "made: it is missing"),
    ],
)
def test_what_is_no_report_is_refused_in_words(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=told):
        report_pages(tmp_path, "en")


def test_a_report_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no such report"):
        report_pages(tmp_path, "en")


def test_the_report_of_another_customer_or_run_gets_no_page(tmp_path: Path) -> None:
    report = sample_report()
    write_reports(tmp_path, report)
    file = tmp_path / "customers" / f"{customer_file_stem('De Vries')}.json"
    other = replace(customer_report(report, "Klaas & Co", {}), made="2026-11-01T00:00:00Z")
    file.write_text(json.dumps(report_data(other)), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        report_pages(tmp_path, "en")
    assert [one.rule.partition(" ")[2][:15] for one in refused.value.problems] == ["is not the repo", "was made on 202"]


def test_the_page_of_one_customer_needs_no_other_report(tmp_path: Path) -> None:
    write_reports(tmp_path, sample_report())
    (tmp_path / "report.json").write_text("not to be read", encoding="utf-8")
    pages = report_pages(tmp_path, "en", "De Vries")
    assert [*pages] == [f"customers/{customer_file_stem('De Vries')}.html"]
    ours = customer_report_file(tmp_path, "De Vries")
    ours.write_bytes(customer_report_file(tmp_path, "Klaas & Co").read_bytes())
    with pytest.raises(Refused, match="it is not the report of the customer De Vries"):
        report_pages(tmp_path, "en", "De Vries")


@pytest.mark.parametrize(("place", "value"), [("domains", {}), ("made", 3), ("state", "well"), ("todo", [None])])
def test_a_part_of_another_shape_is_named(place: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{place}"):
        report_from_data({**report_data(sample_report()), place: value})


def test_a_tree_without_end_is_refused() -> None:
    data = report_data(sample_report())
    tree: dict[str, Any] = {"domain": "a.example", "terms": []}
    for _time in range(200):
        tree = {"domain": "a.example", "terms": [{"term": "include:a.example", "lookups": 1, "tree": tree}]}
    data["domains"][0]["spf"]["tree"] = tree
    with pytest.raises(ValueError, match="nested too deeply"):
        report_from_data(data)


# --- hundreds --------------------------------------------------------------------------------------------------------


def many(customers: int) -> VerifyReport:
    """Each customer with an environment, three domains and something to do."""
    report = sample_report()
    names = [f"Customer {number}" for number in range(customers)]
    hosts = [replace(report.environments[n % 4], name=f"erp_{n}", customer=name) for n, name in enumerate(names)]
    domains = [
        replace(report.domains[part], name=f"d{part}-{n}.example", customers=(name,))
        for n, name in enumerate(names)
        for part in range(3)
    ]
    todo = [replace(report.todo[n % 5], environments=(f"erp_{n}",), domains=()) for n in range(customers)]
    rows = [CustomerSummary(name, hosts[n].state, 1, 3, 1) for n, name in enumerate(names)]
    return replace(report, environments=tuple(hosts), domains=tuple(domains), todo=tuple(todo), customers=tuple(rows))


def test_300_customers_fit_into_a_page_of_two_megabytes() -> None:
    page = html_report(many(300), "nl")
    assert page.count('href="customers/') >= 300
    assert len(page.encode()) < 2_000_000


def test_500_domains_of_nobody_fit_too() -> None:
    report = many(170)
    page = html_report(replace(report, customers=()), "en")
    assert page.count('<details class="part') >= 510
    assert len(page.encode()) < 4_000_000
    assert ":has(.f-failing:checked)" in page

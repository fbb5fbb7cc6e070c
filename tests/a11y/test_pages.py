# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets and reports in a real browser, judged by axe-core: on a screen, on a phone, in the dark and on paper.

The sheets are those of tests/unit/plugin_utils/sheet/sheets, which the unit tests compare with what is made;
the pages of reports are made of the sample of verify.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.html_page import html_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.customer_reports import customer_report
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report
from axe_core_python.selenium import Axe
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

PAGES = sorted((Path(__file__).parents[1] / "unit" / "plugin_utils" / "sheet" / "sheets").glob("*.html"))
REPORTS = ("index", "customer")
# nothing of the browser's own goes to the network
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWS: dict[str, dict[str, Any]] = {
    "screen": {"width": 1100, "media": "screen", "scheme": "light"},
    "phone": {"width": 360, "media": "screen", "scheme": "light"},
    "dark": {"width": 1100, "media": "screen", "scheme": "dark"},
    "paper": {"width": 794, "media": "print", "scheme": "light"},
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.fail("chromium and chromedriver are needed: apt-get install chromium chromium-driver")
    os.environ["SE_AVOID_STATS"] = "true"
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    found = Chrome(options=options, service=Service(driver))
    yield found
    found.quit()


def shown(browser: Chrome, page: Path, view: str) -> None:
    """Show a page as a view has it."""
    asked = VIEWS[view]
    size = {"width": asked["width"], "height": 900, "deviceScaleFactor": 1, "mobile": view == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = [{"name": "prefers-color-scheme", "value": asked["scheme"]}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": asked["media"], "features": scheme})
    browser.get(page.as_uri())


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page for all in English, and that of a customer in Dutch."""
    folder, sample = tmp_path_factory.mktemp("reports"), sample_report()
    pages = {"index": html_report(sample, "en"), "customer": html_report(customer_report(sample, "De Vries", {}), "nl")}
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", REPORTS)
def test_axe_finds_nothing_in_a_report(browser: Chrome, reports: dict[str, Path], name: str, view: str) -> None:
    shown(browser, reports[name], view)
    found = Axe().run(browser)
    assert [(one["id"], one["help"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    pictures = {"svg-img-alt"} if name == "customer" else set()
    assert {"color-contrast", "html-has-lang", *pictures} <= {one["id"] for one in found["passes"]}
    assert browser.execute_script("return document.documentElement.scrollWidth") <= VIEWS[view]["width"]


def test_a_filter_works_without_script(browser: Chrome, reports: dict[str, Path]) -> None:
    shown(browser, reports["index"], "screen")
    rows = browser.find_elements("css selector", "#customers tbody tr")
    assert all(row.is_displayed() for row in rows)
    browser.find_element("css selector", "#customers .f-failing").click()
    assert [row.get_attribute("class") for row in rows if row.is_displayed()] == ["s-failing"]


def test_there_are_pages_of_every_system() -> None:
    assert len(PAGES) >= 10


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_axe_finds_nothing(browser: Chrome, page: Path, view: str) -> None:
    shown(browser, page, view)
    found = Axe().run(browser)
    assert [(one["id"], one["help"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    judged = {one["id"] for one in found["passes"]}
    assert {"color-contrast", "html-has-lang", "document-title", "heading-order"} <= judged


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_nothing_runs_out_of_the_page(browser: Chrome, page: Path, view: str) -> None:
    shown(browser, page, view)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= VIEWS[view]["width"]


def test_axe_would_find_text_that_is_hard_to_read(browser: Chrome, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    faint = PAGES[0].read_text(encoding="utf-8").replace("--quiet: #4a5059", "--quiet: #c8c8c8", 1)
    page.write_text(faint, encoding="utf-8")
    shown(browser, page, "screen")
    assert [one["id"] for one in Axe().run(browser)["violations"]] == ["color-contrast"]

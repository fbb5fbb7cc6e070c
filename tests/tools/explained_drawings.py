# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the drawings of docs/explained.md: the code that draws on the pages of reports, and the records of the demo.

python -m ansible_collections.mailroom.erp.tests.tools.explained_drawings
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.mailroom.erp.plugins.module_utils.domains.audit_run import inform
from ansible_collections.mailroom.erp.plugins.plugin_utils.page_colours import colour_variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.dmarc_ladder_svg import dmarc_ladder_svg
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.page_style import REPORT_COLOURS
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.report_words import report_words
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.spf_tree_svg import spf_tree_svg
from ansible_collections.mailroom.erp.plugins.plugin_utils.report_page.svg_parts import box, drawing, path, text_at
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    DmarcReport,
    SpfReport,
    SpfTermReport,
    SpfTreeReport,
)
from ansible_collections.mailroom.erp.tests.tools.page_blocks import REPOSITORY
from markupsafe import Markup, escape

PAGE = REPOSITORY / "docs" / "explained.md"
FOLDER = REPOSITORY / "docs" / "explained"
DEMO = REPOSITORY / "playbooks" / "demo" / "company"
_RULES = """svg { background: var(--paper); }
text { fill: var(--ink); font: 13px system-ui, sans-serif; } .tree text { font-family: monospace; }
.root, .strong, .on { font-weight: 700; } .small { font-size: 12px; fill: var(--quiet); }
.used { fill: var(--good); } .free, .ahead, .branch { fill: none; stroke: var(--line); }
.reached { fill: var(--field); stroke: var(--line); } .here { fill: var(--field); stroke: var(--ink); stroke-width: 3; }
.pointer { fill: var(--ink); } .arrow { fill: none; stroke: var(--ink); stroke-width: 2; }
.yes { fill: var(--good); font-weight: 700; }"""
_QUESTIONS = (
    ("SPF", "May the server send for acme.example?", "acme.example TXT", "AFAS lists it"),
    ("DKIM", "Is the signature of acme.example whole?", "afas1._domainkey.acme.example", "the key fits"),
    ("DMARC", "Did one of them pass for the From?", "_dmarc.acme.example TXT", "both did, for acme.example"),
)
_TOP, _ROW = 84, 64


def standing_alone(svg: Markup, description: str) -> str:
    """A drawing as a file: with colours for light and dark, a title, and a description in words."""
    (label,) = re.findall(r'aria-label="([^"]*)"', svg)
    light, dark = (colour_variables(REPORT_COLOURS[name]) for name in ("light", "dark"))
    style = f":root {{ {light} }} @media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{_RULES}"
    head, rest = svg.split(">", 1)
    told = f"<title>{label}</title>\n<desc>{escape(description)}</desc>\n<style>{style}</style>\n"
    return f'{head} xmlns="http://www.w3.org/2000/svg">\n{told}{rest}\n'.replace("><", ">\n<")


def spf() -> Markup:
    """The record that the page quotes, as the demo's internet has it."""
    (record,) = re.findall(r"^ +after +(v=spf1 .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    zones = [str(DEMO / "zones" / "acme"), str(DEMO / "internet")]
    planned = [{"name": "acme.example", "type": "TXT", "values": [record]}]
    told = inform({"domains": ["acme.example"], "planned": planned, "resolver": {"zonefiles": zones}})
    found = told["domains"][0]["spf"]
    terms = tuple(SpfTermReport(one["term"], one["lookups"], None) for one in found["tree"]["terms"])
    total = found["lookups"]["total"]
    report = SpfReport(record, total, 10, 0, SpfTreeReport("acme.example", terms), None)
    return spf_tree_svg(report, report_words("en")["spf"])


def dmarc() -> Markup:
    """Where the demo's domain is, and where it goes."""
    return dmarc_ladder_svg(DmarcReport(None, "none", None, "reject", "managed", (), ()), report_words("en")["dmarc"])


def questions() -> Markup:
    """A message, and what a receiver asks of the DNS about it."""
    label = "Three questions that a receiver asks: " + " ".join(
        f"{name}: {asked}" for name, asked, *_rest in _QUESTIONS
    )
    return drawing(660, _TOP + _ROW * len(_QUESTIONS), label, _parts(), "questions")


def _parts() -> Iterator[Markup]:
    yield box(4, 4, 652, 56, "reached")
    yield text_at(16, 27, "From: erp@acme.example", "strong")
    yield text_at(16, 48, "return path and signature: acme.example; sent by AFAS Online", "small")
    for number, (name, asked, record, answer) in enumerate(_QUESTIONS):
        top = _TOP + number * _ROW
        yield path(f"M28 {top - 22}v16m-5 -6l5 6l5 -6", "arrow")
        yield box(4, top, 652, 44, "reached")
        yield text_at(16, top + 27, name, "strong")
        yield text_at(84, top + 19, asked)
        yield text_at(84, top + 36, f"reads {record}", "small")
        yield text_at(400, top + 27, f"pass: {answer}", "yes")


def drawings() -> dict[str, str]:
    """The files by name."""
    asked = " ".join(
        f"{name} asks: {question} It reads {record}. Pass: {why}." for name, question, record, why in _QUESTIONS
    )
    cost = "Each of mx, include:spf.protection.outlook.com and include:spf.afas.online costs one look-up of the ten."
    steps = "A policy goes from none by quarantine to reject. acme.example is at none."
    made = {"questions": (questions(), asked), "spf": (spf(), cost), "dmarc": (dmarc(), steps)}
    return {f"{name}.svg": standing_alone(svg, words) for name, (svg, words) in made.items()}


if __name__ == "__main__":
    for name, text in drawings().items():
        (FOLDER / name).write_text(text, encoding="utf-8")

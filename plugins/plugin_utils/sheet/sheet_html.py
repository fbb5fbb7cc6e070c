# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The sheet as one HTML page that needs no other file: readable on a phone, on paper, and by a screen reader."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ansible_collections.mailroom.erp.plugins.plugin_utils.page_colours import COLOURS, colour_variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_content import (
    Inline,
    ListItem,
    Sheet,
    SheetSection,
    write_inline,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.sheet_words import WORDS

_STYLE = """
:root {{ color-scheme: light dark; {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1rem; max-width: 54rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }}
p {{ margin: .5rem 0; }}
.about {{ color: var(--quiet); }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: start; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }}
tbody th {{ font-weight: 600; width: 34%; }}
td:last-child {{ min-width: 16rem; }}
code {{ font: .95em ui-monospace, "DejaVu Sans Mono", monospace; background: var(--field); padding: .1em .3em;
  border-radius: .2em; user-select: all; }}
li {{ margin: .35rem 0; }}
.checklist {{ list-style: none; padding: 0; }}
.checklist li {{ padding-inline-start: 1.9rem; position: relative; }}
.box {{ position: absolute; inset-inline-start: 0; top: .15rem; width: 1.2rem; height: 1.2rem;
  border: 2px solid var(--ink); border-radius: .2rem; text-align: center; line-height: 1rem; color: var(--mark); }}
.state {{ color: var(--quiet); }}
.never {{ border-inline-start: .4rem solid var(--ink); padding-inline-start: .8rem; }}
@media (max-width: 34rem) {{
  thead {{ position: absolute; clip-path: inset(50%); }}
  table, tbody, tr, th, td {{ display: block; width: auto; }}
  tbody th {{ width: auto; border: 0; padding-bottom: 0; }}
  td, td:last-child {{ border: 0; padding-top: .1rem; padding-bottom: .2rem; min-width: 0; }}
  tr {{ border-bottom: 1px solid var(--line); padding-bottom: .3rem; }}
}}
@media print {{
  :root {{ {light} }}
  body {{ max-width: none; padding: 0; font-size: 10.5pt; }}
  h2, thead {{ break-after: avoid; }}
  tr, li {{ break-inside: avoid; }}
  code {{ background: none; border: 1px solid var(--line); }}
}}
"""


def html_sheet(sheet: Sheet) -> str:
    """Write the sheet as HTML.

    :param sheet: what ``sheet_of`` made
    :returns: the page, ending in one newline; the same sheet gives the same bytes
    """
    body = "\n".join(_section(section, sheet.language) for section in sheet.sections)
    return f"""<!DOCTYPE html>
<html lang="{escape(sheet.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(sheet.title)}</title>
<style>{_style()}</style>
</head>
<body>
<header>
<h1>{escape(sheet.title)}</h1>
<p class="about">{escape(sheet.about)}</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _style() -> str:
    return _STYLE.format(**{scheme: colour_variables(colours) for scheme, colours in COLOURS.items()})


def _section(section: SheetSection, language: str) -> str:
    words = WORDS[language]
    never = ' class="never"' if section.title == words["never"] else ""
    parts = [f"<section{never}>", f"<h2>{escape(section.title)}</h2>"]
    parts += [f"<p>{_text(section.intro)}</p>"] if section.intro else []
    if section.rows:
        parts += _table(section)
    if section.items:
        parts += _list(section.items, words)
    parts += [f"<p>{_text(section.outro)}</p>"] if section.outro else []
    return "\n".join([*parts, "</section>"])


def _table(section: SheetSection) -> Iterable[str]:
    """A block display takes a table's meaning away in some browsers; the roles keep it."""
    yield f'<table role="table" aria-label="{escape(section.title)}">'
    head = "".join(f'<th role="columnheader" scope="col">{escape(name)}</th>' for name in section.head)
    yield f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
    yield '<tbody role="rowgroup">'
    for first, *others in section.rows:
        cells = "".join(f'<td role="cell">{_text(cell)}</td>' for cell in others)
        yield f'<tr role="row"><th role="rowheader" scope="row">{_text(first)}</th>{cells}</tr>'
    yield "</tbody>"
    yield "</table>"


def _list(items: tuple[ListItem, ...], words: dict[str, str]) -> Iterable[str]:
    checks = items[0].done is not None
    yield '<ul class="checklist">' if checks else "<ul>"
    for item in items:
        steps = "".join(f"<li>{_text(step)}</li>" for step in item.steps)
        yield f"<li>{_state(item, words)}{_text(item.text)}{f'<ol>{steps}</ol>' if steps else ''}</li>"
    yield "</ul>"


def _state(item: ListItem, words: dict[str, str]) -> str:
    if item.done is None:
        return ""
    word = words["done" if item.done else "open"]
    return f'<span class="box" aria-hidden="true">{"✓" if item.done else ""}</span><span class="state">{word}:</span> '


def _text(parts: Inline) -> str:
    return write_inline(
        parts, escape, lambda text: f"<code>{escape(text)}</code>", lambda text: f"<strong>{escape(text)}</strong>"
    )

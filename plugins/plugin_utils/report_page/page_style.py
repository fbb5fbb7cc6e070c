# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""How the report's pages look: on a screen, on a phone, in the dark and on paper. Filters work without script."""

from __future__ import annotations

from typing import get_args

from ansible_collections.mailroom.erp.plugins.plugin_utils.page_colours import COLOURS, colour_variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import State

REPORT_COLOURS = {
    "light": {**COLOURS["light"], "good": "#0b5a2b", "bad": "#9b1c1c", "look": "#7a4a00", "odd": "#3d3f8f"},
    "dark": {**COLOURS["dark"], "good": "#7fdca0", "bad": "#ff9d96", "look": "#f3c46b", "odd": "#b9bcff"},
}
"""Beside those of all pages: what is good, bad, to be looked at, or not known; contrast as there."""

_RULES = """
* { box-sizing: border-box; }
main > section, details.part { content-visibility: auto; contain-intrinsic-size: auto 40rem; }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.1rem; margin: 1.25rem 0 .25rem; }
h4 { font-size: 1rem; margin: 1.1rem 0 .25rem; }
p { margin: .35rem 0; }
a { color: inherit; }
a:focus-visible, summary:focus-visible, input:focus-visible, .picture:focus-visible { outline: 3px solid var(--odd); }
.about { color: var(--quiet); font-weight: 400; }
.verdict { font-size: 1.15rem; }
.state { border: 2px solid var(--line); border-inline-start-width: .6rem; padding: .6rem 1rem; border-radius: .4rem; }
.state.s-failing, .card.r-fail { border-inline-start-color: var(--bad); }
.state.s-attention, .card.r-drift, .card.r-due { border-inline-start-color: var(--look); }
.state.s-unknown, .card.r-unknown, .card.r-confirm { border-inline-start-color: var(--odd); }
.state.s-fine { border-inline-start-color: var(--good); }
.counts { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; }
.badge { white-space: nowrap; font-weight: 600; }
@B@
.cards { padding-inline-start: 1.4rem; }
.card { border: 1px solid var(--line); border-inline-start-width: .4rem; border-radius: .3rem; padding: .4rem .8rem;
  margin: .5rem 0; }
.what { font-weight: 600; }
blockquote { margin: .4rem 0; padding: .4rem .8rem; background: var(--field); user-select: all; }
summary { cursor: pointer; }
.part { border: 1px solid var(--line); border-radius: .3rem; padding: .3rem .8rem; margin: .6rem 0; }
.part > summary h3 { display: inline; }
.filter { border: 1px solid var(--line); border-radius: .3rem; margin: .5rem 0; }
.filter label { margin-inline-end: 1rem; white-space: nowrap; }
@F@
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th, td { overflow-wrap: break-word; }
tbody th { overflow-wrap: anywhere; min-width: 8rem; }
td:nth-child(2), td:last-child { overflow-wrap: anywhere; }
th a.about { display: block; }
code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; background: var(--field); padding: .1em .3em;
  border-radius: .2em; user-select: all; }
.help dt { font-weight: 600; }
.picture { overflow-x: auto; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
svg { display: block; font: 13px system-ui, sans-serif; }
svg.ladder, svg.plot { max-width: 100%; height: auto; }
svg text { fill: var(--ink); }
svg.tree text { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
svg .root, svg .strong, svg .on { font-weight: 700; }
svg .small { font-size: 12px; fill: var(--quiet); }
.used { fill: var(--good); }
.over { fill: none; stroke: var(--bad); stroke-width: 2; }
.cross, .limit { fill: none; stroke: var(--bad); stroke-width: 2; }
.free, .ahead { fill: none; stroke: var(--line); }
.branch, .axis { fill: none; stroke: var(--line); }
.reached { fill: var(--field); stroke: var(--line); }
.here { fill: var(--field); stroke: var(--ink); stroke-width: 3; }
.pointer { fill: var(--ink); }
.passed { fill: var(--good); }
.failed { fill: var(--bad); }
@media (max-width: 48rem) {
  thead { position: absolute; clip-path: inset(50%); }
  table, tbody, tr, th, td { display: block; width: auto; }
  th, td { border: 0; padding: .1rem 0; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
}
@media print {
  :root { @LIGHT@ }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2, h3, h4, thead { break-after: avoid; }
  tr, li, svg { break-inside: avoid; }
  .filter { display: none; }
  .picture { overflow: visible; }
  svg { max-width: 100%; height: auto; }
  main > section, details.part, details::details-content { content-visibility: visible; block-size: auto; }
}
"""
_TONES = {
    "good": ("fine", "pass", "leaving", "l-pass", "d-declared", "k-valid"),
    "bad": ("failing", "fail", "r-fail", "l-fail", "d-drifted", "d-refused", "k-revoked", "k-missing", "g-fault"),
    "look": ("attention", "r-drift", "r-due", "l-warning", "k-weak", "k-changed", "g-concern", "d-elsewhere"),
    "odd": ("unknown", "r-unknown", "r-confirm", "l-unknown", "d-unknown", "k-unknown"),
}
_SIGN_OF_TONE = {"good": "✓", "bad": "✕", "look": "!", "odd": "?"}
SIGNS = {kind: _SIGN_OF_TONE[tone] for tone, kinds in _TONES.items() for kind in kinds}
"""The sign of each badge: colour alone tells nothing to whoever does not see it, and nothing on grey paper."""


def report_style() -> str:
    """The style sheet of a page, the same for all."""
    light, dark = (colour_variables(REPORT_COLOURS[scheme]) for scheme in ("light", "dark"))
    head = (
        f"\n:root {{ color-scheme: light dark; {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"
    )
    rules = _RULES.replace("@B@", _badges()).replace("@F@", _filters()).replace("@LIGHT@", light)
    return head + rules


def _badges() -> str:
    return "\n".join(
        f"{', '.join(f'.b-{kind}' for kind in kinds)} {{ color: var(--{tone}); }}" for tone, kinds in _TONES.items()
    )


def _filters() -> str:
    """What is not of the chosen state is hidden."""
    rule = ".filtered:has(.f-{0}:checked) :is(tr, details)[class*=s-]:not(.s-{0}) {{ display: none; }}"
    return "\n".join(rule.format(state) for state in get_args(State))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/troubleshooting.md: from the text of an error to its cause and the next step, made from the code's problems.

``python -m ansible_collections.mailroom.erp.tests.tools.troubleshooting_page`` writes it anew; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import KnownRefusal
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.refusal_table import KNOWN_REFUSALS
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.tests.tools.source_problems import (
    OPEN,
    SourceProblem,
    source_problems,
    stated_rules,
)

FILE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
_MOST_CODES = 10
_AREAS = (
    ("plugin_utils/declaration", "A declaration of an environment"),
    ("plugin_utils/systems", "A declaration of an environment"),
    ("plugin_utils/catalogue", "Systems and services of your own"),
    ("plugin_utils/estate", "All environments of a run together"),
    ("module_utils/domains", "Records in the DNS"),
    ("module_utils/policy_steps", "DMARC policies that tighten, and domains that never send"),
    ("module_utils/dmarc_reports", "Reports of receivers"),
    ("module_utils/entra", "Microsoft Entra and Exchange Online"),
    ("plugin_utils/files", "Secrets and their files"),
    ("module_utils/config_file", "An ERP that is configured by a file"),
    ("module_utils/mail_test", "Test messages"),
    ("", "Anything else"),
)
"""By where the source has the problem; what is in no room of its own comes last."""

_HEAD = """# From an error to its cause and the next step

An error is one line: `subject: place "value": what is demanded (source). Next step.` Look for a part of what is
demanded on this page; "…" stands for what only the run knows. The subject is the environment, the domain or the file,
and the place is the variable, the option or the record. This page is made from the problems that the code knows
(`tests/tools/troubleshooting_page.py`). A source "as told" is the one that the error itself names: that of the fact in
the catalogue, or of the part that was judged.

Elsewhere: [smtp_probe.md](smtp_probe.md) has what a look at a mail server finds, [verdicts.md](verdicts.md) what a
verdict means, [providers.md](providers.md) what the DNS services refuse. An option that does not exist, or that has a
wrong type, is told by Ansible with what there is; `ansible-doc mailroom.erp.<module>` documents them.
"""
_TEXTS = (
    ("module_utils/policy", "What a single text must look like"),
    ("plugin_utils/declaration", "What a single text must look like"),
    ("module_utils/dns", "What a DNS service or a zone's file answers"),
    ("module_utils/dmarc_reports", "Why a report of a receiver cannot be read"),
    ("module_utils/entra", "What Microsoft answers"),
    ("", "What else stops a step"),
)
"""The same for sentences that come with another problem: behind its place, or as its reason."""
_DEMANDS = """## What a system or a service demands

From their files in the catalogue, where the whole fact stands ([services.md](services.md)).

"""
_ANSWERS = """## What a mail service answers

`mail_test` tells the cause and the next step by the service's answer. {sender}, {user}, {mailbox}, {recipient} and
{server} stand for those of the message.

"""


def page() -> str:
    """The page as it stands in its file."""
    problems = sorted(source_problems(), key=lambda one: (_place(_AREAS, one.file), _text(one)))
    areas = [
        f"## {title}\n\n{_table(('it says', 'at', 'next step', 'source'), _rows(group))}"
        for (_number, title), group in groupby(problems, key=lambda one: _place(_AREAS, one.file))
    ]
    stated = sorted(stated_rules(), key=lambda one: (_place(_TEXTS, one[0]), one[1].lstrip(f"{OPEN} ").lower()))
    texts = [
        f"## {title}\n\n{_table(('it says', 'source'), _stated_rows(group))}"
        for (_number, title), group in groupby(stated, key=lambda one: _place(_TEXTS, one[0]))
    ]
    demands = _table(("it says", "of", "source"), _demands())
    answers = _table(("answer", "cause", "next step", "source"), map(_refusal, KNOWN_REFUSALS))
    return "\n".join([_HEAD, *areas, *texts, f"{_DEMANDS}{demands}", f"{_ANSWERS}{answers}"])


def _place(areas: tuple[tuple[str, str], ...], file: str) -> tuple[int, str]:
    title = next(title for room, title in areas if file.startswith(room))
    return [name for _room, name in areas].index(title), title


def _demands() -> Iterator[list[str]]:
    """The rules of the systems' screens and the warnings of the services."""
    catalogue = Catalogue()
    for system in map(catalogue.system, catalogue.names("systems")):
        for rule in system.rules:
            yield [rule.text.rstrip("."), system.title, _link(rule.source)]
    for service in map(catalogue.service, catalogue.names("services")):
        for note in service.warnings:
            yield [note.text("en").rstrip("."), service.title, _link(note.source)]


def _text(problem: SourceProblem) -> tuple[str, str, str, str]:
    return problem.rule.lstrip(f"{OPEN} ").lower(), problem.rule, problem.way_out, problem.source


def _rows(problems: Iterable[SourceProblem]) -> Iterator[list[str]]:
    """One row for each rule and way out, with all places."""
    for _key, group in groupby(problems, key=lambda one: (one.rule, one.way_out)):
        same = list(group)
        sources = dict.fromkeys(one.source for one in same if one.source not in ("", OPEN))
        yield [
            same[0].rule,
            ", ".join(dict.fromkeys(f"`{one.where}`" for one in same if one.where not in ("", OPEN))),
            same[0].way_out,
            "; ".join(source.removeprefix("mailroom.erp ") for source in sources) or "as told",
        ]


def _stated_rows(stated: Iterable[tuple[str, str, str]]) -> Iterable[tuple[str, str]]:
    return dict.fromkeys((rule, source.strip(OPEN)) for _file, rule, source in stated)


def _refusal(one: KnownRefusal) -> list[str]:
    enhanced = one.enhanced.replace("\\", "")
    told = " ".join(part for part in (_codes(one), enhanced, f"`{one.words}`" if one.words else "") if part)
    return [told or f"`{one.name}`", one.explanation, one.step, _link(one.source).replace("](docs/", "](")]


def _codes(one: KnownRefusal) -> str:
    codes = sorted(one.codes)
    few = len(codes) <= _MOST_CODES
    return " ".join(map(str, codes)) if few else f"{codes[0] // 100}xx, any other"


def _link(source: Any) -> str:
    return f"[{source.title}]({source.url})" if source.url else source.title


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    """A text in a table, where a bar would end the cell and a bracket would begin something else."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")

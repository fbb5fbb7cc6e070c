# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What a person reads at the end of ``site``: problems, what changed, what is unknown, and all the rest in a line.

What is the same for three environments or more is told once.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import (
    Message,
    grouped,
    listed,
    template_of,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import encodable, escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import made_environments
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.password_calendar import password_calendar
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import (
    EnvironmentOutcome,
    SiteRun,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.tenant_text import open_points
from ansible_collections.mailroom.erp.plugins.plugin_utils.terminal_text import counted_results, wrapped
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import ToldSender, labelled, told_senders

_WIDTH = 100
_FEWEST = 3
"""As many senders as must have the same verdict for the same reason to be told once."""
_STAMP_LENGTH = 6
_PLACE = re.compile(r" \((/[^()]*)\)")
"""Where a caution says that something stands: a file on this machine, and its line."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to look at: ``subject`` is an environment or a domain, as ``kind`` says."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class SiteWords:
    """What the report tells beside what came of each environment. ``confirmed`` are the stamps of cautions that the
    inventory confirms; ``check_mode``: nothing was written; ``today``: the day to tell the ends of passwords for;
    ``servers``: the lines about the mail servers."""

    senders: Sequence[ToldSender]
    cautions: Sequence[Caution]
    confirmed: frozenset[str]
    check_mode: bool
    today: datetime.date
    servers: Sequence[str] = ()


def site_report(run: SiteRun, found: Mapping[str, EnvironmentOutcome], words: SiteWords) -> list[str]:
    """Write the report.

    :param run: all that is known
    :param found: its ``outcomes``
    :param words: what is told beside that
    :returns: its lines, each of at most 100 characters unless a single word is longer
    """
    sections = [_problems(run, found)]
    if run.goes_on:
        done = [one for one in words.senders if not (one.environment in found and found[one.environment].failed)]
        sections += [_changes(run, found, words.check_mode), _tenants(run), [*words.servers], _verdicts(done)]
        sections += [_passwords(run, words), _cautions(words), _unchanged(run, found)]
    told = [line for section in sections if section for line in ("", *section)]
    # what came from outside has no ends of lines of its own any more: the wrapping made them blanks
    lines = "\n".join([*told, "", _last(run, found, words)]).split("\n")
    return [escape_controls(line) for line in lines]


def run_senders(known: Mapping[str, Any]) -> list[ToldSender]:
    """The senders that a run has judged: with its records, or on the live ones where there were none to make.

    :param known: the results of its tasks: ``records`` and ``live``
    """
    return told_senders(known["records"].get("verdicts") or known["live"].get("verdicts") or [])


def run_cautions(known: Mapping[str, Any]) -> Iterator[Caution]:
    """What a run found that is to be looked at.

    :param known: the results of its tasks: ``judged``, ``plan`` and ``records``
    """
    for host, texts in known["judged"]["cautions"].items():
        yield from (Caution("environment", host, text) for text in texts)
    for text in known["plan"]["cautions"]:
        yield Caution("domain", text.partition(":")[0], text)
    for domain in known["records"].get("domains") or []:
        yield from (Caution("domain", domain["domain"], text) for text in domain["warnings"])
    for text in known["records"].get("sender_warnings") or []:
        yield Caution("environment", text.partition(",")[0], text)


def stamp_of(caution: Caution) -> str:
    """The stamp of a caution, see :func:`caution_stamp`.

    :param caution: what is to be looked at
    """
    return caution_stamp(_cause(caution))


def caution_stamp(template: str) -> str:
    """What an inventory names in ``mail_confirmed_cautions`` to see a caution no more.

    :param template: the sentence, names and places left out: a stamp is the same on every machine
    """
    return sha256(encodable(template).encode()).hexdigest()[:_STAMP_LENGTH]


def _problems(run: SiteRun, found: Mapping[str, EnvironmentOutcome]) -> list[str]:
    """First what is wrong with domains, then what with environments themselves."""
    refused = run.refused
    told: list[str] = list(refused["run"])
    domains = {**{name: "\n".join(reasons) for name, reasons in refused["domains"].items()}, **run.failed_domains}
    messages = [
        Message(name, line if line.startswith(f"{name}") else f"{name}: {line}")
        for name, reasons in domains.items()
        for line in reasons.splitlines()
    ]
    told += grouped(messages)
    of_domains = {line for reasons in domains.values() for line in reasons.splitlines()}
    own = [
        Message(host, reason, kind="environment", others=_names(run, host))
        for host, outcome in found.items()
        for reason in outcome.failed
        if not _is_told(reason, of_domains) and reason not in refused["run"]
    ]
    told += grouped(own)
    if not told:
        return []
    waiting = [host for host in found if found[host].failed and host in run.needs]
    what = "left out or not done" if run.goes_on else "refused; nothing was written"
    head = f"PROBLEMS: {_environments(waiting)} {what}"
    return [head, *(wrapped("  - ", line, _WIDTH) for line in told)]


def _is_told(reason: str, told: set[str]) -> bool:
    return all(line in told or line.partition(": ")[2] in told for line in reason.splitlines())


def _changes(run: SiteRun, found: Mapping[str, EnvironmentOutcome], check_mode: bool) -> list[str]:
    changed = {host: "; ".join(one.changed) for host, one in found.items() if one.changed}
    if not changed:
        return []
    messages = [
        Message(host, f"{host}: {text}", kind="environment", others=_names(run, host)) for host, text in changed.items()
    ]
    head = "WOULD CHANGE" if check_mode else "CHANGED"
    return [
        f"{head}: {_environments(changed)}",
        *(wrapped("  - ", line, _WIDTH) for line in grouped(messages)),
    ]


def _tenants(run: SiteRun) -> list[str]:
    """What is open in the tenants."""
    messages = [
        Message(host, f"{host}: {point}", kind="environment", others=_names(run, host))
        for host, made in made_environments(run.tenants).items()
        for point in open_points(made)
    ]
    lines = [wrapped("  - ", line, _WIDTH) for line in grouped(messages)]
    return ["OPEN IN MICROSOFT ENTRA", *lines] if lines else []


def _verdicts(senders: Sequence[ToldSender]) -> list[str]:
    """The senders of which there is something to tell, fails first."""
    order = {"fail": 0, "unknown": 1, "pass": 2}
    loud = sorted((one for one in senders if not one.is_quiet), key=lambda one: order.get(one.after["result"], 1))
    if not loud:
        return []
    groups: dict[str, list[ToldSender]] = {}
    for sender in loud:
        groups.setdefault(_sender_template(sender), []).append(sender)
    lines = ["SENDERS, as receivers will judge them"]
    for group in groups.values():
        lines += _group(group) if len(group) >= _FEWEST else [line for one in group for line in _alone(one)]
    return lines


def _sender_message(sender: ToldSender, text: str) -> Message:
    address = sender.address
    others = {address: "<sender>", address.rpartition("@")[2]: "<domain>"}
    return Message(sender.environment, text, kind="environment", others=others)


def _sender_template(sender: ToldSender) -> str:
    text = "\n".join([sender.headline, *(f"{label} {text}" for label, text in sender.details)])
    return template_of(_sender_message(sender, text))


def _alone(sender: ToldSender) -> list[str]:
    head = escape_controls(f"  {sender.environment}, {sender.address}{sender.headline}")
    return [head, *(labelled(label, text, _WIDTH) for label, text in sender.details)]


def _group(senders: Sequence[ToldSender]) -> list[str]:
    first = senders[0]
    head = f"  {len(senders)} senders{first.headline} ({listed([one.address for one in senders])})"
    details = [(label, template_of(_sender_message(first, text))) for label, text in first.details]
    return [wrapped("  ", head.strip(), _WIDTH), *(labelled(label, text, _WIDTH) for label, text in details)]


def _passwords(run: SiteRun, words: SiteWords) -> list[str]:
    """The passwords that services end, by date; those that the inventory confirms are only counted."""
    told: list[str] = []
    silent = 0
    for entry in password_calendar(run.needs, words.today):
        stamped = [(caution_stamp(f"{entry.text}: {move.template}"), move.lines) for move in entry.moves]
        shown = [(stamp, lines) for stamp, lines in stamped if stamp not in words.confirmed]
        silent += len(stamped) - len(shown)
        told += [wrapped("  ", entry.text, _WIDTH)] if shown else []
        told += [wrapped(f"  {stamp}  ", line, _WIDTH) for stamp, lines in shown for line in lines]
    if not told:
        return [f"{silent} confirmed ends of passwords are not shown"] if silent else []
    more = f" ({silent} confirmed ones are not shown)" if silent else ""
    return [
        f"PASSWORDS THAT END, by date; confirm what is planned in mail_confirmed_cautions by its stamp{more}",
        *told,
    ]


def _cautions(words: SiteWords) -> list[str]:
    """Each cause once, with its stamp; those that the inventory confirms are only counted."""
    causes: dict[str, list[Caution]] = {}
    for one in words.cautions:
        causes.setdefault(_cause(one), []).append(one)
    shown = {text: found for text, found in causes.items() if caution_stamp(text) not in words.confirmed}
    silent = len(causes) - len(shown)
    if not shown:
        return [f"{silent} confirmed cautions are not shown"] if silent else []
    told = [(line, caution_stamp(text)) for text, found in shown.items() for line in _told(found)]
    head = "LOOK AT; what you have looked at, confirm in mail_confirmed_cautions by its stamp"
    more = f" ({silent} confirmed ones are not shown)" if silent else ""
    return [f"{head}{more}", *(wrapped(f"  {stamp}  ", line, _WIDTH) for line, stamp in told)]


def _cause(caution: Caution) -> str:
    return template_of(Message(caution.subject, _PLACE.sub("", caution.text), kind=caution.kind))


def _told(cautions: Sequence[Caution]) -> list[str]:
    """The same caution of some subjects; of many it is told once, with the places of all."""
    places = list(dict.fromkeys(place for one in cautions for place in _PLACE.findall(one.text)))
    texts = [one.text for one in cautions]
    if len(cautions) >= _FEWEST and len(places) > 1:
        texts = [_PLACE.sub(lambda _: f" ({listed(places)})", text) for text in texts]
    return grouped(Message(one.subject, text, kind=one.kind) for one, text in zip(cautions, texts, strict=True))


def _unchanged(run: SiteRun, found: Mapping[str, EnvironmentOutcome]) -> list[str]:
    same = [host for host in run.environments if host not in found]
    return [wrapped("", f"UNCHANGED: {_environments(same)}: {listed(same)}", _WIDTH)] if same else []


def _last(run: SiteRun, found: Mapping[str, EnvironmentOutcome], words: SiteWords) -> str:
    failed = sum(bool(found[host].failed) for host in run.environments if host in found)
    changed = sum(bool(found[host].changed) for host in run.environments if host in found)
    counted = (
        f"; {so_many(len(words.senders), 'sender')}: {counted_results(one.after['result'] for one in words.senders)}"
    )
    senders = counted if words.senders and run.goes_on else ""
    would = "would change" if words.check_mode else "changed"
    return f"{_environments(run.environments)}, {changed} {would}, {failed} failed{senders}"


def _names(run: SiteRun, host: str) -> dict[str, str]:
    """What of an environment's own may stand in a sentence about it: its senders, and their domains."""
    senders = (run.needs.get(host) or {}).get("senders") or []
    addresses = {str(one["from"]): "<sender>" for one in senders}
    return addresses | {address.rpartition("@")[2]: "<domain>" for address in addresses}


def _environments(names: Sized) -> str:
    return so_many(len(names), "environment")

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of a run in which any text is odd: each is written, in printable lines that nobody else begins.

``make fuzz`` tries more of them (FUZZ_ANSWERS). What it found stands in FOUND.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.probe_report import probe_cautions, probe_lines
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import Caution, SiteWords, site_report
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import SiteRun, WrittenFiles, outcomes
from ansible_collections.mailroom.erp.plugins.plugin_utils.server_sight import ServerSight
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import told_senders
from ansible_collections.mailroom.erp.tests.fuzz.odd_json import fuzz_case, fuzz_count, fuzz_seeds

ODD_TEXTS = (
    "",
    " ",
    "\n",
    "\nfatal: [other]: FAILED! => changed",
    "\r\nPROBLEMS: 9 environments",
    "\x1b[2J\x1b[31m",
    "\x07\x00\x7f\x9b",
    "\u202e\u200b\u2028\u2029\x85",
    "\ud800 half",
    "{{ 6*7 }}{% if %}{#",
    "(/etc/one:7) (/etc/two:8)",
    "<sender> <domain> <environment>",
    "\\1 \\g<0> %s {0}",
    "ü" * 300,
    "word " * 300,
    ": ",
    "b.example: ",
)
TODAY = datetime.date(2026, 11, 29)


def verdict(host: str, result: str) -> dict[str, Any]:
    part = {"result": result}
    return {
        "sender": {"environment": host, "from": f"erp@{host}.example", "service": "afas_online"},
        "result": result,
        **{kind: dict(part) for kind in ("spf", "dkim", "transport")},
        "dmarc": {**part, "policy": "none"},
        "reason": f"the record of {host}.example lacks it",
        "next_step": f"add it to {host}.example",
        "disposition": "none",
        "cautions": [f"{host}.example is judged by relaxed alignment"],
    }


def tenant_of(host: str) -> dict[str, Any]:
    sender = {"address": f"erp@{host}.example", "result": "fail", "reason": "no mailbox", "next_step": "make one"}
    return {
        "changed": True,
        "problems": [f"the application of {host} cannot be read"],
        "key_id": "k",
        "app_id": "a",
        "secret_due": "it ends in 3 days",
        "stored": {"file": f"/out/{host}.yml"},
        "end_date_time": "2027-01-01T00:00:00Z",
        "consent": {"vendor": ["Mail.Send"]},
        "consent_missing": True,
        "missing_grants": ["Mail.Send"],
        "scope": {"state": "granted", "effective_at": "12:00", "open": [f"limit {host}"]},
        "senders": [sender],
    }


def server(name: str) -> dict[str, Any]:
    finding = {"name": "no_tls", "lasting": f"{name} has no TLS", "next_step": "See to that", "source": "RFC 3207"}
    return {"host": name, "summary": f"{name}: no TLS", **{level: {**finding} for level in ("fail", "warning")}}


def seen(item: dict[str, Any]) -> ServerSight:
    findings = [{**item[level], "level": level, "certain": True} for level in ("fail", "warning")]
    return ServerSight(item["host"], 587, "here", "fail", item["summary"], None, findings)


def story(hosts: list[str]) -> dict[str, Any]:
    """All that a run knows, in which four hosts come to four ends."""
    refused, failed, changed, _same = hosts
    spf = {"record": {"before": None, "after": "v=spf1 -all"}}
    done = {"domain": f"{changed}.example", "changed": True, "spf": spf, "dmarc": None, "warnings": ["look at it"]}
    return {
        "needs": {
            host: {
                "domains": {f"{host}.example": []},
                "senders": [{"from": f"erp@{host}.example", "domain": f"{host}.example"}],
            }
            for host in hosts
        },
        "refused": {
            "environments": {refused: [f"{refused}: erp_mail_senders: it is empty"]},
            "dependents": {refused: [f"{refused}.example"]},
            "domains": {f"{refused}.example": [f"{refused}.example: spf: it is too long"]},
            "run": [],
        },
        "records": {
            "domains": [done],
            "failures": [{"domain": f"{failed}.example", "msg": f"{failed}.example: no answer"}],
            "diff": [{"before_header": f"{changed}.example TXT", "before": "", "after": "v=spf1 -all"}],
        },
        "tenants": [{"asked": [changed], "environments": {changed: tenant_of(changed)}, "diff": []}],
        "files": {changed: {"changed": ["settings.yml"], "failure": f"{changed}: the disk is full"}},
        "verdicts": {
            when: [verdict(host, result) for host in hosts]
            for when, result in (("before", "fail"), ("after", "unknown"), ("live", "fail"))
        },
        "cautions": [f"{host}.example: v=spf1 stands twice (/inventory/{host}.yml:7)" for host in hosts],
        "servers": {host: server(f"mail.{host}.example") for host in (changed, failed)},
    }


def report(hosts: list[str], told: dict[str, Any], goes_on: bool) -> list[str]:
    files = told["files"] if goes_on else {}
    run = SiteRun(
        hosts=hosts,
        needs=told["needs"],
        refused=told["refused"],
        goes_on=goes_on,
        records=told["records"],
        tenants=told["tenants"],
        files={host: WrittenFiles(one["changed"], (), one["failure"]) for host, one in files.items()},
    )
    sights = {host: seen(item) for host, item in told["servers"].items()}
    cautions = [Caution("domain", text.partition(":")[0], text) for text in told["cautions"]]
    cautions += probe_cautions(sights)
    words = SiteWords(told_senders(told["verdicts"]), cautions, frozenset(), False, TODAY, probe_lines(sights))
    return site_report(run, outcomes(run), words)


def texts(value: Any) -> Iterator[tuple[Any, Any]]:
    """The places of all texts, at any depth, but for the names by which our own parts find each other."""
    for key, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        if key in ("domain", "environment", "asked", "dependents", "before_header"):
            continue
        if isinstance(inner, str):
            yield value, key
        elif isinstance(inner, (dict, list)):
            yield from texts(inner)


def oddly_told(told: dict[str, Any], chance: random.Random) -> None:
    """Put odd texts into one to five of the texts, or in the place of them."""
    places = list(texts({name: part for name, part in told.items() if name != "needs"}))
    for container, key in chance.sample(places, chance.randint(1, 5)):
        text, odd = container[key], chance.choice(ODD_TEXTS)
        cut = chance.randrange(len(text) + 1)
        container[key] = chance.choice((odd, text[:cut] + odd + text[cut:], odd + text))


def odd_hosts(chance: random.Random) -> list[str]:
    return [f"{name}{chance.choice(('', '', chance.choice(ODD_TEXTS)))}" for name in "abcd"]


def test_the_story_comes_to_four_ends() -> None:
    hosts = ["a", "b", "c", "d"]
    lines = report(hosts, story(hosts), True)
    assert lines[-1] == "4 environments, 1 changed, 3 failed; 4 senders: 0 pass, 0 fail, 4 unknown"
    assert [line for line in lines if line.startswith("UNCHANGED")] == ["UNCHANGED: 1 environment: d"]
    assert report(hosts, story(hosts), False)[-1] == "4 environments, 0 changed, 3 failed"


FOUND = (
    (["a", "b", "c\nPROBLEMS: 9 environments", "d"], "v=spf1 stands twice"),
    (["a", "b", "c", "d"], "half a pair \ud800 stands there"),
)
"""Names of hosts and the text of a caution: one wrote a line of its own, one ended in a traceback."""


@pytest.mark.parametrize(("hosts", "caution"), FOUND)
def test_what_was_found_is_told_in_printable_lines(hosts: list[str], caution: str) -> None:
    told = story(hosts)
    told["cautions"] = [f"a.example: {caution}"]
    lines = report(hosts, told, True)
    assert [line for line in lines if not line.isprintable() or line.startswith("PROBLEMS: 9")] == []


def test_no_mutated_report_breaks_its_lines() -> None:
    for seed in fuzz_seeds(fuzz_count(600)):
        with fuzz_case(seed) as chance:
            hosts, goes_on = odd_hosts(chance), chance.random() < 0.8
            told = story(hosts)
            oddly_told(told, chance)
            lines = report(hosts, told, goes_on)
            assert [line for line in lines if not line.isprintable()] == []
            assert [line for line in lines if line.startswith(("fatal:", "PROBLEMS: 9"))] == []
            assert lines[-1].startswith(f"4 environments, {int(goes_on)} changed, 3 failed"), lines[-1]

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence that carries a step, made without an archive, for tests that take something away from it."""

from __future__ import annotations

import base64
import contextlib
import datetime
import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ansible.module_utils import basic
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.day_evidence import (
    DayEvidence,
    DomainEvidence,
    SenderDay,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.report_run import inform_of_reports
from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.source_identity import SenderGroup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.evaluation.sender import Signature
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_conditions import (
    StepQuestion,
    StepThresholds,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.step_evidence import (
    DoubtfulEvidence,
    StepEvidence,
)
from ansible_collections.mailroom.erp.plugins.module_utils.policy_steps.unknown_sources import UnknownSource
from ansible_collections.mailroom.erp.plugins.modules import dmarc_advance
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import DAY, report_text
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TODAY = datetime.date(2026, 11, 29)
REPORTERS = ("alpha.example", "beta.example", "gamma.example")


def group(name: str, domain: str = "acme.example") -> SenderGroup:
    """A declared sender that signs."""
    signature = Signature(domain, (name,))
    return SenderGroup(domain, domain, ("192.0.2.10",), signature, (name,), (), (f"{name}@{domain}",))


SHOP, PAYSLIPS = group("shop"), group("payslips")


def day_name(ago: int) -> str:
    """The day so many days ago."""
    return (TODAY - datetime.timedelta(days=ago)).isoformat()


@dataclass
class Seen:
    """What reports tell of one day; ``told`` are the published policies by tag."""

    ago: int
    reporters: tuple[str, ...] = REPORTERS
    told: Mapping[str, str] = field(default_factory=lambda: {"p": "none"})
    also: Mapping[str, str] = field(default_factory=dict)
    senders: dict[int, SenderDay] = field(
        default_factory=lambda: {0: SenderDay(100, 100, 100), 1: SenderDay(100, 100, 100)}
    )
    unknown: int = 0
    left_out: int = 0
    shared_failed: Mapping[int, int] = field(default_factory=dict)

    def evidence(self) -> DayEvidence:
        """As it is read from an archive."""
        messages = sum(one.seen for one in self.senders.values()) + self.unknown
        failed = sum(one.failed for one in self.senders.values()) + self.unknown
        policies = {self.told.get("p", ""), *([self.also["p"]] if "p" in self.also else [])}
        return DayEvidence(
            day_name(self.ago), len(self.reporters), self.left_out, set(self.reporters), policies, messages,
            messages - failed, failed, self.senders, {}, self.unknown,
        )  # fmt: skip

    @property
    def published(self) -> dict[tuple[str, str], frozenset[str]]:
        """The values that were told, and by whom."""
        found = {(tag, value): frozenset(self.reporters) for tag, value in self.told.items()}
        return found | {(tag, value): frozenset(["late.example"]) for tag, value in self.also.items()}


def month(**what: Any) -> list[Seen]:
    """Thirty days of the same; the last is yesterday."""
    return [replace(Seen(ago), **what) for ago in range(30, 0, -1)]


def question(
    days: list[Seen],
    target: str = "reject",
    let_fail: bool = False,
    groups: tuple[SenderGroup, ...] = (SHOP, PAYSLIPS),
    today: datetime.date = TODAY,
    doubtful: list[Seen] | None = None,
    **more: Any,
) -> StepQuestion:
    """The question of a domain that shop and payslips send as; ``doubtful`` is what reports on far.acme.example say."""
    doubtful = doubtful or []
    unknown = UnknownSource("203.0.113.0/24", "network")
    unknown.let_fail = let_fail
    shared: dict[int, dict[str, int]] = {}
    for one in (*days, *doubtful):
        day = day_name(one.ago)
        if one.unknown:
            unknown.by_day[day] = unknown.by_day.get(day, 0) + one.unknown
        for index, count in one.shared_failed.items():
            of_group = shared.setdefault(index, {})
            of_group[day] = of_group.get(day, 0) + count
    evidence = StepEvidence(
        DomainEvidence("acme.example", groups, tuple(one.evidence() for one in days)),
        {day_name(one.ago): one.published for one in days},
        {day_name(one.ago): tuple(f"{org} {one.ago}" for org in one.reporters) for one in days},
        (unknown,) if unknown.by_day else (),
        shared,
        doubtful=DoubtfulEvidence(
            {"far.acme.example": "SERVFAIL"} if doubtful else {},
            tuple(one.evidence() for one in doubtful),
            {day_name(one.ago): one.published for one in doubtful},
        ),
    )
    thresholds = more.pop("thresholds", StepThresholds())
    return StepQuestion(evidence, frozenset(range(len(groups))), target, today, thresholds=thresholds, **more)


# --- zones, an archive, and the modules ------------------------------------------------------------------------------

KEY = rsa.generate_private_key(65537, 2048).public_key()
DER = KEY.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PUBLIC = base64.b64encode(DER).decode()
ZONE = """$ORIGIN {domain}.
$TTL 3600
@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300
@ IN NS ns1
ns1 IN A 192.0.2.53
@ IN TXT "v=spf1 ip4:192.0.2.10 -all"
s1._domainkey IN TXT "v=DKIM1; p={first}" "{rest}"
_dmarc IN TXT "{policy}"
"""
SHOP_SENDER = {
    "from": "shop@acme.example",
    "environment": "shop",
    "envelope_domain": "acme.example",
    "sources": ["192.0.2.10"],
    "dkim": {"domain": "acme.example", "selectors": ["s1"]},
}
RELAY_SERVICE = {
    "name": "relay",
    "title": "The Relay",
    "spf_terms": ["ip4:203.0.113.0/24"],
    "domains": ["relay.example"],
}


class Estate:
    """Zones, an archive, and a way to run the module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports, self.zones = folder / "reports", folder / "zones"
        self.reports.mkdir()
        self.zones.mkdir()
        self.zone()

    def zone(self, domain: str = "acme.example", policy: str = "v=DMARC1; p=none; rua=mailto:d@acme.example") -> None:
        """Write a zone."""
        text = ZONE.format(domain=domain, first=PUBLIC[:200], rest=PUBLIC[200:], policy=policy)
        (self.zones / f"{domain}.zone").write_text(text, encoding="utf-8")

    def policy(self, domain: str = "acme.example") -> str:
        """The policy record in the zone."""
        lines = (self.zones / f"{domain}.zone").read_text(encoding="utf-8").splitlines()
        return next(line.partition('"')[2].rstrip('"') for line in lines if line.startswith("_dmarc"))

    def report(self, *rows: dict[str, Any], days: range = range(31, 0, -1), domain: str = "acme.example",
               policy: str = "none") -> None:  # fmt: skip
        """Let three receivers report the same rows of each of these days ago."""
        today = int(time.time()) // DAY * DAY
        for ago in days:
            for org in ("alpha.example", "beta.example", "gamma.example"):
                begin = today - ago * DAY
                text = report_text(*rows, org=org, report_id=f"{domain}-{ago}", domain=domain, begin=begin,
                                   end=begin + DAY - 1, policy=policy)  # fmt: skip
                (self.reports / f"{org}-{domain}-{ago}-{policy}.xml").write_text(text, encoding="utf-8")

    def read(self) -> None:
        """Read the reports into the archive."""
        given: dict[str, Any] = {"paths": [str(self.reports)], "archive": str(self.folder / "archive")}
        given |= {name: [] for name in ("services", "senders", "domains")}
        given |= dict.fromkeys(("shorten_addresses", "include_days", "include_records", "reverse_names"), False)
        inform_of_reports(given, write=True)

    def run(self, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run dmarc_advance."""
        given = {
            "domains": ["acme.example"],
            "target": "reject",
            "archive": str(self.folder / "archive"),
            "senders": [SHOP_SENDER],
            "services": [RELAY_SERVICE],
        }
        return self.run_module(dmarc_advance, check, **{**given, **options})

    def run_module(self, module: Any, check: bool, **options: Any) -> dict[str, Any]:
        """Run any DNS module on the zones."""
        given = {
            "dns": {"provider": "zonefile", "path": str(self.zones)},
            "resolver": {"zonefiles": [str(self.zones)]},
            "snapshot_dir": str(self.folder / "snapshots"),
            "why": "a test",
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            **options,
        }
        arguments = {name: value for name, value in given.items() if value is not None}
        out = io.StringIO()
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        profile = patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True)
        with profile, contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            module.main()
        return dict(json.loads(out.getvalue()))

    def journal(self) -> list[dict[str, Any]]:
        """The decisions in the journal."""
        file = self.folder / "snapshots" / "journal.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line for line in map(json.loads, lines) if "decision" in line]

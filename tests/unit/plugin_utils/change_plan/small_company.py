# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A company with two environments, as a run knows it that has looked and written nothing; and the plan of that."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.made_plan import PlanFacts, made_plan
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import (
    page_file_of,
    plan_bytes,
    sealed,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_model import ChangePlan
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_page import plan_page
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import Caution
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import SiteRun
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.private_files import FileChange
from ansible_collections.mailroom.erp.plugins.plugin_utils.verdict_text import told_senders

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SECRET = "hunter2hunter2"
KEY_SECRET = "c2VjcmV0LXRzaWcta2V5LXNlY3JldA=="
ROOT = "/srv/company"
DNS: dict[str, Any] = {"provider": "rfc2136", "server": "192.0.2.53", "key_name": "k", "key_secret": KEY_SECRET}
TERM = "include:spf.afas.online"
Facts = dict[str, Any]


def rrset(*values: str, ttl: int = 3600) -> dict[str, Any]:
    return {"ttl": ttl, "values": sorted(values)}


def record(name: str, before: Any, after: Any, kind: str = "spf", rdtype: str = "TXT") -> dict[str, Any]:
    place = {"zone": "acme.example", "view": 0, "name": name, "type": rdtype, "elsewhere": None}
    return {**place, "before": before, "after": after, "domains": ["acme.example"], "kinds": [kind]}


def verdict(environment: str, address: str, result: str, reason: str) -> dict[str, Any]:
    sender = {"from": address, "environment": environment, "service": "afas_online"}
    return {"sender": sender, "result": result, "reason": reason, "next_step": None, "cautions": []}


def small_facts() -> Facts:
    """What the run knows, in parts that a test may change."""
    address, entry = "erp@acme.example", {"domain": "acme.example", "spf": {"terms": [TERM]}}
    spf = record("acme.example", rrset("v=spf1 mx ~all", "other"), rrset(f"v=spf1 mx {TERM} ~all", "other"))
    dmarc = record("_dmarc.acme.example", None, rrset("v=DMARC1; p=quarantine"), "dmarc")
    key = record("s1._domainkey.acme.example", rrset("s1.keys.example"), rrset("s1.keys.example"), "dkim", "CNAME")
    policy = {"path": f"{ROOT}/policies/mta-sts.txt", "domain": "acme.example", "before": None, "after": "0" * 64}
    needs = {"environment": "profit", "state": "present", "dkim": {}, "cnames": [], "senders": []}
    needs["domains"] = {"acme.example": [{"term": TERM, "service": "afas_online"}]}
    changed = {"before_header": "mailroom-profit (application)", "before": {}, "after": {"name": "AFAS Profit"}}
    new = {"before_header": "mailroom-profit (mail)", "before": {}, "after": {"(new)": "mail, until 2027-05-28"}}
    tenant = {"directory_id": "0000-1111", "changed": True, "secret_due": "there is none", "problems": []}
    options = {"environment": "profit", "system": "afas_profit", "transport": "afas_online", "accept_stale": None}
    sign_in = {"tenant_id": "0000-1111", "client_id": "2222", "client_secret": SECRET}
    return {
        "judged": {
            "declarations": {"profit": {"options": options}, "king": {"options": {**options, "environment": "king"}}},
            "tenants": {"0000-1111": {"tenant": sign_in, "environments": [{"environment": "profit"}]}},
        },
        "plan": {
            "domains": [entry],
            "dns": {**DNS},
            "senders": [{"from": address, "environment": "profit"}],
            "names": ["acme.example"],
            "mx_services": [],
            "complete": False,
        },
        "told": {"mail_on_refused": "stop", "mail_dns_resolver": {"zonefiles": [f"{ROOT}/zones"]}},
        "needs": {"profit": needs},
        "refused": {"environments": {}, "domains": {}, "run": [], "dependents": {}},
        "records": {"plan": {"records": [dmarc, spf, key], "files": [policy]}},
        "tenants": [{"asked": ["profit"], "environments": {"profit": tenant}, "diff": [changed, new]}],
        "before": [verdict("profit", address, "fail", "SPF fails")],
        "after": [verdict("profit", address, "pass", "SPF passes for acme.example")],
        "files": {"king": [("settings.yml", None, "format: x\npassword: none\n"), ("sheet.md", "# old", "# new")]},
        "cautions": [Caution("environment", "king", f"king: look at it ({ROOT}/inventory.yml:3)")],
    }


def plan_of(facts: Facts, now: datetime = NOW, root: str = ROOT) -> ChangePlan:
    """The plan of what a run knows."""
    known = copy.deepcopy(facts)
    run = SiteRun(["king", "profit"], known["needs"], known["refused"], True, known["records"], known["tenants"])
    files = {
        host: [FileChange(Path(ROOT) / host / name, before, after) for name, before, after in changes]
        for host, changes in known["files"].items()
    }
    return made_plan(
        PlanFacts(
            now=now,
            valid_days=7,
            judged=known["judged"],
            plan=known["plan"],
            told=known["told"],
            run=run,
            senders=told_senders({"before": known["before"], "after": known["after"]}),
            cautions=known["cautions"],
            files=files,
            root=root,
        )
    )


Edit = Callable[[ChangePlan], ChangePlan]


def written_plan(folder: Path, facts: Facts | None = None, change: Edit | None = None) -> Path:
    """Write a plan that is valid today, and its page.

    :param change: what somebody makes of it before it is written
    """
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    plan = plan_of(facts or small_facts(), now)
    plan = change(plan) if change else plan
    file = folder / "plan.json"
    file.write_bytes(plan_bytes(plan))
    page_file_of(file).write_bytes(plan_page(plan))
    return file


def with_times(made: str, end: str) -> Edit:
    """Give a plan other times, and seal it again."""
    return lambda plan: sealed(replace(plan, made=made, valid_until=end))

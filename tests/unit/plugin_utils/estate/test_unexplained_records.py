# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody can explain is kept by site, whatever else is asked, until somebody takes it out of the list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import EstatePlan, add_up
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.estate.estate_options import ACCOUNT, COMPLETE

NAME = "acme.example"


def items(*whats: str) -> list[dict[str, str]]:
    return [{"what": what, "evidence": "zone acme.example, 2026-11-29"} for what in whats]


def plan(unexplained: Any, **declared: Any) -> EstatePlan:
    domains = {NAME: {"services": [], "unexplained": unexplained, **declared}}
    return add_up([HostNeeds("a", False, None, ACCOUNT, domains)], COMPLETE)


@pytest.mark.parametrize(
    ("record", "whats", "after"),
    [
        ("v=spf1 mx ip4:192.0.2.7 a -all", ["spf IP4:192.0.2.7/32"], "v=spf1 mx ip4:192.0.2.7 -all"),
        ("v=spf1 mx include:x.example -all", ["spf include:X.example.", "spf no term"], None),
        ("v=spf1 mx -all", ["spf ip4:192.0.2.7", "dkim old", "spf +all"], None),
    ],
)
def test_a_term_stays_although_the_record_is_ours_alone(
    tmp_path: Path, record: str, whats: list[str], after: str | None
) -> None:
    zones = ZoneFolder(tmp_path, {NAME: zone_text(NAME, f'@ TXT "{record}"\n@ MX 10 ns1')})
    found = plan(items(*whats), spf={"terms": ["mx"], "exclusive": True})
    assert found.problems == []
    order = read_order({"domains": found.domains, "dns": zones.dns_option})
    (outcome,) = Run(order, zones.resolver_option).execute(False)
    assert outcome.steps[0].plan.after == (after or record)


def test_only_listing_something_asks_nothing_of_site() -> None:
    found = plan(items("spf include:x.example", "dkim old", "mx mx.example", "mta_sts v=STSv1; id=1"))
    assert (found.problems, found.domains) == ([], [])


@pytest.mark.parametrize(
    ("whats", "declared", "key"),
    [
        (["spf mx"], {"spf": {"state": "absent"}}, "spf.state"),
        (["spf ip4:192.0.2.7"], {"spf": {"absent_terms": ["ip4:192.0.2.7/32"]}}, "spf.absent_terms"),
        (["dkim old"], {"dkim": [{"selector": "OLD", "state": "absent"}]}, "dkim"),
        (["dmarc x=y"], {"dmarc": {"policy": "none", "exclusive": True}}, "dmarc"),
        (["dmarc x=y"], {"dmarc": {"state": "absent"}}, "dmarc"),
        (["mta_sts v=STSv1; id=1"], {"mta_sts": {"mode": "none", "policy_dir": "/x"}}, "mta_sts"),
        (["mx mx.example"], {"null_mx": {}}, "null_mx"),
        (["spf mx"], {"parked": True, "services": []}, f"{NAME}.unexplained"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_nothing_that_is_listed_is_taken_away(whats: list[str], declared: dict[str, Any], key: str) -> None:
    (problem,) = plan(items(*whats), **declared).problems
    assert str(problem).startswith(f"{NAME}: mail_dns_domains.{key}")


@pytest.mark.parametrize(
    "wrong",
    ["spf mx", [1], ["spf mx"], [{"what": "spf mx"}], items("spf"), items("nonsense x"), items("spf "), {"what": "x"}],
    ids=str,
)
def test_what_has_not_the_shape_is_refused(wrong: Any) -> None:
    (problem,) = plan(wrong).problems
    assert "it is a list of {what, evidence}" in str(problem)

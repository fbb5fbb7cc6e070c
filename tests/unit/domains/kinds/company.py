# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A company whose zones are master files, and whose policy files are in a folder: what the tests of kinds run on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import RRset
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.domains.zone_records import DomainOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones


class Company(OurZones):
    """The zone acme.example, the zones of others, and a folder for policies."""

    def __init__(self, tmp_path: Path, world: Mapping[str, str]) -> None:
        """:param world: zones of others, by their apex, as master files"""
        super().__init__(tmp_path, world)
        self.policies = tmp_path / "policies"
        self.live()

    def run_all(self, *domains: Any, write: bool = True, seen: bool = True, **params: Any) -> list[DomainOutcome]:
        """:param seen: False: the resolver cannot look our zones up"""
        resolver = self.resolver_option if seen else self.world.resolver_option
        order = read_order({"dns": self.ours.dns_option, "domains": list(domains), **params})
        return Run(order, resolver).execute(write)

    def run(self, write: bool = True, domain: str = "acme.example", seen: bool = True, **kinds: Any) -> DomainOutcome:
        (outcome,) = self.run_all({"domain": domain, **kinds}, write=write, seen=seen)
        return outcome

    def rrset(self, name: str, rdtype: str = "TXT", zone: str = "acme.example") -> RRset | None:
        state = ZonefileProvider(self.ours.dns_option).read(zone, [(name, rdtype)])
        return state.rrsets.get((name, rdtype))

    def read_lines(self) -> list[str]:
        """The lines of our zone that a run has added."""
        return [line for line in self.ours.file("acme.example").read_text().splitlines() if " MX " not in line][4:]

    def files(self) -> dict[str, bytes]:
        """All that a run could write: zones, policies, and what is left of temporary files."""
        files = (path for folder in (self.ours.folder, self.policies) for path in folder.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    def selector(self, selector: str = "s1", **options: Any) -> DomainOutcome:
        return self.run(dkim=[{"selector": selector, **options}])

    def problems(self, *domains: object, **params: Any) -> list[Problem]:
        """What refuses a run; nothing has been written then."""
        before = self.files()
        with pytest.raises(Refused) as caught:
            self.run_all(*domains, **params)
        assert self.files() == before
        return caught.value.problems

    def refusal(self, **kinds: Any) -> str:
        return "\n".join(map(str, self.problems({"domain": "acme.example", **kinds})))


def check_problem(
    problem: Problem, subject: str, where: str, value: str | None, rule: str, source: str, way_out: str
) -> None:
    """See that an error names the five things, and the way out.

    :param rule: a part of it, as ``source`` and ``way_out`` are
    """
    assert (problem.subject, problem.where, problem.value) == (subject, where, value)
    assert rule in problem.rule, problem
    assert source in problem.source, problem
    assert way_out in str(problem.way_out), problem

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

HEAD = """$TTL 3600
@ IN SOA ns1.{zone}. hostmaster.{zone}. 1 7200 900 1209600 300
@ IN NS ns1.{zone}.
ns1 IN A 192.0.2.53
"""


class Company:
    """Our zones in one folder, those of others in another; both are what the resolver sees."""

    def __init__(self, tmp_path: Path, world: Mapping[str, str]) -> None:
        """:param world: zones of others, by their apex, as the records in them"""
        self.ours, self.world, self.policies = (tmp_path / name for name in ("ours", "world", "policies"))
        for folder, zones in ((self.ours, {"acme.example": ""}), (self.world, world)):
            folder.mkdir()
            for zone, records in zones.items():
                (folder / f"{zone}.zone").write_text(HEAD.format(zone=zone) + records)

    def zone(self, *records: str, zone: str = "acme.example") -> Path:
        path = self.ours / f"{zone}.zone"
        path.write_text(HEAD.format(zone=zone) + "\n".join(records) + "\n")
        return path

    def run_all(self, *domains: object, write: bool = True, seen: bool = True, **params: Any) -> list[DomainOutcome]:
        """:param seen: False: the resolver cannot look our zones up"""
        order = read_order({"dns": {"provider": "zonefile", "path": str(self.ours)}, "domains": domains, **params})
        folders = [self.ours, self.world] if seen else [self.world]
        return Run(order, {"zonefiles": [str(folder) for folder in folders]}).execute(write)

    def run(self, write: bool = True, domain: str = "acme.example", seen: bool = True, **kinds: Any) -> DomainOutcome:
        (outcome,) = self.run_all({"domain": domain, **kinds}, write=write, seen=seen)
        return outcome

    def rrset(self, name: str, rdtype: str = "TXT", zone: str = "acme.example") -> RRset | None:
        state = ZonefileProvider({"path": str(self.ours)}).read(zone, [(name, rdtype)])
        return state.rrsets.get((name, rdtype))

    def read(self, name: str, rdtype: str = "TXT", zone: str = "acme.example") -> list[str]:
        rrset = self.rrset(name, rdtype, zone)
        return sorted(rrset.values) if rrset else []

    def read_lines(self) -> list[str]:
        """The lines of our zone that a run has added."""
        return [line for line in (self.ours / "acme.example.zone").read_text().splitlines() if " MX " not in line][4:]

    def files(self) -> dict[str, bytes]:
        """All that a run could write: zones, policies, and what is left of temporary files."""
        files = (path for folder in (self.ours, self.policies) for path in folder.rglob("*") if path.is_file())
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
    assert way_out in problem.way_out, problem

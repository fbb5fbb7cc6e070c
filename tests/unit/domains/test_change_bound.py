# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much one run may change is seen before its first write, and the way out is an exact number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.change_bound import ChangeBound, beyond_bound
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import inventory_option
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones

TERM = "ip4:192.0.2.9"
NAMES = [f"d{number:02}.example" for number in range(12)]


@pytest.fixture
def zones(tmp_path: Path) -> OurZones:
    """Twelve domains, nine of which have the term."""
    found = OurZones(tmp_path)
    for number, name in enumerate(NAMES):
        found.zone(name, f'@ IN TXT "v=spf1 {f"{TERM} " if number >= 3 else ""}-all"')
    return found


def executed(zones: OurZones, names: list[str], write: bool = True, **params: Any) -> int:
    """How many domains changed."""
    spf = {"terms": [TERM]}
    outcomes = zones.planned([{"domain": name, "spf": spf} for name in names], **params).execute(write)
    return sum(outcome.changed for outcome in outcomes)


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("bound", [{"rrsets": 2}, {"share": 0.2}, {"rrsets": 9, "share": 0.24}, {"rrsets": 0}])
def test_more_than_that_is_refused_as_a_whole_in_check_mode_too(
    zones: OurZones, bound: dict[str, Any], write: bool
) -> None:
    told = str(zones.refused(lambda: executed(zones, NAMES, write, max_changes=bound)))
    assert "this run would change 3 RRsets of 3 of its 12 domains (d00.example, d01.example, d02.example)" in told
    assert "give `accept_changes: 3`" in told or "accept_changes: 3" in told


@pytest.mark.parametrize("bound", [{"rrsets": 3}, {"share": 0.25}, {}, {"rrsets": None, "share": 1}])
def test_as_much_as_that_is_done(zones: OurZones, bound: dict[str, Any]) -> None:
    assert executed(zones, NAMES, max_changes=bound) == 3
    assert executed(zones, NAMES, max_changes={"rrsets": 0}) == 0, "a second run changes nothing"


def test_a_share_is_not_asked_of_few_domains(zones: OurZones) -> None:
    assert executed(zones, NAMES[:9], max_changes={"share": 0}) == 3


@pytest.mark.parametrize("number", [2, 4, 0])
def test_only_the_exact_number_is_accepted(zones: OurZones, number: int) -> None:
    zones.refused(lambda: executed(zones, NAMES, max_changes={"rrsets": 1}, accept_changes=number))
    assert executed(zones, NAMES, max_changes={"rrsets": 1}, accept_changes=3) == 3


@pytest.mark.parametrize("on_refused", ["skip", "hold"])
def test_what_is_left_out_does_not_count_and_the_bound_holds_for_the_rest(zones: OurZones, on_refused: str) -> None:
    zones.zone(NAMES[0], '@ IN TXT "v=spf1 -all"', '@ IN TXT "v=spf1 a -all"')
    assert executed(zones, NAMES, False, max_changes={"rrsets": 2}, on_refused=on_refused) == 2
    zones.refused(lambda: executed(zones, NAMES, max_changes={"rrsets": 1}, on_refused=on_refused))


@pytest.mark.parametrize(
    ("rrsets", "changing", "domains", "told"),
    [
        (1, 1, 1, "1 RRset of its only domain (d00.example)"),
        (2, 1, 1, "2 RRsets of its only domain (d00.example)"),
        (1, 1, 2, "1 RRset of 1 of its 2 domains (d00.example)"),
        (2, 2, 2, "2 RRsets of all its 2 domains (d00.example, d01.example)"),
        (11, 11, 12, f"11 RRsets of 11 of its 12 domains ({', '.join(NAMES[:10])} and 1 other)"),
        (12, 12, 12, f"12 RRsets of all its 12 domains ({', '.join(NAMES[:10])} and 2 others)"),
    ],
)
def test_how_much_is_told_as_a_person_says_it(rrsets: int, changing: int, domains: int, told: str) -> None:
    (problem,) = beyond_bound(ChangeBound(rrsets=0), rrsets, NAMES[:changing], domains)
    assert problem.rule == f"this run would change {told}"


@pytest.mark.parametrize(("share", "most"), [(0.29, 29), (0.07, 7), (0.57, 57), (1.0, 100), (0.0, 0), (1e-05, 0)])
def test_a_share_is_the_number_that_was_written(share: float, most: int) -> None:
    names = [f"d{number}.example" for number in range(101)]
    assert beyond_bound(ChangeBound(share=share), 1, names[:most], 100) == []
    assert len(beyond_bound(ChangeBound(share=share), 1, names[: most + 1], 100)) == 1


@pytest.mark.parametrize("bound", [{"rrsets": -1}, {"share": 1.5}, {"share": -0.1}])
def test_a_bound_that_is_none_is_refused(zones: OurZones, bound: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"max_changes\.(rrsets|share)"):
        executed(zones, NAMES, max_changes=bound)


def test_an_inventory_reads_its_own_names() -> None:
    assert inventory_option("run", "accept_changes: 3") == "mail_accept_changes: 3"
    assert inventory_option("run", "max_changes.rrsets") == "mail_max_changes.rrsets"

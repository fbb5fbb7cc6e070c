# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every question about the world that a planned write asks, one at a time, without an answer: what is refused with the
answer is never written without it, and what is written is the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns import resolver
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD
from ansible_collections.mailroom.erp.tests.unit.domains.kinds.company import Company

Question = tuple[str, str]

ELEVEN = " ".join(f"a:h{number}.service.example" for number in range(11))
WORLD = {
    "service.example": zone_text(
        "service.example",
        "\n".join(
            [
                'spf IN TXT "v=spf1 include:deep.service.example ip4:203.0.113.0/24 -all"',
                'deep IN TXT "v=spf1 ip4:198.51.100.0/24 -all"',
                f'wide IN TXT "v=spf1 {ELEVEN} -all"',
                *(f"h{number} IN A 203.0.113.{number + 1}" for number in range(11)),
                f'key IN TXT "{ED25519_RECORD}"',
                'nokey IN TXT "note"',
                'acme.example._report._dmarc IN TXT "v=DMARC1"',
                'sts IN TXT "v=STSv1; id=1;"',
                'tls IN TXT "v=TLSRPTv1; rua=mailto:tls@service.example"',
            ]
        ),
    )
}
LIVE = (
    '@ IN TXT "v=spf1 ip4:192.0.2.10 include:spf.service.example ~all"',
    '_dmarc IN TXT "v=DMARC1; p=none"',
    "@ IN MX 10 mx1",
    "mx1 IN A 192.0.2.25",
)
ERP = {
    "from": "erp@acme.example",
    "envelope_domain": "acme.example",
    "sources": ["192.0.2.10"],
    "dkim": {"domain": "acme.example", "selectors": ["s9"]},
}
STRANGER = {**ERP, "sources": ["192.0.2.99"], "dkim": {"domain": "acme.example", "selectors": []}}
SEEN = {"accept_unseen_senders": True, "accept_lost_forwarded_mail": True}
REPORT = {"rua": ["dmarc@service.example"]}
KEY = {"selector": "s1", "target": "key.service.example", "validate": "require"}

WISHES: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "spf": ({"spf": {"terms": ["include:deep.service.example"]}}, ERP),
    "spf with too many lookups": ({"spf": {"terms": ["include:wide.service.example"]}}, None),
    "spf flattened": ({"spf": {"flatten": ["spf.service.example"]}}, ERP),
    "spf that loses a sender": ({"spf": {"terms": ["ip4:192.0.2.10"], "state": "absent"}}, ERP),
    "dkim": ({"dkim": [KEY]}, None),
    "dkim without a key": ({"dkim": [{**KEY, "target": "nokey.service.example"}]}, None),
    "dmarc": ({"dmarc": {"policy": "reject", **SEEN, **REPORT}}, ERP),
    "dmarc that harms a sender": ({"dmarc": {"policy": "reject", **SEEN}}, STRANGER),
    "dmarc to whom nobody agreed": ({"dmarc": {"policy": "none", "rua": ["x@spf.service.example"]}}, None),
    "mta-sts": ({"mta_sts": {"mode": "testing"}}, None),
    "mta-sts for other hosts": ({"mta_sts": {"mode": "enforce", "mx": ["mx9.acme.example"]}}, None),
    "tls-rpt": ({"tls_rpt": {"rua": ["tls@service.example"]}}, None),
    "null mx": ({"null_mx": {}}, None),
    "null mx with its sender": ({"null_mx": {}, "spf": {"all": "-all", "exclusive": True}}, ERP),
    "mta-sts that goes": ({"mta_sts": {"state": "absent"}}, None),
    "mta-sts that another holds": ({"mta_sts": {"mode": "testing"}}, None),
    "tls-rpt that goes": ({"tls_rpt": {"state": "absent"}}, None),
    "tls-rpt that another holds": ({"tls_rpt": {"rua": ["tls@service.example"]}}, None),
    "tls-rpt to somebody else": ({"tls_rpt": {"rua": ["mailto:tls@acme.example"], "exclusive": True}}, None),
    "null mx that goes": ({"null_mx": {"state": "absent"}}, ERP),
}
STANDING = {
    "mta-sts that goes": ['_mta-sts IN TXT "v=STSv1; id=1;"'],
    "mta-sts that another holds": ["_mta-sts IN CNAME sts.service.example."],
    "tls-rpt that goes": ['_smtp._tls IN TXT "v=TLSRPTv1; rua=mailto:tls@acme.example"'],
    "tls-rpt that another holds": ["_smtp._tls IN CNAME tls.service.example."],
    "tls-rpt to somebody else": ['_smtp._tls IN TXT "v=TLSRPTv1; rua=mailto:tls@service.example"'],
}
"""What stands in the zone beside LIVE, by wish."""


@dataclass
class FaultyWorld:
    """Loses the answer to one question, or gives another one; notes all that are asked."""

    lost: Question | None = None
    empty: bool = False
    asked: dict[Question, None] = field(default_factory=dict)

    @contextmanager
    def between(self) -> Iterator[None]:
        find = resolver._Live._find

        def faulty(live: Any, name: str, rdtype: str) -> Any:
            self.asked[name, rdtype] = None
            if (name, rdtype) != self.lost:
                return find(live, name, rdtype)
            if self.empty:
                return resolver.Resolved((), exists=False)
            raise resolver.ResolveError(f"{name} {rdtype}: SERVFAIL")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(resolver._Live, "_find", faulty)
            yield


def _live(wish: str) -> list[str]:
    gone = "@ IN MX 10 mx1"
    live = ["@ IN MX 0 ." if line == gone and wish == "null mx that goes" else line for line in LIVE]
    return [*live, *STANDING.get(wish, [])]


def outcome(company: Company, wish: str, world: FaultyWorld) -> list[Any] | None:
    """What would be written; None when the run is refused."""
    kinds, sender = WISHES[wish]
    kinds = {name: dict(value) if isinstance(value, dict) else value for name, value in kinds.items()}
    if "mta_sts" in kinds:
        kinds["mta_sts"]["policy_dir"] = str(company.policies)
    senders = [sender] if sender else []
    with world.between():
        try:
            (done,) = company.run_all({"domain": "acme.example", **kinds}, write=False, senders=senders)
        except Refused:
            return None
    return [(step.change, step.file_change) for step in done.steps]


@pytest.mark.parametrize("wish", WISHES)
def test_a_lost_answer_never_lets_through_what_is_refused(tmp_path: Path, wish: str) -> None:
    """Unless the record that it asks for need not exist: then an empty answer lets it through, too."""
    company = Company(tmp_path, WORLD)
    company.live(*_live(wish))
    whole = FaultyWorld()
    wanted = outcome(company, wish, whole)
    for question in whole.asked:
        found = outcome(company, wish, FaultyWorld(question))
        if found is None:
            continue
        if wanted is None:
            assert outcome(company, wish, FaultyWorld(question, empty=True)) is not None, question
        else:
            assert found == wanted, question


def test_the_wishes_are_of_both_kinds(tmp_path: Path) -> None:
    company = Company(tmp_path, WORLD)
    worlds = {wish: FaultyWorld() for wish in WISHES}
    refused = []
    for wish, world in worlds.items():
        company.live(*_live(wish))
        refused += [wish] if outcome(company, wish, world) is None else []
    assert [wish for wish, world in worlds.items() if not world.asked] == ["null mx"], "nothing of the world"
    assert len(refused) >= 5 and len(WISHES) - len(refused) >= 6, refused

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that are odd, and a user's tasks: what is written is what receivers read, and both readers say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import encoded_key
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SENDER = {"from": "erp@acme.example", "envelope_from": "erp@acme.example", "sources": ["192.0.2.1"]}


def zones(tmp_path: Path, *records: str) -> ZoneFolder:
    """The zone acme.example with these lines, the zone above it, and a zone of others."""
    text = zone_text("acme.example", "\n".join(["@ IN MX 10 ns1", *records]))
    others = {name: zone_text(name) for name in ("example", "elsewhere.example")}
    return ZoneFolder(tmp_path / "zones", {"acme.example": text, **others})


def done(tmp_path: Path, folder: ZoneFolder, module: str, *args: str, **options: Any) -> Result:
    """What one task with a module that writes acme.example comes to; it shows its result."""
    shared = {"domain": "acme.example", "dns": folder.dns_option, "resolver": folder.resolver_option}
    return run_play(tmp_path, [module_task(module, **shared, **options)], "--diff", "-v", *args)


def audited(tmp_path: Path, folder: ZoneFolder, *, selectors: tuple[str, ...] = ()) -> str:
    """What an audit of acme.example and the verdict of its sender say, in one line."""
    task = module_task(
        "mail_auth_info",
        domains=[{"domain": "acme.example", "selectors": list(selectors)}],
        senders=[SENDER],
        resolver=folder.resolver_option,
    )
    result = run_play(tmp_path, [task], "-v")
    assert result.rc == 0, result.output
    return result.flat


def test_a_policy_in_capitals_is_changed_in_its_place(tmp_path: Path) -> None:
    folder = zones(
        tmp_path,
        '@ IN TXT "v=spf1 ip4:192.0.2.1 -all"',
        '_dmarc IN TXT "v=DMARC1; P=reject; rua=mailto:d@acme.example"',
    )
    first = done(tmp_path, folder, "dmarc_record", policy="quarantine")
    assert (first.rc, first.changed) == (0, 1), first.output
    assert folder.values("_dmarc.acme.example", "TXT") == ['"v=DMARC1; p=quarantine; rua=mailto:d@acme.example"']
    assert done(tmp_path, folder, "dmarc_record", policy="quarantine").changed == 0
    said = audited(tmp_path, folder)
    assert '"policy": "quarantine"' in said and "is void" not in said and '"faults": 0' in said


def test_a_record_that_is_nearly_one_is_named_and_waits_for_the_user(tmp_path: Path) -> None:
    folder = zones(tmp_path, "@ IN TXT v=spf1 mx -all", '_dmarc IN TXT "v=DMARC1 p=reject"')
    said = audited(tmp_path, folder)
    assert "it looks meant as SPF, but receivers ignore it because no space stands behind v=spf1" in said
    assert "it looks meant as DMARC, but receivers ignore it because no semicolon stands behind v=DMARC1" in said
    refused = done(tmp_path, folder, "spf_record", terms=["mx"])
    assert refused.rc != 0 and "near_miss: replace" in refused.flat
    assert folder.values("acme.example", "TXT") == ['"v=spf1" "mx" "-all"']
    replaced = done(tmp_path, folder, "spf_record", terms=["mx"], near_miss="replace")
    assert (replaced.rc, replaced.changed) == (0, 1), replaced.output
    assert "-TTL" in replaced.output and "v=spf1mx-all" in replaced.output
    assert folder.values("acme.example", "TXT") == ['"v=spf1 mx ~all"']


def test_a_key_is_published_as_receivers_read_it(tmp_path: Path) -> None:
    folder = zones(tmp_path, '@ IN TXT "v=spf1 ip4:192.0.2.1 -all"')
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    first = done(tmp_path, folder, "dkim_record", selector="own", public_key=pem)
    assert (first.rc, first.changed) == (0, 1), first.output
    (record,) = folder.values("own._domainkey.acme.example", "TXT")
    assert record.replace('" "', "") == f'"v=DKIM1; k=rsa; p={encoded_key(public)}"'
    said = audited(tmp_path, folder, selectors=("own",))
    assert '"usable": true' in said and "PKCS#1" not in said


def test_yes_is_no_number_of_seconds(tmp_path: Path) -> None:
    folder = zones(tmp_path)
    resolver = {**folder.resolver_option, "timeout": True}
    shared = {"dns": folder.dns_option, "resolver": resolver, "spf": {"terms": ["mx"]}}
    task = module_task("mail_domains", domains=[{"domain": "acme.example", "ttl": True}], **shared)
    before = folder.contents()
    refused = run_play(tmp_path, [task])
    assert refused.rc != 0 and folder.contents() == before
    said = refused.flat.replace("\\", "")
    assert 'acme.example: ttl "yes": it is no number' in said and 'task: resolver.timeout "yes"' in said


def test_addresses_for_reports_are_written_so_that_receivers_use_them(tmp_path: Path) -> None:
    odd = "v=DMARC1; p=none;; rua=d@acme.example,https://r.elsewhere.example/d"
    folder = zones(tmp_path, '@ IN TXT "v=spf1 ip4:192.0.2.1 -all"', f'_dmarc IN TXT "{odd}"')
    said = audited(tmp_path, folder)
    assert "a mail address stands behind mailto:" in said and "_report" not in said
    mended = done(tmp_path, folder, "dmarc_record", policy="quarantine", rua=["d@acme.example"])
    assert (mended.rc, mended.changed) == (0, 1), mended.output
    (record,) = folder.values("_dmarc.acme.example", "TXT")
    assert record == '"v=DMARC1; p=quarantine; rua=mailto:d@acme.example,https://r.elsewhere.example/d"'


@pytest.mark.parametrize("double", ["p=quarantine; P=reject", "p=quarantine; new=1; new=2"])
def test_a_doubled_tag_is_a_fault_that_the_run_mends(tmp_path: Path, double: str) -> None:
    folder = zones(
        tmp_path,
        '@ IN TXT "v=spf1 ip4:192.0.2.1 -all"',
        f'_dmarc IN TXT "v=DMARC1; {double}; rua=mailto:d@acme.example"',
    )
    assert "stands 2 times" in audited(tmp_path, folder)
    mended = done(tmp_path, folder, "dmarc_record", policy="quarantine")
    assert (mended.rc, mended.changed) == (0, 1), mended.output
    (record,) = folder.values("_dmarc.acme.example", "TXT")
    assert record.count("p=") == 1 and record.count("new=") <= 1
    said = audited(tmp_path, folder)
    assert "stands 2 times" not in said and '"policy": "quarantine"' in said
    assert done(tmp_path, folder, "dmarc_record", policy="quarantine").changed == 0

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flattened includes in a user's playbook, on a real BIND 9: check, diff, second run, way back, and the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, Result, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

ZONE = "acme.example"
MANY = " ".join(f"ip4:10.{number}.0.1" for number in range(60))
WORLD = {
    "service.example": zone_text(
        "service.example",
        f'spf TXT "v=spf1 ip4:192.0.2.1 ip4:198.51.100.0/24 -all"\nlarge TXT {txt.encode(f"v=spf1 {MANY} -all")}',
    ),
    ZONE: zone_text(ZONE, '@ 600 TXT "v=spf1 mx ?include:spf.service.example ~all"\n@ MX 10 ns1'),
}


def play(tmp_path: Path, module: str, options: dict[str, Any], *arguments: str) -> Result:
    return run_play(tmp_path, [module_task(module, **options), SHOW], *arguments)


def test_includes_are_flattened_by_a_playbook(tmp_path: Path) -> None:
    with Bind(WORLD) as server:
        services = {"dns": server.dns_option, "resolver": server.resolver_option}
        wish = {
            **services,
            "domain": ZONE,
            "terms": ["include:large.service.example"],
            "flatten": ["spf.service.example", "large.service.example"],
        }
        check = play(tmp_path, "spf_record", wish, "--check", "--diff")
        assert (check.rc, check.changed, server.serial(ZONE)) == (0, 1, 1), check.output
        first = play(tmp_path, "spf_record", wish, "--diff")
        assert (first.rc, first.changed, server.serial(ZONE)) == (0, 1, 2), first.output
        assert check.diff == first.diff
        assert len([line for line in first.diff if line.startswith("+TTL")]) == 4
        (record,) = server.values(ZONE, "TXT")
        assert record.startswith('"v=spf1 mx ?ip4:192.0.2.1 ?ip4:198.51.100.0/24 flattened=spf.service.example/')
        assert "include:_spf1.acme.example flattened=large.service.example/" in record.replace('" "', "")
        assert server.values("_spf3.acme.example", "TXT") and not server.values("_spf4.acme.example", "TXT")
        again = play(tmp_path, "spf_record", wish, "--diff")
        assert (again.rc, again.changed, again.diff) == (0, 0, [])
        audit = play(tmp_path, "mail_auth_info", {"domains": [ZONE], "resolver": server.resolver_option})
        assert audit.rc == 0 and '"include": "large.service.example"' in audit.output, audit.output
        (snapshot,) = (tmp_path / ".state").glob("**/*.yml")
        back = play(tmp_path, "mail_records_restore", {"dns": server.dns_option, "snapshot": str(snapshot)})
        assert (back.rc, back.changed) == (0, 1), back.output
        assert server.values(ZONE, "TXT") == ['"v=spf1 mx ?include:spf.service.example ~all"']
        assert server.values("_spf1.acme.example", "TXT") == []

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mail_adopt_info tells the same as one text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.running import module_launcher
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder


def told(zones: ZoneFolder, domains: list[str], **options: Any) -> dict[str, Any]:
    arguments = {"domains": domains, "dns": zones.dns_option, "resolver": zones.resolver_option, **options}
    given = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
    command = [sys.executable, "-P", str(module_launcher.__file__), "mail_adopt_info"]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return {name: value for name, value in result.items() if name not in ("invocation", "changed")}


def test_a_text_holds_what_the_result_would(tmp_path: Path) -> None:
    texts = odd_zones(40)
    zones = ZoneFolder(tmp_path / "zones", texts)
    whole, text = told(zones, list(texts)), told(zones, list(texts), as_text=True)
    assert sorted(whole) == ["domains", "included"] and len(whole["domains"]) == 40
    assert sorted(text) == ["text"] and json.loads(text["text"]) == whole

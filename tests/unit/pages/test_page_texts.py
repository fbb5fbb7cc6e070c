# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and settings that pages show: they are what comes out, or what their readers read."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.tools.inventory_schema import FILE
from ansible_collections.mailroom.erp.tests.tools.page_blocks import REPOSITORY, Block, blocks
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones
from jsonschema import Draft7Validator


def shown(page: str, begins: str) -> Block:
    (found,) = [one for one in blocks() if one.page == page and one.text.startswith(begins)]
    return found


def test_the_flattened_record_of_flatten_md(tmp_path: Path) -> None:
    before, after = shown("docs/flatten.md", "v=spf1").text.splitlines()
    service = 'spf TXT "v=spf1 ip4:192.0.2.1 ip4:198.51.100.0/24 ~all"'
    zones = OurZones(tmp_path, {"service.example": zone_text("service.example", service)})
    zones.live(f'@ TXT "{before}"', "@ MX 10 ns1")
    spf = {"flatten": ["spf.service.example"], "flatten_refresh": 7}
    zones.planned(["acme.example"], spf=spf).execute(write=True)
    # the day of the look-up, and the sum over what was looked up
    stamp = re.compile(r"/\d{4}-\d\d-\d\d/7/2/[0-9a-f]{8} ")
    (made,) = zones.read("acme.example")
    assert stamp.sub(" ", made) == stamp.sub(" ", after) and stamp.search(made)


def test_the_settings_of_an_editor_in_inventory_md() -> None:
    (files,) = json.loads(shown("docs/inventory.md", "{\n").text)["yaml.schemas"].items()
    assert (REPOSITORY / files[0].partition(".../")[2]).is_file()
    assert {pattern.rpartition("/")[2] for pattern in files[1]} == {"*.yml"}


def test_the_copy_of_the_schema_in_inventory_md_takes_services_of_ones_own(tmp_path: Path) -> None:
    installed = tmp_path / ".ansible/collections/ansible_collections/mailroom/erp"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(REPOSITORY)
    command = shown("docs/inventory.md", "schema=").text
    subprocess.run(
        ["bash", "-e"], input=command, text=True, check=True, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}
    )
    validators = [
        Draft7Validator(json.loads(file.read_text(encoding="utf-8")))
        for file in (FILE, tmp_path / "inventory-schema.json")
    ]
    own = {"mail_dns_domains": {"acme.example": {"services": ["mailer", "ziggo"]}}}
    relay = {"erp_mail_system": "king_erp", "erp_mail_transport": "smtp_basic", "erp_mail_service": "acme_shop"}
    for right in (own, relay):
        assert [one.is_valid(right) for one in validators] == [False, True]
    wrong = {"erp_mail_system": "afas_profit", "erp_mail_transport": "afas_online", "erp_mail_service": "mailer"}
    assert not validators[1].is_valid(wrong) and not validators[1].is_valid({"erp_mail_service": "mialer"})


def test_the_pipeline_of_plan_md_runs_playbooks_that_exist() -> None:
    jobs = shown("docs/plan.md", "# .gitlab-ci.yml").value
    commands = [line for job in jobs.values() for line in job["script"]]
    playbooks = [name for line in commands for name in re.findall(r" mailroom\.erp\.(\w+)", line)]
    assert playbooks == ["site", "apply"]
    assert all((REPOSITORY / "playbooks" / f"{name}.yml").is_file() for name in playbooks)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders that people copy: each runs from an empty folder, with the collection from its tarball."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.artifact import REPOSITORY, Installed, changed, run_clean
from ansible_collections.mailroom.erp.tests.integration.playbook import own_program

EXAMPLES = REPOSITORY / "examples"


def copied(name: str, installed: Installed, tmp_path: Path) -> Path:
    """A copy of an example beside the collection, installed where the example's ansible.cfg looks for it."""
    folder = Path(shutil.copytree(EXAMPLES / name, tmp_path / name))
    (folder / "collections").symlink_to(installed.collections)
    return folder


def played(folder: Path, playbook: str, *arguments: str) -> str:
    """Run a playbook on copies of zone files, as the example's README says; returns what was printed."""
    program = own_program("ansible-playbook")
    return run_clean([program, f"mailroom.erp.{playbook}", "-e", "@vars/zone_files.yml", *arguments], folder)


def test_the_company_is_planned_and_applied(installed: Installed, tmp_path: Path) -> None:
    company = copied("company", installed, tmp_path)
    ground = company / "build" / "molecule"
    for part in ("zones", "internet"):
        shutil.copytree(company / "molecule" / "default" / part, ground / part)
    zone = ground / "zones" / "acme.example.zone"
    before = zone.read_bytes()

    planned = played(company, "site", "-e", "mail_plan=plan")
    assert "5 senders: 5 pass, 0 fail, 0 unknown" in planned
    assert "afas1._domainkey.acme.example" in (company / "plan" / "plan.md").read_text(encoding="utf-8")
    assert zone.read_bytes() == before
    applied = played(company, "apply", "-e", "mail_plan=plan")
    assert set(changed(applied).values()) == {1}
    assert b"include:spf.afas.online" in zone.read_bytes()
    assert set(changed(played(company, "site")).values()) == {0}


@pytest.mark.slow
def test_the_test_of_the_company_needs_no_secret(installed: Installed, tmp_path: Path) -> None:
    company = copied("company", installed, tmp_path)
    (company / "vault-password").unlink()
    run_clean([own_program("molecule"), "test"], company)


@pytest.mark.parametrize("schema", ["github-workflows", "gitlab-ci"])
def test_the_pipelines_are_what_their_service_reads(schema: str, tmp_path: Path) -> None:
    files = sorted(EXAMPLES.glob(f"*/workflows/{schema.partition('-')[0]}.yml"))
    assert files
    check = [own_program("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    assert "ok" in run_clean(check, tmp_path)

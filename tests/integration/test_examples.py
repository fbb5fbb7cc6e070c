# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders that people copy: each runs from an empty folder, with the collection from its tarball."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.artifact import REPOSITORY, Installed, changed, run_clean
from ansible_collections.mailroom.erp.tests.integration.playbook import own_program
from ansible_collections.mailroom.erp.tests.servers.entra.demo import tenant_in
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer

EXAMPLES = REPOSITORY / "examples"
HOSTS = ("acme_profit", "acme_payroll", "jansen_bakery")
"""The environments of the provider's customers."""
APPLICATION = "mailroom-acme_payroll"


def copied(name: str, installed: Installed, tmp_path: Path) -> Path:
    """A copy of an example out of the installed collection, which lies where the example's ansible.cfg looks for it."""
    examples = installed.collections / "ansible_collections" / "mailroom" / "erp" / "examples"
    folder = Path(shutil.copytree(examples / name, tmp_path / name))
    (folder / "collections").symlink_to(installed.collections)
    return folder


def played(folder: Path, playbook: str, *arguments: str) -> str:
    """Run a playbook on copies of zone files, as the example's README says; returns what was printed."""
    program = own_program("ansible-playbook")
    return run_clean([program, f"mailroom.erp.{playbook}", "-e", "@vars/zone_files.yml", *arguments], folder)


def provider_on_zone_files(installed: Installed, tmp_path: Path) -> Path:
    """A copy of the provider's example, with its first copies of the zone files."""
    provider = copied("provider", installed, tmp_path)
    shutil.copytree(provider / "zone_files", provider / "build")
    return provider


def zones(provider: Path) -> dict[str, str]:
    """What stands in the zone files, by their names."""
    return {path.name: path.read_text(encoding="utf-8") for path in (provider / "build" / "zones").glob("[!.]*.zone")}


@contextmanager
def in_a_test_tenant(provider: Path) -> Iterator[EntraServer]:
    """The customer's tenant is one on this machine; only how to sign in stands elsewhere."""
    declared = provider / "inventory" / "group_vars" / "acme" / "tenant.yml"
    variables = yaml.safe_load(declared.read_text(encoding="utf-8"))
    with tenant_in(provider / "tenant") as server:
        tenant = json.loads((provider / "tenant" / "tenant.json").read_text(encoding="utf-8"))
        declared.write_text(yaml.safe_dump({**variables, "mail_entra_tenant": tenant}), encoding="utf-8")
        yield server


def with_accounts_that_may_write(provider: Path) -> list[str]:
    """The second vault of the README, which the plan does not see; returns the arguments that open it."""
    (provider / "apply-password").write_text("one-more-that-everybody-knows\n", encoding="utf-8")
    (provider / "apply.yml").write_text("vault_acme_dns_key: c29tZSBvdGhlciBrZXk=\n", encoding="utf-8")
    opened = ["--vault-id", "apply@apply-password"]
    encrypt = ["encrypt", *opened, "--encrypt-vault-id", "apply", "apply.yml"]
    run_clean([own_program("ansible-vault"), *encrypt], provider)
    return ["-e", "@apply.yml", *opened]


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


def test_a_run_for_one_customer_leaves_the_others_alone(installed: Installed, tmp_path: Path) -> None:
    provider = provider_on_zone_files(installed, tmp_path)
    before = zones(provider)
    ran = played(provider, "site", "--limit", "jansen")
    assert changed(ran) == {"jansen_bakery": 1}
    after = zones(provider)
    assert "ip4:198.51.100.40" in after.pop("jansen-bakery.example.zone")
    assert after.items() <= before.items()


@pytest.mark.slow
def test_all_customers_are_checked_planned_applied_and_verified(installed: Installed, tmp_path: Path) -> None:
    provider = provider_on_zone_files(installed, tmp_path)
    before = zones(provider)
    with in_a_test_tenant(provider) as server:
        assert set(changed(played(provider, "site", "--check"))) == set(HOSTS)
        plan = ("--limit", "acme", "-e", "mail_plan=plans/acme")
        played(provider, "site", *plan)
        assert zones(provider) == before and not server.truth.find("applications", uniqueName=APPLICATION)

        applied = played(provider, "apply", *plan, *with_accounts_that_may_write(provider))
        assert set(changed(applied)) == {"acme_profit", "acme_payroll"}
        assert len(server.truth.find("applications", uniqueName=APPLICATION)) == 1
        again = changed(played(provider, "site"))
        assert {host for host, count in again.items() if count} == {"jansen_bakery"}, "all of acme is done"
        played(provider, "verify", "-e", f"mail_report_dir={provider / 'report'}")
    assert (provider / "build" / "secrets" / "acme.yml").read_bytes().startswith(b"$ANSIBLE_VAULT")
    pages = sorted(page.stem.rpartition("-")[0] for page in (provider / "report" / "customers").glob("*.html"))
    assert pages == ["acme-b-v", "bakkerij-jansen"]

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An execution environment without a container: exactly what ansible-builder would install, in an empty environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.release import __version__ as core
from ansible_collections.mailroom.erp.tests.integration.entra_site import PASSWORD, RIGHTS, profit
from ansible_collections.mailroom.erp.tests.integration.estate import ALL, PROFIT, SITE, WORLD, ZONE, make_estate
from ansible_collections.mailroom.erp.tests.integration.playbook import own_program
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.powerdns import API_KEY, PowerDns

REPOSITORY = Path(__file__).resolve().parents[2]
DOMAIN = "acme.example"
RECORDS = '@ IN TXT "v=spf1 mx ip4:192.0.2.1 ~all"\n@ IN MX 10 ns\n'


def run(command: list[str], folder: Path, **variables: str) -> str:
    """Run a command with nothing of this process's Ansible or Python settings; it must succeed."""
    ours = ("ANSIBLE_", "PYTHONPATH", "MAILROOM_", "VIRTUAL_ENV")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean, "ANSIBLE_NOCOLOR": "1", **variables},
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def definition() -> str:
    """The definition of an execution environment that the page shows."""
    page = (REPOSITORY / "docs" / "execution_environment.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return str(block)


@dataclass(frozen=True, slots=True)
class Environment:
    """What would be in the image: the collection, and the Python that has what ansible-builder names."""

    artifact: Path
    collections: Path
    python: Path
    bindep: Path

    def site(self, folder: Path, inventory: dict[str, Any], *arguments: str) -> dict[str, int]:
        """Run the playbook site; returns how many tasks changed something, by host."""
        (folder / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
        program = str(self.python.with_name("ansible-playbook"))
        home = {"ANSIBLE_HOME": str(folder / ".ansible"), "ANSIBLE_COLLECTIONS_PATH": str(self.collections)}
        output = run([program, "-i", "inventory.yml", SITE, *arguments], folder, **home)
        assert all(secret not in output for secret in (TOKEN, API_KEY))
        recap = output.rpartition("PLAY RECAP")[2]
        return {host: int(count) for host, count in re.findall(r"^(\S+)\s+:.*changed=(\d+)", recap, re.MULTILINE)}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Build and install the collection, ask ansible-builder what it needs, and install that and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    galaxy, builder = own_program("ansible-galaxy"), own_program("ansible-builder")
    run([galaxy, "collection", "build", str(REPOSITORY), "--output-path", str(folder)], folder)
    (artifact,) = folder.glob("mailroom-erp-*.tar.gz")
    collections = folder / "collections"
    run([galaxy, "collection", "install", str(artifact), "-p", str(collections), "--offline"], folder)
    (folder / "user.txt").write_text(
        "\n".join(yaml.safe_load(definition())["dependencies"]["python"]), encoding="utf-8"
    )
    asked = ["--user-pip", "user.txt", "--write-pip", "python.txt", "--write-bindep", "bindep.txt", "--sanitize"]
    run([builder, "introspect", *asked, str(collections)], folder)
    run([sys.executable, "-m", "venv", "venv"], folder)
    python = folder / "venv" / "bin" / "python"
    run([str(python), "-m", "pip", "install", "-qq", "-r", "python.txt", f"ansible-core=={core}"], folder)
    return Environment(artifact, collections, python, folder / "bindep.txt")


def zone(domain: str) -> str:
    return ZONE.format(zone=domain) + RECORDS


def hosts(folder: Path, dns: dict[str, Any], **declared: Any) -> dict[str, Any]:
    """An inventory of one AFAS Profit, whose domain is at the DNS service; the world is in files."""
    folder.joinpath("world").mkdir()
    for name, records in {DOMAIN: RECORDS, **WORLD}.items():
        (folder / "world" / f"{name}.zone").write_text(ZONE.format(zone=name) + records, encoding="utf-8")
    resolver = {"mail_dns_resolver": {"zonefiles": [str(folder / "world")]}, "mail_dns_account": dns}
    return {"all": {"hosts": {"acme_profit": {**ALL, **PROFIT, **resolver, **declared}}}}


@contextmanager
def cloudflare(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    with Cloudflare({DOMAIN: zone(DOMAIN)}) as server:
        dns = {"provider": "cloudflare", "api_token": TOKEN, "base_url": server.base_url}
        yield hosts(folder, dns), server


@contextmanager
def octodns(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    with PowerDns({DOMAIN: zone(DOMAIN)}) as server:
        yield hosts(folder, octodns_backends.on_powerdns(server)), server


@pytest.mark.parametrize("service", [cloudflare, octodns])
def test_site_writes_through_the_service_and_then_changes_nothing(
    environment: Environment, tmp_path: Path, service: Any
) -> None:
    with service(tmp_path) as (inventory, server):
        assert sum(environment.site(tmp_path, inventory).values()) > 0
        assert "include:spf.afas.online" in str(server.values(DOMAIN, "TXT"))
        assert sum(environment.site(tmp_path, inventory).values()) == 0


def test_site_makes_an_application_and_its_secret(environment: Environment, tmp_path: Path) -> None:
    make_estate(tmp_path)
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    with EntraServer() as server:
        server.directory.add_user("erp@acme.example", purpose="shared", enabled=False)
        tenant = server.tenant_option(server.directory.add_client("automation", RIGHTS))
        declared = {**ALL, **profit("erp"), "mail_entra_tenant": tenant, "mail_entra_customer": "acme"}
        inventory = {"all": {"hosts": {"acme_profit": declared}}}
        assert sum(environment.site(tmp_path, inventory, "--vault-password-file", "password").values()) > 0
        assert len(server.truth.find("applications", uniqueName="mailroom-acme_profit")) == 1
        assert sum(environment.site(tmp_path, inventory, "--vault-password-file", "password").values()) == 0
    assert (tmp_path / "mailroom" / "secrets" / "acme.yml").read_bytes().startswith(b"$ANSIBLE_VAULT")


def test_bindep_understands_what_the_system_must_have(environment: Environment) -> None:
    assert "ca-certificates" in environment.bindep.read_text(encoding="utf-8")
    said = run(
        [own_program("bindep"), "--list_all", "newline", "-f", str(environment.bindep)], environment.bindep.parent
    )
    assert "ca-certificates" in said.split()


def test_ansible_builder_makes_a_sound_context_of_the_page_s_definition(
    environment: Environment, tmp_path: Path
) -> None:
    shutil.copy(environment.artifact, tmp_path)
    (tmp_path / "execution-environment.yml").write_text(definition(), encoding="utf-8")
    run([own_program("ansible-builder"), "create"], tmp_path)
    made = tmp_path / "context" / "_build"
    (collection,) = yaml.safe_load((made / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    # the file's name is read in the folder that the context becomes
    assert (made / collection["name"]).read_bytes() == environment.artifact.read_bytes()
    assert (made / "requirements.txt").read_text(encoding="utf-8").split() == ["octodns-powerdns"]
    (container_file,) = [path for path in made.parent.iterdir() if path.name in ("Containerfile", "Dockerfile")]
    run([own_program("hadolint"), "--failure-threshold", "error", str(container_file)], tmp_path)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role has a README.md whose tables say what its argument_specs say, and whose example runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import report_data
from ansible_collections.mailroom.erp.tests.integration.entra_site import PASSWORD, RIGHTS
from ansible_collections.mailroom.erp.tests.integration.estate import ALL, spf
from ansible_collections.mailroom.erp.tests.integration.playbook import OUR_PYTHON, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import SCOPE, SEE_SCOPES
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report import sample_report

ROLES = sorted(path for path in (Path(__file__).resolve().parents[2] / "roles").iterdir() if path.is_dir())
HEADING = re.compile(r"^### `tasks_from: (\w+)`", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \| (.*) \|$", re.MULTILINE)
PLAYS = {"mail_dns": "acme_profit", "erp_mail": "other_profit"}
Row = tuple[str, str, tuple[str, ...]]


def readme(role: str) -> str:
    return (ROLES[0].parent / role / "README.md").read_text(encoding="utf-8")


def example(role: str) -> tuple[dict[str, Any], str]:
    """The variables and the playbook that a role's README.md shows."""
    variables, playbook = re.findall(r"^```yaml\n(.*?)^```$", readme(role), re.MULTILINE | re.DOTALL)
    return yaml.safe_load(variables), playbook


def told(text: str) -> dict[str, dict[str, Row]]:
    """The tables: entry point -> variable -> type, default and choices."""
    first, *rest = HEADING.split(text)
    parts = zip(rest[::2], rest[1::2], strict=True) if rest else [("main", first)]
    return {point: {row[1]: row_of(row) for row in ROW.finditer(part)} for point, part in parts}


def row_of(row: re.Match[str]) -> Row:
    choices = re.search(r"One of ((?:`\w+`(?:, )?)+)\.$", row[4])
    return row[2], row[3].strip().strip("`"), tuple(re.findall(r"\w+", choices[1])) if choices else ()


def specified(option: dict[str, Any]) -> Row:
    kind = option["type"] + (f" of {option['elements']}" if "elements" in option else "")
    default = option.get("default")
    text = default if isinstance(default, str) else json.dumps(default) if "default" in option else ""
    return kind, "required" if option.get("required") else text, tuple(option.get("choices", ()))


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_the_tables_of_a_readme_say_what_the_argument_specs_say(role: str) -> None:
    specs = yaml.safe_load((ROLES[0].parent / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    points = {point: spec["options"] for point, spec in specs["argument_specs"].items()}
    # entry points with the variables of main share its table
    own = {point: options for point, options in points.items() if point == "main" or options != points["main"]}
    assert told(readme(role)) == {
        point: {name: specified(option) for name, option in options.items()} for point, options in own.items()
    }
    assert all(f"`tasks_from: {point}`" in readme(role) for point in set(points) - {"main"})


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_a_readme_says_something_of_each_variable_and_links_to_pages_that_exist(role: str) -> None:
    assert readme(role).startswith(f"# mailroom.erp.{role}\n")
    assert [row[1] for row in ROW.finditer(readme(role)) if len(row[4]) < 12] == []
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", readme(role))]
    assert links and [link for link in links if not (ROLES[0].parent / role / link).is_file()] == []


def test_the_examples_of_erp_mail_and_mail_dns_write_the_files_and_the_records(estate: Path) -> None:
    hosts = {"acme_profit": {**example("mail_dns")[0], "mail_dns_resolver": ALL["mail_dns_resolver"]}}
    assert hosts["acme_profit"]["mail_dns_account"]["path"] == "/srv/zones"
    hosts["acme_profit"]["mail_dns_account"]["path"] = str(estate / "zones")
    hosts["other_profit"] = example("erp_mail")[0]
    text = "".join(example(role)[1].replace("hosts: all", f"hosts: {host}") for role, host in PLAYS.items())
    done = run_playbook(estate, text, {"all": {"hosts": hosts}})
    assert done.rc == 0, done.output
    files = {path.name for path in (estate / "mailroom" / "other_profit").iterdir()}
    assert files == {"settings.yml", "sheet.md", "sheet.html"}
    assert "include:spf.afas.online" in str(spf(estate, "acme.example"))
    assert "v=DMARC1; p=none; rua=mailto:dmarc@acme.example" in (estate / "zones" / "acme.example.zone").read_text()


def test_the_example_of_erp_mail_file_writes_the_file(tmp_path: Path) -> None:
    config = tmp_path / "trytond.conf"
    config.write_text("[database]\nuri = sqlite://\n", encoding="utf-8")
    variables, playbook = example("erp_mail_file")
    assert variables.pop("erp_mail_file_restart") and "become: true" in playbook
    # neither root nor a service of this machine
    variables |= {"erp_mail_file_path": str(config), "vault_tryton_password": "hunter2-hunter2", **OUR_PYTHON}
    hosts = {"acme_tryton": {"ansible_connection": "local", **variables}}
    done = run_playbook(tmp_path, playbook.replace("become: true", "become: false"), {"all": {"hosts": hosts}})
    assert done.rc == 0, done.output
    assert "uri = smtp+tls://erp:hunter2-hunter2@relay.acme.example:587" in config.read_text(encoding="utf-8")


def test_the_example_of_mail_report_makes_a_page(tmp_path: Path) -> None:
    one = {**report_data(sample_report()), "customers": []}
    (tmp_path / "report.json").write_text(json.dumps(one), encoding="utf-8")
    variables, playbook = example("mail_report")
    assert variables.pop("mail_report_dir") == "/srv/mail-reports"
    hosts = {"acme_profit": {"ansible_connection": "local", "mail_report_dir": str(tmp_path), **variables}}
    done = run_playbook(tmp_path, playbook, {"all": {"hosts": hosts}})
    assert done.rc == 0, done.output
    assert '<html lang="nl">' in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_the_example_of_mail_entra_makes_what_the_environment_needs(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    variables, playbook = example("mail_entra")
    with EntraServer() as server:
        rights = [*RIGHTS, *SCOPE, *SEE_SCOPES]
        tenant = server.tenant_option(server.directory.add_client("automation", rights))
        assert set(variables["mail_entra_tenant"]) < set(tenant)
        hosts = {"acme_profit": variables | {"mail_entra_tenant": tenant}}
        done = run_playbook(tmp_path, playbook, {"all": {"hosts": hosts}}, "--vault-password-file", "password")
        assert done.rc == 0, done.output
        assert len(server.truth.find("applications", uniqueName="mailroom-acme_profit")) == 1
    assert (tmp_path / "mailroom" / "secrets" / "acme.yml").read_bytes().startswith(b"$ANSIBLE_VAULT")

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example for AWX: what AWX would take of it, and its workflow as jobs with injected credentials."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.artifact import REPOSITORY
from ansible_collections.mailroom.erp.tests.integration.awx_controller import (
    credential_type_problems,
    inject,
    read_variables,
    rrule_problems,
    survey_problems,
)
from ansible_collections.mailroom.erp.tests.integration.entra_site import PASSWORD, RIGHTS
from ansible_collections.mailroom.erp.tests.integration.playbook import own_program
from ansible_collections.mailroom.erp.tests.integration.runner_job import JobResult, RunnerJob, inventory_script
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import signer
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.servers.transip import LOGIN, Transip, private_key_pem
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

EXAMPLE = REPOSITORY / "examples" / "awx"
TYPES = {
    one["name"].removeprefix("mailroom: "): one
    for one in read_variables(EXAMPLE / "awx" / "vars" / "credential_types.yml")["mailroom_credential_types"]
}
TEMPLATES = read_variables(EXAMPLE / "awx" / "vars" / "templates.yml")
OUR_DOMAINS = ("acme.example", "acme-trading.example", "acme-shop.example")
"""Served by Cloudflare, by BIND and by TransIP."""
SPF = "v=spf1 mx ~all"


def test_awx_takes_the_credential_types_the_survey_and_the_schedules() -> None:
    assert {name: credential_type_problems(one) for name, one in TYPES.items()} == {name: [] for name in TYPES}
    assert survey_problems(TEMPLATES["mailroom_survey"]) == []
    assert [rrule_problems(one["rrule"]) for one in TEMPLATES["mailroom_schedules"]] == [[], [], []]
    templates = {one["name"]: one["playbook"] for one in TEMPLATES["mailroom_job_templates"]}
    assert {one["unified_job_template"] for one in TEMPLATES["mailroom_schedules"]} <= set(templates)
    assert all((EXAMPLE / playbook).is_file() for playbook in templates.values())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fields": [{"id": "server", "label": "x", "type": "number"}]}, "server: type or format"),
        ({"fields": [{"id": "tower", "label": "x"}]}, "tower: no name of a field"),
        ({"fields": [{"id": "server", "label": "x"}]}, "{{ key_name }}: 'key_name' is undefined"),
        ({"required": ["port"]}, "required port is no field"),
    ],
)
def test_what_awx_refuses_of_a_credential_type_is_seen(change: dict[str, Any], told: str) -> None:
    wrong = {**TYPES["TSIG"], "inputs": {**TYPES["TSIG"]["inputs"], **change}}
    assert told in credential_type_problems(wrong)


def test_what_awx_refuses_of_a_survey_and_a_schedule_is_seen() -> None:
    question = {"variable": "days", "type": "integer", "question_name": "Days", "required": True}
    survey = {"name": "x", "description": "x"}
    assert survey_problems({**survey, "spec": [{**question, "default": "7"}]}) == ["default of days"]
    assert survey_problems({**survey, "spec": [question, question]}) == ["days is asked twice"]
    assert rrule_problems("DTSTART:20261201T031700Z RRULE:FREQ=DAILY") == ["FREQ and INTERVAL: FREQ=DAILY"]
    assert rrule_problems("DTSTART:20261201T031700 RRULE:FREQ=DAILY;INTERVAL=1") == ["one DTSTART with a time zone"]


@dataclass
class Controller:
    """What AWX knows: the inventory that it took from the project, and the credentials that a person made."""

    folder: Path
    dns: tuple[Cloudflare, Bind, Transip]
    tenant: EntraServer
    credentials: dict[str, dict[str, str]]
    variables: dict[str, Any]
    hosts: dict[str, Any] = field(default_factory=dict)

    @property
    def secrets(self) -> list[str]:
        made = [*self.tenant.directory.secrets.values()]
        lines = [
            line
            for one in self.credentials.values()
            for key, text in one.items()
            if "key" in key
            for line in text.split("\n")
        ]
        return [*made, TOKEN, KEY_SECRET, *(line for line in lines if len(line) > 30 and "PRIVATE KEY" not in line)]

    def launch(self, template: str, *more: str) -> JobResult:
        """Start the job of a template in a workflow, and wait for its end."""
        (found,) = [one for one in TEMPLATES["mailroom_job_templates"] if one["name"] == template]
        folder = self.folder / f"job{len(list(self.folder.glob('job*')))}"
        extra = {**found.get("extra_vars", {}), "awx_workflow_job_id": 7, "mail_hosts": "all", "mail_plan_valid": 7}
        (self.folder / "extra.json").write_text(json.dumps(extra), encoding="utf-8")
        arguments = ["-e", f"@{self.folder / 'extra.json'}", f"--vault-password-file={self.folder / 'password'}"]
        for name, values in self.credentials.items():
            arguments += inject(TYPES[name], values, folder / "env" / "credentials")
        job = RunnerJob(
            folder,
            inventory_script(self.hosts, self.variables),
            found["playbook"],
            [*arguments, *more],
            {"XDG_STATE_HOME": str(self.folder / "kept" / "locks")},
            EXAMPLE,
        )
        job.start()
        return job.result()


def taken_inventory() -> tuple[dict[str, Any], dict[str, Any]]:
    """The hosts and variables that AWX takes out of the project, by the program that it uses."""
    listed = subprocess.run(
        [own_program("ansible-inventory"), "-i", str(EXAMPLE / "inventory" / "hosts.yml"), "--list", "--export"],
        capture_output=True,
        check=True,
    )
    data = json.loads(listed.stdout)
    return data["_meta"]["hostvars"], data["all"]["vars"]


def here(variable: str, **more: Any) -> str:
    """A template: what a credential gives, and where its service is on this machine."""
    return "{{ " + f"{variable} | combine({json.dumps(more)})" + " }}"


def pointed_at(variables: dict[str, Any], controller: Controller) -> dict[str, Any]:
    """The variables of the project, but with accounts and a tenant on this machine."""
    cloudflare, bind, transip = controller.dns

    domains = dict(variables["mail_dns_domains"])
    domains["acme-trading.example"] |= {"dns": here("mailroom_tsig", port=bind.port)}
    domains["acme-shop.example"] |= {"dns": here("mailroom_transip", base_url=transip.base_url)}
    return {
        **variables,
        "mailroom_kept": str(controller.folder / "kept"),
        "mail_dns_account": here("mailroom_cloudflare", base_url=cloudflare.base_url),
        "mail_dns_domains": domains,
        "mail_dns_resolver": {"zonefiles": [str(controller.folder / "world")]},
    }


@pytest.fixture
def controller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Controller]:
    """Three DNS services and a tenant on this machine, and a credential of each type for them."""
    zones = {name: zone_text(name, f'@ TXT "{SPF}"\n@ MX 10 ns1') for name in OUR_DOMAINS}
    services = {
        "afas.online": zone_text("afas.online", 'spf TXT "v=spf1 ip4:198.51.100.0/24 -all"'),
        "outlook.com": zone_text("outlook.com", 'spf.protection TXT "v=spf1 ip4:203.0.113.0/24 -all"'),
    }
    ZoneFolder(tmp_path / "world", {**zones, **services})
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    with ExitStack() as started:
        first, second, third = ({name: zones[name]} for name in OUR_DOMAINS)
        dns = (started.enter_context(Cloudflare(first)), Bind(second), started.enter_context(Transip(third)))
        started.enter_context(dns[1])
        tenant = started.enter_context(EntraServer())
        tenant.directory.add_user("payroll@acme.example", purpose="shared", enabled=False)
        client_id, secret = tenant.directory.add_client("automation", RIGHTS)
        sign_in = {"tenant_id": tenant.directory.tenant_id, "client_id": client_id}
        if request.param == "secret":
            entra = {**sign_in, "client_secret": secret}
        else:
            own = signer("automation of AWX")
            (application,) = tenant.truth.find("applications", appId=client_id)
            der = base64.b64encode(ssl.PEM_cert_to_DER_cert(own.certificate_pem)).decode()
            application["keyCredentials"].append({"keyId": "1", "usage": "Verify", "_key": der})
            tenant.directory.settle()
            entra = {**sign_in, "certificate": own.certificate_pem, "private_key": own.key_pem}
        credentials = {
            "Cloudflare": {"api_token": TOKEN},
            "TSIG": {"server": ADDRESS, "key_name": KEY_NAME, "key_secret": KEY_SECRET, "key_algorithm": ""},
            "TransIP": {"login": LOGIN, "private_key": private_key_pem()},
            f"Entra, {request.param}": entra,
        }
        made = Controller(tmp_path, dns, tenant, credentials, {})
        made.hosts, variables = taken_inventory()
        made.variables = pointed_at(variables, made)
        place = tenant.tenant_option(("", ""))
        place = {name: place[name] for name in ("authority", "graph_url", "ca_file", "timeout", "poll_interval")}
        made.hosts["acme_payroll"] |= {"mail_entra_tenant": here("mailroom_tenant", **place)}
        yield made


def assert_no_secret(controller: Controller, *results: JobResult) -> None:
    for result in results:
        flat = "".join(result.texts.split())
        assert not [secret for secret in controller.secrets if secret in flat]


@pytest.mark.slow
@pytest.mark.parametrize("controller", ["secret"], indirect=True)
def test_the_workflow_plans_waits_and_applies_with_injected_credentials(controller: Controller) -> None:
    planned = controller.launch("mailroom plan", "-vvvv")
    assert planned.status == "successful", planned.stdout
    shown = "\n".join(str(one["stdout"]) for one in planned.events)
    assert f"v=spf1 mx {AFAS_TERM}" in shown, "whoever approves it sees it"
    services: dict[str, Any] = dict(zip(OUR_DOMAINS, controller.dns, strict=True))
    assert {name: service.values(name, "TXT") for name, service in services.items()} == {
        name: [f'"{SPF}"'] for name in OUR_DOMAINS
    }

    applied = controller.launch("mailroom apply", "-vvvv")
    assert applied.status == "successful", applied.stdout
    for name, service in services.items():
        assert any(AFAS_TERM in text for text in service.values(name, "TXT")), name
    assert len(controller.tenant.truth.find("applications", uniqueName="mailroom-acme_payroll")) == 1
    assert (controller.folder / "kept" / "secrets" / "acme.yml").read_bytes().startswith(b"$ANSIBLE_VAULT")
    assert_no_secret(controller, planned, applied)


@pytest.mark.slow
@pytest.mark.parametrize("controller", ["certificate"], indirect=True)
def test_an_injected_certificate_signs_in(controller: Controller) -> None:
    planned = controller.launch("mailroom plan", "-vvvv")
    assert planned.status == "successful" and "would be made" in planned.stdout, planned.stdout
    assert controller.tenant.sign_ins == 1
    assert_no_secret(controller, planned)

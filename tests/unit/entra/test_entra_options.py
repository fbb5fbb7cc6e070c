# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``tenant``: what is refused, and that no value of it is ever shown."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import CLOUDS, check_tenant, read_tenant

GUID = "11111111-2222-3333-4444-555555555555"
SECRET = "hunter2-hunter2-hunter2"
PEM = "\n".join(f"-----BEGIN {kind}-----\nx\n-----END {kind}-----" for kind in ("PRIVATE KEY", "CERTIFICATE"))
GOOD: dict[str, Any] = {"tenant_id": GUID, "client_id": GUID, "client_secret": SECRET}
CLI: dict[str, Any] = {"tenant_id": GUID, "azure_cli": True}

WRONG: list[tuple[object, str]] = [
    (SECRET, "must be a dictionary"),
    ([SECRET], "must be a dictionary"),
    ({**GOOD, "client_secrett": SECRET}, "did you mean tenant.client_secret?"),
    ({**GOOD, "password_of_mine": SECRET}, "it takes: tenant_id"),
    ({**GOOD, "tenant_id": "acme.example"}, "tenant.tenant_id must be a GUID"),
    ({**GOOD, "client_id": SECRET}, "tenant.client_id must be a GUID"),
    ({"client_id": GUID, "client_secret": SECRET}, "tenant.tenant_id is required"),
    ({"tenant_id": GUID, "client_secret": SECRET}, "tenant.client_id is required by tenant.client_secret"),
    ({"tenant_id": GUID, "client_id": GUID}, "say how to sign in"),
    ({**GOOD, "azure_cli": True}, "name two ways to sign in"),
    ({**GOOD, "federated_token": SECRET}, "name two ways to sign in"),
    ({**GOOD, "client_secret": "hunter2"}, "shorter than 8 characters"),
    ({**GOOD, "certificate_passphrase": SECRET}, "belongs to tenant.certificate"),
    ({"tenant_id": GUID, "client_id": GUID, "certificate": SECRET}, "a certificate and its private key"),
    ({**GOOD, "authority": "http://login.example", "graph_url": "https://graph.example"}, "begins with https://"),
    ({**GOOD, "authority": "https://a@b.example", "graph_url": "https://graph.example"}, "begins with https://"),
    ({**GOOD, "authority": "https://login.example"}, "belong together"),
    ({**GOOD, "cloud": SECRET}, "tenant.cloud is not one"),
]


@pytest.mark.parametrize(("tenant", "said"), WRONG, ids=[row[1] + str(number) for number, row in enumerate(WRONG)])
def test_a_wrong_tenant_is_refused_without_a_value(tenant: object, said: str) -> None:
    problems = check_tenant(tenant)
    assert any(said in problem for problem in problems), problems
    assert not any("hunter2" in problem for problem in problems)


@pytest.mark.parametrize(
    "tenant",
    [
        GOOD,
        CLI,
        {**CLI, "client_secret": None},
        {**GOOD, "azure_cli": False, "cloud": "china"},
        {"tenant_id": GUID, "client_id": GUID, "certificate": PEM, "certificate_passphrase": SECRET},
        {"tenant_id": GUID, "client_id": GUID, "federated_token": SECRET},
        {**GOOD, "authority": "https://localhost:1", "graph_url": "https://localhost:2/", "ca_file": "/ca.pem"},
    ],
)
def test_a_good_tenant_is_read(tenant: dict[str, Any]) -> None:
    assert check_tenant(tenant) == []
    assert read_tenant(tenant).tenant_id == GUID


def test_a_tenant_shows_no_secret() -> None:
    assert SECRET not in repr(read_tenant(GOOD)) and SECRET not in str(read_tenant(GOOD))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_own_addresses(cloud: str) -> None:
    read = read_tenant({**GOOD, "cloud": cloud})
    assert (read.authority, read.graph_url, read.known_cloud) == (*CLOUDS[cloud], True)
    assert (read.timeout, read.poll_interval) == (300.0, 1.0)

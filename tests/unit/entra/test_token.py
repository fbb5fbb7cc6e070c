# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in: each way works on the test tenant, and a sign-in to the wrong tenant stops everything."""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import read_tenant
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import SignInFailed, Token, read_token, sign_in
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import TENANT, EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import Signer, signer
from cryptography.hazmat.primitives import serialization

ISSUER = "https://ci.example"
SUBJECT = "repo:acme/mail:ref:refs/heads/main"
RIGHT = "Application.ReadWrite.OwnedBy"


@pytest.fixture
def client(server: EntraServer) -> tuple[str, str]:
    return server.directory.add_client("automation", [RIGHT])


@pytest.fixture
def http(server: EntraServer) -> Iterator[Http]:
    opened = Http(server.ca_file)
    yield opened
    opened.close()


def option(server: EntraServer, client: tuple[str, str], **way: Any) -> dict[str, Any]:
    tenant = server.tenant_option(client)
    if way:
        del tenant["client_secret"]
    return {**tenant, **way}


def signed_in(server: EntraServer, tenant: dict[str, Any], http: Http) -> Token:
    return sign_in(read_tenant(tenant), http)


def application(server: EntraServer, client: tuple[str, str]) -> dict[str, Any]:
    return server.truth.find("applications", appId=client[0])[0]


def assertion(key: Signer, subject: str = SUBJECT, audience: str = "api://AzureADTokenExchange") -> str:
    claims = {"iss": ISSUER, "sub": subject, "aud": audience, "exp": int(time.time()) + 300, "jti": str(uuid.uuid4())}
    return str(jwt.encode(claims, key.key, algorithm="RS256"))


def test_sign_in_by_secret(server: EntraServer, client: tuple[str, str], http: Http) -> None:
    token = signed_in(server, option(server, client), http)
    assert (token.tenant_id, token.app_id, token.rights) == (TENANT, client[0], frozenset({RIGHT}))
    assert token.lacks("AppRoleAssignment.ReadWrite.All") and not token.lacks(RIGHT)
    assert token.value not in repr(token)


def test_sign_in_by_certificate(server: EntraServer, client: tuple[str, str], http: Http) -> None:
    own = signer("automation")
    application(server, client)["keyCredentials"] = [{"keyId": "1", "_key": base64.b64encode(own.der).decode()}]
    pair = own.key_pem + own.certificate_pem
    assert signed_in(server, option(server, client, certificate=pair), http).app_id == client[0]
    locked = own.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"opensesame"),
    )
    tenant = option(
        server, client, certificate=own.certificate_pem + locked.decode(), certificate_passphrase="opensesame"
    )
    assert signed_in(server, tenant, http).app_id == client[0]
    other = Signer("stranger")
    with pytest.raises(SignInFailed, match="AADSTS700027"):
        signed_in(server, option(server, client, certificate=other.key_pem + other.certificate_pem), http)


def test_sign_in_by_federated_token(server: EntraServer, client: tuple[str, str], http: Http) -> None:
    server.authority.issuers[ISSUER] = signer("ci")
    trust = {"id": "1", "name": "ci", "issuer": ISSUER, "subject": SUBJECT}
    server.truth["federated"]["1"] = {**trust, "_application": application(server, client)["id"]}
    token = signed_in(server, option(server, client, federated_token=assertion(signer("ci"))), http)
    assert token.app_id == client[0]
    wrong = {
        "AADSTS70021": assertion(signer("ci"), subject="repo:acme/other"),
        "Signature verification failed": assertion(Signer("stranger")),
        "Audience": assertion(signer("ci"), audience="somebody else"),
    }
    for said, text in wrong.items():
        with pytest.raises(SignInFailed, match=said):
            signed_in(server, option(server, client, federated_token=text), http)


def test_sign_in_by_azure_cli(
    server: EntraServer, client: tuple[str, str], http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = server.directory.add_user("admin@acme.example")
    text = server.authority.person_token(person, "Application.ReadWrite.All openid")
    program = tmp_path / "az"
    program.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/arguments\necho '{json.dumps({'accessToken': text})}'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    tenant = option(server, client, azure_cli=True)
    token = signed_in(server, tenant, http)
    assert token.value == text and token.rights is None and not token.lacks("anything")
    assert f"--tenant {TENANT} --scope {server.url}/.default" in (tmp_path / "arguments").read_text()
    for script, said in (
        ("echo Please run az login >&2; exit 1", "Please run az login"),
        ("echo 'no json'", "holds no token"),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n")
        with pytest.raises(SignInFailed, match=said):
            signed_in(server, tenant, http)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(SignInFailed, match=r"az.* cannot be run.*az login --tenant"):
        signed_in(server, tenant, http)


def test_a_wrong_secret_is_not_shown(server: EntraServer, client: tuple[str, str], http: Http) -> None:
    with pytest.raises(SignInFailed, match="AADSTS7000215") as caught:
        signed_in(server, {**option(server, client), "client_secret": "hunter2-hunter2"}, http)
    assert "hunter2" not in str(caught.value) + repr(caught.value)


def test_an_expired_secret_is_refused(server: EntraServer, client: tuple[str, str], http: Http) -> None:
    application(server, client)["passwordCredentials"][0]["endDateTime"] = "2020-01-01T00:00:00Z"
    with pytest.raises(SignInFailed, match="AADSTS7000222"):
        signed_in(server, option(server, client), http)


def test_a_sign_in_to_a_tenant_that_does_not_exist_fails(
    server: EntraServer, client: tuple[str, str], http: Http
) -> None:
    with pytest.raises(SignInFailed, match="sign-in failed"):
        signed_in(server, {**option(server, client), "tenant_id": str(uuid.uuid4())}, http)


def test_a_token_of_another_tenant_stops_everything(server: EntraServer, client: tuple[str, str], http: Http) -> None:
    server.authority.says_tenant = str(uuid.uuid4())
    with pytest.raises(Refused, match=f"belongs to tenant {server.authority.says_tenant}"):
        signed_in(server, option(server, client), http)
    assert server.requests == []


def test_an_unknown_certificate_authority_is_refused(server: EntraServer, client: tuple[str, str]) -> None:
    http = Http(None)
    with pytest.raises(SignInFailed, match="sign-in failed") as caught:
        signed_in(server, option(server, client), http)
    http.close()
    assert client[1] not in str(caught.value)
    assert server.sign_ins == 0


def test_variables_of_the_environment_do_not_replace_a_ca_file(
    server: EntraServer, client: tuple[str, str], http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert signed_in(server, option(server, client), http).app_id == client[0]


@pytest.mark.parametrize("text", ["opaque", "a.b.c", "a.W10.c", "..", f"x.{base64.b64encode(b'null').decode()}.y"])
def test_a_token_that_says_nothing_is_taken_as_it_is(text: str) -> None:
    assert read_token(text) == Token(text, None, None, None)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in at the test tenant: certificates of its own, tokens, and what proves a client to be who it says."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import ipaddress
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from ansible_collections.mailroom.erp.tests.servers.entra.directory import EXCHANGE, Directory
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PEM = serialization.Encoding.PEM
_AUDIENCE = "api://AzureADTokenExchange"
EXCHANGE_RESOURCE = "https://outlook.office365.com"
"""Whom a token for the SMTP of Exchange Online is meant for."""


class SignInError(Exception):
    """The client is refused, in the words of Entra."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error = status, error


class Signer:
    """A key and a certificate made with it."""

    def __init__(self, name: str, issuer: Signer | None = None, days: int = 30) -> None:
        """Make both.

        :param issuer: who signs the certificate; itself unless given
        :param days: how long it is valid
        """
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=5)
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(issuer._name if issuer else self._name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=issuer is None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((issuer or self).key.public_key()), critical=False
            )
        )
        if issuer:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        self.certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(_PEM).decode()

    @property
    def key_pem(self) -> str:
        none = serialization.NoEncryption()
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, none).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write certificate and key as PEM files.

        :returns: their paths
        """
        files = folder / "certificate.pem", folder / "key.pem"
        for file, text in zip(files, (self.certificate_pem, self.key_pem), strict=True):
            file.write_text(text, encoding="ascii")
        return files


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key is for; Python 3.13 asks a certificate authority for it."""
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    unused = dict.fromkeys([*names, "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=signs_certificates, crl_sign=signs_certificates, **unused
    )


@functools.cache
def signer(name: str, issuer: Signer | None = None) -> Signer:
    """A signer that is made once for all servers of a process, for a key takes a while to find."""
    return Signer(name, issuer)


class Authority:
    """Issues tokens for the applications of a directory."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.base = ""
        """The address of the server, without a slash at its end."""
        self.says_tenant = directory.tenant_id
        """The tenant that stands in tokens; a test sets another to see that it is noticed."""
        self.issuers: dict[str, Signer] = {}
        """Identity providers outside Entra, by their issuer, for federated credentials."""
        self._signer = signer("test tenant")

    def discovery(self) -> Json:
        """The OpenID configuration of the tenant, in the part that clients read."""
        root = f"{self.base}/{self.directory.tenant_id}"
        return {
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{root}/discovery/v2.0/keys",
        }

    def token(self, form: Mapping[str, str]) -> Json:
        """Answer a request for a token by client credentials.

        :raises SignInError: the client is not known, or does not prove who it is
        """
        if form.get("grant_type") != "client_credentials":
            raise SignInError(
                400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
            )
        resource = str(form.get("scope")).removesuffix("/.default")
        if resource not in (self.base, EXCHANGE_RESOURCE) or f"{resource}/.default" != form.get("scope"):
            raise SignInError(400, "invalid_scope", "AADSTS70011: The provided value for 'scope' is not valid.")
        found = self.directory.truth.find("applications", appId=form.get("client_id", ""))
        if not found:
            raise SignInError(400, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if form.get("client_assertion_type") == _ASSERTION:
            self._check_assertion(found[0], form.get("client_assertion", ""))
        else:
            self._check_secret(found[0], form.get("client_secret", ""))
        token = self.application_token(found[0]["appId"], EXCHANGE if resource == EXCHANGE_RESOURCE else "")
        return {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}

    def application_token(self, app_id: str, resource: str = "") -> str:
        """A token with the application permissions that have been granted.

        :param resource: the appId of the service that it is for; Graph unless given
        """
        truth = self.directory.truth
        principals = truth.find("servicePrincipals", appId=app_id)
        names = {role["id"]: role["value"] for one in truth["servicePrincipals"].values() for role in one["appRoles"]}
        granted = truth.find("appRoleAssignments", principalId=principals[0]["id"]) if principals else []
        if resource:
            granted = [
                one for one in granted if one["resourceId"] == truth.find("servicePrincipals", appId=resource)[0]["id"]
            ]
        roles = [names[one["appRoleId"]] for one in granted]
        claims = {"appid": app_id, "roles": roles, "idtyp": "app", **({"aud": EXCHANGE_RESOURCE} if resource else {})}
        return self._sign({**claims, "oid": principals[0]["id"] if principals else None})

    def person_token(self, user: Json, scopes: str) -> str:
        """A token for Graph of a person who has signed in.

        :param scopes: what the person and the program may do together, separated by spaces
        """
        return self._sign({"appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "scp": scopes, "oid": user["id"]})

    def claims(self, token: str, audience: str = "") -> Json:
        """Who calls Graph, or another service.

        :param audience: of the other service
        :raises jwt.PyJWTError: the token is not one of ours, not for Graph, or has expired
        """
        key = self._signer.key.public_key()
        found: Json = jwt.decode(token, key, algorithms=["RS256"], audience=audience or self.base)
        return found

    def _sign(self, claims: Json) -> str:
        start = int(time.time())
        common = {"aud": self.base, "iss": f"{self.base}/{self.says_tenant}/", "tid": self.says_tenant}
        times = {"iat": start, "nbf": start - 60, "exp": start + 3600, "uti": str(uuid.uuid4())}
        return str(jwt.encode({**common, **times, **claims}, self._signer.key, algorithm="RS256"))

    def _check_secret(self, application: Json, value: str) -> None:
        held = {one["keyId"]: one for one in application["passwordCredentials"]}
        known = [one for key, one in held.items() if self.directory.secrets.get(key) == value]
        if not known:
            raise SignInError(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if datetime.datetime.fromisoformat(known[0]["endDateTime"]).timestamp() < time.time():
            raise SignInError(401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired.")

    def _check_assertion(self, application: Json, assertion: str) -> None:
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
            issuer = str(claims.get("iss"))
            if issuer == application["appId"]:
                self._check_certificate(application, assertion)
            else:
                self._check_federated(application, claims, assertion)
        except jwt.PyJWTError as error:
            raise SignInError(401, "invalid_client", f"AADSTS700027: The assertion is not valid: {error}") from error

    def _check_certificate(self, application: Json, assertion: str) -> None:
        wanted = jwt.get_unverified_header(assertion).get("x5t#S256", "")
        for credential in application["keyCredentials"]:
            der = base64.b64decode(credential["_key"])
            if base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=") == wanted.rstrip("="):
                key: Any = x509.load_der_x509_certificate(der).public_key()
                audience = self.discovery()["token_endpoint"]
                jwt.decode(assertion, key, algorithms=["PS256"], audience=audience, subject=application["appId"])
                return
        raise SignInError(
            401, "invalid_client", "AADSTS700027: The certificate with this thumbprint is not registered."
        )

    def _check_federated(self, application: Json, claims: Json, assertion: str) -> None:
        trusted = self.directory.truth.find("federated", _application=application["id"], issuer=claims.get("iss"))
        if not any(one["subject"] == claims.get("sub") for one in trusted):
            raise SignInError(401, "invalid_client", "AADSTS70021: No matching federated identity record found.")
        key = self.issuers[str(claims["iss"])].key.public_key()
        jwt.decode(assertion, key, algorithms=["RS256"], audience=_AUDIENCE)

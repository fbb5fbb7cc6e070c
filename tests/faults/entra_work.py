# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the killed runs are to do in the test tenant, and what must hold after: a class for each module that writes."""

from __future__ import annotations

import base64
import copy
import datetime
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.mailroom.erp.plugins.plugin_utils.files.vault_file import SecretFile
from ansible_collections.mailroom.erp.tests.faults.entra_victim import VAULT
from ansible_collections.mailroom.erp.tests.servers.entra.directory import PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import signer

PERMISSIONS = [{"resource": "Microsoft Graph", "role": role} for role in ("Mail.Send", "Mail.ReadWrite")]
LABEL = "mail (mailroom.erp)"
DAYS = {"lifetime": 180, "renew_before": 30, "overlap": 0}


class Work:
    """Something that is asked for again and again until a run lives; each number is another one of its kind."""

    job = ""
    new: ClassVar[dict[str, int]] = {}
    """How many objects of which table are new in the end."""
    most_secrets = 0
    """How many secrets an application of ours may have at any moment."""

    def __init__(self, server: EntraServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        self._before: dict[str, dict[str, Json]] = {}

    def prepare(self, number: int) -> None:
        """Put into the tenant what is there before the first run."""

    def params(self, number: int) -> dict[str, Any]:
        """What the module is told."""
        raise NotImplementedError

    def check(self, number: int, following: dict[str, Any]) -> None:
        """See that the work is done.

        :param following: what the run that lived returned
        """

    def begin(self, number: int) -> None:
        """Prepare, and remember the tenant as it is."""
        self.prepare(number)
        self._before = copy.deepcopy(self.server.truth.tables)

    def check_tenant(self, number: int) -> None:
        """See that nothing else was made, changed or taken away."""
        made: Counter[str] = Counter()
        for table, held in self._before.items():
            now = self.server.truth[table]
            made[table] = len(set(now) - set(held))
            changed = [one for object_id, one in held.items() if now.get(object_id) != one]
            assert all(one.get("uniqueName") in self._ours(number) for one in changed), (table, changed)
        assert +made == Counter(self.new)

    def check_heap(self, number: int) -> None:
        """See that killed runs have not left a heap of secrets."""
        for name in self._ours(number):
            for application in self.server.truth.find("applications", uniqueName=name):
                held = application["passwordCredentials"]
                assert len(held) <= self.most_secrets, [one["keyId"] for one in held]

    def application(self, name: str) -> Json:
        (found,) = self.server.truth.find("applications", uniqueName=name)
        return found

    def make_application(self, name: str) -> Json:
        (owner,) = self.server.truth.find("servicePrincipals", displayName="automation")
        return self.server.directory.new_application({"displayName": name}, name, [owner["id"]])

    def make_secret(self, application: Json, days: int = 10) -> tuple[str, str]:
        """A secret that the ERP uses; returns its key id and value."""
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        given = {"displayName": LABEL, "startDateTime": "2026-01-01T00:00:00Z"}
        given["endDateTime"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
        credential, value = self.server.directory.new_secret(application["id"], given)
        return credential["keyId"], value

    def check_application(self, name: str) -> None:
        """One application, with one service principal, and each permission granted once."""
        application = self.application(name)
        (principal,) = self.server.truth.find("servicePrincipals", appId=application["appId"])
        granted = self.server.truth.find("appRoleAssignments", principalId=principal["id"])
        assert len(granted) == len({one["appRoleId"] for one in granted}) == len(PERMISSIONS)

    def _ours(self, number: int) -> tuple[str, ...]:
        return (f"erp-{number}",)


class Registration(Work):
    job = "register"
    new: ClassVar[dict[str, int]] = {"applications": 1, "servicePrincipals": 1, "appRoleAssignments": 2}

    def params(self, number: int) -> dict[str, Any]:
        return {"permissions": PERMISSIONS, "access": "tenant", "unique_name": f"erp-{number}"}

    def check(self, number: int, following: dict[str, Any]) -> None:
        self.check_application(f"erp-{number}")


class Renewal(Work):
    """A secret that is about to end, whose value is stored."""

    job = "key"
    most_secrets = 2
    """The one in use, and one that was lost: it goes before another one is made."""

    def __init__(self, server: EntraServer, folder: Path) -> None:
        super().__init__(server, folder)
        self._old: dict[int, tuple[str, str]] = {}

    def prepare(self, number: int) -> None:
        self._old[number] = self.make_secret(self.make_application(f"erp-{number}"))

    def params(self, number: int) -> dict[str, Any]:
        declared = {"unique_name": f"erp-{number}", "name": "mail", "kind": "secret", **DAYS}
        return {**declared, "stored_key_id": self._old[number][0], "replace_lost": True}

    def check(self, number: int, following: dict[str, Any]) -> None:
        application, (key_id, value) = self.application(f"erp-{number}"), self._old[number]
        assert self.server.signs_in(application["appId"], value), "the ERP still uses the old one"
        assert following["secret"] and self.server.signs_in(application["appId"], following["secret"])
        # A run that lived before, if any, handed its secret over; nobody told this one, so it made another.
        held = [one["keyId"] for one in application["passwordCredentials"]]
        assert held == [key_id, following["key_id"]]


class Certificate(Work):
    """A certificate beside the one that is in use."""

    job = "key"

    def prepare(self, number: int) -> None:
        application = self.make_application(f"erp-{number}")
        application["keyCredentials"] = [_key(f"{number}")]

    def params(self, number: int) -> dict[str, Any]:
        declared = {"unique_name": f"erp-{number}", "name": "mail", "kind": "certificate"}
        return {**declared, "certificate": signer("killed").certificate_pem, **DAYS, "renew_before": 5}

    def check(self, number: int, following: dict[str, Any]) -> None:
        keys = self.application(f"erp-{number}")["keyCredentials"]
        assert len(keys) == 2 and keys[0] == _key(f"{number}")
        assert keys[1]["keyId"] == following["key_id"]


class Federation(Work):
    job = "federated"
    new: ClassVar[dict[str, int]] = {"federated": 1}

    def prepare(self, number: int) -> None:
        self.make_application(f"erp-{number}")

    def params(self, number: int) -> dict[str, Any]:
        trusted = {"issuer": "https://ci.example", "subject": "repo:acme/mail"}
        return {"unique_name": f"erp-{number}", "name": "ci-main", "kind": "federated", "federated": trusted, **DAYS}

    def check(self, number: int, following: dict[str, Any]) -> None:
        application = self.application(f"erp-{number}")
        (found,) = self.server.truth.find("federated", _application=application["id"])
        assert (found["issuer"], found["subject"]) == ("https://ci.example", "repo:acme/mail")


class Consent(Work):
    job = "consent"
    new: ClassVar[dict[str, int]] = {"servicePrincipals": 1, "oauth2PermissionGrants": 1}

    def __init__(self, server: EntraServer, folder: Path) -> None:
        super().__init__(server, folder)
        self._user = server.directory.add_user("invoices@acme.example")
        self._vendors: dict[int, str] = {}

    def prepare(self, number: int) -> None:
        self._vendors[number] = self.server.directory.add_vendor("KING", PUBLISHER)

    def params(self, number: int) -> dict[str, Any]:
        declared = {"app_id": self._vendors[number], "publisher_tenant_id": PUBLISHER}
        return {**declared, "scopes": ["SMTP.Send"], "users": ["invoices@acme.example"]}

    def check(self, number: int, following: dict[str, Any]) -> None:
        (principal,) = self.server.truth.find("servicePrincipals", appId=self._vendors[number])
        (grant,) = self.server.truth.find("oauth2PermissionGrants", clientId=principal["id"])
        assert (grant["scope"], grant["principalId"]) == ("SMTP.Send", self._user["id"])


class Environments(Consent):
    """Two environments of a customer: a new one, with a vendor's application, and one whose secret is about to end."""

    job = "environments"
    new: ClassVar[dict[str, int]] = {**Registration.new, "servicePrincipals": 2, "oauth2PermissionGrants": 1}
    most_secrets = 2

    def __init__(self, server: EntraServer, folder: Path) -> None:
        super().__init__(server, folder)
        self._old: dict[int, tuple[str, str]] = {}

    def prepare(self, number: int) -> None:
        super().prepare(number)
        application = self.make_application(f"due-{number}")
        principal = self.server.directory.new_principal(application["appId"])
        (resource,) = self.server.truth.find("servicePrincipals", displayName="Microsoft Graph")
        roles = {role["value"]: role["id"] for role in resource["appRoles"]}
        access = [{"id": roles[one["role"]], "type": "Role"} for one in PERMISSIONS]
        application["requiredResourceAccess"] = [{"resourceAppId": resource["appId"], "resourceAccess": access}]
        for one in PERMISSIONS:
            self.server.directory.assign(principal, resource, roles[one["role"]])
        self._old[number] = self.make_secret(application)
        self._file(number).store({"due": self._entry(application, number)})

    def params(self, number: int) -> dict[str, Any]:
        names = dict(zip(("new", "due"), self._ours(number), strict=True))
        parts = {"permissions": PERMISSIONS, "access": "tenant"}
        environments: list[dict[str, Any]] = [
            {
                "environment": environment,
                "customer": f"customer-{number}",
                "application": {**parts, "unique_name": name},
                "credential": {"name": "mail", **DAYS},
            }
            for environment, name in names.items()
        ]
        environments[0]["consent"] = super().params(number)
        tenant = {"tenant_id": self.server.directory.tenant_id}
        return {"tenant": tenant, "secrets_dir": str(self.folder / "secrets"), "environments": environments}

    def check(self, number: int, following: dict[str, Any]) -> None:
        super().check(number, following)
        file, (old, value) = self._file(number), self._old[number]
        stored = file.read()
        kept = {"new": [], "due": [old]}
        assert set(stored) == set(kept) and file.asked() == {}
        for environment, name in zip(kept, self._ours(number), strict=True):
            self.check_application(name)
            application, one = self.application(name), stored[environment]
            held = [key["keyId"] for key in application["passwordCredentials"]]
            assert held == [*kept[environment], one["key_id"]], environment
            assert self.server.signs_in(application["appId"], one["secret"])
        assert self.server.signs_in(application["appId"], value), "the ERP still uses the old one"
        left = {file.name for file in (self.folder / "secrets").iterdir()}
        assert left == {".lock", *(f"customer-{done}.yml" for done in self._old)}

    def _entry(self, application: Json, number: int) -> dict[str, str]:
        key_id, value = self._old[number]
        place = {"directory_id": self.server.directory.tenant_id, "application_id": application["appId"]}
        return {**place, "key_id": key_id, "valid_until": "2027-01-01", "secret": value}

    def _file(self, number: int) -> SecretFile:
        return SecretFile(self.folder / "secrets" / f"customer-{number}.yml", VAULT)

    def _ours(self, number: int) -> tuple[str, ...]:
        return (f"new-{number}", f"due-{number}")


WORK: dict[str, type[Work]] = {
    "entra_app_registration": Registration,
    "entra_app_credential, secret": Renewal,
    "entra_app_credential, certificate": Certificate,
    "entra_app_credential, federated": Federation,
    "entra_consent": Consent,
    "entra_environments": Environments,
}


def _key(number: str) -> Json:
    return {
        "keyId": f"00000000-0000-4000-8000-{number.lstrip('-'):0>12}",
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "displayName": "somebody else's",
        "startDateTime": "2026-01-01T00:00:00Z",
        "endDateTime": "2099-01-01T00:00:00Z",
        "_key": base64.b64encode(b"somebody else's").decode(),
    }

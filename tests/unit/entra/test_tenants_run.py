# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several tenants in one task: at the same time, apart from each other, and each secret handed over when it is made."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.entra import tenants_run
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import CredentialPlan
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential_run import CredentialOutcome
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENVIRONMENT_PARTS
from ansible_collections.mailroom.erp.plugins.module_utils.entra.environments import read_declared
from ansible_collections.mailroom.erp.plugins.module_utils.entra.secret_pipe import SecretPipe
from ansible_collections.mailroom.erp.plugins.module_utils.entra.tenants_run import (
    bring_tenants,
    environments_result,
    read_orders,
)
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.secret_intake import SecretIntake
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.unit.entra.conftest import BOOTSTRAP
from ansible_collections.mailroom.erp.tests.unit.entra.test_environments import LISTED, entry

SECOND = "22222222-3333-4444-5555-666666666666"
PATIENCE = 30


class Ended(Exception):
    """The module has ended, with this result."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result.get("msg"))
        self.result = result


class FakeModule:
    """What is used of AnsibleModule."""

    _diff = True

    def __init__(self, params: dict[str, Any], check_mode: bool = False) -> None:
        self.params, self.check_mode = params, check_mode
        self.no_log_values: set[str] = set()
        self.warnings: list[str] = []

    def exit_json(self, **result: Any) -> NoReturn:
        raise Ended(result)

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        raise Ended({**result, "failed": True, "msg": msg})

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)


@pytest.fixture
def second() -> Iterator[EntraServer]:
    with EntraServer(SECOND) as started:
        yield started


def sign_in(server: EntraServer, **more: Any) -> dict[str, Any]:
    return server.tenant_option(server.directory.add_client("automation", BOOTSTRAP), **more)


def params(environments: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    names = [one["environment"] for one in environments]
    given = {"tenant": None, "tenants": None, "environments": environments, "make_secrets": names}
    defaults = {"withdraw": {}, "parts": list(ENVIRONMENT_PARTS), "read_senders": False, "secrets_pipe": None}
    return {**given, **defaults, "catalogue_permissions": LISTED, **more}


def run(given: dict[str, Any], pipe: SecretPipe | None = None) -> dict[str, Any]:
    return environments_result(bring_tenants(FakeModule(given), read_orders(given), pipe))


def of(server: EntraServer, name: str) -> dict[str, Any]:
    return {**entry(name), "tenant_id": server.directory.tenant_id.upper()}


def test_tenants_are_worked_on_at_the_same_time_each_by_its_own_sign_in(
    server: EntraServer, second: EntraServer
) -> None:
    together, met = threading.Barrier(2, timeout=PATIENCE), set[int]()

    def meet(number: int, moment: str, key: int) -> None:
        """The first request to each of both waits for that to the other."""
        if (number, moment) == (1, "before"):
            together.wait()
            met.add(key)

    server.hook = lambda number, moment: meet(number, moment, 1)
    second.hook = lambda number, moment: meet(number, moment, 2)
    given = params([of(server, "one"), of(second, "two")], tenants=[sign_in(server), sign_in(second)])
    result = run(given)
    assert met == {1, 2} and "failed" not in result
    for tenant, name in ((server, "one"), (second, "two")):
        made = result["environments"][name]
        assert made["directory_id"] == tenant.directory.tenant_id
        assert tenant.signs_in(made["app_id"], result["secrets"][name]) and tenant.sign_ins == 1
        assert [one["before_header"] for one in made["diff"]] == [
            f"mailroom-{name} (application)",
            f"mailroom-{name}, secret mail",
        ]


def test_a_tenant_that_is_dead_or_refuses_fails_its_own_environments_only(
    server: EntraServer, second: EntraServer
) -> None:
    second.faults = {1: "403"}
    dead = {**sign_in(server), "tenant_id": "33333333-4444-5555-6666-777777777777", "client_secret": "of the dead one"}
    dead |= {"authority": "https://127.0.0.1:9", "graph_url": "https://127.0.0.1:9"}
    gone = {**entry("gone"), "tenant_id": dead["tenant_id"]}
    given = params([gone, of(second, "no"), of(server, "yes")], tenants=[dead, sign_in(second), sign_in(server)])
    result = run(given)
    found = result["environments"]
    assert result["failed"] and found["yes"]["problems"] == [] and set(result["secrets"]) == {"yes"}
    assert "the sign-in failed" in found["gone"]["problems"][0] and "denied" in found["no"]["problems"][0].lower()
    assert result["msg"].count("the sign-in failed") == 1, "told once for the tenant"
    secrets = [one["client_secret"] for one in given["tenants"]]
    assert not any(value in str({**result, "secrets": None}) for value in [*secrets, *result["secrets"].values()])


def test_a_fault_of_ours_in_one_tenant_is_told_without_its_words_and_stops_no_other(
    server: EntraServer, second: EntraServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(entries: Any, *others: Any) -> Any:
        if entries[0]["environment"] == "one":
            raise ValueError("a value that nobody may see")
        return read_declared(entries, *others)

    monkeypatch.setattr(tenants_run, "read_declared", broken)
    result = run(params([of(server, "one"), of(second, "two")], tenants=[sign_in(server), sign_in(second)]))
    (told,) = result["environments"]["one"]["problems"]
    assert "ValueError in test_tenants_run.py" in told and "nobody may see" not in str(result)
    assert result["environments"]["two"]["problems"] == [] and result["secrets"]["two"]


def test_one_tenant_is_asked_as_before(server: EntraServer) -> None:
    result = run(params([entry("one")], tenant=sign_in(server)))
    assert server.signs_in(result["environments"]["one"]["app_id"], result["secrets"]["one"])


@pytest.mark.parametrize(
    ("environments", "told"),
    [
        ([{"environment": "a", "tenant_id": SECOND}], "a: tenant_id"),
        ([{"environment": "a", "tenant_id": None}], "a: tenant_id"),
        ([{"environment": "a", "tenant_id": "x"}, {"environment": "a", "tenant_id": "x"}], "a: environments"),
    ],
    ids=["another tenant", "no tenant", "twice"],
)
def test_what_does_not_belong_together_is_refused(environments: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(Refused, match=told):
        read_orders(params(environments, tenants=[{"tenant_id": "x"}]))


def test_a_tenant_twice_is_refused_and_one_without_environments_is_not_asked() -> None:
    with pytest.raises(Refused, match="twice"):
        read_orders(params([], tenants=[{"tenant_id": "X"}, {"tenant_id": "x"}]))
    assert read_orders(params([], tenants=[{"tenant_id": "x"}])) == []


@contextlib.contextmanager
def intake(folder: Path, stored: dict[str, Mapping[str, Any]]) -> Iterator[SecretPipe]:
    """A pipe whose reader keeps what comes."""
    with SecretIntake(folder / "secrets", stored.update):
        yield SecretPipe(str(folder / "secrets"))


def test_a_secret_is_handed_over_before_the_tenant_is_asked_again(server: EntraServer, tmp_path: Path) -> None:
    stored, arrived, late = dict[str, Mapping[str, Any]](), threading.Event(), list[int]()

    class Noted(dict[str, Mapping[str, Any]]):
        def update(self, *more: Any, **others: Any) -> None:
            stored.update(*more, **others)
            arrived.set()

    def look(number: int, moment: str) -> None:
        made = [path for _method, path in server.requests[: number - 1] if path.endswith("addPassword")]
        if moment == "before" and made and not arrived.wait(PATIENCE):
            late.append(number)

    server.hook = look
    with intake(tmp_path, Noted()) as pipe:
        result = run(params([entry("one")], tenant=sign_in(server)), pipe)
    assert arrived.is_set() and late == []
    made, one = result["environments"]["one"], stored["one"]
    assert one["secret"] == result["secrets"]["one"]
    assert {name: made[name] for name in ("directory_id", "app_id", "key_id")}.items() <= one["found"].items()
    assert one["found"]["end_date_time"][:10] == made["end_date_time"][:10]


def test_without_a_reader_no_secret_is_made(server: EntraServer, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    os.mkfifo(path)
    with pytest.raises(Refused, match="nobody is there"):
        SecretPipe(str(path))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    pipe = SecretPipe(str(path))
    assert pipe.is_heard()
    os.close(reader)
    result = run(params([entry("one")], tenant=sign_in(server)), pipe)
    assert result["due"] == ["one"] and result["secrets"] == {}
    (application,) = server.truth.find("applications", uniqueName="mailroom-one")
    assert application["passwordCredentials"] == []
    pipe.give("tenant", "one", CredentialOutcome("app", CredentialPlan(), []))  # it is no error


def test_a_store_that_fails_does_not_stop_the_module(tmp_path: Path) -> None:
    def fail(made: Mapping[str, Mapping[str, Any]]) -> None:
        raise ValueError(made)

    outcome = CredentialOutcome("app", CredentialPlan(), [], {"keyId": "k"}, "s" * 4000)
    with SecretIntake(tmp_path / "secrets", fail):
        pipe = SecretPipe(str(tmp_path / "secrets"))
        for number in range(40):
            pipe.give("t", str(number), outcome)  # more than a pipe holds


def test_many_secrets_come_through_whole_and_in_order(tmp_path: Path) -> None:
    stored: dict[str, Mapping[str, Any]] = {}
    outcome = CredentialOutcome("app", CredentialPlan(), [], {"keyId": "k"}, "s" * 400)

    def give_some(first: int) -> None:
        for number in range(100):
            assert pipe.is_heard()
            pipe.give("t", f"{first}-{number}", outcome)

    with intake(tmp_path, stored) as pipe, ThreadPoolExecutor(8) as threads:
        assert list(threads.map(give_some, range(8))) == [None] * 8
    assert len(stored) == 800 and all(one["secret"] == "s" * 400 for one in stored.values())

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the Entra modules that die: at any request to Graph, before it is done or before it is answered, or at any
moment. Then the next run ends with one application, one usable secret, and nothing else of the tenant touched."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import select
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.faults.entra_work import WORK, Work
from ansible_collections.mailroom.erp.tests.faults.nursery import JsonProcess
from ansible_collections.mailroom.erp.tests.servers.entra.directory import GRAPH, GRAPH_ROLES
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import GRANT, MANAGE_OWN, SCOPE, SEE_SCOPES

VICTIM = Path(__file__).with_name("entra_victim.py")
RIGHTS = [MANAGE_OWN, *GRANT, *SCOPE, *SEE_SCOPES]
MOMENTS = ["before", "after"]
LAGS = range(6)
"""By how many requests reads are behind writes."""
RANDOM_KILLS = 30
PACE = {"timeout": 10.0, "poll_interval": 0.002}


class Tenant(JsonProcess):
    """The test tenant, and runs on it that may be killed."""

    def __init__(self, server: EntraServer) -> None:
        self.server = server
        self.option = server.tenant_option(server.directory.add_client("automation", RIGHTS), **PACE)
        foreign = server.directory.new_application({"displayName": "Payroll"}, None, [])
        server.directory.new_secret(foreign["id"], {"displayName": "mail"})
        super().__init__(VICTIM)

    def begin(self, work: Work, number: int, lag: int) -> None:
        """Prepare a number of a work; reads lag from now on."""
        work.begin(number)
        self.server.plan(lag=lag)

    def run(
        self, job: str, params: dict[str, Any], kill_at: tuple[int, str] = (0, ""), kill_after: float | None = None
    ) -> dict[str, Any] | None:
        """Run once; None when the run was killed.

        :param kill_at: the number of a request of this run, and the moment
        :param kill_after: seconds
        """
        started, pids, first = threading.Event(), list[int](), len(self.server.requests)

        def kill(number: int, moment: str) -> None:
            if (number - first, moment) == kill_at:
                assert started.wait(10)
                os.kill(pids[0], signal.SIGKILL)

        self.server.hook = kill
        self.write({"job": job, "tenant": self.option, "params": params})
        pids.append(self.read())
        started.set()
        output = self._process.stdout
        assert output is not None
        if kill_after is not None and not select.select([output], [], [], kill_after)[0]:
            # It may have ended this very moment.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[0], signal.SIGKILL)
        result: dict[str, Any] | None = self.read()
        self.server.hook = lambda number, moment: None
        assert result is None or "error" not in result, result["error"]
        return result

    def finish(self, work: Work, number: int) -> None:
        """Run without a kill, and see what came of it all."""
        following = self.run(work.job, work.params(number))
        assert following is not None
        work.check(number, following)
        work.check_tenant(number)


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    with EntraServer() as started, Tenant(started) as runs:
        yield runs


each_work = pytest.mark.parametrize("kind", WORK.values(), ids=WORK)


@pytest.mark.parametrize("moment", MOMENTS)
@each_work
def test_the_next_run_ends_what_a_killed_one_began(
    tenant: Tenant, tmp_path: Path, kind: type[Work], moment: str
) -> None:
    work = kind(tenant.server, tmp_path)
    for number in itertools.count(1):
        tenant.begin(work, number, number % len(LAGS))
        lived = tenant.run(work.job, work.params(number), (number, moment))
        tenant.finish(work, number)
        if lived is not None:
            break
    assert number > 8, "a run that makes something asks more than that"


@pytest.mark.parametrize("moment", MOMENTS)
@each_work
def test_runs_that_all_die_leave_no_heap(tenant: Tenant, tmp_path: Path, kind: type[Work], moment: str) -> None:
    """Each is killed one request later than the one before, until one lives."""
    work = kind(tenant.server, tmp_path)
    tenant.begin(work, 1, 0)
    for number in itertools.count(1):
        tenant.server.lag = number % len(LAGS)
        lived = tenant.run(work.job, work.params(1), (number, moment))
        work.check_heap(1)
        if lived is not None:
            break
    tenant.finish(work, 1)


@each_work
def test_a_death_at_a_random_moment_harms_nothing(tenant: Tenant, tmp_path: Path, kind: type[Work]) -> None:
    work, seed = kind(tenant.server, tmp_path), random.randrange(2**32)
    rng, seconds, killed = random.Random(seed), 0.0, 0
    # The first run waits until the process is ready, the second tells how long one takes.
    for number in (-1, 0):
        tenant.begin(work, number, 3)
        start = time.monotonic()
        tenant.finish(work, number)
        seconds = time.monotonic() - start
    for number in itertools.count(1):
        tenant.begin(work, number, rng.choice(LAGS))
        try:
            for _death in range(rng.choice((1, 1, 2, 5))):
                killed += tenant.run(work.job, work.params(number), kill_after=rng.uniform(0, seconds)) is None
                work.check_heap(number)
            tenant.finish(work, number)
        except AssertionError as error:
            raise AssertionError(f"with the seed {seed}, number {number}") from error
        if killed >= RANDOM_KILLS:
            break


@pytest.mark.parametrize("hours", [0, 3])
@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_scope_never_leaves_the_erp_without_the_right(
    tenant: Tenant, moment: str, lag: int, hours: int
) -> None:
    """Killed while the mailbox is granted (at once), or while the grant of the tenant is taken away (hours later)."""
    server, directory = tenant.server, tenant.server.directory
    (owner,) = server.truth.find("servicePrincipals", displayName="automation")
    (graph,) = server.truth.find("servicePrincipals", appId=GRAPH)
    user = directory.add_user("erp@acme.example")
    principals: dict[int, dict[str, Any]] = {}
    told: list[dict[str, Any]] = []

    def params(number: int) -> dict[str, Any]:
        """An application that the whole tenant lets send; hours later, with its mailbox granted since."""
        declared = {"unique_name": f"erp-{number}", "roles": ["Application Mail.Send"], "minutes": 0}
        declared["mailboxes"] = ["erp@acme.example"]
        if number not in principals:
            made = directory.new_application({"displayName": "ERP"}, f"erp-{number}", [owner["id"]])
            principals[number] = directory.new_principal(made["appId"])
            directory.assign(principals[number], graph, GRAPH_ROLES["Mail.Send"])
            directory.settle()
            if hours:
                tenant.run("scope", dict(declared))
                server.plan(lag=lag)
        return {**declared, "minutes": hours * 60}

    def check(number: int, following: dict[str, Any]) -> None:
        named = f"/ServicePrincipals/{principals[number]['id']}"
        (assignment,) = server.truth.find("roleAssignments", principalId=named)
        assert assignment["directoryScopeId"] == f"/Users/{user['id']}", number
        wide = server.truth.find("appRoleAssignments", principalId=principals[number]["id"])
        assert (len(wide), following["state"]) == ((0, "effective") if hours else (1, "tenant_wide")), number
        assert directory.may_act(principals[number]["appId"], user)
        told.append(following)

    for number in itertools.count(1):
        server.plan(lag=lag)
        lived = tenant.run("scope", params(number), (number, moment))
        server.plan(lag=lag)
        following = tenant.run("scope", params(number))
        assert following is not None
        check(number, following)
        if lived is not None:
            break
    assert number > 8, "a run that changes something asks more than that"
    assert any(one["changed"] for one in told) and not told[-1]["changed"]

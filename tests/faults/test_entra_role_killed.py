# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role mail_entra and the rotation of secrets, killed at random requests with reads that lag behind: the next run
ends what was begun."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import (
    PASSWORD,
    estate_of,
    kill_the_run,
    king,
    profit,
    stored,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.shapes import Json

KILLS = 30
ROTATION_KILLS = 10
LAGS = range(6)
PLAY = """---
- hosts: all
  gather_facts: false
  roles:
    - mailroom.erp.erp_mail
    - mailroom.erp.mail_entra
"""


class RoleRuns:
    """Runs of the role that are killed, and a run after them that is not."""

    def __init__(self, folder: Path, server: EntraServer, seed: int, play: str = PLAY) -> None:
        self.folder, self.server, self.rng, self._play = folder, server, random.Random(seed), play
        self.killed, self._longest = 0, 0
        (folder / "password").write_text(PASSWORD, encoding="utf-8")

    def run(self, hosts: dict[str, Any]) -> Result:
        quick = ("-e", "mail_rotate_delay=0")
        return run_playbook(self.folder, self._play, hosts, *quick, f"--vault-password-file={self.folder / 'password'}")

    def kill_some(self, hosts: dict[str, Any], name: str, most: int) -> None:
        """Kill one run or several in a row, and end with one that lives.

        :param name: of the environment
        :param most: how many secrets its application may have meanwhile
        """
        self.server.plan(lag=self.rng.choice(LAGS))
        for _death in range(self.rng.choice((1, 2, 3)) if self._longest else 0):
            first, kill_at = len(self.server.requests), self.rng.randint(1, self._longest)
            moment = self.rng.choice(("before", "after"))

            def kill(number: int, now: str, when: tuple[int, str] = (first + kill_at, moment)) -> None:
                if (number, now) == when:
                    kill_the_run(depth=2)

            self.server.hook = kill
            self.killed += self.run(hosts).rc == -9
            self.server.hook = lambda number, now: None
            made = self.server.truth.find("applications", uniqueName=f"mailroom-{name}")
            assert all(len(one["passwordCredentials"]) <= most for one in made)
        first = len(self.server.requests)
        result = self.run(hosts)
        assert result.rc == 0, result.output
        self._longest = max(self._longest, len(self.server.requests) - first)


@pytest.fixture
def server() -> Iterator[EntraServer]:
    with EntraServer() as started:
        for name in ("erp", "office"):
            started.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        yield started


def check(folder: Path, server: EntraServer, name: str, kept: list[str]) -> Json:
    """One application with one usable secret beside those that the ERP uses; returns its entry in the vault."""
    (application,) = server.truth.find("applications", uniqueName=f"mailroom-{name}")
    (principal,) = server.truth.find("servicePrincipals", appId=application["appId"])
    granted = server.truth.find("appRoleAssignments", principalId=principal["id"])
    assert len(granted) == len({one["appRoleId"] for one in granted}) == 2
    entry: Json = stored(folder)[name]
    assert [one["keyId"] for one in application["passwordCredentials"]] == [*kept, entry["key_id"]]
    assert server.signs_in(application["appId"], entry["secret"])
    return entry


def make_due(server: EntraServer, name: str, days: int = 10) -> None:
    """Let the secret of an application end soon."""
    (application,) = server.truth.find("applications", uniqueName=f"mailroom-{name}")
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    start = soon - datetime.timedelta(days=180)
    for one in application["passwordCredentials"]:
        one["startDateTime"], one["endDateTime"] = (f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in (start, soon))


def test_the_role_killed_at_random_requests_loses_nothing(estate: Path, server: EntraServer) -> None:
    seed = random.randrange(2**32)
    runs, entries = RoleRuns(estate, server, seed), dict[str, Json]()
    vendor = king(server)
    hosts = estate_of(server, {})
    for number in itertools.count():
        name = f"erp{number}"
        hosts["all"]["hosts"] = {name: profit("erp"), "office": vendor}
        try:
            runs.kill_some(hosts, name, 1)
            first = check(estate, server, name, [])
            make_due(server, name)
            runs.kill_some(hosts, name, 2)
            entries[name] = check(estate, server, name, [first["key_id"]])
        except AssertionError as error:
            raise AssertionError(f"with the seed {seed}, {name}") from error
        assert {one: entry for one, entry in stored(estate).items() if one in entries} == entries, "nothing is lost"
        if runs.killed >= KILLS:
            break
    (principal,) = server.truth.find("servicePrincipals", appId=vendor["erp_mail_consent"]["app_id"])
    assert len(server.truth.find("oauth2PermissionGrants", clientId=principal["id"])) == 1
    ours = {f"mailroom-{name}" for name in entries}
    assert {one["uniqueName"] for one in server.truth["applications"].values()} == {*ours, None}, "and the automation"


def test_the_rotation_killed_at_random_requests_always_leaves_a_secret_that_works(
    estate: Path, server: EntraServer
) -> None:
    seed = random.randrange(2**32)
    setup, runs = RoleRuns(estate, server, seed), RoleRuns(estate, server, seed, "mailroom.erp.rotate_secrets")
    declared = estate_of(
        server, {"erp": profit("erp")}, mail_entra_secret={"overlap": 0}, mail_rotate_test_to="tests@acme.example"
    )
    assert setup.run(declared).rc == 0
    host = declared["all"]["hosts"]["erp"]
    keys = []
    while runs.killed < ROTATION_KILLS:
        used = stored(estate)["erp"]
        make_due(server, "erp", days=20)
        runs.kill_some(declared, "erp", 2)
        entry = check(estate, server, "erp", [used["key_id"]])
        assert server.signs_in(entry["application_id"], used["secret"]), f"the ERP still uses it, seed {seed}"
        host["mail_entra_confirmed_key_id"] = entry["key_id"]
        runs.kill_some(declared, "erp", 2)
        check(estate, server, "erp", [])
        keys.append(entry["key_id"])
    assert len(server.directory.sent) <= len(keys), f"no message twice, seed {seed}"

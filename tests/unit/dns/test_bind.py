# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The BIND 9 that the tests start: it answers, takes updates, leaves nothing behind, and says why it does not start."""

from __future__ import annotations

import pytest
from ansible_collections.mailroom.erp.tests.servers import bind
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.server import zone_text


def test_it_answers_and_takes_updates_and_is_gone_afterwards() -> None:
    with Bind({"acme.example": zone_text("acme.example", '@ TXT "one"', serial=41, ttl=77)}) as server:
        assert (server.values("acme.example", "TXT"), server.ttl("acme.example", "TXT")) == (['"one"'], 77)
        update = server.update("acme.example")
        update.add("@", 60, "TXT", "two")
        server.send(update)
        assert server.values("acme.example", "TXT") == ['"one"', '"two"']
        assert server.serial("acme.example") == 42
        assert "allow-update" in (server.folder / "named.conf").read_text()
        process = server._process
    assert process is not None and process.returncode is not None
    assert not server.folder.exists()


def test_zones_may_differ_in_who_updates_them() -> None:
    zones = {zone: zone_text(zone) for zone in ("a.example", "b.example")}
    with Bind(zones, zone_updates={"b.example": bind.UPDATES_OF_TXT_ONLY}) as server:
        for zone, rdtype, data, done in (
            ("a.example", "A", "192.0.2.1", True),
            ("b.example", "TXT", "x", True),
            ("b.example", "A", "192.0.2.1", False),
        ):
            update = server.update(zone)
            update.add("@", 60, rdtype, data)
            if done:
                server.send(update)
            else:
                with pytest.raises(AssertionError, match="REFUSED"):
                    server.send(update)


def test_a_broken_zone_fails_with_the_log() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)did not start:.*unknown option 'nonsense'"):
        Bind({"acme.example": zone_text("acme.example")}, updates="nonsense;")


def test_a_missing_named_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    with pytest.raises(RuntimeError, match="install the Debian package bind9"):
        Bind({})

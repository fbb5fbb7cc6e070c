# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of smtp_probe in this process: many environments on few servers, options, and what is told of another place."""

from __future__ import annotations

import copy
import socket
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_result_data import place_commands
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import ServerExpectations
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import (
    SMTP_PROBE_OPTIONS,
    wrong_smtp_probe_arguments,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_run import run_smtp_probe
from ansible_collections.mailroom.erp.tests.servers.scripted import Script, ScriptedServer
from ansible_collections.mailroom.erp.tests.servers.scripted_smtp import smtp_script
from ansible_collections.mailroom.erp.tests.servers.server_certificates import Issued, issued
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import Ended, FakeModule
from hypothesis import given
from hypothesis import strategies as st


def run(check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Run the module's work with these options; gives its result."""
    checked = ArgumentSpecValidator(SMTP_PROBE_OPTIONS).validate(copy.deepcopy({"timeout": 3.0, **options}))
    assert not checked.error_messages, checked.error_messages
    with pytest.raises(Ended) as ended:
        run_smtp_probe(FakeModule(checked.validated_parameters, check_mode))
    return ended.value.result


class Counting:
    """A script that counts its connections."""

    def __init__(self, script: Script) -> None:
        self._script, self._lock = script, threading.Lock()
        self.all = 0

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self.all += 1
        self._script(connection)


def test_three_hundred_environments_on_one_server_are_one_look(authority: Issued, ca_file: str, tmp_path: Path) -> None:
    script = Counting(smtp_script(issued(issuer=authority).context(tmp_path / "server.pem")))
    with ScriptedServer(script) as server:
        asked = [
            {
                "name": f"env_{number}",
                "host": "LOCALHOST." if number % 2 else "localhost",
                "port": server.port,
                "security": ("starttls", "opportunistic", "none")[number % 3],
                "expect": {"min_size": 2_000_000} if number == 7 else {},
                "probe_from": "here",
            }
            for number in range(300)
        ]
        done = run(servers=asked, ca_file=ca_file)
    assert (script.all, done["connections"]) == (3, 3)
    assert [one["name"] for one in done["servers"]] == [one["name"] for one in asked]
    assert Counter(one["result"] for one in done["servers"]) == {"pass": 299, "fail": 1}
    assert done["servers"][7]["findings"][0]["name"] == "size_too_small" and done["result"] == "fail"
    assert list(done["seen"]) == [f"localhost port {server.port}"] and done["changed"] is False
    assert {one["seen"] for one in done["servers"]} == set(done["seen"])


def test_check_mode_does_the_same(ca_file: str) -> None:
    with ScriptedServer(smtp_script()) as server:
        one = {"host": "localhost", "port": server.port, "security": "none", "probe_from": "here", "ca_file": ca_file}
        results = [run(check_mode, **one) for check_mode in (False, True)]
    assert [result["result"] for result in results] == ["pass", "pass"]
    assert results[0]["servers"] == results[1]["servers"]


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("order", [1, -1])
def test_both_kinds_of_start_on_one_port_share_the_connections(
    authority: Issued, ca_file: str, tmp_path: Path, implicit: bool, order: int
) -> None:
    context = issued(issuer=authority).context(tmp_path / "server.pem")
    script = Counting(smtp_script(context, implicit=implicit))
    with ScriptedServer(script) as server:
        asked = [{"host": "localhost", "port": server.port, "security": kind} for kind in ("starttls", "implicit")]
        done = run(servers=asked[::order], ca_file=ca_file, timeout=2.0)
    found = {one["security"]: [finding["name"] for finding in one["findings"]] for one in done["servers"]}
    right, wrong = ("implicit", "starttls") if implicit else ("starttls", "implicit")
    assert (found[right], found[wrong]) == (["other_place"], ["other_security", "other_place"])
    assert script.all <= 3 and script.all == done["connections"]


def test_many_servers_at_the_same_time_but_no_more_than_told(ca_file: str) -> None:
    lock, now, most = threading.Lock(), 0, 0
    plain = smtp_script()

    def slow(connection: socket.socket) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.1)
        with lock:
            now -= 1
        plain(connection)

    servers = [ScriptedServer(slow) for _number in range(12)]
    try:
        asked = [{"host": "localhost", "port": one.port, "security": "none", "probe_from": "here"} for one in servers]
        done = run(servers=asked, concurrency=4, ca_file=ca_file)
    finally:
        for one in servers:
            one.stop()
    assert done["result"] == "pass" and 2 <= most <= 4


def test_no_servers_are_no_trouble() -> None:
    done = run(servers=[])
    assert (done["result"], done["servers"], done["seen"], done["connections"]) == ("pass", [], {}, 0)


@pytest.mark.parametrize("place", [None, "the ERP's own network"])
def test_seen_from_here_is_never_a_pass_elsewhere(ca_file: str, place: str | None) -> None:
    with ScriptedServer(smtp_script(clear=["SIZE 10"])) as server:
        wanted = {"min_size": 100}
        done = run(
            host="localhost", port=server.port, security="none", expect=wanted, probe_from=place, ca_file=ca_file
        )
    (one,) = done["servers"]
    assert (one["result"], [finding["name"] for finding in one["findings"]]) == (
        "unknown",
        ["size_too_small", "other_place"],
    )
    assert one["findings"][0]["text"].startswith("seen from here: ")
    assert one["commands"] == [
        {"tool": "PowerShell", "command": f"Test-NetConnection -ComputerName localhost -Port {server.port}"}
    ]


COMMANDS = [
    ("mx.acme.example", 587, "starttls", None, "-starttls smtp -connect {} -servername {h} -verify_hostname {h}"),
    ("mx.acme.example", 465, "implicit", "1.2", "-connect {} -servername {h} -verify_hostname {h} -no_tls1_3"),
    ("192.0.2.1", 25, "opportunistic", "1.3", "-starttls smtp -connect {} -noservername -verify_ip {h}"),
]


@pytest.mark.parametrize(("host", "port", "security", "tls", "command"), COMMANDS)
def test_the_command_for_another_place(host: str, port: int, security: str, tls: str | None, command: str) -> None:
    commands = place_commands(host, port, ServerExpectations(security, tls=tls))
    assert [one["tool"] for one in commands] == ["PowerShell", "OpenSSL"]
    assert commands[1]["command"] == "openssl s_client " + command.format(f"{host}:{port}", h=host)


def test_the_command_for_an_ipv6_address() -> None:
    command = place_commands("2001:db8::1", 465, ServerExpectations("implicit"))[1]["command"]
    assert "-connect [2001:db8::1]:465 " in command


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "host is required"),
    ({"host": "mx acme"}, "host is required"),
    ({"host": "$(reboot)"}, "host is required"),
    ({"host": "-starttls"}, "host is required"),
    ({"host": "mäil.example"}, "A-labels"),
    ({"host": "a..example"}, "host is required"),
    ({"host": "x" * 64 + ".example"}, "host is required"),
    ({"host": "a:b"}, "host is required"),
    ({"host": "fe80::1%eth0"}, "host is required"),
    ({"host": "a", "port": 0}, "port must be a number from 1 to 65535"),
    ({"host": "a", "port": 65536}, "port must be a number"),
    ({"host": "a", "port": True}, "port must be a whole number"),
    ({"host": "a", "security": "tls"}, "security must be one of"),
    ({"host": "a", "timeout": 0}, "timeout must be"),
    ({"host": "a", "timeout": 1e9}, "timeout must be"),
    ({"host": "a", "timeout": "nan"}, "timeout must be"),
    ({"host": "a", "concurrency": 51}, "concurrency must be"),
    ({"host": "a", "concurrency": 0}, "concurrency must be"),
    ({"host": "a", "ehlo_name": "a b"}, "ehlo_name must be"),
    ({"host": "a", "ehlo_name": "a\r\nMAIL"}, "ehlo_name must be"),
    ({"host": "a", "probe_from": "x\ny"}, "probe_from must be one line"),
    ({"host": "a", "name": "x" * 201}, "name must be one line"),
    ({"host": "a", "expect": {"auth": "PLAIN LOGIN"}}, "expect.auth must be"),
    ({"host": "a", "expect": {"auth": ""}}, "expect.auth must be"),
    ({"host": "a", "probe_from": ""}, "probe_from must be one line"),
    ({"host": "a", "expect": {"tls": "1.4"}}, "expect.tls must be one of"),
    ({"host": "a", "expect": {"min_size": -1}}, "expect.min_size must be"),
    ({"host": "a", "expect": {"min_size": 10**400}}, "expect.min_size must be"),
    ({"host": "a", "expect": {"size": 1}}, "no such option: expect.size"),
    ({"host": "a", "hosts": "b"}, "no such option: hosts; did you mean host?"),
    ({"servers": [{"host": "a"}], "host": "b"}, "host: give servers, or one server"),
    ({"servers": [{"port": 25}]}, "servers[0].host is required"),
    ({"servers": [None]}, "servers[0] must be a dictionary"),
    ({"servers": {"host": "a"}}, "servers must be a list"),
]


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_a_wrong_option_is_told(options: dict[str, Any], words: str) -> None:
    problems = wrong_smtp_probe_arguments(options)
    assert words in "\n".join(problems), problems


@pytest.mark.parametrize("content", [None, "no certificate", ""])
def test_a_file_of_authorities_that_cannot_be_used(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    done = run(host="localhost", ca_file=str(file))
    assert done["failed"] and "ca_file" in done["msg"] and "PEM form" in done["msg"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*SMTP_PROBE_OPTIONS, "other"]), _VALUES, max_size=5))
def test_no_options_are_an_error_of_ours(options: dict[str, Any]) -> None:
    assert all(isinstance(one, str) for one in wrong_smtp_probe_arguments(options))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that say anything, endlessly or one byte at a time; and secrets that a server gives back."""

from __future__ import annotations

import base64
import json
import socket
import time

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.sasl import spellings
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import SecretMask
from ansible_collections.mailroom.erp.tests.servers.mail_server import MailServer
from ansible_collections.mailroom.erp.tests.servers.scripted import Script, ScriptedServer
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import PASSWORD, SENDER, Run, signed_in
from hypothesis import given, settings
from hypothesis import strategies as st

SECONDS = 1.0


def says(*replies: bytes) -> Script:
    """Say one thing after each line of the client, the first at once."""

    def script(connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        for number, reply in enumerate(replies):
            if number:
                reader.readline()
            connection.sendall(reply)
        time.sleep(3)

    return script


def drips(connection: socket.socket) -> None:
    for _number in range(1000):
        connection.sendall(b"2")
        time.sleep(0.05)


def floods(connection: socket.socket) -> None:
    for _number in range(100_000):
        connection.sendall(b"220-hello\r\n")


def shouts(connection: socket.socket) -> None:
    for _number in range(1000):
        connection.sendall(b"2" * 10_000)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


HOSTILE: list[tuple[Script, str]] = [
    (drips, "in time"),
    (floods, "lines"),
    (shouts, "longer than"),
    (reset, "Connection reset"),
    (says(), "in time"),
    (says(b"HTTP/1.1 400 Bad Request\r\n"), "not as an SMTP server does"),
    (says(b"220 hi\r\n", b"2\r\n"), "not as an SMTP server does"),
    (says(b"220 hi\r\n", b"250-hi\r\n250-STARTTLS\r\n250 OK\r\n", b"220 go\r\n250 x\r\n"), "went on in clear text"),
    (says(b"220 hi\r\n", b"250-hi\r\n250-STARTTLS\r\n250 OK\r\n", b"220 go\r\nno TLS here"), "clear text"),
    (says(b"220 hi\r\n", b"250-hi\r\n250-STARTTLS\r\n250 OK\r\n", b"220 go\r\n"), ""),
]


@pytest.mark.parametrize(("script", "words"), HOSTILE, ids=[f"{n}" for n in range(len(HOSTILE))])
def test_a_hostile_server_ends_in_one_sentence(run: Run, script: Script, words: str) -> None:
    start = time.monotonic()
    with ScriptedServer(script) as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "user": SENDER, "password": PASSWORD, "timeout": SECONDS}
        done = run(smtp=smtp)
    assert time.monotonic() - start < 6 * SECONDS
    assert (done["failed"], done["outcome"], done["sent"]) == (True, "not_sent", False), done
    assert words in done["msg"] and done["msg"].isprintable() and len(done["msg"]) < 2000


def test_a_banner_that_refuses(run: Run) -> None:
    with ScriptedServer(says(b"554 5.7.1 No \x1b[31mservice\x00 \xff for you\r\n")) as server:
        done = run(smtp={"host": "127.0.0.1", "port": server.port, "auth": "none", "security": "none"})
    assert (done["outcome"], done["answer"]["code"]) == ("refused", 554)
    assert done["answer"]["text"] == r"No \x1b[31mservice\x00 \xff for you"


def test_nobody_listens(run: Run) -> None:
    done = run(smtp={"host": "127.0.0.1", "port": 9, "auth": "none", "security": "none"})
    assert (done["outcome"], done["cause"]["name"]) == ("not_sent", "no_answer") and "refused" in done["msg"]


@pytest.mark.parametrize("auth", ["plain", "login", "xoauth2"])
@pytest.mark.parametrize("stage", ["auth", "mail", "message"])
def test_a_secret_that_the_server_gives_back_is_masked(run: Run, server: MailServer, auth: str, stage: str) -> None:
    token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.canary-payload-7f3a9c1e5b.signature"
    server.takes_token = lambda token, user: True
    server.answers = {stage: "550 5.7.1 you said {said}, and I tell everybody"}
    smtp = signed_in(server, auth=auth)
    if auth == "xoauth2":
        smtp = server.smtp_option(auth="xoauth2", user=SENDER, access_token=token)
    done = run(smtp=smtp)
    assert done["outcome"] == "refused" and "and I tell everybody" in done["msg"] and "****" in done["msg"]
    shown = json.dumps(done)
    secret = token if auth == "xoauth2" else PASSWORD
    for spelling in [*spellings(secret), *server.said]:
        assert spelling not in shown
    assert secret[:12] not in shown and base64.b64encode(secret.encode()).decode()[:12] not in shown


@settings(max_examples=200, deadline=None)
@given(
    secret=st.text(min_size=8, max_size=60),
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    cut=st.integers(0, 10),
)
def test_no_part_of_a_secret_is_left(secret: str, before: str, after: str, cut: int) -> None:
    mask = SecretMask([secret, None, ""])
    shown = mask.clean(before + secret[cut:] + after)
    assert shown.isprintable() or shown == ""
    plain = secret.encode("unicode_escape").decode()
    if len(secret[cut:]) >= 8 and secret.isascii() and secret.isprintable() and "*" not in secret:
        assert secret[cut:] not in shown and plain is not None
    assert len(shown) <= 1003


def test_the_whole_of_a_long_answer_is_cut() -> None:
    assert len(SecretMask([]).clean("x" * 100_000)) == 1003

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that comes drop by drop, or has no end, is given up by every client of an API."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests
from ansible_collections.mailroom.erp.plugins.module_utils import whole_answer as bounds
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare import cloudflare_api
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip import transip_api
from ansible_collections.mailroom.erp.plugins.module_utils.entra import http
from ansible_collections.mailroom.erp.plugins.module_utils.whole_answer import WholeAnswer, whole_answer, within

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
DROP = 0.05
"""Seconds between two bytes: no wait for one of them ever ends too late."""


@contextlib.contextmanager
def dripping(start: bytes) -> Iterator[str]:
    """A server that answers with the start of something, and then a blank now and again; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(start)
            while not stopped.wait(DROP):
                connection.sendall(b" ")

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.close()


def ask_cloudflare(url: str) -> None:
    api = cloudflare_api.CloudflareApi({"api_token": "token-0815", "base_url": url, "timeout": 0.2}, print)
    with pytest.raises(ProviderError, match="could not be asked: the answer had no end after 0 seconds"):
        api.zones_named("acme.example")


def ask_transip(url: str) -> None:
    api = transip_api.TransipApi({"login": "acme", "token": "token-0815", "base_url": url, "timeout": 0.2}, print)
    with pytest.raises(ProviderError, match="could not be asked: ReadTimeout: the answer had no end after 0 seconds"):
        api.domains("acme.example")


def ask_graph(url: str) -> None:
    with pytest.raises(requests.ReadTimeout, match="the answer had no end after 0 seconds"):
        http.Http(None).get(url)


@pytest.mark.parametrize("start", [HEAD, b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["body", "header"])
@pytest.mark.parametrize("ask", [ask_cloudflare, ask_transip, ask_graph])
def test_an_answer_that_drips_is_given_up(
    ask: Callable[[str], None], start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "TIMES_ONE_WAIT", 2)
    monkeypatch.setattr(cloudflare_api, "TIMES_ONE_WAIT", 2)
    monkeypatch.setattr(cloudflare_api, "CLOUDFLARE_PAUSE", 0.0)
    monkeypatch.setattr(transip_api, "TRANSIP_PAUSE", 0.0)
    monkeypatch.setattr(http, "ANSWER_TIMEOUT", 0.2)
    with dripping(start) as url:
        ask(url)


def test_an_answer_that_is_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LARGEST_ANSWER", 10)
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * 100000
    with dripping(long) as url, pytest.raises(requests.ReadTimeout, match="more than 10 bytes"):
        whole_answer(lambda: requests.get(url, stream=True, timeout=5), 5)


def test_a_whole_answer_is_what_was_sent() -> None:
    with dripping(b"HTTP/1.1 404 Gone\r\nX-One: 1\r\nContent-Length: 3\r\n\r\n\xc3\xa9!") as url:
        answer = whole_answer(lambda: requests.get(url, stream=True, timeout=5), 5)
    assert (answer.status_code, answer.reason, answer.headers["x-one"]) == (404, "Gone", "1")
    assert (answer.content, answer.text) == (b"\xc3\xa9!", "é!")


def test_no_answer_is_told_as_requests_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(requests.ConnectionError):
        whole_answer(lambda: requests.get(url, stream=True, timeout=5), 5)


def test_what_is_not_utf_8_can_be_told() -> None:
    assert WholeAnswer(200, "OK", {}, b"\xff").text == "\ufffd"


def test_work_gives_its_result_and_its_error() -> None:
    def fail() -> None:
        raise KeyError("one")

    assert within(5, lambda: 7) == 7
    with pytest.raises(KeyError, match="one"):
        within(5, fail)
    with pytest.raises(TimeoutError, match="no end after 0 seconds"):
        within(0.01, lambda: time.sleep(0.5))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP replies and TLS hellos as bytes: right ones are understood, and no bytes at all are an error."""

from __future__ import annotations

import ssl

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_reply import (
    SmtpOffer,
    SmtpReply,
    reply_line,
    smtp_offer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_hello import (
    TLS_VERSIONS,
    HelloAnswer,
    client_hello,
    hello_answer,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (b"220 mx.test ESMTP", (220, True, "mx.test ESMTP")),
        (b"250-SIZE 1000", (250, False, "SIZE 1000")),
        (b"250", (250, True, "")),
        (b"421 4.7.0 \xff", (421, True, "4.7.0 \udcff")),
        (b"", None),
        (b"99", None),
        (b"199 x", None),
        (b"650 x", None),
        (b"220x", None),
        ("٢٢٠ x".encode(), None),
    ],
)
def test_a_line_of_a_reply(line: bytes, read: tuple[int, bool, str] | None) -> None:
    assert reply_line(line) == read


OFFERS: list[tuple[tuple[str, ...], SmtpOffer]] = [
    ((), SmtpOffer((), (), None)),
    (("SIZE", "AUTH"), SmtpOffer(("SIZE", "AUTH"), (), 0)),
    (("size 35882577", "starttls"), SmtpOffer(("SIZE", "STARTTLS"), (), 35882577)),
    (("SIZE many",), SmtpOffer(("SIZE",), (), None)),
    (("SIZE " + "9" * 40,), SmtpOffer(("SIZE",), (), None)),
    (("AUTH PLAIN LOGIN", "AUTH=LOGIN NTLM"), SmtpOffer(("AUTH",), ("PLAIN", "LOGIN", "NTLM"), None)),
    (("auth xoauth2", "", "  "), SmtpOffer(("AUTH",), ("XOAUTH2",), None)),
    (("XXXXXXXA", "SIZE 0"), SmtpOffer(("XXXXXXXA", "SIZE"), (), 0, stripped=True)),
    (("XFORWARD NAME",), SmtpOffer(("XFORWARD",), (), None)),
]


@pytest.mark.parametrize(("lines", "offer"), OFFERS)
def test_what_ehlo_offers(lines: tuple[str, ...], offer: SmtpOffer) -> None:
    assert smtp_offer(SmtpReply(250, ("mx.test", *lines))) == offer


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_no_offer_is_an_error(lines: list[bytes]) -> None:
    texts = tuple(line.decode("utf-8", "surrogateescape") for line in lines)
    reply = SmtpReply(250, ("mx.test", *texts))
    offer = smtp_offer(reply)
    assert all(word.isprintable() for word in (*offer.keywords, *offer.auth)) and reply.words.isprintable()


def spoken(newest: str, oldest: str = "MINIMUM_SUPPORTED", **options: int) -> HelloAnswer | None:
    """What OpenSSL answers, as a server with these versions, to our hello."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:aNULL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion[oldest]
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(client_hello("mx.acme.example", TLS_VERSIONS[newest]))
    with pytest.raises(ssl.SSLError):
        server.do_handshake()
    return hello_answer(outgoing.read())


def test_openssl_understands_the_hello() -> None:
    """Without a certificate there is no common cipher, and that is the alert, so everything before it was right."""
    assert spoken("1.2") == HelloAnswer(alert=40)
    assert spoken("1.1", "TLSv1_2") == HelloAnswer(alert=70)


def record(kind: int, content: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(content).to_bytes(2, "big") + content


def server_hello(version: bytes, extensions: bytes = b"") -> bytes:
    body = version + bytes(32) + b"\0" + b"\x13\x01" + b"\0" + len(extensions).to_bytes(2, "big") + extensions
    return b"\x02" + len(body).to_bytes(3, "big") + body


SELECTED_13 = b"\0\x2b\0\x02\x03\x04"


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (record(22, server_hello(b"\x03\x03")), HelloAnswer(version=0x0303)),
        (record(22, server_hello(b"\x03\x03", b"\0\x33\0\0" + SELECTED_13)), HelloAnswer(version=0x0304)),
        (record(22, server_hello(b"\x03\x01")[:9]) + record(22, server_hello(b"\x03\x01")[9:]), HelloAnswer(0x0301)),
        (record(22, server_hello(b"\x03\x03")) + record(20, b"\x01"), HelloAnswer(version=0x0303)),
        (record(21, b"\x01\x70") + record(22, server_hello(b"\x03\x03")), HelloAnswer(version=0x0303)),
        (record(21, b"\x02\x46"), HelloAnswer(alert=70)),
        (b"\x15\xfe\xfd\x00\x02\x02\x46", HelloAnswer(alert=70)),  # GnuTLS to a version that is too old
        (record(21, b"\x02\x46\x00"), HelloAnswer()),
        (record(22, server_hello(b"\x03\x09")), HelloAnswer()),
        (record(22, b"\x0b\0\0\0"), HelloAnswer()),
        (b"220 hi\r\n", HelloAnswer()),
        (b"", None),
        (record(22, server_hello(b"\x03\x03"))[:20], None),
        (record(21, b"\x02\x46")[:6], None),
    ],
)
def test_the_answer_to_a_hello(data: bytes, answer: HelloAnswer | None) -> None:
    assert hello_answer(data) == answer


@given(st.binary(max_size=200), st.integers(0, 200))
def test_more_bytes_never_change_the_answer(data: bytes, cut: int) -> None:
    first = hello_answer(data[:cut])
    assert first is None or hello_answer(data) == first


@given(st.binary(max_size=120), st.booleans())
def test_no_hello_is_an_error(content: bytes, whole: bool) -> None:
    data = record(22, server_hello(b"\x03\x03", content) if whole else content)
    found = hello_answer(data)
    assert found is None or found.version in (None, 0x0300, *TLS_VERSIONS.values())

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Many questions to one name server over one socket: thousands of answers without a thread or a socket for each."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Sequence

from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import (
    MESSAGE_BYTES,
    Answer,
    question_bytes,
    read_answer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.message_signer import Signer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key

with contextlib.suppress(ImportError):
    import dns.exception

_QUESTIONS_A_SOCKET = 1000
"""Questions over one socket: what comes next leaves from another port (RFC 5452 section 9.2)."""

_MOST = 64
"""Questions under way: a socket that nobody has enlarged (208 KiB on Linux, which counts up to 2304 bytes for a short
answer) loses answers from 92 on, and a loss is waited for."""


class QuestionBatch:
    """Some questions to one server, each sent once over UDP."""

    def __init__(self, signer: Signer | None, seconds: float, most: int, recursion: bool = False) -> None:
        """Nothing is sent yet.

        :param signer: signs the questions, and checks the answers
        :param seconds: without any answer after which the rest is given up
        :param most: how many questions are under way at the same time; more than a socket holds never are
        :param recursion: whether the server is to ask others
        """
        self._signer, self._seconds, self._most, self._recursion = signer, seconds, min(most, _MOST), recursion
        self._under_way: dict[int, tuple[Key, bytes]] = {}
        self.answers: dict[Key, Answer] = {}

    def ask(self, questions: Sequence[Key], address: str, port: int) -> None:
        """Send the questions and take the answers that come.

        What is not in ``answers`` then has to be asked again: it was lost, cut off (TC), not signed, or cannot be read.

        :param questions: each once, names as ``values.text_of`` writes them
        :param address: of the server, IPv4 or IPv6
        :raises OSError: the address cannot be reached; some answers may have come
        """
        for start in range(0, len(questions), _QUESTIONS_A_SOCKET):
            self._ask(questions[start : start + _QUESTIONS_A_SOCKET], address, port)

    def _ask(self, questions: Sequence[Key], address: str, port: int) -> None:
        self._under_way.clear()
        numbers = random.SystemRandom().sample(range(1 << 16), len(questions))
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.connect((address, port))
            udp.settimeout(self._seconds)
            with contextlib.suppress(TimeoutError):
                for number, question in zip(numbers, questions, strict=True):
                    self._send(udp, number, question)
                    while len(self._under_way) >= self._most:
                        self._take(udp)
                while self._under_way:
                    self._take(udp)

    def _send(self, udp: socket.socket, number: int, question: Key) -> None:
        wire, mac = question_bytes(question, number, self._recursion), b""
        if self._signer:
            wire, mac = self._signer.signed(wire)
        udp.send(wire)
        self._under_way[number] = (question, mac)

    def _take(self, udp: socket.socket) -> None:
        """Take the next answer to a question under way; what answers none is passed over.

        :raises TimeoutError: none came in time
        """
        deadline = time.monotonic() + self._seconds
        while time.monotonic() <= deadline:
            wire = udp.recv(MESSAGE_BYTES)
            asked = self._under_way.pop(int.from_bytes(wire[:2], "big"), None)
            if asked is not None:
                self._keep(*asked, wire)
                return
        raise TimeoutError

    def _keep(self, question: Key, mac: bytes, wire: bytes) -> None:
        """Keep an answer that is whole, and signed where the question was (RFC 8945 section 5.3)."""
        bare = self._signer.unsigned(wire, mac) if self._signer else wire
        if bare is not None:
            with contextlib.suppress(dns.exception.DNSException):
                answer = read_answer(question, bare)
                if answer is not None:
                    self.answers[question] = answer

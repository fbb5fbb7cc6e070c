# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One name server, asked with bounded patience and signed messages (TSIG, RFC 8945); every failure in plain words."""

from __future__ import annotations

import base64
import contextlib
import errno
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.answer import (
    MESSAGE_BYTES,
    UDP_BYTES,
    Answer,
    answer_of,
    question_bytes,
    read_transfer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.message_signer import Signer
from ansible_collections.mailroom.erp.plugins.module_utils.dns.messages.question_batch import QuestionBatch
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    WHOLE_TYPES,
    ProviderError,
    ZoneNotFound,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.update import Update
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.rfc2136.zone_transfer import transferred
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.flags
    import dns.message
    import dns.opcode
    import dns.rcode
    import dns.tsig

if TYPE_CHECKING:
    from dns.message import Message
    from dns.rdataset import Rdataset
    from dns.tsig import Key as TsigKey

_T = TypeVar("_T")

ANSWER_SECONDS = 10.0
"""Seconds to wait for one answer, unless the option ``timeout`` says otherwise."""
_CONNECTIONS = 10
"""As many may wait at a BIND that is busy with its disk (tcp-listen-queue); the next is tried again after a second."""
_RCODE, _UPDATED = 0x000F, 0xA800
"""In the flags of an answer: its code, and what else they hold of one to an UPDATE (RFC 2136 section 2.2)."""
_NOT_SENT = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
REFUSALS = ("REFUSED", "NOTAUTH")
"""How a server answers that does not serve a name, or not to us."""
_KEY_WAY_OUT = "Check dns.key_name, dns.key_secret and dns.key_algorithm against the server's own key"
_RCODES = {
    "REFUSED": "it does not allow this. Give a key that may do it (allow-update or update-policy of the zone)",
    "NOTAUTH": "it is not the zone's primary, or does not accept the key. Name the primary as dns.server",
    "NOTZONE": "a name is not in the zone. Correct the option zone",
    "NOTIMP": "it does not know this request. Name a server that takes RFC 2136 updates",
    "SERVFAIL": "it failed. See its log: the zone may not be loaded, or its journal not be writable",
    "FORMERR": "it did not understand the request. See its log",
}
_BAD_ANSWERS = {
    "PeerBadKey": "it does not know our key, or not for this zone (BADKEY)",
    "PeerBadSignature": "it finds our signature wrong, so the secrets differ (BADSIG)",
    "PeerBadTime": "its clock and ours differ too much (BADTIME); set both clocks",
    "PeerBadTruncation": "it does not accept our truncated signature (BADTRUNC)",
    "BadSignature": "the signature of its answer is wrong",
    "BadTime": "its clock and ours differ too much; set both clocks",
    "FormError": "its answer is not signed, or malformed",
}
_NO_UPDATES = (
    "it knows our key, but its answer to an update is not signed: it takes no RFC 2136 updates (NSD never does)"
)


class Unreachable(Exception):
    """No answer came; whether the request arrived is not known. The message names server, zone and reason."""


class NameServer:
    """One name server; may be used by several threads at once."""

    def __init__(self, dns_option: Mapping[str, Any]) -> None:
        """Take the options of provider rfc2136; no connection is made yet.

        :raises ProviderError: the key cannot be one
        """
        self._host, self._port = str(dns_option["server"]), int(dns_option["port"])
        self._timeout = float(dns_option.get("timeout", ANSWER_SECONDS))
        self._addresses: list[str] = []
        self._resolving = threading.Lock()
        self._connections = threading.BoundedSemaphore(_CONNECTIONS)
        self._knows_key = False
        self.key = _key(dns_option) if dns_option.get("key_name") else None
        self._signer = Signer(self.key) if self.key else None
        self.label = f"DNS server {self._host} port {self._port}"

    def ask(self, name: str, rdtype: str, zone: str) -> Answer:
        """Ask one question, without recursion: over UDP twice, then over TCP; at most 1.5 timeouts long per address.

        :param zone: for messages
        :returns: an answer with data or the absence of data
        :raises ZoneNotFound: the server does not want to answer for this name
        :raises ProviderError: it could not be asked
        """
        question = dns.message.make_query(values.name_of(name), rdtype, use_edns=0, payload=UDP_BYTES, flags=0)
        if self.key:
            question.use_tsig(self.key)
        try:
            answer = self._try(partial(self._asked, question, zone), zone, "query")
        except Unreachable as error:
            raise ProviderError(f"{error}. Check dns.server, dns.port and the firewalls on the way") from error
        return self.served(answer, name, zone)

    def served(self, answer: Answer, name: str, zone: str) -> Answer:
        """Give an answer that tells something.

        :param name: that was asked about
        :param zone: for messages
        :raises ZoneNotFound: the server does not want to answer for this name
        :raises ProviderError: it could not be asked
        """
        if answer.tells:
            return answer
        if answer.rcode in REFUSALS:
            raise ZoneNotFound(
                f"{self.label} does not serve {name}, or not to us: it answered {answer.rcode}. "
                "Check dns.server and the zone's name; with views or allow-query, give the key they ask for"
            )
        self.refused(answer.rcode, zone, "query")

    def ask_all(self, questions: Sequence[Key], zone: str) -> dict[Key, Answer]:
        """Ask questions at the same time, and by :meth:`ask` those that got no good answer so.

        :param zone: for messages
        :raises ZoneNotFound: the server does not want to answer for one of these names
        :raises ProviderError: it could not be asked
        """
        ahead = self.ask_ahead(questions, len(questions)) if len(questions) > 1 else {}
        found = {one: answer for one, answer in ahead.items() if answer.tells}
        return found | {one: self.ask(*one, zone) for one in questions if one not in found}

    def ask_ahead(self, questions: Iterable[Key], most: int) -> dict[Key, Answer]:
        """Ask many questions with one thread; what got no answer, or one that is not plainly right, is left out.

        :param most: how many are under way at the same time
        """
        batch = QuestionBatch(self._signer, self._timeout / 4, most)
        with contextlib.suppress(OSError, ProviderError):
            batch.ask(list(dict.fromkeys(questions)), self._resolved("")[0], self._port)
        self._knows_key |= bool(self.key and any(answer.tells for answer in batch.answers.values()))
        return batch.answers

    def send(self, update: Update) -> str:
        """Send one UPDATE over TCP, once.

        :returns: the code of the answer, such as NOERROR (RFC 2136 section 2.2)
        :raises Unreachable: no answer; the server may have done it all the same
        :raises ProviderError: an answer that is not to be believed, or more than a message can hold
        """
        number = random.SystemRandom().randrange(1 << 16)
        request, mac = update.wire(number), b""
        if self._signer:
            request, mac = self._signer.signed(request)
        if len(request) > MESSAGE_BYTES:
            raise ProviderError(
                f"zone {update.zone}: the change takes {len(request)} bytes, and a DNS message "
                f"{MESSAGE_BYTES} at most. Change fewer records of the zone at once"
            )

        def deliver(address: str) -> str:
            wire = self._deliver(request, address)
            return self._plain_code(wire, number, mac) or self._code(wire, number, mac, update.zone)

        return self._try(deliver, update.zone, "update")

    def transfer(self, zone: str) -> dict[Key, Rdataset]:
        """The RRsets of a zone that are of one of ``WHOLE_TYPES``.

        :raises ProviderError: the server does not transfer it to us, or could not be asked
        """
        try:
            address = self._resolved(zone)[0]
            found = self._transfer_of_one_message(zone, address)
            if found is None:
                with self._connections:
                    found = transferred(zone, address, self._port, self._timeout / 2, self.key)
            return found
        except (OSError, EOFError, dns.exception.DNSException) as error:
            raise ProviderError(
                f"{self.label}, zone {zone}: it is not transferred to us ({type(error).__name__}). Allow it "
                "(allow-transfer), or name the selectors to look for"
            ) from error

    def _transfer_of_one_message(self, zone: str, address: str) -> dict[Key, Rdataset] | None:
        """A zone that is small; None leaves it to dnspython, as any answer that is not plainly right."""
        number = random.SystemRandom().randrange(1 << 16)
        request, mac = question_bytes((zone, "AXFR"), number, False), b""
        if self._signer:
            request, mac = self._signer.signed(request)
        wire: bytes | None = self._deliver(request, address)
        wire = self._signer.unsigned(wire, mac) if self._signer and wire else wire
        if wire is None or int.from_bytes(wire[:2], "big") != number:
            return None
        with contextlib.suppress(dns.exception.DNSException):
            return read_transfer(zone, wire, WHOLE_TYPES)
        return None

    def refused(self, rcode: str, zone: str, what: str) -> NoReturn:
        """Raise the error that an answer's code means.

        :param what: "query" or "update"
        :raises ProviderError: always
        """
        meaning = _RCODES.get(rcode, "an answer that this request should not get. See its log")
        raise ProviderError(f"{self.label}, zone {zone}: it answered our {what} with {rcode}: {meaning}")

    def _try(self, attempt: Callable[[str], _T], zone: str, what: str) -> _T:
        """Try the server's addresses in turn; an UPDATE that may have arrived is not sent again."""
        failure: Exception | None = None
        for address in self._resolved(zone):
            try:
                return attempt(address)
            except (OSError, EOFError, dns.exception.Timeout) as error:
                failure = error
                if what == "update" and getattr(error, "errno", None) not in _NOT_SENT:
                    break
            except dns.exception.DNSException as error:
                raise self._bad_answer(error, zone, what) from None
        raise Unreachable(f"{self.label}, zone {zone}: no answer to our {what}: {_reason(failure)}") from failure

    def _deliver(self, request: bytes, address: str) -> bytes:
        """Send bytes over TCP and take the bytes of the answer."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self._connections, socket.socket(family, socket.SOCK_STREAM) as tcp:
            until = time.monotonic() + self._timeout
            tcp.settimeout(self._timeout)
            tcp.connect((address, self._port))
            tcp.sendall(len(request).to_bytes(2, "big") + request)
            return _received(tcp, int.from_bytes(_received(tcp, 2, until), "big"), until)

    def _plain_code(self, wire: bytes, number: int, mac: bytes) -> str | None:
        """The code of an answer whose signature is plainly right; None leaves it to dnspython."""
        bare = self._signer.unsigned(wire, mac) if self._signer else None
        if bare is None or int.from_bytes(bare[:2], "big") != number:
            return None
        self._knows_key = True
        flags = int.from_bytes(bare[2:4], "big")
        return dns.rcode.to_text(dns.rcode.Rcode(flags & _RCODE)) if flags & ~_RCODE == _UPDATED else None

    def _code(self, wire: bytes, number: int, mac: bytes, zone: str) -> str:
        """The code of any answer, as dnspython reads it."""
        answer = dns.message.from_wire(wire, keyring=self.key, request_mac=mac)
        if answer.id != number or not answer.flags & dns.flags.QR or answer.opcode() != dns.opcode.UPDATE:
            from dns.query import BadResponse

            raise BadResponse
        self._check_signed(answer, zone, "update")
        self._knows_key |= answer.had_tsig
        return dns.rcode.to_text(answer.rcode())

    def _bad_answer(self, error: Exception, zone: str, what: str) -> ProviderError:
        kind, way_out = type(error).__name__, _KEY_WAY_OUT
        reason = _BAD_ANSWERS.get(kind, f"its answer cannot be used ({kind})")
        if what == "update" and self._knows_key and kind == "FormError":
            reason, way_out = _NO_UPDATES, "Name the primary that takes them as dns.server"
        return ProviderError(f"{self.label}, zone {zone}: our {what} failed: {reason}. {way_out}")

    def _asked(self, question: Message, zone: str, address: str) -> Answer:
        answer = self._query(question, address)
        self._check_signed(answer, zone, "query")
        self._knows_key |= answer.had_tsig
        return answer_of(answer)

    def _query(self, request: Message, address: str) -> Message:
        for _attempt in range(2):
            with contextlib.suppress(dns.exception.Timeout):
                try:
                    return self._udp(request, address)
                except dns.exception.FormError as unsigned:
                    return self._refusal(request, address, unsigned)
        from dns.query import tcp

        return tcp(request, address, self._timeout / 2, self._port)

    def _refusal(self, request: Message, address: str, unsigned: Exception) -> Message:
        """Read a refusal that is not signed, by asking without a key: Knot's, of a zone that it does not serve."""
        plain = dns.message.make_query(request.question[0].name, request.question[0].rdtype, flags=0)
        with contextlib.suppress(dns.exception.Timeout):
            answer = self._udp(plain, address)
            if self.key and answer.rcode() in (dns.rcode.REFUSED, dns.rcode.NOTAUTH):
                return answer
        raise unsigned

    def _udp(self, request: Message, address: str) -> Message:
        # loads TLS too, and HTTPS where libraries for it are installed: for questions that the batch has left
        from dns.query import udp_with_fallback

        return udp_with_fallback(request, address, self._timeout / 4, self._port, ignore_unexpected=True)[0]

    def _resolved(self, zone: str) -> list[str]:
        with self._resolving:
            if not self._addresses:
                try:
                    found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                except (OSError, UnicodeError) as error:
                    raise ProviderError(
                        f"zone {zone}: the DNS server's name {self._host} has no address: {error}. Correct dns.server"
                    ) from error
                self._addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
            return self._addresses

    def _check_signed(self, answer: Message, zone: str, what: str) -> None:
        """A success that is not signed could come from anyone (RFC 8945 section 5.3)."""
        if self.key and not answer.had_tsig and answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise ProviderError(
                f"{self.label}, zone {zone}: the answer to our signed {what} is not signed. {_KEY_WAY_OUT}"
            )


def _key(dns_option: Mapping[str, Any]) -> TsigKey:
    try:
        secret = base64.b64decode(str(dns_option["key_secret"]).strip(), validate=True)
    except ValueError:
        raise ProviderError("dns.key_secret is not base64. Copy it whole from the server's key statement") from None
    try:
        name = values.name_of(str(dns_option["key_name"]))
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ProviderError(
            f"dns.key_name is no domain name: {error} Copy it from the server's key statement"
        ) from None
    algorithm = str(dns_option["key_algorithm"])
    return dns.tsig.Key(name, secret, dns.tsig.HMAC_MD5 if algorithm == "hmac-md5" else algorithm)


def _received(tcp: socket.socket, size: int, until: float) -> bytes:
    """So many bytes.

    :raises TimeoutError: they did not come in time
    :raises EOFError: the connection was closed before
    """
    data = b""
    while len(data) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        tcp.settimeout(left)
        more = tcp.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _reason(error: Exception | None) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, dns.exception.Timeout | TimeoutError):
        return "it did not answer in time"
    return "the connection was closed" if isinstance(error, EOFError) else str(error)

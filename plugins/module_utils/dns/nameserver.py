# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One name server, asked with bounded patience and signed messages (TSIG, RFC 8945); every failure in plain words."""

from __future__ import annotations

import base64
import contextlib
import errno
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ansible_collections.mailroom.erp.plugins.module_utils.dns import values
from ansible_collections.mailroom.erp.plugins.module_utils.dns.answer import UDP_BYTES, Answer, answer_of
from ansible_collections.mailroom.erp.plugins.module_utils.dns.burst import Burst
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.dns.signer import Signer

with contextlib.suppress(ImportError):
    import dns.exception
    import dns.message
    import dns.query
    import dns.rcode
    import dns.tsig

if TYPE_CHECKING:
    from dns.message import Message
    from dns.tsig import Key as TsigKey

_NOT_SENT = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
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
        self._timeout = float(dns_option["timeout"])
        self._addresses: list[str] = []
        self._resolving = threading.Lock()
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
            answer = answer_of(self._exchange(question, zone, "query"))
        except Unreachable as error:
            raise ProviderError(f"{error}. Check dns.server, dns.port and the firewalls on the way") from error
        if answer.tells:
            return answer
        if answer.rcode in ("REFUSED", "NOTAUTH"):
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
        found = self.ask_ahead(questions, len(questions)) if len(questions) > 1 else {}
        return found | {one: self.ask(*one, zone) for one in questions if one not in found}

    def ask_ahead(self, questions: Iterable[Key], most: int) -> dict[Key, Answer]:
        """Ask many questions with one thread; what got no good answer is left out.

        :param most: how many are under way at the same time
        """
        burst = Burst(self._signer, self._timeout / 4, most)
        with contextlib.suppress(OSError, ProviderError):
            burst.ask(list(dict.fromkeys(questions)), self._resolved("")[0], self._port)
        found = {question: answer for question, answer in burst.answers.items() if answer.tells}
        self._knows_key |= bool(self.key and found)
        return found

    def send(self, update: Message, zone: str) -> Message:
        """Send one UPDATE over TCP, once.

        :returns: the answer, whatever its rcode
        :raises Unreachable: no answer; the server may have done it all the same
        :raises ProviderError: an answer that is not to be believed
        """
        return self._exchange(update, zone, "update")

    def refused(self, rcode: str, zone: str, what: str) -> NoReturn:
        """Raise the error that an answer's code means.

        :param what: "query" or "update"
        :raises ProviderError: always
        """
        meaning = _RCODES.get(rcode, "an answer that this request should not get. See its log")
        raise ProviderError(f"{self.label}, zone {zone}: it answered our {what} with {rcode}: {meaning}")

    def _exchange(self, request: Message, zone: str, what: str) -> Message:
        """Try the server's addresses in turn; an UPDATE that may have arrived is not sent again."""
        failure: Exception | None = None
        for address in self._resolved(zone):
            try:
                answer = (
                    self._query(request, address) if what == "query" else self._tcp(request, address, self._timeout)
                )
            except (OSError, EOFError, dns.exception.Timeout) as error:
                failure = error
                if what == "update" and getattr(error, "errno", None) not in _NOT_SENT:
                    break
            except dns.exception.DNSException as error:
                raise self._bad_answer(error, zone, what) from None
            else:
                self._check_signed(answer, zone, what)
                self._knows_key |= answer.had_tsig
                return answer
        raise Unreachable(f"{self.label}, zone {zone}: no answer to our {what}: {_reason(failure)}") from failure

    def _bad_answer(self, error: Exception, zone: str, what: str) -> ProviderError:
        kind, way_out = type(error).__name__, _KEY_WAY_OUT
        reason = _BAD_ANSWERS.get(kind, f"its answer cannot be used ({kind})")
        if what == "update" and self._knows_key and kind == "FormError":
            reason, way_out = _NO_UPDATES, "Name the primary that takes them as dns.server"
        return ProviderError(f"{self.label}, zone {zone}: our {what} failed: {reason}. {way_out}")

    def _query(self, request: Message, address: str) -> Message:
        for _attempt in range(2):
            with contextlib.suppress(dns.exception.Timeout):
                try:
                    return self._udp(request, address)
                except dns.exception.FormError as unsigned:
                    return self._refusal(request, address, unsigned)
        return self._tcp(request, address, self._timeout / 2)

    def _refusal(self, request: Message, address: str, unsigned: Exception) -> Message:
        """Read a refusal that is not signed, by asking without a key: Knot's, of a zone that it does not serve."""
        plain = dns.message.make_query(request.question[0].name, request.question[0].rdtype, flags=0)
        with contextlib.suppress(dns.exception.Timeout):
            answer = self._udp(plain, address)
            if self.key and answer.rcode() in (dns.rcode.REFUSED, dns.rcode.NOTAUTH):
                return answer
        raise unsigned

    def _udp(self, request: Message, address: str) -> Message:
        return dns.query.udp_with_fallback(request, address, self._timeout / 4, self._port, ignore_unexpected=True)[0]

    def _tcp(self, request: Message, address: str, timeout: float) -> Message:
        return dns.query.tcp(request, address, timeout, self._port)

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


def _reason(error: Exception | None) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, dns.exception.Timeout):
        return "it did not answer in time"
    return "the connection was closed" if isinstance(error, EOFError) else str(error)

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""TransIP's API by plain requests: no write sent twice without a look, waits as it is told, errors in plain words."""

from __future__ import annotations

import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns.api_answer import (
    REACH_WAY_OUT,
    WrongAnswer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.other_names import without_other_names
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_answer import (
    TransipAnswer,
    TransipEntry,
    said_by_transip,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_sign_in import (
    RefusedSignIn,
    TransipSignIn,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip.transip_steps import TransipStep
from ansible_collections.mailroom.erp.plugins.module_utils.dns.rate_gate import RateGate
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.retry_after import read_retry_after
from ansible_collections.mailroom.erp.plugins.module_utils.whole_answer import WholeAnswer, whole_answer

TRANSIP_URL = "https://api.transip.nl/v6"
"""Where the API is, unless the option ``base_url`` says otherwise."""
TRANSIP_SECONDS = 30.0
"""How long to wait for one answer, unless the option ``timeout`` says otherwise."""
_ATTEMPTS = 3
"""How often a question is asked whose answer does not come. Writes are never repeated here."""
TRANSIP_PAUSE = 0.5
"""Seconds before the second attempt, twice as many before the third."""
_BUSY = (409, 423)
"""A zone that is being saved or locked answers neither questions nor writes for some seconds."""
_BUSY_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_EPOCH = re.compile(r"[0-9]{1,12}", re.ASCII)
_DONE = (200, 201, 204)

_ACCOUNT_WAY_OUT = (
    "Check dns.login with dns.private_key, or dns.token, in TransIP's control panel (Account, API): the API is on, the "
    "key pair or token is still there, and the address of this controller is on the list of addresses if the key pair "
    "is bound to it"
)
_RIGHT_WAY_OUT = (
    "Check dns.token or the key pair in TransIP's control panel (Account, API): a token that may only read serves "
    "check mode only; and the account may change this domain"
)
_ZONE_WAY_OUT = "The domain may have left the account, or somebody else has changed the entry. Run again"
_STATUS_WAYS_OUT = {
    401: _ACCOUNT_WAY_OUT,
    403: _RIGHT_WAY_OUT,
    404: _ZONE_WAY_OUT,
    406: "TransIP does not take the record as it is: correct what its words name",
    409: "Run again later",
    423: "Run again later",
}


class UnclearStep(ProviderError):
    """Whether a step was done is not known. The message names zone and reason."""


class _NotNow(Exception):
    """A sign-in was answered as a question may be that is to be asked again."""

    def __init__(self, response: WholeAnswer) -> None:
        super().__init__(response.status_code)
        self.response = response


class TransipApi:
    """One account's view of the API; may be used by several threads at once."""

    def __init__(self, dns: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """Take the options of provider transip; no connection is made yet.

        :param tell: called with a line for the user when TransIP limits the rate
        :raises MissingLibrary: requests or cryptography is not installed
        :raises ProviderError: the token or the key cannot be one
        """
        self._requests = libraries.require("requests")
        self._sign_in = TransipSignIn(dns)
        self._url = str(dns.get("base_url", TRANSIP_URL)).rstrip("/")
        self._timeout = float(dns.get("timeout", TRANSIP_SECONDS))
        self._gate = RateGate("TransIP", tell)
        self._connections = threading.local()

    def domains(self, name: str) -> list[str]:
        """All domains of the account, by one request.

        :param name: what is looked for, for messages
        :raises ProviderError: TransIP could not be asked
        """
        return self._ask(name, "/domains").domains()

    def name_servers(self, zone: str) -> list[str]:
        """The name servers of a domain.

        :raises ZoneNotFound: it is not in this account
        :raises ProviderError: TransIP could not be asked
        """
        return self._ask(zone, f"{_path(zone)}/nameservers").name_servers()

    def entries(self, zone: str, *, write: bool = False) -> list[TransipEntry]:
        """All DNS entries of a domain.

        :param write: a write follows, for which signing in shall take no time
        :raises ZoneNotFound: it is not in this account
        :raises ProviderError: TransIP could not be asked
        """
        return self._ask(zone, f"{_path(zone)}/dns", write).entries()

    def take(self, zone: str, step: TransipStep) -> None:
        """Do one step, once.

        :raises UnclearStep: no answer that says what became of it
        :raises ProviderError: TransIP refused it
        """
        path = f"{_path(zone)}/dns"
        try:
            response = self._send(zone, step.method, path, step.entry.body())
        except self._requests.RequestException as error:
            raise UnclearStep(f"TransIP, zone {zone}: no answer to our {step.method}: {self._cause(error)}") from None
        status = response.status_code
        if status == 429:
            self._gate.hold(zone, _wait_of(response), [])
            raise UnclearStep(f"TransIP, zone {zone}: it limits the rate of requests")
        if status in _DONE:
            if response.content.strip():
                try:
                    TransipAnswer.read(zone, f"{step.method} {path}", response.content)
                except WrongAnswer as wrong:
                    raise UnclearStep(str(wrong)) from None
            return
        refusal = self._refusal(zone, status, response.content)
        raise UnclearStep(str(refusal)) if status in (408, *_BUSY) or status >= 500 or status < 400 else refusal

    def _ask(self, zone: str, path: str, write: bool = False) -> TransipAnswer:
        """Ask until there is an answer: as long as told to wait, and again when none came."""
        waits: list[float] = []
        failures = busy = 0
        while True:
            try:
                response = self._send(zone, "GET", path, write=write)
            except self._requests.RequestException as error:
                failures += 1
                self._pause(zone, failures, self._cause(error))
                continue
            status = response.status_code
            if status == 429:
                waits.append(self._gate.hold(zone, _wait_of(response), waits))
            elif status in _BUSY and busy < len(_BUSY_PAUSES):
                time.sleep(_BUSY_PAUSES[busy])
                busy += 1
            elif status == 408 or status >= 500:
                failures += 1
                self._pause(zone, failures, f"it answered HTTP {status}, {failures} times")
            else:
                return self._answer(zone, f"GET {path}", response)

    def _answer(self, zone: str, request: str, response: WholeAnswer) -> TransipAnswer:
        status, said = response.status_code, self._sign_in.masked(said_by_transip(response.content))
        if status == 404 and f"{_path(zone)}/" in request:
            raise ZoneNotFound(
                f"TransIP: this account has no domain {zone} ({without_other_names(said, zone)}). "
                "Correct the option zone, or give the account that has it"
            )
        if status >= 400:
            raise self._refusal(zone, status, response.content, reads=True)
        if status != 200:
            raise TransipAnswer.wrong_about(zone, request, f"it is HTTP {status}")
        return TransipAnswer.read(zone, request, response.content)

    def _pause(self, zone: str, failures: int, reason: str) -> None:
        if failures == _ATTEMPTS:
            text = f"TransIP ({self._url}), zone {zone}: it could not be asked: {reason}. {REACH_WAY_OUT}"
            raise ProviderError(text)
        time.sleep(TRANSIP_PAUSE * failures)

    def _send(self, zone: str, method: str, path: str, body: Any = None, *, write: bool = True) -> WholeAnswer:
        """Send a request with a token; nothing was done with one that is refused, so another one is tried."""
        while True:
            try:
                token = self._sign_in.token(write, lambda data, sign: self._signed_in(zone, data, sign))
            except _NotNow as later:
                return later.response
            response = self._sent(method, path, {"Authorization": f"Bearer {token}"}, json=body)
            if response.status_code != 401 or not self._sign_in.refused(token):
                return response

    def _signed_in(self, zone: str, data: bytes, signature: str) -> str:
        headers = {"Content-Type": "application/json", "Signature": signature}
        response = self._sent("POST", "/auth", headers, data=data)
        status = response.status_code
        if status in (408, 429, *_BUSY) or status >= 500:
            raise _NotNow(response)
        if status in (401, 403):
            raise RefusedSignIn(str(self._refusal(zone, 401, response.content)))
        if status >= 400:
            raise self._refusal(zone, status, response.content)
        return TransipAnswer.read(zone, "POST /auth", response.content).token()

    def _sent(self, method: str, path: str, headers: Mapping[str, str], **body: Any) -> WholeAnswer:
        """Send one request, and read the answer within bounds.

        :raises requests.RequestException: there was no answer, or no end of it
        """
        self._gate.wait()
        sent = {"headers": headers, "timeout": self._timeout, "allow_redirects": False, "stream": True, **body}
        return whole_answer(partial(self._connection().request, method, f"{self._url}{path}", **sent), self._timeout)

    def _connection(self) -> Any:
        """The connections of this thread; ``auth`` keeps requests from taking a password out of a netrc file."""
        if not hasattr(self._connections, "session"):
            self._connections.session = self._requests.Session()
            self._connections.session.auth = lambda request: request
        return self._connections.session

    def _refusal(self, zone: str, status: int, content: bytes, *, reads: bool = False) -> ProviderError:
        way_out = _STATUS_WAYS_OUT.get(status, "Look into TransIP's documentation for what it says")
        # what is read may be the list of all domains; of a write, an entry may be told by what it points to
        said = self._sign_in.masked(said_by_transip(content))
        said = without_other_names(said, zone) if reads else said
        return ProviderError(f"TransIP, zone {zone}: it answered HTTP {status}: {said}. {way_out}")

    def _cause(self, error: Exception) -> str:
        return self._sign_in.masked(escape_controls(f"{type(error).__name__}: {error}").rstrip("."))[:500]


def _path(zone: str) -> str:
    return f"/domains/{urllib.parse.quote(zone, safe='')}"


def _wait_of(response: WholeAnswer) -> float | None:
    """How long to wait: as Retry-After says, else until the time at which TransIP's window begins anew."""
    asked = read_retry_after(response.headers.get("retry-after"))
    reset = response.headers.get("x-rate-limit-reset") or ""
    if asked is None and _EPOCH.fullmatch(reset):
        return max(float(reset) - time.time(), 0.0)
    return asked

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Cloudflare's API by its own SDK: all pages, no write sent twice, waits as it is told, errors in plain words."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils import libraries
from ansible_collections.mailroom.erp.plugins.module_utils.dns.api_answer import (
    REACH_WAY_OUT,
    WrongAnswer,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.other_names import without_other_names
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.cloudflare.cloudflare_answer import (
    CloudflareAnswer,
    CloudflareRecord,
    CloudflareZone,
    cloudflare_errors,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.rate_gate import RateGate
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.retry_after import read_retry_after
from ansible_collections.mailroom.erp.plugins.module_utils.whole_answer import (
    TIMES_ONE_WAIT,
    bound_httpx_answer,
    within,
)

with contextlib.suppress(ImportError):
    import cloudflare

CLOUDFLARE_URL = "https://api.cloudflare.com/client/v4"
"""Where the API is, unless the option ``base_url`` says otherwise."""
REQUEST_SECONDS = 30.0
"""How long to wait for one answer, unless the option ``timeout`` says otherwise."""
_ATTEMPTS = 3
"""How often a question is asked whose answer does not come. Writes are never repeated here."""
CLOUDFLARE_PAUSE = 0.5
"""Seconds before the second attempt, twice as many before the third."""
_ZONES_PER_PAGE = 50
_RECORDS_PER_PAGE = 5000
MOST_PAGES = 10_000
"""Pages of one list that are read; half a million zones."""

_OVERTAKEN = (81044, 81053, 81054, 81057, 81058)
"""Refusals of a write that somebody else's write explains: a record is gone, or one is there that was not."""
_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol")
"""Errors of httpx that come before a request leaves."""
_UNCLEAR = (408, 409)

_TOKEN_WAY_OUT = (
    "Check dns.api_token: it is an API token (not the Global API Key), valid, "
    "with the permissions Zone: Read and DNS: Edit for this zone"
)
_ZONE_WAY_OUT = "The zone may have been removed or moved to another account since it was found. Run again"
_ALIAS_WAY_OUT = "Look at the records of these names: a CNAME stands alone (RFC 1034 section 3.6.2)"
_WAYS_OUT = {
    **dict.fromkeys((6003, 6111, 9106, 9109, 10000, 10001), _TOKEN_WAY_OUT),
    **dict.fromkeys((1001, 1003, 7000, 7003), _ZONE_WAY_OUT),
    **dict.fromkeys((81053, 81054), _ALIAS_WAY_OUT),
    9021: "Correct the option ttl: Cloudflare takes 60 to 86400 seconds (30 on Enterprise plans), or 1 for automatic",
    81045: "The zone has as many records as its plan allows. Remove some, or change the plan",
}
_STATUS_WAYS_OUT = {401: _TOKEN_WAY_OUT, 403: _TOKEN_WAY_OUT, 404: _ZONE_WAY_OUT}


class Unclear(Exception):
    """Whether a write was done is not known. The message names zone and reason."""


class CloudflareApi:
    """One account's view of the API; may be used by several threads at once."""

    def __init__(self, dns: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """Take the options of provider cloudflare; no connection is made yet.

        :param tell: called with a line for the user when Cloudflare limits the rate
        :raises MissingLibrary: the SDK is not installed
        :raises ProviderError: the token cannot be one
        """
        libraries.require("cloudflare")
        self._token = str(dns["api_token"]).strip()
        if not re.fullmatch(r"[!-~]+", self._token):
            # httpx would show it in its error.
            raise ProviderError("dns.api_token holds blanks or other characters that no token has. Copy it again")
        timeout = float(dns.get("timeout", REQUEST_SECONDS))
        self._longest = timeout * TIMES_ONE_WAIT
        self._client = cloudflare.Cloudflare(
            api_token=self._token,
            base_url=str(dns.get("base_url", CLOUDFLARE_URL)),
            timeout=timeout,
            max_retries=0,
            default_headers={"Accept-Encoding": "gzip, deflate"},
            http_client=cloudflare.DefaultHttpxClient(event_hooks={"response": [bound_httpx_answer]}),
        )
        # The SDK takes these from the environment, and prefers them to the token.
        self._client.api_email = self._client.api_key = self._client.user_service_key = None
        self._gate = RateGate("Cloudflare", tell)

    def zones_named(self, name: str) -> list[CloudflareZone]:
        """All zones of one name that the token may see: with several accounts there may be several.

        :raises ProviderError: Cloudflare could not be asked
        """
        listing = self._client.zones.with_raw_response.list
        answer = self._ask(name, f"GET /zones?name={name}", lambda: listing(name=name, per_page=_ZONES_PER_PAGE))
        return [zone for zone in answer.zones() if zone.name == name]

    def zones_on(self, page: int, name: str) -> tuple[list[CloudflareZone], int]:
        """One page of all zones that the token may see.

        :param page: from 1
        :param name: what is looked for, for messages
        :returns: the zones, and how many pages there are
        :raises ProviderError: Cloudflare could not be asked
        """
        listing = self._client.zones.with_raw_response.list
        question = partial(listing, order="name", page=page, per_page=_ZONES_PER_PAGE)
        answer = self._ask(name, f"GET /zones?page={page}", question)
        zones, total = answer.zones(), answer.count("total_count") or 0
        size = answer.count("per_page") or _ZONES_PER_PAGE
        pages = -(-total // size) if total else page + (len(answer.items) >= size)
        if pages > MOST_PAGES:
            raise answer.wrong("result_info", f"one of more than {MOST_PAGES} pages")
        return (zones, pages) if answer.items else (zones, min(pages, page))

    def records(self, zone: CloudflareZone, name: str | None = None) -> list[CloudflareRecord]:
        """All records of a zone, or those of one name; every page is read.

        :param name: inside the zone
        :raises ProviderError: Cloudflare could not be asked, or the zone changes faster than its pages can be read
        """
        for _attempt in range(_ATTEMPTS):
            pages = list(self._pages(zone, name))
            records = [record for found, _total in pages for record in found]
            # A record that comes or goes meanwhile moves others from one page to the next.
            if len({total for _found, total in pages}) == 1 and len({one.id for one in records}) == len(records):
                return [one for one in records if name in (None, one.name)]
        raise ProviderError(f"Cloudflare, zone {zone.name}: it changes faster than it can be read. Run again later")

    def write(self, zone: CloudflareZone, **parts: Sequence[Mapping[str, Any]]) -> None:
        """Send one batch, once: Cloudflare does all of it in one database transaction, or nothing.

        :param parts: ``deletes``, ``patches`` and ``posts`` as the API takes them
        :raises Conflict: somebody else's write came before, or Cloudflare let us wait; nothing was written
        :raises Unclear: no answer that says what became of it
        :raises ProviderError: Cloudflare refused it
        """
        given = {name: part for name, part in parts.items() if part}
        self._gate.wait()
        try:
            batch = partial(self._client.dns.records.with_raw_response.batch, zone_id=zone.id, **given)
            response = within(self._longest, batch)
            self._body(zone.name, f"POST /zones/{zone.id}/dns_records/batch", response)
        except WrongAnswer as wrong:
            raise Unclear(str(wrong)) from None
        except cloudflare.RateLimitError as limited:
            self._hold(zone.name, limited, [])
            raise Conflict(f"Cloudflare, zone {zone.name}: it limits the rate of requests. Run again later") from None
        except TimeoutError as error:
            raise Unclear(f"Cloudflare, zone {zone.name}: no answer to our write: {error}") from None
        except cloudflare.APIConnectionError as error:
            if type(error.__cause__).__name__ in _NOT_SENT:
                raise self._unreachable(zone.name, error) from None
            raise Unclear(f"Cloudflare, zone {zone.name}: no answer to our write: {_cause(error)}") from None
        except cloudflare.APIStatusError as error:
            raise self._write_error(zone.name, error) from None

    def _pages(self, zone: CloudflareZone, name: str | None) -> Iterator[tuple[list[CloudflareRecord], int | None]]:
        """Each page, with the total that Cloudflare names there."""
        wanted: dict[str, Any] = {"name": {"exact": name}} if name else {}
        seen, known = 0, set[str]()
        for page in range(1, MOST_PAGES + 1):
            request = f"GET /zones/{zone.id}/dns_records?page={page}"
            answer = self._ask(zone.name, request, partial(self._records_on, zone, page, wanted))
            items, total = answer.items, answer.count("total_count")
            ids = {str(item.get("id")) for item in items}
            if items and ids <= known:
                raise answer.wrong("result", "the same as on the pages before")
            seen, known = seen + len(items), known | ids
            yield answer.records(), total
            # Fewer may fit on a page than were asked for; the total of a filtered list may be that of all.
            full = len(items) >= (answer.count("per_page") or _RECORDS_PER_PAGE)
            if not items or not (full if name or total is None else seen < total):
                return
        raise CloudflareAnswer.wrong_about(
            zone.name,
            f"GET /zones/{zone.id}/dns_records",
            f"it has more than {MOST_PAGES} pages",
        )

    def _records_on(self, zone: CloudflareZone, page: int, wanted: Mapping[str, Any]) -> Any:
        listing = self._client.dns.records.with_raw_response.list
        return listing(zone_id=zone.id, page=page, per_page=_RECORDS_PER_PAGE, order="name", **wanted)

    def _ask(self, zone: str, request: str, question: Callable[[], Any]) -> CloudflareAnswer:
        """Ask until there is an answer: as long as told to wait, and again when none came."""
        waits: list[float] = []
        failures = 0
        while True:
            self._gate.wait()
            try:
                return self._body(zone, request, within(self._longest, question))
            except cloudflare.RateLimitError as limited:
                waits.append(self._hold(zone, limited, waits))
            except (TimeoutError, cloudflare.APIConnectionError, cloudflare.InternalServerError) as error:
                failures += 1
                if failures == _ATTEMPTS:
                    raise self._unreachable(zone, error) from None
                time.sleep(CLOUDFLARE_PAUSE * failures)
            except cloudflare.APIStatusError as error:
                raise self._refusal(zone, request, error.status_code, error.body) from None

    def _body(self, zone: str, request: str, response: Any) -> CloudflareAnswer:
        answer = CloudflareAnswer.read(zone, request, response.http_response.content)
        if not answer.succeeded:
            raise self._refusal(zone, request, response.http_response.status_code, answer.body)
        return answer

    def _hold(self, zone: str, limited: Any, waits: Sequence[float]) -> float:
        """Keep all requests back for as long as Cloudflare says; gives the seconds."""
        return self._gate.hold(zone, read_retry_after(limited.response.headers.get("retry-after")), waits)

    def _write_error(self, zone: str, error: Any) -> Exception:
        if error.status_code in _UNCLEAR or error.status_code >= 500:
            return Unclear(f"Cloudflare, zone {zone}: it answered our write with HTTP {error.status_code}")
        refusal = self._refusal(zone, "POST", error.status_code, error.body)
        overtaken = any(one.code in _OVERTAKEN for one in cloudflare_errors(error.body))
        return Conflict(str(refusal)) if overtaken else refusal

    def _refusal(self, zone: str, request: str, status: int, body: object) -> ProviderError:
        errors = cloudflare_errors(body)
        said = "; ".join(f"{one.shown} {one.message.rstrip('.')}" for one in errors) or "no reason"
        said = said.replace(self._token, "***")
        # what is read may be the list of all zones; of a write, a record may be told by what it points to
        said = without_other_names(said, zone) if request.startswith("GET ") else said
        known = [_WAYS_OUT[one.code] for one in errors if one.code in _WAYS_OUT]
        way_out = known[0] if known else _STATUS_WAYS_OUT.get(status, "Look the code up in Cloudflare's documentation")
        return ProviderError(f"Cloudflare, zone {zone}: it answered HTTP {status}: {said}. {way_out}")

    def _unreachable(self, zone: str, error: Any) -> ProviderError:
        if isinstance(error, cloudflare.InternalServerError):
            reason, way_out = f"it answered HTTP {error.status_code}, {_ATTEMPTS} times", "Run again later"
        else:
            reason, way_out = _cause(error), REACH_WAY_OUT
        text = f"Cloudflare ({self._client.base_url}), zone {zone}: it could not be asked: {reason}. {way_out}"
        return ProviderError(text.replace(self._token, "***"))


def _cause(error: BaseException) -> str:
    """What lies behind the SDK's "Connection error."."""
    cause = error.__cause__
    text = f"{type(cause).__name__}: {cause}" if cause else str(error)
    return escape_controls(text).rstrip(".")

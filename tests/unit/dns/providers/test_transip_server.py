# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TransIP test server held against python-transip, which nobody here wrote, and against the API's documentation."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
import requests
from ansible_collections.mailroom.erp.tests.servers.transip import (
    ACCESS,
    LOGIN,
    READING,
    Transip,
    private_key_pem,
    transip_key,
)
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import NEW, SPF, ZONE
from ansible_collections.mailroom.erp.tests.unit.dns.transip_acts import entry, post_entry
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from transip import TransIP
from transip.exceptions import TransIPHTTPError

OTHER = "google-site-verification=abc"


def client_of(server: Transip, **options: Any) -> TransIP:
    """The client of others, at another address than it knows; it signs in when it is made."""

    class Here(TransIP):  # type: ignore[misc]
        def _build_url(self, path: str) -> str:
            return f"{server.base_url}{path}"

    return Here(**(options or {"login": LOGIN, "private_key": private_key_pem(), "global_key": True}))


def test_a_client_of_others_signs_in_and_lists(transip: Transip) -> None:
    client = client_of(transip)
    assert [one.name for one in client.domains.list()] == [ZONE]
    domain = client.domains.get(ZONE)
    found = [(one.name, one.expire, one.type, one.content) for one in domain.dns.list()]
    assert ("@", 600, "TXT", SPF) in found and ("ns1", 3600, "A", "192.0.2.53") in found
    assert [one.hostname for one in domain.nameservers.list()] == [f"ns1.{ZONE}"]
    (sign_in,) = transip.sign_ins
    assert (sign_in["login"], sign_in["read_only"], sign_in["global_key"]) == (LOGIN, False, True)


def test_a_client_of_others_makes_changes_and_takes_away(transip: Transip) -> None:
    dns = client_of(transip).domains.get(ZONE).dns
    dns.create(entry("v=DMARC1; p=none", name="_dmarc"))
    assert transip.values(f"_dmarc.{ZONE}", "TXT") == ['"v=DMARC1; p=none"']
    (made,) = [one for one in dns.list() if one.name == "_dmarc"]
    made.content = "v=DMARC1; p=reject"
    made.update()
    assert transip.values(f"_dmarc.{ZONE}", "TXT") == ['"v=DMARC1; p=reject"']
    (made,) = [one for one in dns.list() if one.name == "_dmarc"]
    made.delete()
    assert transip.values(f"_dmarc.{ZONE}", "TXT") == []
    kept = [one for one in dns.list() if one.content != OTHER]
    dns.replace(kept)
    assert transip.values(ZONE, "TXT") == [f'"{SPF}"']


def test_an_entry_among_others_with_its_ttl_is_not_patched(transip: Transip) -> None:
    """python-transip: an entry can be updated "when no other" has "the same name, expiry time and type"."""
    (spf,) = [one for one in client_of(transip).domains.get(ZONE).dns.list() if one.content == SPF]
    spf.content = NEW
    with pytest.raises(TransIPHTTPError) as caught:
        spf.update()
    assert caught.value.response_code == 404
    assert transip.values(ZONE, "TXT") == [f'"{OTHER}"', f'"{SPF}"']


@pytest.mark.parametrize(
    ("setting", "status", "told"),
    [
        ({"login": "somebody-else", "private_key": private_key_pem()}, 401, "Invalid login"),
        ({"access_token": "unknown"}, 401, "Your access token is invalid"),
    ],
)
def test_a_client_of_others_is_refused(transip: Transip, setting: dict[str, str], status: int, told: str) -> None:
    with pytest.raises(TransIPHTTPError) as caught:
        client_of(transip, **setting).domains.list()
    assert caught.value.response_code == status and told in str(caught.value)


def test_a_key_pair_is_bound_to_addresses_unless_it_says_otherwise(transip: Transip) -> None:
    transip.listed = False
    bound = client_of(transip, login=LOGIN, private_key=private_key_pem())
    with pytest.raises(TransIPHTTPError, match="Remote IP is not authorized"):
        bound.domains.list()
    assert client_of(transip).domains.list()


def test_a_token_that_may_only_read_changes_nothing(transip: Transip) -> None:
    client = client_of(transip, access_token=READING)
    assert client.domains.list()
    with pytest.raises(TransIPHTTPError) as caught:
        client.domains.get(ZONE).dns.create(entry("x"))
    assert caught.value.response_code == 403


def test_a_token_expires(transip: Transip) -> None:
    client = client_of(transip)
    transip.shift = 86_399
    assert client.domains.list(), "a day, unless asked for otherwise"
    transip.shift = 86_401
    with pytest.raises(TransIPHTTPError, match="expired"):
        client.domains.list()


def signed(server: Transip, data: bytes, signature: bytes | None = None) -> requests.Response:
    made = signature or transip_key().sign(data, padding.PKCS1v15(), hashes.SHA512())
    return requests.post(f"{server.base_url}/auth", data, headers={"Signature": base64.b64encode(made).decode()})


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, 201, None),
        ({"nonce": "12345"}, 406, "between 6 and 32"),
        ({"nonce": "1" * 33}, 406, "between 6 and 32"),
        ({"expiration_time": "2 years"}, 406, "expiration time"),
        ({"expiration_time": "2 months"}, 406, "at most one month"),
        ({"login": None}, 401, "Invalid login"),
    ],
)
def test_a_sign_in_is_as_the_documentation_says(
    transip: Transip, change: dict[str, Any], status: int, told: str | None
) -> None:
    wish = {"login": LOGIN, "nonce": "abcdef", "read_only": True, "expiration_time": "30 minutes", "label": "a label"}
    answer = signed(transip, json.dumps(wish | change).encode())
    assert answer.status_code == status, answer.text
    if told:
        assert told in answer.json()["error"]
        return
    assert answer.json()["token"]
    again = signed(transip, json.dumps(wish | {"nonce": "ghijkl"}).encode())
    assert (again.status_code, "already used" in again.text) == (406, True), "a label is used once"


def test_a_signature_of_another_text_is_refused(transip: Transip) -> None:
    made = transip_key().sign(b"another text", padding.PKCS1v15(), hashes.SHA512())
    assert signed(transip, b'{"login": "acme", "nonce": "abcdef"}', made).status_code == 401


def test_every_answer_tells_the_limit_of_the_rate(transip: Transip) -> None:
    header = {"Authorization": f"Bearer {ACCESS}"}
    answer = requests.get(f"{transip.base_url}/domains", headers=header)
    assert answer.headers["X-Rate-Limit-Limit"] == "1000"
    assert int(answer.headers["X-Rate-Limit-Remaining"]) < 1000
    assert 0 < int(answer.headers["X-Rate-Limit-Reset"]) - time.time() <= 900
    transip.limit = (0, 0.0)
    transip.plan("429", 1, 7)
    limited = requests.get(f"{transip.base_url}/domains", headers=header)
    assert limited.status_code == 429
    assert 5 < int(limited.headers["X-Rate-Limit-Reset"]) - time.time() <= 8


def test_a_zone_that_is_being_saved_is_busy(transip: Transip) -> None:
    transip.saves = 2
    dns = client_of(transip).domains.get(ZONE).dns
    dns.create(entry("x"))
    for _look in range(2):
        with pytest.raises(TransIPHTTPError, match="currently being saved"):
            dns.list()
    assert dns.list()


@pytest.mark.parametrize(
    "wish",
    [
        entry("blank "),
        entry('with "quotes"'),
        entry("x", ttl=59),
        entry("x", rdtype="SPF"),
        entry("0 .", rdtype="MX"),
        entry("not an address", rdtype="A"),
        entry("www", rdtype="CNAME"),
        entry(SPF),
        {"name": "@"},
    ],
)
def test_a_wrong_entry_is_refused_whole(transip: Transip, wish: dict[str, Any]) -> None:
    before = list(transip.zones[ZONE].entries)
    header = {"Authorization": f"Bearer {ACCESS}"}
    url = f"{transip.base_url}/domains/{ZONE}/dns"
    answer = requests.post(url, json={"dnsEntry": wish}, headers=header)
    assert answer.status_code == 406 and answer.json()["error"].startswith("Error setting Dns Entries")
    assert transip.zones[ZONE].entries == before
    post_entry(transip, "x")
    assert len(transip.zones[ZONE].entries) == len(before) + 1

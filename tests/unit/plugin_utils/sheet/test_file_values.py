# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From settings to the keys of a file: any user and password come back from the URI as trytond takes it apart."""

from __future__ import annotations

import copy
import string
from typing import Any
from urllib.parse import unquote_plus, urlparse

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.file_values import file_entries, file_values
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.settings import settings_of
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import MISSING, TRYTON, accepted
from hypothesis import given, settings
from hypothesis import strategies as st

SYSTEM = Catalogue().system("tryton")
assert SYSTEM.file is not None
FILE = SYSTEM.file
PRINTABLE = st.text(st.sampled_from(string.printable[:95]), min_size=1, max_size=20)


def never() -> str:
    raise AssertionError("there is no secret to read")


def made(secret: str, **changed: Any) -> tuple[dict[str, str], dict[str, str]]:
    environment = accepted({**TRYTON, "settings": {**TRYTON["settings"], **changed}})
    return file_values(FILE, settings_of(environment), lambda: secret)


@settings(max_examples=60, deadline=None)
@given(PRINTABLE.filter(str.strip), PRINTABLE)
def test_what_trytond_signs_in_with_is_what_was_declared(user: str, password: str) -> None:
    values, secrets = made(password, username=user)
    uri = urlparse(secrets["uri"])
    assert (uri.scheme, uri.hostname, uri.port, uri.query) == ("smtp+tls", "relay.acme.example", 587, "")
    assert (unquote_plus(uri.username or ""), unquote_plus(uri.password or "")) == (user, password)
    assert values == {"from": "erp@acme.example"}


def test_without_a_sign_in_nothing_is_secret() -> None:
    given_settings = {**TRYTON["settings"], "username": None, "host": "2001:db8::1"}
    environment = accepted({**TRYTON, "settings": given_settings, "password": MISSING})
    values = file_values(FILE, settings_of(environment), never)
    assert values == ({"uri": "smtp+tls://[2001:db8::1]:587", "from": "erp@acme.example"}, {})


def test_each_key_says_how_much_of_it_is_shown() -> None:
    assert file_entries(FILE, SYSTEM.transports) == [
        {"name": "uri", "kind": "uri"},
        {"name": "from", "kind": "plain"},
    ]


@pytest.mark.parametrize("password", ["", "canary-é", "canary\n", "canary\x00"])
def test_a_password_that_smtplib_does_not_take_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(Refused) as raised:
        made(password)
    assert "erp_mail_password" in str(raised.value) and "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ({"key": "uri"}, "it has either a field or a uri"),
        (
            {"key": "uri", "field": "host", "uri": "{security}://{username}:{password}@{host}:{port}"},
            "either a field or",
        ),
        ({"key": "uri", "uri": "{security}://{host}"}, "a uri is {scheme}://{user}:{password}@{host}:{port}"),
        ({"key": "uri", "uri": "{security}://{username}:{password}@{host}:{prot}"}, "no field has this id"),
        ({"key": "URI", "field": "host"}, "a key is made of a-z"),
        ({"key": "from", "field": "host"}, "a key stands once"),
        ({"key": "sender", "field": "sender"}, "no field has this id"),
    ],
)
def test_a_wrong_key_of_the_catalogue_is_told(key: dict[str, str], told: str) -> None:
    entry = copy.deepcopy(Catalogue().entry("systems", "tryton"))
    entry["file"]["keys"] = [{"key": "from", "field": "from", "source": "docs"}, {**key, "source": "docs"}]
    plain = yaml.safe_load(yaml.safe_dump(_without_none(entry)))
    with pytest.raises(Refused) as raised:
        Catalogue({"tryton": plain}).system("tryton")
    assert told in str(raised.value)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value

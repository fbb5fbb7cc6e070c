# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of mail_test: what is refused before the module starts, in sentences that quote no value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import (
    shown_verdict,
    wrong_mail_test_arguments,
)

CANARY = "canary-7f3a9c1e5b"
GUID = "11111111-2222-3333-4444-555555555555"
TENANT = {"tenant_id": GUID, "client_id": GUID, "client_secret": CANARY}
GOOD: dict[str, Any] = {
    "from": "erp@acme.example",
    "to": "tests@acme.example",
    "submission": "smtp",
    "smtp": {"host": "smtp.acme.example", "user": "erp@acme.example", "password": CANARY},
}
GRAPH = {"from": "erp@acme.example", "to": "tests@acme.example", "submission": "graph", "tenant": TENANT}
FETCH = {"authserv_id": "mx.acme.example", "maildir": "/var/mail/tests"}


def smtp(**more: Any) -> dict[str, Any]:
    return {**GOOD, "smtp": {**GOOD["smtp"], **more}}


def fetch(**more: Any) -> dict[str, Any]:
    return {**GOOD, "fetch": {**FETCH, **more}}


def test_good_options_pass() -> None:
    imap = {"host": "mx.acme.example", "user": "tests", "password": CANARY}
    for good in (
        GOOD,
        GRAPH,
        {**GRAPH, "mailbox": GUID, "smtp": None},
        {**GOOD, "tenant": TENANT, "once_per": "2026-11-29", "verdict": {"spf": {"result": "pass"}}},
        smtp(auth="xoauth2", password=None, access_token=CANARY),
        smtp(security="none", accept_cleartext=True, port="2525", ehlo_name="[192.0.2.1]"),
        {**GOOD, "limits": {"messages_per_minute": 30}},
        fetch(),
        fetch(maildir=None, imap=imap, authserv_id=""),
        {**GOOD, "smtp": {"host": "192.0.2.1", "auth": "none"}},
    ):
        assert wrong_mail_test_arguments(good) == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({**GOOD, "pasword": CANARY}, "there is no such option: pasword"),
    ({**GOOD, "password": CANARY}, "it belongs into smtp: smtp.password"),
    (smtp(passwd=CANARY), "smtp.passwd; did you mean smtp.password?"),
    ({**GOOD, "smtp": CANARY}, "smtp must be a dictionary"),
    ({**GOOD, "smtp": [CANARY]}, "smtp must be a dictionary"),
    (smtp(password={"value": CANARY}), "smtp.password must be one value"),
    ({**GRAPH, "tenant": {**TENANT, "client_secrett": CANARY}}, "did you mean tenant.client_secret?"),
    ({**GRAPH, "tenant": CANARY}, "tenant must be a dictionary"),
    (fetch(imap_password=CANARY), "no such option: fetch.imap_password"),
    ({name: value for name, value in GOOD.items() if name != "to"}, "to is required"),
    ({**GOOD, "to": "tests@acme.example, director@acme.example"}, "to: an address is name@domain"),
    ({**GOOD, "to": "tests@acme.example\nBcc: director@acme.example"}, "to: "),
    ({**GOOD, "to": "tests@acme.example\r\nRCPT TO:<x@y.example>"}, "to: "),
    ({**GOOD, "from": "ERP <erp@acme.example>"}, "from: an address is name@domain: no spaces, no display name"),
    ({**GOOD, "from": "erp\0@acme.example"}, "from: "),
    ({**GOOD, "from": f"{'a' * 65}@acme.example"}, "64 bytes"),
    ({**GOOD, "to": "tests@b\u00fccher.example"}, "ASCII form"),
    (smtp(envelope_from="bounces"), "smtp.envelope_from: an address is name@domain"),
    ({**GRAPH, "mailbox": "me"}, "mailbox: an address is name@domain"),
    ({**GRAPH, "tenant": None}, "tenant is required by submission: graph"),
    ({**GRAPH, "smtp": GOOD["smtp"]}, "smtp belongs to submission: smtp"),
    ({**GOOD, "smtp": None}, "smtp is required by submission: smtp"),
    (smtp(host="smtp.acme.example\r\nQUIT"), "smtp.host is required: the name or the address"),
    (smtp(port=0), "smtp.port must be a number from 1 to 65535"),
    (smtp(user=None), "smtp.user is required by smtp.auth: plain"),
    (smtp(password=None, auth="login"), "smtp.password is required by smtp.auth: login"),
    (smtp(password="short"), "smtp.password is shorter than 8 characters"),
    (smtp(password=f"{CANARY}\0x"), "smtp.password holds a character that ends a line"),
    (smtp(user="erp\r\nAUTH"), "smtp.user holds a character that ends a line"),
    (smtp(auth="xoauth2"), "smtp.auth: xoauth2 needs a token"),
    ({**smtp(auth="xoauth2"), "tenant": {**TENANT, "cloud": "china"}}, "smtp.resource is required outside"),
    (smtp(resource="http://mail.example"), "smtp.resource must begin with https://"),
    (smtp(security="none"), "could read the password"),
    (smtp(ehlo_name="a b"), "smtp.ehlo_name must be a host name"),
    ({**GOOD, "limits": {"messages_per_day": 0}}, "limits.messages_per_day must be a whole number above zero"),
    (fetch(authserv_id=None), "fetch.authserv_id is required"),
    (fetch(maildir=None), "give one of them"),
    ({**fetch(), "expect": "refused"}, "fetch belongs to expect: accepted"),
    (fetch(maildir=None, imap={"host": "mx", "user": "a"}), "fetch.imap.password is required"),
    (fetch(maildir=None, imap={"host": "mx", "user": "a\n", "password": CANARY}), "fetch.imap.user holds"),
    ({**GOOD, "expect": "signed_in"}, "to belongs to a message, and with expect: signed_in none is sent"),
    ({**smtp(auth="none", user=None, password=None), "to": None, "expect": "signed_in"}, "needs somebody who signs in"),
    ({**GOOD, "once_per": ""}, "once_per is a text of 1 to 200 characters"),
    ({**GOOD, "once_per": "x" * 201}, "once_per is a text of 1 to 200 characters"),
]


@pytest.mark.parametrize(("options", "words"), WRONG, ids=[f"{row[1]}{n}" for n, row in enumerate(WRONG)])
def test_a_wrong_option_is_refused_without_its_value(options: dict[str, Any], words: str) -> None:
    problems = wrong_mail_test_arguments(options)
    assert any(words in problem for problem in problems), problems
    assert not any(CANARY in problem or "\n" in problem or "\r" in problem for problem in problems)


def test_a_verdict_travels_as_its_results() -> None:
    whole = {
        "sender": {"from": "erp@acme.example"},
        "spf": {"result": "pass", "domain": "acme.example"},
        "dkim": {"result": "none"},
        "dmarc": {"result": f"{CANARY} "},
        "password": CANARY,
    }
    assert shown_verdict(whole) == {"spf": {"result": "pass"}, "dkim": {"result": "none"}}
    assert shown_verdict(CANARY) == CANARY, "the check of shapes refuses it"
    assert wrong_mail_test_arguments({**GOOD, "verdict": CANARY}) == ["verdict must be a dictionary, not a str"]

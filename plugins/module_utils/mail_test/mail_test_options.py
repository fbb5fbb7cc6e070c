# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The options of ``mail_test`` as an argument spec, their checks, and what they mean as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import TENANT_OPTIONS, check_tenant
from ansible_collections.mailroom.erp.plugins.module_utils.option_check import wrong_options
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import RuleSource, escape_controls
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import is_too_short, too_short

MAIL_TEST_RULES = RuleSource("docs/mail_test.md")

PORTS = {"none": 25, "starttls": 587, "implicit": 465}
"""Unless given, by security (RFC 5321 section 4.5.4.2, RFC 6409 section 3.1, RFC 8314 section 7.3)."""
IMAP_PORTS = {"starttls": 143, "implicit": 993}
EXCHANGE = "https://outlook.office365.com"
"""Whom a token for Exchange Online's SMTP is meant for, in the public cloud."""
SIGNED_IN = "signed_in"
"""What is expected where no message is sent."""
_OF_A_MESSAGE = ("to", "once_per", "accept_second_message", "limits", "fetch", "verdict")
SHOWN_METHODS = ("spf", "dkim", "dmarc")

_SMTP: ArgumentSpec = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "security": {"type": "str", "default": "starttls", "choices": list(PORTS)},
    "auth": {"type": "str", "default": "plain", "choices": ["none", "plain", "login", "password", "xoauth2"]},
    "user": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "access_token": {"type": "str", "no_log": True},
    "resource": {"type": "str"},
    "control_user": {"type": "str"},
    "envelope_from": {"type": "str"},
    "ehlo_name": {"type": "str"},
    "ca_file": {"type": "path"},
    "accept_cleartext": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 60.0},
}
_IMAP: ArgumentSpec = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "security": {"type": "str", "default": "implicit", "choices": list(IMAP_PORTS)},
    "user": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "folder": {"type": "str", "default": "INBOX"},
    "ca_file": {"type": "path"},
}
_FETCH: ArgumentSpec = {
    "authserv_id": {"type": "str", "required": True},
    "maildir": {"type": "path"},
    "imap": {"type": "dict", "options": _IMAP},
    "timeout": {"type": "float", "default": 60.0},
}
_LIMITS: ArgumentSpec = {
    "messages_per_minute": {"type": "int"},
    "messages_per_day": {"type": "int"},
    "message_size": {"type": "int"},
}
MAIL_TEST_OPTIONS: ArgumentSpec = {
    "from": {"type": "str"},
    "to": {"type": "str"},
    "submission": {"type": "str", "required": True, "choices": ["smtp", "graph"]},
    "smtp": {"type": "dict", "options": _SMTP},
    "tenant": {"type": "dict", "options": TENANT_OPTIONS},
    "mailbox": {"type": "str"},
    "expect": {"type": "str", "default": "accepted", "choices": ["accepted", "refused", "signed_in"]},
    "once_per": {"type": "str"},
    "accept_second_message": {"type": "bool", "default": False},
    "state_dir": {"type": "path"},
    "limits": {"type": "dict", "options": _LIMITS},
    "fetch": {"type": "dict", "options": _FETCH},
    "verdict": {"type": "dict"},
}
"""The options of the module."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?", re.ASCII)
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How to hand a message to an SMTP server; ``timeout`` is in seconds for one whole answer.

    ``user`` is empty without authentication; ``access_token`` is None where the tenant gives one for ``resource``.
    """

    host: str
    port: int
    security: str
    auth: str
    user: str
    envelope_from: str
    ehlo_name: str
    ca_file: str | None
    accept_cleartext: bool
    timeout: float
    resource: str
    control_user: str | None
    password: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """A mailbox to look into over IMAP."""

    host: str
    port: int
    security: str
    user: str
    folder: str
    ca_file: str | None
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Whose Authentication-Results are trusted, how many seconds are waited, and where: in a Maildir or over IMAP."""

    authserv_id: str
    timeout: float
    where: Path | ImapSettings


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """What the service allows one account; ``message_size`` in bytes. None is not known."""

    messages_per_minute: int | None
    messages_per_day: int | None
    message_size: int | None


@dataclass(frozen=True, slots=True)
class MailTest:
    """A checked task: one message, how it is handed in, and what is expected.

    ``recipient`` is empty for a sign-in alone, ``sender`` may be. ``once_per`` is None where the settings decide;
    ``verdict`` is method to result, ``{}`` when none was given.
    """

    sender: str
    recipient: str
    smtp: SmtpSettings | None
    mailbox: str
    expects_refusal: bool
    signs_in_only: bool
    once_per: str | None
    accept_second_message: bool
    limits: ServiceLimits
    fetch: FetchSettings | None
    verdict: Mapping[str, str]


def wrong_mail_test_arguments(arguments: Mapping[str, Any]) -> list[str]:
    """Check names, shapes and what belongs together.

    :param arguments: what the task gives
    :returns: one sentence per broken rule; none quotes a secret, or anything that might be one
    """
    shapes = wrong_options(MAIL_TEST_OPTIONS, arguments, {"tenant": check_tenant})
    return shapes or list(_broken_rules(_given(arguments)))


def shown_verdict(verdict: object) -> object:
    """The part of a verdict that is compared with what a receiver says; anything else as it is.

    :param verdict: what a user gave, usually an item of ``verdicts`` of ``mail_auth_info``
    """
    if not isinstance(verdict, Mapping):
        return verdict
    return {method: {"result": result} for method, result in _results(verdict).items()}


def read_mail_test(params: Mapping[str, Any], local_name: str) -> MailTest:
    """Read checked parameters.

    :param params: as the argument spec gives them, without broken rules
    :param local_name: what this machine calls itself, for EHLO
    """
    return MailTest(
        sender=params.get("from") or "",
        recipient=params.get("to") or "",
        smtp=_smtp(params, local_name) if params["submission"] == "smtp" else None,
        mailbox=params.get("mailbox") or params.get("from") or "",
        expects_refusal=params["expect"] == "refused",
        signs_in_only=params["expect"] == SIGNED_IN,
        once_per=params.get("once_per"),
        accept_second_message=bool(params.get("accept_second_message")),
        limits=ServiceLimits(**{name: (params.get("limits") or {}).get(name) for name in _LIMITS}),
        fetch=_fetch(params.get("fetch")),
        verdict=_results(params.get("verdict") or {}),
    )


def _results(verdict: Mapping[str, Any]) -> dict[str, str]:
    found = {method: _result(verdict.get(method)) for method in SHOWN_METHODS}
    return {method: result for method, result in found.items() if result is not None}


def _result(found: object) -> str | None:
    result = found.get("result") if isinstance(found, Mapping) else None
    return result if isinstance(result, str) and re.fullmatch(r"[a-z]{1,20}", result) else None


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not given, at every depth that holds options."""
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in options.items()
        if value is not None
    }


def _broken_rules(given: Mapping[str, Any]) -> Iterator[str]:
    alone = given.get("expect") == SIGNED_IN
    left_out = {"to", "from"} if alone and given.get("submission") == "graph" else {"to"} if alone else set()
    missing = [name for name in ("from", "to", "submission") if name not in {*given, *left_out}]
    if missing:
        yield from (f"{name} is required" for name in missing)
        return
    yield from _addresses(given)
    if alone:
        yield from _wrong_sign_in(given)
    if given["submission"] == "graph":
        if "tenant" not in given:
            yield "tenant is required by submission: graph"
        if "smtp" in given:
            yield "smtp belongs to submission: smtp. Leave it out"
    elif "smtp" not in given:
        yield "smtp is required by submission: smtp"
    else:
        yield from _wrong_smtp(given["smtp"], given)
    yield from _wrong_limits(given.get("limits") or {})
    if "fetch" in given:
        yield from _wrong_fetch(given["fetch"], given)
    if not 0 < len(str(given.get("once_per", "x"))) <= _LONGEST_TEXT:
        yield f"once_per is a text of 1 to {_LONGEST_TEXT} characters"


def _addresses(given: Mapping[str, Any]) -> Iterator[str]:
    smtp = given.get("smtp") or {}
    places = {"from": given.get("from"), "to": given.get("to"), "mailbox": given.get("mailbox")}
    for place, address in {**places, "smtp.envelope_from": smtp.get("envelope_from")}.items():
        if address is None or _is_directory_id(place, address):
            continue
        try:
            domain_of(address)
            if not str(address).isascii():
                yield f"{place}: the domain must be written in its ASCII form (A-labels, RFC 5890 section 2.3.2.1)"
        except BadAddress as error:
            yield f"{place}: {escape_controls(str(error))}. Give one address; a message goes to nobody else"


def _wrong_sign_in(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _OF_A_MESSAGE:
        if given.get(name):
            yield f"{name} belongs to a message, and with expect: {SIGNED_IN} none is sent. Leave it out"
    if (given.get("smtp") or {}).get("auth") == "none":
        yield f"expect: {SIGNED_IN} needs somebody who signs in, and smtp.auth is none"


def _is_directory_id(place: str, value: object) -> bool:
    """A mailbox of Graph may be named by the id of its user."""
    return place == "mailbox" and re.fullmatch(r"[0-9A-Fa-f-]{36}", str(value)) is not None


def _wrong_smtp(smtp: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    auth, security = smtp.get("auth", "plain"), smtp.get("security", "starttls")
    yield from _wrong_host("smtp", smtp)
    if auth != "none" and "user" not in smtp:
        yield f"smtp.user is required by smtp.auth: {auth}"
    if auth in ("plain", "login", "password") and "password" not in smtp:
        yield f"smtp.password is required by smtp.auth: {auth}"
    if auth == "xoauth2" and "access_token" not in smtp and "tenant" not in given:
        yield "smtp.auth: xoauth2 needs a token: give tenant, or smtp.access_token"
    for name in ("password", "access_token"):
        if name in smtp and is_too_short(smtp[name]):
            yield too_short(f"smtp.{name}")
    if auth != "none" and security == "none" and not smtp.get("accept_cleartext"):
        rule = "whoever stands between here and the server could read the password (RFC 4954 section 9, RFC 8314)"
        yield f"smtp.security: none with smtp.auth: {auth}: {rule}. Set smtp.security, or smtp.accept_cleartext: true"
    yield from _wrong_texts(smtp)
    if (
        auth == "xoauth2"
        and _is_other_cloud(given.get("tenant") or {})
        and not {"access_token", "resource"} & set(smtp)
    ):
        yield "smtp.resource is required outside Microsoft's public cloud: whom the token is meant for"
    if not str(smtp.get("resource", "https://")).startswith("https://"):
        yield "smtp.resource must begin with https://"


def _is_other_cloud(tenant: Mapping[str, Any]) -> bool:
    return bool(tenant.get("cloud", "public") != "public")


def _wrong_texts(smtp: Mapping[str, Any]) -> Iterator[str]:
    for name in ("user", "password", "access_token", "control_user"):
        if any(character in str(smtp.get(name, "")) for character in "\0\1\r\n"):
            yield f"smtp.{name} holds a character that ends a line or a field (RFC 4616 section 2)"
    if "ehlo_name" in smtp and not re.fullmatch(r"\[?[A-Za-z0-9.:-]{1,255}\]?", str(smtp["ehlo_name"])):
        yield "smtp.ehlo_name must be a host name, or an address in square brackets (RFC 5321 section 4.1.3)"


def _wrong_host(place: str, option: Mapping[str, Any]) -> Iterator[str]:
    if not _HOST.fullmatch(str(option.get("host", ""))):
        yield f"{place}.host is required: the name or the address of a server"
    port = option.get("port", 1)
    if not (str(port).strip().isdigit() and 0 < int(port) < 65536):
        yield f"{place}.port must be a number from 1 to 65535"


def _wrong_limits(limits: Mapping[str, Any]) -> Iterator[str]:
    for name, value in limits.items():
        if not (str(value).strip().isdigit() and int(value) > 0):
            yield f"limits.{name} must be a whole number above zero"


def _wrong_fetch(fetch: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    if "authserv_id" not in fetch:
        rule = "fetch.authserv_id is required: the name by which the receiving server signs its Authentication-Results"
        yield f"{rule} (RFC 8601 section 2.5); an empty text for a receiver that writes none"
    if ("maildir" in fetch) == ("imap" in fetch):
        yield "fetch.maildir, fetch.imap: give one of them"
    if given.get("expect") == "refused":
        yield "fetch belongs to expect: accepted: a message that is refused arrives nowhere"
    if "imap" in fetch:
        yield from _wrong_host("fetch.imap", fetch["imap"])
        yield from (f"fetch.imap.{name} is required" for name in ("user", "password") if name not in fetch["imap"])
        if is_too_short(fetch["imap"].get("password", " " * 8)):
            yield too_short("fetch.imap.password")
        for name in ("user", "password", "folder"):
            if any(character in str(fetch["imap"].get(name, "")) for character in "\0\r\n"):
                yield f"fetch.imap.{name} holds a character that ends a line"


def _smtp(params: Mapping[str, Any], local_name: str) -> SmtpSettings:
    given = params["smtp"]
    return SmtpSettings(
        host=given["host"],
        port=given.get("port") or PORTS[given["security"]],
        security=given["security"],
        auth=given["auth"],
        user=given.get("user") or "",
        envelope_from=given.get("envelope_from") or params["from"],
        ehlo_name=given.get("ehlo_name") or local_name,
        ca_file=given.get("ca_file"),
        accept_cleartext=bool(given.get("accept_cleartext")),
        timeout=given["timeout"],
        resource=(given.get("resource") or EXCHANGE).rstrip("/"),
        control_user=given.get("control_user"),
        password=given.get("password"),
        access_token=given.get("access_token"),
    )


def _fetch(given: Mapping[str, Any] | None) -> FetchSettings | None:
    if given is None:
        return None
    imap = given.get("imap")
    if imap is None:
        return FetchSettings(given["authserv_id"], given["timeout"], Path(given["maildir"]))
    settings = ImapSettings(**{**imap, "port": imap.get("port") or IMAP_PORTS[imap["security"]]})
    return FetchSettings(given["authserv_id"], given["timeout"], settings)

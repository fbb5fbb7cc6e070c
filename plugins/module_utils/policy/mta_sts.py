# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""MTA-STS (RFC 8461): the policy by which senders insist on TLS with a domain's mail servers, and its TXT record."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, mail_domain
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, idna_encoded
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import Tag, TagError, TagList
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tls_fields import RecordForm
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

STS_MODES = ("testing", "enforce", "none")
LONGEST_MAX_AGE = 31557600
"""Seconds that senders may keep a policy at most (RFC 8461 section 3.2)."""

_DAY = 86400
_RECORD_SOURCE = "RFC 8461 section 3.1"
_SOURCE = "RFC 8461 section 3.2"
_FORM = RecordForm("STSv1", "id", False, _RECORD_SOURCE)
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_ID_LENGTH = 32
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MX = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_SPACES = " \t"
_LINE_END = re.compile(r"\r?\n")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_VALUE = re.compile("[ -~\u0080-\ud7ff\ue000-\U0010ffff]+")
_NUMBER = re.compile(r"[0-9]{1,10}")


class MtaStsError(ValueError):
    """A record or a policy breaks a rule; the message is the rule with its source, ``value`` what broke it."""

    def __init__(self, value: str, rule: str) -> None:
        self.value = value
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class MtaStsPolicy:
    """What senders shall do.

    ``mode`` is one of :data:`STS_MODES`, ``mx`` the patterns of the hosts that may get mail, as :func:`mx_pattern`
    makes them, ``max_age`` the seconds that senders keep the policy.
    """

    mode: str
    mx: tuple[str, ...]
    max_age: int


def mta_sts_name(domain: str) -> str:
    """Where the record that announces a domain's policy stands (RFC 8461 section 3.1).

    :param domain: as A-labels
    """
    return f"_mta-sts.{domain}"


def policy_url(domain: str) -> str:
    """Where senders fetch a domain's policy (RFC 8461 section 3.2).

    :param domain: as A-labels
    """
    return f"https://mta-sts.{domain}/.well-known/mta-sts.txt"


def is_mta_sts(text: str) -> bool:
    """Tell whether a TXT value is meant as an MTA-STS record: its first field is v=STSv1, exactly so."""
    return _FORM.fits(text)


def mta_sts_records(values: Iterable[str]) -> list[str]:
    """Pick the MTA-STS records among decoded TXT values, in their order.

    With any number of them but one, senders act as if there were no policy (RFC 8461 section 3.1).
    """
    return [value for value in values if is_mta_sts(value)]


def parse_mta_sts(text: str) -> TagList:
    """Parse an MTA-STS record. ``str(parse_mta_sts(text)) == text`` for every text that it accepts.

    :raises MtaStsError: it has another version, or a part is no field; senders then act as if there were no policy
    """
    try:
        return _FORM.parse_versioned(text)
    except TagError as error:
        raise MtaStsError(error.part, str(error)) from None


def mta_sts_record(policy: MtaStsPolicy, live: TagList | None = None) -> str:
    """The record that announces a policy (RFC 8461 section 3.1).

    :param live: the record that is there; its other fields, order and spacing stay
    """
    record = TagList((Tag("v", "STSv1", before=""),), tail="") if live is None else live
    return str(record.with_value("id", policy_id(policy)))


def mta_sts_faults(record: TagList) -> list[str]:
    """Why senders act as if there were no policy; one sentence each, with its source."""
    value = record.get("id")
    found = _FORM.syntax_faults(record)
    if value is not None and not _ID.fullmatch(value):
        found.append(f"id={shown(value)}: an id is 1 to 32 letters and digits ({_RECORD_SOURCE})")
    return found


def mta_sts_concerns(record: TagList) -> list[str]:
    """What is allowed in a record but should be looked at; one sentence each, with its source."""
    return _FORM.syntax_concerns(record)


def policy_text(policy: MtaStsPolicy) -> str:
    """Write a policy as it is served, in ASCII, each line with CRLF at its end (RFC 8461 section 3.2).

    :param policy: one that :func:`check_policy` finds nothing wrong with, its patterns as :func:`mx_pattern` makes
        them; then :func:`parse_policy` gives it back
    """
    fields = [("version", "STSv1"), ("mode", policy.mode), *(("mx", pattern) for pattern in policy.mx)]
    return "".join(f"{name}: {value}\r\n" for name, value in [*fields, ("max_age", str(policy.max_age))])


def policy_id(policy: MtaStsPolicy) -> str:
    """The id of a policy, made from its text: equal policies have equal ids, different ones different ids.

    An id that comes back with an earlier policy does no harm: senders only see whether it is the one that they know
    (RFC 8461 section 3.1).

    :param policy: as for :func:`policy_text`
    :returns: 32 hexadecimal digits
    """
    return hashlib.sha256(policy_text(policy).encode()).hexdigest()[:_ID_LENGTH]


def parse_policy(text: str) -> MtaStsPolicy:
    """Read a policy as senders do: unknown fields are ignored, and of a field that stands twice all but the first.

    :param text: what was fetched, decoded as UTF-8; lines end with LF or CRLF
    :returns: the policy, its patterns in lower case
    :raises MtaStsError: it is no valid policy; senders then act as if it could not be fetched (RFC 8461 section 3.3)
    """
    fields = [_policy_field(line) for line in _policy_lines(text)]
    first = dict(reversed(fields))
    for name in ("version", "mode", "max_age"):
        if name not in first:
            raise MtaStsError(text, f"there is no {name}: ({_SOURCE})")
    if first["version"] != "STSv1":
        raise MtaStsError(first["version"], f"version: is STSv1, exactly so ({_SOURCE})")
    if not _NUMBER.fullmatch(first["max_age"]):
        raise MtaStsError(first["max_age"], f"max_age: is a number of seconds ({_SOURCE})")
    patterns = tuple(value for name, value in fields if name == "mx")
    policy = MtaStsPolicy(first["mode"], patterns, int(first["max_age"]))
    problems = check_policy(policy)
    if problems:
        raise problems[0]
    return replace(policy, mx=tuple(pattern.lower() for pattern in patterns))


def check_policy(policy: MtaStsPolicy) -> list[MtaStsError]:
    """The rules that a policy breaks (RFC 8461 section 3.2); a policy read by :func:`parse_policy` breaks none."""
    problems = []
    if policy.mode not in STS_MODES:
        problems.append(MtaStsError(policy.mode, f"mode: is one of {', '.join(STS_MODES)} ({_SOURCE})"))
    if not 0 <= policy.max_age <= LONGEST_MAX_AGE:
        rule = f"max_age: is 0 to {LONGEST_MAX_AGE} seconds ({_SOURCE})"
        problems.append(MtaStsError(str(policy.max_age), rule))
    if not policy.mx and policy.mode != "none":
        problems.append(MtaStsError(policy.mode, f"with this mode there is at least one mx: ({_SOURCE})"))
    rule = f"an mx: is the name of a host in A-labels, or *. and a name ({_SOURCE})"
    return [*problems, *(MtaStsError(pattern, rule) for pattern in policy.mx if not _MX.fullmatch(pattern))]


def policy_concerns(policy: MtaStsPolicy) -> list[str]:
    """What is allowed in a policy but should be looked at; one sentence each, with its source."""
    if policy.mode != "enforce" or policy.max_age >= _DAY:
        return []
    rule = "who can keep senders from fetching it for so long gets around it, and weeks are expected"
    return [f"max_age: {policy.max_age} is less than a day: {rule} ({_SOURCE})"]


def mx_pattern(pattern: str) -> str:
    """Make an mx pattern of what a user gives.

    :param pattern: the name of a host, or ``*.`` and a name: the wildcard stands for exactly one label
    :returns: lower-case A-labels without trailing dot, behind ``*.`` if it was there
    :raises MtaStsError: it is neither
    :raises MissingLibrary: the name is internationalised and the library idna is not installed
    """
    wildcard = "*." if pattern.startswith("*.") else ""
    host = pattern.removeprefix("*.")
    if "*" in host:
        raise MtaStsError(pattern, "the wildcard * stands for the whole first label only (RFC 8461 section 4.1)")
    try:
        return wildcard + mail_domain(host)
    except BadAddress as error:
        raise MtaStsError(pattern, str(error)) from None


def matches_mx(pattern: str, host: str) -> bool:
    """Tell whether a pattern allows a host: ``*.`` stands for exactly one label (RFC 8461 section 4.1).

    :param pattern: of a policy; one that is invalid allows nothing
    :param host: the name in an MX record, in any case, a dot at its end or not
    :raises MissingLibrary: a name is internationalised and the library idna is not installed
    """
    try:
        wanted, name = _comparable(pattern), _comparable(host)
    except BadName:
        return False
    if not _MX.fullmatch(wanted):
        return False
    label, _dot, rest = name.partition(".")
    return bool(label) and f"*.{rest}" == wanted if wanted.startswith("*.") else name == wanted


def uncovered_mx(policy: MtaStsPolicy, hosts: Iterable[str]) -> list[str]:
    """The hosts that no pattern of a policy allows: no mail goes there under enforce (RFC 8461 section 5).

    :param hosts: the names in a domain's MX records; "." is none (null MX, RFC 7505 section 3)
    :returns: those among them, in their order; none under mode none, which asks for nothing
    """
    if policy.mode == "none":
        return []
    return [host for host in hosts if host != "." and not any(matches_mx(pattern, host) for pattern in policy.mx)]


def _policy_lines(text: str) -> list[str]:
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def _policy_field(line: str) -> tuple[str, str]:
    name, colon, rest = line.partition(":")
    value = rest.strip(_SPACES)
    if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise MtaStsError(line, f"each line is name: value, and none is empty ({_SOURCE})")
    return name, value


def _comparable(name: str) -> str:
    return idna_encoded(name).lower().removesuffix(".")

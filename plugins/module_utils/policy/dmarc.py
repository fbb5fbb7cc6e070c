# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""DMARC policy records (RFC 9989): read without loss, merged, and judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import quote

from ansible_collections.mailroom.erp.plugins.module_utils.policy import tags
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import BadName, is_inside, to_alabels
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import Tag, TagList
from ansible_collections.mailroom.erp.plugins.module_utils.problem import escape_controls, shown

POLICIES = ("none", "quarantine", "reject")
OBSOLETE = ("pct", "rf", "ri")
"""Tags that RFC 9989 removed; receivers that only know RFC 7489 still read them."""

AUTHORISATION = "v=DMARC1"
"""The record by which a destination agrees to get another domain's reports (RFC 9990 section 4)."""

_BLANKS = " \t\r\n"
_POLICY_TAGS = ("p", "sp", "np")
_MANY_ADDRESSES = 2
_TOO_MANY_ADDRESSES = 10
_RECORD = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|\Z)")
_VERSION = "v=DMARC1"
_ORDER = ("v", "p", "sp", "np", "adkim", "aspf", "t", "psd", "fo", "rua", "ruf", *OBSOLETE)
_VALUES = {
    "p": r"none|quarantine|reject",
    "sp": r"none|quarantine|reject",
    "np": r"none|quarantine|reject",
    "adkim": r"[rs]",
    "aspf": r"[rs]",
    "t": r"[yn]",
    "psd": r"[ynu]",
    "fo": r"[01ds](:[01ds])*",
}
_OBSOLETE_VALUES = {"pct": r"[0-9]{1,2}|100", "rf": r"afrf", "ri": r"[0-9]{1,10}"}
_MAILTO = re.compile(r"mailto:[^\s@,!;]+@(?P<domain>[^\s@,!;?]+)(\?[^\s,!;]*)?(![0-9]+[kmgt]?)?", re.IGNORECASE)
_OTHER_URI = re.compile(r"(?!mailto:)[a-z][a-z0-9+.-]*:[^\s,!;]+(![0-9]+[kmgt]?)?", re.IGNORECASE)
_SAFE = "#$&'*+/=?^_`{|}~-."
_LOCAL_PART = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")


class DmarcError(ValueError):
    """A record or a wish breaks a rule; the message is the rule with its source, ``value`` what broke it.

    ``tag`` is the tag that the user can say a value for, None when there is none.
    """

    def __init__(self, value: str, rule: str, tag: str | None = None) -> None:
        self.value, self.tag = value, tag
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class DmarcWish:
    """What a user wants of a domain's policy record.

    ``values`` maps tags (p, sp, np, adkim, aspf, t, psd, fo, and the obsolete ones) to their values; what it does not
    name stays. ``rua`` and ``ruf`` are report URIs to have. ``exclusive`` says that nothing else may stand in the
    record. ``managed`` leaves the policy itself to the record that is there.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    exclusive: bool = False
    managed: bool = False

    def __hash__(self) -> int:
        return hash((frozenset(self.values.items()), self.rua, self.ruf, self.exclusive, self.managed))


def is_dmarc(text: str) -> bool:
    """Tell whether a TXT value is a policy record: it begins with ``v=DMARC1``, and nothing stands before it.

    The v may be a capital and blanks may stand around the equals sign (RFC 9989 section 4.8).
    """
    return _RECORD.match(text) is not None


def select_dmarc(values: Iterable[str]) -> list[str]:
    """Pick the policy records among decoded TXT values, in their order."""
    return [value for value in values if is_dmarc(value)]


@lru_cache(maxsize=1 << 10)  # thousands of domains publish the same few
def parse_dmarc(text: str) -> TagList:
    """Read a policy record: the one reader for all that look at one. ``str(parse(text)) == text`` for all it accepts.

    What is no tag stays and is ignored (RFC 9989 section 4.8); :func:`dmarc_faults` tells what makes a record void.

    :returns: tags whose names have no case
    :raises DmarcError: it is no policy record; receivers then act as if there were none
    """
    if not is_dmarc(text):
        raise DmarcError(text, "a policy record begins with v=DMARC1 (RFC 9989 section 4.7)")
    return tags.read_tags(text)


def merge_dmarc(record: TagList | None, wish: DmarcWish) -> TagList:
    """Make a record as wished. Merging twice gives what merging once gives.

    Report addresses are added to those that are there; unknown tags, order, case and spacing of everything else stay.
    A tag that stands more than once makes a record void (RFC 6376 section 3.2) and is mended in any case: the wished
    value stays, report addresses are united, of a tag that nobody knows the last value stays. So is a mail address
    that stands without ``mailto:``, to which no report is sent. A record that is changed is written so that all
    receivers read it: it begins with ``v=DMARC1``, and what is no tag is left out.

    :param record: the live record, None when there is none; a new record gets an explicit ``p``, as receivers that
        only know RFC 7489 need it
    :param wish: what is wanted
    :raises DmarcError: a tag stands more than once with different values, and none is wished
    """
    if record is None:
        record = TagList((Tag("v", "DMARC1", before=""), Tag("p", "none")), caseless=True)
    result = _declared_only(record, wish) if wish.exclusive else record
    result = _with_schemes(_each_once(result, wish))
    for name in _ORDER:
        value = wish.values.get(name)
        if value is not None and not (wish.managed and name == "p") and result.get(name) != value:
            result = _placed(result, name, value)
    for name, wanted in (("rua", wish.rua), ("ruf", wish.ruf)):
        result = _with_addresses(_wanted_only(result, name, wanted) if wish.exclusive else result, name, wanted)
    return record if result == record else _readable(result)


def report_uri(address: str) -> str:
    """Make a report URI of an address.

    :param address: a mail address, or a ``mailto:`` URI
    :returns: the URI, its domain as A-labels, the characters that a record gives a meaning percent-encoded
    :raises DmarcError: it is no mail address, another kind of URI, or carries an obsolete size
    """
    scheme, colon, rest = address.partition(":")
    if colon and scheme.lower() != "mailto":
        raise DmarcError(address, "receivers send reports by mail only: give a mail address (RFC 9989 section 4.7)")
    plain = rest if colon else address
    if re.search(r"![0-9]+[kmgt]?$", plain, re.IGNORECASE):
        raise DmarcError(address, "the size after ! is obsolete and must be ignored (RFC 9989 section 4.7)")
    local, at, domain = plain.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise DmarcError(address, "a report address is one mail address (RFC 9989 section 4.7)")
    try:
        # What comes as a URI is encoded already.
        return f"mailto:{local if colon else quote(local, safe=_SAFE)}@{to_alabels(domain)}"
    except BadName as error:
        raise DmarcError(address, str(error)) from None


def report_uris(record: TagList) -> list[str]:
    """The addresses in ``rua=`` and ``ruf=`` of a record, as they stand there."""
    return [*_uris(record.get("rua")), *_uris(record.get("ruf"))]


def is_report_uri(uri: str) -> bool:
    """Tell whether an address in ``rua=`` is written as a URI (RFC 9989 section 4.10.1, RFC 3986)."""
    return bool(_MAILTO.fullmatch(uri) or _OTHER_URI.fullmatch(uri))


def report_hosts(record: TagList) -> list[str]:
    """The domains that a record has reports mailed to, each once.

    Other URIs than ``mailto:`` are left out: receivers ignore what they do not support (RFC 9989 section 4.7), and none
    is known to send reports in another way.
    """
    mailed = (match for match in map(_MAILTO.fullmatch, report_uris(record)) if match)
    hosts = (match["domain"].lower().removesuffix(".") for match in mailed)
    return list(dict.fromkeys(host for host in hosts if "." in host))


def destinations(record: TagList, domain: str) -> list[str]:
    """The domains outside this one that its record sends reports to, each once; they must agree to it.

    Which ones are outside is decided by organisational domains (RFC 9990 section 4), which only the DNS tells. By name
    alone, a destination above or below the domain is taken for the same organisation, any other for another one:
    an agreement more than needed does no harm. The DNS may prove either wrong, see ``alignment.same_organisation``.

    :param record: the policy record of ``domain``
    :param domain: as A-labels
    """
    return [host for host in report_hosts(record) if not _is_related(host, domain)]


def relatives(record: TagList, domain: str) -> list[str]:
    """The domains above or below this one that its record sends reports to, each once."""
    return [host for host in report_hosts(record) if host != domain and _is_related(host, domain)]


def authorisation_name(domain: str, destination: str) -> str:
    """Where a destination agrees to get a domain's reports (RFC 9990 section 4)."""
    return f"{domain}._report._dmarc.{destination}"


def dmarc_faults(record: TagList) -> list[str]:
    """Why receivers will not apply the policy that the record means; one sentence each, with its source."""
    wrong = [tag for tag in record if tag.name.lower() in _POLICY_TAGS and not _is_valid(tag)]
    return [*(doubled_fault(record, name) for name in record.doubled), *map(_invalid, wrong)]


def ignored_values(record: TagList) -> list[str]:
    """Tags whose value receivers do not know, so that they take the default instead; one sentence each.

    The rest of the record is applied (RFC 9989 section 4.8).
    """
    wrong = [tag for tag in record if tag.name.lower() not in _POLICY_TAGS and not _is_valid(tag)]
    return [f"{_invalid(tag)}, so receivers act as if it were not there" for tag in wrong]


def _invalid(tag: Tag) -> str:
    name = tag.name.lower()
    return f"{shown(f'{tag.name}={tag.value}')} is none of the values that {name}= may have (RFC 9989 section 4.7)"


def doubled_fault(record: TagList, name: str) -> str:
    """Why a record with a tag that stands more than once is void; one sentence with its source.

    :param name: one of ``record.doubled``
    """
    values = record.values(name)
    rule = f"{name}= stands {len(values)} times, so the record is void"
    if name in _POLICY_TAGS:
        # OpenDMARC 1.4.2, rspamd 3.4 and Mail::DMARC do.
        rule += f", but many deployed receivers take the last, {name}={escape_controls(values[-1])}"
    return f"{rule} (RFC 6376 section 3.2)"


def report_faults(record: TagList) -> list[str]:
    """Why no report is sent to an address of a record; one sentence each, with its source."""
    return [
        f"{shown(uri)} is no URI, so no report is sent there: a mail address stands behind mailto: "
        "(RFC 9989 section 4.8)"
        for uri in report_uris(record)
        if not is_report_uri(uri)
    ]


def dmarc_concerns(record: TagList) -> list[str]:
    """What is allowed but should be looked at; one sentence each, with its source."""
    names = [record.key(tag.name) for tag in record if tag.name]
    found = [
        f"{tag.name}= was removed by RFC 9989; receivers that know it ignore the tag"
        for tag in record
        if record.key(tag.name) in OBSOLETE
    ]
    if "p" not in names:
        found.append("there is no p=: receivers that only know RFC 7489 may ignore the record (RFC 7489 section 6.3)")
    elif names.index("p") != 1:
        found.append("p= is not the second tag, as receivers that only know RFC 7489 expect (RFC 7489 section 6.4)")
    if (record.get("t") or "").lower() == "y":
        found.append(
            "t=y asks receivers to do one step less, and older ones ignore it: no protection (RFC 9989 section 4.7)"
        )
    if _strength(record.get("sp")) is not None and (_strength(record.get("sp")) or 0) < (
        _strength(record.get("p")) or 0
    ):
        found.append(
            "sp= is weaker than p=: a made-up subdomain passes where the domain does not (RFC 9989 section 4.7)"
        )
    return [*found, *spelling_concerns(record), *_address_concerns(record)]


def spelling_concerns(record: TagList) -> list[str]:
    """What the standards read and not all receivers do; rspamd 3.4 and OpenDMARC 1.4.2 are among those that do not."""
    found = []
    if not str(record).startswith(f"{_VERSION};") and str(record) != _VERSION:
        found.append(f"the version is not written {_VERSION}, as some receivers look for (RFC 9989 section 4.8)")
    for tag in record:
        if not tag.name:
            what = f"{shown(tag.value)} is no tag" if tag.value.strip() else "there is an empty part"
            found.append(f"{what}: receivers ignore it, and some of them all behind it (RFC 9989 section 4.8)")
        elif tag.equals[0] in _BLANKS and record.key(tag.name) != "v":
            rule = "some receivers ignore it and all behind it"
            found.append(f"a blank stands before the = of {tag.name}: {rule} (RFC 9989 section 4.8)")
    return found


def _address_concerns(record: TagList) -> list[str]:
    uris = report_uris(record)
    rule = "receivers need to send reports by mail only, and none is known to send them in another way"
    found = [f"{shown(uri)}: {rule} (RFC 9989 section 4.7)" for uri in uris if _OTHER_URI.fullmatch(uri)]
    found += [f"{uri}: the size after ! is obsolete (RFC 9989 section 4.7)" for uri in uris if "!" in uri]
    if len(_uris(record.get("rua"))) > _MANY_ADDRESSES:
        found.append(f"receivers need not send reports to more than {_MANY_ADDRESSES} addresses (RFC 7489 section 6.2)")
    return found


def is_stricter(record: TagList, before: TagList | None) -> bool:
    """Tell whether a record asks receivers to do more about failing mail than the one before it did.

    The policies of the domain, of its subdomains and of those that do not exist are compared one by one; sp defaults
    to p and np to sp (RFC 9989 section 4.7). No record asks for nothing, nor does one that receivers cannot apply.
    """
    return any(new > old for new, old in zip(_strengths(record), _strengths(before), strict=True))


def rejects_anew(record: TagList, before: TagList | None) -> bool:
    """Tell whether a record is the first to ask that mail is rejected: of the domain, or of its subdomains.

    Reject is the step that loses mail for good, and the one that nothing announces to a sender who was overlooked.
    """
    reject = POLICIES.index("reject")
    steps = list(zip(_strengths(record), _strengths(before), strict=True))[:2]
    return any(new == reject and old != reject for new, old in steps)


def check_wish(wish: DmarcWish) -> list[DmarcError]:
    """The rules that a wish breaks, whatever the live record says."""
    problems = []
    for name, value in wish.values.items():
        if name in _VALUES and not re.fullmatch(_VALUES[name], value):
            problems.append(DmarcError(f"{name}={value}", f"{name}= is one of: {_VALUES[name]} (RFC 9989 section 4.7)"))
        if name in _OBSOLETE_VALUES and not re.fullmatch(_OBSOLETE_VALUES[name], value):
            rule = f"{name}= is one of: {_OBSOLETE_VALUES[name]} (RFC 7489 section 6.3)"
            problems.append(DmarcError(f"{name}={value}", rule))
    for name, uris in (("rua", wish.rua), ("ruf", wish.ruf)):
        if len(uris) > _TOO_MANY_ADDRESSES:
            rule = f"{len(uris)} addresses in {name}=: receivers need serve no more than two (RFC 7489 section 6.2)"
            problems.append(DmarcError(", ".join(uris), rule))
    return problems


def _is_policy(tag: Tag) -> bool:
    return tag.name.lower() in _POLICY_TAGS


def _is_valid(tag: Tag) -> bool:
    """Whether a tag has one of the values that it may have; a tag that nobody knows may have any."""
    rule = _VALUES.get(tag.name.lower())
    return rule is None or re.fullmatch(rule, tag.value, re.IGNORECASE) is not None


def _declared_only(record: TagList, wish: DmarcWish) -> TagList:
    """Only the tags that are wanted."""
    kept = {"v", "p", *wish.values, *(["rua"] if wish.rua else []), *(["ruf"] if wish.ruf else [])}
    return replace(record, tags=tuple(tag for tag in record.tags if record.key(tag.name) in kept))


def _wanted_only(record: TagList, name: str, wanted: Iterable[str]) -> TagList:
    """Only the addresses that are wanted."""
    keys = {_uri_key(uri) for uri in wanted}
    there = [uri for uri in _uris(record.get(name)) if _uri_key(uri) in keys]
    if len(there) == len(_uris(record.get(name))):
        return record
    return record.with_value(name, ",".join(there)) if there else record.without(name)


def _with_schemes(record: TagList) -> TagList:
    """The report addresses as URIs: what is a mail address gets its ``mailto:``."""
    for name in ("rua", "ruf"):
        uris = _uris(record.get(name))
        written = [_as_uri(uri) for uri in uris]
        if written != uris:
            record = record.with_value(name, ",".join(written))
    return record


def _as_uri(uri: str) -> str:
    if ":" in uri:
        return uri
    try:
        return report_uri(uri)
    except DmarcError:
        return uri


def _each_once(record: TagList, wish: DmarcWish) -> TagList:
    """Each tag once, in its first place."""
    for name in record.doubled:
        value = _one_value(record, name, wish)
        first = next(tag for tag in record if record.key(tag.name) == name)
        tags = (tag for tag in record.tags if record.key(tag.name) != name or tag is first)
        record = replace(record, tags=tuple(replace(tag, value=value) if tag is first else tag for tag in tags))
    return record


def _one_value(record: TagList, name: str, wish: DmarcWish) -> str:
    """Which value a tag shall have that stands more than once."""
    values = record.values(name)
    if name in ("rua", "ruf"):
        uris = {_uri_key(uri): uri for value in reversed(values) for uri in reversed(_uris(value))}
        return ",".join(reversed(list(uris.values())))
    wished = name in wish.values and not (wish.managed and name == "p")
    if wished or name == "v" or len({value.lower() for value in values}) == 1:
        return values[0]
    if name in _ORDER:
        raise DmarcError(str(record), doubled_fault(record, name), name)
    return values[-1]


def _placed(record: TagList, name: str, value: str) -> TagList:
    """A tag set in its place, spelled plainly; a new p goes right behind v (RFC 7489 section 6.4)."""
    if record.get(name) is None and name == "p":
        return replace(record, tags=(record.tags[0], Tag("p", value), *record.tags[1:]))
    tags = (replace(tag, name=name, equals="=") if record.key(tag.name) == name else tag for tag in record.tags)
    return replace(record, tags=tuple(tags)).with_value(name, value)


def _readable(record: TagList) -> TagList:
    """The record as all receivers find it, without what none of them reads."""
    tags = (tag for tag in record.tags[1:] if tag.name)
    return replace(record, tags=(Tag("v", "DMARC1", before=""), *tags))


def _with_addresses(record: TagList, name: str, wanted: Iterable[str]) -> TagList:
    there = _uris(record.get(name))
    known = {_uri_key(uri) for uri in there}
    new = [uri for uri in dict.fromkeys(wanted) if _uri_key(uri) not in known]
    if not new:
        return record
    old = record.get(name)
    return record.with_value(name, ",".join([*([old] if old else []), *new]))


def _is_related(host: str, domain: str) -> bool:
    return is_inside(host, domain) or is_inside(domain, host)


def _uris(value: str | None) -> list[str]:
    return [uri.strip() for uri in (value or "").split(",") if uri.strip()]


def _uri_key(uri: str) -> str:
    return re.sub(r"![0-9]+[kmgt]?$", "", uri.strip().lower())


def _strengths(record: TagList | None) -> tuple[int, int, int]:
    """How strict p, sp and np are, with their defaults."""
    if (
        record is None
        or record.doubled
        or any(not _is_valid(tag) for tag in record if tag.name.lower() in _POLICY_TAGS)
    ):
        return (0, 0, 0)
    p = _strength(record.get("p")) or 0
    sp, np = _strength(record.get("sp")), _strength(record.get("np"))
    sp = p if sp is None else sp
    return (p, sp, sp if np is None else np)


def _strength(policy: str | None) -> int | None:
    return POLICIES.index(policy.lower()) if policy and policy.lower() in POLICIES else None

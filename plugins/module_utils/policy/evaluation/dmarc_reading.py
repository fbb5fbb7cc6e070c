# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Policy records as receivers read them: what breaks a rule is ignored or has its default, nothing is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.mailroom.erp.plugins.module_utils.policy import dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Lookup
from ansible_collections.mailroom.erp.plugins.module_utils.policy.near_misses import near_dmarc
from ansible_collections.mailroom.erp.plugins.module_utils.problem import shown

_REQUESTS = dmarc.POLICIES
_CHOICES = {
    "p": _REQUESTS,
    "sp": _REQUESTS,
    "np": _REQUESTS,
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "psd": ("u", "y", "n"),
    "t": ("n", "y"),
}
_DEFAULTS = {"adkim": "r", "aspf": "r", "psd": "u", "t": "n"}
_KNOWN = frozenset({"v", "rua", "ruf", "fo", *_CHOICES, *dmarc.OBSOLETE})


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """One policy record, and the domain whose ``_dmarc`` name it stands at."""

    domain: str
    text: str
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        return policy_name(self.domain)

    def choice(self, tag: str) -> str | None:
        """The value of p, sp, np, adkim, aspf, psd or t: its default when it is absent or not one that it may have.

        :returns: in lower case, as the ABNF compares letters without case (RFC 9989 section 4.8); None for a policy
            that is not there
        """
        return _choice(tag, self.tags.get(tag))

    def invalid(self, *tags: str) -> list[str]:
        """Those of the tags that are there with a value that they may not have, as written."""
        return [f"{tag}={self.tags[tag]}" for tag in tags if tag in self.tags and self.choice(tag) is None]

    @property
    def asks_for_reports(self) -> bool:
        """Whether rua= holds at least one URI that is written as one (RFC 9989 section 4.10.1, RFC 3986)."""
        return any(dmarc.is_report_uri(uri.strip()) for uri in self.tags.get("rua", "").split(","))


@dataclass(frozen=True, slots=True)
class FoundPolicy:
    """What one ``_dmarc`` name holds for receivers: a record, or ``fault``, why what is there is none.

    ``near`` names a value that is nearly a record, where there is none; receivers act as if it were not there.
    """

    record: PolicyRecord | None = None
    fault: str | None = None
    several: bool = False
    near: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether receivers find nothing at this name."""
        return self.record is None and self.fault is None


def policy_name(domain: str) -> str:
    """Where a domain's policy record stands (RFC 9989 section 4.5)."""
    return f"_dmarc.{domain}"


def find(lookup: Lookup, domain: str) -> FoundPolicy:
    """Look for the policy record of exactly this domain.

    TXT values that do not begin with ``v=DMARC1`` are no policy records (RFC 9989 section 4.10 steps 2 and 6).

    :raises Unresolved: the name cannot be looked up
    """
    texts = lookup(policy_name(domain), "TXT")
    values = dmarc.select_dmarc(texts)
    if len(values) > 1:
        fault = (
            f"{policy_name(domain)} has {len(values)} policy records, so that receivers use none of them "
            "(RFC 9989 section 4.10)"
        )
        return FoundPolicy(fault=fault, several=True)
    if values:
        read = _read(values[0])
        if isinstance(read, str):
            return FoundPolicy(fault=f"{policy_name(domain)}: {read}")
        return FoundPolicy(PolicyRecord(domain, values[0], read))
    near = (f"{shown(text)} at {policy_name(domain)} {sentence}" for text in texts if (sentence := near_dmarc(text)))
    return FoundPolicy(near=next(near, None))


@lru_cache(maxsize=1 << 10)  # each is asked for several times a verdict
def _choice(tag: str, value: str | None) -> str | None:
    """See :meth:`PolicyRecord.choice`."""
    known = (value or "").lower()
    return known if known in _CHOICES[tag] else _DEFAULTS.get(tag)


@lru_cache(maxsize=4096)
def _read(text: str) -> Mapping[str, str] | str:
    """The tags of a record, or what makes it none; what is no known tag is ignored (RFC 9989 section 4.8)."""
    record = dmarc.parse_dmarc(text)
    if record.doubled:
        return dmarc.doubled_fault(record, record.doubled[0])
    tags = {record.key(tag.name): tag.value for tag in record if tag.name}
    return {name: tags[name] for name in tags if name in _KNOWN}

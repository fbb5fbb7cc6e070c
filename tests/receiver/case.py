# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one case of the receiver tests is: who sends what from where, the records, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OPENDMARC_IS_7489 = "OpenDMARC judges by RFC 7489"
"""Begins the label of every case that only RFC 9989 has an answer for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is found about one message, in the words of RFC 8601, and what becomes of it.

    ``spf``: one of the seven results or "unknown". ``dkim``: pass, fail (for whatever reason), none. ``dmarc``: pass,
    fail, none (no policy), unknown. ``disposition``: none, quarantine, reject, unknown.
    """

    spf: str
    dkim: str
    dmarc: str
    disposition: str


@dataclass(frozen=True, slots=True)
class Signing:
    """How the sending service signs: ``d=``, ``s=``, and what may go wrong on the way.

    ``key`` names one of ``keys.KEYS``; ``altered`` says that the text changes after it was signed.
    """

    domain: str
    selector: str = "s1"
    key: str = "service"
    altered: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One sender and one message.

    :ivar name: unique; the sender's environment too
    :ivar about: what it shows, with its source
    :ivar address: header From
    :ivar ip: where the message comes from, in 192.0.2.0/24
    :ivar answer: what the receiver must say, written by hand from RFC 7208, 6376 and 7489
    :ivar domains: what ``mail_domains`` is asked to publish
    :ivar live: lines of master files that stand in the DNS before, by zone; with no lines the zone is just there
    :ivar envelope: MAIL FROM; the header From unless given
    :ivar helo: greeting
    :ivar signing: None for mail that is not signed
    :ivar sources: what is declared of the sending servers; the address itself unless given
    :ivar verdict: what the verdict must say where it differs from the answer
    :ivar label: why it differs, or what this receiver cannot judge
    """

    name: str
    about: str
    address: str
    ip: str
    answer: Outcome
    domains: tuple[dict[str, Any], ...] = ()
    live: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    envelope: str = ""
    helo: str = "mail.sender.example"
    signing: Signing | None = None
    sources: tuple[str, ...] = ()
    verdict: Outcome | None = None
    label: str = ""

    @property
    def expected_verdict(self) -> Outcome:
        """What the verdict must say."""
        return self.verdict or self.answer

    @property
    def domain(self) -> str:
        """The domain of the header From."""
        return self.address.partition("@")[2]

    def declaration(self) -> dict[str, Any]:
        """The sender as the option ``senders`` has it: what its owner knows, and not what happens on the way."""
        selectors = [self.signing.selector] if self.signing else []
        return {
            "environment": self.name,
            "from": self.address,
            "envelope_from": self.envelope or self.address,
            "sources": list(self.sources or (self.ip,)),
            "dkim": {"domain": self.signing.domain if self.signing else self.domain, "selectors": selectors},
            "helo": self.helo,
        }


def domain_entry(domain: str, policy: str | None = None, /, **records: Any) -> dict[str, Any]:
    """An entry of the option ``domains``: what is asked for one domain, of which nobody but the case sends mail.

    :param policy: of DMARC; no record is asked for unless it is given
    :param records: the options ``spf``, ``dkim`` and ``cnames``; others are those of ``dmarc``
    """
    others: dict[str, Any] = {name: records.pop(name) for name in ("spf", "dkim", "cnames") if name in records}
    dmarc = (
        {"dmarc": {"policy": policy, "accept_unseen_senders": True, "accept_lost_forwarded_mail": True, **records}}
        if policy
        else {}
    )
    return {"domain": domain, **others, **dmarc}

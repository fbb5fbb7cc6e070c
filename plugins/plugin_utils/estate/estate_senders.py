# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The senders of all environments, and the services that send as our domains, as ``mail_domains`` takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import SENDERS, part_state
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import canonical_json

_PEOPLE = ("mailbox", "isp", "graph")
"""Kinds of services by which people send, with their own address as MAIL FROM."""

_TAKEN = ("environment", "from", "envelope_from", "envelope_domain", "dkim", "service", "used_for", "transport")

SignatureOf = Callable[[Mapping[str, Any]], dict[str, Any] | None]
"""Gives the signature {domain, selectors} of a sender for which its environment states none; None: not known."""


def estate_senders(
    needs: Iterable[Mapping[str, Any]], is_usable: Callable[[Mapping[str, Any]], bool], signature_of: SignatureOf
) -> list[dict[str, Any]]:
    """Gather the senders of environments that are there; one that leaves is there until it is seen to have stopped.

    :param needs: the fact ``erp_mail_needs`` of every environment, in a fixed order
    :param is_usable: tells whether an SPF term {term, service, date, given} may be relied on; addresses that are too
        old are not, so that whatever rests on them is unknown
    :param signature_of: tells how a sender's mail is signed where its environment does not
    :returns: the option ``senders``, what is not known left out; senders that differ only in what they are used for are
        one
    """
    present = [one for one in needs if part_state(one, SENDERS) != "absent"]
    found: dict[str, dict[str, Any]] = {}
    for sender in (_sender(sender, is_usable, signature_of) for one in present for sender in one.get("senders", [])):
        used_for = sender.pop("used_for")
        same = found.setdefault(canonical_json(sender), {**sender, "used_for": []})
        same["used_for"] += [text for text in used_for if text not in same["used_for"]]
    return list(found.values())


def service_senders(
    domains: Mapping[str, Mapping[str, Any]],
    catalogue: Catalogue,
    is_usable: Callable[[Mapping[str, Any]], bool],
    signature_of: SignatureOf,
) -> list[dict[str, Any]]:
    """Make senders of the services that send as our domains: staff mail, a newsletter.

    Which addresses they send as is not declared, so the address is ``*``. Mail programs of people give their own
    address as MAIL FROM; where a platform's bounces go is known only from its entry, else it is unknown.

    :param domains: the domains that are ours, by A-label name, with their ``services``
    :param catalogue: the services that exist; what is wrong with them is told where their SPF terms are added up
    :param is_usable: see :func:`estate_senders`, as ``signature_of``
    :returns: the option ``senders``, sorted by domain
    """
    found = []
    for domain, declared in sorted(domains.items()):
        for name in dict.fromkeys(declared.get("services") or []):
            try:
                service = catalogue.service(name)
            except (KeyError, Refused):
                continue
            found.append(_sender(_of_service(domain, service), is_usable, signature_of))
    return found


def _of_service(domain: str, service: Service) -> dict[str, Any]:
    """A service as a sender of a domain, in the shape that ``resolved_senders`` gives."""
    envelope = service.envelope.value or ("sender" if service.kind in _PEOPLE else None)
    source = service.spf_terms.source
    return {
        "from": f"*@{domain}",
        "domain": domain,
        "envelope_domain": domain if envelope == "sender" else None,
        "service": service.name,
        "sources": service.spf_terms.value,
        "sources_date": source.date if source else None,
        "sources_given": False,
        "used_for": [f"{service.title}, in services of mail_dns_domains.{domain}"],
    }


def _sender(
    sender: Mapping[str, Any], is_usable: Callable[[Mapping[str, Any]], bool], signature_of: SignatureOf
) -> dict[str, Any]:
    taken = {name: sender[name] for name in _TAKEN if sender.get(name) is not None}
    signature = taken.get("dkim") or signature_of(sender)
    taken |= {"dkim": signature} if signature else {}
    fact = {"service": sender["service"], "date": sender["sources_date"], "given": sender["sources_given"]}
    terms = sender["sources"]
    if terms is not None and all(is_usable({"term": term, **fact}) for term in terms):
        taken["sources"] = list(terms)
    return taken

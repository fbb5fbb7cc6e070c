# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What was judged of all environments, as it holds while some of them leave: by it, all that follows does no more than
the evidence permits. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import LEAVING
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_refusals import domains_sent_as
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.needed_by_others import (
    Domains,
    kept_for_others,
    users_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_stages import (
    Stage,
    StageFacts,
    part_states,
    stages_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_wishes import (
    OFFBOARD_RULES,
    OffboardWishes,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.stop_evidence import StopFinding, stop_of

_POLICIES = ("dmarc", "tls_rpt")
_DOMAINS = "mail_dns_domains"


@dataclass(frozen=True, slots=True)
class LeavingEstate:
    """``needs``, ``declarations`` and ``variables`` by host, as ``erp_environments_info`` gives them; ``told`` is what
    to tell of each environment that leaves, plain; ``domains``: of each domain that leaves why its policies stay, empty
    where they go."""

    needs: dict[str, dict[str, Any]]
    declarations: dict[str, Any]
    variables: dict[str, dict[str, Any]]
    told: dict[str, dict[str, Any]]
    domains: dict[str, list[str]]


def leaving_estate(
    judged: Mapping[str, Any],
    domains: Domains,
    seen: Mapping[str, Sequence[SeenSender]] | None,
    wishes: OffboardWishes,
    today: datetime.date,
    catalogue: Catalogue,
) -> LeavingEstate:
    """Give each part of the environments that leave the state that the evidence permits.

    :param judged: the result of ``erp_environments_info``
    :param domains: the entries of mail_dns_domains, by A-label name
    :param seen: by environment, what reports tell of its senders; None without an archive
    :param wishes: what a person told
    :param today: the day of the run, UTC
    :param catalogue: has the terms of declared services
    :raises Refused: reports show mail after the day that a person named as that of the last
    """
    stages = {host: _stages(host, seen, wishes, today) for host in _leaving(judged["needs"])}
    contradicted = [problem for host, (stop, _found) in stages.items() for problem in _contradicted(host, stop)]
    if contradicted:
        raise Refused(contradicted)
    parts = {host: part_states(found) for host, (_stop, found) in stages.items()}
    needs = {host: {**one, "parts": parts[host]} if host in parts else one for host, one in judged["needs"].items()}
    final = {host for host, (_stop, found) in stages.items() if found[-1].is_permitted}
    going = _going(needs, domains, wishes, final)
    gone = {name for name, reasons in going.items() if not reasons}
    return LeavingEstate(
        needs,
        {host: _declaration(one, host in final) for host, one in judged["declarations"].items()},
        {host: _without_policies(own, gone) for host, own in judged["variables"].items()},
        {
            host: {**told_of(*found), "kept": [one.text for one in kept_for_others(host, needs, domains, catalogue)]}
            for host, found in stages.items()
        },
        {name: reasons or list(_staying(domains[name])) for name, reasons in going.items()},
    )


def leaving_tenants(tenants: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is to go from tenants, and whom to look for there; nothing is made.

    :param tenants: as ``tenants_of`` adds them up
    """
    return {
        name: {**one, "environments": [_going_from_tenant(entry) for entry in one["environments"]]}
        for name, one in tenants.items()
    }


def _going_from_tenant(entry: Mapping[str, Any]) -> dict[str, Any]:
    gone = {part for part in ("application", "consent") if (entry.get(part) or {}).get("state") == "absent"}
    return {
        name: value for name, value in entry.items() if name in gone or name in ("environment", "customer", "senders")
    }


def told_of(stop: StopFinding, stages: Sequence[Stage]) -> dict[str, Any]:
    """The stages as plain data, for the tasks that follow; :func:`told_stages` reads them."""
    found = [{**asdict(one), "until": str(one.until) if one.until else None} for one in stages]
    return {"last_mail": str(stop.day) if stop.day else None, "proof": stop.proof, "stages": found}


def told_stages(told: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Read what :func:`told_of` gave."""
    return tuple(Stage(one["name"], one["state"], one["reason"], _day(one["until"])) for one in told["stages"])


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None


def _leaving(needs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted(host for host, one in needs.items() if one["state"] == LEAVING and not one.get("problems"))


def _stages(
    host: str,
    seen: Mapping[str, Sequence[SeenSender]] | None,
    wishes: OffboardWishes,
    today: datetime.date,
) -> tuple[StopFinding, tuple[Stage, ...]]:
    own = None if seen is None else seen.get(host, ())
    stop = stop_of(own, wishes.stopped.get(host), today, wishes.quiet_days)
    return stop, stages_of(StageFacts(stop, today, wishes.selector_days, host in wishes.final))


def _contradicted(host: str, stop: StopFinding) -> Iterator[Problem]:
    if stop.against:
        way_out = "Find out what still sends and stop it, or correct the day."
        yield OFFBOARD_RULES.problem(host, "mail_offboard_stopped", str(stop.day), stop.against, way_out)


def _declaration(declared: Mapping[str, Any], is_final: bool) -> dict[str, Any]:
    """The declaration of one whose files go, or stay as they are."""
    return {**declared, "options": {**declared["options"], "state": "absent" if is_final else LEAVING}}


def _going(
    needs: Mapping[str, Mapping[str, Any]], domains: Domains, wishes: OffboardWishes, final: Iterable[str]
) -> dict[str, list[str]]:
    """By domain that leaves, why its policies stay for now; empty where they go."""
    agreed = {name for host in final for name in domains_sent_as(needs[host])}
    return {
        name: list(_holding_on(name, needs, domains, wishes.all_final or name in agreed))
        for name in sorted(wishes.domains)
    }


def _holding_on(name: str, needs: Mapping[str, Mapping[str, Any]], domains: Domains, is_final: bool) -> Iterator[str]:
    """Why the policies of a domain that leaves stay for now."""
    users = users_of(name, needs, domains)
    yield from (f"{user} still needs it" for user in users)
    if not is_final and not users:
        yield "it is final, and nobody has consented (mail_offboard_final: true)"


def _staying(declared: Mapping[str, Any]) -> Iterator[str]:
    """What of a domain that leaves stays, because senders of others remember it."""
    policy = declared.get("mta_sts")
    if isinstance(policy, Mapping) and policy.get("mode") != "none" and policy.get("state") != "absent":
        yield "MTA-STS: write mode: none first, and wait for its max_age (RFC 8461 section 8.3, docs/receiving.md)"


def _without_policies(own: Mapping[str, Any], gone: set[str]) -> dict[str, Any]:
    """The variables of a host, with the policies of some domains to be taken away."""
    declared = own.get(_DOMAINS)
    if not gone or not isinstance(declared, Mapping):
        return dict(own)
    return {**own, _DOMAINS: {name: _policies(name, one, gone) for name, one in declared.items()}}


def _policies(name: Any, declared: Any, gone: set[str]) -> Any:
    if not isinstance(declared, Mapping) or alabels_of(name) not in gone:
        return declared
    found = {**declared, **{kind: {"state": "absent"} for kind in _POLICIES if declared.get(kind) is not None}}
    sts = declared.get("mta_sts")
    if isinstance(sts, Mapping) and sts.get("mode") == "none":
        found["mta_sts"] = {**sts, "state": "absent"}
    return found

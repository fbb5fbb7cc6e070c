# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adopts domains in this process, and plans as ``site`` does by the provider itself: an own look, past the proof."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.adoption.adoption_run import live_mail
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.adoption_files import Adopter, Adoption
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import domain_facts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_places import AdoptionWish
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import Recognition
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.report_evidence import ReportedMail
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import tenant_facts
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_input import EstateOptions, HostNeeds
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_plan import add_up

DAY = datetime.date(2026, 11, 29)


class Loader(yaml.CSafeLoader):
    """Reads what Ansible's loader would: ``!unsafe`` is a text."""


def _text(_loader: Any, node: Any) -> str:
    return str(node.value)


Loader.add_constructor("!unsafe", _text)


def adopted(
    folder: Path,
    domains: Iterable[str],
    dns: Mapping[str, Any] | None,
    resolver: Mapping[str, Any],
    wishes: Mapping[str, AdoptionWish] | None = None,
    today: datetime.date = DAY,
    reported: Mapping[str, Any] | None = None,
    tenants: Iterable[Mapping[str, Any]] = (),
) -> Adoption:
    """Read domains, and write the inventory."""
    selectors = Recognition(Catalogue()).selectors
    params = {"domains": list(domains), "dns": dns, "resolver": resolver, "selectors": selectors}
    live = live_mail({**params, "reported_domains": list(reported or {})})
    read = [tenant_facts(one, {one["tenant_id"]: {"tenant_id": one["tenant_id"]}}) for one in tenants]
    mail = ReportedMail(reported or {}, live["included"])
    adoption = Adopter(folder, wishes or {}, {}, today, {}).adopt(map(domain_facts, live["domains"]), mail, read)
    folder.mkdir(exist_ok=True)
    for path, (old, text) in adoption.files.items():
        assert (path.read_text() if path.exists() else None) == old
        path.write_text(text)
    return adoption


def declared(folder: Path) -> dict[str, Any]:
    """All domains of the inventory."""
    found: dict[str, Any] = {}
    for file in sorted(folder.glob("*.yml")):
        for group in yaml.load(file.read_text(), Loader).values():
            found |= group.get("vars", {}).get("mail_dns_domains", {})
    return found


def site_changes(folder: Path, dns: Mapping[str, Any], resolver: Mapping[str, Any]) -> list[str]:
    """What ``site`` would change or refuse, one sentence each."""
    options = EstateOptions(False, False, frozenset(), DAY)
    plan = add_up([HostNeeds("holder", False, None, dict(dns), declared(folder))], options)
    found = [str(problem) for problem in plan.problems]
    if not plan.domains:
        return found
    spf = {"mx_services": plan.mx_services, "other_flattened": "warn"}
    order = read_order({"domains": plan.domains, "dns": plan.dns, "spf": spf, "senders": plan.senders})
    outcomes = Run(order, resolver).execute(False)
    found += [f"{one.request.domain}: {one.failure}" for one in outcomes if one.failure]
    return found + [f"{one.request.domain} would change" for one in outcomes if one.changed]

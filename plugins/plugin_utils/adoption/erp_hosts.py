# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""ERP environments that a person named, as hosts of an inventory: judged as ``site`` judges them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import erp_question
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.claims import Finding
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import AnsweredEnvironment
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.recognition import same_term
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import (
    TemplateText,
    yaml_comment,
    yaml_flow,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

if TYPE_CHECKING:
    from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues

_SYSTEM, _PASSWORD = "erp_mail_system", "erp_mail_password"
_ONE_LINE = 100
"""A value longer than this stands on lines of its own, key by key."""


@dataclass(frozen=True, slots=True)
class CoveredRecords:
    """What the environments of an inventory need at one domain, so that it is explained: SPF terms (what equal ones
    have in common) and selectors."""

    terms: frozenset[object] = frozenset()
    selectors: frozenset[str] = frozenset()


@dataclass(slots=True)
class ErpHost:
    """One environment: ``variables`` of its host; ``needs`` as ``environment_needs`` gives them, None where it may not
    be declared, and ``reason`` says why. ``is_new``: the inventory does not have it yet; ``notes`` say where values are
    from."""

    environment: AnsweredEnvironment
    variables: dict[str, Any]
    needs: Mapping[str, Any] | None = None
    reason: str | None = None
    is_new: bool = True
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """That of the host."""
        return self.environment.name

    def refuse(self, reason: str) -> None:
        """It is not declared.

        :param reason: for a person
        """
        self.needs, self.reason = None, reason


class _Given:
    """The variables of a host that no inventory has yet."""

    templar = None

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def value(self, name: str) -> Any:
        return self.raw.get(name)


def judged_host(
    environment: AnsweredEnvironment,
    variables: Mapping[str, Any],
    shared: Mapping[str, Any],
    catalogues: Catalogues,
) -> ErpHost:
    """Judge an environment. A secret that its ERP needs becomes a reference, for a person to define.

    :param environment: as it was answered
    :param variables: of its host
    :param shared: what the inventory has for it beside them: mail_dns_domains, and perhaps a tenant and services
    :param catalogues: remembers what hosts share
    """
    host = ErpHost(environment, dict(variables))
    if _SYSTEM not in variables:
        host.refuse(f"system is missing, one of: {', '.join(Catalogue().names('systems'))}.")
        return host
    if environment.password:
        host.variables[_PASSWORD] = TemplateText(environment.password)
    problems = _judge(host, shared, catalogues)
    if [one for one in problems if one["where"] == _PASSWORD] and _PASSWORD not in host.variables:
        host.variables[_PASSWORD] = TemplateText("{{ vault_mailroom_" + re.sub(r"\W", "_", host.name) + "_password }}")
        problems = _judge(host, shared, catalogues)
    if problems:
        told = [f"{one['where']}: {one['rule']}. {one['way_out'] or ''}".strip() for one in problems]
        host.refuse(" ".join(told))
    return host


def covered_records(hosts: Collection[ErpHost], domain: str) -> CoveredRecords:
    """What the environments explain of a domain's records.

    :param hosts: those that are declared
    :param domain: as A-labels
    """
    needs = [host.needs for host in hosts if host.needs]
    terms = frozenset(same_term(one["term"]) for own in needs for one in own["domains"].get(domain, ()))
    selectors = frozenset(str(one["selector"]) for own in needs for one in own["dkim"].get(domain, ()))
    return CoveredRecords(terms, selectors)


def covered_selectors(host: ErpHost, domain: str) -> list[str]:
    """The DKIM selectors that an environment declares at a domain, as findings name them.

    :param host: that is declared
    :param domain: as A-labels
    """
    return [f"dkim {one}" for one in sorted(covered_records([host], domain).selectors)]


def undeclared(hosts: Iterable[ErpHost]) -> Iterator[tuple[str, Finding]]:
    """What is asked about environments that the inventory does not have and that may not be declared, by domain.

    :param hosts: all that a person named
    """
    reasons: dict[str, list[str]] = {}
    for one in hosts:
        if one.is_new and one.reason is not None:
            reasons.setdefault(one.environment.domain, []).append(f"{one.name} is not declared: {one.reason}")
    for domain, told in reasons.items():
        question = f"{' '.join(told)} Complete or correct the answer."
        yield domain, Finding(erp_question(domain), "", "high", question=question, listed=False)


def host_lines(host: ErpHost, origin: str) -> list[str]:
    """Write the host, without indentation.

    :param host: that is declared
    :param origin: where it comes from and when
    """
    lines = [yaml_comment(one) for one in (origin, *host.notes)]
    lines += [f"{yaml_flow(host.name)}:", "  ansible_connection: local"]
    for name, value in host.variables.items():
        lines += [f"  {line}" for line in _variable(name, value)]
    return lines


def _judge(host: ErpHost, shared: Mapping[str, Any], catalogues: Catalogues) -> list[Mapping[str, Any]]:
    # not where nobody named an environment: Ansible compiles all that an action imports at each start
    from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import judged_variables

    judgement = judged_variables(host.name, _Given({**shared, **host.variables}), catalogues)
    host.needs = judgement.needs
    return list((judgement.needs or {}).get("problems") or ())


def _variable(name: str, value: Any) -> Iterator[str]:
    flat = f"{name}: {yaml_flow(value)}"
    if not isinstance(value, Mapping) or len(flat) <= _ONE_LINE:
        yield flat
        return
    yield f"{name}:"
    for key, inner in value.items():
        yield f"  {yaml_flow(str(key))}: {yaml_flow(inner)}"

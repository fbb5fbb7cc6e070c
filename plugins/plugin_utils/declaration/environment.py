# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One ERP environment: what the inventory declares, what it comes to, and what was found wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, RuleSource
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import (
    Service,
    Source,
    System,
    Transport,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret

ENTRA_FACTS = ("directory_id", "application_id")
"""Facts of fields that the role mail_entra knows, once it has made the application."""

CONSENT_KEYS = ("app_id", "publisher_tenant_id", "scopes")
"""What erp_mail_consent says of the application that is consented to."""

INVENTORY = "mailroom.erp docs/inventory.md"
"""The source of rules that are this collection's own."""

INVENTORY_RULES = RuleSource(INVENTORY)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one host's variables say, templated and plain. ``password`` says where the secret stands, never its value.

    ``own_domains`` are the names of ``mail_dns_domains``: the domains that are ours; ``signed_domains`` those of them
    that declare DKIM selectors there. ``has_tenant`` tells that mail_entra_tenant is declared; ``made`` is what the
    role mail_entra found or made for the environment, in the shape of ``entra_environments``.
    """

    environment: str
    system: Any
    state: Any = "present"
    transport: Any = None
    service: Any = None
    senders: Any = field(default_factory=dict)
    settings: Any = field(default_factory=dict)
    spf_terms: Any = None
    dkim: Any = None
    consent: Any = None
    envelope_from: Any = None
    probe_from: Any = None
    confirmed: Any = ()
    secrets: Any = "reference"
    own_domains: Any = ()
    signed_domains: Any = ()
    password: Secret | None = None
    has_tenant: bool = False
    made: Any = None


@dataclass(frozen=True, slots=True)
class DeclaredSender:
    """One sender: its kind, its key (None for a single one), the address as declared, the domain in A-labels."""

    kind: str
    key: str | None
    address: str
    domain: str

    @property
    def where(self) -> str:
        """The variable that holds it."""
        return f"erp_mail_senders.{self.kind}" + (f".{self.key}" if self.key is not None else "")


@dataclass(frozen=True, slots=True)
class DeclaredSignature:
    """What a service or relay needs at a domain to sign as it: ``selectors`` are {selector, target | public_key} as
    ``mail_domains`` takes them, ``return_path`` (name, target) is the CNAME of the envelope sender."""

    selectors: tuple[Mapping[str, str], ...] = ()
    return_path: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """A declaration that was understood. ``values`` holds each setting by id, defaults and facts filled in (None: no
    value); ``given`` the ids that the inventory sets itself; ``spf_terms`` the user's own, None when not given;
    ``dkim`` the signatures by domain; ``confirmed`` the points of the checklist that the inventory calls done, each
    with the stamp of the values that it is done for, None without; ``probe_from`` where it sends from, ``here`` for the
    controller, None when the inventory does not say; ``made`` what the role mail_entra found or made, empty while that
    is not known."""

    name: str
    state: str
    system: System
    transport: Transport
    service: Service
    senders: tuple[DeclaredSender, ...]
    values: Mapping[str, Any]
    given: frozenset[str]
    spf_terms: tuple[str, ...] | None
    own_domains: frozenset[str]
    password: Secret | None
    dkim: Mapping[str, DeclaredSignature] = field(default_factory=dict)
    consent: Mapping[str, Any] = field(default_factory=dict)
    envelope_from: DeclaredSender | None = None
    confirmed: Mapping[str, str | None] = field(default_factory=dict)
    signed_domains: frozenset[str] = frozenset()
    has_tenant: bool = False
    probe_from: str | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    def is_signed(self, domain: str) -> bool:
        """Tell whether DKIM selectors are declared for a domain: of this environment, or of the domain itself.

        :param domain: the name as A-labels
        """
        return bool(self.dkim.get(domain, DeclaredSignature()).selectors) or domain in self.signed_domains

    @property
    def has_password(self) -> bool:
        """Tell whether the inventory declares the secret of the transport."""
        return self.password is not None and self.password.is_given

    @property
    def is_managed(self) -> bool:
        """Tell whether the role mail_entra makes the application: the inventory names a tenant, but no application."""
        entra = self.transport.entra
        named = any(field.fact in ENTRA_FACTS and field.id in self.given for field in self.transport.fields)
        return self.has_tenant and entra is not None and entra.kind == "application" and not named

    def sender(self, kind: str, key: str | None = None) -> DeclaredSender | None:
        """The sender of a kind and key; None when none is declared.

        :param kind: the id of the system's kind of sender
        :param key: which of several; None for a single one
        """
        return next((one for one in self.senders if (one.kind, one.key) == (kind, key)), None)

    def is_ours(self, domain: str) -> bool:
        """Tell whether DNS may be planned for a domain: exactly that name is in ``mail_dns_domains``.

        :param domain: the name as A-labels
        """
        return domain in self.own_domains


@dataclass(frozen=True, slots=True)
class DeclarationFinding:
    """A problem and how bad it is: an error stops the run, a warning is shown."""

    level: str
    problem: Problem


class Findings:
    """Collects what is wrong with one environment.

    :param subject: the environment's name
    """

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.all: list[DeclarationFinding] = []

    def error(self, where: str, value: object, rule: str, source: Source | str, way_out: str) -> None:
        """Note a broken rule. ``value`` None is not shown: it is missing, or secret.

        :param where: the variable, and the place in it
        :param value: what stands there; None is not shown: it is missing, or secret
        :param rule: what is demanded
        :param source: where the rule comes from
        :param way_out: the next step
        """
        self._add("error", where, value, rule, source, way_out)

    def warn(self, where: str, value: object, rule: str, source: Source | str, way_out: str) -> None:
        """Note something that works, but not well, or that is not known to work.

        The parameters are those of :meth:`error`.
        """
        self._add("warning", where, value, rule, source, way_out)

    def has_error(self, where: str) -> bool:
        """Tell whether a place is wrong already, so that what follows from it need not be told.

        :param where: the variable, and the place in it
        """
        return any(problem.where == where for problem in self.errors)

    @property
    def errors(self) -> list[Problem]:
        """What stops the run, in the order in which it was found."""
        return [finding.problem for finding in self.all if finding.level == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """What is only shown, in the order in which it was found."""
        return [finding.problem for finding in self.all if finding.level == "warning"]

    def _add(self, level: str, where: str, value: object, rule: str, source: Source | str, way_out: str) -> None:
        text = None if value is None else str(value)
        finding = DeclarationFinding(level, Problem(self.subject, where, text, rule, str(source), way_out))
        if finding not in self.all:
            self.all.append(finding)

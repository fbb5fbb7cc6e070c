# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Whether a service takes mail whose From is not the account that signs in, by ``from_rule`` of its file.

No record of the DNS decides about this: the service does, when the ERP hands the mail in.
"""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Service
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.conditions import signs_in
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import field_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    INVENTORY,
    DeclaredSender,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_rules import rules_of


def judge_from(environment: Environment, service: Service, findings: Findings) -> None:
    """Judge the senders of an environment by what its service does with mail from another address than the account's.

    :param environment: an environment that was understood
    :param service: the one that the mail is handed to
    :param findings: takes one warning that names all senders concerned; none when nobody signs in, or the service's
        file does not say what it does
    """
    rule = service.from_rule.value
    if rule is None or rule["other"] == "taken" or not _account_signs_in(environment):
        return
    if rule["other"] == "verified":
        _unverified(environment, service, findings)
    else:
        _other_address(environment, service, findings)


def _account_signs_in(environment: Environment) -> bool:
    """An application of one's own has the right to send as every mailbox; a user who consents only as itself."""
    entra = environment.transport.entra
    return signs_in(environment) if entra is None else entra.kind == "consent"


def _unverified(environment: Environment, service: Service, findings: Findings) -> None:
    senders = [sender for sender in _senders(environment) if not environment.is_signed(sender.domain)]
    if senders:
        rule = (
            f"{service.title} refuses mail from an address that it has not verified{_answer(service)}, and no records "
            f"show that it has verified {_addresses(senders)}"
        )
        way_out = "Verify the domain with it, and declare the records that it gives in erp_mail_dkim."
        findings.warn("erp_mail_senders", None, rule, service.from_rule.source or INVENTORY, way_out)


def _other_address(environment: Environment, service: Service, findings: Findings) -> None:
    where, account = _account(environment)
    own = _comparable(account)
    others = [sender for sender in _senders(environment) if _comparable(sender.address) != own]
    if not others or findings.has_error(where):
        return
    right = service.from_rule.value["right"]
    granted = f", or set up {right} for each of these addresses" if right else ""
    if own is None:
        rule = (
            f"{_done(service)}, and which address signs in is not declared: it cannot be told whether it takes mail "
            f"from {_addresses(others)}"
        )
        way_out = f"Declare the account by its address, and send as it{granted}."
    else:
        rule = f"this account signs in, and needs the right to send as {_addresses(others)}: {_done(service)}"
        way_out = f"Send as the account{granted}."
    findings.warn(where, account, rule, service.from_rule.source or INVENTORY, way_out)


def _done(service: Service) -> str:
    """What the service does, whatever the DNS says."""
    if service.from_rule.value["other"] == "refused":
        return f"{service.title} refuses mail from an address that is not the account's{_answer(service)}"
    return f"{service.title} puts the account's address in the place of another one, which receivers then judge"


def _answer(service: Service) -> str:
    answer = service.from_rule.value["answer"]
    return f" ({answer})" if answer else ""


def _account(environment: Environment) -> tuple[str, str | None]:
    """The variable that holds the account, and what it holds."""
    field = environment.transport.account_field
    if field is None:
        return "erp_mail_transport", None
    where = f"erp_mail_settings.{field.id}" if field.spec is not None else f"erp_mail_senders.{field.sender}"
    value = field_value(field, environment)
    return where, str(value) if value else None


def _senders(environment: Environment) -> list[DeclaredSender]:
    """Those of the ERP itself, each address once: what another service sends is that service's to take."""
    beside = {service for service, _sender in rules_of(environment.system.name).also_sends(environment)}
    own = [sender for sender in environment.senders if sender.kind not in beside]
    return list({_comparable(sender.address): sender for sender in reversed(own)}.values())[::-1]


def _comparable(address: str | None) -> str | None:
    """An address as it is compared, in lower case with A-labels; None when it is none."""
    try:
        return f"{str(address).rpartition('@')[0].lower()}@{domain_of(address)}"
    except BadAddress:
        return None


def _addresses(senders: list[DeclaredSender]) -> str:
    return ", ".join(sender.address for sender in senders)

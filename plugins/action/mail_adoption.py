# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin of ``mail_adoption``: writes an inventory of what ``mail_adopt_info`` read, and the questions."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec, Result
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import alabels_of
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, RuleSource, escape_controls
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.adoption_files import Adopter, Adoption
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.domain_facts import domain_facts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_files import read_inventory
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_places import AdoptionWish, group_name
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.questions import QUESTIONS_FILE
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.referred_accounts import (
    missing_secrets,
    referred_account,
    referred_tenant,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.report_evidence import ReportedMail
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_facts import tenant_facts
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import TemplateText
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.standing_folder import from_here
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.controller_action import ControllerAction
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import kept_result

_ARGUMENTS: ArgumentSpec = {
    "live": {"type": "str", "required": True},
    "reported": {"type": "str", "default": ""},
    "tenants": {"type": "str", "default": ""},
    "customer": {"type": "str"},
    "dir": {"type": "path", "required": True},
}
_DOMAINS = "mail_adopt_domains"
_ACCOUNT = "mail_dns_account"
_TENANTS, _TENANT = "mail_adopt_tenants", "mail_entra_tenant"
_SHARED = ("mail_dns_resolver", "mail_reports_archive", "erp_mail_catalogue_services")
"""Variables that site needs as adopt does; they are written as they were given."""
_READABLE = 0o644
_CUSTOMER_RULES = RuleSource("docs/customers.md")
_TOLD = 5
"""Questions that are told; all are in the file."""


class ActionModule(ControllerAction):
    """Ends a run of adopt."""

    argument_spec = _ARGUMENTS

    def work(self, options: Mapping[str, Any], variables: Mapping[str, Any]) -> Result:
        """Write what is new.

        :param options: the variable that holds what was read, and the folder
        :param variables: raw, so that references to secrets stay references
        :returns: the files that changed, the domains, and how many questions are open
        :raises Refused: something that is there cannot be read or added to, or a file cannot be written
        """
        folder = Path(from_here(options["dir"]))
        live = kept_result(variables, options["live"])
        customer = options["customer"]
        _check_folder(folder, customer)
        wishes, shared = self._wishes(variables, customer), dict(self._shared(variables))
        services = self._templar.template(variables.get("erp_mail_catalogue_services") or {})
        adopter = Adopter(folder, wishes, shared, datetime.datetime.now(datetime.UTC).date(), plain_value(services))
        sources = kept_result(variables, options["reported"]).get("sources") or {}
        reported = ReportedMail(sources, live.get("included") or {})
        sign_ins = dict(self._tenant_accounts(variables))
        read = kept_result(variables, options["tenants"]).get("tenants") or []
        tenants = [tenant_facts(one, sign_ins) for one in read]
        adoption = adopter.adopt(map(domain_facts, live["domains"]), reported, tenants)
        if not self._task.check_mode:
            _write(adoption)
        accounts = [shared.get(_ACCOUNT), *(wish.dns for wish in wishes.values())]
        for line in _told(adoption, folder, [*accounts, *(one.variables for one in adoption.hosts)]):
            Display().display(escape_controls(line))
        result: Result = {
            "changed": bool(adoption.files),
            "files": sorted(map(str, adoption.files)),
            "new": adoption.new,
            "environments": [one.name for one in adoption.hosts],
            "updated": adoption.changed,
            "edited": adoption.edited,
            "unread": adoption.unread,
            "questions": len(adoption.questions),
        }
        diff = [
            {"before_header": str(path), "after_header": str(path), "before": old or "", "after": new}
            for path, (old, new) in sorted(adoption.files.items())
        ]
        return {**result, "diff": diff} if self._task.diff else result

    def _wishes(self, variables: Mapping[str, Any], customer: str | None) -> dict[str, AdoptionWish]:
        raw = variables.get(_DOMAINS)
        if customer is not None and isinstance(raw, Mapping):
            raw = _own_domains(raw, customer)
        given = plain_value(self._templar.template(raw))
        if not isinstance(given, Mapping):
            return {}
        found = {}
        if customer is not None:
            given = _own_domains(given, customer)
        for name, one in given.items():
            one = one if isinstance(one, Mapping) else {}
            untemplated = raw.get(name) if isinstance(raw, Mapping) else None
            account = (untemplated if isinstance(untemplated, Mapping) else one).get("dns")
            whose = str(one["customer"]) if one.get("customer") is not None else None
            dns = referred_account(account, group_name(whose)) if account is not None else None
            found[alabels_of(name) or str(name)] = AdoptionWish(whose, dns, one.get("zone"))
        return found

    def _tenant_accounts(self, variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The sign-ins by the tenant's id. Of a list that is a template as a whole none can be referred to."""
        raw: Any = variables.get(_TENANTS) or [variables.get(_TENANT)]
        for one in raw if isinstance(raw, list) else ():
            given = plain_value(self._templar.template(one))
            if isinstance(given, Mapping) and given.get("tenant_id"):
                tenant_id = str(given["tenant_id"]).lower()
                yield tenant_id, referred_tenant(one, tenant_id)

    def _shared(self, variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        if variables.get(_ACCOUNT):
            yield _ACCOUNT, referred_account(variables[_ACCOUNT], "dns")
        for name in _SHARED:
            raw = variables.get(name)
            if raw:
                yield name, TemplateText(raw) if isinstance(raw, str) and "{{" in raw else plain_value(raw)


def _own_domains(domains: Mapping[Any, Any], customer: str) -> dict[Any, Any]:
    # not in a run for all: Ansible compiles all that an action imports at each start
    from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.boundary import adopted_domains

    return adopted_domains(domains, customer)


def _check_folder(folder: Path, customer: str | None) -> None:
    """A run for one customer writes into no inventory that declares domains of another."""
    if customer is None:
        return
    entries = [one for file in read_inventory(folder).values() for one in file.entries.items()]
    for name, entry in entries:
        declared = entry.declared if isinstance(entry.declared, Mapping) else {}
        if declared.get("customer") != customer:
            rule = f"{entry.file} declares {name}, which is not declared as that of {customer}"
            way_out = "Name a folder for this customer alone, or adopt for all without mail_run_customer."
            raise Refused(_CUSTOMER_RULES.problem("adopt", "mail_adopt_dir", str(folder), rule, way_out))


def _write(adoption: Adoption) -> None:
    """The questions go last: they tell how the entries were written."""
    for path, (_old, text) in sorted(adoption.files.items(), key=lambda one: one[0].name == QUESTIONS_FILE):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text.encode(), like=path.stat() if path.exists() else None, mode=_READABLE)
        except OSError as error:
            rule = f"it cannot be written: {error.strerror or error}"
            way_out = "Let this user write there, or name another folder."
            raise Refused(Problem("adopt", "mail_adopt_dir", str(path), rule, "docs/adopt.md", way_out)) from error


def _told(adoption: Adoption, folder: Path, written: list[Any]) -> Iterator[str]:
    yield f"adopt: new domains in {folder}: {len(adoption.new)}; domains that got answers: {len(adoption.changed)}."
    for name, why in adoption.unread.items():
        yield f"  {name} could not be read: {why}"
    if adoption.hosts:
        yield f"  New ERP environments: {', '.join(one.name for one in adoption.hosts)}"
    if adoption.edited:
        names = ", ".join(adoption.edited)
        yield f"  Edited by hand, so put the answers in yourself: {names}"
    secrets = sorted({one for values in written for one in missing_secrets(values)})
    if secrets:
        yield f"  Define these with ansible-vault in that inventory: {', '.join(secrets)}"
    if adoption.questions:
        yield f"  {len(adoption.questions)} questions are in {folder / QUESTIONS_FILE}, the greatest risk first:"
    for one in adoption.questions[:_TOLD]:
        more = f" and {len(one.domains) - 1} more" if len(one.domains) > 1 else ""
        yield f"  {one.risk}: {one.what} at {one.domains[0]}{more}: {one.text}"

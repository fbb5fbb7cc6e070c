# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``mail_tenants``: from Ansible's variables to ``estate.estate_tenants``, where the rules are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    HostTenant,
    for_bootstrap,
    host_tenant,
    needs_ahead,
    tenants_of,
    way_ahead,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_variables import readable_variable
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value
from ansible_collections.mailroom.erp.plugins.plugin_utils.template_marks import never_templates

DOCUMENTATION = r"""
name: mail_tenants
short_description: Add up what all ERP environments of a play need from Microsoft Entra
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Adds up the needs that the role P(mailroom.erp.erp_mail#role) published for each host and the variables
    C(mail_entra_*), by tenant, into options of M(mailroom.erp.entra_environments).
  - The result holds the secrets of the sign-ins. Give it to a module's options, never to a message.
positional: hosts
options:
  _input:
    description: The variable C(hostvars).
    type: raw
    required: true
  hosts:
    description: The names of all hosts of the play, C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
  ahead:
    description:
      - Adds what an environment will need whose password its service ends, as if it used the transport that takes over
        already.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Bring one tenant to what its environments need
  mailroom.erp.entra_environments:
    tenant: "{{ plan.tenants[item].tenant }}"
    environments: "{{ plan.tenants[item].environments }}"
    secrets_dir: /srv/mailroom/secrets
  vars:
    plan: "{{ hostvars | mailroom.erp.mail_tenants(ansible_play_hosts_all) }}"
  loop: "{{ plan.tenants | list }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary of C(tenants) (by id, each with C(tenant) and C(environments)), C(problems), a list, and C(ahead),
      the environments whose transport is prepared before they move, each with the name of that transport.
  type: dict
"""


def mail_tenants(hostvars: Mapping[str, Any], hosts: Iterable[str], ahead: bool = False) -> dict[str, Any]:
    """Add up what all hosts need; the documentation above describes options and result."""
    unreadable: list[Problem] = []
    plan = tenants_of([tenant_of_host(str(name), hostvars[name], unreadable, ahead) for name in hosts])
    entries = [entry for tenant in plan.tenants.values() for entry in tenant["environments"]]
    made = sorted(entry["environment"] for entry in entries if "application" in entry or "consent" in entry)
    moving = {name: way_ahead(_needs_of(hostvars[name])) for name in made} if ahead else {}
    return {
        "tenants": plan.tenants,
        "problems": [str(problem) for problem in (*unreadable, *plan.problems)],
        "ahead": {name: way["transport"] for name, way in moving.items() if way},
    }


def mail_asked_tenants(
    tenants: Mapping[str, Any], looked: Mapping[str, Any] | None = None, without: Iterable[str] = ()
) -> dict[str, Any]:
    """The options of the module for all tenants; ``mail_asked_tenants.yml`` documents it."""
    found = plain_value(dict((looked or {}).get("environments") or {}))
    left_out = {str(name) for name in without}
    asked = [one for one in plain_value(dict(tenants)).values() if looked is None or _differs(_hosts(one), found)]
    return {
        "tenants": [one["tenant"] for one in asked],
        "environments": [
            {**entry, "tenant_id": one["tenant"]["tenant_id"]}
            for one in asked
            for entry in one["environments"]
            if entry["environment"] not in left_out
        ],
    }


def mail_tenant_results(
    looked: Mapping[str, Any], tenants: Mapping[str, Any], done: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What came of each tenant, with whom it was asked for; ``mail_tenant_results.yml`` documents it."""
    before, after = (plain_value(dict(one.get("environments") or {})) for one in (looked, done or {}))
    for host, environment in after.items():
        # the second look leaves the senders out
        environment["senders"] = before.get(host, {}).get("senders") or environment["senders"]
    known = {"environments": {**before, **after}, "msg": plain_value(looked.get("msg"))}
    # a task that failed as a whole has failed in all tenants that it was for
    lost = {"environments": {}, "msg": plain_value((done or {}).get("msg"))}
    is_lost = lost["msg"] is not None and not after
    asked = [_hosts(one) for one in tenants.values()]
    return [_result(hosts, lost if is_lost and _differs(hosts, before) else known) for hosts in asked]


def _hosts(tenant: Mapping[str, Any]) -> list[str]:
    return [str(plain_value(entry["environment"])) for entry in tenant["environments"]]


def _differs(hosts: Iterable[str], found: Mapping[str, Any]) -> bool:
    """Whether anything of a tenant is not as declared: each of its environments knows the consents of the others."""
    return any(found.get(host, {}).get("changed") for host in hosts)


def _result(hosts: list[str], result: Mapping[str, Any]) -> dict[str, Any]:
    """What came of one tenant; without what was found where that is not known of all its environments."""
    found = result["environments"]
    if not all(host in found for host in hosts):
        return {"asked": hosts, **({} if result["msg"] is None else {"msg": result["msg"]})}
    own = {host: found[host] for host in hosts}
    return {"asked": hosts, "environments": own, "diff": [part for one in own.values() for part in one["diff"]]}


def mail_bootstrap(environments: Iterable[Mapping[str, Any]], owner: str | None) -> list[dict[str, Any]]:
    """What a person does of the environments of one tenant; ``mail_bootstrap.yml`` documents it."""
    return for_bootstrap(plain_value(list(environments)), plain_value(owner))


def tenant_of_host(
    name: str, variables: Mapping[str, Any], unreadable: list[Problem], ahead: bool = False
) -> HostTenant:
    """One host's part, from its variables.

    :param name: the host's
    :param variables: what ``hostvars`` has of the host
    :param unreadable: takes a problem for each variable that cannot be templated
    :param ahead: whether what takes over from a password that ends counts as needed
    """
    needs = _needs_of(variables)
    return host_tenant(
        name,
        needs_ahead(needs) if ahead else needs,
        lambda variable: readable_variable(name, variables, variable, unreadable),
    )


def _needs_of(variables: Mapping[str, Any]) -> dict[str, Any] | None:
    return plain_value(variables["erp_mail_needs"]) if "erp_mail_needs" in variables else None


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name the filters, as Ansible asks for them."""
        return {
            "mail_tenants": never_templates(mail_tenants),
            "mail_asked_tenants": never_templates(mail_asked_tenants),
            "mail_tenant_results": never_templates(mail_tenant_results),
            "mail_bootstrap": never_templates(mail_bootstrap),
        }

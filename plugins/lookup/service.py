# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup ``service``: what the catalogue knows of a sending service."""

from __future__ import annotations

DOCUMENTATION = r"""
name: service
short_description: One sending service of the catalogue as a dictionary
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Gives what the catalogue knows of a sending service, each fact with the source that it comes from.
  - A fact that nobody gave is left out. docs/catalogue.md describes the shape.
options:
  _terms:
    description: The names of the services, such as V(ziggo).
    type: list
    elements: str
    required: true
  services:
    description:
      - Services of your own, by name, on top of those of the collection.
      - The variable C(erp_mail_catalogue_services) unless given.
    type: dict
"""

EXAMPLES = r"""
- name: Show the mail server of Ziggo, and where that fact comes from
  ansible.builtin.debug:
    msg: "{{ service.smtp.host.value }}, from {{ service.sources[service.smtp.host.source].title }}"
  vars:
    service: "{{ lookup('mailroom.erp.service', 'ziggo') }}"
"""

RETURN = r"""
_list:
  description: One dictionary per name, as the files of the catalogue are shaped.
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value


class LookupModule(LookupBase):  # type: ignore[misc]
    """Looks services up by name."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """Give one catalogue entry per name.

        :param terms: the names of the services
        :param variables: the variables of the host, raw
        :returns: the entries, facts that nobody gave left out
        :raises AnsibleLookupError: the catalogue has no such service, or the entry is malformed
        """
        self.set_options(var_options=variables, direct=kwargs)
        own = self.get_option("services")
        if own is None:
            own = self._templar.template((variables or {}).get("erp_mail_catalogue_services") or {})
        try:
            catalogue = Catalogue(services=plain_value(own))
            return [_entry(catalogue, str(term)) for term in terms]
        except (Refused, MissingLibrary) as error:
            raise AnsibleLookupError(str(error)) from error


def _entry(catalogue: Catalogue, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _known(catalogue.entry("services", name))
    except KeyError:
        hint = catalogue.closest("services", name)
        raise AnsibleLookupError(f"The catalogue has no service {name!r}. {hint}") from None
    return found


def _known(value: Any) -> Any:
    """Leave out what is unknown: the validated entry holds None for it."""
    if isinstance(value, dict):
        return {name: _known(item) for name, item in value.items() if item is not None}
    return [_known(item) for item in value] if isinstance(value, list) else value

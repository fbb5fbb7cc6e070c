# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Federated credentials of an application: tokens of another identity provider that it may sign in with."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import (
    missing_application,
    read_application,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import WantedCredential
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Graph, Json
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

_PROPERTIES = ("name", "issuer", "subject", "audiences", "description")


@dataclass(slots=True)
class Federated:
    """A federated credential of one application: tokens of somebody else that it may sign in with."""

    graph: Graph
    wanted: WantedCredential

    def keep(self, write: bool) -> tuple[str | None, Json, Json]:
        """Bring it to what was declared.

        :param write: False in check mode
        :returns: the application id, and the properties before and after; empty where there is none
        :raises Refused: nothing has been written
        :raises GraphError: Graph refuses something
        :raises NotSeen: it was written, but is not seen everywhere in time
        """
        application = read_application(self.graph, self.wanted, {"$select": "id,appId"})
        if application is None and write and self.wanted.present:
            raise Refused(missing_application(self.wanted))
        found = self._find(application)
        before = _shown(found)
        after = self._declared() if self.wanted.present else {}
        if application is not None and write and before != after:
            self._write(application, found, after)
            self.graph.wait_for(self.wanted.subject, lambda: _shown(self._find(application)) == after)
        return (application or {}).get("appId"), before, after

    def _write(self, application: Json, found: Json | None, after: Json) -> None:
        path = f"applications/{application['id']}/federatedIdentityCredentials"
        if found is None:
            self.graph.create(path, after)
        elif after:
            self.graph.change(f"{path}/{found['id']}", {name: after[name] for name in after if name != "name"})
        else:
            self.graph.remove(f"{path}/{found['id']}")

    def _find(self, application: Json | None) -> Json | None:
        if application is None:
            return None
        held = self.graph.get_all(f"applications/{application['id']}/federatedIdentityCredentials")
        return next((one for one in held if one["name"] == self.wanted.name), None)

    def _declared(self) -> Json:
        given = self.wanted.federated
        return {
            "name": self.wanted.name,
            "issuer": given["issuer"],
            "subject": given["subject"],
            "audiences": [given.get("audience") or "api://AzureADTokenExchange"],
            "description": given.get("description"),
        }


def _shown(found: Json | None) -> Json:
    return {name: found.get(name) for name in _PROPERTIES} if found else {}

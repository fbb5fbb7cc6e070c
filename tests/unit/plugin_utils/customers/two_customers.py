# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of two customers as Ansible reads it, in the process of the test, and the boundary of a run for one."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.mailroom.erp.plugins.plugin_utils.customers.boundary import CustomerBoundary, draw_boundary
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import WrittenInventory

ACME, JANSEN = "Acme B.V.", "Bakkerij Jansen"
TENANTS = {ACME: "aaaaaaaa-0000-0000-0000-000000000000", JANSEN: "bbbbbbbb-0000-0000-0000-000000000000"}
_DOMAINS = {ACME: "acme.example", JANSEN: "jansen.example"}


def customer(name: str, short: str, **more: Any) -> dict[str, Any]:
    """The group of a customer: one environment, one domain, an account, a tenant and folders of its own."""
    host = {"erp_mail_system": "king_erp", "erp_mail_senders": {"environment": f"erp@{_DOMAINS[name]}"}}
    variables = {
        "mail_customer": name,
        "mail_dns_account": {"provider": "cloudflare", "api_token": f"{{{{ vault_{short}_token }}}}"},
        f"vault_{short}_token": f"token-of-{short}",
        "mail_dns_domains": {_DOMAINS[name]: {"customer": name, "services": []}},
        "mail_entra_tenant": {"tenant_id": TENANTS[name], "client_id": "x"},
        "mail_dns_snapshot_dir": f"/srv/{short}/snapshots",
        "mail_reports_archive": f"/srv/{short}/archive",
        "mail_reports_paths": [f"/srv/{short}/in"],
        "mail_report_dir": f"/srv/{short}/report",
        "erp_mail_output_dir": f"{{{{ inventory_dir }}}}/{short}",
    }
    return {"hosts": {f"{short}_erp": host}, "vars": {**variables, **more}}


def two_customers() -> dict[str, Any]:
    """Two customers who have nothing in common."""
    children = {"acme": customer(ACME, "acme"), "jansen": customer(JANSEN, "jansen")}
    return copy.deepcopy({"all": {"vars": {}, "children": children}})


def hostvars_of(folder: Path, inventory: dict[str, Any], **told: Any) -> HostVars:
    """Read an inventory as Ansible does.

    :param told: variables of the command line
    """
    file = folder / "inventory.yml"
    file.write_text(json.dumps(inventory), encoding="utf-8")
    loader = DataLoader()
    keeper = InventoryManager(loader=loader, sources=[str(file)])
    manager = VariableManager(loader=loader, inventory=keeper)
    manager._extra_vars = told
    return HostVars(keeper, manager, loader)


def drawn(
    folder: Path,
    inventory: dict[str, Any],
    name: Any = ACME,
    in_play: Sequence[str] | None = ("acme_erp",),
    **told: Any,
) -> CustomerBoundary:
    """The boundary of a run."""
    hostvars = hostvars_of(folder, inventory, **told)
    return draw_boundary(WrittenInventory(hostvars), name, in_play, lambda host, variable: hostvars[host][variable])

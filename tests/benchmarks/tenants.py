# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft Entra costs ``site`` at a service provider: 300 environments of 40 tenants, each a test tenant here.

``python tests/benchmarks/tenants.py`` runs the same environments in turn: with their tenants by the build of the git
revision BEFORE, with their tenants by this one, and without any by this one (the inventory names applications that
were made by hand). It prints seconds, ratios, the requests to Microsoft Graph of a tenant in which nothing changes, and
the lines of output. Of seven environments four are AFAS Profit with an application, two KING ERP with a consent, and
one is AFAS Profit with a password. ``--access scoped`` limits the applications.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.benchmarks.environments import Side, export, site
from ansible_collections.mailroom.erp.tests.benchmarks.measure import Run, timed
from ansible_collections.mailroom.erp.tests.integration.playbook import collections_path
from ansible_collections.mailroom.erp.tests.servers.entra.directory import PUBLISHER
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.entra.rights import (
    GRANT,
    MANAGE_OWN,
    READ_APPLICATIONS,
    SCOPE,
    SEE_SENDERS,
)
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

RIGHTS = [MANAGE_OWN, READ_APPLICATIONS, *GRANT, *SCOPE, *SEE_SENDERS]
KINDS = ("application", "application", "consent", "application", "password", "application", "consent")
BEFORE = "4e2c467"
"""The last build that looked at one tenant after the other, each by a process of its own."""
APP_ID = str(uuid.UUID(int=0x5E9D4B1C))
SECRET = "BENCHMARK_SECRET"
"""The variable of the environment that secrets refer to which the inventory must not hold."""
WORLD = "$ORIGIN {zone}.\n$TTL 3600\n@ IN SOA ns hostmaster 1 7200 3600 1209600 3600\n@ IN NS ns\nns IN A 192.0.2.53\n"


@dataclass(slots=True)
class Estate:
    """The folder of an inventory, the build that runs it, its tenants (none: applications made by hand), its runs."""

    folder: Path
    side: Side
    servers: list[EntraServer]
    created: list[Run] = field(default_factory=list)
    unchanged: list[Run] = field(default_factory=list)

    def run(self) -> Run:
        """Run the playbook once; the servers count requests from 1 again."""
        for server in self.servers:
            server.plan()
            server.sign_ins = 0
        command, environment = site(self.side, self.folder, "--vault-password-file=password")
        return timed(command, {**environment, SECRET: "not read by anything"}, self.folder)


def domain_of(tenant: int) -> str:
    """The domain of one tenant."""
    return f"tenant{tenant:02}.example"


def environment(number: int, tenant: int, kind: str, access: str) -> dict[str, Any]:
    """What one host declares."""
    address = f"erp{number:03}@{domain_of(tenant)}"
    sent: dict[str, Any] = {"erp_mail_senders": {"environment": address}}
    if kind == "consent":
        consent = {"app_id": APP_ID, "publisher_tenant_id": PUBLISHER, "scopes": ["SMTP.Send"]}
        king = {"erp_mail_system": "king_erp", "erp_mail_transport": "graph_oauth2", "erp_mail_consent": consent}
        return {**sent, **king, "erp_mail_settings": {"username": address}}
    sent["erp_mail_senders"]["administrations"] = {"1": address}
    profit = {**sent, "erp_mail_system": "afas_profit"}
    if kind == "application":
        return {**profit, "erp_mail_transport": "exchange", "mail_entra_access": access}
    password = {"erp_mail_service": "microsoft365", "erp_mail_password": "{{ password_of_the_mailbox }}"}
    return {**profit, "erp_mail_transport": "smtp", **password, "erp_mail_settings": {"username": address}}


def by_hand(declared: dict[str, Any]) -> dict[str, Any]:
    """The same host without a tenant: its application was made by hand."""
    if declared["erp_mail_transport"] != "exchange":
        return declared
    settings = {"directory_id": APP_ID, "application_id": APP_ID}
    return {**declared, "erp_mail_settings": settings, "erp_mail_password": "{{ secret_of_the_application }}"}


def tenant_of(server: EntraServer, addresses: list[str]) -> dict[str, Any]:
    """Furnish a tenant with mailboxes and the vendor's application; gives how to sign in to it."""
    server.directory.add_vendor("KING Software - SendEmail", PUBLISHER, app_id=APP_ID)
    for address in addresses:
        server.directory.add_user(address, purpose="shared", enabled=False)
    return server.tenant_option(server.directory.add_client("automation", RIGHTS))


@contextlib.contextmanager
def estate(hosts: int, tenants: int, access: str, side: Side, with_tenants: bool = True) -> Iterator[Estate]:
    """An inventory of environments, with the tenants that it speaks of."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = [number % tenants for number in range(hosts)]
        declared = [
            environment(number, place[number], KINDS[number // tenants % len(KINDS)], access) for number in range(hosts)
        ]
        servers = [
            stack.enter_context(EntraServer(str(uuid.UUID(int=number + 1))))
            for number in range(tenants if with_tenants else 0)
        ]
        for number, server in enumerate(servers):
            server.directory.add_domain(domain_of(number))
            own = [one for at, one in zip(place, declared, strict=True) if at == number]
            option = tenant_of(server, [one["erp_mail_senders"]["environment"] for one in own])
            (folder / f"sign-in{number:02}").write_text(option["client_secret"])
            option["client_secret"] = f"{{{{ lookup('ansible.builtin.file', inventory_dir ~ '/sign-in{number:02}') }}}}"
            for one in own:
                one |= {"mail_entra_tenant": option, "mail_entra_customer": f"tenant{number:02}"}
        if not with_tenants:
            declared = [by_hand(one) for one in declared]
        _write(folder, {f"host{number:03}": one for number, one in enumerate(declared)}, tenants)
        yield Estate(folder, side, servers)


def _write(folder: Path, hosts: dict[str, Any], tenants: int) -> None:
    shared = {
        "ansible_connection": "local",
        "mail_dns_account": {"provider": "zonefile", "path": "{{ inventory_dir }}/zones"},
        "mail_dns_resolver": {"zonefiles": ["{{ inventory_dir }}/zones", "{{ inventory_dir }}/world"]},
        "mail_dns_domains": {domain_of(number): {"services": ["microsoft365"]} for number in range(tenants)},
        "password_of_the_mailbox": f"{{{{ lookup('ansible.builtin.env', '{SECRET}') }}}}",
        "secret_of_the_application": f"{{{{ lookup('ansible.builtin.env', '{SECRET}') }}}}",
    }
    (folder / "inventory.yml").write_text(json.dumps({"all": {"vars": shared, "hosts": hosts}}))
    (folder / "password").write_text("correct horse battery staple")
    world = WORLD.format(zone="outlook.com") + 'spf.protection IN TXT "v=spf1 ip4:203.0.113.0/24 -all"\n'
    for name, zones in (
        ("zones", {domain_of(number): zone_text(domain_of(number)) for number in range(tenants)}),
        ("world", {"outlook.com": world}),
    ):
        (folder / name).mkdir()
        for zone, text in zones.items():
            (folder / name / f"{zone}.zone").write_text(text)


def told(before: Estate, now: Estate, without: Estate, hosts: int) -> None:
    """Print the medians, how this build compares, and what an unchanged tenant is asked."""
    for what in ("created", "unchanged"):
        for figure in ("seconds", "processor"):
            old, new, none = (
                statistics.median(getattr(run, figure) for run in getattr(one, what)) for one in (before, now, without)
            )
            words = f"{hosts} environments {what}, {figure}"
            ratios = f"{new / old:.2f}x of before, {new / none:.2f}x of without"
            print(f"{words:40} before {old:6.1f} s   now {new:6.1f} s   without {none:6.1f} s   {ratios}")
    for one in (before, now):
        counts = sorted(len(server.requests) for server in one.servers)
        writes = sum(method != "GET" for server in one.servers for method, _path in server.requests)
        print(
            f"{one.side.name}: an unchanged tenant: {statistics.median(counts):.0f} requests ({counts[0]} to "
            f"{counts[-1]}), {max(server.sign_ins for server in one.servers)} sign-in; {sum(counts)} requests and "
            f"{writes} writes in all; {len(one.unchanged[-1].output.splitlines())} lines of output"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--tenants", type=int, default=40)
    parser.add_argument("--access", choices=["tenant", "scoped"], default="tenant")
    parser.add_argument("--runs", type=int, default=3, help="unchanged runs of each side")
    parser.add_argument("--before", default=BEFORE, help="a git revision to compare with")
    options = parser.parse_args()
    size = options.hosts, options.tenants, options.access
    with contextlib.ExitStack() as stack:
        older = export(options.before, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        new = Side("now", Path(collections_path()))
        before = stack.enter_context(estate(*size, Side("before", older)))
        now = stack.enter_context(estate(*size, new))
        without = stack.enter_context(estate(*size, new, with_tenants=False))
        sides = (before, now, without)
        for side in sides:
            side.created.append(side.run())
        for _turn in range(options.runs):
            for side in sides:
                side.unchanged.append(side.run())
        told(*sides, options.hosts)


if __name__ == "__main__":
    main()

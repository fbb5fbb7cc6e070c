# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An estate of many customers, one environment and one domain each, in which twelve have trouble of another kind."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.entra_site import PASSWORD, RIGHTS
from ansible_collections.mailroom.erp.tests.integration.estate import SITE
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import free_port
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import zone_text


def customers(count: int) -> list[str]:
    """The hosts of customers without trouble."""
    return [f"customer{number:03}" for number in range(count)]


ELEVEN = " ".join(f'"exists:ns1.{name}.example "' for name in customers(10))
RECORDS = {
    "two-records": '@ IN TXT "v=spf1 mx ~all"\n@ IN TXT "v=spf1 a ~all"',
    "eleven-lookups": f'@ IN TXT "v=spf1 " {ELEVEN} "~all"',
    "broken-include": '@ IN TXT "v=spf1 include:nowhere.afas.online ~all"',
    "refused-policy": '_dmarc IN TXT "v=DMARC1; p=none"',
}
"""What stands in the zones of customers with trouble of their records."""

TROUBLE = (
    "two-records",
    "eleven-lookups",
    "dead-server",
    "wrong-key",
    "elsewhere",
    "misspelled",
    "no-vault",
    "foreign-sender",
    "broken-include",
    "refused-policy",
    "refusing-tenant",
    "secrets-folder",
)
OTHER_TENANT = "99999999-aaaa-bbbb-cccc-dddddddddddd"


@dataclass(frozen=True, slots=True)
class TroubledEstate:
    """A running estate: its folder, the name servers (that of the world, and the one that nobody delegates to), and the
    inventory."""

    folder: Path
    world: Bind
    elsewhere: Bind
    inventory: dict[str, Any]

    def site(self, *arguments: str, **shared: Any) -> Result:
        """Run the playbook ``site``."""
        declared = json.loads(json.dumps(self.inventory))
        declared["all"]["vars"] |= shared
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        return run_playbook(self.folder, SITE, declared, f"--vault-password-file={password}", *arguments)

    def report(self, result: Result) -> str:
        """What a person reads, with what is another in each run left out: places, and ports."""
        told = result.output.partition("tell what came of the run] ***\n")[2].partition("\nok: [")[0]
        whole = re.sub(r"\n {4,}", " ", told)
        whole = whole.replace(str(self.folder), "<folder>").replace(str(self.world.folder), "<server>")
        whole = re.sub(r"(port |127\.0\.0\.1:|localhost:)\d+", r"\1<port>", whole)
        # wrapped anew: how long a place is must not show
        return "".join(f"{textwrap.fill(line, 100, subsequent_indent='    ')}\n" for line in whole.splitlines())


@contextmanager
def troubled_estate(folder: Path, sound: int) -> Iterator[TroubledEstate]:
    """Start an estate.

    :param folder: of the test
    :param sound: how many customers without trouble there are beside the twelve
    """
    names = [*customers(sound), *TROUBLE]
    zones = {f"{name}.example": zone_text(f"{name}.example", RECORDS.get(name, "")) for name in names}
    theirs = "$TTL 60\n@ IN SOA ns.other.example. h.other.example. 1 7200 900 1209600 300\n@ IN NS ns.other.example.\n"
    with (
        Bind({**zones, "elsewhere.example": theirs, "example": zone_text("example"), **AFAS_ZONES}) as world,
        Bind({"elsewhere.example": zones["elsewhere.example"]}) as elsewhere,
        EntraServer() as good,
        EntraServer(OTHER_TENANT) as other,
    ):
        for server in (good, other):
            server.directory.add_user("erp@secrets-folder.example", purpose="shared", enabled=False)
        hosts = {name: _host(name) for name in names}
        hosts["dead-server"]["mail_dns_account"] = {**world.dns_option, "port": free_port(), "timeout": 0.5}
        hosts["wrong-key"]["mail_dns_account"] = {**world.dns_option, "key_secret": "d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc="}
        hosts["elsewhere"]["mail_dns_account"] = elsewhere.dns_option
        hosts["no-vault"]["mail_dns_account"] = {**world.dns_option, "key_secret": "{{ vault_that_is_missing }}"}
        tenant = good.tenant_option(good.directory.add_client("automation", RIGHTS))
        wrong = {
            **other.tenant_option(other.directory.add_client("automation", RIGHTS)),
            "client_secret": "not-this-one",
        }
        hosts["secrets-folder"] |= {**_EXCHANGE, "mail_entra_tenant": tenant, "mail_entra_customer": "broken"}
        hosts["refusing-tenant"] |= {**_EXCHANGE, "mail_entra_tenant": wrong}
        (folder / "mailroom" / "secrets" / "broken.yml").mkdir(parents=True)
        shared = {
            "ansible_connection": "local",
            "mail_dns_account": world.dns_option,
            "mail_dns_resolver": world.resolver_option,
        }
        yield TroubledEstate(folder, world, elsewhere, {"all": {"vars": shared, "hosts": hosts}})


_EXCHANGE = {"erp_mail_transport": "exchange", "mail_entra_access": "tenant"}


def _host(name: str) -> dict[str, Any]:
    """One AFAS Profit with a domain of its own, as its trouble has it."""
    domain, policy = f"{name}.example", {"policy": "none"}
    sender = "erp@elsewhere-entirely.example" if name == "foreign-sender" else f"erp@{domain}"
    if name == "misspelled":
        policy = {"polcy": "none"}
    if name == "refused-policy":
        policy = {"policy": "quarantine"}
    return {
        "erp_mail_system": "afas_profit",
        "erp_mail_transport": "afas_online",
        "erp_mail_senders": {"environment": sender},
        "mail_dns_domains": {domain: {"services": [], "dmarc": policy}},
    }

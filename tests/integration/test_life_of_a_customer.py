# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a customer, by the playbooks: adopted, two environments added, a service changed, a secret rotated, the
policy advanced, an environment offboarded, the customer gone. At each step runs are killed at random moments, and the
next one ends what they began."""

from __future__ import annotations

import datetime
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.entra_site import (
    PASSWORD,
    RIGHTS,
    kill_the_run,
    profit,
    stored,
)
from ansible_collections.mailroom.erp.tests.integration.estate import RELAY, SECRET, SITE
from ansible_collections.mailroom.erp.tests.integration.playbook import LOCALHOST, Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.entra.entra_server import EntraServer
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.unit.dmarc_reports.conftest import DAY, report_text

KILLS = 1
"""At each step."""
TODAY = datetime.datetime.now(datetime.UTC).date()
FOREIGN = "google-site-verification=abc"
ZONES = {
    "acme.example": zone_text(
        "acme.example",
        f'@ TXT "{FOREIGN}"\n@ TXT "v=spf1 mx ip4:192.0.2.99 ~all"\n@ MX 10 ns1\n'
        "old._domainkey CNAME old.vendor.example.",
    ),
    "outlook.com": zone_text("outlook.com", 'spf.protection TXT "v=spf1 ip4:203.0.113.0/24 -all"'),
    "zendesk.com": zone_text("zendesk.com", 'mail TXT "v=spf1 ip4:198.51.100.0/25 -all"'),
    "keys.example": zone_text("keys.example", ""),
}
STOPPED = {"office": 20, "relay": 15}
"""How many days ago an environment sent the last mail."""
DKIM, OUTLOOK = "_domainkey.acme.example", "include:spf.protection.outlook.com"
KEYS = {"acme.example": [{"selector": "erp1", "target": "erp1.keys.example"}]}


class Customer:
    """A customer of a service provider, on a BIND and a test tenant; the inventory is the folder that adopt made, and a
    file that a person writes beside it."""

    def __init__(self, folder: Path, bind: Bind, tenant: EntraServer, rng: random.Random) -> None:
        self.folder, self.bind, self.tenant, self.rng = folder, bind, tenant, rng
        self.hosts: dict[str, Any] = {}
        self.killed = 0
        client = tenant.tenant_option(tenant.directory.add_client("automation", RIGHTS))
        self.variables: dict[str, Any] = {
            "mail_dns_account": bind.dns_option,
            "mail_dns_resolver": bind.resolver_option,
            "mail_dns_complete": True,
            "mail_entra_tenant": client,
            "mail_entra_customer": "acme",
            "mail_entra_secret": {"overlap": 0},
            "mail_reports_archive": str(folder / "archive"),
            "mail_reports_paths": [str(folder / "reports")],
            "mail_rotate_delay": 0,
            "vault_relay_password": SECRET,
        }
        (folder / "password").write_text(PASSWORD, encoding="utf-8")
        (folder / "reports").mkdir()

    @property
    def declared(self) -> Path:
        return self.folder / "inv" / "acme.yml"

    def edit(self, old: str, new: str) -> None:
        """What a person does to the file that adopt wrote."""
        text = self.declared.read_text(encoding="utf-8")
        assert text.count(old) == 1, text
        self.declared.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, playbook: str) -> Result:
        (self.folder / "variables.json").write_text(json.dumps(self.variables), encoding="utf-8")
        beside = {"all": {"children": {"acme": {"hosts": self.hosts}}}} if self.hosts else LOCALHOST
        known = ["-i", "inv"] if self.declared.exists() else []
        vault = f"--vault-password-file={self.folder / 'password'}"
        return run_playbook(self.folder, playbook, beside, *known, "-e", "@variables.json", vault)

    def step(self, playbook: str, **variables: Any) -> Result:
        """Do one step: some runs are killed, one lives, and one more has nothing left to do.

        :returns: what came of the one that lived
        """
        self.variables |= variables
        longest = 6.0
        for _kill in range(KILLS):
            begun = time.monotonic()
            timer = threading.Timer(self.rng.uniform(0.3, longest), kill_the_run, (2,))
            timer.start()
            cut_off = self.run(playbook)
            timer.cancel()
            timer.join()
            self.killed += cut_off.rc == -9
            assert cut_off.rc in (0, -9), cut_off.output[-4000:]
            longest = min(longest, time.monotonic() - begun) if cut_off.rc == 0 else longest
            self.holds()
        done = self.run(playbook)
        assert done.rc == 0, done.output[-4000:]
        self.holds()
        again = self.run(playbook)
        assert (again.rc, again.changed) == (0, 0), again.output[-4000:]
        for secret in (SECRET, KEY_SECRET, *self.tenant.directory.secrets.values()):
            assert secret not in done.unbroken + again.unbroken
        return done

    def holds(self) -> None:
        """What is true at any moment, also when a run was just killed."""
        texts = [one.strip('"') for one in self.bind.values("acme.example", "TXT")]
        assert FOREIGN in texts and sum(one.startswith("v=spf1") for one in texts) == 1, texts
        assert "ip4:192.0.2.99" in self.spf() and self.bind.values("old._domainkey.acme.example", "CNAME")
        for one in self.tenant.truth["applications"].values():
            assert len(one["passwordCredentials"]) <= 2 or not one["uniqueName"], "one more than is in use"
        if (self.folder / "mailroom" / "secrets" / "acme.yml").exists():
            names = [one["uniqueName"] for one in self.tenant.truth["applications"].values()]
            for name, entry in stored(self.folder).items():
                used = self.tenant.signs_in(entry["application_id"], entry["secret"])
                assert used or f"mailroom-{name}" not in names, f"the secret of {name} is lost"

    def spf(self) -> str:
        (record,) = [one for one in self.bind.values("acme.example", "TXT") if "v=spf1" in one]
        return record

    def policy(self) -> str:
        return " ".join(self.bind.values("_dmarc.acme.example", "TXT"))

    def applications(self) -> list[str]:
        found = self.tenant.truth["applications"].values()
        return sorted(one["uniqueName"] for one in found if one["uniqueName"])

    def make_due(self, days: int = 20) -> None:
        """Let the secrets of all applications of the customer end soon."""
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        for one in self.tenant.truth["applications"].values():
            for secret in one["passwordCredentials"] if one["uniqueName"] else ():
                secret["startDateTime"] = f"{ends - datetime.timedelta(days=180):%Y-%m-%dT%H:%M:%SZ}"
                secret["endDateTime"] = f"{ends:%Y-%m-%dT%H:%M:%SZ}"
        self.tenant.directory.settle()

    def reports(self) -> None:
        """A month of reports of three receivers. Both environments have stopped since."""
        midnight = int(datetime.datetime.combine(TODAY, datetime.time(), datetime.UTC).timestamp())
        last = {"198.51.100.9": 1, "192.0.2.10": STOPPED["relay"], "203.0.113.7": STOPPED["office"]}
        for days in range(31, 0, -1):
            rows = [{"source": one, "count": 20, "passed": (False, True)} for one in last if days >= last[one]]
            for org in ("alpha.example", "beta.example", "gamma.example"):
                begin = midnight - days * DAY
                text = report_text(*rows, org=org, report_id=str(days), begin=begin, end=begin + DAY - 1)
                (self.folder / "reports" / f"{org}-{days}.xml").write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_a_customer_comes_changes_and_leaves_with_runs_killed_at_every_step(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    with Bind(ZONES) as bind, EntraServer() as tenant:
        for name in ("erp", "office"):
            tenant.directory.add_user(f"{name}@acme.example", purpose="shared", enabled=False)
        customer = Customer(tmp_path, bind, tenant, random.Random(seed))
        try:
            comes(customer)
            changes(customer)
            leaves(customer)
        except AssertionError as error:
            raise AssertionError(f"with the seed {seed}") from error
        assert customer.killed, "no run was killed"


def comes(customer: Customer) -> None:
    """Adopted, then two environments added."""
    before = customer.bind.values("acme.example", "SOA")
    wish = {"acme.example": {"customer": "Acme", "selectors": ["old"]}}
    customer.step("mailroom.erp.adopt", mail_adopt_domains=wish, mail_adopt_dir="inv")
    checked = customer.run(SITE)
    assert (checked.rc, checked.changed) == (0, 0), checked.output
    assert customer.bind.values("acme.example", "SOA") == before
    customer.hosts = {"office": profit("office"), "relay": {**RELAY, "erp_mail_dkim": KEYS}}
    customer.step(SITE)
    assert customer.applications() == ["mailroom-office"] and customer.bind.values(f"erp1.{DKIM}", "CNAME")
    assert "ip4:192.0.2.10" in customer.spf() and OUTLOOK in customer.spf()


def changes(customer: Customer) -> None:
    """A service more, a rotated secret, and a stricter policy."""
    policy = "dmarc: {mode: managed, target: reject, rua: [dmarc@acme.example]}"
    customer.edit(
        "        customer: Acme\n", f"        customer: Acme\n        services: [zendesk]\n        {policy}\n"
    )
    customer.step(SITE)
    assert "include:mail.zendesk.com" in customer.spf() and "p=none" in customer.policy()

    customer.make_due()
    first = stored(customer.folder)["office"]
    customer.step("mailroom.erp.rotate_secrets")
    held = stored(customer.folder)["office"]
    assert held["key_id"] != first["key_id"] and customer.tenant.signs_in(first["application_id"], first["secret"])
    customer.hosts["office"]["mail_entra_confirmed_key_id"] = held["key_id"]
    customer.step("mailroom.erp.rotate_secrets")
    assert not customer.tenant.signs_in(first["application_id"], first["secret"])

    customer.reports()
    moved = customer.step("mailroom.erp.dmarc_advance")
    assert "p=quarantine" in customer.policy(), moved.output


def leaves(customer: Customer) -> None:
    """One environment, then all."""
    stopped = {name: str(TODAY - datetime.timedelta(days=days)) for name, days in STOPPED.items()}
    customer.hosts["office"]["erp_mail_state"] = "leaving"
    customer.step("mailroom.erp.offboard", mail_offboard_stopped={"office": stopped["office"]})
    assert customer.applications() == [] and OUTLOOK not in customer.spf() and "p=quarantine" in customer.policy()
    assert (customer.folder / "mailroom" / "handback" / "office" / "handback.md").exists()
    customer.step("mailroom.erp.offboard", mail_offboard_final=["office"])
    assert not (customer.folder / "mailroom" / "office" / "settings.yml").exists()

    del customer.hosts["office"]
    customer.hosts["relay"]["erp_mail_state"] = "leaving"
    customer.edit("services: [zendesk]", "services: []")
    gone = {"mail_offboard_stopped": {"relay": stopped["relay"]}, "mail_offboard_final": ["relay"]}
    customer.step("mailroom.erp.offboard", mail_offboard_customers=["Acme"], **gone)
    assert "ip4:192.0.2.10" not in customer.spf() and not customer.bind.values(f"erp1.{DKIM}", "CNAME")
    assert customer.policy(), "what nobody can explain may still send under it"
    text = customer.declared.read_text(encoding="utf-8")
    customer.declared.write_text(text.partition("        unexplained:")[0], encoding="utf-8")
    customer.step("mailroom.erp.offboard")
    assert not customer.policy() and customer.applications() == [] and stored(customer.folder) == {}

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets (tasks that a user would write, with what they expect) on every name server and on master files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.playbook import run_playbook
from ansible_collections.mailroom.erp.tests.servers.all import SERVERS
from ansible_collections.mailroom.erp.tests.servers.server import Server, zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import new_public_key

TARGETS = Path(__file__).parent / "targets"


KEY = new_public_key(2048)
FOREIGN = ['"MS=ms12345678"', '"google-site-verification=abc; \\"quoted\\" \\\\ back"']
SPF = '"v=spf1 mx ip4:192.0.2.10 ~all"'
STAYING = '"v=DKIM1; k=rsa; p="'
ZONES = {
    "acme.example": zone_text(
        "acme.example",
        "\n".join(
            [f"@ 600 TXT {text}" for text in (FOREIGN[0], SPF, FOREIGN[1])]
            + ["@ MX 10 ns1", "shop MX 10 ns1", '_dmarc.shop TXT "v=DMARC1; p=none"']
            + ['_dmarc TXT "v=DMARC1; p=none; rua=mailto:old@acme.example; future=1"']
            + [f"busy._domainkey TXT {STAYING}", f"old._domainkey TXT {STAYING}"]
        ),
    ),
    "service.example": zone_text(
        "service.example",
        f'spf TXT "v=spf1 ip4:198.51.100.0/24 -all"\n@ MX 10 ns1\nkey TXT "v=DKIM1; p={KEY[:200]}" "{KEY[200:]}"',
    ),
}
PLAYBOOK = """
- name: Run one target
  hosts: localhost
  gather_facts: false
  roles: [{target}]
"""


# The unit tests hold every provider to one contract on every server.
ON_SERVERS = [pytest.param(name, marks=pytest.mark.slow) for name in SERVERS]


@pytest.fixture(params=["zonefile", *ON_SERVERS])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server | ZoneFolder]:
    if request.param == "zonefile":
        yield ZoneFolder(tmp_path / "zones", ZONES)
    else:
        with SERVERS[request.param](ZONES) as server:
            yield server


Values = Callable[[str, str], list[str]]


def spf_is_there(values: Values) -> None:
    assert values("acme.example", "TXT") == [*FOREIGN, '"v=spf1 mx include:spf.service.example -all"']
    assert values("shop.acme.example", "TXT") == []


def selectors_are_there(values: Values) -> None:
    assert values("s1._domainkey.acme.example", "CNAME") == []
    assert "".join(values("own.2026._domainkey.acme.example", "TXT")).replace('" "', "") == f'"v=DKIM1; k=rsa; p={KEY}"'


def policies_are_there(values: Values) -> None:
    assert values("_dmarc.acme.example", "TXT") == ['"v=DMARC1; p=reject; rua=mailto:dmarc@acme.example"']
    assert values("_dmarc.shop.acme.example", "TXT") == []
    assert values("acme.example._report._dmarc.service.example", "TXT") == ['"v=DMARC1"']


def estate_is_there(values: Values) -> None:
    assert values("acme.example", "TXT") == [*FOREIGN, SPF]
    assert values("s1._domainkey.acme.example", "CNAME") == ["key.service.example."]
    assert values("s1._domainkey.shop.acme.example", "CNAME") == []
    assert values("service.example", "TXT") == ['"v=spf1 mx ~all"']


AFTERWARDS = {
    "spf_record": spf_is_there,
    "dkim_record": selectors_are_there,
    "dmarc_record": policies_are_there,
    "mail_domains": estate_is_there,
}


def test_every_target_is_run() -> None:
    assert sorted(AFTERWARDS) == sorted(folder.name for folder in TARGETS.iterdir())


@pytest.mark.parametrize("target", AFTERWARDS)
def test_a_target_passes(service: Server | ZoneFolder, tmp_path: Path, target: str) -> None:
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "target_dns": service.dns_option,
        "target_resolver": service.resolver_option,
        "target_key": KEY,
    }
    inventory = {"all": {"hosts": {"localhost": variables}}}
    result = run_playbook(tmp_path, PLAYBOOK.format(target=TARGETS / target), inventory)
    assert result.rc == 0, result.output
    AFTERWARDS[target](service.values)
    assert service.values("busy._domainkey.acme.example", "TXT") == [STAYING]
    assert service.values("old._domainkey.acme.example", "TXT") == [STAYING]
    assert set(FOREIGN) < set(service.values("acme.example", "TXT"))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS modules in a user's playbook, on a real BIND 9: what changes, what stays, what nobody may see."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, module_task, run_play
from ansible_collections.mailroom.erp.tests.servers.bind import UPDATES_REFUSED, Bind
from ansible_collections.mailroom.erp.tests.servers.sending_service import AFAS_TERM, AFAS_ZONES
from ansible_collections.mailroom.erp.tests.servers.server import KEY_SECRET, OTHER_SECRET, zone_text
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import ED25519_RECORD

FOREIGN = '"google-site-verification=abc; \\"quoted\\" \\\\ back"'


def zones(count: int) -> dict[str, str]:
    text = f'@ 600 IN TXT "v=spf1 mx ip4:192.0.2.10 ~all"\n@ 600 IN TXT {FOREIGN}\n@ IN MX 10 ns1\n'
    return {f"customer{number}.example": zone_text(f"customer{number}.example", text) for number in range(count)}


@pytest.fixture(scope="module")
def server() -> Iterator[Bind]:
    with Bind({**AFAS_ZONES, **zones(200)}) as bind:
        yield bind


def task(module: str, server: Bind, **options: Any) -> dict[str, Any]:
    return module_task(module, **{"dns": server.dns_option, "resolver": server.resolver_option, **options})


@pytest.mark.slow
def test_two_hundred_domains_by_one_task(tmp_path: Path, server: Bind) -> None:
    many = task("mail_domains", server, domains=list(zones(200)), spf={"terms": [AFAS_TERM]})
    serials = {zone: server.serial(zone) for zone in zones(200)}
    check = run_play(tmp_path, [many], "--check", "--diff")
    assert check.rc == 0, check.output
    assert {zone: server.serial(zone) for zone in zones(200)} == serials
    first = run_play(tmp_path, [many], "--diff")
    assert first.rc == 0, first.output
    assert first.changed == 1
    assert len(first.diff) > 400
    assert check.diff == first.diff
    for zone in zones(200):
        assert server.values(zone, "TXT") == sorted([f'"v=spf1 mx ip4:192.0.2.10 {AFAS_TERM} ~all"', FOREIGN])
        assert server.ttl(zone, "TXT") == 600
        assert server.serial(zone) == serials[zone] + 1
    again = run_play(tmp_path, [many], "--diff")
    assert (again.rc, again.changed) == (0, 0)
    assert again.diff == []
    assert {zone: server.serial(zone) for zone in zones(200)} == {zone: serial + 1 for zone, serial in serials.items()}


def test_check_mode_passes_a_server_that_refuses_updates(tmp_path: Path) -> None:
    with Bind({**AFAS_ZONES, **zones(1)}, updates=UPDATES_REFUSED) as closed:
        one = task("spf_record", closed, domain="customer0.example", terms=[AFAS_TERM])
        check = run_play(tmp_path, [one], "--check", "--diff")
        assert check.rc == 0, check.output
        assert f"+TTL 600: v=spf1 mx ip4:192.0.2.10 {AFAS_TERM} ~all" in check.output
        real = run_play(tmp_path, [one])
        assert real.rc != 0
        assert "REFUSED" in real.output
        assert closed.serial("customer0.example") == 1
        assert "update 'customer0.example/IN' denied" in closed.log()


def test_a_file_of_domains_gives_the_same_as_the_task(tmp_path: Path, server: Bind) -> None:
    source = tmp_path / "estate.yml"
    names = [f"customer{number}.example" for number in range(20)]
    source.write_text(
        yaml.safe_dump({"spf": {"terms": ["a:ns1.customer0.example"]}, "domains": [{"domain": names[0]}, *names[1:]]})
    )
    result = run_play(tmp_path, [task("mail_domains", server, src=str(source))])
    assert result.rc == 0, result.output
    for zone in names:
        (record,) = [value for value in server.values(zone, "TXT") if value.startswith('"v=spf1')]
        assert "a:ns1.customer0.example ~all" in record
    assert run_play(tmp_path, [task("mail_domains", server, src=str(source))]).changed == 0


def test_one_account_for_all_tasks_by_module_defaults(tmp_path: Path, server: Bind) -> None:
    shared = {"dns": server.dns_option, "resolver": server.resolver_option}
    away = module_task("spf_record", domain="customer30.example", terms=["mx"], state="absent")
    back = module_task("mail_domains", domains=["customer30.example"], spf={"terms": ["mx"]})
    result = run_play(tmp_path, [away, back], module_defaults={"group/mailroom.erp.dns": shared})
    assert result.rc == 0, result.output
    assert result.changed == 2


def test_one_wrong_domain_of_two_hundred_changes_nothing(tmp_path: Path, server: Bind) -> None:
    double = server.update("customer199.example")
    double.add("customer199.example.", 600, "TXT", '"v=spf1 a ~all"')
    server.send(double)
    serials = {zone: server.serial(zone) for zone in zones(200)}
    many = task("mail_domains", server, domains=list(zones(200)), spf={"terms": ["ip4:198.51.100.7"]})
    result = run_play(tmp_path, [many])
    assert result.rc != 0
    assert "customer199.example: SPF record" in result.output
    assert "2 SPF records" in result.output
    assert {zone: server.serial(zone) for zone in zones(200)} == serials
    undo = server.update("customer199.example")
    undo.delete("customer199.example.", "TXT", '"v=spf1 a ~all"')
    server.send(undo)


def test_a_server_that_is_down_fails_its_own_domains(tmp_path: Path, server: Bind) -> None:
    with Bind(zones(1)) as other:
        dead = {**other.dns_option, "timeout": 1.0}
    domains = ["customer40.example", {"domain": "customer0.example", "dns": dead}]
    result = run_play(tmp_path, [task("mail_domains", server, domains=domains, spf={"terms": ["ip4:198.51.100.8"]})])
    assert result.rc != 0
    assert "1 of 2 domains failed" in result.output
    assert any("ip4:198.51.100.8" in value for value in server.values("customer40.example", "TXT"))


@pytest.mark.slow
def test_long_work_shows_its_progress(tmp_path: Path, server: Bind) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = {"nameservers": ["127.0.0.1"], "port": silent.getsockname()[1], "timeout": 4.0}
        domains = [f"customer{number}.example" for number in (70, 71, 72)]
        slow = task("mail_domains", server, domains=domains, resolver=resolver)
        slow["mailroom.erp.mail_domains"]["spf"] = {"terms": [AFAS_TERM], "lookup_limit": "warn"}
        result = run_play(tmp_path, [slow])
    assert result.rc == 0, result.output
    output = result.flat  # ansible-core 2.18 wraps warnings
    assert "mail_domains: 3 of 3 zones read" in output
    assert "spf.afas.online cannot be resolved" in output


@pytest.mark.parametrize(
    "dns",
    [
        {"provider": "rfc2136", "server": "127.0.0.1", "key_name": "k.", "key_secrett": OTHER_SECRET},
        {"provider": "rfc2136", "server": "127.0.0.1", "key_name": "k.", "api_token": OTHER_SECRET},
        {"provider": "zonefile", "path": "/nowhere", "key_secret": OTHER_SECRET},
        {"provider": OTHER_SECRET},
        OTHER_SECRET,
        [OTHER_SECRET],
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_misspelled_secret_is_never_shown(tmp_path: Path, dns: object, inside: bool) -> None:
    entry = {"domain": "customer0.example", "dns": "{{ account }}"}
    options: dict[str, Any] = (
        {"domains": [entry]} if inside else {"domains": ["customer0.example"], "dns": "{{ account }}"}
    )
    wrong = {"name": "Refuse", "mailroom.erp.mail_domains": {**options, "spf": {"terms": ["a"]}}}
    (tmp_path / "vars.yml").write_text(yaml.safe_dump({"account": dns}))
    result = run_play(tmp_path, [wrong], "-vvvv", "--diff", "-e", f"@{tmp_path / 'vars.yml'}", vars={})
    assert result.rc != 0
    assert "dns" in result.output
    assert OTHER_SECRET not in result.unbroken


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("check", [False, True])
def test_no_secret_is_in_any_output(tmp_path: Path, server: Bind, inside: bool, check: bool) -> None:
    account = server.dns_option
    entry: dict[str, Any] = {"domain": "customer50.example"}
    options: dict[str, Any] = (
        {"domains": [{**entry, "dns": account}]} if inside else {"domains": [entry], "dns": account}
    )
    terms = [f"ip4:198.51.100.{10 + inside}"]
    good = module_task("mail_domains", **options, spf={"terms": terms}, resolver=server.resolver_option)
    wrong_key = {**good, "name": "Fail", "ignore_errors": True}
    bad_account = {**account, "key_secret": OTHER_SECRET}
    wrong_key["mailroom.erp.mail_domains"] = {"domains": [{**entry, "dns": bad_account}], "spf": {"terms": ["a"]}}
    arguments = ["-vvvv", "--diff", *(["--check"] if check else [])]
    (tmp_path / "tasks.yml").write_text(yaml.safe_dump([good, SHOW, wrong_key, SHOW]))
    result = run_play(
        tmp_path, [{"name": "Include", "ansible.builtin.include_tasks": str(tmp_path / "tasks.yml")}], *arguments
    )
    assert result.rc == 0, result.output
    assert "customer50.example" in result.output
    assert KEY_SECRET not in result.unbroken
    assert OTHER_SECRET not in result.unbroken


def test_a_secret_in_a_file_of_domains_is_never_shown(tmp_path: Path, server: Bind) -> None:
    source = tmp_path / "estate.yml"
    account = {**server.dns_option, "key_secret": OTHER_SECRET}
    source.write_text(yaml.safe_dump({"domains": [{"domain": "customer60.example", "dns": account}]}))
    result = run_play(
        tmp_path, [task("mail_domains", server, src=str(source), spf={"terms": ["a"]})], "-vvvv", "--diff"
    )
    assert result.rc != 0
    assert OTHER_SECRET not in result.unbroken


def test_an_internationalised_domain_is_published_as_a_labels(tmp_path: Path) -> None:
    with Bind({"xn--mller-kva.example": zone_text("xn--mller-kva.example")}) as bind:
        one = task("spf_record", bind, domain="M\u00fcller.example", terms=["a:ns1.m\u00fcller.example"])
        result = run_play(tmp_path, [one])
        assert result.rc == 0, result.output
        assert bind.values("xn--mller-kva.example", "TXT") == ['"v=spf1 a:ns1.xn--mller-kva.example ~all"']
        assert run_play(tmp_path, [one]).changed == 0


PRIVATE_KEY = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFhY3Jh1Zf5vKp4rXjIh3FJ4kq0qT0gq0bq9V1y6m2cX
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize("many", [False, True])
def test_a_private_key_is_never_shown(tmp_path: Path, server: Bind, many: bool) -> None:
    selector = {"selector": "s1", "public_key": PRIVATE_KEY}
    entry: dict[str, Any] = {"domain": "customer80.example"}
    one = task("dkim_record", server, **entry, **selector)
    if many:
        one = task("mail_domains", server, domains=[{**entry, "dkim": [selector]}])
    result = run_play(tmp_path, [one], "-vvvv", "--diff")
    assert result.rc != 0
    assert "public_key holds a private key" in result.output
    assert PRIVATE_KEY.splitlines()[1] not in result.unbroken


def test_a_domain_gets_all_its_records_by_one_write(tmp_path: Path, server: Bind) -> None:
    name = "customer90.example"
    records = {
        "spf": {"terms": [AFAS_TERM]},
        "dkim": [
            {"selector": "s1", "target": f"key.{name}", "validate": "ignore"},
            {"selector": "own", "public_key": ED25519_RECORD},
        ],
        "cnames": [{"name": "em1", "target": "u1.service.example"}],
        "dmarc": {"policy": "quarantine", "rua": [f"dmarc@{name}", "reports@customer91.example"]},
    }
    one = task("mail_domains", server, domains=[{"domain": name, **records}])
    serial = server.serial(name)
    check, first = run_play(tmp_path, [one], "--check", "--diff"), run_play(tmp_path, [one], "--diff")
    assert first.rc == 0, first.output
    assert check.diff == first.diff
    assert server.serial(name) == serial + 1
    assert server.values(f"s1._domainkey.{name}", "CNAME") == [f"key.{name}."]
    assert server.values(f"em1.{name}", "CNAME") == ["u1.service.example."]
    assert server.values(f"own._domainkey.{name}", "TXT") == [f'"{ED25519_RECORD}"']
    policy = f'"v=DMARC1; p=quarantine; rua=mailto:dmarc@{name},mailto:reports@customer91.example"'
    assert server.values(f"_dmarc.{name}", "TXT") == [policy]
    assert server.values(f"{name}._report._dmarc.customer91.example", "TXT") == ['"v=DMARC1"']
    assert run_play(tmp_path, [one]).changed == 0


def test_one_record_each_by_the_single_modules(tmp_path: Path, server: Bind) -> None:
    name = "customer92.example"
    selector = task("dkim_record", server, domain=name, selector="s1", target=f"key.{name}", ttl=600)
    policy = task("dmarc_record", server, domain=name, policy="none", rua=f"mailto:a@{name},b@{name}")
    wrong = task("dkim_record", server, domain=name, selector="s1", target=f"key.{name}", validate="require")
    first = run_play(tmp_path, [selector, policy])
    assert (first.rc, first.changed) == (0, 2), first.output
    assert server.ttl(f"s1._domainkey.{name}", "CNAME") == 600
    assert server.values(f"_dmarc.{name}", "TXT") == [f'"v=DMARC1; p=none; rua=mailto:a@{name},mailto:b@{name}"']
    assert "there is no key at this selector" in first.flat
    assert "there is no key at this selector" in run_play(tmp_path, [wrong]).flat
    gone = [{**selector}, {**policy}]
    gone[0]["mailroom.erp.dkim_record"] = {**selector["mailroom.erp.dkim_record"], "state": "absent"}
    gone[1]["mailroom.erp.dmarc_record"] = {**policy["mailroom.erp.dmarc_record"], "state": "absent"}
    assert run_play(tmp_path, gone).changed == 2
    assert run_play(tmp_path, gone).changed == 0
    assert server.values(f"_dmarc.{name}", "TXT") == []

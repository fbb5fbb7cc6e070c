# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world sees, from master files and from a real BIND 9, with planned records over it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dns.resolver
import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import master_file
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolved, ResolveError, Resolver
from ansible_collections.mailroom.erp.tests.servers.bind import StartBind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder

ZONE = "acme.example"
SILENT = "(does not answer|cannot be reached)"
RECORDS = r"""
@        TXT   "v=spf1 include:spf.service.example " "-all"
@        TXT   "caf\195\169 \255"
@        MX    20 backup
@        MX    10 Mail.Service.Example.
empty    MX    0 .
host     A     192.0.2.7
host     A     192.0.2.10
host     AAAA  2001:db8::1
alias    CNAME host
chain    CNAME alias
reverse  PTR   Mail.Service.Example.
far      CNAME spf.service.example.
dead     CNAME nowhere.service.example.
loop1    CNAME loop2
loop2    CNAME loop1
a.ent    A     192.0.2.9
*.wild   TXT   "wild"
there.wild A   192.0.2.8
*.walias CNAME host
long     TXT   "%s" "%s"
sub      NS    ns.elsewhere.example.
glue.sub A     192.0.2.66
""" % ("x" * 255, "y" * 255)  # noqa: UP031
SERVICE = 'spf TXT "v=spf1 ip4:192.0.2.0/24 -all"'
ZONES = {ZONE: zone_text(ZONE, RECORDS), "service.example": zone_text("service.example", SERVICE)}
Options = dict[str, Any]


def files(folder: Path) -> Options:
    return {**ZoneFolder(folder, ZONES).resolver_option, "nameservers": [], "port": 53, "timeout": 5.0}


@pytest.fixture(params=["zonefiles", "nameservers"])
def options(request: pytest.FixtureRequest, tmp_path: Path, start_bind: StartBind) -> Options:
    return files(tmp_path) if request.param == "zonefiles" else start_bind(ZONES).resolver_option


@pytest.mark.parametrize(
    ("name", "rdtype", "values"),
    [
        ("acme.example", "TXT", ("café \udcff", "v=spf1 include:spf.service.example -all")),
        ("ACME.Example.", "MX", ("mail.service.example", "backup.acme.example")),
        ("empty.acme.example", "MX", (".",)),
        ("host.acme.example", "A", ("192.0.2.10", "192.0.2.7")),
        ("host.acme.example", "AAAA", ("2001:db8::1",)),
        ("host.acme.example", "TXT", ()),
        ("alias.acme.example", "CNAME", ("host.acme.example",)),
        ("alias.acme.example", "A", ("192.0.2.10", "192.0.2.7")),
        ("chain.acme.example", "AAAA", ("2001:db8::1",)),
        ("reverse.acme.example", "PTR", ("mail.service.example",)),
        ("chain.acme.example", "TXT", ()),
        ("host.acme.example", "CNAME", ()),
        ("far.acme.example", "TXT", ("v=spf1 ip4:192.0.2.0/24 -all",)),
        ("ent.acme.example", "TXT", ()),
        ("any.wild.acme.example", "TXT", ("wild",)),
        ("two.labels.wild.acme.example", "TXT", ("wild",)),
        ("there.wild.acme.example", "TXT", ()),
        ("any.walias.acme.example", "AAAA", ("2001:db8::1",)),
        ("any.walias.acme.example", "CNAME", ("host.acme.example",)),
        ("long.acme.example", "TXT", ("x" * 255 + "y" * 255,)),
    ],
)
def test_the_data_of_a_name_are_found_or_known_to_be_absent(
    options: Options, name: str, rdtype: str, values: tuple[str, ...]
) -> None:
    assert Resolver(options).lookup(name, rdtype) == Resolved(values, True)


@pytest.mark.parametrize(
    "name", ["no.such.acme.example", "x.host.acme.example", "dead.acme.example", "x.there.wild.acme.example"]
)
def test_a_name_that_does_not_exist_is_told_from_one_without_data(options: Options, name: str) -> None:
    assert Resolver(options).lookup(name, "TXT") == Resolved((), False)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("loop1.acme.example", "its CNAMEs loop|SERVFAIL"),
        ("a" * 64 + ".acme.example", "63"),
        (".".join(["a" * 60] * 5), "255|no master file"),
        ("two..dots.acme.example", "empty"),
        ("\ud800.acme.example", "surrogates|IDNA|63 octets"),
        ("glue.sub.acme.example", "no nameserver is given|only refers to others"),
    ],
)
def test_no_answer_is_an_error_that_names_the_name(options: Options, name: str, reason: str) -> None:
    with pytest.raises(ResolveError, match=reason) as caught:
        Resolver(options).lookup(name, "TXT")
    assert name in str(caught.value)


# --- planned records ------------------------------------------------------------------------------------------------


def test_planned_records_are_answered_over_live_ones(options: Options) -> None:
    live = Resolver(options)
    planned = live.with_overlay({(ZONE, "TXT"): ("v=spf1 -all",), ("new.acme.example", "TXT"): ("new",)})
    assert planned.lookup("Acme.example.", "TXT") == Resolved(("v=spf1 -all",), True)
    assert planned.lookup("new.acme.example", "TXT") == Resolved(("new",), True)
    assert planned.lookup(ZONE, "MX") == live.lookup(ZONE, "MX")
    assert len(live.lookup(ZONE, "TXT").values) == 2
    assert Resolver(options, {(ZONE, "TXT"): ("x",)}).lookup(ZONE, "TXT").values == ("x",)


def test_a_planned_record_makes_its_name_and_those_above_it_exist(options: Options) -> None:
    live = Resolver(options)
    planned = live.with_overlay({("_dmarc.new.acme.example", "TXT"): ("v=DMARC1",), ("gone.acme.example", "TXT"): ()})
    for name in ("_dmarc.new.acme.example", "new.acme.example"):
        assert not live.lookup(name, "A").exists
        assert planned.lookup(name, "A") == Resolved((), True)
    assert not planned.lookup("gone.acme.example", "A").exists


def test_a_live_alias_leads_to_a_planned_record(options: Options) -> None:
    planned = Resolver(options, {("spf.service.example", "TXT"): ("planned",)})
    assert planned.lookup("far.acme.example", "TXT") == Resolved(("planned",), True)


def test_a_planned_alias_is_followed(options: Options) -> None:
    planned = Resolver(options, {("new.acme.example", "CNAME"): ("Host.acme.example.",)})
    assert planned.lookup("new.acme.example", "AAAA") == Resolved(("2001:db8::1",), True)
    assert planned.lookup("new.acme.example", "CNAME").values == ("Host.acme.example.",)


def test_planned_removals_are_seen(options: Options) -> None:
    planned = Resolver(options, {(ZONE, "TXT"): (), ("far.acme.example", "CNAME"): ()})
    assert planned.lookup(ZONE, "TXT") == Resolved((), True)
    assert planned.lookup("far.acme.example", "TXT") == Resolved((), True)
    assert planned.lookup("far.acme.example", "CNAME") == Resolved((), True)


def test_planned_aliases_may_loop_too(options: Options) -> None:
    planned = Resolver(options, {("a.test", "CNAME"): ("b.test",), ("b.test", "CNAME"): ("a.test",)})
    with pytest.raises(ResolveError, match=r"a\.test TXT: its CNAMEs loop"):
        planned.lookup("a.test", "TXT")


def test_a_chain_that_does_not_end_is_given_up() -> None:
    overlay = {(f"{number}.test", "CNAME"): (f"{number + 1}.test",) for number in range(40)}
    with pytest.raises(ResolveError, match="too many"):
        Resolver({"zonefiles": ["/nowhere"]}, overlay).lookup("0.test", "TXT")


# --- each question once ---------------------------------------------------------------------------------------------


def test_twenty_threads_ask_each_question_once(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    find = Resolver(options)._live._find

    def slow(name: str, rdtype: str) -> Any:
        asked.append((name, rdtype))
        time.sleep(0.05)
        return find(name, rdtype)

    resolver = Resolver(options)
    monkeypatch.setattr(resolver._live, "_find", slow)
    names = ["acme.example", "far.acme.example", "no.such.acme.example", "host.acme.example"] * 10
    overlays = [resolver, resolver.with_overlay({("x.test", "TXT"): ("x",)})]
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda job: overlays[job[0] % 2].lookup(job[1], "TXT"), enumerate(names)))
    assert len(asked) == len(set(asked)) == 5
    assert found[:4] == found[4:8] == found[36:]


def test_failures_are_remembered_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    read_file = master_file.read_master_file

    def read(file: Path, zone: str) -> master_file.MasterFile:
        reads.append(file)
        return read_file(file, zone)

    monkeypatch.setattr(master_file, "read_master_file", read)
    (tmp_path / "broken.example.zone").write_text("nonsense")
    resolver = Resolver({"zonefiles": [str(tmp_path)]})
    for name in ("broken.example", "broken.example", "www.broken.example"):
        with pytest.raises(ResolveError, match=r"broken\.example TXT: .*broken\.example\.zone.*line 1"):
            resolver.lookup(name, "TXT")
    assert len(reads) == 1


# --- who is asked ---------------------------------------------------------------------------------------------------


def test_files_come_before_servers(tmp_path: Path, start_bind: StartBind) -> None:
    server = start_bind({**ZONES, "only.example": zone_text("only.example", '@ TXT "server"')})
    (tmp_path / "acme.example.zone").write_text(zone_text(ZONE, '@ TXT "file"'))
    resolver = Resolver({**server.resolver_option, "zonefiles": [str(tmp_path / "acme.example.zone")]})
    assert resolver.lookup(ZONE, "TXT").values == ("file",)
    assert resolver.lookup("host.acme.example", "A") == Resolved((), False)
    assert resolver.lookup("only.example", "TXT").values == ("server",)


def test_of_files_the_longest_match_answers(tmp_path: Path) -> None:
    for zone in ("example", ZONE, "sub.acme.example"):
        (tmp_path / f"{zone}.zone").write_text(zone_text(zone, f'@ TXT "{zone}"\n* TXT "* of {zone}"'))
    resolver = Resolver({"zonefiles": [str(tmp_path)]})
    assert resolver.lookup("sub.acme.example", "TXT").values == ("sub.acme.example",)
    assert resolver.lookup("x.sub.acme.example", "TXT").values == ("* of sub.acme.example",)
    assert resolver.lookup("xsub.acme.example", "TXT").values == ("* of acme.example",)
    assert resolver.lookup("notacme.example", "TXT").values == ("* of example",)


def test_a_dot_inside_a_label_does_not_make_a_name_one_of_a_zone(tmp_path: Path) -> None:
    """RFC 4343 section 2.1: acme\\.example is one label, so x.acme\\.example is not below acme.example."""
    (tmp_path / "acme.example.zone").write_text(zone_text(ZONE, '* TXT "any"'))
    resolver = Resolver({"zonefiles": [str(tmp_path)]})
    assert resolver.lookup("x.acme.example", "TXT").values == ("any",)
    assert resolver.lookup(r"a\.b.acme.example", "TXT").values == ("any",)
    with pytest.raises(ResolveError, match="no master file answers for it"):
        resolver.lookup(r"x\.acme.example", "TXT")


def test_a_dname_is_followed(tmp_path: Path) -> None:
    (tmp_path / "old.example.zone").write_text(zone_text("old.example", "@ DNAME acme.example."))
    resolver = Resolver(files(tmp_path))
    assert resolver.lookup("host.old.example", "AAAA").values == ("2001:db8::1",)
    assert resolver.lookup("host.old.example", "CNAME").values == ("host.acme.example",)


@pytest.mark.parametrize("name", ["example", "_dmarc.example"])
def test_nothing_stands_above_files_that_are_the_whole_world(tmp_path: Path, name: str) -> None:
    assert Resolver(files(tmp_path)).lookup(name, "TXT") == Resolved((), False)


@pytest.mark.parametrize("name", ["outside.test", "notacme.example", "_dmarc.outside.test", "_dmarc.notacme.example"])
def test_files_alone_do_not_answer_for_the_rest(tmp_path: Path, name: str) -> None:
    with pytest.raises(ResolveError, match=f"{name} TXT: no master file answers for it and no nameserver is given"):
        Resolver(files(tmp_path)).lookup(name, "TXT")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"zonefiles": ["/nowhere/at/all"]}, "/nowhere/at/all: cannot be read: No such file"),
        ({"nameservers": ["ns.example"]}, "ns.example"),
        ({"nameservers": [ADDRESS], "port": 1, "timeout": 0.5}, f"{ADDRESS} port 1 {SILENT}"),
        ({"nameservers": ["192.0.2.1"], "timeout": 0.5}, rf"192\.0\.2\.1 port 53 {SILENT}"),
    ],
)
def test_a_look_up_that_nobody_can_answer_fails_soon_and_says_whom_it_asked(given: Options, expected: str) -> None:
    start = time.monotonic()
    with pytest.raises(ResolveError, match=f"acme.example TXT: .*(?:{expected})"):
        Resolver(given).lookup(ZONE, "TXT")
    assert time.monotonic() - start < 4


def test_a_server_that_refuses_is_an_error_and_no_empty_answer(start_bind: StartBind) -> None:
    with pytest.raises(ResolveError, match=r"other\.test TXT: .*REFUSED"):
        Resolver(start_bind(ZONES).resolver_option).lookup("other.test", "TXT")


def test_the_second_nameserver_is_asked_when_the_first_is_dead(start_bind: StartBind) -> None:
    option = start_bind(ZONES).resolver_option
    resolver = Resolver(option | {"nameservers": ["127.0.0.99", ADDRESS]})
    assert resolver.lookup("host.acme.example", "AAAA").values == ("2001:db8::1",)


def test_without_options_the_systems_resolvers_are_asked(
    start_bind: StartBind, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_bind(ZONES)

    def read_resolv_conf(self: dns.resolver.Resolver, _file: object) -> None:
        self.nameservers, self.port = [ADDRESS], server.port

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", read_resolv_conf)
    assert Resolver(None).lookup("alias.acme.example", "AAAA").values == ("2001:db8::1",)
    assert Resolver({"nameservers": None, "timeout": None}).lookup(ZONE, "MX").values[0] == "mail.service.example"


def test_nothing_happens_before_the_first_look_up() -> None:
    threads = threading.active_count()
    Resolver({"zonefiles": ["/nowhere"], "nameservers": ["no address"]})
    assert threading.active_count() == threads

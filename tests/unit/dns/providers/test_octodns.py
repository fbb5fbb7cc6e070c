# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What octoDNS's classes may not do by our hand, and what nobody gets to see of their options and logs."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import (
    Conflict,
    Provider,
    ProviderError,
    ZoneNotFound,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns, with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.octodns import (
    octodns_class,
    octodns_records,
    octodns_risks,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.domains.request import read_order
from ansible_collections.mailroom.erp.plugins.module_utils.domains.run import Run
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.tests.servers import octodns_backends
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.powerdns import PowerDns
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from octodns.provider.yaml import YamlProvider
from octodns.record import Record, Update

ZONE = "acme.example"
SPF = "v=spf1 mx ~all"
NEW = "v=spf1 mx a ~all"
SECRET = "hunter2hunter2hunter2"
KEY = (ZONE, "TXT")
TEXT = zone_text(ZONE, f'@ 600 TXT "{SPF}"\n@ 600 TXT "k=v; other=value"\nwww A 192.0.2.1\n')
CHANGE = Change(RRset(*KEY, 600, ("k=v; other=value", SPF)), RRset(*KEY, 600, ("k=v; other=value", NEW)))


class Own(YamlProvider):  # type: ignore[misc]
    """octoDNS's YAML files, with a hole for each trap. What it is told in ``secrets`` it tells everybody."""

    asked: list[str] = []  # noqa: RUF012
    trap: Callable[[Own, str, Any], Any] = staticmethod(lambda _self, _what, given: given)

    def __init__(self, id: str, directory: str, token: str = "", **options: Any) -> None:
        super().__init__(id, directory, escaped_semicolons=True, enforce_order=False, **options)
        self.log.warning("made with %s", token)
        self.token = token
        type(self).trap(self, "made", None)

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> Any:
        self.asked.append("populate")
        return type(self).trap(self, "populate", super().populate(zone, target, lenient))

    def _extra_changes(self, existing: Any, desired: Any, changes: Any) -> Any:
        return type(self).trap(self, "extra", [])

    def _plan_meta(self, existing: Any, desired: Any, changes: Any) -> Any:
        return type(self).trap(self, "meta", None)

    def _include_change(self, change: Any) -> Any:
        return type(self).trap(self, "include", True)

    def _process_desired_zone(self, desired: Any) -> Any:
        return super()._process_desired_zone(type(self).trap(self, "desired", desired))

    def _apply(self, plan: Any) -> Any:
        self.asked.append("apply")
        type(self).trap(self, "before", plan)
        super()._apply(plan)
        type(self).trap(self, "after", plan)


@pytest.fixture(autouse=True)
def quick(one_controller: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octodns_class, "OCTODNS_PAUSE", 0.0)
    monkeypatch.setattr(Own, "asked", [])
    # pytest finds this file by its path; octoDNS's classes are found by name.
    monkeypatch.setitem(sys.modules, "own_octodns", sys.modules[__name__])


def dns_of(folder: Path, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = octodns_backends.on_yaml(folder, {ZONE: TEXT})
    options = {"directory": given["options"]["directory"]}
    return {**given, "class": "own_octodns.Own", "options": options, "secrets": {"token": SECRET}, **more}


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return open_provider(dns_of(tmp_path))


@pytest.fixture
def fall_into(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Own, Any], Any]], None]:
    def set_trap(where: str, trap: Callable[[Own, Any], Any]) -> None:
        def call(self: Own, what: str, given: Any) -> Any:
            return trap(self, given) if what == where else given

        monkeypatch.setattr(Own, "trap", staticmethod(call))

    return set_trap


def file_of(folder: Path) -> str:
    return (folder / f"{ZONE}.yaml").read_text()


def apply(provider: Provider) -> None:
    state = provider.read(ZONE, [KEY])
    assert state.rrsets[KEY] == CHANGE.before
    provider.apply(ZONE, [CHANGE], state.token)


def www(provider: Own, value: str) -> Any:
    zone = octodns_backends_zone()
    return Record.new(zone, "www", {"type": "A", "ttl": 60, "value": value}, source=provider)


def octodns_backends_zone() -> Any:
    from octodns.zone import Zone

    return Zone(f"{ZONE}.", [])


def test_what_octodns_keeps_beside_the_values_stays(provider: Provider, tmp_path: Path) -> None:
    file = tmp_path / f"{ZONE}.yaml"
    data = yaml.safe_load(file.read_text())
    (texts,) = [entry for entry in data[""] if entry["type"] == "TXT"]
    texts["octodns"] = {"cloudflare": {"comment": "of the owner"}}
    file.write_text(yaml.safe_dump(data))
    apply(provider)
    (after,) = [entry for entry in yaml.safe_load(file.read_text())[""] if entry["type"] == "TXT"]
    assert after["octodns"] == {"cloudflare": {"comment": "of the owner"}}
    assert after["values"] == ["k=v\\; other=value", NEW]


def test_a_class_that_changes_more_than_it_was_asked_is_stopped(
    provider: Provider, tmp_path: Path, fall_into: Callable[..., None]
) -> None:
    before = file_of(tmp_path)
    fall_into("extra", lambda own, _given: [Update(www(own, "192.0.2.1"), www(own, "192.0.2.2"))])
    with pytest.raises(Conflict, match=r"it would also change www\.acme\.example A, which nobody asked for"):
        apply(provider)
    assert (file_of(tmp_path), "apply" in Own.asked) == (before, False)


def test_a_run_gives_up_on_it_after_a_few_attempts(tmp_path: Path, fall_into: Callable[..., None]) -> None:
    dns = dns_of(tmp_path)
    fall_into("extra", lambda own, _given: [Update(www(own, "192.0.2.1"), www(own, "192.0.2.2"))])
    (tmp_path / f"{ZONE}.zone").write_text(TEXT + "@ A 192.0.2.1\n@ MX 10 www\n")
    order = read_order({"dns": dns, "domains": [ZONE], "spf": {"terms": ["a"]}})
    (outcome,) = Run(order, {"zonefiles": [str(tmp_path)]}).execute(write=True)
    assert outcome.failure is not None and "which nobody asked for" in outcome.failure
    assert Own.asked.count("populate") < 20


def test_a_change_of_the_zones_settings_is_stopped(provider: Provider, fall_into: Callable[..., None]) -> None:
    fall_into("meta", lambda _own, _given: {"plan": "enterprise"})
    with pytest.raises(Conflict, match="it would also change settings of the zone"):
        apply(provider)
    assert "apply" not in Own.asked


def test_a_class_that_leaves_the_change_out_is_told(provider: Provider, fall_into: Callable[..., None]) -> None:
    fall_into("include", lambda _own, _given: False)
    with pytest.raises(ProviderError, match=r"acme\.example TXT: it plans no change there"):
        apply(provider)


def test_a_class_that_would_write_something_else_is_stopped(provider: Provider, fall_into: Callable[..., None]) -> None:
    def clamp(_own: Own, desired: Any) -> Any:
        (record,) = [one for one in desired.records if one._type == "TXT"]
        slow = record.copy()
        slow.ttl = 3600
        desired.add_record(slow, replace=True)
        return desired

    fall_into("desired", clamp)
    with pytest.raises(ProviderError, match="it would write something else than wanted"):
        apply(provider)
    assert "apply" not in Own.asked


def test_a_write_by_somebody_else_while_it_plans_is_a_conflict(
    provider: Provider, tmp_path: Path, fall_into: Callable[..., None]
) -> None:
    state = provider.read(ZONE, [KEY])
    file, calls = tmp_path / f"{ZONE}.yaml", iter(range(9))

    def write(_own: Own, exists: Any) -> Any:
        if next(calls) == 0:
            file.write_text(file.read_text().replace(SPF, "v=spf1 include:somebody.else ~all"))
        return exists

    fall_into("populate", write)
    with pytest.raises(Conflict, match="someone else has changed it"):
        provider.apply(ZONE, [CHANGE], state.token)
    assert "somebody.else" in file.read_text()


@pytest.mark.parametrize("says", [False, None])
def test_a_missing_zone_is_not_made(provider: Provider, tmp_path: Path, says: Any, fall_into: Any) -> None:
    fall_into("populate", lambda _own, exists: exists or says)
    with pytest.raises(ZoneNotFound, match=r"there is no zone new\.example there, and none is made"):
        provider.read("new.example", [("new.example", "TXT")])
    assert not (tmp_path / "new.example.yaml").exists()


def test_a_zone_that_goes_while_it_plans_is_not_made_again(
    provider: Provider, tmp_path: Path, fall_into: Callable[..., None]
) -> None:
    state, calls = provider.read(ZONE, [KEY]), iter(range(9))
    fall_into("populate", lambda _own, exists: exists and next(calls) == 0)
    with pytest.raises(ZoneNotFound, match="is gone, and none is made"):
        provider.apply(ZONE, [CHANGE], state.token)


def test_a_failure_before_anything_was_done_may_be_tried_again(
    provider: Provider, fall_into: Callable[..., None]
) -> None:
    def fail(_own: Own, _plan: Any) -> None:
        raise OSError("connection reset")

    fall_into("before", fail)
    with pytest.raises(Conflict, match=r"OSError: connection reset; zone acme\.example is as it was"):
        apply(provider)


def test_a_failure_after_all_was_done_is_none(
    provider: Provider, tmp_path: Path, fall_into: Callable[..., None]
) -> None:
    def fail(_own: Own, _plan: Any) -> None:
        raise OSError("connection reset")

    fall_into("after", fail)
    apply(provider)
    assert NEW in file_of(tmp_path)


def test_a_failure_in_between_says_so(provider: Provider, tmp_path: Path, fall_into: Callable[..., None]) -> None:
    def half(_own: Own, _plan: Any) -> None:
        file = tmp_path / f"{ZONE}.yaml"
        file.write_text(file.read_text().replace(f"  - {SPF}\n", ""))
        raise OSError("connection reset")

    fall_into("before", half)
    with pytest.raises(ProviderError, match="is changed in part"):
        apply(provider)


def test_a_service_that_is_busy_for_a_moment_is_asked_again(provider: Provider, fall_into: Callable[..., None]) -> None:
    calls = iter(range(9))

    def busy(_own: Own, exists: Any) -> Any:
        if next(calls) < 2:
            raise TimeoutError("too many requests")
        return exists

    fall_into("populate", busy)
    assert provider.read(ZONE, [KEY]).rrsets[KEY] == CHANGE.before


# --- answers without end --------------------------------------------------------------------------------------------


class Endless(Own):
    """A class whose service never comes to an end."""

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> Any:
        for number in itertools.count():
            data = {"type": "TXT", "ttl": 60, "value": "x" * 100}
            zone.add_record(Record.new(zone, f"n{number}", data, source=self), lenient=lenient)

    def list_zones(self) -> Iterator[str]:
        return (f"n{number}.example." for number in itertools.count())


@pytest.mark.parametrize(("bound", "most"), [("MOST_RECORDS", 200), ("MOST_CHARACTERS", 20_000)])
def test_a_zone_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int) -> None:
    monkeypatch.setattr(octodns_records, bound, most)
    endless = open_provider(dns_of(tmp_path, **{"class": "own_octodns.Endless"}, accept_whole_zone_writes=[ZONE]))
    with pytest.raises(ProviderError, match=rf"zone {ZONE}\.: it shows more than .*{most} .* not read to the end"):
        endless.read(ZONE, [KEY])


def test_a_list_of_zones_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octodns_records, "MOST_ZONES", 200)
    dns = dns_of(tmp_path, **{"class": "own_octodns.Endless"}, accept_whole_zone_writes=[ZONE], zones=[])
    with pytest.raises(ProviderError, match=r"it lists more than 200 zones\. Name those that are wanted in dns\.zones"):
        open_provider(dns).zone_of(ZONE)


def test_a_class_that_never_comes_back_is_given_up_while_it_reads_and_awaited_while_it_writes(
    provider: Provider, tmp_path: Path, fall_into: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(octodns_class, "OCTODNS_SECONDS", 2.0)
    fall_into("before", lambda _own, _plan: time.sleep(2.5))
    apply(provider)
    assert NEW in file_of(tmp_path)
    monkeypatch.setattr(octodns_class, "OCTODNS_SECONDS", 0.1)
    never = threading.Event()
    fall_into("populate", lambda _own, _exists: never.wait())
    with pytest.raises(ProviderError, match=r"it cannot read the zone: TimeoutError: the answer had no end after 0"):
        provider.read(ZONE, [KEY])
    never.set()


@pytest.mark.parametrize("text", ['say "it"', "back\\slash", "ü"])
def test_a_text_that_octodns_may_lose_is_not_touched(provider: Provider, tmp_path: Path, text: str) -> None:
    file = tmp_path / f"{ZONE}.yaml"
    data = yaml.safe_load(file.read_text())
    (texts,) = [entry for entry in data[""] if entry["type"] == "TXT"]
    texts["values"].append(text)
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(ProviderError, match="octoDNS does not carry unchanged"):
        provider.read(ZONE, [KEY])
    assert provider.read(ZONE, [(f"_dmarc.{ZONE}", "TXT")]).rrsets == {}, "other names are not concerned"


def test_what_nobody_read_is_not_changed(provider: Provider) -> None:
    state = provider.read(ZONE, [(f"_dmarc.{ZONE}", "TXT")])
    with pytest.raises(ProviderError, match="was not read before it was to be changed"):
        provider.apply(ZONE, [CHANGE], state.token)


# --- classes and their risks ----------------------------------------------------------------------------------------


def test_a_whole_zone_writer_is_refused_unless_it_is_accepted_for_the_zone(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"writes the whole file anew.*dns\.accept_whole_zone_writes"):
        open_provider(dns_of(tmp_path, accept_whole_zone_writes=[]))
    other = open_provider(dns_of(tmp_path, accept_whole_zone_writes=["other.example"]))
    with pytest.raises(ProviderError, match=r"zone acme\.example: own_octodns\.Own writes the whole file anew"):
        other.read(ZONE, [KEY])
    assert open_provider(dns_of(tmp_path, accept_whole_zone_writes=["Acme.Example."])).read(ZONE, [KEY])


def test_octodns_binds_zone_files_are_never_usable(tmp_path: Path) -> None:
    dns = dns_of(tmp_path, accept_whole_zone_writes=[ZONE], **{"class": "octodns_bind.ZoneFileProvider"})
    with pytest.raises(ProviderError, match=r"writes a file that holds nothing but the change\. Use another class"):
        open_provider(dns)


@pytest.mark.parametrize(("module", "name"), sorted(octodns_risks.RECORD_GAPS))
def test_classes_with_gaps_and_their_subclasses_are_known(module: str, name: str) -> None:
    known = type(name, (), {"__module__": f"{module}.provider"})
    mine = type("Mine", (known,), {"__module__": "elsewhere"})
    stranger = type(name, (), {"__module__": f"{module}s"})
    assert list(octodns_risks.risks_of(mine, {})) == ["accept_record_gaps"]
    assert octodns_risks.risks_of(stranger, {}) == {}


def test_hetzners_newer_interface_leaves_no_gap() -> None:
    hetzner = type("HetznerProvider", (), {"__module__": "octodns_hetzner"})
    assert octodns_risks.risks_of(hetzner, {"backend": "dnsapi"})
    assert not octodns_risks.risks_of(hetzner, {"backend": "hcloud"})


def test_every_class_with_a_risk_is_in_the_documentation() -> None:
    text = (Path(__file__).parents[4] / "docs/providers.md").read_text()
    tables = (octodns_risks.WHOLE_ZONE_WRITERS, octodns_risks.UNUSABLE, octodns_risks.RECORD_GAPS)
    missing = [key for table in tables for key in table if f"`{key[0]}.{key[1]}`" not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("octodns_nowhere.Provider", MissingLibrary, "pip install 'octodns-nowhere'"),
        ("octodns.provider.yaml.Nothing", ProviderError, "is no provider class of octoDNS"),
        ("pathlib.Path", ProviderError, "is no provider class of octoDNS"),
    ],
)
def test_a_class_that_is_none_is_refused(tmp_path: Path, name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        open_provider(dns_of(tmp_path, **{"class": name}))


def test_a_class_that_cannot_list_its_zones_needs_their_names(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(octodns_class.OctodnsClass, "lists_zones", False)
    silent = open_provider(dns_of(tmp_path))
    with pytest.raises(ProviderError, match=r"Name its zones in dns\.zones, or give the option zone"):
        silent.zone_of(ZONE)
    assert silent.read(ZONE, [KEY]).rrsets
    named = open_provider(dns_of(tmp_path, zones=["Acme.Example."]))
    assert named.zone_of(f"_dmarc.{ZONE}") == ZONE
    with pytest.raises(ZoneNotFound):
        named.read("other.example", [("other.example", "TXT")])


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [SECRET, f"Invalid key {SECRET[3:12]}...", "aHVudGVyMmh1bnRlcjI=", SECRET.upper(), f"?key={SECRET}&a=b"]
)
def test_an_error_that_holds_part_of_a_secret_is_not_shown(
    provider: Provider, said: str, fall_into: Callable[..., None]
) -> None:
    def fail(_own: Own, _given: Any) -> None:
        raise ValueError(f"went wrong: {said}")

    fall_into("made", fail)
    with pytest.raises(ProviderError, match=r"ValueError \(its text holds a part of a secret") as caught:
        provider.read(ZONE, [KEY])
    assert said not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_other_errors_are_told(tmp_path: Path) -> None:
    dns = dns_of(tmp_path)
    wrong = open_provider({**dns, "options": {**dns["options"], "tokn": 1}})
    with pytest.raises(ProviderError, match=r"TypeError: .*unexpected keyword argument 'tokn'"):
        wrong.read(ZONE, [KEY])


def test_what_a_class_logs_reaches_nobody(tmp_path: Path) -> None:
    """In a process of its own, as a module is."""
    dns_of(tmp_path)
    code = f"""
import sys, logging
sys.modules["own_octodns"] = module = type(sys)("own_octodns")
from octodns.provider.yaml import YamlProvider
class Own(YamlProvider):
    def __init__(self, id, token, **options):
        super().__init__(id, **options)
        logging.getLogger("anything").error("made with %s", token)
        logging.getLogger("quiet").propagate = False
        logging.getLogger("quiet").error("made with %s", token)
module.Own, Own.__module__ = Own, "own_octodns"
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import with_defaults
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
options = {{"directory": {str(tmp_path)!r}, "escaped_semicolons": True, "enforce_order": False}}
dns = with_defaults({{"provider": "octodns", "class": "own_octodns.Own", "options": options,
    "secrets": {{"token": {SECRET!r}}}, "accept_whole_zone_writes": [{ZONE!r}]}})
print(open_provider(dns).read({ZONE!r}, [({ZONE!r}, "TXT")]).rrsets)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert SPF in done.stdout, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secrets": {"token": "xyzzy"}}, "dns.secrets.token is shorter than 8 characters"),
        ({"secrets": {"token": {"inner": SECRET}}}, "dns.secrets.token must be one text"),
        ({"secrets": SECRET}, "dns.secrets must be a dictionary"),
        ({"options": {"api_key": SECRET}}, "dns.options.api_key looks like a secret"),
        ({"options": {"client": [{"Password": SECRET}]}}, "dns.options.Password looks like a secret"),
        ({"options": {"token_name": "x"}, "secrets": {"token_name": SECRET}}, "stands in both options and secrets"),
        ({"class": "Provider"}, "dns.class is the dotted name of a class"),
        ({"zones": ZONE}, "dns.zones must be a list"),
        ({"api_token": SECRET}, "dns.api_token belongs to provider cloudflare"),
    ],
)
def test_wrong_options_are_told_without_a_value(more: dict[str, Any], words: str) -> None:
    problems = check_dns({"provider": "octodns", "class": "octodns_powerdns.PowerDnsProvider", **more})
    assert any(words in problem for problem in problems), problems
    assert SECRET not in "".join(problems)
    assert "xyzzy" not in "".join(problems)


# --- real classes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def bind() -> Iterator[Bind]:
    with Bind({ZONE: TEXT.replace("www A 192.0.2.1", 's1._domainkey TXT "cut " "here"\nx TXT "\\200"')}) as server:
        yield server


def test_octodns_bind_cannot_read_a_zone_with_a_text_that_is_no_utf8(bind: Bind) -> None:
    with pytest.raises(ProviderError, match="it cannot read the zone: RdataParseError"):
        open_provider(octodns_backends.on_bind(bind)).read(ZONE, [KEY])


def test_a_removal_that_octodns_bind_does_not_do_is_noticed(tmp_path: Path) -> None:
    with Bind({ZONE: zone_text(ZONE, 's1._domainkey 600 TXT "k=rsa; p=" ""')}) as server:
        params = {
            "dns": octodns_backends.on_bind(server),
            "domains": [ZONE],
            "dkim": [{"selector": "s1", "state": "absent"}],
        }
        (outcome,) = Run(read_order(params), server.resolver_option).execute(write=True)
        assert outcome.failure is not None
        assert "the service accepted the change but shows the old records" in outcome.failure


def test_a_wrong_key_of_powerdns_is_told_without_it() -> None:
    with PowerDns({ZONE: TEXT}) as server:
        dns = octodns_backends.on_powerdns(server)
        wrong = open_provider({**dns, "secrets": {"api_key": SECRET}})
        with pytest.raises(ProviderError, match="unauthorized") as caught:
            wrong.read(ZONE, [KEY])
        assert SECRET not in str(caught.value)


def test_defaults_are_filled_in() -> None:
    given = {"provider": "octodns", "class": "octodns_powerdns.PowerDnsProvider"}
    assert with_defaults(given) == {
        **given,
        "options": {},
        "secrets": {},
        "zones": [],
        "accept_whole_zone_writes": [],
        "accept_record_gaps": [],
    }


def test_octodns_itself_does_not_log_to_stderr(provider: Provider) -> None:
    apply(provider)
    assert isinstance(logging.lastResort, logging.NullHandler)

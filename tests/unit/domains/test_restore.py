# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore: what comes back, what others did and keeps standing, and which snapshots are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset, ZoneState
from ansible_collections.mailroom.erp.plugins.module_utils.domains import restore as engine
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore_plan import plan_zone
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot import Snapshot
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_file import read_snapshot
from ansible_collections.mailroom.erp.tests.unit.domains.misbehaving import (
    Fault,
    failing,
    misbehave,
    never_lands,
    once_before_write,
)
from ansible_collections.mailroom.erp.tests.unit.domains.our_zones import OurZones

NAME = "acme.example"
FOREIGN, LATER = "google-site-verification=abc", "ms=later"
SPF, NEW_SPF, HAND_SPF = "v=spf1 mx ~all", "v=spf1 mx a ~all", "v=spf1 mx a ip4:192.0.2.9 ~all"
SECRET = "hunter2hunter2"


def txt(*values: str, ttl: int = 3600, name: str = NAME) -> RRset | None:
    return RRset(name, "TXT", ttl, values) if values else None


def mx(*values: str, ttl: int = 3600) -> RRset:
    return RRset(NAME, "MX", ttl, values)


def cname(target: str) -> RRset:
    return RRset(NAME, "CNAME", 60, (target,))


def plan(change: Change, *found: RRset | None, force: bool = False, elsewhere: bool = False) -> list[Change]:
    rrsets = {rrset.key: rrset for rrset in found if rrset}
    state = ZoneState(NAME, rrsets, "token", {NAME: "ns.other.example"} if elsewhere else {})
    return plan_zone([change], state, force)


BOTH = (False, True)
ALWAYS: list[tuple[str, RRset | None, RRset | None, RRset | None, RRset | None]] = [
    # what, before the run, after the run, now, restored
    ("replaced", txt(SPF), txt(NEW_SPF), txt(NEW_SPF), txt(SPF)),
    ("in its place", txt("a", SPF, "b"), txt("a", NEW_SPF, "b"), txt("a", NEW_SPF, "b"), txt("a", SPF, "b")),
    ("added", None, txt(NEW_SPF), txt(NEW_SPF), None),
    ("added beside", txt(FOREIGN), txt(FOREIGN, NEW_SPF), txt(FOREIGN, NEW_SPF), txt(FOREIGN)),
    ("removed", txt(SPF, ttl=60), None, None, txt(SPF, ttl=60)),
    ("removed beside", txt(FOREIGN, SPF), txt(FOREIGN), txt(FOREIGN), txt(FOREIGN, SPF)),
    ("merged of two", txt(SPF, "v=spf1 a ~all"), txt(NEW_SPF), txt(NEW_SPF), txt(SPF, "v=spf1 a ~all")),
    ("foreign since", txt(SPF), txt(NEW_SPF), txt(NEW_SPF, LATER), txt(SPF, LATER)),
    ("foreign gone", txt(FOREIGN, SPF), txt(FOREIGN, NEW_SPF), txt(NEW_SPF), txt(SPF)),
    ("foreign where none was", None, txt(NEW_SPF), txt(LATER, NEW_SPF, ttl=5), txt(LATER, ttl=5)),
    ("foreign where ours went", txt(SPF), None, txt(LATER, ttl=5), txt(LATER, SPF, ttl=5)),
    ("TTL", txt(SPF, ttl=60), txt(SPF, ttl=300), txt(SPF, ttl=300), txt(SPF, ttl=60)),
    ("value and TTL", txt(SPF, ttl=60), txt(NEW_SPF, ttl=300), txt(NEW_SPF, ttl=300), txt(SPF, ttl=60)),
    ("value back by hand, not TTL", txt(SPF, ttl=60), txt(NEW_SPF, ttl=5), txt(SPF, ttl=5), txt(SPF, ttl=60)),
    ("TTL of others", txt(SPF), txt(NEW_SPF), txt(NEW_SPF, ttl=99), txt(SPF, ttl=99)),
    ("alias", None, cname("k.example"), cname("k.example"), None),
    ("alias moved", cname("old.example"), cname("k.example"), cname("k.example"), cname("old.example")),
    ("DMARC", txt("v=DMARC1; p=none"), txt("v=DMARC1; p=reject"), txt("v=DMARC1; p=reject"), txt("v=DMARC1; p=none")),
    ("null MX", None, mx("0 ."), mx("0 ."), None),
    ("null MX removed", mx("0 .", ttl=60), None, None, mx("0 .", ttl=60)),
    (
        "MTA-STS",
        txt(FOREIGN, "v=STSv1; id=1;"),
        txt(FOREIGN, "v=STSv1; id=2;"),
        txt("v=STSv1; id=2;"),
        txt("v=STSv1; id=1;"),
    ),
]


@pytest.mark.parametrize("force", BOTH)
@pytest.mark.parametrize("case", ALWAYS, ids=lambda case: case[0])
def test_what_the_run_did_is_undone_value_by_value(
    case: tuple[str, RRset | None, RRset | None, RRset | None, RRset | None], force: bool
) -> None:
    _what, before, after, now, restored = case
    assert plan(Change(before, after), now, force=force) == [Change(now, restored)]
    assert plan(Change(before, after), restored, force=force) == []


SINCE: list[tuple[str, RRset | None, RRset | None, RRset | None, RRset | None]] = [
    ("edited", txt(SPF), txt(NEW_SPF), txt(HAND_SPF, FOREIGN), txt(SPF, FOREIGN)),
    ("a second one", txt(SPF), txt(NEW_SPF), txt(NEW_SPF, HAND_SPF), txt(SPF)),
    ("gone", txt(SPF), txt(NEW_SPF), None, txt(SPF)),
    ("made again", txt(SPF), None, txt(HAND_SPF), txt(SPF, ttl=3600)),
    ("edited where none was", None, txt(NEW_SPF), txt(HAND_SPF), None),
    ("TTL", txt(SPF, ttl=60), txt(SPF, ttl=300), txt(SPF, ttl=99), txt(SPF, ttl=60)),
    ("TTL of what is gone", txt(SPF, ttl=60), txt(SPF, ttl=300), None, txt(SPF, ttl=60)),
    ("alias", cname("old.example"), cname("k.example"), cname("hand.example"), cname("old.example")),
    ("key", txt("k=rsa; p=AAAA"), txt("v=DKIM1; p=BBBB"), txt("p=CCCC"), txt("k=rsa; p=AAAA")),
    ("MTA-STS", txt("v=STSv1; id=1;"), txt("v=STSv1; id=2;"), txt("v=STSv1; id=3;"), txt("v=STSv1; id=1;")),
    ("TLSRPT", None, txt("v=TLSRPTv1; rua=mailto:a@b.example"), txt("v=TLSRPTv1; rua=mailto:c@b.example"), None),
    ("null MX that was taken away", mx("0 ."), None, mx("10 mail.example"), mx("0 .", ttl=3600)),
    ("null MX that was added", None, mx("0 ."), mx("10 mail.example", "20 more.example"), None),
]


@pytest.mark.parametrize("case", SINCE, ids=lambda case: case[0])
def test_what_was_changed_since_is_refused_unless_told(
    case: tuple[str, RRset | None, RRset | None, RRset | None, RRset | None],
) -> None:
    _what, before, after, now, restored = case
    with pytest.raises(Refused, match="neither as the run left it nor as it was before") as caught:
        plan(Change(before, after), now)
    assert str(caught.value).startswith(f"{NAME}: ")
    assert plan(Change(before, after), now, force=True) == [Change(now, restored)]
    assert plan(Change(before, after), restored, force=True) == []


@pytest.mark.parametrize("force", BOTH)
def test_what_cannot_stand_there_any_more_is_refused(force: bool) -> None:
    with pytest.raises(Refused, match="a CNAME record at this name now"):
        plan(Change(txt(SPF), None), cname("k.example"), force=force)
    with pytest.raises(Refused, match="a TXT record at this name now"):
        plan(Change(cname("k.example"), None), txt(FOREIGN), force=force)
    with pytest.raises(Refused, match=r"delegated to ns\.other\.example since"):
        plan(Change(txt(SPF), txt(NEW_SPF)), force=force, elsewhere=True)


class Estate(OurZones):
    """Zones of ours in a folder; a run adds the term "a" to all of them, and leaves a snapshot."""

    def __init__(self, folder: Path, count: int = 3) -> None:
        super().__init__(folder)
        self.state = folder / "state"
        self.names = [f"z{number}.example" for number in range(count)]
        for name in self.names:
            self.zone(name, f'@ IN TXT "{SPF}" ; ours', f'@ IN TXT "{FOREIGN}"')

    def run(self, term: str = "a", **more: Any) -> Path | None:
        snapshot = Snapshot(self.state, "a test")
        wish = {"domains": self.names, "spf": {"terms": [term]}, **more}
        self.outcomes = self.planned(**wish, snapshot=snapshot).execute(True)
        return snapshot.path

    def restore(
        self, file: Path | None, write: bool = True, **params: Any
    ) -> tuple[list[engine.ZoneWork], Path | None]:
        accounts = {} if "accounts" in params else {"dns": self.ours.dns_option}
        works = engine.read_restore({"snapshot": str(file), **accounts, **params})
        snapshot = Snapshot(self.state, "a test") if write else None
        engine.restore(works, snapshot, write)
        return works, snapshot.path if snapshot else None

    def spf(self, name: str) -> list[str]:
        return [value for value in self.read(name) if value.startswith("v=spf1")]

    def records(self) -> dict[str, set[str]]:
        """The lines without the SOA's, whose serial a restore raises as every change does."""
        lines = {name: self.ours.file(name).read_text().splitlines() for name in self.names}
        return {name: {line for line in found if " SOA " not in line} for name, found in lines.items()}

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.ours.file(name)
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def overtaken(self, old: str, new: str) -> Fault:
        """Somebody edits the second zone right before it is written."""
        return once_before_write(self.names[1], lambda: self.edit(self.names[1], old, new))

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.state / "journal.jsonl").read_text().splitlines()]


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    return Estate(tmp_path)


def test_a_run_leaves_a_snapshot_and_restore_undoes_it(estate: Estate) -> None:
    morning = estate.records()
    file = estate.run()
    assert file is not None
    evening = estate.records()
    assert [entry.zone for entry in read_snapshot(file)] == estate.names
    planned, none = estate.restore(file, write=False)
    assert none is None
    assert estate.records() == evening
    done, undo = estate.restore(file)
    assert [work.result for work in planned] == [work.result for work in done]
    assert estate.records() == morning
    again, nothing = estate.restore(file)
    assert (nothing, [work.result for work in again]) == (None, [[], [], []])
    _back, _file = estate.restore(undo)
    assert estate.records() == evening
    assert [line["outcome"] for line in estate.journal()] == ["applied"] * 9
    assert len({line["snapshot"] for line in estate.journal()}) == 3


def test_a_run_that_changes_nothing_leaves_nothing(estate: Estate) -> None:
    assert estate.run("mx") is None
    assert not estate.state.exists()


def test_a_run_without_a_snapshot_writes_nothing(estate: Estate) -> None:
    estate.state.write_text("a file where a folder should be")
    assert "nothing is written to the DNS without a snapshot" in str(estate.refused(estate.run))


def test_the_snapshot_holds_what_another_writer_put_there_in_between(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        misbehave(patch, estate.overtaken(SPF, "v=spf1 mx ip4:192.0.2.9 ~all"))
        file = estate.run()
    assert estate.spf("z1.example") == ["v=spf1 mx ip4:192.0.2.9 a ~all"]
    estate.restore(file)
    assert [estate.spf(name) for name in estate.names] == [[SPF], ["v=spf1 mx ip4:192.0.2.9 ~all"], [SPF]]


def test_what_another_writer_did_for_us_is_not_undone(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        misbehave(patch, estate.overtaken(SPF, NEW_SPF))
        file = estate.run()
    assert file is not None
    assert [entry.zone for entry in read_snapshot(file)] == ["z0.example", "z2.example"]
    assert not estate.outcomes[1].changed


def test_a_zone_that_fails_does_not_stop_the_others(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    file = estate.run()
    with monkeypatch.context() as patch:
        misbehave(patch, failing("apply", "z1.example"))
        works, undo = estate.restore(file)
    assert [work.failure for work in works] == [None, "zone z1.example: the server is on fire", None]
    assert [bool(work.result) for work in works] == [True, False, True]
    assert [estate.spf(name) for name in estate.names] == [[SPF], [NEW_SPF], [SPF]]
    assert sorted(line["outcome"] for line in estate.journal()[3:]) == [
        "applied",
        "applied",
        "failed: zone z1.example: the server is on fire",
    ]
    estate.restore(undo)
    assert [estate.spf(name) for name in estate.names] == [[NEW_SPF]] * 3


def test_a_writer_during_the_restore_is_not_overwritten(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    file = estate.run()
    with monkeypatch.context() as patch:
        misbehave(patch, estate.overtaken(NEW_SPF, HAND_SPF))
        works, _undo = estate.restore(file)
    assert [estate.spf(name) for name in estate.names] == [[SPF], [HAND_SPF], [SPF]]
    assert works[1].failure is not None
    assert "neither as the run left it" in works[1].failure


def test_a_foreign_value_during_the_restore_is_kept(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    file = estate.run()
    with monkeypatch.context() as patch:
        misbehave(patch, estate.overtaken(FOREIGN, LATER))
        works, _undo = estate.restore(file)
    assert [work.failure for work in works] == [None] * 3
    assert estate.spf("z1.example") == [SPF]
    assert LATER in estate.ours.file("z1.example").read_text()


def test_a_restore_that_never_gets_through_is_given_up(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    file = estate.run()
    with monkeypatch.context() as patch:
        misbehave(patch, never_lands)
        works, undo = estate.restore(file)
    assert [work.failure for work in works] == ["something stands in the way"] * 3
    assert undo is None


def test_a_record_changed_since_refuses_the_whole_restore(estate: Estate) -> None:
    file = estate.run()
    estate.edit("z1.example", NEW_SPF, HAND_SPF)
    estate.edit("z2.example", NEW_SPF, HAND_SPF)
    refused = estate.refused(lambda: estate.restore(file))
    assert [problem.subject for problem in refused.problems] == ["z1.example", "z2.example"]
    works, _undo = estate.restore(file, zones=["Z0.example."])
    assert [work.zone for work in works] == ["z0.example"]
    estate.restore(file, changed_since="restore")
    assert [estate.spf(name) for name in estate.names] == [[SPF]] * 3


def test_accounts_are_found_by_what_is_no_secret(tmp_path: Path) -> None:
    one, two = Estate(tmp_path / "one", 1), Estate(tmp_path / "two", 1)
    domains = [{"domain": "z0.example", "dns": one.ours.dns_option}]
    file = one.run(domains=domains)
    foreign = {"provider": "rfc2136", "server": "192.0.2.1", "key_name": "k", "key_secret": SECRET}
    with pytest.raises(Refused, match="none of the accounts given is the one that the snapshot names") as caught:
        one.restore(file, accounts=[foreign, two.ours.dns_option])
    assert str(one.ours.folder) in str(caught.value)
    assert SECRET not in str(caught.value)
    one.restore(file, accounts=[foreign, two.ours.dns_option, one.ours.dns_option])
    assert one.spf("z0.example") == [SPF]


def change_of(content: Any) -> Any:
    return content["zones"][0]["records"][0]


def put(place: Callable[[Any], Any], **entries: Any) -> Callable[[Any], None]:
    return lambda content: place(content).update(entries)


WRONG: list[tuple[str, Callable[[Any], None], str]] = [
    ("no format", lambda content: content.pop("format"), "it is no snapshot"),
    ("another file", put(lambda c: c, format=SECRET), "it is no snapshot"),
    ("of tomorrow", put(lambda c: c, format="mailroom.erp/snapshot/3"), "mailroom.erp/snapshot/3 is not known"),
    ("more", put(lambda c: c, password=SECRET), "exactly: collection, format"),
    ("who", put(lambda c: c, who=7), "who: it is quoted text, not a int"),
    ("no zones", put(lambda c: c, zones=[]), "a list that is not empty"),
    ("zones", put(lambda c: c, zones={SECRET: 1}), "a list that is not empty"),
    ("a zone", put(lambda c: c, zones=[SECRET]), "zones[0]: it is a dictionary"),
    ("twice", lambda c: c["zones"].append(c["zones"][0]), "zones[3]: this zone of this account"),
    ("zone", put(lambda c: c["zones"][0], zone="Z0.EXAMPLE"), "zones[0].zone: it is a domain name in lower case"),
    ("outside", put(lambda c: c["zones"][0], zone="0.example"), "the name is outside its zone"),
    ("provider", put(lambda c: c["zones"][0]["account"], provider=SECRET), "its provider is one of"),
    ("a list", put(lambda c: c["zones"][0]["account"], provider=[SECRET]), "its provider is one of"),
    (
        "secret",
        put(lambda c: c["zones"][0]["account"], key_secret=SECRET),
        "options of its provider that are no secrets",
    ),
    ("path", put(lambda c: c["zones"][0]["account"], path=[SECRET]), "account.path: it is of type path"),
    ("no records", put(lambda c: c["zones"][0], records=None), "records: it is a list"),
    ("two", lambda c: c["zones"][0]["records"].append(change_of(c)), "a record stands there twice"),
    ("type", put(change_of, type="SRV"), "type: it is one of: TXT, CNAME, MX"),
    ("a typed type", put(change_of, type=["TXT"]), "type: it is one of: TXT, CNAME"),
    ("name", put(change_of, name="a b.z0.example"), "lower-case A-labels"),
    ("name", put(change_of, name="a.*.z0.example"), "lower-case A-labels"),
    ("name", put(change_of, name="*.*.z0.example"), "lower-case A-labels"),
    ("nothing", put(change_of, before=None, after=None), "not both null"),
    ("a text", put(change_of, before=SECRET), "before: it is a dictionary of exactly: ttl, values"),
    ("TTL", put(lambda c: change_of(c)["before"], ttl=-1), "a number of seconds from 0"),
    ("a true TTL", put(lambda c: change_of(c)["before"], ttl=True), "a number of seconds from 0"),
    ("values", put(lambda c: change_of(c)["before"], values=[]), "values: it is a list that is not empty"),
    ("a number", put(lambda c: change_of(c)["before"], values=[7]), "quoted text, not a int"),
    ("escape", put(lambda c: change_of(c)["before"], values=[SECRET + "\\300"]), "a backslash in it is neither"),
    ("backslash", put(lambda c: change_of(c)["before"], values=[SECRET + "\\x"]), "a backslash in it is neither"),
    ("long", put(lambda c: change_of(c)["before"], values=["x" * 65400]), "longer than TXT data"),
    ("two aliases", put(change_of, type="CNAME", after={"ttl": 1, "values": ["a", "b"]}), "domain name|exactly one"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[0])
def test_a_wrong_snapshot_is_refused_and_not_shown(
    estate: Estate, case: tuple[str, Callable[[Any], None], str]
) -> None:
    _what, spoil, words = case
    file = estate.run()
    assert file is not None
    content = yaml.safe_load(file.read_text())
    spoil(content)
    file.write_text(yaml.safe_dump(content))
    message = str(estate.refused(lambda: estate.restore(file)))
    assert any(word in message for word in words.split("|")), message
    assert str(file) in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "it cannot be read: No such file"),
        (b"\xff\xfe", "it is no UTF-8 text"),
        (b"a: [" + SECRET.encode() + b"\nb: }", "no valid YAML"),
        (b"a: !!python/object:os.system [" + SECRET.encode() + b"]", "no valid YAML"),
        (b"", "it is no snapshot"),
        (b"- " + SECRET.encode(), "it is no snapshot"),
        (b"when: 2026-99-99", "no valid YAML"),
    ],
)
def test_a_file_that_is_no_snapshot_is_refused(estate: Estate, data: bytes | None, words: str) -> None:
    file = estate.ours.folder / "wrong.yml"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(Refused) as caught:
        estate.restore(file)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_wrong_wishes_are_refused(estate: Estate) -> None:
    file = estate.run()
    with pytest.raises(Refused, match=r'zones "other\.example": this snapshot does not hold this zone'):
        estate.restore(file, zones=["z0.example", "other.example"])
    with pytest.raises(Refused, match="no DNS account is given"):
        estate.restore(file, accounts=[])
    with pytest.raises(Refused, match=r"dns\.path is required"):
        estate.restore(file, accounts=[{"provider": "zonefile"}])
    for name in estate.names:
        estate.ours.file(name).unlink()
    with pytest.raises(Refused, match=r"there is no zone z0\.example there"):
        estate.restore(file)


@pytest.mark.parametrize("lost", ["the mark", "a zone", "two zones"])
def test_a_snapshot_that_was_cut_between_two_zones_is_refused(tmp_path: Path, lost: str) -> None:
    estate = Estate(tmp_path, 3)
    file = estate.run()
    assert file is not None
    parts = file.read_text().split("  - zone:")
    kept = {"the mark": 4, "a zone": 3, "two zones": 2}[lost]
    file.write_text("  - zone:".join(parts[:kept]).removesuffix("...\n"))
    assert yaml.safe_load(file.read_text())["zones"]
    with pytest.raises(Refused, match="end: it does not end with the mark of its end"):
        estate.restore(file)


def test_a_snapshot_of_before_the_mark_came_is_read(tmp_path: Path) -> None:
    estate = Estate(tmp_path, 1)
    file = estate.run()
    assert file is not None
    file.write_text(file.read_text().replace("snapshot/2", "snapshot/1").removesuffix("...\n"))
    estate.restore(file)
    assert estate.spf("z0.example") == [SPF]


def test_one_account_cannot_stand_for_two(tmp_path: Path) -> None:
    one, two = Estate(tmp_path / "one", 1), Estate(tmp_path / "two", 1)
    file = one.run()
    other = two.run()
    assert file is not None
    assert other is not None
    content, more = (yaml.safe_load(path.read_text()) for path in (file, other))
    content["zones"] += more["zones"]
    file.write_text(yaml.safe_dump(content, explicit_end=True))
    with pytest.raises(Refused, match="for several DNS accounts"):
        one.restore(file)
    one.restore(file, accounts=[two.ours.dns_option, one.ours.dns_option])
    assert (one.spf("z0.example"), two.spf("z0.example")) == ([SPF], [SPF])


def test_records_of_other_domains_stay_where_domains_are_named(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    file = estate.run()
    works, _undo = estate.restore(file, domains=["Z0.example.", "elsewhere.example"], not_domains=["z1.example"])
    assert [work.zone for work in works] == ["z0.example"]
    assert (estate.spf("z0.example"), estate.spf("z1.example")) == ([SPF], [NEW_SPF])
    with pytest.raises(Refused, match="this snapshot does not hold this zone"):
        estate.restore(file, domains=["z0.example"], zones=["z1.example"])
    with pytest.raises(Refused, match="holds no record of these domains"):
        estate.restore(file, domains=["elsewhere.example"])


def test_a_domain_below_ours_that_is_anothers_keeps_its_records(tmp_path: Path) -> None:
    estate = Estate(tmp_path, count=1)
    name = "shop.z0.example"
    snapshot = Snapshot(estate.state, "a test")
    domains: list[Any] = ["z0.example", {"domain": name, "dmarc": {"policy": "none"}}]
    estate.planned(domains=domains, spf={"terms": ["a"]}, snapshot=snapshot).execute(True)
    (work,), _undo = estate.restore(snapshot.path, write=False, domains=["z0.example"], not_domains=[name])
    assert [change.key[0] for change in work.changes] == ["z0.example"]

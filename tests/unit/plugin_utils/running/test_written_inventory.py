# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of hosts as they are written: references are followed, nothing is templated, nothing is decrypted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.written_inventory import (
    WrittenInventory,
    WrittenVariables,
    is_template,
)
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.customers.two_customers import (
    ACME,
    JANSEN,
    drawn,
    hostvars_of,
    two_customers,
)
from hypothesis import given, settings
from hypothesis import strategies as st

CLOSED = VaultLib([("closed", VaultSecret(b"nobody has this password"))])
WRITTEN: dict[str, Any] = {
    "folder": "/srv",
    "port": 53,
    "deep": {"names": {"acme": "Acme B.V."}, "list": ["{{ folder }}/a", 1, True, None]},
    "alias": "{{ deep }}",
    "ring": "{{ ring }}",
    "first": "{{ second }}x",
    "second": "{{ first }}y",
    "computed": "{{ folder | upper }}",
    "missing": "{{ not_there }}",
    "mixed": "{{ folder }}/{{ lookup('env', 'X') }}",
}
SEEN = [
    ("{{ folder }}/in", "/srv/in"),
    (" {{ port }} ", 53),
    ("{{port}}:{{ port }}", "53:53"),
    ("{{ alias.names['acme'] }}", "Acme B.V."),
    ("{{ alias }}", {"names": {"acme": "Acme B.V."}, "list": ["/srv/a", 1, True, None]}),
    ({"{{ folder }}": ["{{ deep.names }}"]}, {"/srv": [{"acme": "Acme B.V."}]}),
    (True, True),
    (None, None),
]
KEPT = [
    "{{ computed }}",
    "{{ missing }}",
    "{{ mixed }}",
    "{{ ring }}",
    "{{ first }}",
    "{{ deep.names.jansen }}",
    "{{ folder.names }}",
    "{% if true %}a{% endif %}",
]


@pytest.mark.parametrize(("written", "seen"), SEEN)
def test_references_are_followed(written: Any, seen: Any) -> None:
    found = WrittenVariables({**WRITTEN, "asked": written}).value("asked")
    assert found == seen
    assert not is_template(found)


@pytest.mark.parametrize("written", KEPT)
def test_what_only_a_template_could_tell_stays_one(written: str) -> None:
    assert is_template(WrittenVariables({**WRITTEN, "asked": written}).value("asked"))


def test_a_variable_that_is_not_there_is_none() -> None:
    variables = WrittenVariables(WRITTEN)
    assert (variables.value("nothing"), variables.referred("nothing")) == (None, None)
    assert variables.referred("alias") is WRITTEN["deep"]
    assert variables.referred("ring") == "{{ ring }}"


_WORDS = st.sampled_from(["{{ a }}", "{{ b }}/x", "{{ c.a }}", "{{ c['b'] }}{{ a }}", "plain"])
_TEXT = st.one_of(_WORDS, st.text(max_size=8))
_VALUES = st.recursive(_TEXT | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner))


def test_a_value_that_grows_without_end_is_left_alone() -> None:
    bomb = {f"v{number}": f"{{{{ v{number + 1} }}}}" * 9 for number in range(30)}
    assert len(str(WrittenVariables(bomb).value("v0"))) < 1_000_000


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from("abc"), _VALUES))
def test_any_variables_come_to_an_end(raw: dict[str, Any]) -> None:
    variables = WrittenVariables(raw)
    for name in raw:
        variables.value(name)
        variables.referred(name)


def _closed(text: str) -> str:
    return str(CLOSED.encrypt(text).decode())


def _with_vaults(folder: Path) -> dict[str, Any]:
    """Jansen's group has values, and a whole file, that nobody can decrypt."""
    inventory = two_customers()
    group = inventory["all"]["children"]["jansen"]
    del group["vars"]["mail_customer"]
    place = folder / "group_vars" / "jansen"
    place.mkdir(parents=True)
    (place / "main.yml").write_text(f"mail_customer: {JANSEN}\n", encoding="utf-8")
    (place / "vault.yml").write_text(_closed("mail_dns_account: {provider: zonefile, path: /x}"), encoding="utf-8")
    return inventory


def test_a_file_that_cannot_be_decrypted_hides_nothing_else(tmp_path: Path) -> None:
    inventory = _with_vaults(tmp_path)
    written = WrittenInventory(hostvars_of(tmp_path, inventory))
    found = written.of("jansen_erp")
    assert (found.value("mail_customer"), found.value("vault_jansen_token")) == (JANSEN, "token-of-jansen")
    assert written.unreadable == {"jansen_erp"}
    boundary = drawn(tmp_path, inventory)
    assert (boundary.problems, boundary.silent, boundary.unseen) == ((), 0, ())


def test_the_same_encrypted_text_is_the_same_secret(tmp_path: Path) -> None:
    token = _closed("token").strip().replace("\n", "\n    ")
    account = f"mail_dns_account:\n  provider: cloudflare\n  api_token: !vault |\n    {token}\n"
    inventory = two_customers()
    for name, group in inventory["all"]["children"].items():
        del group["vars"]["mail_dns_account"]
        (tmp_path / "group_vars").mkdir(exist_ok=True)
        (tmp_path / "group_vars" / f"{name}.yml").write_text(account, encoding="utf-8")
    (problem,) = drawn(tmp_path, inventory).problems
    assert "acme_erp: mail_dns_account: this DNS account is also that of jansen_erp" in str(problem)
    assert "encrypted" not in str(problem)
    other = account.replace(token, _closed("token").strip().replace("\n", "\n    "))
    (tmp_path / "group_vars" / "jansen.yml").write_text(other, encoding="utf-8")
    assert drawn(tmp_path, inventory).problems == ()


def test_a_host_of_which_nothing_is_known_is_left_out_and_its_senders_may_be_ours(tmp_path: Path) -> None:
    inventory = two_customers()
    del inventory["all"]["children"]["jansen"]["vars"]["mail_customer"]
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "jansen.yml").write_text(_closed(f"mail_customer: {ACME}\n"), encoding="utf-8")
    boundary = drawn(tmp_path, inventory)
    assert (boundary.hosts, boundary.silent, boundary.unseen) == (
        ("acme_erp",),
        1,
        ("1 host not known to be of this customer",),
    )


# --- what was read before the first play -----------------------------------------------------------------------------


class Counted(WrittenInventory):
    """Counts the hosts whose variables Ansible gathered."""

    gathered: ClassVar[list[str]] = []

    def _raw(self, host: Any) -> dict[str, Any]:
        self.gathered.append(str(host.name))
        return super()._raw(host)


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Reads all hosts as before the first play, then as in a task; gives those whose variables were gathered anew."""
    monkeypatch.setattr(WrittenInventory, "_of_this_run", None)
    inventory = two_customers()
    hostvars = hostvars_of(tmp_path, inventory)
    before = Counted(hostvars)
    values = {host: before.of(host).value("erp_mail_output_dir") for host in before.hosts}
    monkeypatch.setattr(WrittenInventory, "_of_this_run", before)

    def again(hostvars_now: Any = hostvars, in_play: tuple[str, ...] = ()) -> list[str]:
        Counted.gathered.clear()
        now = Counted(hostvars_now, in_play)
        assert {host: now.of(host).value("erp_mail_output_dir") for host in before.hosts} == values
        return sorted(Counted.gathered)

    return again


def test_hosts_are_gathered_once_in_a_run_and_those_of_the_play_again(chosen: Callable[..., list[str]]) -> None:
    assert chosen() == []
    assert chosen(in_play=("acme_erp",)) == ["acme_erp"]


def test_a_host_that_came_into_another_group_meanwhile_is_gathered_anew(
    chosen: Callable[..., list[str]], tmp_path: Path
) -> None:
    hostvars = hostvars_of(tmp_path, two_customers())
    hostvars._inventory.add_group("more")
    hostvars._inventory.groups["more"].add_host(hostvars._inventory.get_host("jansen_erp"))
    assert chosen(hostvars) == ["jansen_erp"]


def test_another_inventory_or_other_extra_variables_are_another_run(
    chosen: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert chosen(hostvars_of(tmp_path, two_customers(), more="x")) == ["acme_erp", "jansen_erp"]
    (tmp_path / "other").mkdir()
    other = two_customers()
    for name, group in other["all"]["children"].items():
        group["vars"]["erp_mail_output_dir"] = f"{tmp_path}/{name}"
    assert chosen(hostvars_of(tmp_path / "other", other)) == ["acme_erp", "jansen_erp"]


def test_what_could_not_be_read_then_is_read_now(chosen: Callable[..., list[str]]) -> None:
    before = WrittenInventory._of_this_run
    assert before is not None
    before.unreadable.add("jansen_erp")
    assert chosen() == ["jansen_erp"]

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures of a plan, made and judged by the real ssh-keygen: so many different people, and nobody else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_signatures import (
    NAMESPACE,
    check_signatures,
)

PROGRAM = "ssh-keygen"
KEYS = ("anna", "bert", "carl", "mallory")


class Desk:
    """A plan, keys of people, and the file of those who may sign."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.plan, self.allowed, self._keys = folder / "plan.json", folder / "allowed_signers", keys
        self.plan.write_text('{"plan": 1}\n')
        self.allow("anna@acme.example anna", "bert@acme.example bert", "carl@acme.example carl")

    def public(self, key: str) -> str:
        return (self._keys / f"{key}.pub").read_text().rpartition(" ")[0]

    def allow(self, *lines: str) -> None:
        """Each line ends in the name of a key."""
        parts = (line.rpartition(" ") for line in lines)
        self.allowed.write_text("".join(f"{who} {self.public(key)}\n" for who, _blank, key in parts))

    def sign(self, key: str, name: str | None = None, namespace: str = NAMESPACE, data: str | None = None) -> None:
        """Sign the plan, or other data, as a file beside it."""
        text = self.plan.read_text() if data is None else data
        command = [PROGRAM, "-q", "-Y", "sign", "-n", namespace, "-f", str(self._keys / key)]
        made = subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
        self.plan.with_name(f"plan.json.{name or key}.sig").write_bytes(made)

    def people(self, demanded: int) -> list[str]:
        return check_signatures(self.plan, self.plan.read_bytes(), demanded, self.allowed)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for key in KEYS:
        command = [PROGRAM, "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", str(folder / key)]
        subprocess.run(command, check=True)
    return folder


@pytest.fixture
def desk(tmp_path: Path, keys: Path) -> Desk:
    return Desk(tmp_path, keys)


def test_one_and_two_people(desk: Desk) -> None:
    assert desk.people(0) == []
    desk.sign("anna")
    assert desk.people(1) == ["anna@acme.example"]
    desk.sign("bert")
    assert desk.people(2) == ["anna@acme.example", "bert@acme.example"]


def no_signature(_desk: Desk) -> None:
    """Nobody signs."""


def wrong_key(desk: Desk) -> None:
    desk.sign("mallory")


def wrong_namespace(desk: Desk) -> None:
    desk.sign("anna", namespace="git")


def another_plan(desk: Desk) -> None:
    desk.sign("anna", data='{"plan": 2}\n')


def edited_afterwards(desk: Desk) -> None:
    desk.sign("anna")
    desk.plan.write_text('{"plan": 1} \n')


def expired_key(desk: Desk) -> None:
    desk.allow('anna@acme.example valid-before="20200101" anna')
    desk.sign("anna")


def key_of_tomorrow(desk: Desk) -> None:
    desk.allow('anna@acme.example valid-after="29990101" anna')
    desk.sign("anna")


def key_for_something_else(desk: Desk) -> None:
    desk.allow('anna@acme.example namespaces="git,file" anna')
    desk.sign("anna")


def rubbish(desk: Desk) -> None:
    desk.plan.with_name("plan.json.anna.sig").write_text("-----BEGIN SSH SIGNATURE-----\nrubbish\n")


def a_folder(desk: Desk) -> None:
    desk.plan.with_name("plan.json.anna.sig").mkdir()


def empty_file(desk: Desk) -> None:
    desk.plan.with_name("plan.json.anna.sig").touch()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (no_signature, "signed by nobody who may"),
        (wrong_key, "none of the allowed signers"),
        (wrong_namespace, "plan.json.anna.sig: as anna@acme.example"),
        (another_plan, "plan.json.anna.sig: as anna@acme.example"),
        (edited_afterwards, "plan.json.anna.sig: as anna@acme.example"),
        (expired_key, "plan.json.anna.sig"),
        (key_of_tomorrow, "plan.json.anna.sig"),
        (key_for_something_else, "plan.json.anna.sig"),
        (rubbish, "it is no signature"),
        (a_folder, "plan.json.anna.sig"),
        (empty_file, "plan.json.anna.sig"),
    ],
)
def test_what_does_not_count_is_told_with_the_way_to_sign(desk: Desk, act: Callable[[Desk], None], words: str) -> None:
    act(desk)
    with pytest.raises(Refused) as caught:
        desk.people(1)
    told = str(caught.value)
    assert "1 different people must sign it" in told and words in told
    assert f"ssh-keygen -Y sign -n {NAMESPACE}" in told and "plan.json.<who>.sig" in told


@pytest.mark.parametrize(
    ("lines", "signing"),
    [
        (("anna@acme.example anna",), ("anna", "anna")),
        (("anna@acme.example anna", "anna@acme.example bert"), ("anna", "bert")),
        (("anna@acme.example,bert@acme.example anna",), ("anna", "anna")),
        (("anna@acme.example anna", "bert@acme.example anna"), ("anna", "anna")),
        (("anna@acme.example,boss anna", "bert@acme.example,boss bert"), ("anna", "bert")),
        (("*@acme.example anna", "*@acme.example bert"), ("anna", "bert")),
    ],
    ids=["twice", "two keys", "a key with two names", "a key in two lines", "a name in common", "a pattern"],
)
def test_one_person_is_no_two(desk: Desk, lines: tuple[str, ...], signing: tuple[str, ...]) -> None:
    desk.allow(*lines)
    for number, key in enumerate(signing):
        desk.sign(key, name=f"{key}-{number}")
    assert len(desk.people(1)) == 1
    with pytest.raises(Refused, match="2 different people must sign it"):
        desk.people(2)


def test_what_does_not_count_does_no_harm_beside_enough_that_do(desk: Desk) -> None:
    for key in ("anna", "bert", "mallory"):
        desk.sign(key)
    desk.plan.with_name("plan.json.old.sig").write_text("rubbish")
    assert desk.people(2) == ["anna@acme.example", "bert@acme.example"]


def test_a_name_with_signs_of_patterns_is_itself(desk: Desk) -> None:
    desk.sign("anna")
    plan = desk.plan.with_name("[p]lan*.json")
    plan.write_bytes(desk.plan.read_bytes())
    with pytest.raises(Refused, match="signed by nobody"):
        check_signatures(plan, plan.read_bytes(), 1, desk.allowed)


def test_without_a_file_of_signers_or_the_program_nothing_is_believed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sign("anna")
    for missing in (None, desk.plan.with_name("nobody")):
        with pytest.raises(Refused, match="mail_plan_allowed_signers"):
            check_signatures(desk.plan, desk.plan.read_bytes(), 1, missing)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match=r"ssh-keygen is not installed here.*openssh-client \(Debian"):
        desk.people(1)


def test_a_program_that_does_not_end_as_it_should_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.sign("anna")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "ssh-keygen"
    program.write_text("no program")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(Refused, match="did not end as it should"):
        desk.people(1)

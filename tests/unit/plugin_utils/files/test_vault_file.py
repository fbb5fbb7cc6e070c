# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vault-encrypted file of a customer's secrets."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.environment_secrets import SecretFiles
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.vault_file import SecretFile

VALUE = "hunter2-hunter2-hunter2"
ENTRY = {"directory_id": "d", "application_id": "a", "key_id": "k", "valid_until": "2027-01-01", "secret": VALUE}


def vault(*passwords: tuple[str, str]) -> VaultLib:
    return VaultLib([(vault_id, VaultSecret(password.encode())) for vault_id, password in passwords])


OURS = vault(("acme", "correct horse battery"))


@pytest.fixture
def file(tmp_path: Path) -> SecretFile:
    return SecretFile(tmp_path / "secrets" / "acme.yml", OURS)


def test_a_value_is_stored_encrypted_and_read_back(file: SecretFile) -> None:
    assert file.read() == {}
    assert file.store({"profit": ENTRY})
    data = file.path.read_bytes()
    assert data.startswith(b"$ANSIBLE_VAULT;1.2;AES256;acme") and VALUE.encode() not in data
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert file.read() == {"profit": ENTRY}


def test_an_equal_value_is_not_written_again(file: SecretFile) -> None:
    file.store({"profit": ENTRY})
    before = file.path.read_bytes()
    assert not file.store({"profit": dict(ENTRY)}) and not file.store({"nobody": None})
    assert file.path.read_bytes() == before
    assert file.store({"office": ENTRY}) and set(file.read()) == {"profit", "office"}
    assert file.store({"profit": None}) and set(file.read()) == {"office"}


def test_what_a_person_keeps_in_the_file_stays(file: SecretFile) -> None:
    file.store({"profit": ENTRY})
    text = OURS.decrypt(file.path.read_bytes()) + b"own: value\n"
    file.path.write_bytes(OURS.encrypt(text, OURS.secrets[0][1], "acme"))
    file.store({"office": ENTRY})
    assert b"own: value" in OURS.decrypt(file.path.read_bytes())


def test_a_proof_leaves_no_trace(file: SecretFile) -> None:
    file.prove()
    assert not file.path.exists()
    file.store({"profit": ENTRY})
    before = file.path.read_bytes()
    file.prove()
    assert file.path.read_bytes() == before


def test_a_proof_fails_when_another_value_is_read_back(file: SecretFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "_write", lambda content: None)
    with pytest.raises(Refused, match="not read back"):
        file.prove()


def test_the_vault_id_of_the_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "acme.yml"
    SecretFile(path, OURS).store({"profit": ENTRY})
    both = vault(("other", "another password"), ("acme", "correct horse battery"))
    SecretFile(path, both).store({"office": ENTRY})
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;acme")
    assert set(SecretFile(path, OURS).read()) == {"profit", "office"}


@pytest.mark.parametrize("other", [vault(), vault(("acme", "wrong"))], ids=["no password", "wrong password"])
def test_without_the_password_nothing_is_read_or_written(file: SecretFile, other: VaultLib) -> None:
    file.store({"profit": ENTRY})
    before = file.path.read_bytes()
    closed = SecretFile(file.path, other)
    for act in (closed.read, closed.check, closed.prove, lambda: closed.store({"office": ENTRY})):
        with pytest.raises(Refused, match="vault password") as caught:
            act()
        assert VALUE not in str(caught.value)
    assert file.path.read_bytes() == before


def test_a_new_file_wants_a_password(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--vault-id"):
        SecretFile(tmp_path / "acme.yml", vault()).check()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("in the way", encoding="utf-8")
    with pytest.raises(Refused, match="cannot be written"):
        SecretFile(tmp_path / "secrets" / "acme.yml", OURS).prove()


@pytest.mark.parametrize("text", [b"- a list", b"mail_entra_secrets: [1]", b"{unbalanced: "])
def test_a_file_of_something_else_is_refused_without_being_shown(file: SecretFile, text: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(OURS.encrypt(text, OURS.secrets[0][1], "acme"))
    with pytest.raises(Refused) as caught:
        file.read()
    assert "unbalanced" not in str(caught.value)


def arguments(folder: Path, **more: Any) -> dict[str, Any]:
    credential = {"name": "mail"}
    environments = [
        {
            "environment": name,
            "customer": customer,
            "application": {"unique_name": name},
            "credential": dict(credential),
        }
        for name, customer in (("one", "acme"), ("two", "acme"), ("three", "beta"))
    ]
    tenant = {"tenant_id": "11111111-2222-3333-4444-555555555555"}
    return {"tenant": tenant, "secrets_dir": str(folder), "environments": environments, **more}


def found(key_id: str) -> dict[str, Any]:
    shown = {"directory_id": "d", "app_id": "a", "key_id": key_id, "end_date_time": "2027-01-01T00:00:00Z"}
    return {**shown, "problems": []}


def test_each_customer_has_a_file(tmp_path: Path) -> None:
    given = arguments(tmp_path / "secrets")
    files = SecretFiles(given, OURS)
    made = {name: found(name) for name in ("one", "two", "three")}
    assert files.store_made(made, dict.fromkeys(made, VALUE))
    assert {path.name for path in (tmp_path / "secrets").glob("*.yml")} == {"acme.yml", "beta.yml"}
    again = SecretFiles(given, OURS)
    again.fill_in()
    assert [one["credential"]["stored_key_id"] for one in given["environments"]] == ["one", "two", "three"]
    assert again.place_of("three") == {
        "file": str(tmp_path / "secrets" / "beta.yml"),
        "variable": "mail_entra_secrets.three.secret",
    }


def test_a_file_of_no_use_is_a_problem_of_its_own_environments(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "beta.yml").write_text("no vault", encoding="utf-8")
    given = arguments(folder)
    given["environments"].append({**given["environments"][0], "environment": "four", "customer": "../four"})
    files = SecretFiles(given, OURS)
    assert list(files.problems) == ["four"] and "name of its file" in files.problems["four"]
    files.fill_in()
    assert list(files.problems) == ["four", "three"] and "beta.yml" in files.problems["three"]
    assert files.place_of("three") is None and files.place_of("one")
    files.prove(["one", "three", "four"])
    assert list(files.problems) == ["four", "three"]
    assert (folder / "beta.yml").read_text(encoding="utf-8") == "no vault"


def test_a_place_that_cannot_be_written_is_a_problem_of_its_own_environments(tmp_path: Path) -> None:
    files = SecretFiles(arguments(tmp_path / "secrets"), OURS)
    files.fill_in()
    (tmp_path / "secrets" / "acme.yml").mkdir(parents=True)
    files.prove(["one", "three"])
    assert set(files.problems) == {"one", "two"} and "acme.yml" in files.problems["one"]


def test_a_file_that_cannot_be_written_stops_no_other(tmp_path: Path) -> None:
    files = SecretFiles(arguments(tmp_path / "secrets"), OURS)
    (tmp_path / "secrets" / "beta.yml").mkdir(parents=True)
    made = {name: found(name) for name in ("three", "one")}
    assert files.store_made(made, dict.fromkeys(made, VALUE))
    assert set(files.unstored) == {"three"} and "beta.yml" in files.unstored["three"]
    assert set(SecretFile(tmp_path / "secrets" / "acme.yml", OURS).read()) == {"one"}
    (tmp_path / "secrets" / "beta.yml").rmdir()
    assert files.store_made(made, dict.fromkeys(made, VALUE)) and files.unstored == {}


def test_an_environment_that_is_no_more_leaves_the_file(tmp_path: Path) -> None:
    given = arguments(tmp_path / "secrets")
    SecretFiles(given, OURS).store_made({"one": found("k")}, {"one": VALUE})
    given["environments"][0]["application"]["state"] = "absent"
    assert SecretFiles(given, OURS).store_made({"one": found("k")}, {})
    assert SecretFile(tmp_path / "secrets" / "acme.yml", OURS).read() == {}


def test_without_a_customer_the_file_is_the_tenant_s(tmp_path: Path) -> None:
    given = arguments(tmp_path)
    del given["environments"][0]["customer"]
    assert SecretFiles(given, OURS).place_of("one") == {
        "file": f"{tmp_path}/11111111-2222-3333-4444-555555555555.yml",
        "variable": "mail_entra_secrets.one.secret",
    }


@pytest.mark.parametrize("customer", ["../acme", ".hidden", "a/b"])
def test_a_customer_is_the_name_of_a_file(tmp_path: Path, customer: str) -> None:
    given = arguments(tmp_path)
    given["environments"][0]["customer"] = customer
    files = SecretFiles(given, OURS)
    assert list(files.problems) == ["one"] and "mail_entra_customer" in files.problems["one"]


def test_a_secret_that_was_asked_for_is_known_until_it_is_stored(tmp_path: Path) -> None:
    given = arguments(tmp_path / "secrets")
    SecretFiles(given, OURS).prove(["one", "three"])
    file = SecretFile(tmp_path / "secrets" / "acme.yml", OURS)
    asked = file.asked()
    assert set(asked) == {"one"} and file.read() == {}
    file.ask(["one"], "2030-01-01T00:00:00Z")
    assert file.asked() == asked, "the first time counts"
    files = SecretFiles(given, OURS)
    files.fill_in()
    known = [one["credential"]["asked_since"] for one in given["environments"]]
    assert known == [asked["one"], None, known[2]] and known[2]
    files.store_made({"one": found("k")}, {"one": VALUE})
    assert file.asked() == {} and set(file.read()) == {"one"}


def test_what_a_killed_run_left_goes_with_the_next_secret(tmp_path: Path) -> None:
    """A trial value in the file, and files that were not finished, ours and somebody else's."""
    given = arguments(tmp_path / "secrets")
    file = SecretFile(tmp_path / "secrets" / "acme.yml", OURS)
    file.ask(["one"], "2030-01-01T00:00:00Z")
    written = OURS.decrypt(file.path.read_bytes()) + b"mail_entra_trial: abc\nother: 1\n"
    file.path.write_bytes(OURS.encrypt(written, OURS.secrets[0][1]))
    unfinished = [file.path.with_name(name) for name in (".acme.yml.abcdefgh.tmp", ".beta.yml.abcdefgh.tmp")]
    for one in unfinished:
        one.write_bytes(b"half")
    SecretFiles(given, OURS).store_made({"one": found("k")}, {"one": VALUE})
    held = yaml.safe_load(OURS.decrypt(file.path.read_bytes()))
    assert set(held) == {"mail_entra_secrets", "other"}
    assert [one.exists() for one in unfinished] == [False, True]

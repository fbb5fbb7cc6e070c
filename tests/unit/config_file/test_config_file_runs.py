# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""erp_config_file on real files: links, pipes, modes, locks, other writers, and what a person sees of it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.config_file import config_file_run
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_options import (
    ERP_CONFIG_FILE_OPTIONS,
    wrong_config_file_arguments,
)
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_run import run_config_file
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_edit import WRITTEN_MARK
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import hold
from ansible_collections.mailroom.erp.tests.unit.mail_test.conftest import Ended, FakeModule

URI, CANARY = "smtp+tls://erp:canary%2F7f3a@mail.acme.example:587", "canary"
TEXT = "[database]\nuri = postgresql://tryton:other@/\n\n[email]\nretry = 3\n"
ENTRIES = [{"name": "uri", "kind": "uri"}, {"name": "from"}]
Options = dict[str, Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "trytond.conf"
    made.write_text(TEXT, encoding="utf-8")
    made.chmod(0o640)
    return made


def options(file: Path, **more: Any) -> Options:
    values = {"values": {"from": "erp@acme.example"}, "secret_values": {"uri": URI}}
    return {"path": str(file), "section": "email", "entries": ENTRIES, **values, **more}


def run(given: Options, check_mode: bool = False) -> Options:
    checked = ArgumentSpecValidator(ERP_CONFIG_FILE_OPTIONS).validate(given)
    assert not checked.error_messages, checked.error_messages
    module = FakeModule(checked.validated_parameters, check_mode)
    module._diff = True
    with pytest.raises(Ended) as ended:
        run_config_file(module)
    return ended.value.result


def test_it_writes_once_and_then_nothing(file: Path) -> None:
    looked = run(options(file), check_mode=True)
    assert looked["changed"] and file.read_text(encoding="utf-8") == TEXT and len(os.listdir(file.parent)) == 1
    done = run(options(file))
    assert done == looked and done["changed_keys"] == ["uri", "from"]
    ours = f"{WRITTEN_MARK}\nuri = {URI}\n{WRITTEN_MARK}\nfrom = erp@acme.example\n"
    assert file.read_text(encoding="utf-8") == TEXT + ours and stat.S_IMODE(file.stat().st_mode) == 0o640
    before = file.stat()
    again = run(options(file))
    assert not again["changed"] and again["changed_keys"] == [] and file.stat() == before
    assert run(options(file, state="absent"))["changed"] and file.read_text(encoding="utf-8") == TEXT


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 1234, 4321)
    assert run(options(file))["changed"]
    assert (file.stat().st_uid, file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == (1234, 4321, 0o640)


def test_a_difference_shows_our_keys_without_secrets(file: Path) -> None:
    done = run(options(file))["diff"]
    assert done["before"] == "[email]\n"
    shown = "uri = smtp+tls://erp:(secret)@mail.acme.example:587"
    assert done["after"] == f"[email]\n{shown}\nfrom = erp@acme.example\n"
    other = run(options(file, secret_values={"uri": URI.replace("7f3a", "9c1e")}))["diff"]
    assert shown in other["before"] and shown.replace("(secret)", "(another secret)") in other["after"]
    assert run(options(file, state="absent"))["diff"]["after"] == "[email]\n"


@pytest.mark.parametrize(
    "old",
    [
        "smtp://erp:canary@old",
        "smtp://erp:can@ary/canary@old:25",
        "smtp://canary@old",
        "smtp://old?password=canary",
        "smtp://erp:canary",
        "canary",
        "smtp://erp:\n  canary@old",
    ],
)
def test_an_old_secret_is_never_shown(file: Path, old: str) -> None:
    file.write_text(f"[email]\nuri = {old}\nfrom = x\n", encoding="utf-8")
    assert CANARY not in str(run(options(file, secret_values={}, values={"uri": "smtp://relay:25"})))
    kinds = [{"name": "uri", "kind": "secret"}, {"name": "from"}]
    done = run(options(file, entries=kinds, secret_values={"uri": "x"}))
    assert "uri = (another secret)\n" in done["diff"]["after"] and "relay" not in str(done)


def test_a_link_stays_and_its_target_changes(file: Path) -> None:
    link = file.with_name("link.conf")
    link.symlink_to(file.name)
    assert run(options(link))["changed"]
    assert link.is_symlink() and not file.is_symlink() and URI in file.read_text(encoding="utf-8")
    gone = file.with_name("gone.conf")
    gone.symlink_to("nowhere")
    assert "there is no such file" in run(options(gone))["msg"] and not file.with_name("nowhere").exists()


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        done = run(options(tmp_path / name))
        assert done["failed"] and "it cannot be read" in done["msg"], done


def test_a_missing_file_is_refused_unless_nothing_is_wanted(tmp_path: Path) -> None:
    assert "make an empty file there" in run(options(tmp_path / "none"))["msg"]
    assert not run(options(tmp_path / "none", state="absent"))["changed"]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"[email]\nuri = caf\xe9 canary\n", "line 2 holds bytes that are not UTF-8"),
        (b"uri = canary\n", "line 1 stands before any [section]"),
        (b"[email]\nuri = canary\nuri = canary\n", "line 3 sets a key that this section has already"),
        (b"[email]\n" + b"#" * config_file_run._MOST_BYTES, "so it is no settings file"),
    ],
)
def test_a_malformed_file_is_refused_and_untouched(file: Path, data: bytes, told: str) -> None:
    file.write_bytes(data)
    for state in ("present", "absent"):
        done = run(options(file, state=state))
        assert done["failed"] and told in done["msg"] and CANARY not in done["msg"], done
    assert file.read_bytes() == data and os.listdir(file.parent) == [file.name]


def test_keys_of_others_are_told(file: Path) -> None:
    file.write_text("[email]\nuri = smtp://mine\n", encoding="utf-8")
    (warning,) = run(options(file, state="absent"))["warnings"]
    assert "[email] uri: it stands there without the mark" in warning
    assert run(options(file, values={}, secret_values={}))["changed"] is False
    file.chmod(0o644)
    assert "every user of this machine may read it" in run(options(file))["warnings"][0]


def test_what_somebody_else_writes_meanwhile_is_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, others = config_file_run._plan, iter(["# one\n", "# two\n"])

    def slow(*arguments: Any) -> Any:
        planned = plan(*arguments)
        if os.path.exists(file.with_name(f".{file.name}.lock")) and (more := next(others, "")):
            file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
        return planned

    monkeypatch.setattr(config_file_run, "_plan", slow)
    assert run(options(file))["changed"]
    text = file.read_text(encoding="utf-8")
    assert "# one\n# two\n" in text and URI in text
    monkeypatch.setattr(config_file_run, "_replaced", lambda *_arguments: False)
    assert "somebody else changes it" in run(options(file, state="absent"))["msg"]


def test_runs_at_the_same_time_wait_for_each_other(file: Path) -> None:
    wanted = [options(file, section=f"s{number}", entries=[{"name": "from"}], secret_values={}) for number in range(8)]
    threads = [threading.Thread(target=run, args=(one,)) for one in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [not run(one)["changed"] for one in wanted] == [True] * 8, "none has lost another's section"


def test_a_lock_that_is_held_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_file_run, "_LOCK_SECONDS", 0.05)
    with hold(file.with_name(f".{file.name}.lock"), 1.0):
        assert "another run has held its lock" in run(options(file))["msg"]
    assert file.read_text(encoding="utf-8") == TEXT


def test_what_a_killed_run_left_goes(file: Path) -> None:
    left = file.with_name(f".{file.name}.abcdefgh.tmp")
    left.write_text("canary", encoding="utf-8")
    run(options(file))
    assert not left.exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"secret_value": {"uri": CANARY}}, "there is no such option: secret_value; did you mean secret_values?"),
        ({"secret_values": CANARY}, "secret_values must be a dictionary, not a str"),
        ({"secret_values": {"uri": [CANARY]}}, "secret_values.uri must be one text or number"),
        ({"secret_values": {"uri": f"{CANARY}\n[web]"}}, "secret_values.uri must stand on one line, without control"),
        ({"secret_values": {"uri": f"{CANARY}\u00a0"}}, "secret_values.uri must stand on one line, without control"),
        ({"secret_values": {"password": CANARY}}, "secret_values.password is none of entries"),
        ({"values": {"uri": CANARY}}, "uri stands in values and in secret_values"),
        ({"section": "a]\n[b"}, "section must be the name of a section without its brackets"),
        (
            {"entries": [{"name": "a = b"}]},
            "name of entries must be a key in lower case, not (something that is no name)",
        ),
        ({"entries": [{"name": "URI", "kind": "uri"}]}, "name of entries must be a key in lower case, not URI"),
    ],
)
def test_wrong_options_are_told_without_values(tmp_path: Path, more: Options, told: str) -> None:
    problems = wrong_config_file_arguments(options(tmp_path, **more))
    assert any(told in one for one in problems) and CANARY not in str(problems), problems

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed for the tests, by whom and how; the commands that would change the machine are recording fakes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.tools import debian_packages
from ansible_collections.mailroom.erp.tests.tools.debian_packages import GROUPS, Machine

TOOL = Path(debian_packages.__file__)
TESTS = TOOL.parents[1]
# The tool in a process of its own, with a machine that is given instead of looked at.
AS_GIVEN = """\
import sys
from debian_packages import Machine, main
*groups, is_root, has_systemd, path = sys.argv[1:]
sys.exit(main(groups, Machine(is_root == "True", has_systemd == "True", path)))
"""
UPDATE = "noninteractive: apt-get update -qq\n"
INSTALL = "noninteractive: apt-get install -qq -y --no-install-recommends --no-remove "
ANSWER = "debconf-set-selections < postfix postfix/main_mailer_type select No configuration\n"


@dataclass(frozen=True, slots=True)
class Fakes:
    """A folder that is all of PATH, and the record of the commands in it that were called."""

    folder: Path

    @property
    def root(self) -> Machine:
        """A Debian machine with systemd and the folder's programs, seen by root."""
        return Machine(is_root=True, has_systemd=True, path=str(self.folder))

    @property
    def calls(self) -> str:
        """The calls, a line each."""
        record = self.folder / "calls"
        return record.read_text(encoding="utf-8") if record.exists() else ""

    def add(self, name: str, script: str = "exit 99") -> None:
        """Write a program; with PATH as it is, its script has nothing but what the shell itself can do."""
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def record(self, name: str, rest: str = "") -> None:
        """Write a program that records its call."""
        self.add(name, f'echo "$DEBIAN_FRONTEND: {name} $*" >> "{self.folder}/calls"\n{rest}')

    def add_group(self, group: str, *, but: tuple[str, ...] = ()) -> None:
        """Write the programs of a group of the table, without some of them."""
        for program in GROUPS[group].programs:
            if program.name not in but:
                self.add(program.name)


@pytest.fixture
def fakes(tmp_path: Path) -> Fakes:
    """The fakes of a Debian machine on which no server is installed."""
    made = Fakes(tmp_path)
    made.record("apt-get")
    made.record("systemctl")
    made.add("debconf-set-selections", f'read -r line; echo "debconf-set-selections < $line" >> "{tmp_path}/calls"')
    return made


def run(machine: Machine, *groups: str) -> subprocess.CompletedProcess[str]:
    """Run the tool in a process of its own, on a given machine."""
    given = [*groups, str(machine.is_root), str(machine.has_systemd), machine.path]
    command = [sys.executable, "-c", AS_GIVEN, *given]
    environment = {**os.environ, "PYTHONPATH": str(TOOL.parent), "DEBIAN_FRONTEND": "dialog"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("group", GROUPS)
def test_nothing_missing_is_silent(fakes: Fakes, group: str) -> None:
    fakes.add_group(group)
    done = run(fakes.root, group)
    assert (done.returncode, done.stdout, done.stderr, fakes.calls) == (0, "", "", "")


def test_root_installs_what_is_missing_and_stops_its_services_only(fakes: Fakes) -> None:
    fakes.add_group("dns-servers", but=("knotd", "pdns_server"))
    done = run(fakes.root, "dns-servers")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Installing the Debian packages knot pdns-backend-sqlite3 ...\n"
    stopped = "noninteractive: systemctl disable --quiet --now knot pdns\n"
    assert fakes.calls == f"{UPDATE}{INSTALL}knot pdns-backend-sqlite3\n{stopped}"


def test_services_are_left_alone_where_systemd_does_not_run(fakes: Fakes) -> None:
    assert run(replace(fakes.root, has_systemd=False), "dns-servers").returncode == 0
    assert fakes.calls == f"{UPDATE}{INSTALL}bind9 knot pdns-backend-sqlite3 nsd\n"


def test_packages_that_start_nothing_need_no_systemctl(fakes: Fakes) -> None:
    assert run(fakes.root, "browser").returncode == 0
    assert fakes.calls == f"{UPDATE}{INSTALL}chromium fonts-dejavu-core chromium-driver\n"


def test_groups_are_installed_together_after_the_answer_for_postfix(fakes: Fakes) -> None:
    fakes.add_group("dns-servers", but=("nsd",))
    fakes.add_group("mail-servers", but=("postfix", "opendmarc"))
    assert run(fakes.root, "dns-servers", "mail-servers", "dns-servers").returncode == 0
    wanted = "nsd postfix opendmarc dbconfig-no-thanks publicsuffix\n"
    stopped = "noninteractive: systemctl disable --quiet --now nsd postfix opendmarc\n"
    assert fakes.calls == f"{ANSWER}{UPDATE}{INSTALL}{wanted}{stopped}"


def test_a_postfix_that_is_there_keeps_its_answers(fakes: Fakes) -> None:
    fakes.add_group("mail-servers", but=("policyd-spf",))
    assert run(fakes.root, "mail-servers").returncode == 0
    assert fakes.calls == f"{UPDATE}{INSTALL}postfix-policyd-spf-python python3-dnspython\n"


@pytest.mark.parametrize(
    ("failing", "calls"),
    [("update", UPDATE), ("install", f"{UPDATE}{INSTALL}bind9 knot pdns-backend-sqlite3 nsd\n")],
)
def test_an_apt_get_that_fails_ends_it_with_its_status(fakes: Fakes, failing: str, calls: str) -> None:
    fakes.record("apt-get", f'test "$1" != {failing} || exit 100')
    done = run(fakes.root, "dns-servers")
    assert done.returncode == 100
    assert done.stderr.startswith(f"This command failed with status 100: apt-get {failing} -qq")
    assert fakes.calls == calls


def test_a_signal_is_told_as_a_shell_does(fakes: Fakes) -> None:
    fakes.record("apt-get", "kill -9 $$")
    assert run(fakes.root, "dns-servers").returncode == 128 + 9


def test_a_command_that_cannot_start_ends_without_a_traceback(fakes: Fakes) -> None:
    (fakes.folder / "debconf-set-selections").unlink()
    done = run(fakes.root, "mail-servers")
    assert done.returncode == 127
    assert "debconf-set-selections" in done.stderr and "Traceback" not in done.stderr
    assert fakes.calls == ""


def test_another_user_gets_the_command(fakes: Fakes, capsys: pytest.CaptureFixture[str]) -> None:
    fakes.add_group("dns-servers", but=("named", "nsd"))
    assert debian_packages.main(["dns-servers"], replace(fakes.root, is_root=False)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "The tests need real DNS servers. Missing: named, nsd. Install them as root and try again:\n"
        "  apt-get update && apt-get install --no-install-recommends --no-remove bind9 nsd\n"
    )
    assert fakes.calls == ""


def test_the_message_gives_the_reasons_of_what_is_missing_only(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.add_group("dns-servers")
    assert debian_packages.main(["dns-servers", "browser"], replace(fakes.root, is_root=False)) == 1
    assert capsys.readouterr().err.startswith(f"{GROUPS['browser'].purpose} Missing: chromium, chromedriver. ")


def test_root_without_apt_get_gets_the_command(fakes: Fakes, capsys: pytest.CaptureFixture[str]) -> None:
    (fakes.folder / "apt-get").unlink()
    assert debian_packages.main(["browser"], fakes.root) == 1
    assert "--no-remove chromium fonts-dejavu-core chromium-driver\n" in capsys.readouterr().err
    assert fakes.calls == ""


def test_mail_servers_are_for_root_even_where_all_are_installed(
    fakes: Fakes, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes.add_group("mail-servers")
    assert debian_packages.main(["dns-servers", "mail-servers"], replace(fakes.root, is_root=False)) == 1
    assert capsys.readouterr().err == (
        "make receiver needs root: it makes a network of its own, and Postfix changes users. Try: sudo make receiver\n"
    )


def test_the_script_needs_nothing_but_python(fakes: Fakes) -> None:
    fakes.add_group("browser")
    command = [sys.executable, "-I", "-S", str(TOOL), "browser"]
    environment = {"PATH": str(fakes.folder)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr, fakes.calls) == (0, "", "", "")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["dns-servers", "nonsense"]])
def test_what_is_not_in_the_table_is_refused(
    fakes: Fakes, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        debian_packages.main(arguments, fakes.root)
    assert refused.value.code == 2
    assert "GROUP" in capsys.readouterr().err
    assert fakes.calls == ""


@pytest.mark.parametrize("path", ["", "/somewhere"])
def test_servers_are_looked_for_where_debian_puts_them(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("PATH", path)
    folders = debian_packages.this_machine().path.split(os.pathsep)
    assert folders[-1] == "/usr/sbin"
    assert "" not in folders  # which would be the current folder


# --- the table against the tests -------------------------------------------------------------------------------------

# Functions of the tests whose first argument is the name of a program, which they start or find for somebody who does.
STARTERS = {"program", "which", "_do"}


def started(tree: ast.AST) -> Iterator[str]:
    """The programs that a file starts: by their name in a call, or as the PROGRAM of a class of servers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            candidate = node.args[0] if name in STARTERS else None
        elif isinstance(node, ast.Assign):
            candidate = node.value if ast.unparse(node.targets[0]) == "PROGRAM" else None
        else:
            continue
        if isinstance(candidate, ast.Constant):
            yield str(candidate.value)


def test_every_program_of_the_table_is_started_by_a_test() -> None:
    files = [file for file in TESTS.rglob("*.py") if file not in (TOOL, Path(__file__))]
    found = {program for file in files for program in started(ast.parse(file.read_text(encoding="utf-8")))}
    named = {program.name for group in GROUPS.values() for program in group.programs}
    assert named - found == set()

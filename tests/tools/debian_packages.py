# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make sure that the programs of Debian are there that some tests start: install them as root, else say how.

Usage: debian_packages.py GROUP ...     groups of the table ``GROUPS``, e.g. ``debian_packages.py dns-servers``
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

APT_GET = "apt-get"
INSTALL_OPTIONS = ("--no-install-recommends", "--no-remove")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that tests start, and what brings it."""

    name: str
    packages: tuple[str, ...]
    service: str = ""
    """The systemd service that its packages may start by themselves, which nobody wants here."""
    debconf_answer: str = ""
    """What the packages would ask and its answer, as one line for debconf-set-selections(1)."""


@dataclass(frozen=True, slots=True)
class Group:
    """Programs that are needed together."""

    purpose: str
    """A sentence: who needs them."""
    programs: tuple[Program, ...]
    root_reason: str = ""
    """Why nobody but root can use them, even where all are installed."""


GROUPS: Mapping[str, Group] = {
    "dns-servers": Group(
        "The tests need real DNS servers.",
        (
            Program("named", ("bind9",), "named"),
            Program("knotd", ("knot",), "knot"),
            Program("pdns_server", ("pdns-backend-sqlite3",), "pdns"),
            Program("nsd", ("nsd",), "nsd"),
        ),
    ),
    "signatures": Group(
        "The tests sign plans with OpenSSH.",
        (Program("ssh-keygen", ("openssh-client",)),),
    ),
    "mail-servers": Group(
        "The tests need a mail server and its filters.",
        (
            # Postfix would otherwise configure and start itself as the mail server of this machine.
            Program("postfix", ("postfix",), "postfix", "postfix postfix/main_mailer_type select No configuration"),
            Program("dovecot", ("dovecot-imapd",), "dovecot"),
            Program("opendkim", ("opendkim",), "opendkim"),
            # dbconfig-no-thanks: OpenDMARC without a database
            Program("opendmarc", ("opendmarc", "dbconfig-no-thanks", "publicsuffix"), "opendmarc"),
            # OpenDMARC's own reporter: a database (the server's core has no service), the libraries of Perl that the
            # programs load, and a clock for reports of days that have passed
            Program(
                "mariadbd",
                ("mariadb-server-core", "libdbd-mysql-perl", "libswitch-perl", "libhttp-message-perl", "libjson-perl"),
            ),
            Program("faketime", ("faketime",)),
            # python3-dnspython: with it the SPF service tells SERVFAIL from "there is none"
            Program("policyd-spf", ("postfix-policyd-spf-python", "python3-dnspython")),
            Program("ip", ("iproute2",)),
        ),
        "make receiver needs root: it makes a network of its own, and Postfix changes users. Try: sudo make receiver",
    ),
    "browser": Group(
        "make a11y needs the browser Chromium, its driver and a font.",
        (
            Program("chromium", ("chromium", "fonts-dejavu-core")),
            Program("chromedriver", ("chromium-driver", "fonts-dejavu-core")),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides on the way to the programs."""

    is_root: bool
    has_systemd: bool
    path: str
    """Where programs are looked for, those of the tests and our own: folders as in PATH."""

    def has(self, program: str) -> bool:
        """Whether a program is there."""
        return shutil.which(program, path=self.path) is not None


def this_machine() -> Machine:
    """Look at the machine and the user; Debian puts servers into /usr/sbin, where a user's PATH may not look."""
    path = os.pathsep.join([os.environ.get("PATH") or os.defpath, "/usr/sbin"])
    return Machine(os.geteuid() == 0, Path("/run/systemd/system").is_dir(), path)


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the installation."""

    command: tuple[str, ...]
    text: str | None = None
    """What it reads from standard input; that of this program unless given."""

    def run(self, machine: Machine) -> int:
        """Run it.

        :returns: its exit code, as a shell would tell it
        """
        environment = {**os.environ, "PATH": machine.path, "DEBIAN_FRONTEND": "noninteractive"}
        try:
            code = subprocess.run(self.command, input=self.text, env=environment, text=True, check=False).returncode
        except OSError as error:
            print(error, file=sys.stderr)
            return 127
        return code if code >= 0 else 128 - code


def packages(programs: Sequence[Program]) -> list[str]:
    """The packages of programs, each once."""
    return list(dict.fromkeys(package for program in programs for package in program.packages))


def steps(missing: Sequence[Program], machine: Machine) -> list[Step]:
    """The commands that install missing programs and keep their services from running. Nothing else is removed."""
    answers = "".join(f"{program.debconf_answer}\n" for program in missing if program.debconf_answer)
    services = [program.service for program in missing if program.service]
    found = [Step(("debconf-set-selections",), answers)] if answers else []
    found.append(Step((APT_GET, "update", "-qq")))
    found.append(Step((APT_GET, "install", "-qq", "-y", *INSTALL_OPTIONS, *packages(missing))))
    if services and machine.has_systemd:
        found.append(Step(("systemctl", "disable", "--quiet", "--now", *services)))
    return found


def install(missing: Sequence[Program], machine: Machine) -> int:
    """Install missing programs and say so.

    :returns: 0, or the exit code of the command that failed
    """
    print(f"Installing the Debian packages {' '.join(packages(missing))} ...", flush=True)
    for step in steps(missing, machine):
        code = step.run(machine)
        if code:
            print(f"This command failed with status {code}: {shlex.join(step.command)}", file=sys.stderr)
            return code
    return 0


def explanation(missing: Sequence[Program], groups: Sequence[Group]) -> str:
    """What to tell somebody for whom nothing can be installed: what is missing, why it is needed, the way out."""
    purposes = [group.purpose for group in groups if set(group.programs) & set(missing)]
    names = ", ".join(program.name for program in missing)
    command = shlex.join([APT_GET, "install", *INSTALL_OPTIONS, *packages(missing)])
    return (
        f"{' '.join(purposes)} Missing: {names}. Install them as root and try again:\n  {APT_GET} update && {command}"
    )


def provide(groups: Sequence[Group], machine: Machine) -> int:
    """Make sure that the programs of some groups are there.

    :returns: the exit code: 0 when all are there, 1 when only root can go on, or that of a command that failed
    """
    refusals = [group.root_reason for group in groups if group.root_reason and not machine.is_root]
    if refusals:
        print("\n".join(refusals), file=sys.stderr)
        return 1
    missing = [program for group in groups for program in group.programs if not machine.has(program.name)]
    if not missing:
        return 0
    if machine.is_root and machine.has(APT_GET):
        return install(missing, machine)
    print(explanation(missing, groups), file=sys.stderr)
    return 1


def main(arguments: Sequence[str], machine: Machine | None = None) -> int:
    """Do what the command line says.

    :param arguments: names of groups
    :param machine: this one unless given
    :returns: the exit code, see ``provide``
    :raises SystemExit: with 2, for a group that is not in the table
    """
    parser = argparse.ArgumentParser(description="Make sure that the Debian programs are there that some tests start.")
    parser.add_argument("groups", nargs="+", choices=GROUPS, metavar="GROUP", help=", ".join(GROUPS))
    names = dict.fromkeys(parser.parse_args(arguments).groups)
    return provide([GROUPS[name] for name in names], machine or this_machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

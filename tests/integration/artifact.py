# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as a user gets it: built from the tree, installed into an empty path, run without settings of ours."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailroom.erp.tests.integration.playbook import own_program

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Installed:
    """A collection that was installed from its tarball."""

    tarball: Path
    collections: Path

    def site(self, company: Path, *arguments: str, playbook: str = "mailroom.erp.site") -> str:
        """Run a playbook for a company, one host after the other; returns what was printed, errors too."""
        command = [own_program("ansible-playbook"), "-i", "inventory.yml", "--forks=1", playbook, *arguments]
        return run_clean(command, company, ANSIBLE_COLLECTIONS_PATH=str(self.collections))


def run_clean(command: list[str], folder: Path, **variables: str) -> str:
    """Run a command with nothing of this process's Ansible or Python settings; it must succeed."""
    ours = ("ANSIBLE_", "PYTHONPATH", "MAILROOM_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | variables
    done = subprocess.run(
        command,
        cwd=folder,
        env={**env, "ANSIBLE_NOCOLOR": "1"},
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build_and_install(folder: Path) -> Installed:
    """Build the tarball from the tree as it is, and install it into an empty path, both in a folder of the test."""
    galaxy = own_program("ansible-galaxy")
    run_clean([galaxy, "collection", "build", str(REPOSITORY), "--output-path", str(folder)], folder)
    (tarball,) = folder.glob("mailroom-erp-*.tar.gz")
    collections = folder / "collections"
    run_clean([galaxy, "collection", "install", str(tarball), "-p", str(collections), "--offline"], folder)
    return Installed(tarball, collections)


def changed(output: str) -> dict[str, int]:
    """How many tasks changed something, per host, from the recap of a run."""
    recap = output.rpartition("PLAY RECAP")[2]
    return {host: int(count) for host, count in re.findall(r"^(\S+)\s+:.*changed=(\d+)", recap, re.MULTILINE)}

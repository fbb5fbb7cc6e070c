# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command in a network, mount and process namespace of its own, in which 192.0.2.0/24 is on ``lo``.

    namespace.py python -m pytest tests/receiver

Name servers, mail servers and filters may take their real ports in there. Nothing of the machine changes: the file
behind /etc/resolv.conf is covered by one that names 127.0.0.1, the system's log socket by an empty file, and what the
programs write goes to a memory file system (MAILROOM_RECEIVER_FOLDER). All of it, every process too, ends with the
command, or with this program however it ends; when it is killed, an empty folder in /tmp stays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER_VARIABLE = "MAILROOM_RECEIVER_FOLDER"
"""The environment variable that names the private folder; nobody but this program sets it."""

# --pdeathsig: dies with us; --kill-child: everything in the namespace dies with it
_ENTER = ["setpriv", "--pdeathsig", "KILL", "--"]
_UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
_RESOLV_CONF, _LOG_SOCKET = Path("/etc/resolv.conf"), Path("/dev/log")
_INSIDE = "--inside"


def folder() -> Path:
    """The private folder of the namespace that we are in.

    :raises RuntimeError: we are in none
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if not named:
        raise RuntimeError("these tests need a network of their own: start them by `make receiver`")
    return Path(named)


def run_apart(command: list[str]) -> int:
    """Run a command in new namespaces.

    :returns: its exit code
    """
    # The postfix user must be able to walk to it: not below a home, nor in a TMPDIR that is somebody's own.
    with tempfile.TemporaryDirectory(prefix="mailroom-receiver-", dir="/tmp") as place:
        environment = {**os.environ, FOLDER_VARIABLE: place}
        inside = [sys.executable, str(Path(__file__).resolve()), _INSIDE, *command]
        return subprocess.run([*_ENTER, *_UNSHARE, *inside], env=environment, check=False).returncode


def furnish(place: Path) -> None:
    """Make the namespace, which we are in, a small world: memory for files, addresses, a resolver."""
    _do("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(place))
    (place / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
    (place / "nothing").touch()
    (place / "tmp").mkdir()
    (place / "tmp").chmod(0o1777)
    _do("mount", "--bind", str(place / "resolv.conf"), str(_RESOLV_CONF.resolve(strict=True)))
    if _LOG_SOCKET.exists():
        _do("mount", "--bind", str(place / "nothing"), str(_LOG_SOCKET.resolve()))
    # On lo, an address with its network makes every address of the network ours.
    _do("ip", "address", "add", "192.0.2.1/24", "dev", "lo")
    _do("ip", "link", "set", "lo", "up")


def _do(*command: str) -> None:
    subprocess.run(command, check=True)


def main(arguments: list[str]) -> int:
    """Do what the command line says.

    :returns: the exit code
    """
    if arguments[:1] == [_INSIDE]:
        furnish(folder())
        os.environ["TMPDIR"] = str(folder() / "tmp")
        os.execvp(arguments[1], arguments[1:])
    if os.geteuid() != 0:
        print("namespace.py: needs root, for its own network and because Postfix changes users", file=sys.stderr)
        return 1
    return run_apart(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

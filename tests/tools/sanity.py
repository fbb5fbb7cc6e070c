# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` on the tree as it is now, with the ansible-core of the Python that runs this file.

ansible-test wants the collection at ansible_collections/<namespace>/<name> inside a git repository. A checkout may
have any name, so the files that git knows, and new ones that it does not ignore, are copied to such a place first.
"""

from __future__ import annotations

import ensurepip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ansible_test

REPOSITORY = Path(__file__).resolve().parents[2]

# ansible-test calls it with the arguments of get-pip.py, of which pip itself does not know the last two kinds.
_GET_PIP = """\
import sys
sys.path.insert(0, {wheel!r})
from pip._internal.cli.main import main
sys.exit(main(["install", "--ignore-installed", *[a for a in sys.argv[1:] if not a.startswith("--no-")]]))
"""


def tracked(repository: Path) -> list[str]:
    """List the files of a work tree that git tracks or would add, as paths relative to it."""
    command = ["git", "-C", str(repository), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listed.split("\0") if name and (repository / name).is_file()})


def copy_tree(repository: Path, root: Path) -> Path:
    """Make a git repository with the collection at the path that ansible-test wants.

    :param repository: the work tree
    :param root: a folder that may be emptied
    :returns: the folder of the collection below ``root``
    """
    shutil.rmtree(root, ignore_errors=True)
    collection = root / "ansible_collections" / "mailroom" / "erp"
    for name in tracked(repository):
        (collection / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(repository / name, collection / name)
    subprocess.run(["git", "init", "--quiet", str(collection)], check=True)
    subprocess.run(["git", "-C", str(collection), "add", "--all"], check=True)
    return collection


def offer_pip(home: Path) -> None:
    """Put an installer of pip where ansible-test caches the one it would download from its own site.

    Python brings a pip of its own, which fetches the wanted version by the user's ordinary pip configuration.

    :param home: the home folder that ansible-test will be given
    """
    source = (Path(ansible_test.__file__).parent / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    version = re.search(r"pip='([0-9.]+)'", source)
    if version:
        cache = home / ".ansible" / "test" / "cache" / f"get_pip_{version[1].replace('.', '_')}.py"
        cache.parent.mkdir(parents=True, exist_ok=True)
        wheel = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
        cache.write_text(_GET_PIP.format(wheel=str(wheel)), encoding="utf-8")


def environment(home: Path) -> dict[str, str]:
    """The variables for ansible-test: a home of its own, real interpreters first, pip as the user has set it up."""
    real = Path.home()
    configs = [Path(sys.prefix) / "pip.conf", real / ".config" / "pip" / "pip.conf", real / ".pip" / "pip.conf"]
    own = next((str(path) for path in configs if path.is_file()), os.devnull)
    interpreters = str(Path(sys.base_prefix) / "bin")
    drop = ("ANSIBLE_", "PYTHONPATH", "MAILROOM_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(drop)},
        "HOME": str(home),
        "PATH": os.pathsep.join([interpreters, str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PIP_QUIET": "2",
        "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", own),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(real / ".cache" / "pip")),
    }


def main(arguments: list[str]) -> int:
    """Copy the tree and run the sanity tests on the copy.

    :param arguments: more arguments for ``ansible-test sanity``, e.g. ``--test pep8``
    :returns: the exit status of ansible-test
    """
    workspace = Path(sys.prefix).resolve() / "sanity"
    home = workspace / "home"
    offer_pip(home)
    collection = copy_tree(REPOSITORY, workspace / "tree")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    test = str(Path(sys.executable).with_name("ansible-test"))
    command = [test, "sanity", "--venv", "--python", version, "--color", "no", *arguments]
    return subprocess.run(
        command, cwd=collection, env=environment(home), stdin=subprocess.DEVNULL, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

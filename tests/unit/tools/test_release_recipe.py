# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipe of CONTRIBUTING.md makes a release, up to the last step before the upload."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
STAMPS = ("python.stamp", "demo.stamp", "test.stamp")


def recipe() -> str:
    """The first block of commands under "Make a release"; no command of it leaves this machine."""
    page = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Make a release\n")[2]
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2 and "push" not in blocks[0] and "publish" in blocks[1]
    return str(blocks[0])


def clone(folder: Path) -> Path:
    """A clone of the last commit whose virtual environment is the one that runs the tests, and is up to date."""
    made = folder / "erp"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(made)], check=True)
    venv = made / ".venv"
    venv.mkdir()
    (venv / "bin").symlink_to(Path(sys.executable).parent)
    for stamp in STAMPS:
        (venv / stamp).touch()
    return made


def artifacts_named(tree: Path) -> set[str]:
    """The artifacts that pages and examples tell people to install."""
    files = [
        tree / "README.md",
        *(file for top in ("docs", "examples") for file in (tree / top).rglob("*.*") if file.is_file()),
    ]
    texts = (file.read_text(encoding="utf-8") for file in files)
    return {name for text in texts for name in re.findall(r"mailroom-erp-[0-9.]*[0-9]", text)}


def test_pages_name_the_artifact_of_this_version() -> None:
    version = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert artifacts_named(REPOSITORY) == {f"mailroom-erp-{version}"}


@pytest.mark.slow
def test_the_recipe_ends_with_an_artifact_of_the_tagged_commit(tmp_path: Path) -> None:
    made = clone(tmp_path)
    fragments = len(list((made / "changelogs" / "fragments").glob("*.yml")))
    assert fragments, "a clone of a release has nothing to release"
    identity = {
        f"GIT_{who}_{what}": f"{who}@acme.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH", "MAKE"))
    }
    done = subprocess.run(
        ["bash", "-euxc", recipe()],
        cwd=made,
        env=clean | identity,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (version,) = re.findall(r"^version=(\S+)$", recipe(), re.MULTILINE)
    (artifact,) = (made / "build" / "artifact").glob("*.tar.gz")
    assert artifacts_named(made) == {f"mailroom-erp-{version}"}
    assert artifact.name == f"mailroom-erp-{version}.tar.gz" and f"{artifact.name}: OK" in done.stdout
    with tarfile.open(artifact) as archive:
        member = archive.extractfile("changelogs/changelog.yaml")
        assert member is not None
        changelog = yaml.safe_load(member.read())
        names = archive.getnames()
    assert len(changelog["releases"][version]["fragments"]) == fragments
    assert [name for name in names if name.startswith("changelogs/fragments/")] == []
    tagged = ["git", "diff", "--stat", version, "HEAD"]
    assert subprocess.run(tagged, cwd=made, check=True, capture_output=True, text=True).stdout == ""

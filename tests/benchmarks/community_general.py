# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gets the collection community.general, to compare with: out of the wheel of the package ``ansible``, by pip.

Run as a program: ``community_general.py <folder>``. The wheel holds a hundred collections; this unpacks the one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
_PART = "ansible_collections/community/general/"


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "-d", download, "-r", str(REQUIREMENTS)], check=True)
        (wheel,) = Path(download).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(_PART)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))

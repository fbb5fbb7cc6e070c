# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads reports with parsedmarc, in a process of the Python that has it; imports nothing of this collection.

Usage: parsedmarc_side.py parse FILE ...     prints a JSON list: for each file what parsedmarc makes of it, or null
       parsedmarc_side.py time FOLDER        prints a JSON object: seconds of the processor, reports, peak memory in MiB
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def parsed(file: str) -> Any:
    """What parsedmarc makes of a file without asking anybody; None when it makes nothing of it."""
    import parsedmarc

    try:
        return parsedmarc.parse_report_file(file, offline=True)["report"]
    except parsedmarc.ParserError:
        return None


def timed(folder: str) -> dict[str, Any]:
    """Read all files of a folder, the first of them once before, so that what is loaded on first use does not count."""
    files = sorted(map(str, Path(folder).iterdir()))
    parsed(files[0])
    start = time.process_time()
    reports = sum(parsed(file) is not None for file in files)
    used = time.process_time() - start
    (peak,) = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    return {"seconds": used, "reports": reports, "memory": int(peak) / 1024}


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[2]) if sys.argv[1] == "time" else [parsed(file) for file in sys.argv[2:]]))

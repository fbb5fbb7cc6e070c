# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conformance suite of RFC 7208, as it stands in the source distribution of pyspf: fetched by pip, never committed.

The archive is pinned by its hash and kept below ``.venv``, so that a second run needs no network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.policy.lookup import Unresolved

VERSION = "2.0.14"
SHA256 = "57a7ef01bda090173aafb6af0106251686ed73f03db4e911fcd34c57fc347186"
ARCHIVE = f"pyspf-{VERSION}.tar.gz"
MEMBER = f"pyspf-{VERSION}/test/rfc7208-tests.yml"
CACHE = Path(__file__).resolve().parents[2] / ".venv" / "cache"
_MOST_ALIASES = 16


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the message, the accepted results, and the explanation where the suite names one.

    ``explanation`` "DEFAULT" means that there is none.
    """

    name: str
    zone: Zone
    host: str
    mailfrom: str
    helo: str
    results: tuple[str, ...]
    explanation: str | None


class Zone:
    """The answers of one scenario, as a ``Lookup``; TXT is made of the SPF entries where a name has no TXT entry."""

    def __init__(self, data: Mapping[str, list[Any]]) -> None:
        self._entries = {name.lower(): list(_entries(values)) for name, values in data.items()}

    def __call__(self, name: str, rdtype: str) -> tuple[str, ...]:
        seen: list[str] = []
        while name not in seen and len(seen) < _MOST_ALIASES:
            seen.append(name)
            entries = self._entries.get(name, [])
            alias = next((value for kind, value in entries if kind == "CNAME"), None)
            if alias is None:
                return _answer(entries, name, rdtype)
            name = alias.lower().removesuffix(".")
        raise Unresolved(f"the CNAMEs of {name} loop")


def load() -> list[Case]:
    """All cases, in the suite's order.

    :raises RuntimeError: pip could not fetch the archive, or it is not the pinned one
    """
    with tarfile.open(archive()) as archived:
        member = archived.extractfile(MEMBER)
        if member is None:
            raise RuntimeError(f"{ARCHIVE} holds no {MEMBER}")
        return [case for scenario in yaml.safe_load_all(member.read()) for case in _cases(scenario)]


def archive(cache: Path = CACHE) -> Path:
    """The archive, fetched unless it is in the cache already.

    :raises RuntimeError: see :func:`load`
    """
    wanted = cache / ARCHIVE
    if not wanted.is_file() or _sha256(wanted) != SHA256:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            # Several test processes may be at it: each renames a whole file.
            os.replace(_download(Path(folder)), wanted)
    return wanted


def _download(folder: Path) -> Path:
    requirement = folder / "requirement.txt"
    requirement.write_text(f"pyspf=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
    options = ["--no-deps", "--no-binary", "pyspf", "--require-hashes", "-r", str(requirement), "-d", str(folder)]
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    archived = folder / ARCHIVE
    if done.returncode or not archived.is_file() or _sha256(archived) != SHA256:
        raise RuntimeError(f"pip could not fetch {ARCHIVE}:\n{done.stdout}{done.stderr}")
    return archived


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _cases(scenario: Mapping[str, Any]) -> Iterator[Case]:
    zone = Zone(scenario["zonedata"])
    for name, test in scenario["tests"].items():
        results = test["result"]
        yield Case(
            f"{scenario['description']}/{name}",
            zone,
            test["host"],
            test["mailfrom"],
            test["helo"],
            tuple([results] if isinstance(results, str) else results),
            test.get("explanation"),
        )


def _entries(values: list[Any]) -> Iterator[tuple[str, Any]]:
    """(type, value) of each entry; a name that does not answer at all has ("TIMEOUT", None)."""
    has_txt = any("TXT" in value for value in values if isinstance(value, dict))
    for value in values:
        if not isinstance(value, dict):
            yield str(value), None
            continue
        for kind, data in value.items():
            if kind != "SPF" and data != "NONE":
                yield kind, data
            elif kind == "SPF" and not has_txt:
                yield "TXT", data


def _answer(entries: list[tuple[str, Any]], name: str, rdtype: str) -> tuple[str, ...]:
    found = [value for kind, value in entries if kind == rdtype]
    if not found and (name.startswith("error.") or ("TIMEOUT", None) in entries):
        raise Unresolved("no answer")
    if rdtype == "TXT":
        return tuple(_text(value) for value in found)
    if rdtype == "MX":
        return tuple(host.lower() for _preference, host in sorted(found))
    return tuple(value.lower().removesuffix(".") for value in found)


def _text(value: str | list[str]) -> str:
    joined = value if isinstance(value, str) else "".join(value)
    return joined.encode().decode("utf-8", "surrogateescape")

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes back of odd zones: written down by a tool from one BIND, then compared with it again, by kind of oddness.

Ours is adopt and what ``site`` would change then. octoDNS is dump and a dry run of sync, once as it is and once lenient
in both. named-compilezone and ldns-read-zone write the zone as text; they know records and no provider. A tool that is
not installed is left out. It measures no time and judges nothing: it prints the table of docs/adopt.md.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import logging
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import dns.exception
import dns.query
import dns.tsigkeyring
import dns.xfr
import dns.zone
from ansible_collections.mailroom.erp.tests.servers.bind import Bind
from ansible_collections.mailroom.erp.tests.servers.dns_sockets import ADDRESS
from ansible_collections.mailroom.erp.tests.servers.odd_zones import odd_zones
from ansible_collections.mailroom.erp.tests.servers.server import KEY_NAME, KEY_SECRET
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.adopted import adopted, site_changes

Outcome = Literal["unchanged", "changed", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("unchanged", "changed", "refused")
Outcomes = Mapping[str, Outcome]
Side = Callable[[Bind, Path], Outcomes]

KINDS: Mapping[str, str] = {
    "an escaped semicolon": r"\\;",
    "a text in several strings": r'" "',
    "a wildcard": r"^\*",
    "a chain of aliases": r"^hop1|^chain2",
    "a name that is delegated away": r"^(_dmarc|moved\S*|deep) (\d+ )?NS ",
    "two SPF records": r'(?s)"v=spf1 mx ~all".*"v=spf1 include:_spf.google.com ~all"',
    "an include of a name that is not there": r"include:dead-",
    "an international name": r"xn--",
    "RRsets with a TTL of their own": r"^\S+ (60|300|86400) ",
    "bytes that are no ASCII": r"\\195",
    "what looks like a template": r"\{\{",
    "unknown tags or modifiers": r"foo=bar|unknown=modifier|x=y|; =x",
}
"""Each kind of oddness, and what tells it in a master file."""


def ours(server: Bind, folder: Path) -> Outcomes:
    """Adopt all zones, and plan as ``site`` does."""
    adoption = adopted(folder / "ours", server.zones, server.dns_option, server.resolver_option)
    told = site_changes(folder / "ours", server.dns_option, server.resolver_option)
    found: dict[str, Outcome] = {}
    for zone in server.zones:
        own = [one for one in told if one.startswith((f"{zone}:", f"{zone} "))]
        refused = zone in adoption.unread or any("would change" not in one for one in own)
        found[zone] = "refused" if refused else "changed" if own else "unchanged"
    return found


def octodns(server: Bind, folder: Path, lenient: bool) -> Outcomes:
    """Dump each zone, and sync it back dry."""
    from octodns.manager import Manager

    logging.disable(logging.CRITICAL)
    place = folder / f"octodns-{lenient}"
    place.mkdir()
    account = {"host": ADDRESS, "port": server.port, "key_name": KEY_NAME, "key_secret": KEY_SECRET}
    zone = {"sources": ["files"], "targets": ["bind"], "lenient": lenient}
    providers = {
        "bind": {"class": "octodns_bind.Rfc2136Provider", **account, "key_algorithm": "hmac-sha256"},
        "files": {"class": "octodns.provider.yaml.YamlProvider", "directory": str(place)},
    }

    def outcome(name: str) -> Outcome:
        (folder / "octodns.json").write_text(json.dumps({"providers": providers, "zones": {f"{name}.": zone}}))
        try:
            manager = Manager(str(folder / "octodns.json"))
            manager.dump(f"{name}.", str(place), ["bind"], lenient=lenient)
            with open("/dev/null", "w") as nowhere:
                changes = manager.sync([f"{name}."], dry_run=True, force=True, plan_output_fh=nowhere)
        except Exception:
            # a tool may refuse by any exception, its own and those of its libraries
            return "refused"
        return "changed" if changes else "unchanged"

    return {name: outcome(name) for name in server.zones}


def as_text(command: Callable[[str, Path, Path], list[str]]) -> Side:
    """Let a program read each master file and write it, and compare that with what the server has.

    :param command: of a zone, the file to read and the one to write, standard output unless it is named
    """

    def side(server: Bind, folder: Path) -> Outcomes:
        found: dict[str, Outcome] = {}
        for name, text in server.zones.items():
            source, target = folder / "read.zone", folder / "written.zone"
            source.write_text(text)
            target.unlink(missing_ok=True)
            run = subprocess.run(command(name, source, target), capture_output=True, text=True, check=False)
            written = target.read_text() if target.exists() else run.stdout
            with contextlib.suppress(dns.exception.DNSException, ValueError):
                parsed = dns.zone.from_text(written, f"{name}.", relativize=False)
                same = run.returncode == 0 and _records(parsed) == _served(server, name)
                found[name] = "refused" if run.returncode else "unchanged" if same else "changed"
            found.setdefault(name, "refused")
        return found

    return side


def _records(zone: dns.zone.Zone) -> set[tuple[Any, ...]]:
    return set(zone.iterate_rdatas())


def _served(server: Bind, zone: str) -> set[tuple[Any, ...]]:
    found = dns.zone.Zone(f"{zone}.", relativize=False)
    keyring = dns.tsigkeyring.from_text({KEY_NAME: KEY_SECRET})
    query, _serial = dns.xfr.make_query(found, keyring=keyring)
    dns.query.inbound_xfr(ADDRESS, found, query, port=server.port)
    return _records(found)


def _compilezone(zone: str, source: Path, target: Path) -> list[str]:
    return ["named-compilezone", "-q", "-i", "local", "-o", str(target), zone, str(source)]


def _ldns(_zone: str, source: Path, _target: Path) -> list[str]:
    return ["ldns-read-zone", str(source)]


def _version(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", run.stdout + run.stderr)
    return found[0] if found else "?"


def sides() -> dict[str, Side]:
    """The tools that are here, by what they are called in the table."""
    dns_tool = f"octoDNS {importlib.metadata.version('octodns')}"
    found: dict[str, Side] = {
        "adopt": ours,
        dns_tool: lambda server, folder: octodns(server, folder, False),
        f"{dns_tool}, lenient": lambda server, folder: octodns(server, folder, True),
    }
    if shutil.which("named-compilezone"):
        found[f"named-compilezone {_version(['named-compilezone', '-v'])}"] = as_text(_compilezone)
    if shutil.which("ldns-read-zone"):
        found[f"ldns-read-zone {_version(['ldns-read-zone', '-v'])}"] = as_text(_ldns)
    return found


def table(zones: Mapping[str, str], outcomes: Mapping[str, Outcomes]) -> Iterable[str]:
    """The table in Markdown: of each kind how many zones come back unchanged, would change, are refused."""
    yield f"| zones with | zones | {' | '.join(outcomes)} |"
    yield f"| --- | --- | {' | '.join('---' for _side in outcomes)} |"
    rows = {kind: [name for name, text in zones.items() if re.search(sign, text, re.M)] for kind, sign in KINDS.items()}
    for kind, names in {**rows, "all": list(zones)}.items():
        counts = [Counter(found[name] for name in names) for found in outcomes.values()]
        cells = (" / ".join(str(count[outcome]) for outcome in OUTCOMES) for count in counts)
        yield f"| {kind} | {len(names)} | {' | '.join(cells)} |"


def main() -> None:
    """Run all tools and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zones", type=int, default=500)
    options = parser.parse_args()
    zones = odd_zones(options.zones)
    with Bind(zones) as server, tempfile.TemporaryDirectory() as name:
        outcomes = {called: side(server, Path(name)) for called, side in sides().items()}
    print("\n".join(table(zones, outcomes)))


if __name__ == "__main__":
    main()

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit to compare with: a bare dnspython script without any guard, 4 queries and at most 1 UPDATE per zone.

Run as a program: ``bare_script.py <file>``, a JSON file with ``server``, ``port``, ``key`` (name and secret),
``signed`` (whether queries are, too) and ``zones``: apex to [[owner name, type, value], ...].
It prints how many zones it changed.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

THREADS = 16
TIMEOUT = 5.0


def bring(job: dict[str, Any], key: dns.tsig.Key, zone: str) -> bool:
    """Ask for the records of one zone, and add those that are missing; whether it did."""
    missing = []
    for name, rdtype, value in job["zones"][zone]:
        question = dns.message.make_query(name, rdtype)
        if job["signed"]:
            question.use_tsig(key)
        answer = dns.query.udp(question, job["server"], TIMEOUT, job["port"])
        if value not in [rdata.to_text() for rrset in answer.answer for rdata in rrset]:
            missing.append((name, rdtype, value))
    if missing:
        update = dns.update.UpdateMessage(zone, keyring=key)
        for name, rdtype, value in missing:
            update.add(dns.name.from_text(name), 3600, rdtype, value)
        answer = dns.query.tcp(update, job["server"], TIMEOUT, job["port"])
        if answer.rcode() != dns.rcode.NOERROR:
            raise SystemExit(f"{zone}: {answer.to_text()}")
    return bool(missing)


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    name, secret = job["key"]
    key = dns.tsig.Key(name, secret, dns.tsig.HMAC_SHA256)
    with ThreadPoolExecutor(THREADS) as pool:
        changed = list(pool.map(lambda zone: bring(job, key, zone), job["zones"]))
    print(f"changed={sum(changed)}")


if __name__ == "__main__":
    main()

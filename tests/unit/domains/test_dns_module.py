# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module of DNS loads at its start, and that what it returns can be sent, whatever bytes the DNS holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import in_text, sendable


def test_bytes_that_are_no_text_are_escaped_and_all_else_stays() -> None:
    foreign = b"v=DMARC1; x=caf\xc3\xa9 \xff".decode("utf-8", "surrogateescape")
    result = {"values": (foreign, "plain"), "deep": [{"text": foreign}], "count": 3, "none": None, "flag": True}
    sent = sendable(result)
    json.dumps(sent, ensure_ascii=False).encode("utf-8")
    escaped = "v=DMARC1; x=café \\xff"
    assert sendable(f"zo\ud800nes {foreign}").startswith("zo\\ud800nes v=DMARC1; x=caf")
    assert sent == {"values": [escaped, "plain"], "deep": [{"text": escaped}], "count": 3, "none": None, "flag": True}


def test_a_text_holds_all_that_no_task_asks_for_by_itself() -> None:
    result = {"changed": True, "failures": [], "verdicts": {"after": [{"reason": "caf\u00e9"}]}, "domains": [1]}
    told = in_text(result, {"domains": [{"domain": "acme.example"}], "ttl": 300}, {"s3cret", ""})
    assert json.loads(told.pop("text")) == {"verdicts": result["verdicts"], "domains": [1]}
    assert told == {"changed": True, "failures": [], "invocation": {"module_args": {"ttl": 300}}}


@pytest.mark.parametrize("secret", ["none", 'a "quoted" caf\u00e9', "verdicts", '": '])
def test_what_holds_a_secret_is_in_no_text_because_a_mask_would_break_it(secret: str) -> None:
    result = {"changed": True, "verdicts": ["SPF is none", 'it says a "quoted" caf\u00e9']}
    assert in_text(result, {"domains": []}, {"s3cret", secret}) == result


def src(**changed: Any) -> dict[str, Any]:
    """The content of a file ``src`` of ``mail_domains``."""
    entry = {"domain": "acme.example", "spf": {"terms": ["ip4:192.0.2.1"]}}
    return {"dns": {"provider": "zonefile", "path": "zones"}, "domains": [entry], **changed}


@pytest.mark.parametrize(
    "content",
    [
        src(dns={"provider": "zonefile", "path": "zo\ud800nes"}),
        src(dns={"provider": "zonefile", "path\ud800": "zones"}),
        src(dns={"provider": "rfc2136", "server": "127.0.0.1\ud800"}),
        src(domains=[{"domain": "acme\ud800.example", "spf": {"terms": ["a"]}}]),
        src(domains=[{"domain": "acme.example", "spf": {"terms": ["ip4:192.0.2.1\ud800"]}}]),
        src(domains=[{"domain": "acme.example", "dmarc": {"policy": "none", "rua": ["x\ud800@acme.example"]}}]),
        src(domains=[{"domain": "acme.example", "dkim": [{"selector": "x", "target": "x.\ud800.example"}]}]),
        src(senders=[{"from": "e\ud800@acme.example", "sources": ["192.0.2.1"]}]),
        src(senders=[{"from": "e@acme.example", "sources": ["192.0.2.1\ud800"]}]),
    ],
)
def test_half_a_surrogate_pair_in_a_file_is_refused_in_words(tmp_path: Path, content: dict[str, Any]) -> None:
    (tmp_path / "src.json").write_text(json.dumps(content))
    arguments = {"ANSIBLE_MODULE_ARGS": {"src": str(tmp_path / "src.json"), "snapshot_dir": str(tmp_path)}}
    command = [sys.executable, "-m", "ansible_collections.mailroom.erp.plugins.modules.mail_domains"]
    ended = subprocess.run(
        command, input=json.dumps(arguments), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.stderr == ""
    told = json.loads(ended.stdout)
    assert told["failed"] and told["msg"] and not told.get("changed"), told


def test_a_module_starts_without_what_only_some_questions_need() -> None:
    """dnspython's queries load TLS, and HTTPS where libraries for it are installed: a third of a module's start."""
    program = (
        "import sys\n"
        "from ansible_collections.mailroom.erp.plugins.module_utils.domains import dns_module\n"
        "sys.exit(bool({'dns.query', 'dns.resolver', 'ssl', 'requests', 'yaml'} & set(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

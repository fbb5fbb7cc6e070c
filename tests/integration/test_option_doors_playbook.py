# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret in a wrong place is shown by no DNS module: not in the output, a result, its ``invocation`` or the log."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.playbook import SHOW, keep, module_task, run_play

CANARY = "canary-7f3a9c1e5b"
SERVER = {"provider": "rfc2136", "server": "127.0.0.1", "port": 1, "key_name": "k.", "key_secret": CANARY}
SPF = {"spf": {"terms": ["a"]}}
ACME = {"domain": "acme.example"}
TASKS: list[tuple[str, dict[str, Any], str]] = [
    ("spf_record", {**ACME, "key_secret": CANARY}, "it belongs into dns: dns.key_secret"),
    ("dkim_record", {**ACME, "api_token": CANARY}, "it belongs into dns: dns.api_token"),
    ("dmarc_record", {**ACME, "dsn": {"key_secret": CANARY}}, "no such option: dsn; did you mean dns?"),
    ("mail_records_restore", {"snapshot": "/s", "accounts": [{**SERVER, "token": CANARY}]}, "accounts[0]: dns.token"),
    ("mail_auth_info", {"senders": [{"from": "a@acme.example", "password": CANARY}]}, "senders[0].password"),
    ("mail_auth_info", {"domains": ["acme.example"], "resolver": {"key": CANARY}}, "resolver.key"),
    ("mail_domains", {"domains": [{**ACME, "api_token": CANARY}], **SPF}, "acme.example: there is no such option"),
    ("mail_domains", {"domains": ["acme.example"], "dkim": [{"private_key": CANARY}]}, "dkim[0].private_key"),
    ("mail_domains", {"domains": ["acme.example"], "dkim": {"private_key": CANARY}}, "dkim must be a list"),
    ("mail_domains", {"domains": {"acme.example": {"dns": SERVER}}, **SPF}, "domains must be a list"),
    ("mail_domains", {"domains": [[{**ACME, "dns": SERVER}]], **SPF}, "domains[0] must be the name"),
    ("mail_domains", {"domains": json.dumps({"acme.example": SERVER}) + " ", **SPF}, "domains must be a list"),
    ("mail_domains", {"domains": ["acme.example"], "dns": {**SERVER, "port": CANARY}, **SPF}, "dns.port must be"),
]
FILES: list[tuple[dict[str, Any], str]] = [
    ({"domains": ["acme.example"], "dns": {**SERVER, "port": f"53{CANARY}"}}, "dns.port must be a whole number"),
    ({"domains": ["acme.example"], "dns": {**SERVER, "timeout": CANARY}}, "dns.timeout must be a number"),
    ({"domains": ["acme.example"], "dns": {**SERVER, "key_algorithm": CANARY}}, "value of dns.key_algorithm"),
    ({"domains": [{**ACME, "api_token": CANARY}]}, "acme.example: options: there is no such option: api_token"),
    ({"domains": [{**ACME, "spf": {"all": CANARY}}]}, "value of spf.all must be one of"),
]

# in the place of the module that writes to the log of the system: each line also lands in a file
LOG = """\
import os
import syslog as real

_write = real.syslog


def _kept(*words):
    with open(os.environ["KEPT_LOG"], "a", encoding="utf-8") as file:
        file.write(" ".join(map(str, words)) + "\\n")


real.syslog = _kept
"""


@pytest.fixture(params=["local", pytest.param("packed", marks=pytest.mark.slow)])
def python(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The Python that runs modules: Ansible's own, so that they run from their files, or the same by another name."""
    if request.param == "local":
        return sys.executable
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def test_a_secret_in_a_wrong_place_is_nowhere_shown(tmp_path: Path, python: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(LOG)
    log = tmp_path / "log"
    told = [*(words for _module, _options, words in TASKS), *(words for _content, words in FILES)]
    tasks: list[dict[str, Any]] = []
    variables: dict[str, Any] = {}
    for number, (module, options, _words) in enumerate(TASKS):
        variables |= {f"canary{number}_{name}": value for name, value in options.items()}
        tasks.append(module_task(module, **{name: f"{{{{ canary{number}_{name} }}}}" for name in options}))
    for number, (content, _words) in enumerate(FILES):
        source = tmp_path / f"estate{number}.yml"
        source.write_text(yaml.safe_dump(content))
        tasks.append(module_task("mail_domains", src=str(source), **SPF))
    # one good start, so that the log is known to be kept
    tasks.append(module_task("spf_record", domain="acme.example", dns={"provider": "zonefile", "path": "/none"}))
    (tmp_path / "canary.json").write_text(json.dumps(variables))
    several = [one for task in tasks for one in ({**task, "ignore_errors": True}, SHOW)]
    for number in range(len(tasks)):
        several.insert(3 * number + 2, keep("done", tmp_path / f"result{number}.json"))
    result = run_play(
        tmp_path,
        several,
        "-vvvv",
        "--diff",
        "-e",
        f"@{tmp_path / 'canary.json'}",
        vars={"ansible_python_interpreter": python},
        environment={"PYTHONPATH": str(tmp_path / "site"), "KEPT_LOG": str(log)},
    )
    assert result.rc == 0, result.output
    results = [json.loads((tmp_path / f"result{number}.json").read_text()) for number in range(len(tasks))]
    for one, words in zip(results[:-1], told, strict=True):
        assert one["failed"] and words in one["msg"], (words, one)
    assert CANARY not in json.dumps(results)
    assert CANARY not in result.unbroken and "Traceback" not in result.output
    assert ("from its files" in result.flat) is (python == sys.executable)
    assert "spf_record" in log.read_text() and CANARY not in log.read_text()

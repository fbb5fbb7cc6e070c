# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of docs/verify.md for schedulers: each is read by what will read it, or by its rules."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[4]
TEXT = (REPOSITORY / "docs" / "verify.md").read_text(encoding="utf-8")
PLAYBOOK = "mailroom.erp.verify"
_CRON = re.compile(r"(\d+|\*) (\d+|\*) \* \* \* (?:(?P<user>[a-z]+) )?(?P<command>.*)")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def is_the_command(text: str) -> bool:
    """Whether a command runs the playbook that there is, with options that ansible-playbook knows."""
    words = shlex.split(text, comments=False)
    start = words.index("ansible-playbook")
    assert (REPOSITORY / "playbooks" / f"{PLAYBOOK.rpartition('.')[2]}.yml").is_file()
    return words[start + 1 : start + 3] == ["-i", "inventory.yml"] and words[-1] == PLAYBOOK


def test_cron() -> None:
    (text,) = blocks("cron")
    mail_to, line = text.splitlines()
    found = _CRON.fullmatch(line)
    assert mail_to.startswith("MAILTO=") and found is not None
    assert found["user"] == "ansible" and is_the_command(found["command"].partition("&& ")[2])
    assert "%" not in line, "cron ends a command there"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd(tmp_path: Path) -> None:
    files = []
    for text in blocks("ini"):
        file = tmp_path / text.splitlines()[0].removeprefix("# ")
        file.write_text(text, encoding="utf-8")
        files.append(str(file))
    assert [Path(one).name for one in files] == ["mailroom-verify.service", "mailroom-verify.timer"]
    command = ["systemd-analyze", "verify", "--man=no", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    own = [line for line in done.stderr.splitlines() if "mailroom-verify" in line]
    assert (done.returncode, own) == (0, []), done.stderr
    assert is_the_command(re.findall("^ExecStart=(.*)$", blocks("ini")[0], re.MULTILINE)[0])


def test_the_continuous_integration_of_gitlab_and_github() -> None:
    gitlab, github, _awx = (yaml.safe_load(text) for text in blocks("yaml"))
    assert is_the_command(gitlab["verify"]["script"][0])
    assert gitlab["verify"]["cache"]["when"] == "always", "a run that fails has a report, too"
    # YAML 1.1 reads the key as true
    times: Any = github.get("on", github.get(True))
    (steps,) = [job["steps"] for job in github["jobs"].values()]
    assert _CRON.fullmatch(f"{times['schedule'][0]['cron']} x") and is_the_command(steps[1]["run"])
    assert steps[0]["with"]["clean"] is False, "the last report must stay"


def test_awx() -> None:
    (play,) = yaml.safe_load(blocks("yaml")[2])
    rule = play["tasks"][1]["awx.awx.schedule"]["rrule"]
    # RFC 5545 section 3.3.10, in the one line that AWX takes
    assert re.fullmatch(r"DTSTART:\d{8}T031500Z RRULE:FREQ=DAILY;INTERVAL=1", rule)

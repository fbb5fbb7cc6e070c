# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role erp_mail_file: settings in the file of an ERP, written as a user has it done; no secret is ever shown."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.config_file.ini_edit import WRITTEN_MARK
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook

SECRET = "canary %7f/3a:9c@1e+#?"
QUOTED = "canary%20%257f%2F3a%3A9c%401e%2B%23%3F"
TEXT = "[database]\r\nuri = postgresql://tryton:other-canary@/\r\n\r\n; by hand\r\n[email]\r\nretry = 3\r\n"
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  roles: [mailroom.erp.erp_mail_file]
"""
TRYTON: dict[str, Any] = {
    "erp_mail_system": "tryton",
    "erp_mail_service": "own_relay",
    "erp_mail_senders": {"environment": "erp@acme.example"},
    "erp_mail_settings": {"host": "mail.acme.example", "port": 587, "security": "smtp+tls", "username": "erp@acme"},
    "erp_mail_spf_terms": ["ip4:192.0.2.10"],
    "erp_mail_password": "{{ vault_secret }}",
    "vault_secret": SECRET,
    "mail_dns_domains": {"acme.example": {}},
}
ODOO: dict[str, Any] = {
    "title": "Odoo",
    "language": "en",
    "sources": {"docs": {"title": "Odoo, command-line interface", "date": "2026-11"}},
    "menu": {"value": "odoo.conf", "source": "docs"},
    "senders": {"environment": {"label": "email_from", "shape": "address", "required": True, "source": "docs"}},
    "transports": {
        "smtp": {
            "label": "SMTP",
            "kinds": ["relay"],
            "source": "docs",
            "fields": [
                {"id": "server", "setting": {"type": "str"}, "format": "host", "fact": "host", "source": "docs"},
                {"id": "port", "setting": {"type": "int"}, "fact": "port", "source": "docs"},
                {
                    "id": "ssl",
                    "setting": {"type": "str", "choices": ["True", "False"]},
                    "fact": "security",
                    "words": {"starttls": "True", "none": "False"},
                    "source": "docs",
                },
                {"id": "user", "setting": {"type": "str"}, "fact": "username", "unset": "omit", "source": "docs"},
                {"id": "password", "secret": "erp_mail_password", "source": "docs"},
                {"id": "from", "sender": "environment", "source": "docs"},
            ],
        }
    },
    "file": {
        "path": {"value": "/etc/odoo/odoo.conf", "source": "docs"},
        "section": "options",
        "keys": [
            {"key": "smtp_server", "field": "server", "source": "docs"},
            {"key": "smtp_port", "field": "port", "source": "docs"},
            {"key": "smtp_ssl", "field": "ssl", "source": "docs"},
            {"key": "smtp_user", "field": "user", "source": "docs"},
            {"key": "smtp_password", "field": "password", "source": "docs"},
            {"key": "email_from", "field": "from", "source": "docs"},
        ],
    },
}


class Erp:
    """A host with a settings file, and runs of the role on it."""

    def __init__(self, folder: Path, packed: bool) -> None:
        self.folder, self.file = folder, folder / "trytond.conf"
        self.file.write_bytes(TEXT.encode())
        self.file.chmod(0o600)
        # another name of the same Python, so that Ansible packs the module as it does for another machine
        python = folder / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        self._host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": str(python) if packed else sys.executable,
            "erp_mail_file_path": str(self.file),
        }

    def run(self, variables: dict[str, Any], *arguments: str) -> Result:
        return self.run_all({"acme_erp": variables}, *arguments)

    def run_all(self, hosts: dict[str, dict[str, Any]], *arguments: str) -> Result:
        """Run the role on hosts that all have the same file, unless they name another."""
        inventory = {"all": {"hosts": {name: {**self._host, **variables} for name, variables in hosts.items()}}}
        done = run_playbook(self.folder, PLAYBOOK, inventory, "--diff", "-vvvv", *arguments)
        assert "canary" not in done.unbroken, "no secret is ever shown"
        return done

    def values(self, section: str) -> dict[str, str]:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.file, encoding="utf-8")
        return dict(parser.items(section))


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.slow)], ids=["from files", "packed"])
def erp(request: pytest.FixtureRequest, tmp_path: Path) -> Erp:
    return Erp(tmp_path, request.param)


def test_the_role_writes_what_is_declared_and_takes_it_away(erp: Erp) -> None:
    looked = erp.run(TRYTON, "--check")
    assert (looked.rc, looked.changed, erp.file.read_bytes()) == (0, 1, TEXT.encode()), looked.output
    done = erp.run(TRYTON)
    assert (done.rc, done.changed, done.diff) == (0, 1, looked.diff), done.output
    shown = "+uri = smtp+tls://erp%40acme:(secret)@mail.acme.example:587"
    assert shown in done.diff and "+from = erp@acme.example" in done.diff
    uri = f"smtp+tls://erp%40acme:{QUOTED}@mail.acme.example:587"
    ours = f"{WRITTEN_MARK}\r\nuri = {uri}\r\n{WRITTEN_MARK}\r\nfrom = erp@acme.example\r\n"
    assert erp.file.read_bytes() == (TEXT + ours).encode()
    again = erp.run(TRYTON)
    assert (again.rc, again.changed) == (0, 0), again.output
    other = erp.run({**TRYTON, "vault_secret": "canary-2"})
    assert other.changed == 1 and "(another secret)" in other.output
    gone = erp.run({**TRYTON, "erp_mail_state": "absent"})
    assert (gone.rc, gone.changed, erp.file.read_bytes()) == (0, 1, TEXT.encode()), gone.output


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "foreign": ("printable ASCII only", {"vault_secret": "canary-é"}),
    "empty": ("it is empty", {"vault_secret": ""}),
    "unreadable": ("its value cannot be read", {"erp_mail_password": "{{ 'canary' | nosuchfilter }}"}),
    "nowhere": ("there is no such file", {"erp_mail_file_path": "/nowhere/none.conf"}),
    "misspelled": ("Did you mean erp_mail_file_path?", {"erp_mail_file_pth": "canary"}),
    "no_user": ("with a password alone it does not sign in", {"erp_mail_settings": {"host": "mail", "port": 25}}),
}


def test_what_cannot_be_written_is_told_and_nothing_is(tmp_path: Path) -> None:
    erp = Erp(tmp_path, packed=False)
    done = erp.run_all({name: {**TRYTON, **wrong} for name, (_words, wrong) in WRONG.items()})
    assert [name for name in WRONG if not done.stats[name]["failures"]] == [], done.output
    assert [words for words, _wrong in WRONG.values() if words not in done.flat] == [], done.output
    assert erp.file.read_bytes() == TEXT.encode()


def test_a_system_of_one_s_own_is_data_only(tmp_path: Path) -> None:
    erp = Erp(tmp_path, packed=False)
    erp.file.write_text("[options]\nadmin_passwd = other-canary\nsmtp_server = old\n", encoding="utf-8")
    settings = {"server": "relay.acme.example", "port": 587, "ssl": "True", "user": "erp"}
    odoo = {
        **TRYTON,
        "erp_mail_system": "odoo",
        "erp_mail_settings": settings,
        "erp_mail_catalogue_systems": {"odoo": ODOO},
    }
    done = erp.run(odoo)
    assert (done.rc, done.changed) == (0, 1), done.output
    assert "+smtp_password = (secret)" in done.diff and "-smtp_server = old" in done.diff
    ours = {"smtp_server": "relay.acme.example", "smtp_port": "587", "smtp_ssl": "True", "smtp_user": "erp"}
    ours = {**ours, "smtp_password": SECRET, "email_from": "erp@acme.example"}
    assert erp.values("options") == {"admin_passwd": "other-canary", **ours}
    # without a sign-in the two keys that we wrote go again
    odoo = {**odoo, "erp_mail_settings": {**settings, "user": None}}
    del odoo["erp_mail_password"]
    assert erp.run(odoo).changed == 1
    assert "smtp_user" not in erp.values("options") and "smtp_password" not in erp.values("options")


@pytest.mark.slow
def test_a_screen_is_skipped_and_a_service_is_restarted_only_when_told_to(tmp_path: Path) -> None:
    erp = Erp(tmp_path, packed=False)
    screen = {"erp_mail_system": "exalt", "erp_mail_settings": {"server_name": "mail,25", "authentication": "none"}}
    done = erp.run({**TRYTON, **screen, "erp_mail_state": "absent"})
    assert done.rc == 0 and "Exalt is not configured by a file" in done.flat, done.output
    told = {**TRYTON, "erp_mail_file_restart": "no-such-service-of-these-tests"}
    done = erp.run(told)
    assert "RUNNING HANDLER [mailroom.erp.erp_mail_file : Restart the ERP]" in done.output, done.output
    assert erp.run(told).rc == 0, "nothing changed, so nothing is restarted"

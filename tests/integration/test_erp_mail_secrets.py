# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: where they may stand, what is warned about, and that none is ever shown."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.tests.integration.estate import (
    BAKERY,
    PROFIT,
    RELAY,
    SECRET,
    SITE,
    contents,
    differences,
    inventory,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, own_program, run_playbook

JUDGE = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: mailroom.erp.erp_mail, tasks_from: validate}
    - ansible.builtin.debug:
        msg: "names={{ (judged.fields | selectattr('id', 'eq', 'password') | first).value.secret }}="
      when: judged.service == "own_relay"
      vars: {judged: "{{ __erp_mail_judged.settings }}"}
"""


def test_secrets_stand_in_the_settings_only_when_asked_for_and_are_never_shown(estate: Path) -> None:
    shared = {"vault_relay_password": SECRET, "erp_mail_secrets": "inline"}
    hosts = {"acme_relay": RELAY}
    folder = estate / "mailroom" / "acme_relay"
    outputs = []
    for arguments in (["--check", "--diff", "-vvvv"], ["--diff", "-vvvv"]):
        result = run_playbook(estate, SITE, inventory(hosts, **shared), *arguments)
        assert result.rc == 0, result.output
        outputs.append(result)
    assert differences(outputs[0]) == differences(outputs[1])
    field = next(one for one in settings_in(folder) if one["id"] == "password")
    assert field["value"]["value"] == SECRET and field["value"]["secret"] == "vault_relay_password"
    assert stat.S_IMODE((folder / "settings.yml").stat().st_mode) == 0o600
    assert SECRET not in (folder / "sheet.md").read_text(encoding="utf-8")
    assert SECRET not in (folder / "sheet.html").read_text(encoding="utf-8")
    again = run_playbook(estate, SITE, inventory(hosts, **shared), "--diff", "-vvvv")
    assert again.changed == 0
    other = run_playbook(estate, SITE, inventory(hosts, **{**shared, "vault_relay_password": SECRET * 2}), "--diff")
    assert other.changed == 1 and "(another secret)" in other.output
    back = run_playbook(estate, SITE, inventory(hosts, vault_relay_password=SECRET), "--diff", "-vvvv")
    assert (
        back.changed == 1
        and "value" not in next(one for one in settings_in(folder) if one["id"] == "password")["value"]
    )
    assert not [result for result in (*outputs, again, other, back) if SECRET in result.output]


def settings_in(folder: Path) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = yaml.safe_load((folder / "settings.yml").read_text(encoding="utf-8"))["fields"]
    return fields


def test_a_secret_that_cannot_be_read_stops_all_before_anything_is_written(estate: Path) -> None:
    before = contents(estate)
    result = run_playbook(estate, SITE, inventory({"acme_relay": RELAY}, erp_mail_secrets="inline"))
    assert result.rc != 0
    assert "acme_relay: erp_mail_password: its value cannot be read" in result.flat
    assert contents(estate) == before


def vaulted(folder: Path, *arguments: str) -> str:
    (folder / "vault_password").write_text("opensesame\n", encoding="utf-8")
    command = [own_program("ansible-vault"), *arguments, "--vault-password-file", "vault_password"]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def judge_password(folder: Path, files: dict[str, str], *arguments: str) -> Result:
    """Judge one environment with a password, its variables in several files; most verbose."""
    relay = {key: value for key, value in RELAY.items() if key != "erp_mail_password"}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    if not (folder / "vault_password").exists():
        (folder / "vault_password").write_text("opensesame\n", encoding="utf-8")
    options = ["--vault-password-file", "vault_password", "-vvvv", *arguments]
    return run_playbook(folder, JUDGE, inventory({"acme_relay": relay}), *options)


WARNING = "acme_relay: erp_mail_password: this secret stands as readable text in the inventory"


def named(result: Result) -> str:
    """The variable that the settings name."""
    found = re.findall(r'"names=(.*)="', result.output)
    assert len(set(found)) == 1, result.output
    return str(found[0])


def test_a_readable_password_is_warned_about_and_not_shown(tmp_path: Path) -> None:
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": f"erp_mail_password: {SECRET}\n"})
    assert result.rc == 0, result.output
    assert WARNING in result.flat
    assert "host_vars/acme_relay.yml:1" in result.output.replace("\n", "")
    assert SECRET not in result.output
    assert named(result) == "erp_mail_password"


def test_a_readable_number_is_warned_about_too(tmp_path: Path) -> None:
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": "erp_mail_password: 8675309042\n"})
    assert WARNING in result.flat and "8675309042" not in result.output


def test_an_encrypted_string_is_not_warned_about(tmp_path: Path) -> None:
    text = vaulted(tmp_path, "encrypt_string", SECRET, "--name", "erp_mail_password")
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert result.rc == 0, result.output
    assert "readable text" not in result.output and SECRET not in result.output
    assert named(result) == "erp_mail_password"


def test_a_reference_into_an_encrypted_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "host_vars" / "acme_relay").mkdir(parents=True)
    vault = tmp_path / "host_vars" / "acme_relay" / "vault.yml"
    vault.write_text(f"vault_mail: {{relay: {SECRET}}}\n", encoding="utf-8")
    vaulted(tmp_path, "encrypt", str(vault))
    result = judge_password(
        tmp_path, {"host_vars/acme_relay/vars.yml": "erp_mail_password: '{{ vault_mail.relay }}'\n"}
    )
    assert result.rc == 0, result.output
    assert "readable text" not in result.output and SECRET not in result.output
    assert named(result) == "vault_mail.relay"


def test_a_reference_to_readable_text_is_warned_about(tmp_path: Path) -> None:
    text = f"erp_mail_password: '{{{{ middle }}}}'\nmiddle: '{{{{ plain_pw }}}}'\nplain_pw: {SECRET}\n"
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert f"{WARNING} through plain_pw" in result.flat
    assert SECRET not in result.output and named(result) == "plain_pw"


def test_a_password_from_a_lookup_is_not_read_and_not_warned_about(tmp_path: Path) -> None:
    text = "erp_mail_password: \"{{ lookup('ansible.builtin.file', '/nonexistent') }}\"\n"
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert result.rc == 0, result.output
    assert "readable text" not in result.output and named(result) == "erp_mail_password"


def test_a_reference_to_nothing_is_warned_about(tmp_path: Path) -> None:
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": "erp_mail_password: '{{ vault_missing }}'\n"})
    assert result.rc == 0, result.output
    assert 'erp_mail_password "vault_missing": it refers to a variable that is not defined' in result.output.replace(
        "\n", " "
    )
    assert named(result) == "vault_missing"


def test_a_vault_that_is_not_open_does_not_hinder_the_judgement(tmp_path: Path) -> None:
    text = vaulted(tmp_path, "encrypt_string", SECRET, "--name", "erp_mail_password")
    (tmp_path / "vault_password").write_text("wrong\n", encoding="utf-8")
    result = judge_password(tmp_path, {"host_vars/acme_relay.yml": text})
    assert result.rc == 0, result.output


def test_a_readable_secret_of_a_dns_account_is_warned_about_and_not_shown(tmp_path: Path) -> None:
    account = {"provider": "rfc2136", "server": "192.0.2.1", "key_name": "k", "key_secret": SECRET}
    shared = {"mail_dns_domains": {"acme.example": {"services": [], "dns": dict(account)}}, "mail_dns_account": account}
    result = run_playbook(tmp_path, JUDGE, inventory({"acme_profit": PROFIT}, **shared), "-vvvv")
    assert result.rc == 0, result.output
    flat = result.flat
    assert "acme_profit: mail_dns_account.key_secret: this secret stands as readable text" in flat
    assert "acme_profit: mail_dns_domains.acme.example.dns.key_secret: this secret stands as readable text" in flat
    assert SECRET not in result.output


@pytest.mark.parametrize("arguments", [[], ["--check", "--diff"]], ids=["run", "check"])
def test_no_secret_is_shown_by_a_run_that_fails_at_the_dns(tmp_path: Path, arguments: list[str]) -> None:
    account = {"provider": "rfc2136", "server": "127.0.0.1", "port": 1, "timeout": 1, "key_name": "k"}
    account["key_secret"] = "aHVudGVyMmh1bnRlcjI="
    own = {"acme.example": {"services": [], "dns": {**account, "key_secret": "aHVudGVyM2h1bnRlcjM="}}}
    bakery = {
        **BAKERY,
        "erp_mail_senders": {"environment": "a@mijnbakkerij.example"},
        "erp_mail_service": "microsoft365",
    }
    bakery |= {"erp_mail_settings": {"username": "a"}, "erp_mail_password": SECRET}
    domains = {**own, "mijnbakkerij.example": {"services": []}}
    hosts = inventory(
        {"acme_profit": PROFIT, "jansen_bakery": bakery}, mail_dns_account=account, mail_dns_domains=domains
    )
    result = run_playbook(tmp_path, SITE, hosts, "-vvvv", *arguments)
    assert result.rc != 0
    for secret in (SECRET, "aHVudGVyMmh1bnRlcjI=", "aHVudGVyM2h1bnRlcjM="):
        assert secret not in result.output


MISPLACED: list[tuple[str, dict[str, Any], str]] = [
    ("in the settings", {"erp_mail_settings": {"password": SECRET}}, "erp_mail_settings.password: a secret"),
    ("in a misspelled setting", {"erp_mail_settings": {"usrname": SECRET}}, "erp_mail_settings.usrname: "),
    ("in a misspelled variable", {"erp_mail_pasword": SECRET}, "erp_mail_pasword: no variable of this name"),
    (
        "in a misspelled option of the account",
        {"mail_dns_account": {"provider": "zonefile", "path": "/z", "tokn": SECRET}},
        "mail_dns_account: tokn is no option",
    ),
    ("in an unknown provider", {"mail_dns_account": {"provider": SECRET}}, "mail_dns_account: provider is not"),
    ("as the account", {"mail_dns_account": SECRET}, "mail_dns_account: must be a dictionary"),
    (
        "in a domain's misspelled key",
        {"mail_dns_domains": {"acme.example": {"dns_tokn": SECRET}}},
        "mail_dns_domains.dns_tokn",
    ),
    ("as the domains", {"mail_dns_domains": SECRET}, "mail_dns_domains: "),
    ("as the settings", {"erp_mail_settings": SECRET}, "erp_mail_settings: "),
    ("as the senders", {"erp_mail_senders": [SECRET]}, "erp_mail_senders: "),
]


@pytest.mark.parametrize(("variables", "said"), [row[1:] for row in MISPLACED], ids=[row[0] for row in MISPLACED])
def test_a_misplaced_secret_is_refused_and_not_shown(estate: Path, variables: dict[str, Any], said: str) -> None:
    before = contents(estate)
    result = run_playbook(estate, SITE, inventory({"acme_profit": {**PROFIT, **variables}}), "-vvvv")
    assert result.rc != 0
    assert said in result.flat
    assert SECRET not in result.output
    assert contents(estate) == before


def test_an_account_whose_variable_is_undefined_is_refused(estate: Path) -> None:
    account = {"provider": "zonefile", "path": "{{ vault_nowhere }}"}
    result = run_playbook(estate, SITE, inventory({"acme_profit": PROFIT}, mail_dns_account=account))
    assert result.rc != 0 and "acme_profit: mail_dns_account" in result.output

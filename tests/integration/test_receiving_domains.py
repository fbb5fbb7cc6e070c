# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that receive mail by TLS and domains that receive none, by one playbook on master files and policy files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.zonefile.zonefile_provider import (
    ZonefileProvider,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook
from ansible_collections.mailroom.erp.tests.servers.bind import UPDATES_REFUSED, Bind
from ansible_collections.mailroom.erp.tests.servers.server import zone_text

PLAYBOOK = """
- name: Say who receives mail, and how
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/mailroom.erp.dns:
      dns: {provider: zonefile, path: "{{ playbook_dir }}/zones"}
      resolver: {zonefiles: ["{{ playbook_dir }}/zones"]}
  tasks:
    - name: Parked domains take no mail and send none
      mailroom.erp.mail_domains:
        domains: [parked.example, old.example]
        null_mx: {}
        spf: {all: '-all', exclusive: true}

    - name: The domain that people write to asks for TLS
      mailroom.erp.mail_domains:
        domains: [acme.example]
        tls_rpt:
          rua: [tls@acme.example, "https://reports.service.example/{domain}"]
        mta_sts:
          mode: "{{ sts_mode | default('testing') }}"
          policy_dir: "{{ playbook_dir }}/policies"
          state: "{{ sts_state | default('present') }}"
      register: done

    - name: Show it
      ansible.builtin.debug:
        msg: "{{ done.domains | mailroom.erp.mail_domains_table }}"
"""
TWO_ACCOUNTS = """
- name: Publish policies by two DNS services
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ask for TLS, and tell what was done
      block:
        - name: Ask for TLS
          mailroom.erp.mail_domains:
            domains:
              - domain: acme.example
                dns: "{{ server }}"
              - old.example
            mta_sts:
              policy_dir: "{{ playbook_dir }}/policies"
            dns: {provider: zonefile, path: "{{ playbook_dir }}/zones"}
            resolver: {zonefiles: ["{{ playbook_dir }}/zones"]}
          register: done
      always:
        - name: Tell what was done
          ansible.builtin.debug:
            msg: "Done: {{ done.diff | map(attribute='after_header') | join(', ') }}."
"""
BY_HAND = """
- name: Hand a policy out before it is announced
  hosts: localhost
  gather_facts: false
  module_defaults:
    group/mailroom.erp.dns:
      dns: {provider: zonefile, path: "{{ playbook_dir }}/zones"}
      resolver: {zonefiles: ["{{ playbook_dir }}/zones"]}
  tasks:
    - name: Plan the policy
      mailroom.erp.mail_domains: &policy
        domains: [acme.example]
        mta_sts: {mode: testing}
      check_mode: true
      register: planned

    - name: Hand it out
      ansible.builtin.copy:
        content: "{{ planned.domains[0].mta_sts.policy }}"
        dest: "{{ playbook_dir }}/mta-sts.txt"
        mode: "0644"

    - name: Announce it
      mailroom.erp.mail_domains: *policy
"""
INVENTORY = """
all:
  hosts:
    localhost:
      ansible_connection: local
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""
ZONES = {
    "acme.example": '@ 600 TXT "note"\n@ MX 10 mx1\n@ MX 20 mx2\n_smtp._tls TXT "note" ; of the owner',
    "parked.example": "@ MX 0 .",
    "old.example": '@ 77 TXT "v=spf1 mx ~all"\nwww A 192.0.2.80',
}
RECORD, REPORTS = "_mta-sts.acme.example", "_smtp._tls.acme.example"
"""The owner names."""


def policy(mode: str, *hosts: str) -> str:
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), "max_age: 604800"]
    return "".join(f"{line}\r\n" for line in lines)


def announced(text: str) -> str:
    """The record of a policy: its id follows from the text that is served."""
    return f"v=STSv1; id={hashlib.sha256(text.encode()).hexdigest()[:32]};"


TESTING = policy("testing", "mx1.acme.example", "mx2.acme.example")
ENFORCED = policy("enforce", "mx1.acme.example", "mx3.acme.example")
NONE = policy("none")


class Company:
    """The folder of one company: its zones, and what its web server hands out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policies" / "mta-sts.acme.example" / ".well-known" / "mta-sts.txt"
        (folder / "zones").mkdir()
        for zone, records in ZONES.items():
            self.zone(zone).write_text(zone_text(zone, records))

    def zone(self, zone: str) -> Path:
        return self.folder / "zones" / f"{zone}.zone"

    def edit(self, zone: str, old: str, new: str) -> None:
        """What a person does by hand."""
        text = self.zone(zone).read_text()
        assert old in text
        self.zone(zone).write_text(text.replace(old, new))

    def run(self, *arguments: str, fails: bool = False, playbook: str = PLAYBOOK) -> Result:
        result = run_playbook(self.folder, playbook, INVENTORY, *arguments)
        assert (result.rc != 0) is fails, result.output
        return result

    def has(self, text: str) -> None:
        """See that a policy is what the web server hands out, and what the record announces."""
        assert self.policy.read_bytes().decode() == text
        assert self.values(RECORD, "TXT") == [announced(text)]

    def values(self, name: str, rdtype: str) -> list[str]:
        zone = next(zone for zone in ZONES if f".{name}".endswith(f".{zone}"))
        state = ZonefileProvider({"path": str(self.folder / "zones")}).read(zone, [(name, rdtype)])
        found = state.rrsets.get((name, rdtype))
        return sorted(found.values) if found else []

    def files(self) -> dict[str, bytes]:
        """All that the playbook could write."""
        folders = (self.folder / "zones", self.folder / "policies")
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def diff_of(result: Result) -> list[str]:
    return [line.rstrip() for line in result.output.splitlines() if line[:1] in "+-" and line]


def test_from_the_first_run_to_the_last(company: Company) -> None:
    before = company.files()
    check = company.run("--check", "--diff")
    assert (check.changed, company.files()) == (2, before)
    assert not (company.folder / "policies").exists()

    first = company.run("--diff")
    assert (first.changed, diff_of(first)) == (2, diff_of(check))
    for line in ("+TTL 3600: 0 .", f"+TTL 3600: {announced(TESTING)}", "+mode: testing", "+mx: mx2.acme.example"):
        assert line in diff_of(first)
    assert f"+++ after: {company.policy}" in diff_of(first)
    for parked in ("parked.example", "old.example"):
        assert company.values(parked, "MX") == ["0 ."]
        assert company.values(parked, "TXT") == ["v=spf1 -all"]
    assert company.values(REPORTS, "TXT") == [
        "note",
        "v=TLSRPTv1; rua=mailto:tls@acme.example,https://reports.service.example/acme.example",
    ]
    assert company.values("acme.example", "MX") == ["10 mx1.acme.example", "20 mx2.acme.example"]
    company.has(TESTING)
    assert company.policy.stat().st_mode & 0o7777 == 0o644
    assert f"_mta-sts.acme.example: {announced(TESTING)}" in first.output

    written = company.files()
    again = company.run("--diff")
    assert (again.changed, diff_of(again), company.files()) == (0, [], written)

    company.edit("acme.example", "@ MX 20 mx2", "@ MX 20 mx3")
    moved = company.run("--diff", "-e", "sts_mode=enforce")
    assert moved.changed == 1
    assert {f"-TTL 3600: {announced(TESTING)}", "-mode: testing", "+mode: enforce"} < set(diff_of(moved))
    company.has(ENFORCED)

    assert company.run("-e", "sts_mode=none").changed == 1
    company.has(NONE)

    gone = company.run("--diff", "-e", "sts_state=absent")
    assert {f"-TTL 3600: {announced(NONE)}", "-mode: none"} < set(diff_of(gone))
    assert company.values(RECORD, "TXT") == []
    assert not company.policy.exists()
    assert len(company.values(REPORTS, "TXT")) == 2
    rest = company.files()
    assert (company.run("-e", "sts_state=absent").changed, company.files()) == (0, rest)


def test_a_domain_that_receives_mail_refuses_the_task_before_anything_is_written(company: Company) -> None:
    company.edit("old.example", "www A 192.0.2.80", "@ MX 10 mail.service.example.")
    before = company.files()
    refused = company.run(fails=True)
    output = refused.flat.replace('\\"', '"')  # ansible-core 2.18 shows JSON
    assert 'old.example: MX records "10 mail.service.example": the domain receives mail' in output
    assert "RFC 7505 section 3" in output
    assert company.files() == before


def test_a_server_that_fails_after_the_file_was_written_fails_its_domain_and_the_next_run_ends_it(
    company: Company,
) -> None:
    def run(server: Bind, fails: bool) -> Result:
        account = json.dumps({"server": server.dns_option})
        return company.run("--diff", "-e", account, fails=fails, playbook=TWO_ACCOUNTS)

    zone = {"acme.example": company.zone("acme.example").read_text()}
    with Bind(zone, updates=UPDATES_REFUSED) as closed:
        failed = run(closed, fails=True)
        assert closed.values(RECORD, "TXT") == []
    for words in ("1 of 2 domains failed, the others are done:", "acme.example: ", "REFUSED"):
        assert words in failed.output
    assert company.policy.read_bytes().decode() == TESTING
    other = company.policy.parents[2] / "mta-sts.old.example" / ".well-known" / "mta-sts.txt"
    assert f"Done: _mta-sts.old.example TXT (MTA STS), {company.policy}, {other}." in failed.output
    assert company.values("_mta-sts.old.example", "TXT") == [announced(policy("testing", "old.example"))]

    with Bind(zone) as opened:
        assert run(opened, fails=False).changed == 1
        assert opened.values(RECORD, "TXT") == [f'"{announced(TESTING)}"']
        assert run(opened, fails=False).changed == 0


def test_a_policy_can_be_handed_out_by_other_means_before_it_is_announced(company: Company) -> None:
    done = company.run(playbook=BY_HAND)
    assert done.changed == 3, "the plan counts as a change, too"
    assert (company.folder / "mta-sts.txt").read_bytes().decode() == TESTING
    assert company.values(RECORD, "TXT") == [announced(TESTING)]
    assert "thepolicymustbeservedathttps://mta-sts.acme.example/" in done.unbroken
    assert not company.policy.exists()

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts as a user meets them: in site, before and after; as a guard; and by mail_auth_info on a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.integration.estate import (
    BAKERY,
    PROFIT,
    RELAY,
    SECRET,
    SITE,
    contents,
    inventory,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import Result, run_playbook

UNSIGNED = {**RELAY, "erp_mail_dkim": {"acme.example": []}}
HOSTS: dict[str, Any] = {"acme_profit": PROFIT, "acme_relay": UNSIGNED, "jansen_bakery": BAKERY}
DOMAIN = {"services": ["microsoft365"], "dmarc": {"policy": "none", "rua": ["dmarc@acme.example"]}}


def domains(**acme: Any) -> dict[str, Any]:
    return {"acme.example": {**DOMAIN, **acme}, "mijnbakkerij.example": {"services": []}}


def told(result: Result) -> list[str]:
    """The lines of the report about senders, and the one that counts them."""
    assert result.rc == 0, result.output
    report = result.output.partition("SENDERS, as receivers will judge them")[2].partition("\nLOOK AT")
    last = next(line for line in result.output.splitlines() if " failed; " in line)
    return [*report[0].splitlines(), last.partition("; ")[2]]


def test_site_shows_each_sender_before_and_after_and_check_mode_agrees(estate: Path) -> None:
    checked = told(run_playbook(estate, SITE, inventory(HOSTS), "--check"))
    done = run_playbook(estate, SITE, inventory(HOSTS))
    assert told(done) == checked
    text = "\n".join(checked)
    assert "  5 senders by afas_online: fail -> PASS (erp@acme.example, finance@acme.example," in checked
    assert "acme_relay, finance@acme.example by own_relay: fail -> PASS\n    SPF pass, DKIM none, DMARC pass" in text
    assert "mijnbakkerij@ziggo.nl by ziggo: UNKNOWN" in text, "its addresses are of 2015"
    again = run_playbook(estate, SITE, inventory(HOSTS))
    assert again.changed == 0
    assert "afas_online" not in "\n".join(told(again)), "what passes as before is counted only"
    assert told(again)[-1] == checked[-1] == "10 senders: 8 pass, 0 fail, 2 unknown"


def test_a_stricter_policy_is_refused_while_a_sender_of_an_environment_would_fail(estate: Path) -> None:
    before = contents(estate)
    bounced = {**UNSIGNED, "erp_mail_envelope_from": "bounces@relay.example"}
    shared = {"mail_dns_complete": True, "mail_dns_domains": domains(dmarc={"policy": "quarantine"})}
    refused = run_playbook(estate, SITE, inventory({**HOSTS, "acme_relay": bounced}, **shared))
    assert refused.rc != 0
    flat = " ".join(refused.output.replace('\\"', '"').split())
    for words in (
        "acme_relay, finance@acme.example: verdict",
        "quarantine",
        "allow_failing_senders: [finance@acme.example]",
    ):
        assert words in flat, refused.output
    assert "acme_profit, erp@acme.example: verdict" not in flat
    assert contents(estate) == before
    allowed = {**shared, "mail_dns_allow_failing_senders": ["acme_relay"]}
    done = run_playbook(estate, SITE, inventory({**HOSTS, "acme_relay": bounced}, **allowed))
    finance = " ".join(" ".join(told(done)).split()).partition("finance@acme.example by own_relay: unknown -> FAIL")[2]
    assert "SPF temperror, DKIM none, DMARC fail; receivers are asked to put it into spam" in finance


def test_the_first_reject_asks_for_a_word_about_undeclared_senders_and_about_those_that_do_not_sign(
    estate: Path,
) -> None:
    zone = estate / "zones" / "acme.example.zone"
    zone.write_text(zone.read_text(encoding="utf-8") + '_dmarc IN TXT "v=DMARC1; p=quarantine"\n', encoding="utf-8")
    before = contents(estate)
    wish: dict[str, Any] = {"policy": "reject"}

    def run() -> Result:
        shared = {"mail_dns_complete": True, "mail_dns_domains": domains(dmarc=wish)}
        return run_playbook(estate, SITE, inventory({"acme_profit": PROFIT}, **shared))

    refused = run()
    assert refused.rc != 0 and "accept_unseen_senders" in refused.output
    wish["accept_unseen_senders"] = True
    refused = run()
    assert refused.rc != 0
    flat = " ".join(refused.output.replace('\\"', '"').split())
    for words in (
        "RFC 9989 section 7.4",
        "acme_profit, erp@acme.example",
        "*@acme.example by microsoft365",
        "mail_dns_domains.acme.example.dmarc.accept_lost_forwarded_mail: true",
    ):
        assert words in flat, refused.output
    assert contents(estate) == before
    wish["accept_lost_forwarded_mail"] = True
    done = run()
    assert done.rc == 0, done.output
    assert '"v=DMARC1; p=reject"' in zone.read_text(encoding="utf-8")


def test_senders_whose_domains_are_not_ours_are_judged_too(estate: Path) -> None:
    office = {**BAKERY, "erp_mail_settings": {}, "erp_mail_senders": {"environment": "bakery@ziggo.nl"}}
    shared: dict[str, Any] = {"mail_dns_domains": {}, "mail_dns_account": None}
    result = run_playbook(estate, SITE, inventory({"jansen_bakery": office}, **shared))
    assert any("bakery@ziggo.nl by ziggo: UNKNOWN" in line for line in told(result))


PLANNED = """
- name: Judge a plan
  hosts: localhost
  gather_facts: false
  vars:
    dns: {provider: zonefile, path: "{{ playbook_dir }}/zones"}
    resolver: {zonefiles: ["{{ playbook_dir }}/zones", "{{ playbook_dir }}/world"]}
    senders:
      - {from: erp@acme.example, envelope_domain: acme.example, sources: [include:spf.afas.online],
         dkim: {domain: acme.example, selectors: []}}
  tasks:
    - name: Plan
      mailroom.erp.mail_domains: &change
        dns: "{{ dns }}"
        resolver: "{{ resolver }}"
        domains: [acme.example]
        spf: {terms: [include:spf.afas.online]}
        dmarc: {policy: quarantine}
        senders: "{{ senders }}"
      check_mode: true
      register: plan

    - name: Judge the plan, and what is live
      mailroom.erp.mail_auth_info:
        resolver: "{{ resolver }}"
        senders: "{{ senders }}"
        domains: [acme.example]
        planned: "{{ item }}"
      loop: ["{{ plan.planned }}", []]
      register: judged

    - name: Publish
      mailroom.erp.mail_domains: *change
      register: done

    - name: Look at what is live now
      mailroom.erp.mail_auth_info:
        resolver: "{{ resolver }}"
        senders: "{{ senders }}"
        domains: [acme.example]
      register: live

    - name: All agree
      ansible.builtin.assert:
        that:
          - plan.verdicts == done.verdicts
          - plan.planned == done.planned
          - judged.results[0].verdicts == done.verdicts.after
          - judged.results[1].verdicts == done.verdicts.before
          - live.verdicts == done.verdicts.after
          - judged.results[0].domains == live.domains
          - done.verdicts.before[0].result == "fail"
          - done.verdicts.after[0].result == "pass"
          - done.verdicts.after[0].spf.term is match("include:spf.afas.online")
          - done.verdicts.after[0].dmarc.policy == "quarantine"
          - live.summary.senders == dict(pass=1, fail=0, unknown=0)
          - live is not changed
"""


def test_a_plan_is_judged_as_what_it_becomes(estate: Path) -> None:
    result = run_playbook(estate, PLANNED, {"all": {}})
    assert result.rc == 0, result.output


POLICYLESS = """
- name: Judge senders of a domain that has no policy yet
  hosts: localhost
  gather_facts: false
  vars:
    resolver: {zonefiles: ["{{ playbook_dir }}/zones", "{{ playbook_dir }}/world"]}
    bounced: {from: erp@acme.example, envelope_domain: bounce.acme.example, sources: [192.0.2.1],
              dkim: {domain: acme.example, selectors: []}}
    foreign: {from: news@acme.example, envelope_domain: spf.afas.online, sources: [198.51.100.1],
              dkim: {domain: acme.example, selectors: []}}
  tasks:
    - name: Judge
      mailroom.erp.mail_auth_info:
        resolver: "{{ resolver }}"
        senders: ["{{ bounced }}", "{{ foreign }}"]
        planned: [{name: bounce.acme.example, type: TXT, values: ["v=spf1 ip4:192.0.2.1 -all"]}]
      register: judged

    - name: Publish a first policy, which asks for nothing
      mailroom.erp.mail_domains: &change
        dns: {provider: zonefile, path: "{{ playbook_dir }}/zones"}
        resolver: "{{ resolver }}"
        domains: [acme.example]
        dmarc: {policy: none}
        senders: ["{{ foreign }}"]
      check_mode: true
      register: first

    - name: Publish one that asks for something
      mailroom.erp.mail_domains:
        <<: *change
        dmarc: {policy: quarantine}
      check_mode: true
      register: refused
      failed_when: "'will be asked to quarantine it' not in refused.msg | default('')"

    - name: Without a policy nothing fails by it
      ansible.builtin.assert:
        that:
          - judged.verdicts | map(attribute='result') | list == ["pass", "unknown"]
          - judged.verdicts | map(attribute='dmarc.result') | unique == ["none"]
          - judged.verdicts[0].next_step is none
          - "'would be aligned with acme.example if a policy were published' in judged.verdicts[0].reason"
          - judged.verdicts[1].next_step is match("Before a policy is published. let bounces go to")
          - first.verdicts.before[0].result == "unknown"
          - first.verdicts.after[0].result == "fail"
          - first.warnings | select("search", "under p=none it will fail") | length == 1
"""


def test_without_a_policy_no_sender_fails_by_alignment(estate: Path) -> None:
    result = run_playbook(estate, POLICYLESS, {"all": {}})
    assert result.rc == 0, result.output


STRICT = """
- name: Judge senders that strict receivers refuse, and some that nobody declared in full
  hosts: localhost
  gather_facts: false
  vars:
    unsigned: {domain: acme.example, selectors: []}
  tasks:
    - name: Judge
      mailroom.erp.mail_auth_info:
        resolver: {zonefiles: ["{{ playbook_dir }}/zones", "{{ playbook_dir }}/world"]}
        senders:
          - {from: erp@acme.example, envelope_domain: acme.example, sources: [192.0.2.1], dkim: "{{ unsigned }}",
             helo: spf.afas.online}
          - {from: erp@acme.example, envelope_from: "", sources: [192.0.2.1], dkim: "{{ unsigned }}",
             helo: acme.example}
          - {from: shut@acme.example, envelope_domain: shut.acme.example, dkim: "{{ unsigned }}"}
        planned: [{name: shut.acme.example, type: TXT, values: ["v=spf1 -all"]},
                  {name: _dmarc.acme.example, type: TXT, values: ["v=DMARC1; p=quarantine"]}]
      register: judged

    - name: Each caution is told, and what is certain is not unknown
      ansible.builtin.assert:
        that:
          - judged.verdicts | map(attribute='result') | list == ["pass", "pass", "fail"]
          - judged.verdicts[0].cautions | length == 1
          - judged.verdicts[0].cautions[0] is match("receivers that check the greeting refuse it")
          - judged.verdicts[1].spf.domain == "acme.example" and judged.verdicts[1].cautions == []
          - judged.verdicts[2].spf.result == "fail"
          - judged.verdicts[2].next_step is match("Put the servers that send in front of -all in")
"""


def test_what_strict_receivers_refuse_is_told_beside_the_pass(estate: Path) -> None:
    result = run_playbook(estate, STRICT, {"all": {}})
    assert result.rc == 0, result.output


SILENT = """
- name: Ask about domains whose name servers do not answer
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Audit
      mailroom.erp.mail_auth_info:
        resolver: {nameservers: [127.0.0.1], port: 9, timeout: 1}
        domains: [silent.example]
      register: audit

    - name: Nothing is said to be missing
      ansible.builtin.assert:
        that:
          - audit.summary.faults == 3
          - audit.domains[0].findings | selectattr('rule', 'search', 'there is none') | length == 0
          - audit.domains[0].findings | selectattr('next_step', 'search', '[Pp]ublish') | length == 0
          - audit.domains[0].spf.records is none
          - audit.domains[0].dmarc.records is none
          - audit.domains[0].mx is none
"""


def test_a_look_up_that_fails_is_not_said_to_find_nothing(estate: Path) -> None:
    result = run_playbook(estate, SILENT, {"all": {}})
    assert result.rc == 0, result.output


WRONG = """
- name: Give something wrong
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Wrong
      mailroom.erp.{module}:
        {options}
"""


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        ("mail_auth_info", "senders: [{from: nobody}]", "name@domain"),
        ("mail_auth_info", "senders: [{form: erp@acme.example}]", "from"),
        ("mail_auth_info", "{}", "one of the following is required"),
        ("mail_domains", "{domains: [acme.example], spf: {}, dns: {provider: zonefile, path: zones}, "
         "allow_failing_senders: [erp@acme.example]}", "no declared sender has this address"),
    ],
    ids=["address", "misspelled", "nothing", "nobody"],
)  # fmt: skip
def test_wrong_input_is_refused(estate: Path, module: str, options: str, words: str) -> None:
    result = run_playbook(estate, WRONG.format(module=module, options=options), {"all": {}})
    assert result.rc != 0 and words in result.output
    assert SECRET not in result.output

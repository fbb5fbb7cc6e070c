# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of hosts in one task: as each host would see them, templated once, and never a value in an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.mailroom.erp.plugins.plugin_utils.running.play_variables import (
    HostView,
    UnreadableVariable,
    is_constant,
    kept_result,
    names_read,
)
from ansible_collections.mailroom.erp.tests.integration.playbook import OUR_PYTHON, run_playbook

try:
    from ansible.template import trust_as_template
except ImportError:  # up to 2.18 all text is a template

    def trust_as_template(value: str) -> str:
        return value


def view(shared: dict[int, Any] | None = None, **raw: Any) -> HostView:
    return HostView(raw, Templar(loader=DataLoader()), {} if shared is None else shared)


def test_a_value_without_a_template_is_read_once_for_all_hosts() -> None:
    shared: dict[int, Any] = {}
    domains: dict[str, Any] = {"acme.example": {"services": []}}
    first, second = (view(shared, mail_dns_domains=domains) for _host in range(2))
    assert first.value("mail_dns_domains") == domains
    assert first.value("mail_dns_domains") is second.value("mail_dns_domains")


def test_a_template_is_each_host_s_own() -> None:
    shared: dict[int, Any] = {}
    template = trust_as_template("{{ customer }}.example")
    values = [view(shared, customer=name, domain=template).value("domain") for name in ("a", "b")]
    assert values == ["a.example", "b.example"]


def test_a_template_of_constants_is_read_once_for_all_hosts_that_have_the_same() -> None:
    shared: dict[Any, Any] = {}
    template = trust_as_template("{{ base | default('here') }}/mailroom")
    hosts: list[dict[str, str]] = [{"base": "/srv"}, {"base": "/srv"}, {"base": "/opt"}, {}]
    values = [view(shared, folder=template, **host).value("folder") for host in hosts]
    assert values == ["/srv/mailroom", "/srv/mailroom", "/opt/mailroom", "here/mailroom"]
    assert values[0] is values[1] and len(shared) == 3


def test_what_a_variable_refers_to_is_each_host_s_own() -> None:
    template, inner = trust_as_template("{{ base }}/mailroom"), trust_as_template("/srv/{{ customer }}")
    shared: dict[Any, Any] = {}
    hosts = [view(shared, folder=template, base=inner, customer=name) for name in ("a", "b")]
    assert [host.value("folder") for host in hosts] == ["/srv/a/mailroom", "/srv/b/mailroom"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ lookup('env', name) }}",
        "{{ name | random }}",
        "{{ name.upper() }}",
        "{% include 'x' %}",
        "{{ broken",
        "#jinja2: variable_start_string:'[%', variable_end_string:'%]'\n[% name %]",
    ],
)
def test_of_a_template_that_does_more_than_read_nobody_knows_the_variables(template: str) -> None:
    assert names_read(template) is None


def test_what_cannot_be_templated_says_so_and_shows_nothing() -> None:
    secret = trust_as_template("hunter2 {{ vault_missing }}")
    with pytest.raises(UnreadableVariable) as caught:
        view(password=secret).value("password")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("value", ["{{ x }}", ["{% if x %}"], {"a": {"b": "{# c #}"}}, {"{{ x }}": 1}, object()])
def test_what_may_be_a_template_is_no_constant(value: object) -> None:
    assert not is_constant(value)


def test_a_result_of_a_skipped_task_is_empty() -> None:
    assert kept_result({"done": {"skipped": True, "changed": False}}, "done") == {}
    assert kept_result({}, "done") == {}
    assert kept_result({"done": {"domains": []}}, "done") == {"domains": []}
    assert kept_result({"done": {"changed": True, "text": '{"domains": []}'}}, "done") == {
        "changed": True,
        "domains": [],
    }


PLAY = """
- name: Read all hosts in one task
  hosts: all
  gather_facts: false
  vars:
    mail_dns_domains: "{{ {inventory_hostname ~ '.example': {'services': []}} }}"
  tasks:
    - name: Set a fact, which counts before the inventory
      ansible.builtin.set_fact:
        mail_dns_account: {provider: zonefile, path: "/{{ inventory_hostname }}"}
      when: inventory_hostname == 'b'

    - name: Judge
      mailroom.erp.erp_environments_info:
        hosts: "{{ ansible_play_hosts_all }}"
      run_once: true
      register: judged

    - name: Keep
      ansible.builtin.copy:
        content: "{{ judged.variables | to_json }}"
        dest: FILE
        mode: "0600"
      run_once: true
"""


def test_play_variables_facts_and_the_inventory_count_as_in_any_task(tmp_path: Path) -> None:
    """What hostvars leave out is there: variables of the play; and facts win over the inventory."""
    hosts = {name: {"mail_dns_account": {"provider": "zonefile", "path": "/inventory"}} for name in ("a", "b")}
    inventory = {"all": {"hosts": hosts, "vars": {"ansible_connection": "local", **OUR_PYTHON}}}
    result = run_playbook(tmp_path, PLAY.replace("FILE", str(tmp_path / "kept.json")), inventory)
    assert result.rc == 0, result.output
    found = json.loads((tmp_path / "kept.json").read_text())
    assert {host: one["mail_dns_account"]["path"] for host, one in found.items()} == {"a": "/inventory", "b": "/b"}
    assert [list(found[host]["mail_dns_domains"]) for host in ("a", "b")] == [["a.example"], ["b.example"]]

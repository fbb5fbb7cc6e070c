# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ERP environments that a person names become hosts where nothing would change, else the reason is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.adoption_files import Adoption
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.answers import Answers
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_answers import (
    answered_environments,
    wrong_erp_answers,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.erp_hosts import host_lines, judged_host
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_places import AdoptionWish
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.tenant_answers import completed_answer
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.host_judgement import Catalogues
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.adopted import (
    Loader,
    adopted,
    declared,
    site_changes,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROFIT = "{system: afas_profit, transport: afas_online, sender: erp@acme.example}"
SPF = '@ TXT "v=spf1 mx include:spf.afas.online ~all"\n@ MX 10 ns1'


class Estate:
    """A zone of acme.example, and the inventory that is made of it."""

    def __init__(self, folder: Path, records: str = SPF) -> None:
        self.zones = ZoneFolder(folder / "zones", {"acme.example": zone_text("acme.example", records)})
        self.inventory = folder / "inv"

    def adopt(self, *tenants: dict[str, Any], reported: dict[str, Any] | None = None) -> Adoption:
        wishes = {"acme.example": AdoptionWish("Acme")}
        dns, resolver = self.zones.dns_option, self.zones.resolver_option
        return adopted(self.inventory, wishes, dns, resolver, wishes, reported=reported, tenants=tenants)

    def answer(self, said: str, what: str = "erp acme.example") -> None:
        file = self.inventory / "questions.yml"
        before, found, after = file.read_text().partition(f"- what: {what}\n")
        assert found, file.read_text()
        head, _answer, tail = after.partition("answer:")
        file.write_text(f"{before}{found}{head}answer: {said}\n{tail.partition(chr(10))[2]}")

    def answered(self, said: str) -> Adoption:
        self.adopt()
        self.answer(said)
        return self.adopt()

    @property
    def text(self) -> str:
        return (self.inventory / "acme.yml").read_text()

    @property
    def hosts(self) -> dict[str, Any]:
        hosts: dict[str, Any] = yaml.load(self.text, Loader)["acme"]["hosts"]
        return {name: one for name, one in hosts.items() if name != "acme_mail"}

    @property
    def questions(self) -> dict[str, str]:
        asked = yaml.load((self.inventory / "questions.yml").read_text(), Loader)["all"]["vars"]["mail_adopt_questions"]
        return {one["what"]: one["question"] for one in asked}


def test_an_environment_is_asked_for_where_a_term_is_an_erps_alone(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    reported = {"acme.example": [{"source": "192.0.2.1", "messages": 9, "reverse_name": None, "selectors": []}]}
    estate.zones.write("spf.afas.online", zone_text("spf.afas.online", '@ TXT "v=spf1 ip4:192.0.2.0/24 -all"'))
    asked = {one.what: one for one in estate.adopt(reported=reported).questions}
    question = asked["erp acme.example"]
    assert f"{{acme_profit: {PROFIT}}}" in question.text and question.candidates == ("afas_profit",)
    assert question.messages == 9 == asked["spf include:spf.afas.online"].messages


def test_an_environment_is_asked_for_where_reports_saw_an_erp_send(tmp_path: Path) -> None:
    estate = Estate(tmp_path, '@ TXT "v=spf1 mx ~all"')
    who = {"kind": "service", "service": "afas_online"}
    source = {"source": "192.0.2.1", "messages": 9, "reverse_name": None, "selectors": []}
    assert "erp acme.example" not in [one.what for one in estate.adopt(reported={"acme.example": [source]}).questions]
    found = estate.adopt(reported={"acme.example": [{**source, "who": who}]})
    assert [one.what for one in found.questions] == ["erp acme.example"] and PROFIT in found.questions[0].text


def test_an_answer_becomes_a_host_and_explains_the_term(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    found = estate.answered(f"{{acme_profit: {PROFIT}}}")
    assert [one.name for one in found.hosts] == ["acme_profit"] and found.changed == ["acme.example"]
    assert estate.hosts == {
        "acme_profit": {
            "ansible_connection": "local",
            "erp_mail_system": "afas_profit",
            "erp_mail_transport": "afas_online",
            "erp_mail_senders": {"environment": "erp@acme.example"},
        }
    }
    entry = declared(estate.inventory)["acme.example"]
    assert (entry["services"], entry["spf"]["terms"], "unexplained" in entry) == ([], ["mx"], False)
    assert estate.questions == {}
    assert site_changes(estate.inventory, estate.zones.dns_option, estate.zones.resolver_option) == []
    before = estate.text
    assert estate.adopt().files == {} and estate.text == before


def test_a_person_s_host_stays_and_one_taken_out_does_not_come_back(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    estate.answered(f"{{acme_profit: {PROFIT}}}")
    file = estate.inventory / "acme.yml"
    edited = estate.text.replace("environment: erp@acme.example", "environment: piet@acme.example")
    file.write_text(edited)
    assert estate.adopt().hosts == [] and estate.text == edited
    head, _host, rest = edited.partition("    # as answered")
    file.write_text(head + "  vars:" + rest.partition("  vars:")[2])
    assert estate.adopt().hosts == [] and estate.hosts == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{p: {system: afas_profit, transport: smtp, sender: erp@acme.example}}", "erp_mail_service"),
        ("{p: {system: afas_profit, sender: erp@acme.example}}", "erp_mail_transport"),
        ("{p: {system: afas_profit, transport: afas_online}}", "erp_mail_senders"),
        ("{p: {system: afas_profit, transport: afas_online, sender: a@other.example}}", "other.example"),
        ("{p: {system: afas_profit, transport: afas_online, sender: a@acme.example, senders: [x]}}", "senders"),
        (f"{{p: {{}}, acme_mail: {PROFIT}}}", "acme_mail is not declared: a host of this name is there"),
        (
            "{p: {system: tryton, service: own_relay, sender: erp@acme.example, spf_terms: ['ip4:192.0.2.9'], "
            "settings: {host: mx.acme.example, port: 587, security: smtp+tls}}}",
            "acme.example: site would write the record in another way",
        ),
    ],
    ids=["service", "transport", "sender", "domain", "senders", "name", "record"],
)
def test_what_is_missing_or_would_change_a_record_is_told_and_not_written(tmp_path: Path, said: str, told: str) -> None:
    estate = Estate(tmp_path)
    found = estate.answered(said)
    assert found.hosts == [] and estate.hosts == {}
    question = estate.questions["erp acme.example"]
    assert "p is not declared" in question and told in question
    assert "spf include:spf.afas.online" in estate.questions
    estate.answer(f"{{p: {PROFIT}}}")
    assert [one.name for one in estate.adopt().hosts] == ["p"] and estate.questions == {}


def test_a_secret_becomes_a_reference(tmp_path: Path) -> None:
    estate = Estate(tmp_path, SPF.replace("~all", "ip4:192.0.2.9 ~all"))
    relay = "system: tryton, service: own_relay, sender: erp@acme.example, spf_terms: ['ip4:192.0.2.9'], "
    settings = "settings: {host: mx.acme.example, port: 587, security: smtp+tls, username: erp}"
    found = estate.answered(
        f"{{t-1: {{{relay}{settings}}}, own: {{{relay}{settings}, password: '{{{{ vault_mine }}}}'}}}}"
    )
    assert {one.name: one.variables["erp_mail_password"] for one in found.hosts} == {
        "t-1": "{{ vault_mailroom_t_1_password }}",
        "own": "{{ vault_mine }}",
    }
    assert "erp_mail_password: '{{ vault_mine }}'" in estate.text and "!unsafe" not in estate.text
    entry = declared(estate.inventory)["acme.example"]
    assert [one["what"] for one in entry["unexplained"]] == ["spf include:spf.afas.online"]
    assert estate.adopt().files == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("afas_online", "environments by name"),
        ("{p: keep}", "dictionary"),
        ("{a b: {system: x}}", "name of an environment"),
        ("{p: {sytem: afas_profit}}", "Did you mean system"),
        ("{p: {system: afas_profit, password: hunter2hunter2}}", "never written into an answer"),
    ],
    ids=["service", "shape", "name", "key", "secret"],
)
def test_a_wrong_answer_is_refused_without_a_value(tmp_path: Path, said: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        Estate(tmp_path).answered(said)
    assert told in str(refused.value) and "hunter2" not in str(refused.value)


@pytest.mark.parametrize("said", ["nobody", "drop"])
def test_nobody_ends_the_question(tmp_path: Path, said: str) -> None:
    estate = Estate(tmp_path)
    assert estate.answered(said).hosts == [] and "erp acme.example" not in estate.questions
    assert "spf include:spf.afas.online" in estate.questions


def test_an_edited_entry_and_a_file_without_hosts_are_left(tmp_path: Path) -> None:
    estate = Estate(tmp_path, f"{SPF}\ns1._domainkey CNAME s1.afas.example.\ns2._domainkey CNAME s2.afas.example.")
    estate.adopt()
    dkim = "dkim: {acme.example: [{selector: s1, target: s1.afas.example}, {selector: s2, target: s2.afas.example}]}"
    estate.answer(f"{{p: {{{PROFIT[1:-1]}, {dkim}}}}}")
    file, before = estate.inventory / "acme.yml", estate.text
    file.write_text(before.replace("      acme.example:", "      acme.example:  # mine"))
    assert estate.adopt().hosts == []
    assert "take dkim s1, dkim s2 out of unexplained" in estate.questions["erp acme.example"]
    file.write_text(before)
    assert [one.name for one in estate.adopt().hosts] == ["p"]
    assert "unexplained" not in declared(estate.inventory)["acme.example"]


def test_a_file_that_takes_no_hosts_is_left(tmp_path: Path) -> None:
    estate = Estate(tmp_path)
    estate.adopt()
    estate.answer(f"{{p: {PROFIT}}}")
    file = estate.inventory / "acme.yml"
    file.write_text("all:\n  vars:\n    mail_dns_domains:\n      acme.example:\n        services: []\n")
    before = estate.text
    assert estate.adopt().hosts == [] and estate.text == before
    assert "has no hosts of one per line" in estate.questions["erp acme.example"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("{{ x }}"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(["sender", "senders", "settings", "spf_terms", "dkim", "consent", "application", "service"])


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([None, 7, [], {}, "afas_profit", "king_erp", "x"]), VALUES, st.dictionaries(KEYS, VALUES))
def test_whatever_is_said_of_an_environment_it_is_judged_or_refused(system: Any, transport: Any, more: Any) -> None:
    answers = Answers({"erp acme.example": {"p": {"system": system, "transport": transport, **more}}})
    if list(wrong_erp_answers(answers)):
        return
    (environment,) = answered_environments(answers)
    completed = completed_answer(environment, [], Catalogue())
    host = judged_host(environment, completed.variables, {"mail_dns_domains": {"acme.example": {}}}, Catalogues())
    assert completed.reason or host.reason or host.needs
    if host.needs:
        lines = host_lines(host, "as answered")
        assert yaml.load("\n".join(lines), Loader).keys() == {"p"}

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is put into an inventory that a person has edited, what is refused, and what is never written down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_files import read_inventory_file
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.inventory_places import AdoptionWish, group_name
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.referred_accounts import (
    missing_secrets,
    referred_account,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.adoption.yaml_values import (
    TemplateText,
    load_written,
    yaml_flow,
)
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from ansible_collections.mailroom.erp.tests.servers.zone_folder import ZoneFolder
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.adoption.adopted import adopted, declared, site_changes
from hypothesis import given, settings
from hypothesis import strategies as st

SPF = '@ TXT "v=spf1 mx include:spf.afas.online ~all"\n@ MX 10 ns1'


def zones(folder: Path, **records: str) -> ZoneFolder:
    texts = {f"{name}.example": zone_text(f"{name}.example", text) for name, text in records.items()}
    return ZoneFolder(folder / "zones", texts)


@settings(max_examples=60)
@given(st.lists(st.none() | st.booleans() | st.integers() | st.text() | st.just("a {{ b }}"), max_size=4))
def test_a_value_is_read_as_it_was_written_and_is_no_template(value: Any) -> None:
    text = yaml_flow({"value": value})
    assert "\n" not in text
    assert load_written(text) == {"value": value}
    for one in value:
        assert not (isinstance(one, str) and "{{" in one) or "!unsafe" in text


WORDS = st.sampled_from(
    ["spf", "ip4:", "include:", ": ", ":", " #", "'", '"', "{{", "a", "no", "1", "-", ",", "]", "&"]
)


@settings(max_examples=200)
@given(st.lists(WORDS | st.text(max_size=2), max_size=6).map("".join))
def test_a_text_is_written_as_yaml_itself_writes_it(text: str) -> None:
    """The short way of most texts gives the bytes of the library."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    written = yaml.dump(text, Dumper=dumper, width=1 << 20, allow_unicode=True).removesuffix("\n").removesuffix("\n...")
    assert yaml_flow(TemplateText(text)) == written
    is_template = any(sign in text for sign in ("{{", "{%", "{#"))
    assert yaml_flow(text).startswith("!unsafe ") if is_template else yaml_flow(text) == written


ENTRIES = st.lists(
    st.sampled_from(["services: []", "spf:\n  all: -all  # why", "x: |\n  a\n\n  b", "dkim:\n  - a\n  - b"])
)


@settings(max_examples=60)
@given(
    ENTRIES,
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from(["", "\n# the end\n", "other: 1\n", "\n\nother:\n  a: b\n"]),
)
def test_adding_a_domain_keeps_all_that_is_there(bodies: list[str], step: int, comment: bool, end: str) -> None:
    lines = ["mail_dns_domains:"]
    for number, body in enumerate(["services: []", *bodies]):
        lines += [" " * step + f"d{number}.example:", *(" " * step * 2 + one for one in body.split("\n"))]
        lines += [" " * step + "# said Piet"] if comment else []
    text = "\n".join(lines) + "\n" + end
    file = read_inventory_file(Path("x.yml"), text)
    file.add(["new.example:", "  services: [ziggo]"])
    edited = file.edited()
    old, new = yaml.safe_load(text), yaml.safe_load(edited)
    assert new["mail_dns_domains"].pop("new.example") == {"services": ["ziggo"]} and new == old
    assert [line for line in edited.splitlines() if line in text.splitlines()] == text.splitlines()


@pytest.mark.parametrize(
    "text", ["mail_dns_domains: {a.example: {services: []}}\n", "all: {}\n", "", "mail_dns_domains:\n"], ids=str
)
def test_a_file_that_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"x\.yml"):
        read_inventory_file(Path("x.yml"), text).add(["new.example:"])


@pytest.mark.parametrize("text", ["a: [", "a: &x {b: *x}\n", "a: *nobody\n"], ids=str)
def test_what_is_no_yaml_ends_with_a_word(text: str) -> None:
    with pytest.raises(Refused, match=r"x\.yml"):
        read_inventory_file(Path("x.yml"), text)


def test_a_file_that_is_encrypted_declares_nothing_that_can_be_seen() -> None:
    assert read_inventory_file(Path("x.yml"), "$ANSIBLE_VAULT;1.1;AES256\n3132\n").entries == {}


def test_secrets_are_referred_to_and_never_written() -> None:
    raw = {"provider": "rfc2136", "server": "192.0.2.53", "key_name": "k", "key_secret": "hunter2hunter2"}
    account = referred_account(raw, "acme")
    assert "hunter2" not in yaml_flow(account) and list(missing_secrets(account)) == ["vault_mailroom_acme_key_secret"]
    given = referred_account({**raw, "key_secret": "{{ my_vault }}"}, "acme")
    assert given["key_secret"] == "{{ my_vault }}" and list(missing_secrets(given)) == []
    assert yaml_flow(given["key_secret"]) == "'{{ my_vault }}'" and referred_account("{{ all }}", "x") == "{{ all }}"
    class_of_others = {
        "provider": "octodns",
        "class": "x.Y",
        "options": {"a": 1},
        "secrets": {"token": "hunter2hunter2"},
    }
    assert "hunter2" not in yaml_flow(referred_account(class_of_others, "acme"))
    nobody_knows = {"provider": "none", "token": "hunter2hunter2"}
    assert "hunter2" not in yaml_flow(referred_account(nobody_knows, "acme"))


@pytest.mark.parametrize(
    ("customer", "group"),
    [
        (None, "domains"),
        ("Acme B.V.", "acme_b_v"),
        ("all", "customer_all"),
        ("Domains", "customer_domains"),
        ("7", "customer_7"),
    ],
)
def test_each_customer_has_a_group(customer: str | None, group: str) -> None:
    assert group_name(customer) == group


def test_two_customers_of_one_group_are_refused(tmp_path: Path) -> None:
    served = zones(tmp_path, acme=SPF, beta=SPF)
    wishes = {"acme.example": AdoptionWish("A-B"), "beta.example": AdoptionWish("A B")}
    with pytest.raises(Refused, match="would both be group a_b"):
        adopted(tmp_path / "inv", ["acme.example", "beta.example"], served.dns_option, served.resolver_option, wishes)


def test_a_wrong_answer_is_refused(tmp_path: Path) -> None:
    served = zones(tmp_path, acme=SPF)
    adopted(tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)
    file = tmp_path / "inv" / "questions.yml"
    file.write_text(file.read_text().replace("  answer:", "  answer: [keep, sendgird]", 1))
    with pytest.raises(Refused, match=r"sendgird.*sendgrid"):
        adopted(tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)
    file.write_text("all: [")
    with pytest.raises(Refused, match=r"questions\.yml"):
        adopted(tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)


def test_without_an_account_nothing_is_asked_and_all_is_listed(tmp_path: Path) -> None:
    served = zones(tmp_path, acme=SPF, beta="@ A 192.0.2.1")
    inventory = tmp_path / "inv"
    found = adopted(inventory, ["acme.example", "beta.example"], None, served.resolver_option)
    assert [one.what for one in found.questions] == ["spf include:spf.afas.online", "spf mx", "account"]
    entry = declared(inventory)["acme.example"]
    assert set(entry) == {"unexplained"} and len(entry["unexplained"]) == 2
    assert site_changes(inventory, served.dns_option, served.resolver_option) == []
    served_now = adopted(inventory, ["acme.example"], served.dns_option, served.resolver_option)
    assert served_now.changed == ["acme.example"]
    assert declared(inventory)["acme.example"]["spf"] == {"terms": ["mx"], "all": "~all"}


def test_a_domain_that_never_sends_is_parked(tmp_path: Path) -> None:
    closed = '@ TXT "v=spf1 -all"\n_dmarc TXT "v=DMARC1; p=reject; sp=reject"\n@ MX 0 .'
    served = zones(tmp_path, acme=closed)
    adopted(tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)
    entry = declared(tmp_path / "inv")["acme.example"]
    assert (entry["parked"], entry["services"], entry["null_mx"]) == (True, [], {})
    assert site_changes(tmp_path / "inv", served.dns_option, served.resolver_option) == []


def test_a_zone_that_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    served = zones(tmp_path, acme=SPF, beta=SPF)
    served.write("beta.example", "no master file")
    found = adopted(tmp_path / "inv", ["acme.example", "beta.example"], served.dns_option, served.resolver_option)
    assert list(found.unread) == ["beta.example"] and found.new == ["acme.example"]
    assert found.questions[0].what in ("unread", "spf include:spf.afas.online")
    served.write("beta.example", zone_text("beta.example", SPF))
    later = adopted(tmp_path / "inv", ["acme.example", "beta.example"], served.dns_option, served.resolver_option)
    assert later.new == ["beta.example"] and list(declared(tmp_path / "inv")) == ["acme.example", "beta.example"]


def test_templates_in_a_record_are_no_templates(tmp_path: Path) -> None:
    served = zones(tmp_path, acme='@ TXT "v=spf1 {{lookup}} mx -all"')
    adopted(tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)
    text = (tmp_path / "inv" / "domains.yml").read_text()
    assert "what: !unsafe 'spf {{lookup}}'" in text and isinstance(TemplateText("x"), str)


def test_reports_tell_how_much_mail_is_behind_what_nobody_can_explain(tmp_path: Path) -> None:
    served = zones(
        tmp_path, acme=f"{SPF.replace('mx ', 'mx ip4:192.0.2.0/24 ip6:2001:db8::1 ')}\nold._domainkey CNAME x.y."
    )
    signed = [{"domain": "acme.example", "selector": "OLD", "result": "pass", "messages": 7}]
    signed += [{"domain": "acme.example", "selector": "old", "result": "fail", "messages": 50}]
    sources: list[dict[str, Any]] = [
        {"source": "192.0.2.7", "reverse_name": "relay.example", "messages": 90, "selectors": signed},
        {"source": "192.0.2.0/25", "reverse_name": None, "messages": 10, "selectors": []},
        {"source": "198.51.100.1", "reverse_name": None, "messages": 5, "selectors": []},
    ]
    reported = {"acme.example": sources}
    options = (tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)
    found = adopted(*options, reported=reported)
    assert [(one.what, one.messages) for one in found.questions[:2]] == [
        ("spf ip4:192.0.2.0/24", 100),
        ("spf include:spf.afas.online", 0),
    ]
    told = {one["what"]: one["evidence"] for one in declared(tmp_path / "inv")["acme.example"]["unexplained"]}
    assert told["spf ip4:192.0.2.0/24"].endswith("30 days: 100 messages from 192.0.2.7 (relay.example), 192.0.2.0/25")
    assert told["spf ip6:2001:db8::1"].endswith("in 30 days: no message")
    assert told["dkim old"].endswith("in 30 days: 7 messages from 192.0.2.7 (relay.example)")
    # nobody serves spf.afas.online here
    assert "not known, as the term cannot be resolved" in told["spf include:spf.afas.online"]


def test_mail_is_counted_for_the_networks_of_an_include(tmp_path: Path) -> None:
    served = zones(
        tmp_path,
        acme='@ TXT "v=spf1 include:spf.busy.example include:spf.quiet.example include:gone.example exists:%{i}.x "'
        ' "~all"',
        busy='spf TXT "v=spf1 include:more.busy.example -ip4:192.0.2.9 ip4:192.0.2.0/25 -all"\n'
        'more TXT "v=spf1 ip6:2001:db8::/32 -all"',
        quiet='spf TXT "v=spf1 ip4:203.0.113.0/24 -all"',
    )
    sources = [
        {"source": one, "reverse_name": None, "messages": 10**number, "selectors": []}
        for number, one in enumerate(["192.0.2.1", "192.0.2.9", "2001:db8::5", "192.0.2.0/24", "198.51.100.1"])
    ]
    options = (tmp_path / "inv", ["acme.example"], served.dns_option, served.resolver_option)
    found = adopted(*options, reported={"acme.example": sources})
    assert [(one.what, one.messages) for one in found.questions[:2]] == [
        ("spf include:spf.busy.example", 101),
        ("spf exists:%{i}.x", 0),
    ]
    told = {one["what"]: one["evidence"] for one in declared(tmp_path / "inv")["acme.example"]["unexplained"]}
    assert told["spf include:spf.busy.example"].endswith("30 days: 101 messages from 192.0.2.1, 2001:db8::5")
    assert told["spf include:spf.quiet.example"].endswith("30 days: no message")
    assert "not known" in told["spf include:gone.example"] and "reported" not in told["spf exists:%{i}.x"]

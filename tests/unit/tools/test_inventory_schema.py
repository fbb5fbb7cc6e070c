# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of an inventory: what is right passes, what is wrong by its name, type or choice is marked there."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailroom.erp.plugins.module_utils.policy.address import BadAddress, domain_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.declared_records import spf_terms_of
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import PREFIXES
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.secret_variables import Secret
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.server_addresses import check_server
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import DECLARATION_VARIABLES
from ansible_collections.mailroom.erp.tests.integration.estate import inventory
from ansible_collections.mailroom.erp.tests.tools.inventory_schema import FILE, schema, schema_text
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.declarations import BASES
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.systems.test_judgement import WARNED, WRONG
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

REPOSITORY = Path(__file__).parents[3]
SCHEMA = schema()
VALIDATOR = Draft7Validator(SCHEMA)
VARIABLES = SCHEMA["definitions"]["variables"]["properties"]
CAUGHT_AT_LEAST = 119
"""Of the wrong declarations. The others break a rule about several values, or about what another file says."""


class Reader(yaml.SafeLoader):
    """Reads what Ansible reads: an encrypted value is a text."""


Reader.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


def errors(value: Any) -> list[str]:
    """The places that are wrong, as an editor marks them."""
    return [".".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(value)]


def as_variables(declared: dict[str, Any]) -> dict[str, Any]:
    """A declaration of the tests of the judgement as the variables of a host."""
    found = {f"erp_mail_{name}": value for name, value in declared.items() if not isinstance(value, Secret)}
    password = declared.get("password")
    found |= {"erp_mail_password": "{{ vault_pw }}"} if isinstance(password, Secret) and password.is_given else {}
    for name in ("made", "signed_domains", "has_tenant"):
        found.pop(f"erp_mail_{name}", None)
    own = found.pop("erp_mail_own_domains", None)
    return {**found, "mail_dns_domains": {name: {} for name in own} if isinstance(own, list) else own}


def test_the_schema_is_what_the_collection_checks() -> None:
    Draft7Validator.check_schema(SCHEMA)
    hint = "python -m ansible_collections.mailroom.erp.tests.tools.inventory_schema writes it anew"
    assert FILE.read_text(encoding="utf-8") == schema_text(), hint


def test_every_variable_of_a_declaration_is_in_it_with_its_type() -> None:
    assert set(DECLARATION_VARIABLES) <= set(VARIABLES)
    untyped = [name for name, value in VARIABLES.items() if not set(value) & {"type", "anyOf", "$ref"}]
    assert [name for name in untyped if name.startswith(PREFIXES)] == []


def test_what_a_play_reads_is_in_it() -> None:
    assert {"mail_rotate_delay", "mail_hosts", "mail_report_dir"} <= set(VARIABLES)


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_a_right_declaration_passes(base: dict[str, Any]) -> None:
    assert errors(as_variables(base)) == []


@pytest.mark.parametrize("row", WARNED, ids=[row["case"] for row in WARNED])
def test_what_is_only_warned_about_passes(row: dict[str, Any]) -> None:
    assert errors(as_variables({**BASES[row["base"]], **row["changes"]})) == []


def test_most_wrong_declarations_are_marked() -> None:
    missed = [row for row in WRONG if not errors(as_variables({**BASES[row["base"]], **row["changes"]}))]
    caught = len(WRONG) - len(missed)
    print(f"{caught} of {len(WRONG)} wrong declarations are marked")
    assert caught >= CAUGHT_AT_LEAST
    # a name, a type or a choice that is wrong by itself is never missed
    alone = re.compile(r"no such|no ERP system|no service|not an? |a list|a dictionary|one address")
    assert [row["case"] for row in missed if alone.search(row["rule"])] == []


OURS = "mail_dns_domains.acme.example"
BAKERY = {"erp_mail_system": "compad_bakkerij", "erp_mail_service": "ziggo"}
KING = {"erp_mail_system": "king_erp", "erp_mail_transport": "smtp_basic", "erp_mail_service": "gmail"}
MARKED: list[tuple[str, Any, str]] = [
    ("misspelled variable", {"erp_mail_systm": "afas_profit"}, ""),
    ("misspelled variable of the DNS", {"mail_dns_domain": {}, "ansible_host": "x"}, ""),
    ("unknown system", {"erp_mail_system": "afas"}, "erp_mail_system"),
    ("unknown service", {"erp_mail_service": "mailchimps"}, "erp_mail_service"),
    ("transport of another system", {**BAKERY, "erp_mail_transport": "exchange"}, "erp_mail_transport"),
    ("unknown sender", {**BAKERY, "erp_mail_senders": {"environment": "a@b.example", "x": "y"}}, "erp_mail_senders"),
    ("no address", {"erp_mail_senders": {"environment": "acme.example"}}, "erp_mail_senders.environment"),
    ("unknown setting", {**BAKERY, "erp_mail_settings": {"prot": 25}}, "erp_mail_settings"),
    ("wrong choice of a setting", {**KING, "erp_mail_settings": {"security": "SSL"}}, "erp_mail_settings.security"),
    ("unknown point", {**BAKERY, "erp_mail_confirmed": ["feilds"]}, "erp_mail_confirmed.0"),
    ("terms are one text", {"erp_mail_spf_terms": "mx"}, "erp_mail_spf_terms"),
    ("a term that ends the record", {"erp_mail_spf_terms": ["mx", "-all"]}, "erp_mail_spf_terms.1"),
    ("selector without target", {"erp_mail_dkim": {"a.example": [{"selector": "s1"}]}}, "erp_mail_dkim.a.example.0"),
    ("unknown provider", {"mail_dns_account": {"provider": "cloudfare"}}, "mail_dns_account.provider"),
    ("no provider", {"mail_dns_account": {"path": "/srv/zones"}}, "mail_dns_account"),
    ("option of another provider", {"mail_dns_account": {"provider": "zonefile", "token": "x"}}, "mail_dns_account"),
    ("unknown key of a domain", {"mail_dns_domains": {"acme.example": {"service": []}}}, OURS),
    ("ttl: yes", {"mail_dns_domains": {"acme.example": {"ttl": True}}}, f"{OURS}.ttl"),
    ("services are one name", {"mail_dns_domains": {"acme.example": {"services": "gmail"}}}, f"{OURS}.services"),
    ("policy", {"mail_dns_domains": {"acme.example": {"dmarc": {"policy": "rejct"}}}}, f"{OURS}.dmarc.policy"),
    ("unknown tag", {"mail_dns_domains": {"acme.example": {"dmarc": {"polcy": "none"}}}}, f"{OURS}.dmarc"),
    ("SPF of a module", {"mail_dns_domains": {"acme.example": {"spf": {"create": True}}}}, f"{OURS}.spf"),
    ("a domain with a space", {"mail_dns_domains": {"ac me.example": {}}}, "mail_dns_domains"),
    ("on_refused", {"mail_on_refused": "skp"}, "mail_on_refused"),
    ("probe", {"mail_probe": "maybe"}, "mail_probe"),
    ("days are a text", {"mail_entra_secret": {"lifetime": "long"}}, "mail_entra_secret.lifetime"),
    ("access", {"mail_entra_access": "mailbox"}, "mail_entra_access"),
    ("unknown way to sign in", {"mail_entra_tenant": {"tenant_id": "x", "password": "y"}}, "mail_entra_tenant"),
    ("days of reports", {"mail_reports_retention": "a year"}, "mail_reports_retention"),
    ("what a night fails on", {"mail_report_fail_on": ["drifts"]}, "mail_report_fail_on.0"),
    ("a service of one's own", {"erp_mail_catalogue_services": {"x": {"titel": "X"}}}, "erp_mail_catalogue_services.x"),
    ("in an inventory", {"all": {"hosts": {"x": {"erp_mail_state": "gone"}}}}, "all.hosts.x.erp_mail_state"),
    ("in a group of a group", {"all": {"children": {"x": {"vars": {"mail_dns_x": 1}}}}}, "all.children.x.vars"),
    ("yes is no system", {"erp_mail_system": True}, "erp_mail_system"),
]


@pytest.mark.parametrize(("value", "place"), [row[1:] for row in MARKED], ids=[row[0] for row in MARKED])
def test_what_is_wrong_is_marked_where_it_stands(value: Any, place: str) -> None:
    assert place in errors(value)


def documented() -> Iterator[tuple[str, Any]]:
    """The files of variables in the documentation, demo and examples; a block may hold several, each after its name."""
    for file in [REPOSITORY / "README.md", *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("roles/*/README.md")]:
        for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", file.read_text("utf-8"), re.M | re.S)):
            for part, text in enumerate(re.split(r"^# (?:host|group)_vars/.*$", block, flags=re.M)):
                found = yaml.load(text, Reader)
                if isinstance(found, dict) and any(re.match("(erp_)?mail_", str(name)) for name in found):
                    yield f"{file.relative_to(REPOSITORY)} {number + 1}.{part}", found
    copied = ("playbooks/demo/company/**/*.yml", "examples/*/inventory/**/*.yml", "examples/*/vars/*.yml")
    for file in sorted(file for pattern in copied for file in REPOSITORY.glob(pattern)):
        text = file.read_text("utf-8")
        if not text.startswith("$ANSIBLE_VAULT"):
            yield str(file.relative_to(REPOSITORY)), yaml.load(text, Reader)
    molecule = REPOSITORY / "extensions" / "molecule" / "inventory.yml"
    yield "molecule", yaml.load(molecule.read_text("utf-8"), Reader)


DOCUMENTED = dict(documented())
NOT_OF_THIS_COLLECTION = ["erp_mail_service", "erp_mail_system"]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_examples_pass(name: str) -> None:
    """All but the names of the example of a catalogue of one's own, which no schema knows."""
    found = DOCUMENTED[name]
    assert errors(found) == (NOT_OF_THIS_COLLECTION if found.get("erp_mail_system") == "ledger" else [])


def test_there_are_examples() -> None:
    assert len([name for name in DOCUMENTED if name.startswith("docs/inventory.md")]) >= 8
    assert len([name for name in DOCUMENTED if name.startswith("playbooks/demo/")]) >= 10
    assert {name.split("/")[1] for name in DOCUMENTED if name.startswith("examples/")} == {"awx", "company", "provider"}


def test_an_inventory_of_the_tests_passes() -> None:
    assert errors(inventory()) == []


def with_templates(value: Any) -> Iterator[Any]:
    """A value with a template in the place of one part, for each of its parts."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            for other in ("{{ elsewhere }}", *with_templates(inner)):
                changed = copy.copy(value)
                changed[key] = other
                yield changed


OF_VARIABLES = [name for name in DOCUMENTED if re.match(r"docs/inventory|playbooks/demo/.*_vars/", name)]


@pytest.mark.parametrize("name", OF_VARIABLES)
def test_a_template_is_right_wherever_a_value_is(name: str) -> None:
    found = [errors(changed) for changed in with_templates(DOCUMENTED[name])]
    assert [one for one in found if one] == []


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_variable_may_be_a_template_or_nothing(name: str) -> None:
    assert errors({name: "{{ elsewhere }}", "other": 1}) == errors({name: None, "other": 1}) == []


LABELS = st.text("ab1-_é.", min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.text("ab1.+'_ -é", min_size=1, max_size=12), LABELS, LABELS)
def test_an_address_that_the_run_takes_passes(local: str, one: str, two: str) -> None:
    address = f"{local}@{one}.{two}"
    try:
        domain_of(address)
    except BadAddress:
        return
    assert errors({"erp_mail_envelope_from": address}) == []


@settings(max_examples=150, deadline=None)
@given(st.text("ab1.-:é_", min_size=1, max_size=14))
def test_a_server_that_the_run_takes_passes(host: str) -> None:
    try:
        check_server(host)
    except BadAddress:
        return
    assert errors({"erp_mail_system": "tryton", "erp_mail_settings": {"host": host}}) == []


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["", "+"]),
    st.sampled_from(["ip4", "IP4", "ip6", "include", "Include", "exists", "a", "mx", "MX", "ptr"]),
    st.one_of(st.just(""), st.text("12.:/abf%{i}-_", max_size=12), st.ip_addresses().map(lambda one: f":{one}")),
)
def test_a_term_that_the_run_takes_passes(qualifier: str, mechanism: str, rest: str) -> None:
    term, findings = f"{qualifier}{mechanism}{rest}", Findings("env_1")
    spf_terms_of([term], findings)
    assert findings.all or errors({"erp_mail_spf_terms": [term]}) == []

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way out of a run of ``site`` exists in the inventory: all problems of the source are walked, one by one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.domains import delegation
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import shared_spec
from ansible_collections.mailroom.erp.plugins.module_utils.domains.inventory_words import (
    _OF_A_DOMAIN,
    _OF_THE_RUN,
    _OTHERWISE,
    failure_text,
    inventory_option,
    refusal_text,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import KIND_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_table import RECORD_KINDS
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, Problem, Refused, WayOut
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import DOMAIN_KEYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_spf import DECLARED_SPF_KEYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import DECLARATION_VARIABLES
from ansible_collections.mailroom.erp.tests.tools.source_problems import called

PLUGINS = Path(delegation.__file__).parents[2]
OF_MODULES = ("module_utils/domains", "module_utils/snapshots", "module_utils/policy")
OF_INVENTORIES = ("plugin_utils/estate", "plugin_utils/declaration", "plugin_utils/systems")
"""Where the problems of a run of ``site`` are made. Tasks read the first ones, too; the others only inventories do."""
NOT_IN_SITE = ("restore.py", "restore_plan.py", "snapshot_file.py", "audit.py", "audit_run.py")
LAST = {
    "Problem": 5,
    "problem": 4,
    "told": 4,
    "MergeError": 2,
    "check_is_here": 3,
    "read_name": 3,
    "error": 4,
    "warn": 4,
}
"""What takes a way out, and its place among the arguments."""

KEYS = {kind.option: set(kind.options) for kind in RECORD_KINDS if kind.declared} | {"spf": set(DECLARED_SPF_KEYS)}
OPTIONS = (
    {name for kind in RECORD_KINDS for name in kind.options}
    | set(KIND_OPTIONS)
    | set(shared_spec())
    | {"src", "domains", "accounts", "senders", "allow_failing_senders", "ttl"}
)
PLAIN = re.compile(r"`([a-z_]+)`|\b([a-z]+(?:_[a-z]+)*): (?=[\[{a-z])|\b([a-z]+_[a-z_]+)\b|\(([a-z_]+)\)")
"""What looks like an option in a sentence: quoted, with a value, with an underscore, or alone in brackets."""
VARIABLE = re.compile(r"\b(?:erp_mail|mail_dns|mail_entra)_[a-z_]+")


@dataclass(frozen=True)
class Told:
    """One way out as the source has it: its fixed text, and the options that it names."""

    where: str
    text: str
    options: tuple[str, ...]


def told_ways_out() -> Iterator[Told]:
    """Every way out of every file."""
    for folder in (*OF_MODULES, *OF_INVENTORIES):
        for file in sorted((PLUGINS / folder).rglob("*.py")):
            if file.name not in NOT_IN_SITE:
                yield from _ways_out(file)


def _ways_out(file: Path) -> Iterator[Told]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign) for target in _names(node)}
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        values = module | _assigned(function)
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            place = LAST.get(called(call))
            if place is not None and len(call.args) > place:
                text, options = _content(call.args[place], values)
                yield Told(f"{file.relative_to(PLUGINS)}:{call.lineno}", text, options)


def _names(node: ast.Assign) -> list[ast.Name]:
    return [target for target in node.targets if isinstance(target, ast.Name)]


def _assigned(function: ast.FunctionDef) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in (one for one in ast.walk(function) if isinstance(one, ast.Assign)):
        found |= {target.id: node.value for target in _names(node)}
        for target in (one for one in node.targets if isinstance(one, ast.Tuple)):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else []
            found |= {
                name.id: value for name, value in zip(target.elts, values, strict=False) if isinstance(name, ast.Name)
            }
    return found


def _content(node: ast.expr, values: dict[str, ast.expr]) -> tuple[str, tuple[str, ...]]:
    """The fixed text of an expression, and its options; what only a run knows is left out."""
    if isinstance(node, ast.Name) and node.id in values:
        return _content(values[node.id], {name: value for name, value in values.items() if name != node.id})
    if isinstance(node, ast.Call) and called(node) == "Option":
        return "", (_content(node.args[0], values)[0],)
    if isinstance(node, ast.Constant):
        return str(node.value), ()
    parts = [_content(one, values) for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)]
    # a blank, because the parts of a condition stand side by side
    return " ".join(text for text, _options in parts), tuple(option for _text, found in parts for option in found)


WAYS_OUT = list(told_ways_out())


def exists(name: str) -> bool:
    """Whether an inventory may say so: a variable, or a key of a domain."""
    path = name.partition(":")[0].partition(",")[0]
    if not path.startswith("mail_dns_domains.acme.example."):
        return path in DECLARATION_VARIABLES
    key, _dot, inner = path.removeprefix("mail_dns_domains.acme.example.").partition(".")
    return key in DOMAIN_KEYS and (not inner or inner in KEYS[key])


def test_the_walk_finds_the_problems() -> None:
    for folder in (*OF_MODULES, *OF_INVENTORIES):
        assert any(told.where.startswith(folder) for told in WAYS_OUT)
    assert len(WAYS_OUT) > 200
    named = {option for told in WAYS_OUT for option in told.options}
    assert {"spf.on_duplicate: merge", "spf.lookup_limit: warn", "spf.state: absent", "spf.flatten", "dns"} <= named


@pytest.mark.parametrize("told", WAYS_OUT, ids=[told.where for told in WAYS_OUT])
def test_every_way_out_names_what_the_inventory_has(told: Told) -> None:
    names = [inventory_option("acme.example", option) for option in told.options]
    assert [name for name in names if not exists(name)] == []
    variables = VARIABLE.findall(told.text)
    assert [name for name in variables if name not in DECLARATION_VARIABLES] == []
    bare = {name for found in PLAIN.findall(VARIABLE.sub("", told.text)) for name in found if name in OPTIONS}
    assert told.where.startswith(OF_INVENTORIES) or not bare, (
        "wrap it in Option, so that each user reads the name he has"
    )


PROBLEM = Problem(
    "acme.example", "spf.terms", None, "a rule", "a page", WayOut(("Use ", Option("spf.on_duplicate: merge"), "."))
)


@pytest.mark.parametrize("option", sorted({*_OTHERWISE, *_OF_THE_RUN, *_OF_A_DOMAIN}))
def test_every_name_of_the_table_exists(option: str) -> None:
    assert exists(inventory_option("acme.example", option))


def test_a_task_and_an_inventory_read_each_their_own_names() -> None:
    refused = Refused(PROBLEM)
    assert refusal_text(refused, {}) == "acme.example: spf.terms: a rule (a page). Use on_duplicate: merge."
    assert refusal_text(refused, {"inventory_domains": []}) == (
        "acme.example: mail_dns_domains.acme.example.spf.terms: a rule (a page). "
        "Use mail_dns_domains.acme.example.spf.on_duplicate: merge."
    )


def test_what_a_dns_service_says_of_its_account_names_the_variable() -> None:
    said = "192.0.2.53 did not answer. Check dns.server, dns.port and not ns.dns.server.example or dns.google"
    assert failure_text(said, {}) == said
    assert failure_text(said, {"inventory_domains": ["acme.example"]}) == (
        "192.0.2.53 did not answer. Check mail_dns_account.server, mail_dns_account.port and not "
        "ns.dns.server.example or dns.google"
    )


def test_a_selector_belongs_to_its_domain() -> None:
    name = inventory_option("s1._domainkey.acme.example", "dkim.validate: warn")
    assert name == "mail_dns_domains.acme.example.dkim.validate: warn"


def test_an_option_inside_another_one_of_the_run_has_its_variable() -> None:
    assert inventory_option("task", "resolver.port") == "mail_dns_resolver.port"
    assert inventory_option("acme.example", "dns.timeout") == "mail_dns_account.timeout"


@pytest.mark.parametrize("place", ["SPF record", "delegation", "task", "verdict"])
def test_what_is_no_option_stays(place: str) -> None:
    assert inventory_option("acme.example", place) == place

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema of what an inventory may say, for editors: made from what checks it at run time.

The types come from the argument specs of the roles, from the options of modules that tasks give a variable to, and for
what the collection judges itself from the tables that the judgement reads. A new variable of a role is in it by itself.

``python -m ansible_collections.mailroom.erp.tests.tools.inventory_schema`` writes docs/schema/inventory-1.json anew; a
test compares.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.action import erp_environments_plan
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import (
    ENTRY_OPTIONS,
    THRESHOLD_OPTIONS,
)
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind_options import (
    FLATTEN_OPTIONS,
    KIND_OPTIONS,
    SPF_ESTATE_OPTIONS,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import MODULE_OPTIONS, TENANT_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver_options import RESOLVER_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_probe_options import LONGEST_PROBE_NAME
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import CONSENT_KEYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.host_declaration import PREFIXES
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_domains import DOMAIN_KEYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.declared_spf import DECLARED_SPF_KEYS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import ACCESS_KINDS
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.unexplained_records import UNEXPLAINED_KEY
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.judgement import DECLARATION_VARIABLES, STATES
from ansible_collections.mailroom.erp.tests.tools.catalogue_schema import schemas as catalogue_schemas
from ansible_collections.mailroom.erp.tests.tools.spec_schema import (
    JINJA,
    Schema,
    given,
    list_of,
    matching,
    named,
    record,
    spec_record,
    spec_value,
)
from ansible_collections.mailroom.erp.tests.tools.system_schema import (
    ADDRESS,
    GUID,
    NAME_PATTERN,
    confirmed_points,
    senders_of_all,
    settings_of_all,
    system_rules,
)

REPOSITORY = Path(__file__).parents[2]
FILE = REPOSITORY / "docs" / "schema" / "inventory-1.json"
_MARKUP = re.compile(r"\b[A-Z]\(([^)]*)\)")
_HANDED_ON = re.compile(r"\{\{\s*((?:erp_mail|mail)_\w+)\s*(?:(?:\||if\b)[^}]*)?\}\}")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_VARIABLE = re.compile(r"(?<![\w.'])mail_[a-z_]+\b(?![('])")
_IP4 = r"((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.(?=[0-9])|(?=/|$))){4}(/[0-9]{1,2})?"
_MECHANISMS = ("ip4", "ip6", "include", "exists", "a", "mx", "ptr")
_ANY_REST = "([:/]\\S*)?"
_MADE_BY_ROLES = ("erp_mail_needs", "mail_entra_made", "mail_entra_store_read")


def schema() -> Schema:
    """The whole schema: of a file of variables, or of an inventory in YAML."""
    catalogue = Catalogue()
    variables: Schema = {"$ref": "#/definitions/variables"}
    groups = _nullable(additionalProperties={"$ref": "#/definitions/group"})
    parts = {"vars": variables, "hosts": _nullable(additionalProperties=variables), "children": groups}
    any_part: Schema = {name: {} for name in parts}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "What an inventory says to mailroom.erp",
        "description": "Variables of hosts and groups, or hosts and groups with them; docs/inventory.md explains them.",
        "if": _nullable(additionalProperties=_nullable(additionalProperties=False, properties=any_part)),
        "then": groups,
        "else": variables,
        "definitions": {
            "group": _nullable(properties=parts),
            "variables": _file_of_variables(catalogue),
            **_definitions(catalogue),
        },
    }


def _nullable(**keywords: Any) -> Schema:
    return {"type": ["object", "null"], **keywords}


def _file_of_variables(catalogue: Catalogue) -> Schema:
    variables = _variables(catalogue)
    stray = {"not": {"pattern": f"^({'|'.join(PREFIXES)})"}}
    known = sorted(
        {*DECLARATION_VARIABLES, *_MADE_BY_ROLES, *(name for name in variables if name.startswith(PREFIXES))}
    )
    return {
        "type": ["object", "null"],
        "propertyNames": {"anyOf": [stray, {"enum": known}]},
        "properties": variables,
        "allOf": system_rules(catalogue),
    }


def schema_text() -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema(), indent=1) + "\n"


def _variables(catalogue: Catalogue) -> dict[str, Schema]:
    """Each variable: what the collection judges itself, else what a role or a module says of its type."""
    own = {
        name: value
        for shapes in (_of_environment(catalogue), _of_run(), _of_tenant())
        for name, value in shapes.items()
    }
    options = {**dict(_module_options()), **dict(_role_options())}
    typed = {name: spec_value(option) for name, option in options.items()}
    found: dict[str, Schema] = {**{name: {} for name in _read_variables()}, **typed, **own}
    return {name: _described(found[name], options.get(name)) for name in sorted(found)}


def _of_environment(catalogue: Catalogue) -> dict[str, Schema]:
    systems = [catalogue.system(name) for name in catalogue.names("systems")]
    points = sorted({point.id for system in systems for point in system.checklist})
    texts = given({"type": ["string", "array"], "items": {"type": "string"}})
    return {
        "erp_mail_system": named(catalogue.names("systems")),
        "erp_mail_state": named(STATES),
        "erp_mail_transport": named(sorted({one.id for system in systems for one in system.transports})),
        "erp_mail_service": {"$ref": "#/definitions/service"},
        "erp_mail_senders": senders_of_all(systems),
        "erp_mail_settings": settings_of_all(systems),
        "erp_mail_spf_terms": list_of(_term()),
        "erp_mail_dkim": _by_domain(list_of({"$ref": "#/definitions/given_record"})),
        "erp_mail_consent": _consent(),
        "erp_mail_envelope_from": ADDRESS,
        "erp_mail_probe_from": given(
            {"type": "string", "pattern": f"^[^\\u0000-\\u001f\\u007f]{{1,{LONGEST_PROBE_NAME}}}$"}
        ),
        "erp_mail_confirmed": confirmed_points(points),
        "erp_mail_password": given({"type": ["string", "number"]}),
        "erp_mail_file_restart": texts,
        "erp_mail_catalogue_systems": _keyed({"$ref": "#/definitions/catalogue_system"}),
        "erp_mail_catalogue_services": _keyed({"$ref": "#/definitions/catalogue_service"}),
    }


def _term() -> Schema:
    """A term that names servers, as ``declared_records`` takes it."""
    either_case = {name: re.sub("[a-z]", lambda one: f"[{one[0]}{one[0].upper()}]", name) for name in _MECHANISMS}
    rests = {"ip4": f":{_IP4}", "ip6": ":[0-9A-Fa-f:.]+(/[0-9]{1,3})?", "include": ":\\S+", "exists": ":\\S+"}
    forms = (f"{pattern}{rests.get(name, _ANY_REST)}" for name, pattern in either_case.items())
    rule = f"A term names servers that send, by: {', '.join(_MECHANISMS)}."
    return matching(f"^\\+?({'|'.join(forms)})$", rule)


_DAY: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def _of_run() -> dict[str, Schema]:
    """What is the same for the whole run."""
    return {
        "mail_dns_account": {"$ref": "#/definitions/account"},
        "mail_dns_domains": _by_domain({"$ref": "#/definitions/domain"}),
        "mail_dns_resolver": given(spec_record(RESOLVER_OPTIONS)),
        "mail_reports_thresholds": given(spec_record(THRESHOLD_OPTIONS)),
        "mail_on_refused": named(erp_environments_plan._CHOICES),
        "mail_probe": spec_value({"type": "bool"}),
        "mail_confirmed_cautions": list_of({"type": ["string", "number"]}),
        "mail_hosts": given({"type": "string"}),
        "mail_plan": given({"type": "string"}),
        "mail_plan_allowed_signers": given({"type": "string"}),
        "mail_plan_signatures": given({"type": "integer"}),
        "mail_plan_valid": given({"type": "integer"}),
        "mail_offboard_stopped": given({"type": "object", "additionalProperties": given(_DAY)}),
        "mail_offboard_final": given({"type": ["boolean", "array"], "items": {"type": "string"}}),
        "mail_offboard_domains": list_of({"type": "string"}),
        "mail_offboard_customers": list_of({"type": "string"}),
        "mail_adopt_dir": given({"type": "string"}),
        "mail_adopt_tenants": list_of(given(spec_record(TENANT_OPTIONS))),
        "mail_adopt_domains": given(
            {
                "type": ["array", "object"],
                "items": {"type": "string"},
                "propertyNames": {"pattern": f"^{NAME_PATTERN}$"},
                "additionalProperties": {**record(_adopted()), "type": ["object", "null"]},
            }
        ),
    }


def _adopted() -> dict[str, Schema]:
    """What may be said of a domain that is adopted."""
    return {
        "customer": given({"type": "string"}),
        "zone": given({"type": "string"}),
        "dns": {"$ref": "#/definitions/account"},
        "selectors": list_of({"type": "string"}),
    }


def _of_tenant() -> dict[str, Schema]:
    credential = MODULE_OPTIONS["entra_app_credential"]
    days = {name: given({"type": "integer"}) for name in ("lifetime", "renew_before", "overlap")}
    texts = list_of({"type": "string"})
    return {
        "mail_entra_tenant": given(spec_record(TENANT_OPTIONS)),
        "mail_entra_access": named(ACCESS_KINDS),
        "mail_entra_unique_name": given({"type": "string"}),
        "mail_entra_display_name": given({"type": "string"}),
        "mail_entra_owners": texts,
        "mail_entra_secret": given(record({**days, "end_unconfirmed": spec_value(credential["end_unconfirmed"])})),
        "mail_entra_secret_made_before": given({"type": "string"}),
        "mail_entra_confirmed_key_id": given({"type": "string"}),
        "mail_entra_confirmed_assignments": texts,
        "mail_entra_customer": given({"type": "string"}),
        "mail_entra_secrets": {"type": ["object", "string", "null"]},
    }


def _definitions(catalogue: Catalogue) -> dict[str, Schema]:
    """The parts that several variables have."""
    parts = {f"catalogue_{name.partition('.')[0]}": part for name, part in catalogue_schemas().items()}
    return {
        "service": named(catalogue.names("services")),
        "account": given(_account()),
        "domain": given(_domain()),
        "given_record": {
            "description": "A selector that was given out: an alias, or a key; or the alias of the envelope sender.",
            "anyOf": [_texts("selector", "target"), _texts("selector", "public_key"), _texts("name", "target"), JINJA],
        },
        **{name: {key: value for key, value in part.items() if key != "$schema"} for name, part in parts.items()},
    }


def _account() -> Schema:
    """A DNS account: the options of its provider, and no others."""
    names = sorted({name for one in PROVIDERS.values() for name in one.options})
    return {
        "type": "object",
        "required": ["provider"],
        "properties": {"provider": named(PROVIDERS), **dict.fromkeys(names, True)},
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"type": "object", "properties": {"provider": {"const": one.name}}, "required": ["provider"]},
                "then": spec_record({"provider": {"type": "str"}, **one.options}),
            }
            for one in PROVIDERS.values()
        ],
    }


def _domain() -> Schema:
    """What may be declared for a domain that is ours."""
    spf = spec_record({key: SPF_ESTATE_OPTIONS[key] for key in DECLARED_SPF_KEYS})
    known = {
        "services": list_of({"$ref": "#/definitions/service"}),
        "parked": given({"type": "boolean"}),
        "customer": {"anyOf": [spec_value({"type": "str"}), list_of({"type": "string"})]},
        "dns": {"$ref": "#/definitions/account"},
        "spf": given(spf),
        "flatten": list_of({"type": "string"}),
        "flatten_refresh": given({"type": "integer"}),
        UNEXPLAINED_KEY: list_of(
            record({key: given({"type": "string"}) for key in ("what", "evidence")}, ["what", "evidence"])
        ),
    }
    others = {**ENTRY_OPTIONS, **KIND_OPTIONS, **FLATTEN_OPTIONS}
    typed = {key: spec_value(others[key]) for key in DOMAIN_KEYS if key in others}
    return record(
        {**dict.fromkeys(DOMAIN_KEYS, True), **typed, **{key: known[key] for key in DOMAIN_KEYS if key in known}}
    )


def _consent() -> Schema:
    scopes = given({"type": "array", "minItems": 1, "items": {"type": "string"}})
    return given(record({key: scopes if key == "scopes" else GUID for key in CONSENT_KEYS}))


def _keyed(value: Schema) -> Schema:
    """A dictionary by names of the user's own."""
    return given({"type": "object", "additionalProperties": value})


def _by_domain(value: Schema) -> Schema:
    name = {"pattern": f"^{NAME_PATTERN}$"}
    return given({"type": "object", "propertyNames": name, "additionalProperties": value})


def _texts(*names: str) -> Schema:
    text = given({"type": ["string", "number"], "pattern": "^\\S+$", "patternErrorMessage": "It has no spaces."})
    return record(dict.fromkeys(names, text), names)


def _role_options() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for file in sorted(REPOSITORY.glob("roles/*/meta/argument_specs.yml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            yield from entry.get("options", {}).items()


def _plays() -> list[Path]:
    return sorted([*REPOSITORY.glob("playbooks/*.yml"), *REPOSITORY.glob("roles/*/tasks/*.yml")])


def _read_variables() -> set[str]:
    """The variables that expressions of plays read, of whatever type."""
    texts = (text for file in _plays() for text in _texts_in(yaml.safe_load(file.read_text(encoding="utf-8"))))
    return {
        name for text in texts for expression in _EXPRESSION.findall(text) for name in _VARIABLE.findall(expression)
    }


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _texts_in(inner)


def _module_options() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The variables that a task gives to an option as they are, with that option."""
    for file in _plays():
        for task in _dictionaries(yaml.safe_load(file.read_text(encoding="utf-8"))):
            for module, arguments in task.items():
                if str(module).startswith("mailroom.erp.") and isinstance(arguments, Mapping):
                    yield from _handed_on(str(module).rpartition(".")[2], arguments)


def _handed_on(module: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    options = _documented_options(module)
    for name, value in arguments.items():
        found = _HANDED_ON.fullmatch(value) if isinstance(value, str) else None
        if found and name in options and not found[1].startswith("erp_mail_"):
            yield found[1], options[name]


def _documented_options(module: str) -> Mapping[str, Any]:
    file = REPOSITORY / "plugins" / "modules" / f"{module}.py"
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            found = yaml.safe_load(ast.literal_eval(node.value))
            shared = map(_fragment_options, found.get("extends_documentation_fragment") or ())
            return {key: value for options in (*shared, found.get("options") or {}) for key, value in options.items()}
    return {}


def _fragment_options(fragment: str) -> Mapping[str, Any]:
    """The options that a documentation has from elsewhere, e.g. ``mailroom.erp.dns.resolver``."""
    file, _dot, part = fragment.removeprefix("mailroom.erp.").partition(".")
    module = importlib.import_module(f"ansible_collections.mailroom.erp.plugins.doc_fragments.{file}")
    text = getattr(module.ModuleDocFragment, part.upper() or "DOCUMENTATION")
    options: Mapping[str, Any] = yaml.safe_load(text).get("options") or {}
    return options


def _dictionaries(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _dictionaries(inner)


def _described(value: Schema, option: Mapping[str, Any] | None) -> Schema:
    """With what a role or a module says about it, which an editor shows beside the name."""
    said = (option or {}).get("description") or ""
    text = " ".join(said) if isinstance(said, list) else str(said)
    return {"description": _MARKUP.sub(r"\1", text), **value} if text else value


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")

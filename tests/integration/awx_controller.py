# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX does before a job starts, told again from its source (ansible/awx, devel of 2024-10-23): what a credential
type, a survey and a schedule may hold, and what a job gets of a credential."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_NAME = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
_VARIABLE = re.compile(r"[a-zA-Z_{}]+[a-zA-Z0-9_{}]*")
_FIELD_TYPES: dict[str, Any] = {
    "id": str,
    "label": str,
    "help_text": str,
    "type": str,
    "format": str,
    "choices": list,
    "multiline": bool,
    "secret": bool,
    "ask_at_runtime": bool,
    "default": (str, bool),
}
_QUESTION_TYPES = {"text": str, "textarea": str, "password": str, "integer": int, "float": float}
_CHOICES = ("multiplechoice", "multiselect")


class _Loader(yaml.SafeLoader):
    """Reads what Ansible reads; what is marked as no template of Ansible's is plain text."""


def _text(loader: yaml.SafeLoader, node: Any) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("!unsafe", _text)


class _UnsafeDumper(yaml.SafeDumper):
    """Marks each text as no template, as AWX's ``safe_dump`` does."""

    def represent_data(self, data: Any) -> yaml.Node:
        if isinstance(data, str):
            return self.represent_scalar("!unsafe", data)
        return super().represent_data(data)


def read_variables(file: Path) -> dict[str, Any]:
    """A file of variables, with templates as texts."""
    loaded: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    return loaded


def credential_type_problems(kind: Mapping[str, Any]) -> list[str]:
    """What AWX refuses of a credential type.

    Source: CredentialTypeInputField and CredentialTypeInjectorField, awx/main/fields.py.
    """
    fields = kind["inputs"]["fields"]
    problems = [*_misnamed("inputs", kind["inputs"], {"fields", "required"})]
    problems += _misnamed("injectors", kind["injectors"], {"extra_vars", "env", "file"})
    for one in fields:
        problems += _field_problems(one)
    names = [one.get("id") for one in fields]
    problems += [f"{name} stands twice" for name in {one for one in names if names.count(one) > 1}]
    problems += [f"required {name} is no field" for name in kind["inputs"].get("required", []) if name not in names]
    for name, _value in kind["injectors"].get("extra_vars", {}).items():
        problems += [] if _VARIABLE.fullmatch(name) else [f"{name} is no name of a variable"]
    for template in _templates(kind["injectors"]):
        problems += _template_problems(template, names)
    return problems


def _field_problems(one: Mapping[str, Any]) -> list[str]:
    name, kind = one.get("id", ""), one.get("type", "string")
    wrong = [key for key, value in one.items() if not isinstance(value, _FIELD_TYPES.get(key, ()))]
    problems = [f"{name}.{key} is unknown, or of a wrong type" for key in wrong]
    problems += [f"{key} is missing" for key in ("id", "label") if key not in one]
    if kind not in ("string", "boolean") or one.get("format", "url") not in ("ssh_private_key", "url"):
        problems.append(f"{name}: type or format")
    if not _NAME.fullmatch(name) or name == "tower":
        problems.append(f"{name}: no name of a field")
    if kind != "string":
        problems += [
            f"{name}.{key} is for strings" for key in ("choices", "multiline", "format", "secret") if key in one
        ]
    if "default" in one and not isinstance(one["default"], {"string": str, "boolean": bool}.get(kind, str)):
        problems.append(f"{name}.default is of a wrong type")
    return problems


def _template_problems(template: Any, names: list[Any]) -> list[str]:
    """Each leaf is rendered as a template, with nothing but the fields."""
    if not isinstance(template, str):
        return [f"{template!r} is no text"]
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    try:
        environment.from_string(template).render(dict.fromkeys(names, "EXAMPLE"))
    except TemplateError as error:
        return [f"{template}: {error}"]
    return []


def _templates(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _templates(one)
    elif isinstance(value, list):
        for one in value:
            yield from _templates(one)
    else:
        yield value


def _misnamed(where: str, value: Mapping[str, Any], known: set[str]) -> list[str]:
    return [f"{where}.{name} is unknown" for name in sorted(set(value) - known)]


def survey_problems(survey: Mapping[str, Any]) -> list[str]:
    """What AWX refuses of a survey. Source: JobTemplateSurveySpec, awx/api/views/__init__.py."""
    problems = [f"{name} is missing" for name in ("name", "description", "spec") if not survey.get(name)]
    variables = [one.get("variable") for one in survey["spec"]]
    problems += [f"{name} is asked twice" for name in {one for one in variables if variables.count(one) > 1}]
    for one in survey["spec"]:
        kinds = {"type": str, "question_name": str, "variable": str, "required": bool}
        problems += [f"{name} of a question" for name, kind in kinds.items() if not isinstance(one.get(name), kind)]
        problems += [f"{name} of a question" for name in ("min", "max") if not isinstance(one.get(name, 0), int)]
        kind = one["type"]
        if kind not in (*_QUESTION_TYPES, *_CHOICES) or (kind in _CHOICES and "choices" not in one):
            problems.append(f"type {kind}")
        elif "default" in one and not isinstance(one["default"], _QUESTION_TYPES.get(kind, str)):
            problems.append(f"default of {one['variable']}")
    return problems


def rrule_problems(rule: str) -> list[str]:
    """What AWX refuses of a schedule's rule. Source: ``validate_rrule`` in awx/api/serializers.py."""
    starts = re.findall(r"DTSTART(?:;TZID=[^:]+:\d{8}T\d{6}|:\d{8}T\d{6}Z)", rule)
    rules = re.findall(r"RRULE:(\S+)", rule)
    problems = [] if len(starts) == 1 else ["one DTSTART with a time zone"]
    problems += [] if rules else ["no RRULE"]
    for one in rules:
        parts = dict(part.split("=") for part in one.split(";"))
        if "INTERVAL" not in parts or parts.get("FREQ") not in (
            "MINUTELY",
            "HOURLY",
            "DAILY",
            "WEEKLY",
            "MONTHLY",
            "YEARLY",
        ):
            problems.append(f"FREQ and INTERVAL: {one}")
        if re.search(r"\d", parts.get("BYDAY", "")) or {"COUNT", "UNTIL"} <= set(parts):
            problems.append(f"BYDAY, COUNT and UNTIL: {one}")
    return problems


def inject(kind: Mapping[str, Any], values: Mapping[str, str], folder: Path) -> list[str]:
    """Give a job what it gets of a credential: a file of variables, whose texts are no templates.

    Source: CredentialType.inject_credential, awx/main/models/credential.py.

    :param values: what a person typed into the fields; what was left empty is no variable of the templates
    :param folder: for the file
    :returns: more arguments of ansible-playbook
    """
    fields = {one["id"]: one for one in kind["inputs"]["fields"]}
    unknown = set(values) - set(fields) or set(kind["inputs"]["required"]) - set(values)
    assert not unknown, f"AWX refuses the credential: {unknown}"
    typed = {name: value for name, value in values.items() if value}
    for name in typed:
        if fields[name].get("format") == "ssh_private_key":
            assert re.match(r"-----BEGIN (RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----", typed[name]), (
                "AWX refuses it"
            )
            typed[name] = typed[name].rstrip("\n") + "\n"
    environment = ImmutableSandboxedEnvironment()

    def rendered(node: Any) -> Any:
        if isinstance(node, Mapping):
            return {rendered(name): rendered(value) for name, value in node.items()}
        if isinstance(node, list):
            return [rendered(one) for one in node]
        return environment.from_string(node).render(typed)

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"credential{len(list(folder.iterdir()))}"
    file.write_text(yaml.dump(rendered(kind["injectors"]["extra_vars"]), Dumper=_UnsafeDumper), encoding="utf-8")
    file.chmod(0o400)
    return ["-e", f"@{file}"]

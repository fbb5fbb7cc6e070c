# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Where a secret variable stands, told from its raw, untemplated value: the secret itself is never read out.

ansible-core 2.18 marks raw values with classes and a position, 2.19 and later with tags; this file knows both.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import secret_options
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import PROVIDERS
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import TENANT_SECRETS
from ansible_collections.mailroom.erp.plugins.module_utils.secret_rules import looks_secret

_REFERENCE = re.compile(
    r"\s*\{\{\s*([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*|\[['\"][^'\"]+['\"]\])*)\s*\}\}\s*"
)
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[['\"]([^'\"]+)['\"]\]")
_ENCRYPTED_TYPES = frozenset({"AnsibleVaultEncryptedUnicode", "EncryptedString"})
_VAULT_HEADER = b"$ANSIBLE_VAULT"
_MOST_REFERENCES = 20
_HAS_TAGS = importlib.util.find_spec("ansible.module_utils.datatag") is not None


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is: ``variable`` is the one to look into, after references were followed.

    ``kind``: missing (no such variable), dangling (it refers to one that is not defined),
    vault (encrypted), computed (a template, lookup or fact: nothing lies in a
    file), plain (readable text). ``place`` is the file and line of readable text, or another name of its origin.
    """

    variable: str
    kind: str
    place: str | None = None

    @property
    def is_given(self) -> bool:
        """Whether the inventory declares the variable, whatever it holds."""
        return self.kind != "missing"


def find_secret(variables: Mapping[str, Any], variable: str) -> Secret:
    """Say where the value of a variable stands.

    :param variables: raw variables of one host, as an action plugin gets them
    :param variable: the variable's name
    """
    return _follow(variables, variable, variables.get(variable), 0)


def plain_account_secrets(variables: Mapping[str, Any]) -> Iterator[tuple[str, Secret]]:
    """Find the readable secrets in ``mail_dns_account``, ``mail_entra_tenant`` and ``dns`` of ``mail_dns_domains``.

    :param variables: raw variables of one host
    :returns: the option's path and where the text stands, e.g. ("mail_dns_account.api_token", ...)
    """
    yield from _in_account(variables, "mail_dns_account", variables.get("mail_dns_account"))
    yield from _in_account(variables, "mail_entra_tenant", variables.get("mail_entra_tenant"))
    domains = _target(variables, variables.get("mail_dns_domains"))
    for name, domain in domains.items() if isinstance(domains, Mapping) else ():
        raw = _target(variables, domain)
        if isinstance(raw, Mapping) and "dns" in raw:
            yield from _in_account(variables, f"mail_dns_domains.{name}.dns", raw["dns"])


def domains_with(variables: Mapping[str, Any], key: str) -> list[str]:
    """Name the domains of ``mail_dns_domains`` that declare something, without templating what they declare.

    :param variables: raw variables of one host
    :param key: e.g. "dkim"
    """
    domains = _target(variables, variables.get("mail_dns_domains"))
    declared = (
        {name: _target(variables, domain) for name, domain in domains.items()} if isinstance(domains, Mapping) else {}
    )
    return [str(name) for name, domain in declared.items() if isinstance(domain, Mapping) and domain.get(key)]


def _in_account(variables: Mapping[str, Any], path: str, value: object) -> Iterator[tuple[str, Secret]]:
    account = _target(variables, value)
    known = {name for provider in PROVIDERS for name in secret_options(provider)} | set(TENANT_SECRETS)
    for name, item in account.items() if isinstance(account, Mapping) else ():
        if name in known or looks_secret(str(name)):
            inner = _target(variables, item)
            several = {f".{key}": value for key, value in inner.items()} if isinstance(inner, Mapping) else {"": item}
            for key, value in several.items():
                secret = _follow(variables, f"{path}.{name}{key}", value, 0)
                if secret.kind == "plain":
                    yield f"{path}.{name}{key}", secret


def _follow(variables: Mapping[str, Any], variable: str, value: object, depth: int) -> Secret:
    if value is None:
        return Secret(variable, "missing")
    if type(value).__name__ in _ENCRYPTED_TYPES:
        return Secret(variable, "vault")
    place, path = _origin(value)
    if not isinstance(value, str | int | float) or _is_computed(value):
        return Secret(variable, "computed")
    if isinstance(value, str) and "{{" in value:
        return _followed(variables, variable, value, depth)
    if path and _is_vault_file(path):
        return Secret(variable, "vault")
    return Secret(variable, "plain", place)


def _followed(variables: Mapping[str, Any], variable: str, template: str, depth: int) -> Secret:
    reference = _REFERENCE.fullmatch(template)
    if reference is None or depth >= _MOST_REFERENCES:
        return Secret(variable, "computed")
    value = _resolve(variables, reference)
    name = reference[1] + reference[2]
    if value is None:
        return Secret(name, "dangling")
    return _follow(variables, name, value, depth + 1)


def _resolve(variables: Mapping[str, Any], reference: re.Match[str]) -> object:
    value = variables.get(reference[1])
    if reference[2]:
        value = _target(variables, value)
    for step in _STEP.finditer(reference[2]):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step[1] or step[2])
    return value


def _target(variables: Mapping[str, Any], value: object) -> object:
    """Follow a plain reference to a dictionary; anything else is given back as it is."""
    for _step in range(_MOST_REFERENCES):
        reference = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if reference is None or reference[1] not in variables:
            return value
        found = variables[reference[1]]
        for step in _STEP.finditer(reference[2]):
            found = found.get(step[1] or step[2]) if isinstance(found, Mapping) else None
        value = found
    return value


def _origin(value: object) -> tuple[str | None, str | None]:
    """The place as text (file:line, or a description) and the path of the file, each None when not known."""
    position = getattr(value, "ansible_pos", None)
    if position and position[0]:
        return f"{position[0]}:{position[1]}", str(position[0])
    origin = _tags(value).get("Origin")
    if origin is None:
        return None, None
    if origin.path is None:
        return str(origin.description), None
    return f"{origin.path}:{origin.line_num}" if origin.line_num else str(origin.path), str(origin.path)


def _is_computed(value: object) -> bool:
    """Tell text that a task or lookup made from text that someone wrote down.

    Up to 2.18 such results are unsafe text; since 2.19 written text is trusted as a template, results are not, and
    numbers carry their origin only as long as they are as written.
    """
    if not _HAS_TAGS:
        return "Unsafe" in type(value).__name__
    return ("TrustedAsTemplate" if isinstance(value, str) else "Origin") not in _tags(value)


def _tags(value: object) -> dict[str, Any]:
    """The tags of a value by the names of their classes; the classes themselves are private to ansible-core."""
    mapping = getattr(value, "_ansible_tags_mapping", None) or {}
    return {type(tag).__name__: tag for tag in mapping.values()}


def _is_vault_file(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_VAULT_HEADER)) == _VAULT_HEADER
    except OSError:
        return False

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that are plainly right come out as Ansible's validator gives them, and all others are left to it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import ArgumentSpec
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import ENTRY_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.plain_options import (
    NeedsValidator,
    plain_options,
    validated_options,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ODD = st.none() | st.sampled_from(["yes", "12", 7, 1.5, True, "", "a,b", [], ["x", 1], {}, {"a": None}, [None]])


def values_of(option: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What may be given for an option: mostly what it asks for."""
    kind, elements = option.get("type", "str"), option.get("elements")
    if kind == "list" and elements:
        return st.lists(values_of({**option, "type": elements, "elements": None}), max_size=2)
    if kind == "dict" and option.get("options"):
        return entries_of(option["options"])
    if option.get("choices"):
        return st.sampled_from([*option["choices"], "no such choice"])
    return {"str": st.text(max_size=4), "int": st.integers(0, 9), "bool": st.booleans()}.get(kind, ODD)


def entries_of(spec: ArgumentSpec) -> st.SearchStrategy[dict[str, Any]]:
    """Dictionaries with some of the options of a spec, and now and then with a value that is odd."""
    needed = {name: values_of(one) for name, one in spec.items() if one.get("required")}
    others = {name: values_of(one) for name, one in spec.items() if not one.get("required")}
    right = st.fixed_dictionaries(needed, optional=others)
    return right | st.fixed_dictionaries({}, optional={name: ODD | one for name, one in {**needed, **others}.items()})


@settings(max_examples=300)
@given(entries_of(ENTRY_OPTIONS))
def test_a_plain_entry_is_what_the_validator_makes_of_it(entry: dict[str, Any]) -> None:
    try:
        found = plain_options(ENTRY_OPTIONS, deepcopy(entry))
    except NeedsValidator:
        return
    result = ArgumentSpecValidator(ENTRY_OPTIONS).validate(entry)
    assert result.error_messages == [] and found == result.validated_parameters


@settings(max_examples=100)
@given(entries_of(ENTRY_OPTIONS))
def test_all_others_are_the_validators(entry: dict[str, Any]) -> None:
    try:
        result = ArgumentSpecValidator(ENTRY_OPTIONS).validate(deepcopy(entry))
    except TypeError:
        with pytest.raises(TypeError):
            validated_options(ENTRY_OPTIONS, entry)
        return
    values, wrong = validated_options(ENTRY_OPTIONS, entry)
    assert wrong == result.error_messages and (wrong or values == result.validated_parameters)


def test_usual_entries_are_plain_and_a_copy() -> None:
    dkim = [{"selector": "s1", "target": "key.service.example"}]
    entry: dict[str, Any] = {
        "domain": "acme.example",
        "account": 0,
        "spf": {"terms": ["mx"], "all": "~all"},
        "dkim": dkim,
        "dns": {},
    }
    found = plain_options(ENTRY_OPTIONS, entry)
    assert found == ArgumentSpecValidator(ENTRY_OPTIONS).validate(entry).validated_parameters
    assert found["spf"]["terms"] == ["mx"] and found["spf"]["terms"] is not entry["spf"]["terms"]
    assert found["dns"] is not entry["dns"]


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        ({"a": {"type": "int"}}, {"a": True}),
        ({"a": {"type": "int"}}, {"a": "1"}),
        ({"a": {"type": "bool"}}, {"a": 1}),
        ({"a": {"type": "str", "aliases": ["b"]}}, {"a": "x"}),
        ({"a": {"type": "str", "required": True}}, {}),
        ({"a": {"type": "str"}}, {"b": "x"}),
        ({"a": {"type": "list", "elements": "str"}}, {"a": "x,y"}),
        ({"a": {"type": "str", "choices": ["x"]}}, {"a": "y"}),
        ({"a": {"type": "dict", "options": {}, "apply_defaults": True}}, {}),
        ({"a": {"type": "path"}}, {"a": "~"}),
    ],
)
def test_what_is_not_plain_is_the_validators(spec: ArgumentSpec, given: dict[str, Any]) -> None:
    with pytest.raises(NeedsValidator):
        plain_options(spec, given)

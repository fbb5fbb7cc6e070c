# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings are written as PyYAML would write them, byte for byte."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.mailroom.erp.plugins.plugin_utils.sheet.block_yaml import block_yaml
from hypothesis import given
from hypothesis import strategies as st


class Indented(yaml.SafeDumper):
    """Lists are indented as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


KEYS = st.from_regex(r"k[a-z_]{0,12}", fullmatch=True)
ODD = ("", "yes", "1", "~", "null", "- a", "a: b", "# no", "a\nb", "  a", "é", "'", "0x1f", "1e3")
TEXTS = st.text() | st.sampled_from(ODD)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers() | st.floats()
MAPPINGS = st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS, max_size=3), min_size=1, max_size=4)


@given(st.dictionaries(KEYS, SCALARS | MAPPINGS | st.lists(MAPPINGS, max_size=3), min_size=1, max_size=5))
def test_it_is_what_pyyaml_writes(content: dict[str, Any]) -> None:
    written = yaml.dump(content, Dumper=Indented, sort_keys=False, allow_unicode=True, width=1000, explicit_start=True)
    assert block_yaml(content) == written


def test_values_that_are_equal_and_not_the_same_are_kept_apart() -> None:
    assert block_yaml({"a": 1, "b": True, "c": "1", "d": 1.0}) == "---\na: 1\nb: true\nc: '1'\nd: 1.0\n"

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis strategies for TLSRPT and MTA-STS: records by their common syntax, and texts that are damaged."""

from __future__ import annotations

from hypothesis import strategies as st

gaps = st.sampled_from(["", " ", "\t ", "  "])
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", fullmatch=True)
_values = st.from_regex(r"[!-:<>-~]{1,12}", fullmatch=True)


@st.composite
def versioned_records(draw: st.DrawFn, version: str, own: st.SearchStrategy[str]) -> str:
    """Records that follow the syntax to the letter.

    :param version: what stands behind ``v=``
    :param own: makes the field that the record is about; at least one is in it
    """
    reserved = draw(own).partition("=")[0]
    extensions = st.builds("{}={}".format, names.filter(lambda name: name != reserved), _values)
    fields = draw(st.lists(st.one_of(extensions, own), max_size=4))
    fields.insert(draw(st.integers(0, len(fields))), draw(own))
    text = f"v={version}" + "".join(f"{draw(gaps)};{draw(gaps)}{field}" for field in fields)
    return text + draw(st.sampled_from(["", ";", " ; "]))


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str], noise: st.SearchStrategy[str]) -> str:
    """Texts with something put in, or taken out, at some place."""
    text = draw(texts)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(start + 3, len(text))))
    return text[:start] + draw(noise) + text[end:]

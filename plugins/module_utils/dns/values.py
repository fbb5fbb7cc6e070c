# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Between dnspython's rdata and the values of an RRset: TXT decoded, names in lower case without the trailing dot."""

from __future__ import annotations

import contextlib
import functools
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key, RRset, mx_parts, mx_value
from ansible_collections.mailroom.erp.plugins.module_utils.policy import txt
from ansible_collections.mailroom.erp.plugins.module_utils.policy.name import is_inside

with contextlib.suppress(ImportError):
    import dns.name
    import dns.rdata
    import dns.rdataclass
    from dns.rdtypes.ANY.CNAME import CNAME
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.TXT import TXT

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rdataset import Rdataset

_LONGEST_NAME = 253
_PLAIN_NAME = re.compile(r"(?:[-*_0-9a-z]{1,63}\.)*[-*_0-9a-z]{1,63}")


@functools.lru_cache(maxsize=1 << 17)
def name_of(text: str) -> Name:
    """Read a name as the absolute name it stands for, with or without the trailing dot.

    :raises dns.exception.DNSException: it is no domain name
    """
    return dns.name.from_text(text, dns.name.root)


@functools.lru_cache(maxsize=1 << 17)
def text_of(name: Name) -> str:
    """Write a name as the product does: lower case, no trailing dot (the root is a single dot)."""
    return name.canonicalize().to_text(omit_final_dot=True)


def is_plain_name(text: str) -> bool:
    """Tell whether a text is a name, by its letters alone, in the form in which :func:`text_of` writes it."""
    return len(text) <= _LONGEST_NAME and _PLAIN_NAME.fullmatch(text) is not None


def normal_name(text: str) -> str:
    """Write a name as :func:`text_of` does. Nearly all are written so already, and to read one takes far longer.

    :raises dns.exception.DNSException: it is no domain name
    """
    return text if is_plain_name(text) else text_of(name_of(text))


def name_above(name: str) -> str:
    """The name above one, both as :func:`text_of` writes them.

    :raises dns.name.NoParent: there is none above the root
    """
    # A dot may be part of a label.
    if "\\" in name or name == ".":
        return text_of(name_of(name).parent())
    return name.partition(".")[2] or "."


def is_at_or_below(name: str, other: str) -> bool:
    """Tell whether a name is another one or below it, both as :func:`text_of` writes them."""
    if "\\" in name or other == ".":
        return name_of(name).is_subdomain(name_of(other))
    return is_inside(name, other)


@functools.lru_cache(maxsize=1 << 12)
def wire_of(text: str) -> bytes:
    """A name as it stands in a message (RFC 1035 section 3.1), in lower case and whole."""
    return name_of(text).to_digestable()


def value_of(rdata: Rdata) -> str:
    """The value that an RRset shows for one rdata: TXT decoded, names of CNAME and MX plain, else as in zone files."""
    if isinstance(rdata, TXT):
        return txt.join(rdata.strings)
    if isinstance(rdata, CNAME):
        return text_of(rdata.target)
    if isinstance(rdata, MX):
        return mx_value(rdata.preference, text_of(rdata.exchange))
    return str(rdata.to_text())


def rdata_text(rdtype: str, value: str) -> str:
    """Write a value in presentation format, names absolute: what :func:`value_of` undoes."""
    if rdtype == "TXT":
        return txt.encode(value)
    if rdtype == "MX":
        preference, host = mx_parts(value)
        return f"{preference} {name_of(host).to_text()}"
    return name_of(value).to_text() if rdtype == "CNAME" else value


@functools.lru_cache(maxsize=1 << 12)
def rdata_of(rdtype: str, value: str) -> Rdata:
    """The rdata of a value; see :func:`value_of`.

    :raises dns.exception.DNSException: the value is no rdata of that type
    """
    return dns.rdata.from_text(
        dns.rdataclass.IN, rdtype, rdata_text(rdtype, value), origin=dns.name.root, relativize=False
    )


def rrset_of(key: Key, rdataset: Rdataset) -> RRset:
    """The RRset that a provider reports for what it read; values stay in the order given."""
    return RRset(key[0], key[1], int(rdataset.ttl), tuple(value_of(rdata) for rdata in rdataset))


def departed(these: Iterable[str], those: Iterable[str]) -> list[str]:
    """The values of ``these`` that ``those`` lack, in order; a value that stands twice counts twice."""
    kept = Counter(those)
    gone = []
    for value in these:
        if kept[value]:
            kept[value] -= 1
        else:
            gone.append(value)
    return gone

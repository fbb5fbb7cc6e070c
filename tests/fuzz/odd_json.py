# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of an API, made odd: keys dropped, types changed, numbers huge, lists repeated, bodies cut off."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import random
from collections.abc import Iterator
from typing import Any

NESTED: Any = json.loads("[" * 60 + "]" * 60)
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 2**31, 2**70, -(2**70), 1e308, float("inf"), float("nan"),
    "", " ", "x", "x" * 10_000, "nan", "-1", "٣٠", "1_0", "true", "\x1b[31mred\x07\nfatal: no", "\ud800", "☃.example",
    "xn--a", "a..b", "." * 300, [], [None], ["x"], [[]], {}, {"": None}, {"id": {}}, NESTED,
)  # fmt: skip
ODD_WAITS = (
    "nan",
    "-nan",
    "inf",
    "-5",
    "1e999",
    "٣",
    "1_0",
    "",
    "soon",
    "9" * 400,
    "0",
    "1",
    "2.5",
    "Mon, 99 Foo 0000",
)
ODD_STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 418, 429, 500, 503)


def fuzz_count(least: int) -> int:
    """How many answers to try: the environment may ask for more (``make fuzz``)."""
    return max(least, int(os.environ.get("FUZZ_ANSWERS", "0")))


def fuzz_seeds(count: int | None = None) -> Iterator[int]:
    """Seeds of cases, those that the environment asks for (FUZZ_FIRST, ``make fuzz``), else always the same.

    :param count: how many; None for no end
    """
    first = int(os.environ.get("FUZZ_FIRST", "0"))
    return itertools.count(first) if count is None else iter(range(first, first + count))


@contextlib.contextmanager
def fuzz_case(seed: int) -> Iterator[random.Random]:
    """What decides in one case; a failure in it names the seed, with which it can be tried again."""
    try:
        yield random.Random(seed)
    except BaseException as error:
        error.add_note(f"To begin with this case: FUZZ_FIRST={seed}")
        raise


def oddly(body: Any, chance: random.Random) -> Any:
    """The body with one to three odd places.

    :param body: JSON, left as it is
    :param chance: decides; the same seed gives the same answer
    """
    holder = {"body": copy.deepcopy(body)}
    for _number in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(holder))
        container, key = chance.choice(places)
        _spoil(container, key, chance)
        if "body" not in holder:
            return None
    return holder["body"]


def odd_bytes(body: Any, chance: random.Random) -> bytes:
    """A body that is no JSON, or not what its server meant."""
    data = json.dumps(body).encode()
    cut = chance.randrange(len(data))
    return chance.choice(
        (data[:cut], b"", b"\xff\xfe" + data, b"[" * 100_000, b"9" * 5000, b"<html>", data[:cut] + b"\x00" + data[cut:])
    )


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All containers with a key each, at any depth."""
    for key, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def _spoil(container: Any, key: Any, chance: random.Random) -> None:
    how = chance.randrange(6)
    if how == 0:
        del container[key]
    elif how == 1:
        container[key] = [container[key]]
    elif how == 2 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    elif how == 3 and isinstance(container, dict):
        container[key] = {key: container[key]}
    else:
        container[key] = copy.deepcopy(chance.choice(ODD_VALUES))

# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures about the code, on small trees made for each of them; and what they must be for this collection."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.tools import house_figures

OURS = "ansible_collections.mailroom.erp.plugins"
Make = Callable[[Mapping[str, str]], house_figures.Tree]


PRIVATE = "# Private to this collection: it may change at any time, and nothing outside may import it."


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write files below ``plugins/`` and read them."""

    def written(files: Mapping[str, str]) -> house_figures.Tree:
        for name, text in files.items():
            path = tmp_path / "plugins" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return house_figures.read_tree(tmp_path)

    return written


@pytest.fixture(scope="module")
def collection() -> house_figures.Tree:
    """The code of this checkout."""
    return house_figures.read_tree(house_figures.REPOSITORY)


def paths(*names: str) -> list[Path]:
    """Files or folders below ``plugins/``."""
    return [Path("plugins", name) for name in names]


def lines(*texts: str) -> str:
    """A file of these lines."""
    return "".join(f"{text}\n" for text in texts)


def value_of(tree: house_figures.Tree, name: str) -> float:
    """The value of the figure with this name."""
    return {row.name: row.value for row in house_figures.figures(tree)}[name]


# --- lines of code ---------------------------------------------------------------------------------------------------

MIXED = '''\
# A comment.
"""A docstring
of two lines."""

LIMIT = 3  # counted
"""What the limit is for."""
TEXT = """two

lines"""


class Thing:
    """A docstring."""

    def method(self, one: int) -> int:
        """A docstring."""
        # A comment.
        self.state = "not documentation"

        return one
'''


def test_comments_docstrings_and_blank_lines_are_no_code(make: Make) -> None:
    (source,) = make({"mixed.py": MIXED})
    assert list(source.code) == [5, 7, 9, 12, 15, 18, 20]
    assert source.code[5] == "LIMIT = 3"


def test_code_on_the_line_of_a_docstring_is_code(make: Make) -> None:
    (source,) = make({"short.py": 'def short(): "A docstring."\n'})
    assert list(source.code) == [1]


def test_what_ansible_shows_is_no_code(make: Make) -> None:
    names = ("DOCUMENTATION", "EXAMPLES", "RETURN", "OTHER")
    fragment = lines("class ModuleDocFragment:", '    DOCUMENTATION = r"""', "text", '"""')
    module, documentation = reversed(
        make({"modules/a.py": lines(*(f'{name} = """\ntext\n"""' for name in names)), "doc_fragments/b.py": fragment})
    )
    assert [list(module.code), list(documentation.code)] == [[10, 11, 12], [1]]


def test_files_and_functions_the_longest_first(make: Make) -> None:
    tree = make({"mixed.py": MIXED, "one.py": "def one() -> None: ...\n", "__init__.py": ""})
    assert house_figures.file_lengths(tree) == [
        (7, "plugins/mixed.py"),
        (1, "plugins/one.py"),
        (0, "plugins/__init__.py"),
    ]
    assert house_figures.function_lengths(tree) == [(3, "plugins/mixed.py:15 method"), (1, "plugins/one.py:1 one")]


def test_a_function_is_counted_from_def_with_what_it_holds(make: Make) -> None:
    outer = lines(
        "@decorator", "async def outer(", "    one,", "):", "    def inner():", "        return one", "    return 1"
    )
    assert house_figures.function_lengths(make({"a.py": outer})) == [
        (6, "plugins/a.py:2 outer"),
        (2, "plugins/a.py:5 inner"),
    ]


def test_median_and_90th_percentile(make: Make) -> None:
    tree = make({f"f{number}.py": "x = 1\n" * number for number in range(1, 11)})
    assert value_of(tree, "Python files") == 10
    assert value_of(tree, "lines of code per file, median") == 5.5
    assert value_of(tree, "lines of code per file, 90th percentile") == 9
    assert value_of(tree, "lines of code per file, most") == 10


def test_files_without_code(make: Make) -> None:
    tree = make({"a.py": "x = 1\n", "b.py": '"""A docstring."""\n# A comment.\n', "__init__.py": ""})
    assert value_of(tree, "Python files without code") == 2


def test_functions_over_the_limits(make: Make) -> None:
    sizes = (20, 21, 40, 41)
    tree = make({"a.py": "".join(f"def f{size}():\n" + "    x = 1\n" * (size - 1) for size in sizes)})
    assert value_of(tree, "functions of more than 20 lines") == 3
    assert value_of(tree, "functions of more than 40 lines") == 1
    assert value_of(tree, "lines of code per function, median") == 30.5
    assert value_of(tree, "lines of code per function, most") == 41


# --- imports ---------------------------------------------------------------------------------------------------------

LAZY = lines("def read():", f"    from {OURS}.dns.a import A")
FOR_TYPES = lines("from typing import TYPE_CHECKING", "if TYPE_CHECKING:", f"    from {OURS}.dns.a import A")


@pytest.mark.parametrize("back", [LAZY, FOR_TYPES, f"import {OURS}.dns.a\n", f"from {OURS}.dns import a as other\n"])
def test_a_circle_through_any_kind_of_import(make: Make, back: str) -> None:
    tree = make(
        {"dns/a.py": f"from {OURS}.dns import b\n", "dns/b.py": f"from {OURS}.dns.c import C\n", "dns/c.py": back}
    )
    assert house_figures.import_circles(tree) == [paths("dns/a.py", "dns/b.py", "dns/c.py")]


@pytest.mark.parametrize("back", ["from . import a\n", "from .a import A\n", "from ..dns.a import A\n"])
def test_a_circle_through_a_relative_import(make: Make, back: str) -> None:
    tree = make({"dns/a.py": f"from {OURS}.dns import b\n", "dns/b.py": back})
    assert house_figures.import_circles(tree) == [paths("dns/a.py", "dns/b.py")]


def test_a_circle_through_the_file_of_a_folder(make: Make) -> None:
    tree = make({"dns/__init__.py": f"import {OURS}.a\n", "a.py": f"from {OURS}.dns import NAME\n"})
    assert house_figures.import_circles(tree) == [paths("a.py", "dns/__init__.py")]


def test_a_module_of_a_folder_is_not_the_file_of_the_folder(make: Make) -> None:
    tree = make({"dns/__init__.py": "", "dns/a.py": "", "b.py": f"from {OURS}.dns import a\n"})
    assert house_figures.imports(tree) == {(Path("plugins/b.py"), Path("plugins/dns/a.py"))}


def test_two_circles_are_two_and_what_only_leads_to_one_is_in_none(make: Make) -> None:
    follow = {"a": "b", "b": "a", "c": "d", "d": "c", "leads": "a"}
    tree = make({f"{name}.py": f"import {OURS}.{other}\n" for name, other in follow.items()} | {"end.py": "import c\n"})
    assert house_figures.import_circles(tree) == [paths("a.py", "b.py"), paths("c.py", "d.py")]


def test_a_line_of_imports_is_no_circle(make: Make) -> None:
    tree = make(
        {"a.py": lines(f"import {OURS}.b", f"import {OURS}.c"), "b.py": f"import {OURS}.c\n", "c.py": "import a\n"}
    )
    assert house_figures.imports(tree) == {
        tuple(paths(*pair)) for pair in [("a.py", "b.py"), ("a.py", "c.py"), ("b.py", "c.py")]
    }
    assert house_figures.import_circles(tree) == []


def test_a_circle_of_folders_without_one_of_files(make: Make) -> None:
    tree = make(
        {"dns/a.py": f"from {OURS}.dns.deep import b\n", "dns/deep/b.py": "", "dns/deep/c.py": f"import {OURS}.dns.d\n"}
        | {"dns/d.py": "", "other/e.py": f"from {OURS}.dns import d\n"}
    )
    assert house_figures.import_circles(tree) == []
    assert house_figures.package_circles(tree) == [paths("dns", "dns/deep")]


def test_files_of_one_folder_are_no_circle_of_folders(make: Make) -> None:
    tree = make({"dns/a.py": f"import {OURS}.dns.b\n", "dns/b.py": f"import {OURS}.dns.a\n"})
    assert house_figures.package_circles(tree) == []


# --- names -----------------------------------------------------------------------------------------------------------


def test_file_names_that_stand_twice(make: Make) -> None:
    names = ["a/options.py", "b/options.py", "a/single.py", "a/__init__.py", "b/__init__.py"]
    assert house_figures.doubled_stems(make(dict.fromkeys(names, ""))) == {
        "options": paths("a/options.py", "b/options.py")
    }


def test_an_action_plugin_may_have_the_name_of_its_module_and_of_nothing_else(make: Make) -> None:
    names = [
        "modules/mail.py",
        "action/mail.py",
        "action/files.py",
        "a/files.py",
        "modules/spf.py",
        "action/spf.py",
        "a/spf.py",
    ]
    assert house_figures.doubled_stems(make(dict.fromkeys(names, ""))) == {
        "files": paths("a/files.py", "action/files.py"),
        "spf": paths("a/spf.py", "modules/spf.py"),
    }


@pytest.mark.parametrize(
    "definition",
    [
        "def Name(): ...",
        "async def Name(): ...",
        "class Name: ...",
        "Name = 1",
        "Name: int = 1",
        "Name = Union[int, str]",
        "Other, Name = 1, 2",
        "if True:\n    Name = 1",
        "try:\n    import a\nexcept ImportError:\n    Name = 1",
        "with a:\n    Name = 1",
    ],
)
def test_a_public_name_of_two_files(make: Make, definition: str) -> None:
    tree = make({"a.py": "class Name: ...\n", "b.py": f"{definition}\n"})
    assert house_figures.doubled_names(tree) == {"Name": paths("a.py", "b.py")}


@pytest.mark.parametrize(
    "text",
    [
        "def _name(): ...",
        "from a import Name",
        "def other():\n    Name = 1",
        "class Other:\n    Name = 1",
        "other.Name = 1",
        "Name.other = 1",
        "Name[0] = 1",
        "def main(): ...\nclass ActionModule: ...\nDOCUMENTATION = 'a'",
    ],
)
def test_no_public_name_of_two_files(make: Make, text: str) -> None:
    first = lines(
        "class Name: ...", "def _name(): ...", "def main(): ...", "class ActionModule: ...", "DOCUMENTATION = 'b'"
    )
    assert house_figures.doubled_names(make({"a.py": first, "b.py": f"{text}\n"})) == {}


def test_a_name_twice_in_one_file_is_not_doubled(make: Make) -> None:
    assert house_figures.doubled_names(make({"a.py": "if True:\n    NAME = 1\nelse:\n    NAME = 2\n"})) == {}


# --- repeated lines --------------------------------------------------------------------------------------------------

EIGHT = [f"call({number})" for number in range(8)]


def pairs(tree: house_figures.Tree) -> list[tuple[str, str]]:
    """The pairs of places as text."""
    return [(str(one), str(other)) for one, other in house_figures.repeated_lines(tree)]


def test_the_same_lines_are_one_pair_as_long_as_they_are_the_same(make: Make) -> None:
    spread = lines("a = 1", *EIGHT[:3], "", "# A comment.", *(f"    {text}  # more" for text in EIGHT[3:]), "b = 1")
    tree = make({"a.py": lines("c = 1", *EIGHT, "d = 1"), "b.py": spread.replace("    call", "call")})
    assert pairs(tree) == [("plugins/a.py:2-9", "plugins/b.py:2-11")]


def test_another_depth_is_the_same(make: Make) -> None:
    tree = make({"a.py": lines(*EIGHT), "b.py": lines("def run():", *(f"    {text}" for text in EIGHT))})
    assert pairs(tree) == [("plugins/a.py:1-8", "plugins/b.py:2-9")]


@pytest.mark.parametrize(("count", "found"), [(5, 0), (6, 1)])
def test_six_lines_are_the_least(make: Make, count: int, found: int) -> None:
    tree = make({"a.py": lines(*EIGHT[:count], "a = 1"), "b.py": lines(*EIGHT[:count], "b = 1")})
    assert len(pairs(tree)) == found


def test_three_places_are_three_pairs_and_two_runs_are_two(make: Make) -> None:
    more = [f"more({number})" for number in range(6)]
    assert len(pairs(make({f"{name}.py": lines(*EIGHT) for name in "abc"}))) == 3
    assert pairs(make({"a.py": lines(*EIGHT, "x = 1", *more), "b.py": lines(*EIGHT, "y = 1", *more), "c.py": ""})) == [
        ("plugins/a.py:1-8", "plugins/b.py:1-8"),
        ("plugins/a.py:10-15", "plugins/b.py:10-15"),
    ]


def test_twice_in_one_file(make: Make) -> None:
    assert pairs(make({"a.py": lines(*EIGHT, "x = 1", *EIGHT)})) == [("plugins/a.py:1-8", "plugins/a.py:10-17")]


def test_one_line_that_goes_on_is_not_compared_with_itself(make: Make) -> None:
    assert pairs(make({"a.py": "call()\n" * 11})) == []


@pytest.mark.parametrize(
    "text",
    [
        lines(*(f"import library{number}" for number in range(8))),
        lines("from library import (", *(f"    name{number}," for number in range(8)), ")"),
        lines('"""', *EIGHT, '"""'),
        lines('DOCUMENTATION = """', *EIGHT, '"""'),
        lines(*(f"# {text}" for text in EIGHT)),
    ],
)
def test_what_may_be_the_same_in_many_files(make: Make, text: str) -> None:
    assert pairs(make({"modules/a.py": text, "modules/b.py": text})) == []


# --- docstrings ------------------------------------------------------------------------------------------------------

DOCUMENTED = '''\
class Reader(Protocol):
    """Documented."""

    def read(self) -> str:
        """Documented."""


class FileReader:
    def __init__(self) -> None: ...

    def read(self) -> str: ...

    def _open(self) -> None: ...

    @property
    def size(self) -> int: ...

    @size.setter
    def size(self, size: int) -> None: ...

    @size.deleter
    def size(self) -> None: ...

    @overload
    def sized(self) -> int: ...

    @functools.cached_property
    def text(self) -> str: ...

    @lru_cache(maxsize=None)
    def cached(self) -> str: ...


class _Private:
    def public(self) -> None: ...


def outer() -> None:
    """Documented."""

    def inner() -> None: ...


if True:

    async def conditional() -> None: ...
'''


def test_what_needs_a_docstring(make: Make) -> None:
    tree = make({"module_utils/dns/a.py": DOCUMENTED})
    found = house_figures.docstrings(tree)
    assert {where.split()[1] for where, has in found.items() if has} == {"Reader", "read", "outer"}
    assert [where.removeprefix("plugins/module_utils/dns/a.py:") for where, has in found.items() if not has] == [
        "8 FileReader",
        "11 read",
        "31 cached",
        "46 conditional",
    ]
    assert value_of(tree, "public definitions with a docstring, percent") == 42.9
    assert value_of(tree, "public definitions without a docstring") == 4


def test_only_code_that_others_use_needs_docstrings(make: Make) -> None:
    bare = "def bare() -> None: ...\n"
    tree = make({"plugin_utils/a.py": bare, "modules/b.py": bare, "filter/module_utils.py": bare, "c.py": bare})
    assert house_figures.docstrings(tree) == {"plugins/plugin_utils/a.py:1 bare": False}


# --- the command -----------------------------------------------------------------------------------------------------


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script as a person does, away from the collection."""
    called = [sys.executable, "-I", house_figures.__file__, *map(str, arguments)]
    return subprocess.run(called, capture_output=True, text=True, check=False)


@pytest.fixture
def doubled(make: Make, tmp_path: Path) -> Path:
    """A checkout with one doubled name."""
    make({"a.py": "NAME = 1\n", "b.py": "NAME = 2\n"})
    return tmp_path


def test_a_table(doubled: Path) -> None:
    told = command(doubled)
    rows = {name: rest for name, _spaces, rest in (line.partition("  ") for line in told.stdout.splitlines())}
    assert rows["Python files"].split() == ["2"]
    assert rows["lines of code per file, most"].split() == ["1", "plugins/b.py"]
    assert "NAME" not in told.stdout


def test_lists(doubled: Path) -> None:
    assert "\ndoubled public names:\n  NAME: plugins/a.py, plugins/b.py\n" in command("--list", doubled).stdout


def test_json(doubled: Path) -> None:
    assert json.loads(command("--json", doubled).stdout)["doubled public names"] == {
        "value": 1,
        "where": "",
        "list": ["NAME: plugins/a.py, plugins/b.py"],
    }


@pytest.mark.parametrize("text", [None, b"def broken(:\n", b"'\xff'\n", b"\0"])
def test_what_cannot_be_read_is_told(tmp_path: Path, text: bytes | None) -> None:
    if text is not None:
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "a.py").write_bytes(text)
    told = command(tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("Cannot read this checkout: ")
    assert str(tmp_path) in told.stderr


# --- this collection -------------------------------------------------------------------------------------------------


def test_no_files_of_this_collection_import_each_other(collection: house_figures.Tree) -> None:
    assert house_figures.import_circles(collection) == []


def test_no_folders_of_this_collection_import_each_other(collection: house_figures.Tree) -> None:
    assert house_figures.package_circles(collection) == []


def test_no_function_of_this_collection_is_over_40_lines(collection: house_figures.Tree) -> None:
    assert [length for length in house_figures.function_lengths(collection) if length[0] > 40] == []


def test_a_name_of_this_collection_is_one_thing(collection: house_figures.Tree) -> None:
    assert house_figures.doubled_stems(collection) == {}
    assert house_figures.doubled_names(collection) == {}


def test_what_is_public_in_this_collection_is_documented(collection: house_figures.Tree) -> None:
    assert [where for where, has in house_figures.docstrings(collection).items() if not has] == []


@pytest.mark.parametrize("folder", ["module_utils", "plugin_utils"])
def test_what_is_private_to_this_collection_says_so(folder: str) -> None:
    files = [path for path in (house_figures.REPOSITORY / "plugins" / folder).rglob("*.py") if path.read_bytes()]
    assert files and [path for path in files if PRIVATE not in path.read_text(encoding="utf-8").splitlines()[:5]] == []

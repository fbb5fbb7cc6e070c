# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures about the code in ``plugins/``: sizes, import circles, doubled names, repeated lines, missing docstrings.

Usage: house_figures.py [--list | --json] [ROOT]     ROOT is a checkout; unless given, the one that holds this file

A line of code is a line that is not blank and holds more than a comment, a docstring or Ansible documentation
(DOCUMENTATION, EXAMPLES, RETURN). A function is as long as its lines of code from ``def`` on, without decorators; a
function inside another counts in both. Importing a file also runs the ``__init__`` of each folder on its way; that is
not counted as an import.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import math
import statistics
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PREFIX = "ansible_collections.mailroom.erp."
WINDOW = 6
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
DEMANDED = DOCUMENTATION | {"main", "ActionModule", "FilterModule", "LookupModule", "CallbackModule"}
DEMANDED |= {"ModuleDocFragment"}
_DOCUMENTED_FOLDERS = {"module_utils", "plugin_utils"}
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef
_BLOCKS = (ast.If, ast.Try, ast.With, ast.ExceptHandler)
# What carries one of these needs no docstring of its own.
_EXEMPT = {"property", "cached_property", "setter", "deleter", "overload"}


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file: its path below the root, its syntax tree, and its lines of code by number (comments cut off)."""

    path: Path
    syntax: ast.Module
    code: Mapping[int, str]


Tree = Sequence[Source]
Length = tuple[int, str]  # lines of code, and where they are


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Lines of a file, from the first to the last."""

    path: Path
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: ``where`` names the place that has the value, ``members`` are what was counted."""

    name: str
    value: float
    where: str = ""
    members: Sequence[str] = ()


def read_tree(root: Path) -> Tree:
    """Read all Python files of ``root/plugins``, in the order of their paths.

    :raises ValueError: a file is no Python, or there is none
    """
    paths = sorted((root / "plugins").rglob("*.py"))
    if not paths:
        raise ValueError(f"There is no Python file in {root / 'plugins'}: name the root of a checkout.")
    return [_read_source(root, path) for path in paths]


def _read_source(root: Path, path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
        syntax = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is no Python: {error}") from error
    return Source(path.relative_to(root), syntax, _code(text, syntax))


def _code(text: str, syntax: ast.Module) -> dict[int, str]:
    """The lines of code by number."""
    lines = dict(enumerate(io.StringIO(text), start=1))
    spans = _documentation(syntax)
    kept: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        first, last = spans.get(token.start[0], ((0, 0), (0, 0)))
        if token.type == tokenize.COMMENT:
            lines[token.start[0]] = lines[token.start[0]][: token.start[1]]
        if token.type not in _LAYOUT and not first <= token.start < last:
            kept.update(range(token.start[0], token.end[0] + 1))
    return {number: lines[number].strip() for number in sorted(kept) if lines[number].strip()}


def _documentation(syntax: ast.Module) -> dict[int, tuple[tuple[int, int], tuple[int, int]]]:
    """Where docstrings and Ansible documentation begin and end (line, column), by each of their line numbers."""
    spans = {}
    for node in ast.walk(syntax):
        if isinstance(node, (ast.Expr, ast.Assign)) and _is_documentation(node):
            last = node.end_lineno or node.lineno
            span = ((node.lineno, node.col_offset), (last, node.end_col_offset or 0))
            spans.update(dict.fromkeys(range(node.lineno, last + 1), span))
    return spans


def _is_documentation(node: ast.Expr | ast.Assign) -> bool:
    """Whether it is a text that stands alone, also below a constant, or one that Ansible shows."""
    is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return is_text and (isinstance(node, ast.Expr) or any(name in DOCUMENTATION for name in _names(node)))


def file_lengths(tree: Tree) -> list[Length]:
    """The length of each file, the longest first."""
    return sorted(((len(source.code), str(source.path)) for source in tree), reverse=True)


def function_lengths(tree: Tree) -> list[Length]:
    """The length of each function and method, the longest first."""
    found = ((source, node) for source in tree for node in ast.walk(source.syntax) if isinstance(node, _FUNCTIONS))
    return sorted(((_length(*pair), _where(*pair)) for pair in found), reverse=True)


def _length(source: Source, node: _Function) -> int:
    return sum(node.lineno <= number <= (node.end_lineno or 0) for number in source.code)


def _where(source: Source, node: _Definition) -> str:
    return f"{source.path}:{node.lineno} {node.name}"


def imports(tree: Tree) -> set[tuple[Path, Path]]:
    """Which file imports which, at its top, in a function or for types only."""
    known = {source.path for source in tree}
    named = ((source.path, name) for source in tree for name in _imported_names(source))
    found = ((path, _module_file(name, known)) for path, name in named)
    return {(path, other) for path, other in found if other is not None}


def _imported_names(source: Source) -> Iterator[str]:
    """The dotted names that a file imports; those of this collection begin with ``plugins``."""
    for node in ast.walk(source.syntax):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix(PREFIX) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            above = source.path.parts[: -node.level] if node.level else ()
            base = [*above, *([node.module.removeprefix(PREFIX)] if node.module else [])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def _module_file(name: str, known: AbstractSet[Path]) -> Path | None:
    """The file of a module, or of the module that a dotted name is in; None when it is not one of ours."""
    module = Path(*name.split("."))
    candidates = (file for path in (module, module.parent) for file in (Path(f"{path}.py"), path / "__init__.py"))
    return next((file for file in candidates if file in known), None)


def import_circles(tree: Tree) -> list[list[Path]]:
    """Files that import each other, directly or through others."""
    return _circles(imports(tree))


def package_circles(tree: Tree) -> list[list[Path]]:
    """Folders whose files import each other; a folder and a folder inside it are two."""
    return _circles((path.parent, other.parent) for path, other in imports(tree))


def _circles(edges: Iterable[tuple[Path, Path]]) -> list[list[Path]]:
    """The strongly connected components of more than one node."""
    follow = defaultdict(set)
    for start, end in edges:
        follow[start].add(end)
    reach = {node: _reachable(node, follow) for node in follow}
    found = {frozenset(other for other in seen if node in reach.get(other, ())) for node, seen in reach.items()}
    return sorted(sorted(circle) for circle in found if len(circle) > 1)


def _reachable(start: Path, follow: Mapping[Path, AbstractSet[Path]]) -> set[Path]:
    seen: set[Path] = set()
    ahead = [start]
    while ahead:
        new = follow.get(ahead.pop(), set()) - seen
        seen |= new
        ahead += new
    return seen


def doubled_stems(tree: Tree) -> dict[str, list[Path]]:
    """File names that stand more than once; an action plugin carries the name of its module, as Ansible demands."""
    places = defaultdict(list)
    modules = {source.path.stem for source in tree if source.path.parent == Path("plugins/modules")}
    for path in (source.path for source in tree if source.path.stem != "__init__"):
        if path.parent != Path("plugins/action") or path.stem not in modules:
            places[path.stem].append(path)
    return {stem: paths for stem, paths in sorted(places.items()) if len(paths) > 1}


def doubled_names(tree: Tree) -> dict[str, list[Path]]:
    """Public names that more than one file defines at its top level, except those that Ansible demands."""
    places = defaultdict(list)
    for source in tree:
        for name in {name for node in _outer(source.syntax) for name in _names(node)} - DEMANDED:
            places[name].append(source.path)
    return {name: paths for name, paths in sorted(places.items()) if len(paths) > 1 and not name.startswith("_")}


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a module or class itself, also under ``if``, ``try`` and ``with``."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, _BLOCKS):
            yield from _outer(child)


def _names(node: ast.AST) -> list[str]:
    """The names that a statement defines; an import defines none."""
    if isinstance(node, _DEFINITIONS):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    parts = (part for target in targets for part in ast.walk(target))
    return [part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]


def repeated_lines(tree: Tree) -> list[tuple[Place, Place]]:
    """Pairs of places with the same lines of code, at least six and as many as are the same; imports do not count."""
    codes = [_without_imports(source) for source in tree]
    windows = defaultdict(list)
    for file, code in enumerate(codes):
        for at in range(len(code) - WINDOW + 1):
            windows[tuple(text for _number, text in code[at : at + WINDOW])].append((file, at))
    shifts = defaultdict(list)
    for (file, at), (other, there) in (pair for places in windows.values() for pair in combinations(places, 2)):
        if file != other or there - at >= WINDOW:
            shifts[file, other, there - at].append(at)
    return sorted(
        (_place(tree[file], codes[file][at:end]), _place(tree[other], codes[other][at + shift : end + shift]))
        for (file, other, shift), starts in shifts.items()
        for at, end in _runs(starts)
    )


def _without_imports(source: Source) -> list[tuple[int, str]]:
    nodes = (node for node in ast.walk(source.syntax) if isinstance(node, (ast.Import, ast.ImportFrom)))
    left_out = {number for node in nodes for number in range(node.lineno, (node.end_lineno or 0) + 1)}
    return [(number, text) for number, text in source.code.items() if number not in left_out]


def _runs(starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Windows that follow each other, joined: where each run starts, and where it has ended."""
    every = set(starts)
    for start in sorted(start for start in every if start - 1 not in every):
        end = min(at for at in range(start, max(every) + 2) if at not in every)
        yield start, end + WINDOW - 1


def _place(source: Source, lines: Sequence[tuple[int, str]]) -> Place:
    return Place(source.path, lines[0][0], lines[-1][0])


def docstrings(tree: Tree) -> dict[str, bool]:
    """Public classes, functions and methods of module_utils and plugin_utils: whether each has a docstring."""
    sources = (source for source in tree if _DOCUMENTED_FOLDERS & {*source.path.parts[1:2]})
    found = ((source, node) for source in sources for node in _public(source.syntax))
    return {_where(source, node): bool(ast.get_docstring(node)) for source, node in found}


def _public(outer: ast.AST) -> Iterator[_Definition]:
    for node in _outer(outer):
        if isinstance(node, _DEFINITIONS) and not node.name.startswith("_") and not _EXEMPT & set(_decorators(node)):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _decorators(node: _Definition) -> list[str]:
    """The last part of the name of each decorator."""
    return [ast.unparse(part).rpartition(".")[2] for part in node.decorator_list]


def figures(tree: Tree) -> list[Figure]:
    """All figures, in the order in which they are shown."""
    documented = docstrings(tree)
    missing = [where for where, has in documented.items() if not has]
    share = 100 * (1 - len(missing) / len(documented)) if documented else 100
    pairs = [f"{one} = {other}" for one, other in repeated_lines(tree)]
    return [
        Figure("Python files", len(tree)),
        Figure("Python files without code", sum(not source.code for source in tree)),
        *_sizes("file", file_lengths(tree)),
        *_sizes("function", function_lengths(tree), (20, 40)),
        _counted("import circles", [_joined(circle) for circle in import_circles(tree)]),
        _counted("package circles", [_joined(circle) for circle in package_circles(tree)]),
        _counted("doubled file names", [f"{stem}: {_joined(paths)}" for stem, paths in doubled_stems(tree).items()]),
        _counted("doubled public names", [f"{name}: {_joined(paths)}" for name, paths in doubled_names(tree).items()]),
        _counted(f"pairs of places with the same {WINDOW} or more lines", pairs),
        Figure("public definitions with a docstring, percent", round(share, 1), f"of {len(documented)}"),
        _counted("public definitions without a docstring", missing),
    ]


def _counted(name: str, members: Sequence[str]) -> Figure:
    return Figure(name, len(members), members=members)


def _joined(paths: Iterable[Path]) -> str:
    return ", ".join(map(str, paths))


def _sizes(kind: str, lengths: Sequence[Length], limits: Sequence[int] = ()) -> Iterator[Figure]:
    """Median, 90th percentile (nearest rank), longest, and how many are over each limit; the longest come first."""
    numbers = [number for number, _where in reversed(lengths)] or [0]
    yield Figure(f"lines of code per {kind}, median", statistics.median(numbers))
    yield Figure(f"lines of code per {kind}, 90th percentile", numbers[math.ceil(0.9 * len(numbers)) - 1])
    yield Figure(f"lines of code per {kind}, most", numbers[-1], lengths[0][1] if lengths else "")
    for limit in limits:
        over = [f"{number} {where}" for number, where in lengths if number > limit]
        yield _counted(f"{kind}s of more than {limit} lines", over)


def table(rows: Sequence[Figure]) -> str:
    """The figures as lines of text."""
    width = max(len(row.name) for row in rows)
    return "\n".join(f"{row.name:{width}}  {row.value:>6g}  {row.where}".rstrip() for row in rows)


def lists(rows: Sequence[Figure]) -> str:
    """What was counted, under the name of each figure."""
    return "\n".join("\n  ".join([f"\n{row.name}:", *row.members]) for row in rows if row.members)


def main(arguments: Sequence[str]) -> int:
    """Print the figures of a checkout.

    :returns: 0, or 2 when the checkout cannot be read
    """
    parser = argparse.ArgumentParser(description="Figures about the code in plugins/.")
    parser.add_argument("root", nargs="?", type=Path, default=REPOSITORY, help="a checkout; unless given, this one")
    parser.add_argument("--list", action="store_true", help="name what was counted, too")
    parser.add_argument("--json", action="store_true", help="print JSON, with the lists")
    options = parser.parse_args(arguments)
    try:
        rows = figures(read_tree(options.root.resolve()))
    except (OSError, ValueError) as error:
        print(f"Cannot read this checkout: {error}", file=sys.stderr)
        return 2
    if options.json:
        content = {row.name: {"value": row.value, "where": row.where, "list": list(row.members)} for row in rows}
        print(json.dumps(content, indent=2))
    else:
        print(table(rows), lists(rows) if options.list else "", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

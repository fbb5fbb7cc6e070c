# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every problem that the code can tell, read out of the code: where it stands, the rule, its source and the way out.

What only a run knows is an ellipsis. A problem that a function makes of what it is called with counts once for each
call in the same file; a sentence of a condition counts in each of its forms.
"""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Option, RuleSource, rule_and_source

PLUGINS = Path(__file__).parents[2] / "plugins"
OPEN = "…"
_PACKAGE = "ansible_collections.mailroom.erp.plugins"
_MOST_FORMS = 6
_DEEPEST = 3
_FEWEST_WORDS = 3
_WORD = re.compile(r"[A-Za-z]{2,}")
_PLACES: dict[tuple[str, int], tuple[int, int, int | None, int]] = {
    ("Problem", 6): (1, 3, 4, 5),
    ("problem", 5): (1, 3, None, 4),
    ("told", 5): (1, 3, None, 4),
    ("problem", 4): (0, 2, None, 3),
    ("error", 5): (0, 2, 3, 4),
    ("warn", 5): (0, 2, 3, 4),
}
"""What makes a problem, by its name and how many arguments it has: the places of where, rule, source and way out."""


@dataclass(frozen=True, slots=True, order=True)
class SourceProblem:
    """One problem. ``file`` is relative to ``plugins``; the other parts are those of ``Problem``."""

    file: str
    where: str
    rule: str
    source: str
    way_out: str


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean in a function: expressions, each with the scope that it stands in; then the module's own."""

    names: Mapping[str, tuple[ast.expr, _Scope | None]]
    module: Any

    def texts(self, node: ast.expr, depth: int = 0) -> list[str]:
        """The forms that an expression may take as text."""
        found = list(dict.fromkeys(self._texts(node, depth))) if depth <= 2 * _MOST_FORMS else [OPEN]
        return found[:_MOST_FORMS]

    def _texts(self, node: ast.expr, depth: int) -> Iterable[str]:
        match node:
            case ast.Constant():
                return [str(node.value)] if node.value is not None else [""]
            case ast.JoinedStr(values=parts):
                return self._together(parts, depth)
            case ast.FormattedValue(value=value, format_spec=None):
                return self.texts(value, depth + 1)
            case ast.BinOp(right=ast.Constant(value=int())):
                return [OPEN]
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._together([left, right], depth)
            case ast.IfExp(body=body, orelse=other):
                return [*self.texts(body, depth + 1), *self.texts(other, depth + 1)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.texts(value, depth + 1) if text]
            case ast.Name(id=name):
                return self._named(name, depth)
            case ast.Call():
                return self._called(node, depth)
        return [OPEN]

    def _called(self, node: ast.Call, depth: int) -> Iterable[str]:
        match node:
            case ast.Call(args=[ast.Tuple(elts=parts)]) if called(node) == "WayOut":
                return self._together(parts, depth)
            case ast.Call(args=[ast.Constant(value=str(text))]) if called(node) == "Option":
                return [str(Option(text))]
            case ast.Call(func=ast.Name(id=name), args=given):
                return self._answered(name, given, depth)
        return [OPEN]

    def _together(self, parts: Iterable[ast.expr], depth: int) -> list[str]:
        forms = [self.texts(part, depth + 1) for part in parts]
        return ["".join(form) for form, _number in zip(product(*forms), range(_MOST_FORMS), strict=False)]

    def _answered(self, name: str, given: list[ast.expr], depth: int) -> list[str]:
        """What a function of the same file returns, where it returns text in any case."""
        function = _own_functions(self.module).get(name)
        if function is None:
            return [OPEN]
        names = {one.arg: (arg, self) for one, arg in zip(function.args.args, given, strict=False)}
        inner = _Scope(names, self.module)
        return [text for value in _returned(function) for text in inner.texts(value, depth + 1)]

    def _named(self, name: str, depth: int) -> list[str]:
        if name in self.names:
            node, scope = self.names[name]
            inner = scope or _Scope({key: value for key, value in self.names.items() if key != name}, self.module)
            return inner.texts(node, depth + 1)
        value = getattr(self.module, name, None)
        return [str(value)] if isinstance(value, str | int) and not isinstance(value, bool) else [OPEN]


class _Either(ast.BoolOp):
    """What the branches of a condition assigned to one name."""


@functools.cache
def source_problems() -> tuple[SourceProblem, ...]:
    """All problems of the source, sorted, each once."""
    return tuple(sorted({problem for file in _files() for problem in _problems_of(file)}))


@functools.cache
def stated_rules() -> tuple[tuple[str, str, str], ...]:
    """The sentences that become a problem's rule elsewhere: those of the collection's own errors, and those that a
    function may return in a declaration's place. (file, rule, source), sorted, each once."""
    found = set()
    for file in _files():
        name = str(file.relative_to(PLUGINS))
        for text in _stated(file, _tree(file), _module(file)):
            rule, source = rule_and_source(text, "")
            if _is_sentence(rule):
                found.add((name, rule, source) if source[:1].isupper() or source == OPEN else (name, text, ""))
    return tuple(sorted(found))


def _stated(file: Path, tree: ast.Module, module: Any) -> Iterator[str]:
    for function, call in _calls(tree):
        error = getattr(module, called(call), None)
        if isinstance(error, type) and issubclass(error, Exception) and error.__module__.startswith(_PACKAGE):
            scope = _Scope(_assigned(function, call), module)
            told = ([text for text in scope.texts(arg) if _is_sentence(text)] for arg in call.args)
            yield from next(filter(None, told), [])
    if "declaration" in file.parts:
        for function in _functions(tree):
            if function.returns is not None and "str | None" in ast.unparse(function.returns):
                for value in _returned(function):
                    yield from _Scope({}, module).texts(value)


def _is_sentence(text: str) -> bool:
    return len(_WORD.findall(text)) >= _FEWEST_WORDS


def _returned(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """What a function returns, or each part of it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]


def _problems_of(file: Path) -> Iterator[SourceProblem]:
    tree, module = _tree(file), _module(file)
    for function, call in _calls(tree):
        places = _PLACES.get((called(call), len(call.args)))
        if places is None:
            continue
        for scope in _scopes(tree, module, function, call, _DEEPEST):
            yield from _told(str(file.relative_to(PLUGINS)), call, places, scope)


def _told(file: str, call: ast.Call, places: tuple[int | None, ...], scope: _Scope) -> Iterator[SourceProblem]:
    where, rule, source, way_out = (None if place is None else call.args[place] for place in places)
    sources = [_rule_source(call, scope)] if source is None else scope.texts(source)
    places_told = [] if where is None else scope.texts(where)
    for one_rule, one_way_out in _branches(scope, rule, way_out):
        parts = (places_told, scope.texts(one_rule), sources, scope.texts(one_way_out))
        for place, text, given, step in product(*parts):
            plain, own_source = rule_and_source(text, given) if called(call) == "told" else (text, given)
            if plain.strip(f"{OPEN} :,;.()"):
                yield SourceProblem(file, place, plain, own_source, step)


def _branches(scope: _Scope, *nodes: ast.expr | None) -> list[tuple[ast.expr, ...]]:
    """What is told together: each branch of a condition that assigns all of them, else what they are."""
    found = [node for node in nodes if node is not None]
    held = [scope.names.get(node.id, (None, scope)) if isinstance(node, ast.Name) else (None, scope) for node in found]
    values = [value.values if isinstance(value, _Either) and inner is None else [] for value, inner in held]
    lengths = {len(branches) for branches in values}
    return list(zip(*values, strict=True)) if len(lengths) == 1 and 0 not in lengths else [tuple(found)]


def _rule_source(call: ast.Call, scope: _Scope) -> str:
    """The source of what a :class:`RuleSource` tells."""
    holder = getattr(scope.module, getattr(getattr(call.func, "value", None), "id", ""), None)
    return holder.name if isinstance(holder, RuleSource) else ""


def _scopes(tree: ast.Module, module: Any, function: ast.FunctionDef, call: ast.Call, depth: int) -> Iterator[_Scope]:
    """The scope of a call; where an argument is what the function was given, one for each call of the function."""
    own = _assigned(function, call)
    given = [one.arg for one in function.args.args if one.arg not in ("self", "cls")]
    asked = {arg.id for arg in call.args if isinstance(arg, ast.Name)} & set(given) - set(own)
    callers = [pair for pair in _calls(tree) if called(pair[1]) == function.name and pair[0] is not function]
    if not asked or not callers or depth == 0:
        yield _Scope(own, module)
        return
    for outer, caller in callers:
        for scope in _scopes(tree, module, outer, caller, depth - 1):
            bound = {name: (arg, scope) for name, arg in zip(given, caller.args, strict=False)}
            bound |= {one.arg: (one.value, scope) for one in caller.keywords if one.arg}
            yield _Scope({**bound, **own}, module)


def _files() -> list[Path]:
    return sorted(file for file in PLUGINS.rglob("*.py") if file.parent.name not in ("modules", "doc_fragments"))


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@functools.cache
def _own_functions(module: Any) -> dict[str, ast.FunctionDef]:
    """The functions of a module that return a text."""
    found = _functions(_tree(Path(module.__file__)))
    return {one.name: one for one in found if isinstance(one.returns, ast.Name) and one.returns.id == "str"}


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@functools.cache
def _calls(tree: ast.Module) -> list[tuple[ast.FunctionDef, ast.Call]]:
    return [(one, node) for one in _functions(tree) for node in _calls_in(one)]


@functools.cache
def _calls_in(function: ast.FunctionDef) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def _assigned(function: ast.FunctionDef, call: ast.Call) -> dict[str, tuple[ast.expr, _Scope | None]]:
    """What names hold at a call: what was assigned last, and, for the branches of a condition, what was assigned before
    it with no other problem in between."""
    told = [one.lineno for one in _calls_in(function) if (called(one), len(one.args)) in _PLACES]
    found: dict[str, list[tuple[int, ast.expr]]] = {}
    for node in (one for one in ast.walk(function) if isinstance(one, ast.Assign) and one.lineno < call.lineno):
        for target in node.targets:
            for name, value in _pairs(target, node.value):
                found.setdefault(name, []).append((node.lineno, value))
    return {name: (_either(_last(sorted(values, key=_line), told)), None) for name, values in found.items()}


def _last(values: list[tuple[int, ast.expr]], told: list[int]) -> list[ast.expr]:
    last = values[-1][0]
    return [value for line, value in values if not any(line < one < last for one in told)]


def _line(assigned: tuple[int, ast.expr]) -> int:
    return assigned[0]


def _either(values: list[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else _Either(op=ast.Or(), values=values)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, inner in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, inner)


def _module(file: Path) -> Any:
    return importlib.import_module(".".join([_PACKAGE, *file.relative_to(PLUGINS).with_suffix("").parts]))


def called(call: ast.Call) -> str:
    """The name of what is called, without what it belongs to."""
    return str(getattr(call.func, "id", None) or getattr(call.func, "attr", ""))

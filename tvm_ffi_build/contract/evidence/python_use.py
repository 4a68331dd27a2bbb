"""What a package's own Python files use of the module ``tvm_ffi``: that, too, has to be in a release."""

from __future__ import annotations

import ast
import re
import warnings
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "MODULE",
    "Call",
    "UnreadPythonError",
    "Use",
    "count_words",
    "find_python_calls",
    "find_python_uses",
    "parse_python",
]

MODULE = "tvm_ffi"
# A tree takes at most about 900 bytes for each word, sign and line of the text, measured with tracemalloc on Python
# 3.11, so that of the longest file that is parsed takes about 75 MB.
_WORD = re.compile(r"\w+|[^\w\s]|\n")
_MOST_WORDS = 80_000
# A condition that names nothing else asks for the machine or the user's wish, and not for the runtime.
_SYSTEM = frozenset({"os", "platform", "sys"})


class Use(NamedTuple):
    """A name of the runtime's module that a file uses.

    Attributes:
        name: With the module's, ``tvm_ffi.libinfo.load_lib_module``.
        at_import: Whether importing the file takes it, and not only a call into it.
        file: Which file.
        line: Where.
        parameter: What it gives to it by name, if it calls it.
        conditional: Whether that depends on the machine or on what the user has set.

    """

    name: str
    at_import: bool
    file: str
    line: int
    parameter: str = ""
    conditional: bool = False


class Call(NamedTuple):
    """A call of a function of the runtime's module.

    Attributes:
        name: The function, ``tvm_ffi.libinfo.load_lib_module``.
        line: Where.
        positional: What it is given by position: texts that are written out, and None for all else.
        by_name: The same, by the name of the parameter.

    """

    name: str
    line: int
    positional: tuple[str | None, ...]
    by_name: Mapping[str, str | None]

    def argument(self, position: int, name: str) -> str | None:
        """Return an argument, if it is written out."""
        given = self.positional[position] if position < len(self.positional) else None
        return self.by_name.get(name, given)


def find_python_uses(text: str, file: str) -> list[Use]:
    """Return what a file uses of the runtime's module, as far as it is written out.

    What stands where the file is ready for its absence (``try``, ``suppress``, ``if``, ``and``, ``or``) does not count;
    of an ``if`` that asks for something of ``os``, ``platform`` or ``sys`` alone, both branches do. A file with a
    syntax error uses nothing: it cannot be imported either.

    Raises:
        UnreadPythonError: The file is too long or nested too deeply to be parsed.

    """
    if MODULE not in text:
        return []
    tree = parse_python(text)
    return [] if tree is None else _Reader(file).read(tree)


def find_python_calls(text: str) -> list[Call]:
    """Return the calls of the runtime's functions in a file, without those for whose failure it is ready.

    Raises:
        UnreadPythonError: The file is too long or nested too deeply to be parsed.

    """
    tree = parse_python(text) if MODULE in text else None
    if tree is None:
        return []
    reader = _Reader("")
    reader.read(tree)
    return reader.calls


def parse_python(text: str) -> ast.Module | None:
    """Parse the text of a stranger's file, within bounds of memory; return None if it has a syntax error.

    Raises:
        UnreadPythonError: The file is too long or nested too deeply to be parsed.

    """
    if count_words(text) > _MOST_WORDS:
        raise UnreadPythonError(f"it has more than {_MOST_WORDS} words")
    try:
        # What Python finds odd about a stranger's file is not for the user of this program.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (RecursionError, MemoryError):
        raise UnreadPythonError("it is nested too deeply") from None
    except (SyntaxError, ValueError):
        return None


def count_words(text: str) -> int:
    """Return how many words, signs and lines a text has, by which the size of its tree grows; no more than needed."""
    return sum(1 for _ in islice(_WORD.finditer(text), _MOST_WORDS + 1))


class UnreadPythonError(Exception):
    """A Python file that was not parsed; the text says why."""


class _Place(NamedTuple):
    """Where in a file something stands: outside functions, and behind a condition on the machine."""

    at_import: bool = True
    conditional: bool = False


class _Reader:
    """Collects the uses in one file, and remembers under which names it imports modules.

    It walks the tree with a stack of its own: ``ast.NodeVisitor`` recurses, and ends at a sum of 500 terms.
    """

    def __init__(self, file: str) -> None:
        self.calls: list[Call] = []
        self._found: list[Use] = []
        self._file = file
        self._modules: dict[str, str] = {}
        self._system: set[str] = set()

    def read(self, tree: ast.Module) -> list[Use]:
        """Return the uses in the order of the file."""
        remaining: list[tuple[ast.AST, _Place]] = [(tree, _Place())]
        while remaining:
            node, place = remaining.pop()
            remaining += reversed([*self._visit(node, place)])
        return self._found

    def _visit(self, node: ast.AST, place: _Place) -> Iterable[tuple[ast.AST, _Place]]:
        """Note the uses in a node itself; return its children that count, each with its place."""
        if isinstance(node, ast.Import):
            self._import(node, place)
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node, place)
        elif isinstance(node, ast.Call):
            self._call(node, place)
        elif isinstance(node, ast.Attribute):
            name = self._join_names(node)
            if name:
                self._add_use(name, node, place)
                return []
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return self._visit_function(node, place)
        elif isinstance(node, (ast.If, ast.IfExp)):
            return self._visit_branches(node, place)
        return [(child, place) for child in _list_children(node)]

    def _add_use(self, name: str, node: ast.stmt | ast.expr, place: _Place, parameter: str = "") -> None:
        self._found.append(Use(name, place.at_import, self._file, node.lineno, parameter, place.conditional))

    def _import(self, node: ast.Import, place: _Place) -> None:
        for alias in node.names:
            if alias.name in _SYSTEM:
                self._system.add(alias.asname or alias.name)
            if alias.name.partition(".")[0] == MODULE:
                self._modules[alias.asname or MODULE] = alias.name if alias.asname else MODULE
                self._add_use(alias.name, node, place)

    def _import_from(self, node: ast.ImportFrom, place: _Place) -> None:
        module = node.module or ""
        if node.level == 0 and module in _SYSTEM:
            self._system |= {alias.asname or alias.name for alias in node.names}
        if node.level == 0 and module.partition(".")[0] == MODULE:
            for alias in node.names:
                full = module if alias.name == "*" else f"{module}.{alias.name}"
                self._modules[alias.asname or alias.name] = full
                self._add_use(full, node, place)

    def _call(self, node: ast.Call, place: _Place) -> None:
        name = self._join_names(node.func)
        if name:
            by_name = {keyword.arg: _read_literal(keyword.value) for keyword in node.keywords if keyword.arg}
            self.calls.append(Call(name, node.lineno, tuple(map(_read_literal, node.args)), by_name))
            for keyword in node.keywords:
                if keyword.arg:
                    self._add_use(name, node, place, keyword.arg)

    def _join_names(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in self._modules:
            return ".".join([self._modules[node.id], *reversed(parts)])
        return ""

    def _visit_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, place: _Place
    ) -> list[tuple[ast.AST, _Place]]:
        """Return the parts of a function: the body runs when it is called, the defaults and decorators at once."""
        now = [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
        now += getattr(node, "decorator_list", ())
        later = [node.body] if isinstance(node, ast.Lambda) else node.body
        return [*((part, place) for part in now), *((part, place._replace(at_import=False)) for part in later)]

    def _visit_branches(self, node: ast.If | ast.IfExp, place: _Place) -> list[tuple[ast.AST, _Place]]:
        """Return what a condition decides on; nothing if it may ask for what the file uses, or mean type checkers."""
        names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        # What was loaded is the runtime's doing.
        asks_what_is_loaded = any(
            isinstance(part, ast.Attribute) and part.attr == "modules" for part in ast.walk(node.test)
        )
        if not names or not names <= self._system - {"modules"} or asks_what_is_loaded:
            return []
        branches = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [*node.body, *node.orelse]
        return [(branch, place._replace(conditional=True)) for branch in branches]


def _read_literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _list_children(node: ast.AST) -> Iterable[ast.AST]:
    """Return the parts of a node that count wherever it stands."""
    if isinstance(node, ast.AnnAssign):  # the annotation is for type checkers
        return [node.value] if node.value else []
    if isinstance(node, ast.BoolOp):  # the other operands may never be evaluated
        return node.values[:1]
    if isinstance(node, ast.Try) and node.handlers:  # with a handler, the file goes on without
        return []
    if isinstance(node, ast.With) and any(map(_suppresses, node.items)):  # likewise
        return []
    return ast.iter_child_nodes(node)


def _suppresses(item: ast.withitem) -> bool:
    """Say whether this is ``contextlib.suppress``, however it was imported."""
    called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
    return "suppress" in {getattr(called, "id", None), getattr(called, "attr", None)}

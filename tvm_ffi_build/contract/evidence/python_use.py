"""What a package's own Python files use of the module ``tvm_ffi``: that, too, has to be in a release."""

from __future__ import annotations

import ast
from typing import NamedTuple

__all__ = ["Use", "find_python_uses"]

_MODULE = "tvm_ffi"
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


def find_python_uses(text: str, file: str) -> list[Use]:
    """Return what a file uses of the runtime's module, as far as it is written out.

    What stands where the file is ready for its absence (``try``, ``suppress``, ``if``, ``and``, ``or``) does not count;
    of an ``if`` that asks for something of ``os``, ``platform`` or ``sys`` alone, both branches do. A file that cannot
    be read as Python uses nothing.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    visitor = _Visitor(file)
    visitor.visit(tree)
    return visitor.found


class _Visitor(ast.NodeVisitor):
    """Collects uses; knows under which names modules were imported, and whether it is in a function or behind an if."""

    def __init__(self, file: str) -> None:
        self.found: list[Use] = []
        self._file = file
        self._modules: dict[str, str] = {}
        self._system: set[str] = set()
        self._at_import = True
        self._conditional = False

    def _add_use(self, name: str, node: ast.stmt | ast.expr, parameter: str = "") -> None:
        self.found.append(Use(name, self._at_import, self._file, node.lineno, parameter, self._conditional))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name in _SYSTEM:
                self._system.add(alias.asname or alias.name)
            if alias.name.partition(".")[0] == _MODULE:
                self._modules[alias.asname or _MODULE] = alias.name if alias.asname else _MODULE
                self._add_use(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level == 0 and module in _SYSTEM:
            self._system |= {alias.asname or alias.name for alias in node.names}
        if node.level == 0 and module.partition(".")[0] == _MODULE:
            for alias in node.names:
                full = module if alias.name == "*" else f"{module}.{alias.name}"
                self._modules[alias.asname or alias.name] = full
                self._add_use(full, node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._join_names(node.func)
        if name:
            for keyword in node.keywords:
                if keyword.arg:
                    self._add_use(name, node, keyword.arg)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._join_names(node)
        if name:
            self._add_use(name, node)
        else:
            self.generic_visit(node)

    def _join_names(self, node: ast.expr) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in self._modules:
            return ".".join([self._modules[node.id], *reversed(parts)])
        return ""

    def _visit_body_later(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        now = [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
        for expression in [*now, *getattr(node, "decorator_list", ())]:
            self.visit(expression)
        before, self._at_import = self._at_import, False
        for later in [node.body] if isinstance(node, ast.Lambda) else node.body:
            self.visit(later)
        self._at_import = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_body_later(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_body_later(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_body_later(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Pass over the annotation, which checkers read."""
        if node.value:
            self.visit(node.value)

    def visit_Try(self, node: ast.Try) -> None:
        # With a handler for it, the file goes on without.
        if not node.handlers:
            self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:
        # A try with a handler, in other words.
        if not any(map(_suppresses, node.items)):
            self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        self._visit_branches(node.test, *node.body, *node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._visit_branches(node.test, node.body, node.orelse)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        # What stands behind the first operand may never be looked at.
        self.visit(node.values[0])

    def _visit_branches(self, test: ast.expr, *branches: ast.stmt | ast.expr) -> None:
        """Visit what a condition decides on; not where the file may ask for what it uses, or mean type checkers."""
        if self._checks_system(test):
            before, self._conditional = self._conditional, True
            for branch in branches:
                self.visit(branch)
            self._conditional = before

    def _checks_system(self, test: ast.expr) -> bool:
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        # What was loaded is the runtime's doing.
        asks_what_is_loaded = any(isinstance(node, ast.Attribute) and node.attr == "modules" for node in ast.walk(test))
        return bool(names) and names <= self._system - {"modules"} and not asks_what_is_loaded


def _suppresses(item: ast.withitem) -> bool:
    """Say whether this is ``contextlib.suppress``, however it was imported."""
    called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
    return "suppress" in {getattr(called, "id", None), getattr(called, "attr", None)}

"""What a file says in Python, apart from what is generated into it."""

from __future__ import annotations

import ast
import builtins
import codecs
import io
import tokenize
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import StubError
from .directives import Block, Directive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .directives import Document

__all__ = ["Class", "Override", "Source", "read_source"]


@dataclass(frozen=True)
class Override:
    """A definition that only type checkers see: a signature that somebody knows better than the registry.

    Attributes:
        name: The name of the function.
        line: The number of its first line.
        count: How many parameters it has, without the object of a method; None if it takes any number.

    """

    name: str
    line: int
    count: int | None


@dataclass(frozen=True)
class Class:
    """The class that a block is in.

    Attributes:
        name: Its name.
        defined: What it defines outside of blocks.
        extends_builtin: Whether it inherits from a built-in class, such as ``tuple``, and so is made by ``__new__``.
        first_line: The number of its first line, that of a decorator if it has one.
        last_line: The number of its last line.
        is_generated: Whether it has nothing but a docstring and blocks.
        overrides: Its methods that only type checkers see.
        is_dataclass: Whether it is decorated with the runtime's ``c_class``, which warns of fields without annotations.

    """

    name: str
    defined: frozenset[str]
    extends_builtin: bool
    first_line: int
    last_line: int
    is_generated: bool
    overrides: tuple[Override, ...]
    is_dataclass: bool


@dataclass(frozen=True)
class Source:
    """What is known of a file.

    Attributes:
        names: What it binds at its top level, and the line where it does so last.
        imports: What it imports: module and name, and the name that stands for it. A module alone has no name.
        ran: Of these, what it imports when it runs, and the line after which it is there.
        is_lazy: Whether it has ``from __future__ import annotations``.
        first: The line of its first statement after the docstring; 0 if there is none.
        exported: What it lists in ``__all__`` itself.
        listed_at: The line where it begins to; 0 if it does not.
        tuple_at: The line where it does so in a tuple; 0 if it does not.
        classes: By the line of a block, the class that it is in.
        registers: By type key, the class that the file registers for it.
        overrides: Its functions that only type checkers see.

    """

    names: Mapping[str, int]
    imports: Mapping[tuple[str, str], str]
    ran: Mapping[tuple[str, str], int]
    is_lazy: bool
    first: int
    exported: frozenset[str]
    listed_at: int
    tuple_at: int
    classes: Mapping[int, Class]
    registers: Mapping[str, str]
    overrides: tuple[Override, ...]


def read_source(document: Document) -> Source:
    """Read a file's own statements.

    Raises:
        StubError: It is no Python, or no UTF-8 for Python.

    """
    if not _is_unicode(document.text):
        raise StubError(f"{document.path} is not UTF-8", "convert it, or move it out of the directory")
    try:
        return _parse_source(document)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise StubError(f"{document.path}:{line}: not valid Python: {getattr(error, 'msg', error)}") from None
    except (MemoryError, RecursionError):
        raise StubError(f"{document.path} is nested more deeply than Python's parser can follow", "split it") from None


def _is_unicode(text: str) -> bool:
    """Return whether a text was read from UTF-8: nothing in it stands for a byte that is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_source(document: Document) -> Source:
    text = _blank_blocks(document)
    # PEP 263: what is written here is UTF-8, whatever the file says of itself.
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode()).readline)
    if codecs.lookup(encoding).name != "utf-8":
        raise StubError(
            f"{document.path}:1: the encoding declared here is {encoding}",
            "convert it to UTF-8, and change the declaration",
        )
    with warnings.catch_warnings():
        # What Python thinks of the file's own code it says when that is run.
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    imports = {key: bound for node in _walk_statements(tree.body) for key, bound in _list_imports(node)}
    body = tree.body[1:] if ast.get_docstring(tree, clean=False) is not None else tree.body
    return Source(
        names={name: node.lineno for node in _walk_statements(tree.body) for name in _list_bound_names(node)},
        imports=imports,
        ran={
            key: node.end_lineno or 0
            for node in _walk_statements(tree.body, at_run_time=True)
            for key, _ in _list_imports(node)
        },
        is_lazy=("__future__", "annotations") in imports,
        first=body[0].lineno if body else 0,
        listed_at=min(
            (node.lineno for node in _walk_statements(tree.body) if "__all__" in _list_bound_names(node)), default=0
        ),
        tuple_at=_find_tuple(tree.body),
        exported=frozenset(name for node in _walk_statements(tree.body) for name in _list_exports(node)),
        classes=dict(_find_classes(tree, document)),
        overrides=tuple(_list_overrides(tree.body, document.path, is_class=False)),
        registers={key: name for node in _walk_statements(tree.body) for key, name in _list_registrations(node)},
    )


def _blank_blocks(document: Document) -> str:
    """Return the text with a statement for each block, line for line."""
    parts: list[str] = []
    for part in document.parts:
        if isinstance(part, Block):
            lines = part.last_line - part.line
            # Where a class has nothing but a block, it still has to be one. In a list, nothing is to be added.
            parts.append(("" if part.kind == "__all__" else f"{part.indent}pass") + "\n" * (lines + 1))
        else:
            parts.append(part.text if isinstance(part, Directive) else part)
    # Python's own reader is told that a mark at the beginning is none.
    return "".join(parts).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _walk_statements(body: list[ast.stmt], *, at_run_time: bool = False) -> Iterator[ast.stmt]:
    """Yield the statements of a body, those behind conditions included, but at run time not those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            if not (at_run_time and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
                yield from _walk_statements(node.body, at_run_time=at_run_time)
            yield from _walk_statements(getattr(node, "orelse", []), at_run_time=at_run_time)
            yield from _walk_statements(getattr(node, "finalbody", []), at_run_time=at_run_time)
            for handler in getattr(node, "handlers", []):
                yield from _walk_statements(handler.body, at_run_time=at_run_time)


def _list_imports(node: ast.stmt) -> Iterator[tuple[tuple[str, str], str]]:
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            yield (module, alias.name), alias.asname or alias.name
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname or "." not in alias.name:
                yield (alias.name, ""), alias.asname or alias.name


def _list_bound_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)


def _list_registrations(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield the type keys that a statement registers a class for: as ``@register_object(key)``, or by a call."""
    if isinstance(node, ast.ClassDef):
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call):
                yield from ((key, node.name) for key in _read_first_text(decorator))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Call) and call.args and isinstance(call.args[0], ast.Name):
            # As register_object with the key, called with the class.
            yield from ((key, call.args[0].id) for key in _read_first_text(call.func))
        elif len(call.args) > 1 and isinstance(call.args[1], ast.Name):
            # Or with both.
            yield from ((key, call.args[1].id) for key in _read_first_text(call))


def _list_overrides(body: list[ast.stmt], path: str, *, is_class: bool) -> Iterator[Override]:
    """Yield the functions of a body that are not there at run time; in a stub file, all."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from (_read_override(part, is_class) for part in node.body if isinstance(part, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef) and path.endswith(".pyi"):
            yield _read_override(node, is_class)


def _read_override(node: ast.FunctionDef, is_class: bool) -> Override:
    arguments = node.args
    count: int | None = len([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs])
    is_static = any(
        isinstance(decorator, ast.Name) and decorator.id == "staticmethod" for decorator in node.decorator_list
    )
    if arguments.vararg or arguments.kwarg:
        count = None
    elif is_class and not is_static:
        count = max(0, (count or 0) - 1)
    return Override(node.name, node.lineno, count)


def _list_decorators(node: ast.ClassDef) -> list[ast.expr]:
    """Return what decorates a class, without the arguments."""
    return [word.func if isinstance(word, ast.Call) else word for word in node.decorator_list]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _read_first_text(call: ast.Call) -> Iterator[str]:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        yield call.args[0].value


def _find_tuple(body: list[ast.stmt]) -> int:
    """Return the line where ``__all__`` becomes a tuple, and stays one; 0 if there is none."""
    made = [
        node
        for node in _walk_statements(body)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and "__all__" in _list_bound_names(node)
    ]
    return made[-1].lineno if made and isinstance(made[-1].value, ast.Tuple) else 0


def _list_exports(node: ast.stmt) -> Iterator[str]:
    """Yield the words of an assignment to ``__all__``."""
    if (
        isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
        and "__all__" in _list_bound_names(node)
        and node.value
    ):
        yield from (
            part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant) if type(part.value) is str
        )


def _find_classes(tree: ast.Module, document: Document) -> Iterator[tuple[int, Class]]:
    found = sorted((node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)), key=lambda node: node.lineno)
    for block in document.blocks:
        around = [node for node in found if node.lineno < block.line <= (node.end_lineno or 0)]
        if around:
            # The innermost begins last.
            node = around[-1]
            names = frozenset(name for part in _walk_statements(node.body) for name in _list_bound_names(part))
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            yield (
                block.line,
                Class(
                    name=node.name,
                    defined=names,
                    extends_builtin=any(hasattr(builtins, base) for base in bases - {"object"}),
                    first_line=min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]),
                    last_line=node.end_lineno or 0,
                    # A docstring, or what stands for a block.
                    is_dataclass=any(ast.unparse(word).endswith("c_class") for word in _list_decorators(node)),
                    overrides=tuple(_list_overrides(node.body, document.path, is_class=True)),
                    is_generated=all(isinstance(part, ast.Pass) or _is_text(part) for part in node.body),
                ),
            )

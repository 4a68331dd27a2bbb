"""Errors have fields: the code passes them one by one, reads them one by one, and puts them together in one place."""

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING

import pytest
from support.package_source import find_lines

from tvm_ffi_build import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = {name for name in errors.__all__ if issubclass(getattr(errors, name), errors.TvmFfiBuildError)}
SEPARATOR = "; "

# Functions and methods that look for something in a text.
SEARCHES = {"search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split"}


def names_in(node: ast.AST | None) -> set[str]:
    """Return the names in an expression, also in a quoted annotation."""
    nodes = list(ast.walk(node)) if node else []
    quoted = {name for text in literals_in(node) for name in re.findall(r"\w+", text)} if node else set()
    return quoted.union(part.id for part in nodes if isinstance(part, ast.Name))


def fields_of(node: ast.JoinedStr) -> list[ast.expr]:
    """Return the expressions in an f-string."""
    return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]


class Function:
    """A function, and the names in it that are bound to errors of this package or to their texts."""

    def __init__(self, node: ast.AST) -> None:
        self.nodes = list(ast.walk(node))
        self.errors: set[str | None] = set()
        self.texts: set[str] = set()
        for part in self.nodes:
            if isinstance(part, ast.ExceptHandler) and names_in(part.type) & CLASSES:
                self.errors.add(part.name)
            if isinstance(part, ast.arg) and names_in(part.annotation) & CLASSES:
                self.errors.add(part.arg)
        for part in self.nodes:
            if isinstance(part, ast.Assign) and self.is_text(part.value):
                self.texts.update(target.id for target in part.targets if isinstance(target, ast.Name))

    def is_error(self, node: ast.AST) -> bool:
        """Return whether an expression is an error; results have theirs in an attribute of that name."""
        if isinstance(node, ast.Attribute):
            return node.attr == "error"
        return isinstance(node, ast.Name) and node.id in self.errors

    def is_text(self, node: ast.AST) -> bool:
        """Return whether an expression is the line of an error, or a part of it."""
        if isinstance(node, ast.Call):
            is_conversion = isinstance(node.func, ast.Name) and node.func.id in {"str", "repr"}
            return is_conversion and any(map(self.is_error, node.args))
        if isinstance(node, ast.Attribute):
            return node.attr in {"what", "remedy", "args"} and self.is_error(node.value)
        if isinstance(node, ast.JoinedStr):
            return any(self.is_error(field) or self.is_text(field) for field in fields_of(node))
        return isinstance(node, ast.Name) and node.id in self.texts

    def wrong(self) -> Iterator[int]:
        """Yield the lines that take a text apart, or that append to it."""
        for node in self.nodes:
            if isinstance(node, (ast.Attribute, ast.Subscript)):
                parts: list[ast.expr] = [node.value]
            elif isinstance(node, ast.Compare):
                parts = [node.left, *node.comparators]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SEARCHES:
                parts = node.args
            elif isinstance(node, ast.JoinedStr) and ";" in "".join(literals_in(node)):
                parts = [node]
            else:
                continue
            if any(map(self.is_text, parts)):
                yield node.lineno


def literals_in(node: ast.AST) -> list[str]:
    """Return the literal texts in an expression."""
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def reads_errors_by_hand(source: str) -> list[int]:
    """Return the lines that take the line of an error apart, or that append to it."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return sorted({line for node in functions for line in Function(node).wrong()})


def passes_one_text(source: str) -> list[int]:
    """Return the lines that make an error whose first argument contains its remedy, or may contain it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        calls = [node.exc] if isinstance(node, ast.Raise) else [node]
        for call in calls:
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            what = call.args[0] if call.args else call.func
            is_text = isinstance(what, (ast.Constant, ast.JoinedStr))
            is_field = isinstance(what, ast.Attribute) and what.attr == "what"
            # A raised name in lower case is a variable with a class, or a function that makes the error.
            is_class = call.func.id in CLASSES
            if not is_class and (call is node or not call.func.id.islower() or not is_text):
                continue
            if not (is_text or is_field) or (is_text and SEPARATOR in "".join(literals_in(what))):
                found.append(call.lineno)
    return sorted(set(found))


def test_no_code_takes_the_text_of_an_error_apart_or_appends_to_it() -> None:
    """Use the fields, and ``with_remedy``."""
    assert find_lines(reads_errors_by_hand) == set()


def test_every_error_is_made_of_fields() -> None:
    assert find_lines(passes_one_text) == set()


def names_no_subject(source: str) -> list[int]:
    """Return the lines that make an error about a file without the field that is replaced where it was unpacked."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id == "UnreadableBinaryError"
        and "about" not in {keyword.arg for keyword in call.keywords}
    ]


def test_every_error_about_a_library_has_its_subject_in_a_field() -> None:
    assert find_lines(names_no_subject) == set()
    assert names_no_subject('raise UnreadableBinaryError(f"{path} is empty")')
    assert not names_no_subject('raise UnreadableBinaryError("is empty", about=name)')


CAUGHT = "def f():\n    try:\n        g()\n    except (ValueError, BuildError) as error:\n        {}"


@pytest.mark.parametrize(
    "source",
    [
        CAUGHT.format('message, _, remedy = str(error).partition("; ")'),
        CAUGHT.format('x = str(error).replace("a", "b")'),
        CAUGHT.format("lost = LOST.search(str(error))"),
        CAUGHT.format('re.sub("a", "b", str(error))'),
        CAUGHT.format('x = "No space" in str(error)'),
        CAUGHT.format("x = str(error)[10:]"),
        CAUGHT.format("x = error.args[0]"),
        CAUGHT.format('x = error.remedy.removeprefix("run: ")'),
        CAUGHT.format('x = f"{error}".split("; ")'),
        CAUGHT.format('text = str(error)\n        x = text.split("; ")'),
        CAUGHT.format('raise BuildError(f"{error}; or not")'),
        'def f(error: BuildError):\n    return str(error).startswith("a")',
        'def f(error: "BuildError | None"):\n    return str(error).startswith("a")',
        'def f(result):\n    raise kind(f"{result.error}; or not")',
    ],
)
def test_code_that_takes_the_text_of_an_error_apart_is_found(source: str) -> None:
    assert reads_errors_by_hand(source)


@pytest.mark.parametrize(
    "source",
    [
        CAUGHT.format("print(str(error))"),
        CAUGHT.format('print(f"since {error}")'),
        CAUGHT.format('raise error.with_remedy("or not")'),
        CAUGHT.format("lost = LOST.search(error.output)"),
        CAUGHT.format("return Problem(error.what, error.remedy)"),
        'def f():\n    try:\n        g()\n    except OSError as error:\n        x = str(error).split("; ")',
    ],
)
def test_code_that_prints_an_error_or_reads_a_field_is_not_found(source: str) -> None:
    assert not reads_errors_by_hand(source)


@pytest.mark.parametrize(
    "source",
    [
        'raise BuildError("it failed; do it again")',
        'raise BuildError(f"{path} failed; " "do it again")',
        "raise BuildError(f\"{text if hint else f'{text}; {hint}'}\")",
        "raise BuildError(message)",
        "return BuildError(str(error))",
        'raise kind(f"{path} failed; do it again")',
        "raise BuildError(what=message)",
    ],
)
def test_an_error_that_is_made_of_one_text_is_found(source: str) -> None:
    assert passes_one_text(source)


@pytest.mark.parametrize(
    "source",
    [
        'raise BuildError("it failed", "do it again; or do not")',
        "raise BuildError(error.what, error.remedy)",
        'raise kind(f"{path} failed", "do it again")',
        'raise ImportError("it failed; do it again")',
        'print("it failed; do it again")',
        "raise error",
    ],
)
def test_an_error_that_is_made_of_fields_is_not_found(source: str) -> None:
    assert not passes_one_text(source)


def test_an_error_keeps_its_type_and_fields_when_a_remedy_is_added() -> None:
    error = errors.RepairError("failed", "do it again", about="a.whl", output="words").with_remedy("or do not")
    assert type(error) is errors.RepairError
    assert (error.what, error.remedy, error.about, error.output) == (
        "a.whl failed",
        "do it again; or do not",
        "a.whl",
        "words",
    )
    assert str(error) == "a.whl failed; do it again; or do not"
    assert str(errors.BuildError("failed").with_remedy("try")) == "failed; try"
    assert str(errors.BuildError("failed", command="x").with_remedy("or y")) == "failed; run: x; or y"


def test_the_subject_of_an_error_can_be_replaced() -> None:
    error = errors.UnreadableBinaryError("is empty", "build it again", about="/tmp/a.so")
    error.about = "demo.whl: a.so"
    assert str(error) == "demo.whl: a.so is empty; build it again"


def test_an_error_can_be_copied() -> None:
    error = errors.BuildError("failed", command="x", about="a.whl", output="words")
    copied = copy.deepcopy(error)
    assert vars(copied) == vars(error)
    assert str(copied) == str(error)

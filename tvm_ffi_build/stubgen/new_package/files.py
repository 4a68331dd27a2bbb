"""What is written where nothing is yet: packages for registered prefixes, and classes for registered types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files.directives import begin_line, directive_line, end_line
from ..files.package_parts import API, LOADER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..registry.snapshot import Snapshot, Type

__all__ = [
    "OBJECT",
    "REGISTER",
    "api_file",
    "class_text",
    "empty_block",
    "export_block",
    "function_block",
    "import_line",
    "init_file",
    "section_block",
    "sort_by_ancestry",
]

# As the runtime's tool calls them, which may have begun the file.
REGISTER = "_FFI_REG_OBJ"
OBJECT = "_ffi_Object"


def empty_block(kind: str, indent: str = "") -> str:
    """Return a block of a kind, to be filled."""
    return f"{indent}{begin_line(kind)}\n{indent}{end_line()}\n"


def init_file(prefix: str) -> str:
    """Return a package's ``__init__.py``."""
    return f'"""What the library registers as {prefix}."""\n\n{empty_block(f"export/{API}")}'


def api_file(prefix: str, classes: str, *, levels: int, has_functions: bool) -> str:
    """Return a module for the functions and classes of a prefix.

    Args:
        prefix: The prefix.
        classes: The definitions of the classes.
        levels: How many packages above it the one is that loads the library.
        has_functions: Whether there are functions too.

    """
    functions = f"\n{empty_block(f'global/{prefix}')}" if has_functions else ""
    return (
        f'"""What the library registers as {prefix}."""\n\n'
        f"{empty_block('import-section')}\n"
        f"from {'.' * (levels + 1)}{LOADER} import LIB\n"
        f"{functions}"
        f"{classes}\n\n"
        f"__all__ = [\n{empty_block('__all__', '    ')}]\n"
    )


def function_block(prefix: str) -> str:
    """Return a block for the functions of a prefix, to be appended to a file."""
    return f"\n{empty_block(f'global/{prefix}')}"


def section_block() -> str:
    """Return a block for imports, to be appended to a file."""
    return f"\n{empty_block('import-section')}"


def export_block() -> str:
    """Return a block that exports what the module beside has, to be appended to a file."""
    return f"\n{empty_block(f'export/{API}')}"


def class_text(of: Type, base: str) -> str:
    """Return the definition of a class, with a block for its members, to be appended to a file."""
    name = of.key.rpartition(".")[2]
    return (
        f'\n\n@{REGISTER}("{of.key}")\nclass {name}({base}):\n'
        f'    """The registered type {of.key}."""\n\n'
        f"{empty_block(f'object/{of.key}', '    ')}"
    )


def import_line(path: str, alias: str) -> str:
    """Return the directive for an import at run time."""
    return f"\n{directive_line('import-object', f'{path};False;{alias}')}"


def sort_by_ancestry(keys: Iterable[str], snapshot: Snapshot) -> list[str]:
    """Return type keys so that each comes after what it inherits from, and else by name."""
    wanted, seen, ordered = set(keys), set[str](), list[str]()

    def visit(key: str | None) -> None:
        if key is None or key in seen or key not in snapshot.types:
            return
        seen.add(key)
        visit(snapshot.types[key].parent)
        if key in wanted:
            ordered.append(key)

    for key in sorted(wanted):
        visit(key)
    return ordered

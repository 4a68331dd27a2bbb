"""What is written where nothing is yet: packages for registered prefixes, and classes for registered types."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .snapshot import Snapshot, Type

__all__ = [
    "API",
    "LOADER",
    "OBJECT",
    "REGISTER",
    "TYPED",
    "api_file",
    "class_text",
    "export_block",
    "function_block",
    "import_line",
    "in_order",
    "init_file",
    "loader_file",
    "section_block",
]

API = "_ffi_api"
LOADER = "_library"
# The mark of a package with types (PEP 561).
TYPED = "py.typed"
# As the runtime's tool calls them, which may have begun the file.
REGISTER = "_FFI_REG_OBJ"
OBJECT = "_ffi_Object"

_BEGIN, _END = "# tvm-ffi-stubgen(begin): {}\n", "# tvm-ffi-stubgen(end)\n"


def _block(kind: str, indent: str = "") -> str:
    return f"{indent}{_BEGIN.format(kind)}{indent}{_END}"


def init_file(prefix: str) -> str:
    """Return a package's ``__init__.py``."""
    return f'"""What the library registers as {prefix}."""\n\n{_block(f"export/{API}")}'


def api_file(prefix: str, classes: str, *, levels: int, has_functions: bool) -> str:
    """Return a module for the functions and classes of a prefix.

    Args:
        prefix: The prefix.
        classes: The definitions of the classes.
        levels: How many packages above it the one is that loads the library.
        has_functions: Whether there are functions too.

    """
    functions = f"\n{_block(f'global/{prefix}')}" if has_functions else ""
    return (
        f'"""What the library registers as {prefix}."""\n\n'
        f"{_block('import-section')}\n"
        f"from {'.' * (levels + 1)}{LOADER} import LIB\n"
        f"{functions}"
        f"{classes}\n\n"
        f"__all__ = [\n{_block('__all__', '    ')}]\n"
    )


def function_block(prefix: str) -> str:
    """Return a block for the functions of a prefix, to be appended to a file."""
    return f"\n{_block(f'global/{prefix}')}"


def section_block() -> str:
    """Return a block for imports, to be appended to a file."""
    return f"\n{_block('import-section')}"


def export_block() -> str:
    """Return a block that exports what the module beside has, to be appended to a file."""
    return f"\n{_block(f'export/{API}')}"


def class_text(of: Type, base: str) -> str:
    """Return the definition of a class, with a block for its members, to be appended to a file."""
    name = of.key.rpartition(".")[2]
    return (
        f'\n\n@{REGISTER}("{of.key}")\nclass {name}({base}):\n'
        f'    """The registered type {of.key}."""\n\n'
        f"{_block(f'object/{of.key}', '    ')}"
    )


def import_line(path: str, alias: str) -> str:
    """Return the directive for an import at run time."""
    return f"\n# tvm-ffi-stubgen(import-object): {path};False;{alias}"


def in_order(keys: Iterable[str], snapshot: Snapshot) -> list[str]:
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


def loader_file(distribution: str, target: str) -> str:
    """Return a module that loads the library, in a wheel, an editable install or a build tree."""
    blocks = {"section": _block("import-section"), "library": _block(f"library/{target}")}
    return _LOADER.format(distribution=distribution, target=target, **blocks)


_LOADER = '''\
"""Loads the library that is built with this package, in a wheel, an editable install or a build tree."""

{section}
import ctypes
import importlib.util
import sys
from pathlib import Path
from typing import cast

import tvm_ffi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["LIB"]

{library}
_PACKAGE = __name__.rpartition(".")[0]
_FILES = {{"win32": "{target}.dll", "darwin": "lib{target}.dylib"}}
_FILE = _FILES.get(sys.platform, "lib{target}.so")


def _folders() -> Iterator[Path]:
    # Asked for an extension module of this name, an editable install that rebuilds on import does so.
    spec = importlib.util.find_spec(f"{{_PACKAGE}}.{{_FILE.partition('.')[0]}}")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent
    # Beside this file, and in an editable install where the built files are.
    yield from map(Path, sys.modules[_PACKAGE].__path__)
    # In a source tree: built in place, or by "cmake -B build"; some generators have a folder for each configuration.
    for folder in list(Path(__file__).resolve().parents)[1:4]:
        if (folder / "pyproject.toml").is_file():
            for built in (folder, folder / "build"):
                yield built
                yield from filter(Path.is_dir, (built / name for name in ("Release", "RelWithDebInfo", "Debug")))


def _refuse_known_failures(folder: Path) -> None:
    # Written when the library was built, if it was by tvm-ffi-build. Releases that came later are not in it.
    path = folder / "_{target}_runtime.py"
    if path.is_file():
        known: dict[str, Any] = {{}}
        exec(compile(path.read_bytes(), str(path), "exec"), known)  # noqa: S102
        reason = known["FAILS_ON"].get(tvm_ffi.__version__)
        if reason is not None:
            wanted = f"'apache-tvm-ffi{{known['WORKS_WITH']}}'"
            raise ImportError(
                f"{distribution} does not work with apache-tvm-ffi {{tvm_ffi.__version__}} ({{reason}}); "
                f"run: {{sys.executable}} -m pip install {{wanted}}"
            )


def _load() -> Any:
    searched = list(dict.fromkeys(_folders()))
    for folder in searched:
        if (folder / _FILE).is_file():
            _refuse_known_failures(folder)
            path = str(folder / _FILE)
            if sys.platform == "win32":
                # The runtime looks nowhere for what the library needs of its own. This looks beside the library and in
                # the folders that were added for it, as a repaired wheel does; what is loaded is then found by name.
                ctypes.CDLL(path)
            return cast("Any", tvm_ffi).load_module(path)
    folders = ", ".join(map(str, searched))
    advice = "python -m pip install --force-reinstall {distribution}"
    raise ImportError(f"{{_FILE}} is not in {{folders}}; install it again: {{advice}}")


LIB = cast("Library", _load())
'''

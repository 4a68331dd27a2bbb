"""Tables of a ``pyproject.toml``: how they are read, and what may stand in those of this package.

Every key of ``[tool.tvm-ffi-build.*]`` is declared here, once: who reads one asks for its table. The page on
configuration and the JSON schema are generated from it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ProjectError
from ..host.regular_files import NotRegularError, read_regular_text
from ..platforms.cuda_architectures import DECLARED, DECLARED_LIST, parse_declared

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["AUDIT", "GPU", "REPAIR", "RUNTIME", "TABLES", "Key", "Kind", "Table", "read_table", "read_toml", "table_in"]

_OURS = ("tool", "tvm-ffi-build")


class Kind(NamedTuple):
    """What a value may be.

    Attributes:
        name: In words that complete "is not".
        accepts: Says whether a value is one.
        schema: The same as a JSON schema.

    """

    name: str
    accepts: Callable[[Any], bool]
    schema: dict[str, Any]


class Key(NamedTuple):
    """A key of a table.

    Attributes:
        name: As it is written.
        kind: What its value may be.
        default: What holds without it.
        meaning: What it does, in a sentence for the manual, in Markdown and without a full stop.

    """

    name: str
    kind: Kind
    default: Any
    meaning: str


class Table(NamedTuple):
    """A table below ``[tool.tvm-ffi-build]``.

    Attributes:
        name: The last part of its name.
        meaning: What its keys decide, in a phrase without a full stop.
        keys: What may stand in it.

    """

    name: str
    meaning: str
    keys: tuple[Key, ...]

    def read(self, folder: Path) -> dict[str, Any]:
        """Return the value of each key in the ``pyproject.toml`` of a folder; without file or table, the defaults.

        Raises:
            ProjectError: It has what is not known, or not of the type that it should be.

        """
        path = folder / "pyproject.toml"
        data = read_toml(path) if _is_there(path) else {}
        _require_known(table_in(data, path, *_OURS), [table.name for table in TABLES], path, ".".join(_OURS))
        name = ".".join((*_OURS, self.name))
        table = table_in(data, path, *_OURS, self.name)
        _require_known(table, [key.name for key in self.keys], path, name)
        for key in self.keys:
            if key.name in table and not key.kind.accepts(table[key.name]):
                raise ProjectError(f"{path}: {name}.{key.name} is not {key.kind.name}")
        return {key.name: table.get(key.name, key.default) for key in self.keys}


def _is_there(path: Path) -> bool:
    """Say whether a file is there, or something in its place; that it cannot be read is told by who reads it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def read_toml(path: Path) -> dict[str, Any]:
    """Read a ``pyproject.toml``.

    Raises:
        ProjectError: It is missing, cannot be read or is not TOML.

    """
    folder = path.parent
    try:
        data: dict[str, Any] = tomllib.loads(read_regular_text(path))
    except NotRegularError:
        raise ProjectError(f"{path} is not a file", "pass the directory that has one") from None
    except FileNotFoundError:
        raise ProjectError(f"{folder} has no pyproject.toml", "pass the directory that has one") from None
    except NotADirectoryError:
        raise ProjectError(f"{folder} is not a directory", "pass the directory of the project") from None
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8, no TOML, or a number of more digits than Python takes
        raise ProjectError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise ProjectError(f"{path} is nested too deeply") from None
    return data


def read_table(path: Path, *keys: str) -> dict[str, Any]:
    """Read one table of a ``pyproject.toml``; one that is not there is empty.

    Raises:
        ProjectError: The file cannot be read or is not TOML, or what should be a table is none.

    """
    return table_in(read_toml(path), path, *keys)


def table_in(data: dict[str, Any], path: Path, *keys: str) -> dict[str, Any]:
    """Return one table of what has been read from a file, by its name in parts; one that is not there is empty.

    Raises:
        ProjectError: What should be a table is none.

    """
    for depth, key in enumerate(keys, 1):
        data = data.get(key, {})
        if not isinstance(data, dict):
            raise ProjectError(f"{path}: {'.'.join(keys[:depth])} is not a table")
    return data


def _require_known(table: dict[str, Any], known: list[str], path: Path, name: str) -> None:
    unknown = table.keys() - set(known)
    if unknown:
        there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
        raise ProjectError(f"{path}: {name}.{min(unknown)} is not known", there)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_share(value: Any) -> bool:
    # True is a number, too.
    return not isinstance(value, bool) and isinstance(value, (int, float)) and 0 <= value <= 1


_TEXT_SCHEMA: dict[str, Any] = {"type": "string"}
_TEXTS_SCHEMA: dict[str, Any] = {"type": "array", "items": _TEXT_SCHEMA}

_TEXT = Kind("a string", lambda value: isinstance(value, str), _TEXT_SCHEMA)
_TEXTS = Kind("a list of strings", _are_texts, _TEXTS_SCHEMA)
_TEXTS_BY_NAME = Kind(
    "a table of lists of strings",
    lambda value: isinstance(value, dict) and all(map(_are_texts, value.values())),
    {"type": "object", "additionalProperties": _TEXTS_SCHEMA},
)


def _are_architectures(value: Any) -> bool:
    try:
        parse_declared(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, (list, str))


_ARCHITECTURES = Kind(
    'a list of CUDA architectures such as "9.0a" or "12.0+PTX"',
    _are_architectures,
    {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "pattern": DECLARED}},
            {"type": "string", "pattern": DECLARED_LIST},
        ]
    },
)
_SHARE = Kind("a number from 0 to 1", _is_share, {"type": "number", "minimum": 0, "maximum": 1})
_SWITCH = Kind("true or false", lambda value: isinstance(value, bool), {"type": "boolean"})

RUNTIME = Table(
    "runtime",
    "which releases of the runtime a wheel requires",
    (
        Key(
            "requires",
            _TEXT,
            "",
            "version bounds for apache-tvm-ffi, such as `!=0.1.17`, in addition to those that follow from the build; "
            "they narrow the compatibility range and never widen it",
        ),
    ),
)
REPAIR = Table(
    "repair",
    "how `tvm-ffi-build repair` bundles libraries into a wheel",
    (
        Key("exclude", _TEXTS, [], "patterns (`*`, `?`, `[...]`) for the names of libraries to leave out of the wheel"),
        Key("preset", _TEXTS, [], "names of sets of libraries that other packages or drivers provide"),
        Key("lib-path", _TEXTS, [], "directories to search for libraries first, relative to the project"),
        Key("strip", _SWITCH, False, "remove symbols that are not needed at run time (Linux)"),
    ),
)
AUDIT = Table(
    "audit",
    "which rules `tvm-ffi-build audit` checks",
    (
        Key("select", _TEXTS, [], "rules to check, by id or prefix (`R`, `R2`, `R207`); empty for all"),
        Key("ignore", _TEXTS, [], "rules to skip, by id or prefix"),
        Key(
            "per-file-ignores",
            _TEXTS_BY_NAME,
            {},
            "rules to skip, by id or prefix, for each pattern (`*`, `?`, `[...]`) of file names in the wheel",
        ),
        Key("strict", _SWITCH, False, "fail on warnings, too"),
        Key(
            "external",
            _TEXTS,
            [],
            "P353, P355: patterns for libraries that users already have, in addition to `exclude` and `preset` of "
            "the repair",
        ),
        Key("debug-share", _SHARE, 0.5, "C407: the largest share of a library that may be debug information"),
    ),
)
GPU = Table(
    "gpu",
    "which GPUs the wheels support",
    (
        Key(
            "architectures",
            _ARCHITECTURES,
            [],
            "the CUDA architectures to compile for, as in `TORCH_CUDA_ARCH_LIST`: `9.0` for machine code, `9.0a` or "
            "`10.0f` for features of one GPU or family, `+PTX` for later GPUs. They are the default of "
            "`CMAKE_CUDA_ARCHITECTURES`, and `audit` compares them with the wheel (G508)",
        ),
        Key(
            "check",
            _SWITCH,
            True,
            "let the generated loader warn if no GPU of the machine runs the device code",
        ),
    ),
)
TABLES = (RUNTIME, REPAIR, AUDIT, GPU)

"""A snapshot of the registry: what libraries have registered, as data that can be kept and compared."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..binaries import read_binary
from ..errors import LoadError, StubError
from .schema import SchemaError, parse_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..binaries import Binary
    from .schema import Schema

__all__ = [
    "Field",
    "Function",
    "Snapshot",
    "Type",
    "exported_functions",
    "library_names",
    "read_snapshot",
    "take_snapshot",
]

_FORMAT = 1
# Of ancestors; the runtime's own types have three at most.
_DEEPEST = 100
_SYMBOL = "__tvm_ffi_"
# What else the prefix is used for: the metadata and docs of a function, embedded device code.
_OTHER_SYMBOLS = ("__tvm_ffi__",)


@dataclass(frozen=True)
class Function:
    """A function.

    Attributes:
        name: Its registered name, or for a method or an exported symbol the plain one.
        schema: Its type, or None where that is not known.
        doc: What was registered to say about it.
        static: For a method: whether it takes no object.

    """

    name: str
    schema: Schema | None
    doc: str = ""
    static: bool = False


@dataclass(frozen=True)
class Field:
    """A field of a type.

    Attributes:
        name: Its name.
        schema: Its type, or None where that is not known.
        doc: What was registered to say about it.
        frozen: Whether it can only be read.
        init: Whether the generated constructor takes it.
        kw_only: Whether that takes it by name only.
        default: Its default as Python writes it, ``...`` if that cannot be said in short, None if there is none.

    """

    name: str
    schema: Schema | None
    doc: str = ""
    frozen: bool = False
    init: bool = True
    kw_only: bool = False
    default: str | None = None


@dataclass(frozen=True)
class Type:
    """A type of objects.

    Attributes:
        key: Its type key.
        parent: The type key of what it inherits from.
        fields: Those that it declares itself.
        methods: Those that it declares itself.
        has_init: Whether Python can make an object of it.
        python: Where its Python class is imported from, if one was registered when the snapshot was taken.

    """

    key: str
    parent: str | None
    fields: tuple[Field, ...] = ()
    methods: tuple[Function, ...] = ()
    has_init: bool = False
    python: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """All that is registered.

    Attributes:
        runtime: Version of the runtime that it was taken with.
        functions: Global functions by name.
        types: Types by key.
        libraries: By file name, the functions that a library exports as C symbols.
        text: The JSON that it was read from.

    """

    runtime: str
    functions: Mapping[str, Function]
    types: Mapping[str, Type]
    libraries: Mapping[str, tuple[Function, ...]]
    text: str

    def exported_by(self, target: str) -> tuple[Function, ...]:
        """Return the functions that the library of a CMake target exports as C symbols."""
        return next((self.libraries[name] for name in library_names(target) if name in self.libraries), ())


def library_names(target: str) -> tuple[str, ...]:
    """Return the file names that the library of a CMake target may have."""
    return f"lib{target}.so", f"lib{target}.dylib", f"{target}.dll", f"{target}.so"


def read_snapshot(text: str, source: str) -> Snapshot:
    """Read a snapshot from its JSON.

    Args:
        text: The JSON.
        source: What to call it in an error.

    Raises:
        StubError: It is no snapshot.

    """
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("schema") != _FORMAT:
            raise StubError(f"{source} is no snapshot of format {_FORMAT}; make one: tvm-ffi-build stubgen --json")
        types = {key: _type(key, value) for key, value in sorted(data["types"].items())}
        _require_ends(types)
        return Snapshot(
            runtime=str(data["runtime"]),
            functions={name: _function(name, value) for name, value in sorted(data["functions"].items())},
            types=types,
            libraries={
                file: tuple(_function(name, value) for name, value in sorted(functions.items()))
                for file, functions in sorted(data["libraries"].items())
            },
            text=text,
        )
    except SchemaError as error:
        raise StubError(f"{source} has {error}; make it again: tvm-ffi-build stubgen --json") from None
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError, MemoryError, RecursionError):
        raise StubError(f"{source} is damaged; make it again: tvm-ffi-build stubgen --json") from None


def _require_ends(types: Mapping[str, Type]) -> None:
    """Check that what types inherit from has an end, and soon.

    Raises:
        ValueError: It has none.

    """
    for of in types.values():
        parent, depth = of.parent, 0
        while parent is not None and parent in types:
            parent, depth = types[parent].parent, depth + 1
            if depth > _DEEPEST:
                raise ValueError(of.key)


def _schema(value: Any) -> Schema | None:
    return None if value is None else parse_schema(value)


def _text(value: Any) -> str:
    """Return a text, or nothing for None.

    Raises:
        TypeError: It is something else.
        ValueError: No file in UTF-8 can hold it.

    """
    if value is not None and not isinstance(value, str):
        raise TypeError(value)
    (value or "").encode()
    return value or ""


def _default(value: Any) -> str | None:
    """Return a default as Python writes it: what is written into a file is a literal and nothing else.

    Raises:
        ValueError: It is none.

    """
    text = _text(value)
    if value is None or text == "...":
        return text or None
    if text in {"inf", "-inf", "nan"}:  # floats that have no literal
        return "..."
    return repr(ast.literal_eval(text))


def _function(name: str, value: Any) -> Function:
    return Function(_text(name), _schema(value["type"]), _text(value["doc"]), bool(value.get("static", False)))


def _type(key: str, value: Any) -> Type:
    fields = tuple(
        Field(
            name=_text(field["name"]),
            schema=_schema(field["type"]),
            doc=_text(field["doc"]),
            frozen=bool(field["frozen"]),
            init=bool(field["init"]),
            kw_only=bool(field["kw_only"]),
            default=_default(field["default"]),
        )
        for field in value["fields"]
    )
    methods = tuple(_function(method["name"], method) for method in value["methods"])
    parent, python = _text(value["parent"]) or None, _text(value["python"]) or None
    return Type(_text(key), parent, fields, methods, bool(value["init"]), python)


def take_snapshot(
    libraries: Sequence[Path],
    imports: Sequence[str] = (),
    *,
    command: Sequence[str] = (sys.executable,),
    limit: float = 60,
) -> Snapshot:
    """Load libraries in a process of its own and read what they have registered.

    Args:
        libraries: What to load, in this order.
        imports: Python modules to import before them.
        command: What runs a Python with the runtime: its path, after an emulator if need be.
        limit: Seconds after which loading is given up.

    Raises:
        LoadError: A library cannot be loaded, ends the process, or takes too long.
        UnreadableBinaryError: A file is no library.

    """
    # Unlike Path.resolve before Python 3.13, this has no error of its own for links that go round in circles.
    paths = [Path(os.path.realpath(library)) for library in libraries]
    request = json.dumps(
        {
            "imports": list(imports),
            "libraries": [{"path": str(path), "functions": exported_functions(read_binary(path))} for path in paths],
        }
    )
    named = ", ".join(path.name for path in paths) or ", ".join(imports) or "the runtime"
    with tempfile.TemporaryDirectory(prefix="tvm-ffi-build-") as folder:
        output, asked = Path(folder, "snapshot.json"), Path(folder, "request.json")
        asked.write_text(request, encoding="utf-8")
        script = Path(__file__).with_name("reflect.py")
        try:
            done = subprocess.run(
                [*command, str(script), str(output), str(asked)],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=limit,
            )
        except subprocess.TimeoutExpired as expired:
            raise LoadError(
                f"{named} did not finish loading within {limit:g} s{_said(expired.stdout)}; give it longer: --timeout"
            ) from None
        except OSError as error:
            raise LoadError(f"{command[0]} cannot be run: {error.strerror}") from None
        if done.returncode < 0:
            name = _signal(-done.returncode)
            raise LoadError(f"{named} ended the process that loaded it by {name}{_said(done.stdout, lines=3)}")
        if done.returncode != 0 or not output.exists():
            raise LoadError(f"{named} cannot be loaded{_said(done.stdout)}")
        return read_snapshot(output.read_text(encoding="utf-8"), named)


def exported_functions(binary: Binary) -> list[str]:
    """Return the names of the functions that a library exports for the runtime."""
    return sorted(
        symbol[len(_SYMBOL) :]
        for symbol in binary.exported
        if symbol.startswith(_SYMBOL) and not symbol.startswith(_OTHER_SYMBOLS)
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # those of the real-time extension have no names
        return f"signal {number}"


def _said(output: str | bytes | None, *, lines: int = 1) -> str:
    """Return the last lines of what a process said, to be appended to a message; of a traceback the last is enough."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    last = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    return f"; it said: {' '.join(last)[-500:]}" if last else "; it said nothing"

"""A file to compile against a release's headers, so that debug information tells how large things are there."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

__all__ = ["VALUES", "compile_probe"]

# CUDA's headers are not here; the runtime's that need them declare nothing that crosses the boundary.
_LEFT_OUT = ("extra/cuda/",)

# Templates have a size only where they are used; the header that is asked for first, where a class came later.
VALUES = {
    **dict.fromkeys(
        (
            "Any",
            "AnyView",
            "Array<Any>",
            "Bytes",
            "Error",
            "Function",
            "Map<String, Any>",
            "ObjectPtr<Object>",
            "ObjectRef",
            "Optional<Array<Any>>",
            "Optional<Bytes>",
            "Optional<DLDataType>",
            "Optional<DLDevice>",
            "Optional<Function>",
            "Optional<ObjectRef>",
            "Optional<String>",
            "Optional<Tensor>",
            "Optional<bool>",
            "Optional<double>",
            "Optional<int64_t>",
            "Optional<int>",
            "PackedArgs",
            "Shape",
            "ShapeView",
            "String",
            "Tensor",
            "TensorView",
            "Tuple<int, String>",
            "TypedFunction<int(int)>",
            "Variant<Array<Any>, Function>",
            "Variant<int, String>",
        ),
        "",
    ),
    "List<Any>": "container/list.h",
    "Dict<String, Any>": "container/dict.h",
    "Expected<int>": "expected.h",
    "BigInt": "big_int.h",
    # What exported methods return: a class that is only returned has no size either.
    "Optional<Tuple<reflection::AccessPath, reflection::AccessPath>>": "reflection/access_path.h",
    "Array<reflection::AccessPath>": "reflection/access_path.h",
}


def compile_probe(include: Path, exported: Collection[str], output: Path) -> None:
    """Write an object file with a structure ``Probe``: a member ``value<n>`` of each type, one of each free function.

    Args:
        include: Holds ``tvm/ffi/c_api.h`` and ``dlpack/dlpack.h``.
        exported: The C++ symbols of the library.
        output: The object file.

    """
    # g++ leaves out what is not used, even classes whose vtable is elsewhere, if it is not told otherwise.
    command = [
        "g++",
        "-std=c++17",
        "-w",
        "-c",
        "-gdwarf-5",
        "-O0",
        "-femit-class-debug-always",
        "-fno-eliminate-unused-debug-types",
        "-I",
        str(include),
        "-x",
        "c++",
        "-",
        "-o",
        str(output),
    ]
    subprocess.run(command, check=True, input=_source(include, exported), encoding="utf-8")


def _source(include: Path, exported: Collection[str]) -> str:
    headers = include / "tvm" / "ffi"
    names = (path.relative_to(headers).as_posix() for path in sorted(headers.rglob("*.h")))
    lines = [f"#include <tvm/ffi/{name}>" for name in names if not name.startswith(_LEFT_OUT)]
    lines += ["using namespace tvm::ffi;", "struct Probe {"]
    for number, (name, header) in enumerate(VALUES.items()):
        if not header or (headers / header).exists():
            lines.append(f"  {name} value{number};")
    for symbol in sorted(exported):
        scopes = _scopes(symbol)
        # Classes describe their own methods; functions outside of any are only described if they are used.
        if scopes and scopes[:-1] == [scope.lower() for scope in scopes[:-1]]:
            lines.append(f"  decltype(&{'::'.join(scopes)}) {symbol};")
    return "\n".join([*lines, "};", "Probe* probe;", ""])


def _scopes(symbol: str) -> list[str]:
    """Return the namespaces, classes and name of a mangled function, nothing for what else has a mangled name."""
    found = []
    rest = symbol.removeprefix("_ZN").removeprefix("K") if symbol.startswith("_ZN") else ""
    while match := re.match(r"\d+", rest):
        end = match.end() + int(match[0])
        found.append(rest[match.end() : end])
        rest = rest[end:]
    return found

"""Changes Python files line by line, with lines that mean something to the generator of stubs."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["changed"]

MARK = "# tvm-ffi-stubgen("
_KINDS = """
global/demo global/demo.sub global/demo@tvm_ffi.init_ffi_api global/demo@x global/nothing object/demo.Pair
object/demo.sub.Node object/ffi.Object library/demo import-section export/_ffi_api export/.more export/__init__
export/sub._ffi_api __all__
"""
KINDS = tuple(_KINDS.split())
SINGLE = (
    "ty-map): demo.Pair -> demo.pairs.Pair",
    "ty-map): Tensor -> numpy.ndarray",
    "ty-map): demo.Pair -> Pair",
    "ty-map): int -> None",
    "ty-map): demo.Pair -> a.class",
    "import-object): ffi.Object;False;_ffi_Object",
    "import-object): demo.more.A;True",
    "import-object): a;False",
    "import-object): a.int;True;int",
    "import-object): typing.TYPE_CHECKING;False",
    "prefix): demo",
    "prefix): demo.sub.",
    "prefix): x",
    "skip): demo.Pair",
    "skip): demo.sub.Node",
    "skip-file)",
    "end)",
    "begin)",
)
CODE = (
    "import tvm_ffi",
    "import typing",
    "from __future__ import annotations",
    "'''Doc.'''",
    "from typing import TYPE_CHECKING",
    "import typing as t",
    "from tvm_ffi import *",
    "class Pair:",
    "class Node(Pair):",
    "    x = 1",
    "    def first(self): pass",
    "    pass",
    "    class Inner:",
    "if TYPE_CHECKING:",
    "if a:",
    "elif b:",
    "else:",
    "try:",
    "except E:",
    "finally:",
    "with a:",
    "    import tvm_ffi",
    "def f():",
    "__all__ = [",
    "]",
    "__all__ = ['a', 'LIB', '\"']",
    "__all__ += ['b']",
    "    'own',",
    "LIB = 1",
    "x: int = 1",
    "'''",
    "x = (",
    "\\",
    "Pair = 1",
    "int = 1",
    "add = property",
    "Any = 1",
    "Tensor, Node = 1, 2",
    "",
    "# coding: utf-8",
    "# coding: latin-1",
    "\ufeff",
    "\x0c",
    "    # c",
    "\t",
    "@a",
    "global x",
    "return",
    "for Pair in a:",
    "import demo.sub",
    "from . import *",
    "from .more import A as add",
    "del x",
    "_FFI_INIT_FUNC = 1",
    "SupportsDLPack = 1",
    "builtins = 1",
    "_Pair = 1",
    "__all__: list[str] = []",
    "x = '\\d' is 1",
)
INDENTS = ("", "", "", "    ", "        ", "\t")


def changed(data: bytes, limit: int, seed: int, blindly: Callable[[bytes, int], bytes]) -> bytes:
    """Return files, with zeros between them, of which some lines are others.

    Args:
        data: The files.
        limit: How many bytes there may be.
        seed: What the change depends on.
        blindly: What changes bytes; used now and then.

    """
    random = Random(seed)  # noqa: S311  (no secret)
    if random.random() < 0.2:
        return blindly(data, limit)
    files = data.split(b"\0")
    place = random.randrange(min(3, len(files) + 1))
    files += [b""] * (place + 1 - len(files))
    lines = files[place].decode("utf-8", "replace").splitlines(keepends=True)
    for _ in range(random.choice((1, 1, 2, 4))):
        _change(lines, random)
    files[place] = "".join(lines).encode()
    if random.random() < 0.05:
        # What a package is begun for.
        prefix = random.choice((b"demo", b"demo.", b"demo.sub", b"x", b""))
        files = [*[*files, b"", b"", b""][:3], prefix]
    made = b"\0".join(files)
    return made if len(made) <= limit else blindly(data, limit)


def _change(lines: list[str], random: Random) -> None:
    first, last = sorted(random.choices(range(len(lines) + 1), k=2))
    chance = random.random()
    if chance < 0.15:
        del lines[first : min(last, first + 3)]
    elif chance < 0.25:
        lines[last:last] = lines[first:last]
    elif chance < 0.35:
        indent = random.choice(INDENTS)
        lines[first:last] = [indent + line for line in lines[first:last]]
    else:
        end = random.choice(("\n", "\n", "\n", "\r\n", "\r", ""))
        lines[first:first] = [f"{line}{end}" for line in _new(random)]


def _new(random: Random) -> list[str]:
    indent, chance = random.choice(INDENTS), random.random()
    if chance < 0.5:
        return [f"{indent}{MARK}begin): {random.choice(KINDS)}", f"{indent}{MARK}end)"]
    if chance < 0.65:
        return [f"{indent}{MARK}{random.choice(SINGLE)}"]
    return [random.choice(CODE)]

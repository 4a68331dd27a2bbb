"""Render the scripts that CMake and projects call as compilers and as other tools, and that call zig.

``wrapper.sh`` is the template of the compilers. Its comments say why it changes a command line.
"""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..targets import Target
    from .zig import Zig

__all__ = ["HEADERS", "LIBRARIES", "OBJCOPY", "compiler_script", "tool_script"]

_TEMPLATE = Path(__file__).with_name("wrapper.sh")

# For SPLIT_DEBUG of tvm_ffi_install: that of this machine may know no other format, and zig's knows no options.
OBJCOPY = """#!/bin/sh
for version in "" -20 -19 -18 -17 -16 -15 -14; do
  command -v "llvm-objcopy$version" >/dev/null && exec "llvm-objcopy$version" "$@"
done
echo "tvm-ffi-build: error: llvm-objcopy is not installed, and SPLIT_DEBUG needs it; run: apt-get install llvm" >&2
exit 1
"""

# Folders of this machine: what lies in them is for it alone. Headers below those of libraries may be of a package of
# Python's, and are for all; what "--sysroot" and "-isysroot" name is meant to be there.
HEADERS = ("/usr/include", "/usr/local/include")
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")


def compiler_script(language: str, target: Target, zig: Zig, arguments: Sequence[str]) -> str:
    """Return the script that stands for a compiler.

    Args:
        language: ``cc`` or ``c++``.
        target: What it compiles for.
        zig: What compiles.
        arguments: What each of its command lines has.

    """
    values = {
        "LANGUAGE": language,
        "TRIPLE": target.triple,
        "VERSION": zig.version,
        "TAG": target.tag,
        "ZIG": shlex.quote(str(zig.program)),
        "ARGUMENTS": "".join(f" {shlex.quote(word)}" for word in arguments),
        "PYTHON": shlex.quote(sys.executable),
        "HIDE": shlex.quote(str(Path(__file__).with_name("hide_symbols.py"))),
        "HEADERS": _match_folders(HEADERS),
        "LIBRARIES": _match_folders(LIBRARIES),
    }
    conditions = {target.system.name} if target.runs_here else {target.system.name, "foreign"}
    text = "".join(_select_lines(conditions))
    # In one pass: a path may contain what looks like a name.
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], text)


def _select_lines(conditions: Collection[str]) -> Iterator[str]:
    """Yield the lines of the template that are for one of the conditions."""
    wanted = True
    for line in _TEMPLATE.read_text(encoding="utf-8").splitlines(keepends=True):
        words = line.split()
        if words[:2] == ["#@", "if"]:
            wanted = any(word in conditions for word in words[2:])
        elif words[:2] == ["#@", "end"]:
            wanted = True
        elif wanted and words[:1] != ["##"] and words[:2] != ["#", "shellcheck"]:
            yield line


def _match_folders(folders: Sequence[str]) -> str:
    return " | ".join(f"{folder}/*" for folder in folders)


def tool_script(tool: str, zig: Zig) -> str:
    """Return the script that stands for another tool of zig, or for one that has nothing to do.

    Args:
        tool: Such as ``ar``; empty for one that does nothing.
        zig: Where the tool is.

    """
    return f'#!/bin/sh\nexec {shlex.quote(str(zig.program))} {tool} "$@"\n' if tool else "#!/bin/sh\nexit 0\n"

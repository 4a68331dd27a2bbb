"""Stand-ins for the programs of Apple that delocate runs, made from those of LLVM."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from ...errors import MissingToolError
from ...host.programs import find_program, find_versioned

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["stand_ins"]

# Programs that delocate runs by these names, and what llvm has in their place; an option that llvm's lacks.
_STAND_INS = {"otool": "llvm-otool", "lipo": "llvm-lipo", "install_name_tool": "llvm-install-name-tool"}
_STAND_IN = """#!/bin/sh
for word in "$@"; do
  shift
  [ "$word" = -m ] || set -- "$@" "$word"
done
exec {program} "$@"
"""
_CODESIGN = """#!/bin/sh
exec {python} -m tvm_ffi_build.repair.apple_tools.codesign "$@"
"""


def stand_ins(folder: Path) -> str:
    """Make the programs that delocate calls out of those of llvm; return the PATH that has them.

    Raises:
        MissingToolError: llvm is not installed, or this host runs no scripts.

    """
    if sys.platform == "win32":
        raise MissingToolError("libraries cannot be bundled into macOS wheels on Windows", "do it on macOS or Linux")
    folder.mkdir()
    scripts = {"codesign": _CODESIGN.format(python=shlex.quote(sys.executable))}
    for name, llvm in _STAND_INS.items():
        program = find_program(llvm) or find_versioned(llvm)
        if program is None:
            raise MissingToolError(
                f"{llvm} is not installed, and bundling libraries into macOS wheels needs it outside of macOS",
                command="apt-get install llvm",
            )
        scripts[name] = _STAND_IN.format(program=shlex.quote(program))
    for name, text in scripts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return f"{folder}:{os.environ.get('PATH', os.defpath)}"

"""The compiler as CMake and projects call it: a script a language, between them and zig.

It is for ``sh`` and starts nothing but zig: it stands before every compilation. What it does to a command line, it does
for the reasons that stand beside it.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...platforms.systems import LINUX, MACOS, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..targets import Target
    from .zig import Zig

__all__ = ["HEADERS", "LIBRARIES", "OBJCOPY", "compiler_script", "tool_script"]

_SCRIPT = """#!/bin/sh
# {language} for {triple}, by zig {version}.
refuse() {{
  echo "tvm-ffi-build: error: $1" >&2
  exit 1
}}
linking=yes shared= sources= optimised= debug= hide= for_linker= skipping= before= foreign=
for word in "$@"; do
  shift
  # What is for the linker comes as "-Xlinker WORD", or as "-Wl,WORD".
  if [ -n "$for_linker" ]; then
    for_linker=
    case $skipping$word in
    --exclude-libs) skipping=skip: ;;
    skip:*) skipping= ;;
    *)
      case $word in -exported_symbol | -load_hidden) hide=yes ;; esac
      set -- "$@" -Xlinker "$word"
      ;;
    esac
    continue
  fi
{foreign}  case $word in
  -Xlinker) for_linker=yes && continue ;;
{dropped}
  -c | -E | -S | -M | -MM | -fsyntax-only) linking= ;;
  -shared | -dynamiclib | -bundle) shared=yes ;;
  *.[cCmsS] | *.cc | *.mm | *.cpp | *.cxx | *.c++) sources=yes ;;
  -flto*) sources=yes ;;
  -O*) optimised=yes ;;
  -g0) ;;
  -g*) debug=yes ;;
  esac
  set -- "$@" "$word"
done
if [ -n "$linking" ]; then
{linking}
fi
exec {zig} {language} -target {triple}{arguments} "$@"
"""

# For SPLIT_DEBUG of tvm_ffi_install: that of this machine may know no other format, and zig's knows no options.
OBJCOPY = """#!/bin/sh
for version in "" -20 -19 -18 -17 -16 -15 -14; do
  command -v "llvm-objcopy$version" >/dev/null && exec "llvm-objcopy$version" "$@"
done
echo "tvm-ffi-build: error: llvm-objcopy is not installed, and SPLIT_DEBUG needs it; run: apt-get install llvm" >&2
exit 1
"""

# zig builds its libraries for each way of optimising, and for none if a link does not say: minutes each. So all links
# have the same, as the last, which counts; unless they compile as well. And zig leaves the libraries' debug information
# in, ten times what an extension has, unless all is stripped.
_LINKING = """  { [ -n "$optimised" ] && [ -n "$sources" ]; } || set -- "$@" -O2
  [ -n "$debug" ] || set -- "$@" -s
"""
# A library with zig's own C++ library in it must not bind the type of tvm::ffi::Error to the copy in libtvm_ffi.so,
# whose base class is std::exception of another C++ library: "catch (const std::exception&)" would let it pass.
_BIND_INSIDE = '  [ -z "$shared" ] || set -- "$@" -Wl,-Bsymbolic\n'
# zig's linker has no lists of what to export, so what is not to be seen is marked in the object files. That also binds
# the type of tvm::ffi::Error inside.
_HIDE = """  if [ -n "$hide" ]; then
    exec {python} -I {hide} {zig} {language} -target {triple}{arguments} -- "$@"
  fi
"""

# Folders of this machine: what lies in them is for it alone. Headers below those of libraries may be of a package of
# Python's, and are for all; what "--sysroot" and "-isysroot" name is meant to be there.
HEADERS = ("/usr/include", "/usr/local/include")
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
# An option has its folder in the same word or in the next, which is what IMPORTED targets become.
_FOREIGN = """  case $before$word in
  -I/* | -iquote/* | -isystem/* | -idirafter/*) case /${{word#*/}}/ in {headers}) foreign=yes ;; esac ;;
  -L/* | /*.a | /*.so | /*.so.*) case /${{word#*/}}/ in {libraries}) foreign=yes ;; esac ;;
  esac
  [ -z "$foreign" ] || refuse "${{before:+$before }}$word is of this machine, and this is for {tag}; \
take it out of the project's CMake for cross builds"
  case $word in -I | -iquote | -isystem | -idirafter | -L) before=$word ;; *) before= ;; esac
"""
# zig has no linker for that on macOS, and no C library on Windows that is ready for it.
_WHOLE_PROGRAM = "  -flto*) continue ;;"
# Of GNU's linker, or of Microsoft's by way of CMake; zig's would stop at them, and does by itself what they ask for.
_DROPPED = {
    LINUX: "  -Wl,--exclude-libs,*) continue ;;",
    WINDOWS: f"{_WHOLE_PROGRAM}\n"
    "  -Wl,--major-image-version* | -Wl,--minor-image-version* | -Wl,--enable-auto-import) continue ;;\n"
    # Windows does not care for upper and lower case, and projects write the names of libraries in many ways.
    "  -l*[A-Z]*) word=$(printf %s \"$word\" | tr '[:upper:]' '[:lower:]') ;;",
    MACOS: f"{_WHOLE_PROGRAM}\n  -Wl,-exported_symbol,* | -Wl,-load_hidden,*) hide=yes ;;",
}


def compiler_script(language: str, target: Target, zig: Zig, arguments: Sequence[str]) -> str:
    """Return the script that stands for a compiler.

    Args:
        language: ``cc`` or ``c++``.
        target: What it compiles for.
        zig: What compiles.
        arguments: What each of its command lines has.

    """
    values = {
        "language": language,
        "triple": target.triple,
        "version": zig.version,
        "zig": shlex.quote(str(zig.program)),
        "arguments": "".join(f" {shlex.quote(word)}" for word in arguments),
        "python": shlex.quote(sys.executable),
        "hide": shlex.quote(str(Path(__file__).with_name("hide_symbols.py"))),
    }
    foreign = ""
    if not target.runs_here:
        foreign = _FOREIGN.format(tag=target.tag, headers=_inside(HEADERS), libraries=_inside(LIBRARIES))
    linking = _LINKING
    if target.system == LINUX:
        linking += _BIND_INSIDE
    elif target.system == MACOS:
        linking += _HIDE.format(**values)
    words = {"foreign": foreign, "dropped": _DROPPED[target.system], "linking": linking.rstrip("\n")}
    return _SCRIPT.format(**{**values, **words})


def _inside(folders: Sequence[str]) -> str:
    return " | ".join(f"{folder}/*" for folder in folders)


def tool_script(tool: str, zig: Zig) -> str:
    """Return the script that stands for another tool of zig, or for one that has nothing to do.

    Args:
        tool: Such as ``ar``; empty for one that does nothing.
        zig: Where the tool is.

    """
    return f'#!/bin/sh\nexec {shlex.quote(str(zig.program))} {tool} "$@"\n' if tool else "#!/bin/sh\nexit 0\n"

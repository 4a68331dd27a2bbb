"""Show C++ symbols as they are written in the source."""

from __future__ import annotations

import re
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from ..errors import MissingToolError
from ..host.programs import find_program
from ..host.run import run_program

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["demangle"]

# Names of the Itanium C++ ABI; on macOS all names have one more "_".
_MANGLED = re.compile(r"(?<![\w$.])_{1,2}Z[\w$.]*\w")
# Together they have to fit into the arguments of a process.
_MOST_NAMES, _LONGEST_NAME = 400, 200
_SECONDS = 5


def demangle(texts: Sequence[str]) -> list[str]:
    """Return texts with C++ symbols as in the source, if ``c++filt`` is installed; else as they are.

    In a process of its own, since the names are a stranger's and demanglers have crashed on some.
    """
    found = dict.fromkeys(name for text in texts for name in _MANGLED.findall(text))
    names = [name for name in found if len(name) <= _LONGEST_NAME][:_MOST_NAMES]
    program = find_program("c++filt") if names else None
    if program is None:
        return list(texts)
    try:
        # "__Z" is spelt with one "_" by the tools of other systems than macOS.
        done = run_program([program, *(name[name.index("_Z") :] for name in names)], timeout=_SECONDS)
    except (MissingToolError, TimeoutExpired):
        return list(texts)
    shown = done.stdout.splitlines()
    if done.returncode != 0 or len(shown) != len(names):
        return list(texts)
    source = dict(zip(names, shown))
    return [_MANGLED.sub(lambda match: source.get(match[0], match[0]), text) for text in texts]

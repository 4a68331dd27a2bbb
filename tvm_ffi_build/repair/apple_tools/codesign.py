"""``codesign`` for hosts without it, as far as delocate asks.

It asks whether a signature is right, and for a new one after each change. What changes libraries there is llvm, whose
programs renew an ad-hoc signature themselves: what is left to do is to look whether they have.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from ...binaries.signature import signature_problem
from ...errors import UnreadableBinaryError
from ...terminal.arguments import read_path
from ...terminal.command import Parser
from ...terminal.streams import write_message

__all__ = ["main"]


def main() -> None:
    """Answer ``codesign --verify LIBRARY`` or ``codesign --force --sign - LIBRARY``; 1 is the exit code of a no."""
    parser = Parser(prog="codesign")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--sign", metavar="IDENTITY")
    parser.add_argument("library", type=read_path)
    args = parser.parse_args()
    remedy = "repair the wheel on macOS, where it can be signed"
    try:
        problem = signature_problem(args.library)
    except UnreadableBinaryError as error:
        _fail(f"{args.library.name}: {error.with_remedy(remedy)}")
    if problem:
        _fail(f"{args.library.name}: {problem}; {remedy}")


def _fail(message: str) -> NoReturn:
    write_message(f"{message}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()

"""``codesign`` for hosts without it, as far as delocate asks: whether a signature is right.

What changes libraries there is llvm, whose programs renew the signature themselves.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..binaries.signature import signature_problem
from ..errors import UnreadableBinaryError

__all__ = ["main"]


def main() -> None:
    """Answer ``codesign --verify LIBRARY``; the exit code is 1 if it is not right."""
    parser = argparse.ArgumentParser(prog="codesign")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--sign", metavar="IDENTITY")
    parser.add_argument("library", type=Path)
    args = parser.parse_args()
    if args.sign:
        sys.exit(f"{args.library} cannot be signed on this host; repair the wheel on macOS")
    try:
        problem = signature_problem(args.library)
    except UnreadableBinaryError as error:
        problem = str(error)
    if problem:
        sys.exit(f"{args.library}: {problem}")


if __name__ == "__main__":
    main()

"""``tvm-ffi-build contract``: which runtimes a wheel works with, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..binaries import read_binary
from ..cli import Output, add_verbosity
from ..contents import find_wheels, platform_of, read_contents
from ..errors import NothingToDoError
from ..scratch import temporary
from ..wheels import open_wheel
from .assess import assess, assess_wheel
from .ledger import read_ledger
from .report import as_json, as_text

if TYPE_CHECKING:
    import argparse

    from .assess import Assessment
    from .ledger import Ledger

__all__ = ["populate_parser"]


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``contract`` to a parser."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="wheels, folders with wheels, or bare libraries"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_verbosity(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity)
    ledger = read_ledger()
    entries: list[dict[str, Any]] = []
    for path in find_wheels(args.paths):
        found = _assessed(path, ledger)
        if found is None:
            output.step(f"passed over: {path.name}: no library in it")
        elif args.json:
            entries.append(as_json(str(path), found, ledger))
        else:
            output.answer(as_text(path.name, found, ledger))
            entries.append({})
    if args.json:
        output.answer(json.dumps({"version": 1, "artifacts": entries}, indent=2) + "\n")
    if not entries:
        named = ", ".join(map(str, args.paths))
        raise NothingToDoError(f"{named}: nothing that uses the runtime; name a wheel with a library, or a library")


def _assessed(path: Path, ledger: Ledger) -> Assessment | None:
    if path.suffix != ".whl":
        return assess({path.name: (path, read_binary(path))}, ledger)
    with open_wheel(path) as wheel, temporary() as folder:
        platform = platform_of(wheel)
        if platform is None:
            return None
        contents = read_contents(wheel, platform, folder)
        return assess_wheel(contents, ledger) if contents.binaries else None

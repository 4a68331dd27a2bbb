"""``tvm-ffi-build``: wires the sub-commands."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import config, pipeline
from .cli import add_verbosity, add_version, end_on_signals, run

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tvm-ffi-build``."""
    parser = argparse.ArgumentParser(
        prog="tvm-ffi-build", description="From a C++ source tree to a wheel that serves every Python."
    )
    add_version(parser)
    add_verbosity(parser)
    parser.set_defaults(verbosity=0)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, area, summary in (
        ("wheel", pipeline, "build a source tree into a wheel"),
        ("config", config, "where the runtime is and how to compile against it"),
    ):
        area.populate_parser(commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."))
    args = parser.parse_args(argv)
    end_on_signals()
    run(parser.prog, lambda: args.command(args))


if __name__ == "__main__":
    main()

"""Check that a library exports what EXPORT of ``tvm_ffi_configure_target`` names. Called by CMake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..binaries import read_binary
from ..errors import BuildError
from ..terminal.arguments import read_path
from ..terminal.command import Parser, help_formatter, run_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the check over a library and the names that follow it in ``argv``."""
    parser = Parser(
        prog="tvm-ffi-build",
        description="Fail if a library does not export some symbols.",
        formatter_class=help_formatter,
    )
    parser.add_argument("library", type=read_path)
    parser.add_argument("symbol", nargs="+")
    args = parser.parse_args(argv)
    run_command(lambda: _require_exports(args.library, args.symbol), program=parser.prog)


def _require_exports(library: Path, symbols: Sequence[str]) -> None:
    exported = read_binary(library).exported
    missing = [symbol for symbol in symbols if symbol not in exported]
    if missing:
        raise BuildError(
            f"{library.name} does not export {', '.join(missing)}, which EXPORT of tvm_ffi_configure_target names: no "
            'source of the target defines it, or it is hidden by __attribute__((visibility("hidden"))), '
            "-fvisibility=hidden, an OBJECT library's own visibility, or by being in a static library",
            'mark its definition as __attribute__((visibility("default"))), compile its source into the target, or '
            "correct the name (C++ names are mangled)",
        )


if __name__ == "__main__":
    main()

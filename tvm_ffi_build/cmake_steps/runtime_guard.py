"""Writes the module that lies beside a library and says on which runtimes it fails. Called by CMake, once it is linked.

The loader that stubgen writes reads it before it loads the library. Literals, so that this takes no time, and only what
is known to fail: a runtime that is merely unknown is never in the way.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..binaries import read_binary
from ..contract.assess import assess
from ..contract.evidence.needs import is_c_abi_symbol
from ..contract.releases.ledger import read_ledger
from ..contract.verdicts import BAD
from ..errors import OutputError
from ..terminal.command import help_formatter, run_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..contract.assess import Assessment

__all__ = ["main", "render_module"]


def render_module(library: str, found: Assessment) -> str:
    """Return the text of the module.

    Args:
        library: The library's file name.
        found: What is known of it.

    """
    failing = {
        release: next(reason.text for reason in verdict.reasons if reason.severity == BAD)
        for release, verdict in found.verdicts.items()
        if verdict.status == BAD
    }
    lines = [
        f'"""The releases of apache-tvm-ffi that {library} works with and fails on, as known when it was built."""',
        "",
        f"WORKS_WITH = {_literal(str(found.range) if found.range.floor else '')}",
        *(["FAILS_ON = {"] if failing else ["FAILS_ON = {}"]),
        *(f"    {_literal(release)}: {_literal(reason)}," for release, reason in failing.items()),
        *(["}"] if failing else []),
    ]
    return "\n".join([*lines, ""])


def _literal(text: str) -> str:
    """Return a string literal in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(argv: Sequence[str] | None = None) -> None:
    """Write the module for the library in ``argv`` to the file in it."""
    parser = argparse.ArgumentParser(
        prog="tvm-ffi-build",
        description="Write down on which runtimes a library fails.",
        formatter_class=help_formatter,
    )
    parser.add_argument("library", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args(argv)

    def write() -> None:
        name = args.library.name
        binary = read_binary(args.library)
        # Nobody knows yet which libraries will lie beside it. One of them may have a C++ symbol that no release has; if
        # none does, the audit says so (R205).
        beside = frozenset(symbol for symbol in binary.imported if not is_c_abi_symbol(symbol))
        found = assess({name: (args.library, binary)}, read_ledger(), beside=beside)
        try:
            args.output.parent.mkdir(parents=True, exist_ok=True)
            args.output.write_text(render_module(name, found), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{args.output} cannot be written: {error.strerror}") from None

    run_command(parser.prog, write)


if __name__ == "__main__":
    main()

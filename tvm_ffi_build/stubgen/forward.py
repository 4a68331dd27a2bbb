"""Passes on to the runtime's own tool what only that can do: another target, and its report of memory layouts."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from ..errors import StubError
from ..host.run import run_program
from ..terminal.streams import write_message

if TYPE_CHECKING:
    import argparse

    from ..terminal.output import Output

__all__ = ["forward_to_runtime", "is_for_runtime"]

# Its command tvm-ffi-stubgen, as a module, so that it is the one of the Python that runs this.
_MODULE = "tvm_ffi.stub.cli"
_VALUES = (
    "--dlls",
    "--imports",
    "--init-pypkg",
    "--init-lib",
    "--init-prefix",
    "--indent",
    "--target",
    "--coverage-out",
)
_SWITCHES = ("--dry-run", "--check")


def is_for_runtime(args: argparse.Namespace) -> bool:
    """Return whether the arguments ask for something that only the runtime's tool does."""
    return args.target not in {None, "python"} or args.coverage_out is not None


def forward_to_runtime(args: argparse.Namespace, output: Output) -> int:
    """Run the runtime's tool with the same arguments, and return its exit status.

    Raises:
        MissingToolError: Python cannot be started.
        StubError: An argument is not one of that tool.

    """
    if args.snapshot is not None or args.json:
        option = "--json" if args.json else "--snapshot"
        raise StubError(f"{option} is not an option of the runtime's own tool", "leave out --target and --coverage-out")
    arguments = [str(path) for path in args.paths]
    for name in _VALUES:
        value = _read_option(args, name)
        if value not in {None, ""}:
            arguments += [name, str(value)]
    arguments += [name for name in _SWITCHES if _read_option(args, name)]
    arguments += ["--verbose"] if output.verbosity > 0 else []
    option = "--coverage-out" if args.coverage_out is not None else f"--target {args.target}"
    output.step(f"{option} is an option of the runtime's own tool; running: tvm-ffi-stubgen {shlex.join(arguments)}")
    done = run_program([sys.executable, "-m", _MODULE, *arguments])
    output.answer(done.stdout)
    write_message(done.stderr)
    return done.returncode


def _read_option(args: argparse.Namespace, option: str) -> object:
    return getattr(args, option.lstrip("-").replace("-", "_"))

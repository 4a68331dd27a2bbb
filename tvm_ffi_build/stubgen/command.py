"""``tvm-ffi-build stubgen``: the arguments of the runtime's ``tvm-ffi-stubgen``, and more."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExitStatus, StubError
from ..host.regular_files import read_regular_text
from ..terminal.arguments import read_path, read_seconds
from ..terminal.command import add_output_options
from ..terminal.output import Output
from .files.write import read_all, remove_leftovers, unified_diff, write_all
from .forward import forward_to_runtime, is_for_runtime
from .generate import generate
from .new_package.packages import Init
from .registry.snapshot import read_snapshot
from .registry.take import take_snapshot
from .try_import import require_importable

if TYPE_CHECKING:
    import argparse

    from .generate import GeneratedFiles
    from .registry.snapshot import Snapshot

__all__ = ["populate_parser"]

_WIDEST = 100


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``stubgen`` to a parser."""
    parser.add_argument(
        "paths", nargs="*", type=read_path, metavar="PATH", help="files, or directories with .py and .pyi files"
    )
    parser.add_argument("--dlls", default="", metavar="LIBS", help="libraries to load, separated by semicolons")
    parser.add_argument("--imports", default="", metavar="MODULES", help="modules to import before, separated likewise")
    parser.add_argument("--init-pypkg", metavar="NAME", help="create missing files: the distribution, as pip knows it")
    parser.add_argument("--init-lib", metavar="TARGET", help="create missing files: the CMake target of the library")
    parser.add_argument(
        "--init-prefix", metavar="PREFIX", help="create missing files: what registered names start with"
    )
    parser.add_argument("--indent", type=int, default=4, metavar="N", help="blanks of a level; 0 is as 1 (default 4)")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--check", action="store_true", help="write nothing; name stale files and exit with 1")
    parser.add_argument("--snapshot", type=read_path, metavar="FILE", help="take from FILE what is registered")
    parser.add_argument("--json", action="store_true", help="print what is registered, for --snapshot")
    parser.add_argument("--timeout", type=read_seconds, default=60, metavar="S", help="seconds to load in (default 60)")
    for option, value, meaning in (("--target", "NAME", "another target"), ("--coverage-out", "JSON", "a report")):
        parser.add_argument(option, metavar=value, help=f"run the runtime's own tool for {meaning}")
    add_output_options(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    if is_for_runtime(args):
        raise SystemExit(forward_to_runtime(args, output))
    stale = _run_stubgen(args, output)
    if args.check and stale:
        raise SystemExit(ExitStatus.FOUND)


def _run_stubgen(args: argparse.Namespace, output: Output) -> bool:
    """Do what is asked for; return whether a file is not as it should be."""
    init = _check_arguments(args)
    if args.json:
        output.answer_json(json.loads(_read_or_take_snapshot(args).text))
        if not args.paths:
            return False
    # What is to be begun need not be there.
    texts = read_all([path for path in args.paths if init is None or path.exists()])
    snapshot = _read_or_take_snapshot(args)
    result: GeneratedFiles = generate(texts, snapshot, unit=" " * max(1, args.indent), init=init)
    if not result.has_directives:
        names = ", ".join(map(str, args.paths))
        raise StubError(f"{names} has no file with a directive", "add one, or create files with --init-prefix")
    for note in result.notes:
        output.warn(note)
    changed = result.list_changed(texts)
    if args.snapshot is None and not (args.check or args.dry_run):
        libraries, imports = _list_libraries_and_imports(args)
        for note in require_importable(
            texts, result.texts, libraries, imports, command=(sys.executable,), limit=args.timeout
        ):
            output.warn(note)
    for path in sorted(changed):
        word = "stale" if args.check else "would write" if args.dry_run else "wrote"
        output.step(f"{word} {path}") if not args.check else output.answer(f"{path}\n")
        if output.verbosity > 0:
            output.answer(unified_diff(path, texts.get(path, ""), changed[path]))
    if not args.check and not args.dry_run:
        write_all(sorted(changed.items()))
        remove_leftovers(result.texts)
    return bool(changed)


def _check_arguments(args: argparse.Namespace) -> Init | None:
    """Stop at arguments that say nothing together; return what to begin."""
    given = [args.init_pypkg, args.init_lib, args.init_prefix]
    if any(given) and not all(given):
        raise StubError("--init-pypkg, --init-lib and --init-prefix belong together", "give all three")
    if any(given) and args.check:
        raise StubError("--check reads files that exist, and --init-... creates them", "run one after the other")
    if not args.paths and not args.json:
        raise StubError("no file or directory was given", "name some, or print what is registered with --json")
    if args.snapshot is not None and (args.dlls or args.imports):
        raise StubError("--snapshot stands for --dlls and --imports", "give one or the other")
    if not 0 <= args.indent <= _WIDEST:
        raise StubError(f"--indent {args.indent} is not between 0 and {_WIDEST}")
    if not all(given):
        return None
    folder = args.paths[0] if not args.paths[0].is_file() else args.paths[0].parent
    return Init(folder, args.init_pypkg, args.init_lib, args.init_prefix)


def _read_or_take_snapshot(args: argparse.Namespace) -> Snapshot:
    if args.snapshot is not None:
        try:
            text = read_regular_text(args.snapshot)
        except (OSError, UnicodeDecodeError) as error:
            raise StubError(f"{args.snapshot} cannot be read: {getattr(error, 'strerror', error)}") from None
        return read_snapshot(text, str(args.snapshot))
    libraries, imports = _list_libraries_and_imports(args)
    return take_snapshot(libraries, imports, command=(sys.executable,), limit=args.timeout)


def _list_libraries_and_imports(args: argparse.Namespace) -> tuple[list[Path], list[str]]:
    """Return the libraries to load, and the modules to import before."""
    libraries = [Path(name.strip()) for name in args.dlls.split(";") if name.strip()]
    return libraries, [name.strip() for name in args.imports.split(";") if name.strip()]

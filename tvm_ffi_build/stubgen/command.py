"""``tvm-ffi-build stubgen``: the arguments of the runtime's ``tvm-ffi-stubgen``, and more."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..errors import StubError, TvmFfiBuildError
from ..terminal.command import add_verbosity, end_with_error
from ..terminal.output import Output
from .files.directives import MARKER
from .files.write import read_all, remove_leftovers, require_read, unified_diff, write_all
from .generate import generate
from .new_package.packages import Init
from .registry.snapshot import read_snapshot
from .registry.take import take_snapshot

if TYPE_CHECKING:
    from .generate import GeneratedFiles
    from .registry.snapshot import Snapshot

__all__ = ["populate_parser"]

# What this command answers by its exit code.
_STALE, _FAILED = 1, 2


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``stubgen`` to a parser."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files, or folders with .py and .pyi files")
    parser.add_argument("--dlls", default="", metavar="LIBS", help="libraries to load, separated by semicolons")
    parser.add_argument("--imports", default="", metavar="MODULES", help="modules to import before, separated likewise")
    parser.add_argument("--init-pypkg", metavar="NAME", help="begin missing files: the distribution, as pip knows it")
    parser.add_argument("--init-lib", metavar="TARGET", help="begin missing files: the CMake target of the library")
    parser.add_argument("--init-prefix", metavar="PREFIX", help="begin missing files: what registered names begin with")
    parser.add_argument("--indent", type=int, default=4, metavar="N", help="blanks of one level (default 4)")
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--check", action="store_true", help="write nothing; name stale files and exit with 1")
    parser.add_argument("--snapshot", type=Path, metavar="FILE", help="take from FILE what is registered")
    parser.add_argument("--json", action="store_true", help="print what is registered, for --snapshot")
    parser.add_argument("--timeout", type=float, default=60, metavar="S", help="seconds to load in (default 60)")
    for option in ("--target", "--coverage-out"):
        parser.add_argument(option, help=argparse.SUPPRESS)
    add_verbosity(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity)
    try:
        stale = _run_stubgen(args, output)
    except TvmFfiBuildError as error:
        _fail(error)
    if args.check and stale:
        raise SystemExit(_STALE)


def _fail(error: TvmFfiBuildError) -> NoReturn:
    end_with_error("tvm-ffi-build", error, exit_code=_FAILED)


def _run_stubgen(args: argparse.Namespace, output: Output) -> bool:
    """Do what is asked for; return whether a file is not as it should be."""
    init = _check_arguments(args)
    if args.json:
        output.answer(f"{_read_or_take_snapshot(args).text.rstrip()}\n")
        if not args.paths:
            return False
    # What is to be begun need not be there.
    texts = read_all([path for path in args.paths if init is None or path.exists()])
    snapshot = _read_or_take_snapshot(args)
    result: GeneratedFiles = generate(texts, snapshot, unit=" " * args.indent, init=init)
    with_directives = [path for path in result.texts if MARKER in result.texts[path]]
    if not with_directives:
        names = ", ".join(map(str, args.paths))
        raise StubError(f"{names} has no file with a directive", "add one, or begin files with --init-prefix")
    for note in result.notes:
        output.step(f"warning: {note}")
    changed = {path: text for path, text in result.texts.items() if texts.get(path) != text}
    require_read(texts, changed)
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
    if args.target not in {None, "python"}:
        raise StubError(f"--target {args.target} is the runtime's own: tvm-ffi-stubgen --target {args.target}")
    if args.coverage_out is not None:
        raise StubError(f"--coverage-out is the runtime's own: tvm-ffi-stubgen --coverage-out {args.coverage_out}")
    given = [args.init_pypkg, args.init_lib, args.init_prefix]
    if any(given) and not all(given):
        raise StubError("--init-pypkg, --init-lib and --init-prefix belong together", "give all three")
    if any(given) and args.check:
        raise StubError("--check looks at files that exist, --init-... begins them", "run one after the other")
    if not args.paths and not args.json:
        raise StubError("no file and no folder is named", "name some, or print what is registered with --json")
    if args.snapshot is not None and (args.dlls or args.imports):
        raise StubError("--snapshot stands for --dlls and --imports", "give one or the other")
    if not 1 <= args.indent <= 16:
        raise StubError(f"--indent {args.indent} is not between 1 and 16")
    if not all(given):
        return None
    folder = args.paths[0] if not args.paths[0].is_file() else args.paths[0].parent
    return Init(folder, args.init_pypkg, args.init_lib, args.init_prefix)


def _read_or_take_snapshot(args: argparse.Namespace) -> Snapshot:
    if args.snapshot is not None:
        try:
            text = args.snapshot.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StubError(f"{args.snapshot} cannot be read: {getattr(error, 'strerror', error)}") from None
        return read_snapshot(text, str(args.snapshot))
    libraries = [Path(name.strip()) for name in args.dlls.split(";") if name.strip()]
    imports = [name.strip() for name in args.imports.split(";") if name.strip()]
    return take_snapshot(libraries, imports, command=(sys.executable,), limit=args.timeout)

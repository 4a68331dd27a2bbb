"""The step of a CMake build that keeps stubs up to date, called by ``cmake/stubs.cmake``; the arguments are private.

Stubs go to the source tree, as the files that are edited and committed, and to the build tree, from which a wheel gets
those that the source tree could not take. A library that cannot be loaded on this machine is no reason to fail: the
committed files are used then.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LoadError, OutputError, StubError
from ..host.regular_files import read_regular_text
from ..stubgen.files.directives import parse_document
from ..stubgen.files.write import read_all, write_all
from ..stubgen.generate import GeneratedFiles, generate
from ..stubgen.new_package.packages import Init
from ..stubgen.registry.snapshot import read_snapshot
from ..stubgen.registry.take import take_snapshot
from ..stubgen.try_import import require_importable
from ..terminal.arguments import read_path
from ..terminal.command import Parser, run_command
from ..terminal.output import Output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from ..stubgen.registry.snapshot import Snapshot

__all__ = ["main"]

_PROGRAM = "tvm-ffi-build"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step."""
    parser = Parser(prog=_PROGRAM)
    parser.add_argument("folder", type=read_path)
    parser.add_argument("--library", type=read_path, action="append", required=True, dest="libraries")
    parser.add_argument("--build-tree", type=read_path, required=True)
    parser.add_argument("--stamp", type=read_path, required=True)
    parser.add_argument("--python", action="append", default=[])
    parser.add_argument("--write-snapshot", type=read_path)
    parser.add_argument("--read-snapshot", type=read_path)
    parser.add_argument("--init", action="append", default=[], nargs=3, metavar=("PACKAGE", "TARGET", "PREFIX"))
    args = parser.parse_args(argv)
    run_command(lambda: _step(args), program=_PROGRAM)


def _step(args: argparse.Namespace) -> None:
    output = Output()
    _require_own_prefixes(args.init)
    # What an earlier step made is not to be shipped by this one.
    shutil.rmtree(args.build_tree, ignore_errors=True)
    texts = read_all([args.folder]) if args.folder.is_dir() else {}
    if args.python:
        # It names modules for this machine: where all is in one environment, this machine's runtime among them.
        os.environ.pop("PYTHONPATH", None)
    try:
        snapshot = _snapshot(args)
    except LoadError as error:
        if not any(parse_document(text, str(path)).has_directive for path, text in texts.items()):
            raise error.with_remedy(f"and {args.folder} holds no stubs to use instead") from None
        output.step(f"Stubs in {args.folder} are used as they are, since {error}")
        _finish(args.stamp, args.folder, texts)
        return
    result = GeneratedFiles()
    inits: list[Init | None] = [Init(args.folder, *words) for words in args.init]
    for init in inits or [None]:
        # With the files that had nothing to be filled: they are not missing.
        result = generate({**texts, **result.texts}, snapshot, init=init)
    for note in result.notes:
        output.step(f"Stubs: {note}")
    changed = result.list_changed(texts)
    if not args.read_snapshot:
        for note in require_importable(texts, result.texts, args.libraries, command=_python(args)):
            output.step(f"Stubs: {note}")
    # Whole before the source tree is touched.
    write_all((args.build_tree / path.relative_to(args.folder), text) for path, text in result.texts.items())
    try:
        write_all(changed.items())
    except OutputError as error:
        output.step(f"Stubs: {error.with_remedy(f'a wheel gets them from {args.build_tree}')}")
    _finish(args.stamp, args.folder, {**texts, **result.texts})


def _require_own_prefixes(inits: Iterable[Sequence[str]]) -> None:
    """Check that no two targets begin one package, whose loader would load the library of the first alone.

    Raises:
        StubError: Two do.

    """
    begun: dict[str, str] = {}
    for _, target, prefix in inits:
        other = begun.setdefault(prefix.strip().rstrip("."), target)
        if other != target:
            raise StubError(
                f"{other} and {target} would both create the package of the prefix {prefix!r}, which loads one library",
                "give one of them STUB_PKG and STUB_PREFIX of its own, or leave its STUB_INIT off",
            )


def _snapshot(args: argparse.Namespace) -> Snapshot:
    """Return what the libraries register: by loading them, or what was seen when they were built for this machine.

    Raises:
        LoadError: They cannot be loaded, or could not then.

    """
    if args.read_snapshot:
        if not args.read_snapshot.exists():
            raise LoadError("this is a cross build, and nothing was loaded in the build for this machine")
        try:
            text = read_regular_text(args.read_snapshot)
        except (OSError, UnicodeDecodeError) as error:
            raise LoadError(f"{args.read_snapshot} cannot be read: {getattr(error, 'strerror', error)}") from None
        return read_snapshot(text, str(args.read_snapshot))
    snapshot = take_snapshot(args.libraries, command=_python(args))
    if args.write_snapshot:
        write_all([(args.write_snapshot, snapshot.text)])
    return snapshot


def _python(args: argparse.Namespace) -> Sequence[str]:
    """Return what runs a Python with the runtime."""
    return tuple(args.python) or (sys.executable,)


def _finish(stamp: Path, folder: Path, files: Iterable[Path]) -> None:
    """Say that the step is done, and on which files and folders it depends, as add_custom_command(DEPFILE) reads it."""
    paths = [path for path in files if path.exists()]
    folders = dict.fromkeys([folder, *(path.parent for path in paths)])  # which change when a file is added
    depends = [stamp, *(path for path in folders if path.exists()), *paths]
    words = [str(path.resolve()).replace(" ", "\\ ").replace("$", "$$") for path in depends]
    write_all([(Path(f"{stamp}.d"), f"{words[0]}: {' '.join(words[1:])}\n")])
    try:
        stamp.touch()
    except OSError as error:
        raise OutputError(f"{stamp} cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    main()

"""What the programs of this directory share: their options, how they write files, and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from releases import CACHE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

__all__ = ["add_check", "add_jobs", "add_selection", "add_work", "exit_if_a_program_fails", "write_whole"]


def add_check(parser: argparse.ArgumentParser) -> None:
    """Add ``--check``."""
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs from the data here")


def add_selection(
    parser: argparse.ArgumentParser,
    option: str,
    *,
    choices: Iterable[str] | None = None,
    metavar: str = "VERSION",
    meaning: str = "",
) -> None:
    """Add an option that narrows a check to some rows of the data."""
    parser.add_argument(
        option, nargs="+", default=[], choices=choices, metavar=metavar, help=f"with --check: {meaning}these alone"
    )


def add_work(parser: argparse.ArgumentParser, meaning: str = "directory for all that is made") -> None:
    """Add ``--work``."""
    parser.add_argument("--work", type=Path, default=CACHE, help=f"{meaning} (default: %(default)s)")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add ``--jobs``."""
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at a time (default: %(default)s)")


@contextmanager
def exit_if_a_program_fails() -> Iterator[None]:
    """Exit with the command line of a program that fails, whose own words are on the terminal already."""
    try:
        yield
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd))} failed; it says why above")


def write_whole(path: Path, text: str) -> None:
    """Write a file beside itself at first, so that it is never half written."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)

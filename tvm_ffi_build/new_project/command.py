"""``tvm-ffi-build new``: begins a project."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..terminal.arguments import read_path
from ..terminal.command import add_output_options
from ..terminal.output import Output
from .names import check_name
from .templates import CIBUILDWHEEL, CIS, find_template, find_templates, render
from .write_files import write_project

if TYPE_CHECKING:
    import argparse

__all__ = ["populate_parser"]

_WITH_UV = "uv run pytest"
# The pip that comes with Pythons older than 3.14 knows no --group.
_WITH_PIP = "python -m pip install --upgrade pip && python -m pip install -e . --group dev && python -m pytest"


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``new`` to a parser."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="name of the project, such as my-kernels")
    parser.add_argument("-t", "--template", default="cpp", metavar="KIND", help="kind of the project (default cpp)")
    parser.add_argument(
        "--ci",
        choices=CIS,
        default=CIBUILDWHEEL,
        help="where CI builds wheels: on each platform, or all on Linux, a machine each (default cibuildwheel)",
    )
    parser.add_argument("--path", type=read_path, metavar="DIR", help="directory of the project (default: its name)")
    parser.add_argument(
        "--force", action="store_true", help="write over files that are there, and into another project if need be"
    )
    parser.add_argument("--list", action="store_true", help="print the kinds of projects that there are")
    add_output_options(parser)
    parser.set_defaults(command=lambda args: _command(parser, args))


def _command(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    if args.list:
        templates = find_templates()
        width = max(len(template.name) for template in templates)
        output.answer("".join(f"{template.name:{width}}  {template.summary}\n" for template in templates))
        return
    if args.name is None:
        parser.error("NAME is missing, such as my-kernels")
    template = find_template(args.template)
    names = check_name(args.name, may_be_installed=args.force)
    folder: Path = args.path or Path(names.distribution)
    files = render(template, names, args.ci)
    for replaced in write_project(folder, files, force=args.force):
        output.step(f"written over: {replaced}")
    for path in files:
        output.detail(f"{folder / path}")
    output.step(
        f"{names.distribution}, imported as {names.package}, from the template {template.name}; now run:\n"
        f"  cd {shlex.quote(str(folder))} && {_WITH_UV if shutil.which('uv') else _WITH_PIP}"
    )
    output.answer(f"{folder}\n")

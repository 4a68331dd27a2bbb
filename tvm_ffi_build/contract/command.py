"""``tvm-ffi-build contract``: print the compatible runtime releases, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ContractError, NothingToDoError
from ..host.unfinished import OTHER_TEMPORARY, temporary_folder, write_errors
from ..terminal.arguments import read_command, read_path, read_release
from ..terminal.command import add_output_options
from ..terminal.output import Output
from ..wheels import open_wheel
from ..wheels.libraries import find_wheels, read_bare_library, read_libraries
from .assess import assess, assess_wheel
from .device_support import (
    device_code_as_json,
    device_code_as_text,
    read_device_code_of_libraries,
    read_device_code_of_wheel,
)
from .releases.ledger import read_ledger
from .report import as_json, as_text, observed_as_json, observed_as_text
from .verdicts import OK
from .verify import NOT_INSTALLED, WORKS, verify

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from ..binaries.device_code import DeviceCode
    from .assess import Assessment
    from .releases.ledger import Ledger
    from .verify import Observed

__all__ = ["populate_parser"]


def populate_parser(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``contract`` to a parser."""
    parser.add_argument(
        "paths", nargs="+", type=read_path, metavar="PATH", help="wheels, directories with wheels, or libraries"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument(
        "--verify",
        nargs="+",
        type=read_release,
        metavar="VERSION",
        help="install the wheel with these releases, or all, in environments of their own, and try it",
    )
    parser.add_argument(
        "--run",
        type=read_command,
        metavar="COMMAND",
        help="what to try there (default: import the packages of the wheel)",
    )
    add_output_options(parser)
    parser.set_defaults(command=_command)


def _command(args: argparse.Namespace) -> None:
    output = Output(args.verbosity, args.color)
    ledger = read_ledger()
    entries: list[dict[str, Any]] = []
    wrong: list[str] = []
    for path in find_wheels(args.paths):
        answer = _assess_file(path, ledger)
        if isinstance(answer, str):
            output.note("skipped", f"{path.name}: {answer}")
            continue
        found, device_code = answer
        observed = (
            _verify_releases(path, _choose_releases(args.verify, ledger), args.run, output) if args.verify else []
        )
        wrong += [f"{path.name} on {one.release}" for one in observed if _contradicts(one, found)]
        known = {**as_json(str(path), found, ledger), **device_code_as_json(device_code)}
        entries.append({**known, **observed_as_json(observed)})
        if not args.json:
            text = as_text(path.name, found, ledger) + device_code_as_text(device_code)
            output.answer(text + observed_as_text(observed, found))
    if args.json:
        output.answer_json({"version": 1, "artifacts": entries})
    if not entries:
        named = ", ".join(map(str, args.paths))
        raise NothingToDoError(f"{named}: nothing that uses the runtime", "name a wheel with a library, or a library")
    if wrong:
        raise ContractError(
            f"{', '.join(wrong)}: failed or not installed", "run it again with --run to see more of one"
        )


def _choose_releases(asked: list[str], ledger: Ledger) -> list[str]:
    return list(ledger.releases) if asked == ["all"] else asked


def _verify_releases(path: Path, releases: list[str], command: Sequence[str] | None, output: Output) -> list[Observed]:
    if path.suffix != ".whl":
        raise ContractError(f"{path.name} is not a wheel, so it cannot be installed and tried", "name a wheel")
    with open_wheel(path) as wheel, temporary_folder() as folder:
        wheel.verify()
        return verify(
            wheel,
            releases,
            folder,
            command=command or (),
            on_result=lambda one: output.step(f"* {one.release}: {one.result}"),
        )


def _contradicts(one: Observed, found: Assessment) -> bool:
    """Say whether a trial went worse than was derived; a warning allows both."""
    return one.result == NOT_INSTALLED or (one.result != WORKS and found.verdict(one.release).status == OK)


def _assess_file(path: Path, ledger: Ledger) -> tuple[Assessment, dict[str, DeviceCode]] | str:
    """Assess a wheel or a bare library; return why not, if it is not one of a TVM-FFI extension."""
    if path.suffix != ".whl":
        binary, reason = read_bare_library(path)
        if binary is None:
            return reason
        found = assess({path.name: (path, binary)}, ledger)
        return found, read_device_code_of_libraries({path.name: path}, {path.name: binary})
    with open_wheel(path) as wheel, temporary_folder() as folder, write_errors(folder.parent, OTHER_TEMPORARY):
        libraries = read_libraries(wheel, folder)
        reason = libraries.reason_to_skip()
        return reason or (assess_wheel(libraries, ledger), read_device_code_of_wheel(libraries))

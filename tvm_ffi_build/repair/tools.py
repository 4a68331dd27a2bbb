"""The tools that repair wheels, run by their command lines, which is their only public interface."""

from __future__ import annotations

import calendar
import importlib.metadata
import os
from typing import TYPE_CHECKING

from packaging.version import Version

from ..errors import MissingToolError, OutputError, RepairError
from ..host.programs import python_command, search_path
from ..host.run import run_program
from ..wheels import write_stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..wheels.libraries import WheelLibraries

__all__ = ["require_tool", "run_tool", "source_date", "stored_wheel"]

# 1980-01-01, before which archives have no dates (MS-DOS format, APPNOTE.TXT 4.4.6).
_FIRST_DATE = 315532800

_PIP = f"{python_command()} -m pip install"


def require_tool(distribution: str, minimum: str, reason: str) -> None:
    """Check that a tool is installed, and not too old.

    Args:
        distribution: Its name on the index.
        minimum: The oldest version that will do.
        reason: What older versions lack.

    Raises:
        MissingToolError: It is not, or it is.

    """
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise MissingToolError(
            f"{distribution} is not installed", f"run: {_PIP} '{distribution}>={minimum}' (or 'tvm-ffi-build[wheel]')"
        ) from None
    if Version(version) < Version(minimum):
        raise MissingToolError(f"{distribution} {version} {reason}", command=f"{_PIP} '{distribution}>={minimum}'")


def run_tool(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool and return its standard output.

    Args:
        command: The command line; paths in it are absolute.
        folder: Where to run it: one without Python modules, which would be taken for the tool's own.
        environment: Variables to set.

    Raises:
        MissingToolError: It cannot be run.
        OutputError: It had no space for its work.
        RepairError: It failed; the message has the last line that it said.

    """
    env = {**os.environ, "PATH": search_path(), **(environment or {})}
    done = run_program(command, hint="install it again", cwd=folder, env=env)
    if done.returncode != 0:
        if "No space left on device" in done.stderr:
            raise OutputError(f"{_name_tool(command)} found no space for its work", "set TMPDIR to another directory")
        said = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        last = said[-1] if said else f"exit code {done.returncode}"
        raise RepairError(f"{_name_tool(command)} failed: {last}", output=last)
    return done.stdout


def _name_tool(command: Sequence[str]) -> str:
    return command[2] if command[1:2] == ["-m"] else command[0]


def stored_wheel(contents: WheelLibraries) -> Path:
    """Return the same wheel, for the tools to read: an archive that this program has written itself.

    The libraries are in it as they are, since inflating large ones takes longer than all else that the tools do.
    """
    path = contents.folder / contents.wheel.path.name
    return path if path.exists() else write_stored(contents.wheel, contents.paths, contents.folder)


def source_date(contents: WheelLibraries) -> dict[str, str]:
    """Return the variable that makes tools reproducible: the time of the wheel, where the user has not set it."""
    time = contents.wheel.archive.members[f"{contents.wheel.dist_info}WHEEL"].date_time
    try:
        seconds = calendar.timegm((*time, 0, 0, 0))
    except ValueError:  # month 0, as of tools that leave dates out
        seconds = _FIRST_DATE
    return {"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH") or str(seconds)}

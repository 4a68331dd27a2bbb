"""Take a snapshot of the registry: load libraries in a process of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...binaries import read_binary
from ...errors import LoadError, MissingToolError
from ...host.regular_files import read_regular_text
from ...host.run import run_bounded
from ...host.unfinished import OTHER_TEMPORARY, temporary_folder, write_errors
from .snapshot import exported_functions, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .snapshot import Snapshot

__all__ = ["ask_child", "take_snapshot"]


def take_snapshot(
    libraries: Sequence[Path],
    imports: Sequence[str] = (),
    *,
    command: Sequence[str] = (sys.executable,),
    limit: float = 60,
) -> Snapshot:
    """Load libraries in a process of its own and read what they have registered.

    Args:
        libraries: What to load, in this order.
        imports: Python modules to import before them.
        command: What runs a Python with the runtime: its path, after an emulator if need be.
        limit: Seconds after which loading is given up.

    Raises:
        LoadError: A library cannot be loaded, ends the process, or takes too long.
        UnreadableBinaryError: A file is no library.

    """
    named, text = ask_child(libraries, imports, {}, command=command, limit=limit)
    return read_snapshot(text, named)


def ask_child(
    libraries: Sequence[Path],
    imports: Sequence[str],
    more: Mapping[str, object],
    *,
    command: Sequence[str],
    limit: float,
) -> tuple[str, str]:
    """Load libraries in a process of its own; return what to call them, and its answer.

    Args:
        libraries: What to load.
        imports: What to import before.
        more: What else to request.
        command: What runs a Python with the runtime.
        limit: Seconds after which the process is ended.

    Raises:
        LoadError: As :func:`take_snapshot` does.
        UnreadableBinaryError: A file is no library.

    """
    # Unlike Path.resolve before Python 3.13, this has no error of its own for links that go round in circles.
    paths = [Path(os.path.realpath(library)) for library in libraries]
    request = json.dumps(
        {
            "imports": list(imports),
            "libraries": [{"path": str(path), "functions": exported_functions(read_binary(path))} for path in paths],
            **more,
        }
    )
    named = ", ".join(path.name for path in paths) or ", ".join(imports) or "the runtime"
    with temporary_folder() as folder:
        output, asked = folder / "snapshot.json", folder / "request.json"
        with write_errors(folder.parent, OTHER_TEMPORARY):
            asked.write_text(request, encoding="utf-8")
        script = Path(__file__).with_name("reflect.py")
        try:
            done = run_bounded([*command, str(script), str(output), str(asked)], timeout=limit)
        except subprocess.TimeoutExpired as expired:
            raise LoadError(
                f"{named} did not finish loading within {limit:g} s{_read_last_words(expired.output)}",
                "give it longer: --timeout",
            ) from None
        except MissingToolError as error:
            raise LoadError(error.what, error.remedy) from None
        if done.returncode < 0:
            name = _name_signal(-done.returncode)
            raise LoadError(
                f"{named} ended the process that loaded it by {name}{_read_last_words(done.stdout, lines=3)}"
            )
        if done.returncode != 0 or not os.path.lexists(output):
            raise LoadError(f"{named} cannot be loaded{_read_last_words(done.stdout)}")
        try:
            return named, read_regular_text(output, follow_links=False)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise LoadError(f"{named} replaced the file for its description: {reason}") from None


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # those of the real-time extension have no names
        return f"signal {number}"


def _read_last_words(output: str, *, lines: int = 1) -> str:
    """Return the last lines of what a process said, to be appended to a message; of a traceback the last is enough."""
    last = [line.strip() for line in output.splitlines() if line.strip()][-lines:]
    return f"; it said: {' '.join(last)[-500:]}" if last else "; it said nothing"

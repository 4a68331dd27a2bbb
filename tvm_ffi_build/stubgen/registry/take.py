"""Take a snapshot of the registry: load libraries in a process of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...binaries import read_binary
from ...errors import LoadError, MissingToolError
from ...host.run import run_program
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
    with tempfile.TemporaryDirectory(prefix="tvm-ffi-build-") as folder:
        output, asked = Path(folder, "snapshot.json"), Path(folder, "request.json")
        asked.write_text(request, encoding="utf-8")
        script = Path(__file__).with_name("reflect.py")
        try:
            done = run_program([*command, str(script), str(output), str(asked)], merge_output=True, timeout=limit)
        except subprocess.TimeoutExpired as expired:
            raise LoadError(
                f"{named} did not finish loading within {limit:g} s{_last_words(expired.stdout)}",
                "give it longer: --timeout",
            ) from None
        except MissingToolError as error:
            raise LoadError(error.what, error.remedy) from None
        if done.returncode < 0:
            name = _name_signal(-done.returncode)
            raise LoadError(f"{named} ended the process that loaded it by {name}{_last_words(done.stdout, lines=3)}")
        if done.returncode != 0 or not output.exists():
            raise LoadError(f"{named} cannot be loaded{_last_words(done.stdout)}")
        return named, output.read_text(encoding="utf-8")


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # those of the real-time extension have no names
        return f"signal {number}"


def _last_words(output: str | bytes | None, *, lines: int = 1) -> str:
    """Return the last lines of what a process said, to be appended to a message; of a traceback the last is enough."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    last = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
    return f"; it said: {' '.join(last)[-500:]}" if last else "; it said nothing"

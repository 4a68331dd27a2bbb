"""Tries a wheel on releases of the runtime: each in an environment of its own, several at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..errors import MissingToolError
from ..host.run import last_line, run_bounded
from ..runtime import DISTRIBUTION
from ..wheels.import_packages import list_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..wheels import Wheel

__all__ = ["FAILS", "NOT_INSTALLED", "WORKS", "Observed", "Trial", "verify"]

Trial = Literal["works", "fails", "not installed"]
WORKS: Final = "works"
FAILS: Final = "fails"
NOT_INSTALLED: Final = "not installed"
_SECONDS = 600


class Observed(NamedTuple):
    """What came of a trial.

    Attributes:
        release: Of the runtime.
        result: :data:`WORKS`, :data:`FAILS` or :data:`NOT_INSTALLED`.
        said: The last line that the command, or the installer, said.

    """

    release: str
    result: Trial
    said: str = ""


def verify(
    wheel: Wheel,
    releases: Sequence[str],
    folder: Path,
    *,
    command: Sequence[str] = (),
    on_result: Callable[[Observed], None] = lambda _: None,
) -> list[Observed]:
    """Install a wheel with each release, whatever it requires of the runtime, and run a command there.

    Args:
        wheel: The wheel, for this machine and this Python.
        releases: Of the runtime.
        folder: An empty one.
        command: What to run; a first word ``python`` is the environment's. By default the wheel's packages are
            imported.
        on_result: Is called with each result, in the order in which they come.

    Returns:
        The results, in the order of the releases.

    """
    make, install = _choose_installer()
    words = list(command) or ["python", "-c", f"import {', '.join(list_packages(wheel.files) or ['tvm_ffi'])}"]
    # What the wheel requires beside the runtime.
    others = list(map(str, wheel.other_requirements))

    def one(release: str) -> Observed:
        found = _try_release(release, wheel.path, others, words, folder / release, make, install)
        on_result(found)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, releases))


def _choose_installer() -> tuple[list[str], list[str]]:
    """Return the commands that make an environment and install into it; PYTHON stands for the environment's."""
    here = sysconfig.get_path("scripts")
    uv = shutil.which("uv", path=os.pathsep.join([here, os.environ.get("PATH", os.defpath)]))
    if uv:
        return [uv, "venv", "-q", "--python", sys.executable], [uv, "pip", "install", "-q", "--python", "PYTHON"]
    return [sys.executable, "-m", "venv"], ["PYTHON", "-m", "pip", "install", "-q"]


def _try_release(
    release: str, wheel: Path, others: list[str], command: list[str], folder: Path, make: list[str], install: list[str]
) -> Observed:
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(programs / "python")
    install = [python if word == "PYTHON" else word for word in install]
    for words in (
        [*make, str(folder)],
        [*install, f"{DISTRIBUTION}=={release}", *others],
        [*install, "--no-deps", str(wheel.resolve())],
    ):
        code, said = _run_command(words, folder.parent)
        if code != 0:
            return Observed(release, NOT_INSTALLED, said)
    words = [python if command[0] == "python" else command[0], *command[1:]]
    code, said = _run_command(words, folder, PATH=f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    return Observed(release, FAILS if code else WORKS, said)


def _run_command(command: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    """Run a command; return its exit code and the last line it said."""
    env = {**os.environ, **environment}
    # Of another environment, or another place for modules, nothing is meant here.
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        env.pop(name, None)
    try:
        done = run_bounded(command, cwd=folder, env=env, timeout=_SECONDS)
    except MissingToolError as error:
        return 127, str(error)
    except subprocess.TimeoutExpired:
        return 124, f"{command[0]} took more than {_SECONDS} s"
    return done.returncode, last_line(done)

"""Runs a PEP 517 build front end, ``build`` or ``uv``."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ..errors import BuildError, MissingToolError
from ..host.programs import find_program, require_extra
from ..host.run import read_lines, watched_group
from ..host.unfinished import OTHER_TEMPORARY, temporary_folder
from .failure_cause import Cause, find_cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["FRONTENDS", "BuildRequest", "run_build"]

FRONTENDS = ("build", "uv")

# "python -m build" would import what lies in the working folder, which may be the project's, before its own modules.
_RUN_BUILD = "import runpy, sys; sys.path[:] = filter(None, sys.path); runpy.run_module('build', run_name='__main__')"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# The directory that "make install" and "cmake --install" put before every path: the wheel would be empty.
_STAGING = "DESTDIR"
# By which programs find the directory for temporary files (tempfile in Python's manual, GetTempPath2 on Windows).
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
# Bytes: CMake needs as much to try a compiler.
_SCARCE = 2 << 20
# Seconds that a front end has to end when it is told to.
_GRACE = 5
# "*** Configuring CMake..." of scikit-build-core, "* Building wheel..." of build; not CMake's own lines.
_STEP = re.compile(r"\*{1,3} (?P<step>\S.*?)(\.\.\.|:)?$")


@dataclass(frozen=True)
class BuildRequest:
    """One wheel to be built.

    Attributes:
        source: Folder with a ``pyproject.toml``.
        output: Folder for the wheel.
        isolated: Build in a new environment with the project's build requirements, or in this one.
        config_settings: ``key=value``, for the build backend.
        constraints: Constraints file (pip's format) for the isolated environment, or None.
        frontend: One of :data:`FRONTENDS`, or None for ``uv`` where it is installed and else ``build``.
        environment: Variables that the build sees beside those of this process.
        pins: Requirements that hold in the isolated environment too, such as ``apache-tvm-ffi==0.1.12``.
        platform: The platform tag that the wheel is to have, or None for what it turns out to be.
        held: Descriptors that the front end keeps open: locks, which then last as long as the build.

    """

    source: Path
    output: Path
    isolated: bool = True
    config_settings: tuple[str, ...] = ()
    constraints: Path | None = None
    frontend: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    pins: tuple[str, ...] = ()
    platform: str | None = None
    held: tuple[int, ...] = ()


def run_build(
    request: BuildRequest,
    *,
    on_step: Callable[[str], None],
    on_line: Callable[[str], None],
    on_start: Callable[[Callable[[], None]], None] = lambda _: None,
) -> None:
    """Build a wheel.

    Args:
        request: What to build.
        on_step: Is called with each step that begins.
        on_line: Is called with each line of the front end's output.
        on_start: Is called with what ends the build before its time, from another thread.

    Raises:
        BuildError: The build failed; the message has the cause, as far as the output tells it.
        MissingToolError: The front end is not installed.

    """
    uv = find_program("uv")
    frontend = request.frontend or ("uv" if uv else "build")
    command, environment = _uv_command(request, uv) if frontend == "uv" else _build_command(request)
    on_line(" ".join(command))
    lines: list[str] = []
    with ExitStack() as opened:
        # Of its own, so that what a front end leaves there when it is ended goes with it.
        temporary = opened.enter_context(temporary_folder())
        environment.update(dict.fromkeys(_TEMPORARY, str(temporary)))
        process = opened.enter_context(_start_process(command, {**request.environment, **environment}, request.held))
        opened.enter_context(watched_group(process.pid, temporary))
        on_start(partial(_end_process, process))
        try:
            for line in _read_lines(process):
                lines.append(line)
                on_line(line)
                step = _STEP.match(line)
                if step:
                    on_step(step["step"])
        except BaseException:
            _end_process(process)
            raise
        free = _count_free_bytes(temporary)
    if process.returncode != 0:
        found = find_cause(lines)
        if free < _SCARCE and "no space left" not in found.what.lower():
            # Compilers and CMake say many things when they cannot write, and none of them is this.
            directory = temporary.parent
            found = Cause(
                f"{directory}, the directory for temporary files, has {free / 1e6:.1f} MB left ({found.what})",
                f"make room, or {OTHER_TEMPORARY}",
            )
        raise BuildError(f"{request.source} could not be built: {found.what}", found.remedy, output=found.what)


def _start_process(
    command: Sequence[str], environment: Mapping[str, str], held: Sequence[int]
) -> subprocess.Popen[str]:
    try:
        # Not with host.run: lines are read as the front end prints them, and file descriptors are passed on.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**{name: value for name, value in os.environ.items() if name != _STAGING}, **environment},
            encoding="utf-8",
            errors="replace",
            # A group of its own, so that compilers can be ended along with the front end.
            start_new_session=True,
            pass_fds=held,
        )
    except OSError as error:
        raise MissingToolError(f"{command[0]} cannot be run: {error.strerror}", "install it again") from None


def _count_free_bytes(directory: Path) -> int:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return _SCARCE


def _read_lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None  # noqa: S101  (says so to the type checker)
    for raw in read_lines(process.stdout):
        # build marks what comes from the programs that it runs.
        yield _ESCAPES.sub("", raw).rstrip().removeprefix("< ")


def _end_process(process: subprocess.Popen[str]) -> None:
    """End a front end and all that it has started."""
    if sys.platform == "win32":
        process.terminate()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        # What does not end, or was started by one that did, still writes into the directories that are to be removed.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _uv_command(request: BuildRequest, uv: str | None) -> tuple[list[str], dict[str, str]]:
    if uv is None:
        raise MissingToolError("uv is not installed", command="python -m pip install uv")
    command = [uv, "build", "--wheel", "--python", sys.executable, "--out-dir", str(request.output)]
    if not request.isolated:
        command.append("--no-build-isolation")
    if request.constraints is not None:
        # The option replaces the variable.
        for path in [*os.environ.get("UV_BUILD_CONSTRAINT", "").split(), str(request.constraints)]:
            command += ["--build-constraints", path]
    return [*command, *_config_settings(request), str(request.source)], {}


def _build_command(request: BuildRequest) -> tuple[list[str], dict[str, str]]:
    require_extra("build", "wheel")
    command = [sys.executable, "-c", _RUN_BUILD, "--wheel", "--outdir", str(request.output)]
    if not request.isolated:
        command.append("--no-isolation")
    # build breaks the lines of what it runs at the width of the terminal; broken, no cause can be found in them.
    environment = {"COLUMNS": "1000"}
    if request.constraints is not None:
        # pip splits the variable at blanks ("Configuration" in its manual), which a file's URL has none of.
        given = os.environ.get("PIP_CONSTRAINT", "")
        environment["PIP_CONSTRAINT"] = f"{given} {request.constraints.as_uri()}".strip()
    return [*command, *_config_settings(request), str(request.source)], environment


def _config_settings(request: BuildRequest) -> Iterable[str]:
    return [f"--config-setting={setting}" for setting in request.config_settings]

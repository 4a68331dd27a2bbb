"""Runs a PEP 517 build front end, ``build`` or ``uv``, tells how far it is, and says why it failed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from .errors import BuildError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["FRONTENDS", "BuildRequest", "run_build"]

FRONTENDS = ("build", "uv")

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# "*** Configuring CMake..." of scikit-build-core, "* Building wheel..." of build; not CMake's own lines.
_STEP = re.compile(r"\*{1,3} (?P<step>\S.*?)(\.\.\.)?$")
_OWN_ERROR = re.compile(r"tvm-ffi-(build|config): error: (?P<text>.*)")


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

    """

    source: Path
    output: Path
    isolated: bool = True
    config_settings: tuple[str, ...] = ()
    constraints: Path | None = None
    frontend: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def run_build(request: BuildRequest, *, on_step: Callable[[str], None], on_line: Callable[[str], None]) -> None:
    """Build a wheel.

    Args:
        request: What to build.
        on_step: Is called with each step that begins.
        on_line: Is called with each line of the front end's output.

    Raises:
        BuildError: The build failed; the message has the cause, as far as the output tells it.
        MissingToolError: The front end is not installed.

    """
    uv = _find_uv()
    frontend = request.frontend or ("uv" if uv else "build")
    command, environment = _uv_command(request, uv) if frontend == "uv" else _build_command(request)
    log = _Log()
    on_line(" ".join(command))
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **request.environment, **environment},
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise MissingToolError(f"{command[0]} cannot be run: {error.strerror}; install it again") from None
    with process:
        assert process.stdout is not None  # noqa: S101  (says so to the type checker)
        for raw in process.stdout:
            # build marks what comes from the programs that it runs.
            line = _ESCAPES.sub("", raw).rstrip().removeprefix("< ")
            log.lines.append(line)
            on_line(line)
            step = _STEP.match(line)
            if step:
                on_step(step["step"])
    if process.returncode != 0:
        raise BuildError(f"{request.source} could not be built: {log.cause()}")


def _find_uv() -> str | None:
    here = sysconfig.get_path("scripts")
    return shutil.which("uv", path=os.pathsep.join([here, os.environ.get("PATH", os.defpath)]))


def _uv_command(request: BuildRequest, uv: str | None) -> tuple[list[str], dict[str, str]]:
    if uv is None:
        raise MissingToolError("uv is not installed; run: python -m pip install uv")
    command = [uv, "build", "--wheel", "--python", sys.executable, "--out-dir", str(request.output)]
    if not request.isolated:
        command.append("--no-build-isolation")
    if request.constraints is not None:
        command += ["--build-constraints", str(request.constraints)]
    return [*command, *_config_settings(request), str(request.source)], {}


def _build_command(request: BuildRequest) -> tuple[list[str], dict[str, str]]:
    if importlib.util.find_spec("build") is None:
        raise MissingToolError(f"build is not installed; run: {sys.executable} -m pip install 'tvm-ffi-build[wheel]'")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(request.output)]
    if not request.isolated:
        command.append("--no-isolation")
    # build breaks the lines of what it runs at the width of the terminal; broken, no cause can be found in them.
    environment = {"COLUMNS": "1000"}
    if request.constraints is not None:
        # pip splits the variable at blanks, which a file's URL has none of.
        given = os.environ.get("PIP_CONSTRAINT", "")
        environment["PIP_CONSTRAINT"] = f"{given} {request.constraints.as_uri()}".strip()
    return [*command, *_config_settings(request), str(request.source)], environment


def _config_settings(request: BuildRequest) -> Iterable[str]:
    return [f"--config-setting={setting}" for setting in request.config_settings]


@dataclass
class _Log:
    lines: list[str] = field(default_factory=list)

    def cause(self) -> str:
        """Return the most telling thing in the output, as one line."""
        finders = (
            self._own_error,
            self._no_compiler,
            self._cmake_error,
            self._compiler_error,
            self._pip_conflict,
            self._pip_error,
            self._uv_cause,
        )
        for find in finders:
            cause = find()
            if cause:
                return cause
        last = next((line.strip() for line in reversed(self.lines) if line.strip()), "it said nothing")
        return f"{last}; run it again with -v"

    def _own_error(self) -> str | None:
        found = (_OWN_ERROR.match(line) for line in self.lines)
        return next((match["text"] for match in found if match), None)

    def _no_compiler(self) -> str | None:
        for line in self.lines:
            match = re.search(r"No CMAKE_(\w+)_COMPILER could be found|CMAKE_(\w+)_COMPILER not set", line)
            if match:
                language = (match[1] or match[2]).replace("CXX", "C++")
                return (
                    f"no {language} compiler was found; install one (on Debian: apt-get install g++) and run it again"
                )
        return None

    def _cmake_error(self) -> str | None:
        """Return the text of CMake's first error: what follows its headline, up to the call stack."""
        for number, line in enumerate(self.lines):
            if line.startswith("CMake Error"):
                inline = re.match(r"CMake Error: (.+)", line)
                text = [inline[1]] if inline else []
                for following in self.lines[number + 1 :]:
                    if following and not following.startswith("  "):
                        break
                    text.append(following.strip())
                # CMake breaks long lines, also those that quote this package.
                return _OWN_ERROR.sub(r"\g<text>", " ".join(" ".join(text).split())) or None
        return None

    def _compiler_error(self) -> str | None:
        return next((line for line in self.lines if re.match(r"\S.*:\d+(:\d+)?: (fatal )?error: ", line)), None)

    def _pip_conflict(self) -> str | None:
        marker = "The conflict is caused by:"
        if marker not in self.lines:
            return None
        start = self.lines.index(marker) + 1
        return "; ".join(line.strip() for line in takewhile(str.strip, self.lines[start:])) or None

    def _pip_error(self) -> str | None:
        found = (re.match(r"ERROR: (?!Backend|Failed)(.*)", line) for line in self.lines)
        return next((match[1] for match in found if match), None)

    def _uv_cause(self) -> str | None:
        """Return the innermost of uv's causes; it may go on over indented lines."""
        starts = [number for number, line in enumerate(self.lines) if line.startswith("  cause: ")]
        if not starts:
            return None
        first, *rest = self.lines[starts[-1] :]
        words = [first.partition("cause: ")[2], *takewhile(lambda line: line.startswith("    "), rest)]
        return " ".join(" ".join(words).split())

"""Run a program and capture what it prints."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from ..errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["run_program"]


def run_program(
    command: Sequence[str | os.PathLike[str]],
    *,
    hint: str = "",
    merge_output: bool = False,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program without standard input, and return its exit status and output, whatever the status is.

    Output is UTF-8. Bytes that are not are replaced, because compilers quote source files of any encoding.

    Args:
        command: The program and its arguments.
        hint: What to type if the program cannot be started.
        merge_output: Capture standard error in ``stdout``, in the order in which the program wrote both.
        cwd: The directory to run in; the current one by default.
        env: The whole environment; that of this process by default.
        timeout: Seconds after which the program is killed.

    Raises:
        MissingToolError: The program cannot be started. The cause is an OSError.
        subprocess.TimeoutExpired: It took too long.

    """
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=env,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge_output else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
        )
    except OSError as error:
        raise MissingToolError(f"{os.fspath(command[0])} cannot be run: {error.strerror}", hint) from error

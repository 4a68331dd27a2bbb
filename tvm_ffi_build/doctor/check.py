"""What checks answer, and how they run programs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from ..errors import MissingToolError
from ..host.programs import python_command
from ..host.run import run_program

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

__all__ = ["FAIL", "OK", "PIP", "WARN", "Answer", "Check", "ask_program"]

# Nothing to do; something does not work, or is not what it seems; nothing can be built.
Status = Literal["ok", "warn", "fail"]
OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"

PIP = f"{python_command()} -m pip install"
# For a program to say its version, or to compile a line; a hanging one must not hang the doctor.
_PATIENCE = 60


class Check(NamedTuple):
    """What was looked at, and what was seen.

    Attributes:
        name: Of what was looked at: ``runtime``.
        status: :data:`OK`, :data:`WARN` or :data:`FAIL`.
        message: What was seen, in a line.
        remedy: What to do, if there is something to be done.

    """

    name: str
    status: Status
    message: str
    remedy: str = ""


class Answer(NamedTuple):
    """What a program has said.

    Attributes:
        works: Whether it could be run, and ended well.
        lines: The lines that it wrote, without empty ones.

    """

    works: bool
    lines: list[str]


def ask_program(command: Sequence[str | os.PathLike[str]]) -> Answer:
    """Run a program that answers at once."""
    try:
        done = run_program(command, merge_output=True, timeout=_PATIENCE)
    except MissingToolError as error:
        # Checks name the program themselves.
        reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
        return Answer(works=False, lines=[str(reason)])
    except subprocess.TimeoutExpired:
        return Answer(works=False, lines=[f"no answer within {_PATIENCE} seconds"])
    return Answer(done.returncode == 0, [line.strip() for line in done.stdout.splitlines() if line.strip()])

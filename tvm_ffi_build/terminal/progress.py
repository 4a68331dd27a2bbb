"""Shows how far builds are: on a terminal in a line a build that changes, elsewhere in a line a step."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from .output import one_line
from .streams import terminal_shows_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Lines
    from rich.progress import TaskID

    from .output import Output

__all__ = ["Progress", "progress"]


class Progress(Protocol):
    """Where builds tell how far they are, from several threads."""

    def step(self, step: str, build: str = "") -> None:
        """Say what a build begins with; where there is one build alone, it needs no name."""

    def end(self, word: str, build: str = "") -> None:
        """Say what came of a build, in a word."""


@contextmanager
def progress(output: Output) -> Iterator[Progress]:
    """Show the steps of builds, if they are to be shown."""
    if output.verbosity != 0 or not terminal_shows_messages() or importlib.util.find_spec("rich") is None:
        yield _Plain(output)
        return
    from rich.console import Console  # noqa: PLC0415  (an extra)
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    # What a build prints is no markup.
    columns = [TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[step]")]
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(finished_text=" "),
        *columns,
        TimeElapsedColumn(),
        console=console,
        redirect_stdout=False,
        transient=True,
    ) as lines:
        yield _Changing(lines)


class _Plain:
    def __init__(self, output: Output) -> None:
        self.output = output

    def step(self, step: str, build: str = "") -> None:
        self.output.step(f"* {build}: {step}" if build else f"* {step}")

    def end(self, word: str, build: str = "") -> None:
        """Say nothing: the answer does."""


class _Changing:
    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.tasks: dict[str, TaskID] = {}

    def step(self, step: str, build: str = "") -> None:
        if build in self.tasks:
            self.lines.update(self.tasks[build], step=one_line(step))
        else:
            self.tasks[build] = self.lines.add_task(one_line(build), total=1, step=one_line(step))

    def end(self, word: str, build: str = "") -> None:
        self.step(word, build)
        self.lines.update(self.tasks[build], completed=1)

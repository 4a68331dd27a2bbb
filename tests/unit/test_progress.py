"""How far builds are, shown on a terminal and elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from tvm_ffi_build.terminal.output import Output
from tvm_ffi_build.terminal.progress import progress

STEPS = """
import sys
from tvm_ffi_build.terminal.output import Output
from tvm_ffi_build.terminal.progress import progress
output = Output()
with progress(output) as shown:
    shown.step("Configuring [bold]", "win_amd64")
    shown.step("Configuring", "win_arm64")
    shown.step("Linking", "win_amd64")
    output.step("warning: something")
    shown.end("done", "win_amd64")
    shown.lines.refresh()
    print("the answer")
"""


def test_without_a_terminal_it_is_a_line_a_step(capsys: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEPS.replace("    shown.lines.refresh()\n", "")],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "the answer\n"
    assert done.stderr.splitlines() == [
        "* win_amd64: Configuring [bold]",
        "* win_arm64: Configuring",
        "* win_amd64: Linking",
        "warning: something",
    ]


def test_on_a_terminal_it_is_a_line_a_build_which_is_gone_in_the_end() -> None:
    """What else is said stays, above these lines."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-c", STEPS], stderr=its, stdout=subprocess.PIPE, env=environment
    ) as process:
        os.close(its)
        said = b""
        try:
            while piece := os.read(ours, 1 << 16):
                said += piece
        except OSError:  # the other end is closed
            pass
        assert process.stdout is not None
        assert process.stdout.read() == b"the answer\n"
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", said).decode()
    assert "Configuring [bold]" in text or "Linking" in text
    assert re.search(r"win_amd64 +done", text)
    assert re.search(r"win_arm64 +Configuring", text)
    assert "warning: something" in text
    assert said.count(b"\x1b[2K") >= 2  # both lines are taken away


def test_who_wants_errors_alone_sees_nothing() -> None:
    lines: list[str] = []

    class Kept(Output):
        def step(self, text: str) -> None:
            if self.verbosity >= 0:
                lines.append(text)

    with progress(Kept(-1)) as shown:
        shown.step("Linking")
        shown.end("done")
    assert lines == []

"""The tutorial, typed from its page into an empty folder by one shell, as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from conftest import ROOT

from tvm_ffi_build.own_wheel import write_own_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs/tutorial/first-wheel.md"
BLOCK = re.compile(
    r"(?:<!-- append: (?P<file>\S+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# What no program of the page prints.
MARK = "=== the command before ended with"


class Typed(NamedTuple):
    """A command on the page, and what the page says it answers."""

    command: str
    answer: str


def steps(text: str) -> Iterator[Typed | tuple[str, str]]:
    """Yield what is to be typed, and what is to be appended to which file, in the page's order."""
    for block in BLOCK.finditer(text):
        if block["file"]:
            yield block["file"], block["text"]
        elif block["language"] == "console":
            for command in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                line, _, answer = command.partition("\n")
                yield Typed(line, answer)


def pattern(answer: str) -> str:
    """Return a pattern for an answer, in which dots stand for anything."""
    return ".*?".join(map(re.escape, answer.rstrip("\n").split("...")))


def script(folder: Path) -> str:
    """Return what a shell is given: the commands, and after each a line by which its answer ends."""
    lines = []
    for step in steps(PAGE.read_text(encoding="utf-8")):
        if isinstance(step, Typed):
            lines.append(f"{step.command}\necho '{MARK}' $?")
        else:
            file, text = step
            (folder / f"{len(lines)}.txt").write_text(f"\n{text}", encoding="utf-8")
            lines.append(f"cat '{folder / f'{len(lines)}.txt'}' >> '{file}'")
    return "\n".join(lines)


@pytest.mark.slow
def test_each_command_answers_what_the_page_says(tmp_path: Path) -> None:
    for name in ("index", "texts", "empty"):
        (tmp_path / name).mkdir()
    write_own_wheel(tmp_path / "index")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", script(tmp_path / "texts")],
        cwd=tmp_path / "empty",
        env={**variables, "PIP_FIND_LINKS": str(tmp_path / "index"), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "CI": ""},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    took = time.monotonic() - started
    typed = [step for step in steps(PAGE.read_text(encoding="utf-8")) if isinstance(step, Typed)]
    parts = re.split(rf"^{MARK} (\d+)\n", done.stdout, flags=re.MULTILINE)
    answers, codes = parts[::2], parts[1::2]
    assert len(codes) == len(typed)
    for (command, wanted), answer, code in zip(typed, answers, codes):
        # Only mypy is to find something.
        assert code == ("1" if "mypy" in command else "0"), f"{command}\n{answer}"
        # pip warns of how it is set up on a machine, which is not the page's matter.
        said = re.sub(r"^(WARNING: |\[notice\]).*\n", "", answer, flags=re.MULTILINE)
        assert re.fullmatch(pattern(wanted), said.rstrip("\n"), re.DOTALL), f"{command}\n{said}"
    print(f"the tutorial's commands took {took / 60:.1f} minutes")  # noqa: T201  (shown with -rP)
    assert took < 600


def test_the_page_is_read_as_it_is_meant() -> None:
    """So that nothing of it is left out unseen."""
    text = PAGE.read_text(encoding="utf-8")
    found = list(steps(text))
    assert sum(isinstance(step, Typed) for step in found) == text.count("\n$ ")
    assert sum(not isinstance(step, Typed) for step in found) == text.count("<!-- append: ") == 2
    assert re.fullmatch(pattern("a ... b"), "a 1\n2 b", re.DOTALL)
    assert not re.fullmatch(pattern("a ... b"), "a 1 c", re.DOTALL)

"""The tutorial and the how-tos, typed from their pages by one shell each, as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.project import ROOT

from tvm_ffi_build.wheels.own_wheel import write_own_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TUTORIAL = ROOT / "docs/tutorial/first-wheel.md"
# Of these, each begins in the project that the tutorial makes.
HOW_TOS = [
    ROOT / "docs/how-to" / f"{name}.md"
    for name in ("edit-and-rebuild", "debug", "many-runtimes", "from-source", "ci", "large-wheels")
]
# The tutorial shows that pip does this too. uv takes a fifth of the time.
BEGINNING = """\
uv venv --quiet --seed environment && . environment/bin/activate
uv pip install --quiet 'tvm-ffi-build[wheel,new]'
tvm-ffi-build new fast-kernels && cd fast-kernels && uv pip install --quiet --editable . --group dev
"""
BLOCK = re.compile(
    r"(?:<!-- (?P<how>append|write): (?P<file>\S+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# What no program of a page prints.
MARK = "=== the command before ended with"


class Typed(NamedTuple):
    """A command on a page and the output that the page shows; an "error" or a crash in it means that it fails."""

    command: str
    answer: str

    @property
    def fails(self) -> bool:
        return bool(re.search(r"\berror:|^\w*Error: |Segfault encountered", self.answer, re.MULTILINE))


class Edit(NamedTuple):
    """Text that a page wants in a file, at its end or instead of it."""

    how: str
    file: str
    text: str


def steps(page: Path) -> Iterator[Typed | Edit]:
    """Yield what is to be typed and to be edited, in the page's order."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["file"]:
            yield Edit(block["how"], block["file"], block["text"])
        elif block["language"] == "console":
            for command in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                line, _, answer = command.partition("\n")
                yield Typed(line, answer)


def pattern(answer: str) -> str:
    """Return a pattern for an answer, in which dots stand for anything."""
    return ".*?".join(map(re.escape, answer.rstrip("\n").split("...")))


def script(page: Path, folder: Path) -> str:
    """Return what a shell is given: the commands, and after each a line by which its answer ends."""
    lines = []
    for number, step in enumerate(steps(page)):
        if isinstance(step, Typed):
            # On a line of its own, whether or not the command has ended its last one.
            lines.append(f"{step.command}\nprintf '\\n%s %s\\n' '{MARK}' $?")
        else:
            text = folder / f"{page.stem}-{number}.txt"
            text.write_text(f"\n{step.text}" if step.how == "append" else step.text, encoding="utf-8")
            lines.append(f"cat '{text}' {'>>' if step.how == 'append' else '>'} '{step.file}'")
    return "\n".join(lines)


def answers(page: Path, folder: Path, beginning: str = "") -> Iterator[tuple[Typed, str, int]]:
    """Type a page in an empty folder; yield each command, what it answered, and its exit code."""
    for name in ("index", "texts", "empty"):
        (folder / name).mkdir()
    write_own_wheel(folder / "index")
    # Of the environment that the tests run in, nothing is to be found.
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    done = subprocess.run(
        ["bash", "-c", f"{beginning}echo '{MARK}' 0\n{script(page, folder / 'texts')}"],
        cwd=folder / "empty",
        env={
            **variables,
            "PIP_FIND_LINKS": str(folder / "index"),
            "UV_FIND_LINKS": str(folder / "index"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    # pip warns of how it is set up on a machine, which is not a page's matter.
    said = re.sub(r"^(WARNING: |\[notice\]).*\n", "", done.stdout, flags=re.MULTILINE)
    _, *parts = re.split(rf"^{MARK} (\d+)\n", said, flags=re.MULTILINE)
    typed = [step for step in steps(page) if isinstance(step, Typed)]
    assert len(parts) == 2 * len(typed) + 2
    for step, answer, code in zip(typed, parts[1::2], parts[2::2]):
        yield step, answer, int(code)


def check(page: Path, folder: Path, beginning: str = "") -> None:
    """Check that each command of a page answers what the page says."""
    for step, answer, code in answers(page, folder, beginning):
        assert (code != 0) is step.fails, f"{step.command}\n{answer}"
        assert re.fullmatch(pattern(step.answer), answer.rstrip("\n"), re.DOTALL), f"{step.command}\n{answer}"


@pytest.mark.slow
def test_the_tutorial_in_an_empty_folder(tmp_path: Path) -> None:
    started = os.times()
    check(TUTORIAL, tmp_path)
    ended = os.times()
    print(f"the tutorial's commands took {(ended.elapsed - started.elapsed) / 60:.1f} minutes")  # noqa: T201  (shown with -rP)
    # Processor time, since the time on the clock depends on what else the machine does.
    used = ended.children_user + ended.children_system - started.children_user - started.children_system
    assert used < 600


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.stem)
def test_a_how_to_in_the_project_of_the_tutorial(page: Path, tmp_path: Path) -> None:
    check(page, tmp_path, BEGINNING)


@pytest.mark.parametrize("page", [TUTORIAL, *HOW_TOS], ids=lambda page: page.stem)
def test_pages_are_read_as_they_are_meant(page: Path) -> None:
    """So that nothing of them is left out unseen."""
    text = page.read_text(encoding="utf-8")
    found = list(steps(page))
    assert sum(isinstance(step, Typed) for step in found) == text.count("\n$ ") > 0
    assert sum(isinstance(step, Edit) for step in found) == len(re.findall(r"<!-- (?:append|write): ", text))


def test_dots_stand_for_anything() -> None:
    assert re.fullmatch(pattern("a ... b"), "a 1\n2 b", re.DOTALL)
    assert not re.fullmatch(pattern("a ... b"), "a 1 c", re.DOTALL)

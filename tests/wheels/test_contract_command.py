"""``tvm-ffi-build contract`` as it is called, on the example's wheel and on wheels of others from the index."""

from __future__ import annotations

import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from support.commands import run_command
from support.errors import read_error
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

MANUAL = (ROOT / "docs/reference/contract.md").read_text(encoding="utf-8")


def contract(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    if options:
        return run(sys.executable, "-m", "tvm_ffi_build", "contract", *arguments, ok=False, **options)
    return run_command("contract", *arguments)


def answer(*arguments: str | Path) -> dict[str, Any]:
    done = contract(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    (artifact,) = json.loads(done.stdout)["artifacts"]
    assert isinstance(artifact, dict)
    return artifact


def line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command has failed with."""
    return read_error(done.stderr)


def test_the_manuals_first_example(downloaded: Callable[[str], Path]) -> None:
    wheel = downloaded("xgrammar-linux")
    shown = MANUAL.partition(f"$ tvm-ffi-build contract {wheel.name}\n")[2].partition("```")[0]
    said = contract(wheel).stdout
    assert shown
    assert said.startswith(shown)


@pytest.mark.parametrize(
    ("name", "built_with", "requires"),
    [
        ("jax-linux", ["0.1.9", "0.1.10", "0.1.11"], ">=0.1.0,<0.2"),
        ("jax-macos", ["0.1.9", "0.1.10", "0.1.11"], ">=0.1.0,<0.2"),
        ("xgrammar-linux", ["0.1.14", "0.1.14.post0", "0.1.14.post1"], ">=0.1.6,<0.2"),
        ("xgrammar-macos", ["0.1.14", "0.1.14.post0", "0.1.14.post1"], ">=0.1.6,<0.2"),
        ("xgrammar-windows", ["0.1.14", "0.1.14.post0", "0.1.14.post1"], ">=0.1.6,<0.2"),
        ("orcjit-linux", ["0.1.15.post1", "0.1.15.post2"], ">=0.1.6,!=0.1.13,!=0.1.13.post0,<0.2"),
        ("orcjit-macos", ["0.1.15.post1", "0.1.15.post2"], ">=0.1.6,!=0.1.13,!=0.1.13.post0,<0.2"),
    ],
)
def test_wheels_of_others(downloaded: Callable[[str], Path], name: str, built_with: list[str], requires: str) -> None:
    """The same project's wheels for different platforms were built against the same release, as is to be expected."""
    found = answer(downloaded(name))
    assert found["built_with"] == built_with
    assert found["requires"] == requires
    assert found["too_wide"] == []


def test_symbols_that_the_runtime_leaked_are_a_warning(downloaded: Callable[[str], Path]) -> None:
    found = answer(downloaded("jax-linux"))
    assert found["runtimes"]["0.1.12"] == "ok"
    assert found["runtimes"]["0.1.15.post2"] == "warn"
    assert "leaked-symbols" in {reason["rule"] for reason in found["reasons"]}


def test_the_examples_wheel_says_itself_what_it_was_built_against(example_wheel: Path) -> None:
    """With the keys that the manual shows."""
    found = answer(example_wheel)
    shown = json.loads(MANUAL.partition("```json\n")[2].partition("```")[0])["artifacts"][0]
    assert found.keys() == shown.keys()
    assert [library["recorded"] for library in found["libraries"]] == [find_runtime().version]
    assert {key for reason in found["reasons"] for key in reason} <= shown["reasons"][0].keys()


def test_a_bare_library(example_wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(example_wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".so")]
        library = archive.extract(name, tmp_path)
    assert "by its own record" in contract(library).stdout


def test_trials_stand_beside_what_was_derived(example_wheel: Path) -> None:
    done = contract(example_wheel, "--verify", "0.1.15.post1", "0.1.15.post2")
    assert done.returncode == 0, done.stderr
    rows = [row.split() for row in done.stdout.splitlines()[-3:]]
    assert rows == [
        ["release", "derived", "observed"],
        ["0.1.15.post1", "ok", "works"],
        ["0.1.15.post2", "ok", "works"],
    ]


def test_a_trial_that_goes_worse_than_derived_has_an_exit_code(example_wheel: Path) -> None:
    done = contract(example_wheel, "--verify", "0.1.15.post2", "--run", "python -c 'raise SystemExit(3)'", "-q")
    assert done.returncode == 1
    assert f"{example_wheel.name} on 0.1.15.post2" in line(done)
    assert "fails" in done.stdout


def test_a_release_that_cannot_be_had(example_wheel: Path) -> None:
    done = contract(example_wheel, "--verify", "9.9.9", "-q")
    assert done.returncode == 1
    assert "9.9.9" in line(done)
    assert "unknown  not installed" in done.stdout


def test_a_library_in_a_wheel_for_every_platform_is_looked_at(make_wheel: Callable[..., Path]) -> None:
    files = {"demo/libdemo.so": find_runtime().library.read_bytes()}
    done = contract(make_wheel(files, tag="py3-none-any"))
    assert "no library in it" not in done.stderr
    assert done.stdout


def test_what_cannot_be_looked_at(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    pure = make_wheel(name="pure", tag="py3-none-any")
    assert contract(pure).returncode == 2
    (tmp_path / "text.so").write_text("text", encoding="utf-8")
    done = contract(tmp_path / "text.so")
    assert done.returncode == 2
    assert "text.so is not an ELF, Mach-O or PE library" in line(done)
    done = contract(tmp_path / "missing.whl")
    assert done.returncode == 2
    done = contract(tmp_path / "text.so", "--verify", "all")
    assert done.returncode == 2


def test_a_full_temporary_folder(example_wheel: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "from tvm_ffi_build.__main__ import main; main(sys.argv[1:])"
    )
    done = run(sys.executable, "-c", code, "contract", example_wheel, ok=False)
    assert done.returncode == 2
    assert line(done).endswith(" cannot be written: File too large; set TMPDIR to another directory")


def test_a_record_that_cannot_be_true(example_wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(example_wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".so")]
        content = archive.read(name)
    note = find_runtime().version.encode() + b"\0"
    assert content.count(note) == 1
    library = tmp_path / "lib.so"
    # It needs a function that the release it names has not.
    library.write_bytes(content.replace(b"\0TVMFFIBacktrace\0", b"\0TVMFFIBacktracX\0"))
    done = contract(library)
    assert done.returncode == 2
    assert "declares that it was built against 0.1.15.post2, which has no TVMFFIBacktracX" in line(done)
    library.write_bytes(content.replace(note, b"x" * (len(note) - 1) + b"\0"))
    done = contract(library)
    assert done.returncode == 2
    assert "damaged record" in line(done)

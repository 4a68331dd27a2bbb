"""Running a front end, with stand-ins for it."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.errors import BuildError, MissingToolError
from tvm_ffi_build.frontend import run_frontend
from tvm_ffi_build.frontend.run_frontend import BuildRequest, run_build

if TYPE_CHECKING:
    from collections.abc import Callable

    FakeUv = Callable[[str], BuildRequest]


@pytest.fixture
def fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    """Return a function that makes a front end which prints a text and fails."""

    def make(text: str) -> BuildRequest:
        script = tmp_path / "uv"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit 1\n", encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(run_frontend, "find_program", lambda _: str(script))
        return BuildRequest(source=tmp_path, output=tmp_path, frontend="uv")

    return make


def test_a_failure_has_its_cause_in_one_line(fake_uv: FakeUv) -> None:
    request = fake_uv("* Building\n\x1b[31mERROR: No matching distribution found for x\x1b[0m")
    with pytest.raises(BuildError) as caught:
        run_build(request, on_step=lambda _: None, on_line=lambda _: None)
    assert str(caught.value) == f"{request.source} could not be built: No matching distribution found for x"


def test_an_exception_ends_the_front_end_and_what_it_started(fake_uv: FakeUv, tmp_path: Path) -> None:
    request = fake_uv("")
    (tmp_path / "uv").write_text("#!/bin/sh\nsleep 600 & echo $!\necho started\nwait\n", encoding="utf-8")
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "started":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_build(request, on_step=lambda _: None, on_line=on_line)
    deadline = time.monotonic() + 120
    while is_running(lines[-2]):  # a signal takes its time
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: str) -> bool:
    try:
        # One that has ended and that nobody waits for has no command line.
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except OSError:
        return False


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_steps_are_told_as_they_begin(fake_uv: FakeUv) -> None:
    steps: list[str] = []
    lines: list[str] = []
    request = fake_uv("* Building wheel...\n*** Configuring CMake...\n-- Detecting\n*** scikit-build-core 1.0 (wheel)")
    with pytest.raises(BuildError):
        run_build(request, on_step=steps.append, on_line=lines.append)
    assert steps == ["Building wheel", "Configuring CMake", "scikit-build-core 1.0 (wheel)"]
    assert "-- Detecting" in lines


def test_a_front_end_that_is_no_program_is_named(fake_uv: FakeUv, tmp_path: Path) -> None:
    request = fake_uv("")
    (tmp_path / "uv").chmod(0o644)
    with pytest.raises(MissingToolError, match=r"/uv cannot be run: Permission denied; install it again"):
        run_build(request, on_step=lambda _: None, on_line=lambda _: None)


def test_a_front_end_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_frontend, "find_program", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    for name, remedy in (("uv", "pip install uv"), ("build", "pip install 'tvm-ffi-build[wheel]'"), (None, "wheel")):
        with pytest.raises(MissingToolError, match="is not installed") as caught:
            run_build(BuildRequest(tmp_path, tmp_path, frontend=name), on_step=lambda _: None, on_line=lambda _: None)
        assert remedy in str(caught.value)


def test_a_staging_directory_of_the_environment_does_not_reach_the_build(
    fake_uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CMake would install into it, and not into the wheel."""
    monkeypatch.setenv("DESTDIR", "/staging")
    monkeypatch.setenv("OTHER", "stays")
    request = fake_uv("")
    (tmp_path / "uv").write_text('#!/bin/sh\necho "${DESTDIR-unset} $OTHER"\n', encoding="utf-8")
    lines: list[str] = []
    run_build(request, on_step=lambda _: None, on_line=lines.append)
    assert lines[-1] == "unset stays"


def test_temporary_files_of_a_front_end_go_with_it(
    fake_uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    request = fake_uv("")
    (tmp_path / "uv").write_text('#!/bin/sh\nmktemp -d\necho "$TMPDIR"\necho "$TEMP"\n', encoding="utf-8")
    lines: list[str] = []
    run_build(request, on_step=lambda _: None, on_line=lines.append)
    assert Path(lines[1]).parent == Path(lines[2]) == Path(lines[3])
    assert tmp_path / "temporary" in Path(lines[1]).parents
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_full_directory_for_temporary_files_is_the_cause(fake_uv: FakeUv, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever programs say that cannot write there."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=300_000))
    for said, message in (
        (
            "CMake Error: CMAKE_C_COMPILER not set, after EnableLanguage",
            r"has 0\.3 MB left \(no C compiler was found\)",
        ),
        ("OSError: [Errno 28] No space left on device", "could not be built: no space left on device"),
    ):
        with pytest.raises(BuildError, match=message):
            run_build(fake_uv(said), on_step=lambda _: None, on_line=lambda _: None)


@pytest.mark.parametrize("name", ["relative", ".", "a$b"])
def test_a_directory_for_temporary_files_may_have_any_name(
    fake_uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", name)
    monkeypatch.setattr("tempfile.tempdir", None)
    request = fake_uv("")
    (tmp_path / "uv").write_text('#!/bin/sh\necho "$TMPDIR"\n', encoding="utf-8")
    lines: list[str] = []
    run_build(request, on_step=lambda _: None, on_line=lines.append)
    assert Path(lines[-1]).parent == (tmp_path / name).resolve()


KILLED = """
import sys
from pathlib import Path
from types import SimpleNamespace
from tvm_ffi_build.frontend import run_frontend
run_frontend.find_program = lambda _: sys.argv[1]
request = run_frontend.BuildRequest(source=Path(), output=Path(), frontend="uv")
run_frontend.run_build(request, on_step=print, on_line=lambda line: print(line, flush=True))
"""
# A front end that starts a compiler, which writes and does not care about signals.
STUBBORN = """#!/bin/sh
mktemp -d
sh -c 'trap "" TERM HUP; while :; do touch "$TMPDIR/object"; sleep 0.1; done' &
echo $!
wait
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_front_end_when_the_command_ends(tmp_path: Path, number: signal.Signals) -> None:
    temporary, script = tmp_path / "temporary", tmp_path / "uv"
    temporary.mkdir()
    script.write_text(STUBBORN, encoding="utf-8")
    script.chmod(0o755)
    code = "from tvm_ffi_build.terminal.command import end_on_signals\nend_on_signals()\n" + KILLED
    with subprocess.Popen(
        [sys.executable, "-c", code, script],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            process.stdout.readline()
            compiler = process.stdout.readline().strip()
            # While the shell executes itself anew, it has no command line.
            wait_until(lambda: is_running(compiler))
            process.send_signal(number)
            process.wait(60)
        finally:
            process.kill()
    wait_until(lambda: not is_running(compiler) and not list(temporary.iterdir()))

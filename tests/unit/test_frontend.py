"""What is made of a failed build's output, and the commands that are run."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build import frontend
from tvm_ffi_build.errors import BuildError, MissingToolError
from tvm_ffi_build.frontend import BuildRequest, run_build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    FakeUv = Callable[[str], BuildRequest]


@pytest.fixture
def fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    """Return a function that makes a front end which prints a text and fails."""

    def make(text: str) -> BuildRequest:
        script = tmp_path / "uv"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit 1\n", encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(frontend, "_find_uv", lambda: str(script))
        return BuildRequest(source=tmp_path, output=tmp_path, frontend="uv")

    return make


CMAKE = """\
*** Configuring CMake...
CMake Error at /env/cmake/tvm_ffi_install.cmake:10 (message):
  tvm_ffi_install(missing): there is no target named "missing"; call
  add_library(missing SHARED ...) before it
Call Stack (most recent call first):
  CMakeLists.txt:5 (tvm_ffi_install)

*** CMake configuration failed"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (CMAKE, 'tvm_ffi_install(missing): there is no target named "missing"; call add_library(missing SHARED ...) before it'),
        ("CMake Error: Could not find CMAKE_ROOT !!!\nmore", "Could not find CMAKE_ROOT !!!"),
        ("x\n\x1b[31mtvm-ffi-build: error: apache-tvm-ffi is not installed; run: a\x1b[0m\ny", "apache-tvm-ffi is not installed; run: a"),
        ("CMake Error at a:1 (message):\n  tvm-ffi-build: error: libx.so calls into\n  CPython\n", "libx.so calls into CPython"),
        ("  No CMAKE_CXX_COMPILER could be found.", "no C++ compiler was found; install one (on Debian: apt-get install g++)"),
        ("-- x\n/tmp/a.cc:3:10: fatal error: none.h: No such file", "/tmp/a.cc:3:10: fatal error: none.h: No such file"),
        ("ERROR: No matching distribution found for x\nERROR: Failed to build", "No matching distribution found for x"),
        ("something\nlast words\n\n", "last words; run it again with -v"),
        ("", "it said nothing; run it again with -v"),
    ],
)  # fmt: skip
def test_the_cause_of_a_failure_is_one_line(fake_uv: FakeUv, text: str, cause: str) -> None:
    request = fake_uv(text)
    with pytest.raises(BuildError) as caught:
        run_build(request, on_step=lambda _: None, on_line=lambda _: None)
    message = str(caught.value)
    assert message.startswith(f"{request.source} could not be built: {cause}")
    assert "\n" not in message


def test_steps_are_told_as_they_begin(fake_uv: FakeUv) -> None:
    steps: list[str] = []
    lines: list[str] = []
    request = fake_uv("* Building wheel...\n*** Configuring CMake...\n-- Detecting\n*** scikit-build-core 1.0 (wheel)")
    with pytest.raises(BuildError):
        run_build(request, on_step=steps.append, on_line=lines.append)
    assert steps == ["Building wheel", "Configuring CMake", "scikit-build-core 1.0 (wheel)"]
    assert "-- Detecting" in lines


def test_a_front_end_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend, "_find_uv", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    for name, remedy in (("uv", "pip install uv"), ("build", "pip install 'tvm-ffi-build[wheel]'"), (None, "wheel")):
        with pytest.raises(MissingToolError, match="is not installed") as caught:
            run_build(BuildRequest(tmp_path, tmp_path, frontend=name), on_step=lambda _: None, on_line=lambda _: None)
        assert remedy in str(caught.value)


UV = """\
error: Failed to build `/p`
  cause: Failed to resolve requirements from `build-system.requires`
  cause: Because tvm-ffi-build==0.1.0 depends on scikit-build-core>=1.0
         and you require less, it fails."""

PIP = """\
< The conflict is caused by:
<     The user requested scikit-build-core<1
<     tvm-ffi-build 0.1.0 depends on scikit-build-core>=1.0

< To fix this you could try to:
< ERROR: ResolutionImpossible"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (UV, "Because tvm-ffi-build==0.1.0 depends on scikit-build-core>=1.0 and you require less, it fails."),
        (PIP, "The user requested scikit-build-core<1; tvm-ffi-build 0.1.0 depends on scikit-build-core>=1.0"),
    ],
)
def test_requirements_that_clash_are_named(fake_uv: FakeUv, text: str, cause: str) -> None:
    with pytest.raises(BuildError) as caught:
        run_build(fake_uv(text), on_step=lambda _: None, on_line=lambda _: None)
    assert str(caught.value).endswith(f"could not be built: {cause}")

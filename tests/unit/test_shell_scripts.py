"""The shell scripts, checked by shellcheck."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.cross.compiler.toolchain import toolchain_files
from tvm_ffi_build.cross.compiler.zig import Zig
from tvm_ffi_build.cross.targets import parse_target
from tvm_ffi_build.repair.apple_tools.stand_ins import stand_ins

# What the template disables with directives, which are not rendered.
IN_TEMPLATE = ("SC1007", "SC2221", "SC2222")
# A variable is unused where the lines that read it are for another platform. In the template all of them are used.
IN_RENDERED = (*IN_TEMPLATE, "SC2034")


def shellcheck(*paths: Path, exclude: tuple[str, ...] = ()) -> str:
    program = Path(sys.executable).with_name("shellcheck")
    done = run(program, "--norc", f"--exclude={','.join(exclude)}", "--format=gcc", *paths, ok=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", [".ci/run", "tvm_ffi_build/cross/compiler/wrapper.sh"])
def test_shellcheck_finds_nothing_in_scripts(name: str) -> None:
    assert shellcheck(ROOT / name) == ""


@pytest.mark.parametrize(
    "tag", ["manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_11_0_arm64", "win_amd64", "win_arm64"]
)
def test_shellcheck_finds_nothing_in_a_rendered_toolchain(tmp_path: Path, tag: str) -> None:
    zig = Zig(Path("/opt/my zig/@ZIG@"), "1")
    files = toolchain_files(parse_target(tag), zig, tmp_path, {})
    scripts = {name: text for name, text in files.items() if text.startswith("#!/bin/sh\n")}
    assert len(scripts) >= 6
    for name, text in scripts.items():
        assert "##" not in text
        assert "#@" not in text
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert shellcheck(*(tmp_path / name for name in scripts), exclude=IN_RENDERED) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="repairs no wheels for macOS")
def test_shellcheck_finds_nothing_in_the_stand_ins_for_tools_of_apple(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tvm_ffi_build.repair.apple_tools.stand_ins.find_program", lambda name: f"/opt/a $b/{name}")
    stand_ins(tmp_path / "tools")
    scripts = list((tmp_path / "tools").iterdir())
    assert len(scripts) >= 4
    # What is quoted here is not to be expanded.
    assert shellcheck(*scripts, exclude=("SC2016",)) == ""


def test_shellcheck_finds_an_unquoted_variable(tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text("#!/bin/sh\necho $1\n", encoding="utf-8")
    assert "[SC2086]" in shellcheck(script)

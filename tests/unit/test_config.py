"""The path queries as a program and as functions. What the runtime's own command prints is in tests/build."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest
from support.errors import read_error
from support.runtimes import installed, touch

from tvm_ffi_build import config
from tvm_ffi_build.platforms.systems import WINDOWS
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from pathlib import Path


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    config.main(arguments)
    return capsys.readouterr().out


def test_answers_come_in_the_runtimes_order_whatever_the_order_of_the_questions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(tmp_path)
    package = tmp_path / "tvm_ffi"
    out = ask(capsys, "--version", "--ldflags", "--libs", "--includedir", "--includedir", "--runtime", str(tmp_path))
    assert out.splitlines() == [f"{package}/include", "-ltvm_ffi", shlex.quote(f"-L{package}/lib"), "0.1.15.post2"]


def test_words_with_blanks_are_quoted_for_the_shell_and_plain_paths_never(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = installed(tmp_path / "a b'c")
    include = f"{folder}/tvm_ffi/include"
    out = ask(capsys, "--includedir", "--cxxflags", "--ldflags", "--runtime", str(folder)).splitlines()
    assert out[0] == include
    assert shlex.split(out[1]) == [f"-I{include}", f"-I{include}", "-std=c++17"]
    assert shlex.split(out[2]) == [f"-L{folder}/tvm_ffi/lib"]


def test_a_windows_runtime_is_linked_by_its_import_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed(tmp_path, library=WINDOWS.library)
    implib = touch(tmp_path / "tvm_ffi/lib/tvm_ffi.lib")
    out = ask(capsys, "--libs", "--libfiles", "--ldflags", "--runtime", str(tmp_path))
    assert out == f"{shlex.quote(str(implib))}\n{implib}\n"


def test_cmakedir_and_sourcedir_are_this_packages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ask(capsys, "--cmakedir", "--sourcedir", "--runtime", str(installed(tmp_path))).splitlines()
    assert out == [str(config.cmake_dir()), str(config.source_dir())]
    assert (config.cmake_dir() / "tvm_ffi-config.cmake").is_file()
    assert (config.source_dir() / "CMakeLists.txt").is_file()


def test_json_holds_every_answer_unquoted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = installed(tmp_path / "a b")
    module = touch(folder / "tvm_ffi/core.cpython-39-x86_64-linux-gnu.so")
    answers = json.loads(ask(capsys, "--json", "--runtime", str(folder)))
    assert answers["version"] == "0.1.15.post2"
    assert answers["cxxflags"][0] == f"-I{folder}/tvm_ffi/include"
    assert answers["cython_lib_path"] == str(module)
    questions = {name.replace("-", "_") for name in config._QUERIES}
    assert set(answers) == questions | {"platform", "library"}


def test_without_a_question_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--includedir" in ask(capsys)


def test_nothing_is_printed_when_one_answer_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ask(capsys, "--includedir", "--cython-lib-path", "--runtime", str(installed(tmp_path)))
    captured = capsys.readouterr()
    assert caught.value.code == 4
    assert captured.out == ""
    assert read_error(captured.err, "tvm-ffi-config").startswith("apache-tvm-ffi 0.1.15.post2 in ")


def test_an_unknown_question_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        ask(capsys, "--rpath")
    assert caught.value.code == 2


def test_verbose_says_which_runtime_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.main(["-v", "--version", "--runtime", str(installed(tmp_path))])
    captured = capsys.readouterr()
    assert captured.out == "0.1.15.post2\n"
    assert str(tmp_path) in captured.err


def test_cmake_gets_forward_slashes_and_every_variable(tmp_path: Path) -> None:
    variables = config.cmake_variables(find_runtime(installed(tmp_path)))
    assert set(variables) == {
        "TVM_FFI_RUNTIME_VERSION",
        "TVM_FFI_RUNTIME_INCLUDE_DIR",
        "TVM_FFI_RUNTIME_DLPACK_INCLUDE_DIR",
        "TVM_FFI_RUNTIME_LIBRARY",
        "TVM_FFI_RUNTIME_LINK_LIBRARY",
        "TVM_FFI_RUNTIME_SOURCE_DIR",
        "TVM_FFI_BUILD_VERSION",
    }
    text = (config.cmake_dir() / "runtime.cmake").read_text(encoding="utf-8")
    assert all(name in text for name in variables)

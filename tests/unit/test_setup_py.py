"""What a setup.py takes from here, without building anything."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from setuptools import Distribution
from support.errors import read_error
from support.runtimes import installed

from tvm_ffi_build.setup_py import Py3Wheel, runtime_requirement

if TYPE_CHECKING:
    from pathlib import Path


def command(folder: Path, **options: Any) -> Py3Wheel:
    made = Py3Wheel(Distribution({"name": "demo", "version": "1.0", "has_ext_modules": lambda: True}))
    made.bdist_dir = str(folder)
    for name, value in options.items():
        setattr(made, name, value)
    return made


def test_the_tag_is_py3_for_a_platform(tmp_path: Path) -> None:
    made = command(tmp_path, plat_name="linux_x86_64", root_is_pure=False)
    assert made.get_tag() == ("py3", "none", "linux_x86_64")
    made.bdist_dir = None
    assert made.get_tag() == ("py3", "none", "linux_x86_64")


def test_the_limited_api_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command(tmp_path, py_limited_api="cp39").finalize_options()
    assert caught.value.code == 2
    assert read_error(capsys.readouterr().err, "tvm-ffi-build") == (
        "py_limited_api is 'cp39', but a wheel that is py3 needs no API of CPython at all; "
        "take it out, or take Py3Wheel out of setup.py"
    )


def test_a_library_that_calls_cpython_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import _ctypes  # noqa: PLC0415  (an extension module, wherever the standard library has them)

    (tmp_path / "demo").mkdir()
    shutil.copy(_ctypes.__file__, tmp_path / "demo/libdemo.so")
    with pytest.raises(SystemExit) as caught:
        command(tmp_path, plat_name="linux_x86_64").get_tag()
    assert caught.value.code == 5
    error = read_error(capsys.readouterr().err, "tvm-ffi-build")
    assert error.startswith("libdemo.so calls into CPython (")
    assert error.endswith("take Py3Wheel out of setup.py, or remove those calls")


def test_the_requirement_is_that_of_the_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(installed(tmp_path / "runtime")))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    assert runtime_requirement() == "apache-tvm-ffi>=0.1.15.post2,<0.2"
    bounds = '[tool.tvm-ffi-build.runtime]\nrequires = "<0.1.20"\n'
    (tmp_path / "pyproject.toml").write_text(bounds, encoding="utf-8")
    assert runtime_requirement() == "apache-tvm-ffi<0.1.20,<0.2,>=0.1.15.post2"


def test_without_a_runtime_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(tmp_path))
    with pytest.raises(SystemExit) as caught:
        runtime_requirement()
    assert caught.value.code == 4
    assert capsys.readouterr().err.startswith(f"tvm-ffi-build: error: {tmp_path} holds no apache-tvm-ffi")

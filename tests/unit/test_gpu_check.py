"""What the generated loader says if no GPU of a machine runs the device code, and when it asks."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import run

from tvm_ffi_build.binaries import Binary, Image, Symbol
from tvm_ffi_build.binaries.device_code import DeviceCode, DeviceImage
from tvm_ffi_build.cmake_steps.runtime_guard import render_gpu_check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EXPORTS = ("__tvm_ffi_scale", "__tvm_ffi__metadata_scale", "__tvm_ffi_fill", "other", "__tvm_ffi_", "__tvm_ffi_a.b")
BINARY = Binary("ELF", (Image("x86_64", exports=tuple(map(Symbol, EXPORTS))),))
CUBIN = DeviceImage("cubin", "sm_90a", 0, 1, 1)


def guard(*images: DeviceImage) -> dict[str, Any]:
    """Return what the module beside a library says of GPUs."""
    known: dict[str, Any] = {}
    exec(render_gpu_check("libmy_kernels.so", BINARY, DeviceCode(images, ("13.0",))), known)  # noqa: S102
    return known


def test_the_guard_knows_the_functions_and_the_gpus_that_do_not_run_the_code() -> None:
    known = guard(CUBIN)
    assert known["GPU_CODE"] == "sm_90a"
    assert known["FUNCTIONS"] == ["fill", "scale"]
    assert {"8.0", "10.0", "12.0"} < set(known["FAILS_ON_GPUS"])
    assert "9.0" not in known["FAILS_ON_GPUS"]


def test_a_library_without_code_for_these_gpus_has_no_guard() -> None:
    assert render_gpu_check("lib.so", BINARY, DeviceCode((DeviceImage("amdgpu", "gfx942", 0, 1, 1),))) == ""
    assert render_gpu_check("lib.so", Binary("ELF", (Image("x86_64"),)), DeviceCode((CUBIN,))) == ""


DRIVER = """
static int started;
int cuInit(unsigned flags) {{ started = 1; return {init}; }}
int cuDeviceGetCount(int* count) {{ *count = {count}; return started ? 0 : 3; }}
int cuDeviceGet(int* device, int number) {{ *device = number; return 0; }}
int cuDeviceGetAttribute(int* value, int which, int device) {{
  static const int versions[][2] = {{{versions}}};
  *value = versions[device][which == 76];
  return 0;
}}
"""


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that replaces the driver; with no GPU it has none. It returns which libraries were opened."""

    def replace(*gpus: str, init: int = 0) -> list[str]:
        opened: list[str] = []
        versions = ", ".join(f"{{{gpu.replace('.', ',')}}}" for gpu in gpus) or "{0, 0}"
        source = tmp_path / "driver.c"
        source.write_text(DRIVER.format(init=init, count=len(gpus), versions=versions), encoding="utf-8")
        run("cc", "-shared", "-fPIC", "-o", tmp_path / "driver.so", source)
        real = ctypes.CDLL

        def open_library(name: str) -> ctypes.CDLL:
            opened.append(name)
            if not gpus:
                raise OSError(name)
            return real(str(tmp_path / "driver.so"))

        monkeypatch.setattr(ctypes, "CDLL", open_library)
        return opened

    return replace


class Library:
    """A library of the runtime: a function that is asked for is found once, and then kept."""

    def __getattr__(self, name: str) -> Callable[[int], tuple[str, int]]:
        def function(value: int) -> tuple[str, int]:
            return name, value

        setattr(self, name, function)
        return function


@pytest.fixture
def load() -> Callable[[dict[str, Any]], Library]:
    """Return a function that does what the loader does with a library that was loaded."""

    def load_library(known: dict[str, Any]) -> Library:
        library = Library()
        if "check_gpus" in known:
            known["check_gpus"](library)
        return library

    return load_library


def test_one_sentence_at_the_first_call(driver: Callable[..., list[str]], load: Callable[..., Library]) -> None:
    opened = driver("8.0", "12.0")
    library = load(guard(CUBIN))
    assert opened == []
    with pytest.warns(RuntimeWarning, match=r".") as caught:
        assert library.scale(3) == ("scale", 3)
    (message,) = (str(one.message) for one in caught)
    assert message == (
        "the CUDA kernels of libmy_kernels.so are compiled for sm_90a, "
        "which no GPU of this machine runs (compute capability 12.0, 8.0)"
    )
    assert library.fill(1) == ("fill", 1)
    assert library.scale(4) == ("scale", 4)
    assert opened == ["libcuda.so.1"]


def test_a_function_that_was_kept_asks_once(driver: Callable[..., list[str]], load: Callable[..., Library]) -> None:
    opened = driver("9.0")
    scale = load(guard(CUBIN)).scale
    assert [scale(1), scale(2)] == [("scale", 1), ("scale", 2)]
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("gpus", "init"),
    [(("9.0",), 0), (("8.0", "9.0"), 0), ((), 0), (("8.0",), 100), (("99.0",), 0)],
    ids=["it runs", "one of two runs it", "no driver", "a driver without a GPU", "a GPU of the future"],
)
def test_nothing_is_said(
    driver: Callable[..., list[str]], load: Callable[..., Library], gpus: tuple[str, ...], init: int
) -> None:
    driver(*gpus, init=init)
    assert load(guard(CUBIN)).scale(3) == ("scale", 3)


def test_a_library_without_device_code_asks_for_no_driver(
    driver: Callable[..., list[str]], load: Callable[..., Library]
) -> None:
    opened = driver("8.0")
    assert load({}).scale(3) == ("scale", 3)
    assert opened == []

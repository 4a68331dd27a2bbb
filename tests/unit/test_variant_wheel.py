"""A variant wheel is the wheel, with properties of its device code in a file and a label in its name."""

from __future__ import annotations

import json
import sys
import zipfile
from typing import TYPE_CHECKING

import forged_device_code as forged
import pytest
from forged_device_code import CUBIN, PTX, entry, fatbin
from support.processes import run

from tvm_ffi_build.binaries.device_code import DeviceCode, DeviceImage
from tvm_ffi_build.errors import MissingToolError, RefusedError
from tvm_ffi_build.repair.variant_wheel import list_properties, write_variant_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tvm_ffi_build.binaries.device_code.device_image import ImageKind

needs_variantlib = pytest.mark.skipif(sys.version_info < (3, 10), reason="variantlib needs Python 3.10")


def image(kind: ImageKind, target: str, isa: tuple[int, int] | None = None) -> DeviceImage:
    return DeviceImage(kind, target, 0, 1, 1, isa=isa)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (DeviceCode((image("cubin", "sm_80"), image("cubin", "sm_90a")), ("12.8",)), ["12.0", "80_real", "90a_real"]),
        (
            DeviceCode((image("cubin", "sm_80"), image("ptx", "compute_80", (9, 1))), ("13.1",)),
            ["13.0", "80_real", "80_virtual"],
        ),
        # PTX needs the driver of its own version.
        (DeviceCode((image("ptx", "compute_90", (8, 7)), image("ptx", "compute_90", (8, 4)))), ["12.8", "90_virtual"]),
        (DeviceCode((image("cubin", "sm_80"),)), []),
        (DeviceCode((image("ptx", "compute_90", (99, 0)),)), []),
        (DeviceCode((image("amdgpu", "gfx942"),)), []),
    ],
)
def test_properties_of_device_code(code: DeviceCode, expected: list[str]) -> None:
    assert [value for _, value in list_properties({"a.so": code})] == expected


def test_of_several_libraries_the_newest_decides() -> None:
    old = DeviceCode((image("cubin", "sm_80"),), ("12.8",))
    new = DeviceCode((image("cubin", "sm_90"),), ("13.0",))
    unknown = DeviceCode((image("cubin", "sm_90"),))
    assert list_properties({"a.so": old, "b.so": new})[0] == ("cuda_version_lower_bound", "13.0")
    assert list_properties({"a.so": old, "b.so": unknown}) == []


@pytest.fixture
def gpu_wheel(make_wheel: Callable[..., Path], tmp_path: Path) -> Path:
    """Return a wheel with a library and a fatbin beside it."""
    (tmp_path / "a.c").write_text("int f(void) { return 0; }", encoding="utf-8")
    run("cc", "-shared", "-nostdlib", "-fPIC", "-o", tmp_path / "a.so", tmp_path / "a.c")
    code = fatbin(entry(CUBIN, 80, forged.cubin(80)), entry(PTX, 80))
    return make_wheel({"demo/a.so": (tmp_path / "a.so").read_bytes(), "demo/k.fatbin": code})


@needs_variantlib
def test_a_variant_wheel(gpu_wheel: Path, tmp_path: Path) -> None:
    path = write_variant_wheel(gpu_wheel, tmp_path / "variant")
    base, _, label = path.stem.rpartition("-")
    assert base == gpu_wheel.stem
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(gpu_wheel) as original:
        (name,) = {*archive.namelist()} - {*original.namelist()}
        described = json.loads(archive.read(name))
        assert {archive.read(one) for one in original.namelist() if not one.endswith("RECORD")} == {
            original.read(one) for one in original.namelist() if not one.endswith("RECORD")
        }
        assert name in archive.read(name.replace("variant.json", "RECORD")).decode()
    assert described["variants"] == {
        label: {"nvidia": {"cuda_version_lower_bound": ["13.0"], "sm_arch": ["80_real", "80_virtual"]}}
    }
    assert described["default-priorities"] == {"namespace": ["nvidia"]}
    assert described["providers"]["nvidia"]["requires"] == ["nvidia-variant-provider>=0.0.1,<1.0.0"]


@needs_variantlib
def test_variantlib_reads_a_variant_wheel(gpu_wheel: Path, tmp_path: Path) -> None:
    from variantlib.variant_dist_info import VariantDistInfo  # noqa: PLC0415

    path = write_variant_wheel(gpu_wheel, tmp_path / "variant")
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("variant.json"))
        found = VariantDistInfo(archive.read(name), path.stem.rpartition("-")[2])
    assert [one.to_str() for one in found.variant_desc.properties] == [
        "nvidia :: cuda_version_lower_bound :: 13.0",
        "nvidia :: sm_arch :: 80_real",
        "nvidia :: sm_arch :: 80_virtual",
    ]


@needs_variantlib
def test_a_wheel_without_cuda_code_has_no_variant(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    wheel = make_wheel({"demo/__init__.py": b""})
    with pytest.raises(RefusedError, match="has no CUDA code whose version is known"):
        write_variant_wheel(wheel, tmp_path / "variant")
    assert list((tmp_path / "variant").iterdir()) == []


def test_without_variantlib_the_extra_is_named(
    gpu_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "variantlib.api", None)
    with pytest.raises(MissingToolError, match=r"run: python -m pip install 'tvm-ffi-build\[variant\]'$"):
        write_variant_wheel(gpu_wheel, tmp_path / "variant")
    assert not (tmp_path / "variant").exists()

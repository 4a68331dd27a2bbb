"""What is read of device code is what the tools of NVIDIA and LLVM list, on what their compilers make."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from forged_device_code import CUBIN, PTX, cubin, entry, fatbin
from support.downloads import download_wheels, install_packages, install_to
from support.processes import run

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.binaries.device_code import read_device_code, read_device_file
from tvm_ffi_build.binaries.device_code.offload_bundles import read_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tvm_ffi_build.binaries.device_code import DeviceCode

    Once = Callable[[str, Callable[[Path], None]], Path]

# The first of Debian that compresses.
BUNDLER = "clang-offload-bundler-19"
KERNELS = """
extern "C" __global__ void scale(float* x, float f, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= f;
}
__device__ float other(float x) { return x * 2; }
extern "C" __global__ void twice(float* x) { *x = other(*x); }
"""


def code(architecture: str, *outputs: str) -> list[str]:
    """Return an option of nvcc: what to compile for, and what to embed."""
    return ["-gencode", f"arch=compute_{architecture},code=[{','.join(outputs)}]"]


OF_80 = code("80", "sm_80", "compute_80")
# How each library is compiled, and the kind, the target and whether it is for debuggers of all that is in it.
COMBINATIONS: dict[str, tuple[list[str], list[tuple[str, str, bool]]]] = {
    "old-to-new": (
        [*code("75", "sm_75"), *code("90", "sm_90"), *code("121", "sm_121", "compute_121")],
        [("cubin", t, False) for t in ("sm_75", "sm_90")] + [("ptx", "compute_121", False), ("cubin", "sm_121", False)],
    ),
    "specific": (code("90a", "sm_90a"), [("cubin", "sm_90a", False)]),
    "specific-ptx": (
        code("100a", "sm_100a", "compute_100a"),
        [("cubin", "sm_100a", False), ("ptx", "compute_100a", False)],
    ),
    "family": (
        [*code("100f", "sm_100f", "compute_100f"), *code("120f", "sm_120f")],
        [("cubin", "sm_100f", False), ("ptx", "compute_100f", False), ("cubin", "sm_120f", False)],
    ),
    "ptx-only": (code("80", "compute_80"), [("ptx", "compute_80", False)]),
    "uncompressed": (["--compress-mode=none", *OF_80], [("cubin", "sm_80", False), ("ptx", "compute_80", False)]),
    "small": (["--compress-mode=size", *OF_80], [("cubin", "sm_80", False), ("ptx", "compute_80", False)]),
    "fast": (["--compress-mode=speed", *OF_80], [("cubin", "sm_80", False), ("ptx", "compute_80", False)]),
    "relocatable": (
        ["-rdc=true", *code("80", "sm_80"), *code("90", "sm_90", "compute_90")],
        [("cubin", "sm_80", False), ("cubin", "sm_90", False), ("ptx", "compute_90", False)],
    ),
    "debug": (["-G", *OF_80], [("cubin", "sm_80", True), ("ptx", "compute_80", True)]),
    "lines": (["-lineinfo", *code("80", "sm_80")], [("cubin", "sm_80", False)]),
    "link-time": (
        ["-dc", *code("80", "lto_80"), *code("90", "lto_90", "sm_90")],
        [("lto-ir", "compute_80", False), ("lto-ir", "compute_90", False), ("cubin", "sm_90", False)],
    ),
}


@pytest.fixture(scope="session")
def compiled(once: Once, nvcc: Path) -> Path:
    """Return a directory with a library for each combination."""

    def fill(folder: Path) -> None:
        (folder / "k.cu").write_text(KERNELS, encoding="utf-8")
        for name, (options, _) in COMBINATIONS.items():
            output = ["-shared", "-Xcompiler", "-fPIC", "--cudart", "none"] if "-dc" not in options else []
            run(nvcc, *output, *options, "-o", folder / f"{name}.so", folder / "k.cu")
        for kind in ("cubin", "fatbin", "ptx"):
            run(nvcc, f"-{kind}", "-arch=sm_90a", "-o", folder / f"k.{kind}", folder / "k.cu")

    return once("device-code", fill)


@pytest.fixture(scope="session")
def cuobjdump(once: Once) -> Path:
    """Return the path of NVIDIA's tool that lists device code."""

    def fill(folder: Path) -> None:
        install_to(folder, "nvidia-cuda-cuobjdump>=13")

    (path,) = once("cuobjdump", fill).glob("nvidia/*/bin/cuobjdump")
    path.chmod(0o755)
    return path


def listed(cuobjdump: Path, path: Path) -> tuple[list[str], list[str]]:
    """Return the targets of cubins and of PTX that cuobjdump lists, each sorted."""
    said = run(cuobjdump, "-all", "-lelf", "-lptx", path, ok=False).stdout
    found = (re.findall(rf"^{kind} file .*\.sm_(\w+)\.\w+$", said, re.MULTILINE) for kind in ("ELF", "PTX"))
    cubins, ptx = map(sorted, found)
    return cubins, ptx


def in_its_words(found: DeviceCode) -> tuple[list[str], list[str]]:
    """Return the same of what was read. That a cubin is for a family, cuobjdump does not say."""
    cubins = [image.target[3:].rstrip("f") for image in found.images if image.kind == "cubin"]
    ptx = [image.target[len("compute_") :] for image in found.images if image.kind == "ptx"]
    return sorted(cubins), sorted(ptx)


def read(path: Path) -> DeviceCode:
    return read_device_code(path, read_binary(path))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMBINATIONS if name != "link-time"])
def test_a_library_of_nvcc_is_read_as_cuobjdump_lists_it(compiled: Path, cuobjdump: Path, name: str) -> None:
    found = read(compiled / f"{name}.so")
    # In which order an architecture's PTX and code come is nvcc's choice.
    held = sorted((image.kind, image.target, image.is_debug) for image in found.images)
    assert held == sorted(COMBINATIONS[name][1])
    assert in_its_words(found) == listed(cuobjdump, compiled / f"{name}.so")
    assert {image.is_relocatable for image in found.images} == {name == "relocatable"}
    if name == "ptx-only":
        assert found.toolkits == ()  # only PTX that is not compressed names it
    else:
        (toolkit,) = found.toolkits
        assert toolkit.startswith("13.")


@pytest.mark.slow
def test_code_for_linkers_is_read_from_the_fatbin_in_an_object(compiled: Path, cuobjdump: Path, tmp_path: Path) -> None:
    """An object is not a library, so its section is taken out of it."""
    run("objcopy", "-O", "binary", "-j", "__nv_relfatbin", compiled / "link-time.so", tmp_path / "k.fatbin")
    found = read_device_file(tmp_path / "k.fatbin")
    assert [(image.kind, image.target, image.is_debug) for image in found.images] == COMBINATIONS["link-time"][1]
    assert in_its_words(found) == listed(cuobjdump, compiled / "link-time.so")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("cubin", [("cubin", "sm_90a")]),
        # nvcc adds PTX for all of 9.0 by itself.
        ("fatbin", [("cubin", "sm_90a"), ("ptx", "compute_90"), ("ptx", "compute_90a")]),
        ("ptx", [("ptx", "compute_90a")]),
    ],
)
def test_files_of_nvcc_are_read(compiled: Path, kind: str, expected: list[tuple[str, str]]) -> None:
    found = read_device_file(compiled / f"k.{kind}")
    assert sorted((image.kind, image.target) for image in found.images) == expected
    assert [toolkit.partition(".")[0] for toolkit in found.toolkits] == ["13"]


@pytest.fixture(scope="session")
def bundler() -> str:
    """Return the name of LLVM's tool that makes and lists bundles."""
    if not shutil.which(BUNDLER):
        install_packages("clang-tools-19")
    return BUNDLER


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["-compress"]], ids=["plain", "compressed"])
def test_a_bundle_of_clang_is_read_as_its_bundler_lists_it(tmp_path: Path, bundler: str, options: list[str]) -> None:
    targets = [
        "host-x86_64-unknown-linux--",
        *(f"hipv4-amdgcn-amd-amdhsa--{name}" for name in ("gfx90a:xnack-", "gfx942")),
    ]
    files = [tmp_path / f"{number}.o" for number in range(3)]
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]) * 5000 * number)
    run(
        bundler,
        "-type=o",
        f"-targets={','.join(targets)}",
        *(f"-input={path}" for path in files),
        f"-output={tmp_path / 'all.hipfb'}",
        *options,
    )
    content = (tmp_path / "all.hipfb").read_bytes()
    said = run(bundler, "-type=o", "-list", f"-input={tmp_path / 'all.hipfb'}").stdout.split()
    assert sorted(read_bundle(content, 0, len(content)).ids) == sorted(said)
    found = read_device_file(tmp_path / "all.hipfb")
    assert [(image.target, image.unpacked_size) for image in found.images] == [
        ("gfx90a:xnack-", 5000),
        ("gfx942", 10000),
    ]


@pytest.fixture(scope="session")
def bitsandbytes(once: Once) -> Path:
    """Return a directory with the libraries of a published wheel, for seven releases of CUDA and six of ROCm."""

    def fill(folder: Path) -> None:
        download_wheels(folder, "bitsandbytes==0.50.2", platform="manylinux_2_24_x86_64")
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.endswith(".so")])

    return once("bitsandbytes", fill) / "bitsandbytes"


@pytest.mark.slow
@pytest.mark.parametrize("release", ["118", "124", "126", "128", "130", "132"])
def test_published_libraries_of_cuda_are_read_as_cuobjdump_lists_them(
    bitsandbytes: Path, cuobjdump: Path, release: str
) -> None:
    """Without that for 12.1, at whose second cubin cuobjdump 13.5 stops ("Invalid ELF")."""
    library = bitsandbytes / f"libbitsandbytes_cuda{release}.so"
    found = read(library)
    assert len(found.images) > 50
    assert in_its_words(found) == listed(cuobjdump, library)
    assert found.toolkits == (f"{release[:-1]}.{release[-1]}",)


@pytest.mark.slow
def test_published_libraries_of_rocm_are_read_as_the_bundler_lists_them(
    bitsandbytes: Path, bundler: str, tmp_path: Path
) -> None:
    """The bundler of LLVM 19 knows two versions of compressed bundles, which older releases of ROCm write."""
    compared = 0
    for library in sorted(bitsandbytes.glob("*rocm*.so")):
        found = read(library)
        assert {image.kind for image in found.images} == {"amdgpu"}
        (section,) = (part for part in read_binary(library).images[0].sections if part.name == ".hip_fatbin")
        content = library.read_bytes()[section.offset : section.offset + section.size]
        first = read_bundle(content, 0, len(content))
        (tmp_path / "one.hipfb").write_bytes(content[: first.end])
        done = run(bundler, "-type=o", "-list", f"-input={tmp_path / 'one.hipfb'}", ok=False)
        if done.returncode == 0:
            assert sorted(done.stdout.split()) == sorted(first.ids)
            compared += 1
    assert compared


@pytest.mark.slow
def test_a_dll_has_its_fatbin_in_a_section_whose_name_is_cut_off(tmp_path: Path) -> None:
    content = fatbin(entry(CUBIN, 80, cubin(80)), entry(PTX, 90))
    numbers = ", ".join(map(str, content))
    (tmp_path / "a.c").write_text(
        f'__attribute__((section(".nv_fatbin"), used, aligned(8))) const unsigned char code[] = {{{numbers}}};\n'
        "__declspec(dllexport) int f(void) { return code[0]; }\n",
        encoding="utf-8",
    )
    command = (sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-windows-gnu", "-shared", "-O1")
    run(*command, "-o", tmp_path / "a.dll", tmp_path / "a.c")
    binary = read_binary(tmp_path / "a.dll")
    assert binary.format == "PE"
    assert ".nv_fatb" in {section.name for section in binary.images[0].sections}
    found = read(tmp_path / "a.dll")
    assert [(image.kind, image.target) for image in found.images] == [("cubin", "sm_80"), ("ptx", "compute_90")]
    assert found.toolkits == ("13.0",)

"""Device code: compiled by nvcc for real, embedded byte for byte, and nothing of CUDA linked that was not asked for."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import sys
import zipfile
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.errors import last_error
from support.processes import build_configured, command_line, error_of, run
from support.project import ROOT

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.config import cmake_dir

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from support.environments import Environment

    Configure = Callable[..., subprocess.CompletedProcess[str]]

EXAMPLE = ROOT / "examples/cuda"


def embedded(library: Path) -> dict[str, bytes]:
    """Return what a library has between the symbols of each name: read-only data lies at its address in small ones."""
    rows = [line.split() for line in run("nm", library).stdout.splitlines()]
    symbols = {row[-1]: int(row[0], 16) for row in rows if "__tvm_ffi__cubin_" in row[-1]}
    content = library.read_bytes()
    return {
        symbol[len("__tvm_ffi__cubin_") :]: content[start : symbols[f"{symbol}_end"]]
        for symbol, start in symbols.items()
        if not symbol.endswith("_end")
    }


def architectures(fatbin: bytes) -> set[tuple[str, int]]:
    """Return what a fatbin holds: machine code or PTX, for which architecture."""
    magic, _, header, size = struct.unpack_from("<IHHQ", fatbin)
    assert magic == 0xBA55ED50
    found, offset = set(), header
    while offset < header + size:
        kind, _, entry_header, entry_size = struct.unpack_from("<HHIQ", fatbin, offset)
        (architecture,) = struct.unpack_from("<I", fatbin, offset + 28)
        found.add(({1: "ptx", 2: "real"}[kind], architecture))
        offset += entry_header + entry_size
    return found


def is_cubin(data: bytes) -> bool:
    """Say whether this is an ELF file for CUDA's machine."""
    return data[:4] == b"\x7fELF" and struct.unpack_from("<H", data, 18) == (190,)


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles"])
def test_two_binaries_from_two_kernels_for_two_objects_are_embedded_byte_for_byte(
    nvcc: Path, tmp_path: Path, generator: str
) -> None:
    source, build = shutil.copytree(EXAMPLE, tmp_path / "cuda"), tmp_path / "build"
    # Neither of them is there to be called, nor is objcopy.
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("objcopy", "ld.lld"):
        (tools / name).write_text("#!/bin/sh\nexit 66\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    run(
        *command_line(
            "cmake -G {generator} -S {source} -B {build} -Dtvm_ffi_DIR={cmake_dir} "
            "-DTVM_FFI_PYTHON={python} -DCMAKE_CUDA_COMPILER={nvcc} "
            "-DCMAKE_CUDA_ARCHITECTURES=75-real;80",
            generator=generator,
            source=source,
            build=build,
            cmake_dir=cmake_dir(),
            python=sys.executable,
            nvcc=nvcc,
        ),
        env=env,
    )
    said = run("cmake", "--build", build, "-v", env=env).stdout
    assert not re.search(r"\bld -r\b|objcopy|embed_cubin", said)
    images = embedded(build / "libmy_ffi_cuda.so")
    assert images == {"scale": (build / "scale.fatbin").read_bytes(), "fill": (build / "fill.cubin").read_bytes()}
    assert architectures(images["scale"]) == {("real", 75), ("real", 80), ("ptx", 80)}
    assert is_cubin(images["fill"])
    assert b"fill" in images["fill"]
    # When a kernel changes, so does what is embedded; and nothing else.
    kernel = source / "src/fill.cu"
    kernel.write_text(kernel.read_text("utf-8").replace("= value", "= value + 1"), encoding="utf-8")
    run("cmake", "--build", build)
    changed = embedded(build / "libmy_ffi_cuda.so")
    assert changed["scale"] == images["scale"]
    assert changed["fill"] == (build / "fill.cubin").read_bytes() != images["fill"]


@pytest.mark.slow
def test_architectures_that_are_named_for_one_build_win_over_those_that_are_declared(
    nvcc: Path, tmp_path: Path
) -> None:
    """So the wheel has less than is declared, which the audit at its end reports."""
    source = shutil.copytree(EXAMPLE, tmp_path / "cuda")
    env = {**os.environ, "CUDACXX": str(nvcc), "CMAKE_ARGS": "-DCMAKE_CUDA_ARCHITECTURES=80"}
    command = (sys.executable, "-m", "tvm_ffi_build", "wheel", source, "-w", tmp_path / "dist")
    done = run(*command, ok=False, env=env)
    assert done.returncode == 5
    assert (
        "G508 error: my_ffi_cuda/libmy_ffi_cuda.so has no code for 7.5, which [tool.tvm-ffi-build.gpu]" in done.stderr
    )
    run(*command, "--no-audit", env=env)
    (wheel,) = (tmp_path / "dist").iterdir()
    (found,) = json.loads(run(sys.executable, "-m", "tvm_ffi_build", "contract", "--json", wheel).stdout)["artifacts"]
    targets = {one["target"] for one in found["device_code"][0]["architectures"]}
    assert targets == {"sm_80", "compute_80", "sm_90"}  # the last one is a property of a target


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 10), reason="variantlib needs Python 3.10")
def test_a_variant_wheel_has_the_architectures_that_are_declared(nvcc: Path, tmp_path: Path) -> None:
    source = shutil.copytree(EXAMPLE, tmp_path / "cuda")
    command = (sys.executable, "-m", "tvm_ffi_build", "wheel", "--variant", source, "-w", tmp_path / "dist")
    said = run(*command, env={**os.environ, "CUDACXX": str(nvcc)}).stdout
    (wheel,) = (tmp_path / "dist").iterdir()
    tag, label = wheel.stem.split("-", 2)[2].rsplit("-", 1)
    assert said.endswith(f"  {tag}\n")
    with zipfile.ZipFile(wheel) as archive:
        described = json.loads(archive.read("my_ffi_cuda-0.1.0.dist-info/variant.json"))
    found = described["variants"][label]["nvidia"]
    assert found["sm_arch"] == ["75_real", "80_real", "90_real", "90_virtual"]
    assert found["cuda_version_lower_bound"] == ["13.0"]


NO_TENSOR = "import my_ffi_cuda, numpy; my_ffi_cuda.scale(numpy.ones(2, 'f'), 3)"


@pytest.mark.slow
def test_the_example_is_for_every_python_and_links_nothing_of_cuda(
    nvcc: Path, tmp_path: Path, environment: Environment
) -> None:
    source = shutil.copytree(EXAMPLE, tmp_path / "cuda")
    run(
        sys.executable,
        "-m",
        "tvm_ffi_build",
        "wheel",
        source,
        "-w",
        tmp_path / "dist",
        env={**os.environ, "CUDACXX": str(nvcc)},
    )
    (wheel,) = (tmp_path / "dist").iterdir()
    assert "-py3-none-manylinux_" in wheel.name
    assert ": clean" in run(sys.executable, "-m", "tvm_ffi_build", "audit", "--strict", wheel).stdout
    (found,) = json.loads(run(sys.executable, "-m", "tvm_ffi_build", "contract", "--json", wheel).stdout)["artifacts"]
    (device_code,) = found["device_code"]
    compiled = {(one["kind"], one["target"]) for one in device_code["architectures"]}
    # As pyproject.toml declares it.
    assert compiled == {("cubin", "sm_75"), ("cubin", "sm_80"), ("cubin", "sm_90"), ("ptx", "compute_90")}
    runs = {gpu["compute_capability"]: gpu["runs"] for gpu in device_code["gpus"]}
    assert (runs["7.0"], runs["8.9"], runs["12.0"]) == ("no", "compiled", "ptx")
    with zipfile.ZipFile(wheel) as archive:
        record = json.loads(archive.read("my_ffi_cuda-0.1.0.dist-info/tvm_ffi_build.json"))
        assert record["cuda-architectures"] == ["75-real", "80-real", "90"]
        library = Path(archive.extract("my_ffi_cuda/libmy_ffi_cuda.so", tmp_path))
    needed = read_binary(library).libraries
    assert [name for name in needed if "cu" in name] == []
    (image,) = read_binary(library).images
    assert {symbol.name for symbol in image.exports} == {"__tvm_ffi_fill", "__tvm_ffi_scale"}
    environment.install(wheel, "numpy")
    said = environment.run("-c", NO_TENSOR, ok=False)
    assert said.splitlines()[-1] == (
        "TypeError: this takes a contiguous one-dimensional float32 tensor of CUDA"
        if find_library("cuda")
        else "RuntimeError: CUDA's driver is not installed: there is no libcuda.so.1"
    )


KERNEL = 'extern "C" __global__ void kernel(float* x) { *x = 1; }\n'


def with_cuda(tmp_path: Path, nvcc: Path, architectures: str, *, standard: str = "C CXX CUDA") -> dict[str, object]:
    """Return what to configure with, for a project that has kernel.cu."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source/kernel.cu").write_text(KERNEL, encoding="utf-8")
    define = {"CMAKE_CUDA_COMPILER": str(nvcc), "CMAKE_CUDA_ARCHITECTURES": architectures}
    return {"languages": standard, "define": define}


@pytest.mark.slow
def test_one_source_for_several_architectures_and_all_into_one_library(
    configure: Configure, tmp_path: Path, nvcc: Path
) -> None:
    configure(
        "add_library(lib SHARED lib.cc)",
        "tvm_ffi_configure_target(lib)",
        "foreach(architecture IN ITEMS 75 80-real)",
        "  add_tvm_ffi_cubin(k${architecture} CUDA kernel.cu)",
        "  set_target_properties(k${architecture} PROPERTIES CUDA_ARCHITECTURES ${architecture})",
        "endforeach()",
        "tvm_ffi_embed_bin_into(lib SYMBOL sm_75 BIN $<TARGET_OBJECTS:k75>)",
        "tvm_ffi_embed_bin_into(lib SYMBOL sm_80 BIN $<TARGET_OBJECTS:k80-real>)",
        **with_cuda(tmp_path, nvcc, "75;80"),
    )
    build_configured(tmp_path)
    images = embedded(tmp_path / "build/liblib.so")
    assert all(map(is_cubin, images.values()))
    assert images["sm_75"] == (tmp_path / "build/kernel.cubin").read_bytes()
    assert images["sm_80"] == (tmp_path / "build/k80-real.cubin").read_bytes()
    assert images["sm_75"] != images["sm_80"]
    assert [name for name in read_binary(tmp_path / "build/liblib.so").libraries if "cu" in name] == []


@pytest.mark.slow
def test_a_cubin_for_several_architectures(configure: Configure, tmp_path: Path, nvcc: Path) -> None:
    line = error_of(
        configure("add_tvm_ffi_cubin(k CUDA kernel.cu)", ok=False, **with_cuda(tmp_path, nvcc, "75;80-real"))
    )
    assert line == (
        "add_tvm_ffi_cubin(k): a cubin is machine code for one architecture, "
        'and CUDA_ARCHITECTURES of k is "75;80-real"; '
        "name one with set_target_properties(k PROPERTIES CUDA_ARCHITECTURES 80-real), "
        "or call add_tvm_ffi_fatbin, which takes them all"
    )


@pytest.mark.slow
def test_a_project_of_cuda_alone_has_no_compiler_to_embed_with(
    configure: Configure, tmp_path: Path, nvcc: Path
) -> None:
    line = error_of(
        configure(
            "add_library(lib SHARED kernel.cu)",
            "tvm_ffi_embed_bin_into(lib SYMBOL a BIN kernel.cu)",
            ok=False,
            **with_cuda(tmp_path, nvcc, "80", standard="CUDA"),
        )
    )
    assert line == "tvm_ffi_embed_bin_into(lib): it takes a compiler for C or C++; call enable_language(C) before it"


def test_embedding_from_another_folder_than_the_targets(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub/CMakeLists.txt").write_text(
        "tvm_ffi_embed_bin_into(lib SYMBOL a BIN b)\n", encoding="utf-8"
    )
    line = error_of(configure("add_library(lib SHARED lib.cc)", "add_subdirectory(sub)", ok=False))
    assert line.endswith(f"in the directory of lib: {tmp_path}/source")


def test_a_library_that_links_to_a_driver_that_is_not_there(configure: Configure) -> None:
    """Also where it is named after the function was called."""
    lines = (
        "add_library(lib SHARED lib.cc)",
        "tvm_ffi_configure_target(lib)",
        "target_link_libraries(lib PRIVATE CUDA::cuda_driver)",
    )
    line = error_of(configure(*lines, ok=False))
    assert line.startswith(
        "tvm_ffi_configure_target(lib): lib links to CUDA::cuda_driver, and find_package(CUDAToolkit) has found no "
        "libcuda to link; install CUDA's stub of it (the package cuda-driver-dev), or"
    )
    configure("add_library(CUDA::cuda_driver INTERFACE IMPORTED)", *lines)


NEWER_COMPILER = '#!/bin/sh\nexec c++ -U__GNUC__ -D__GNUC__=99 "$@"\n'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architectures", "host", "says"),
    [
        (
            "12",
            "",
            "nvcc knows no architecture 12; write one into CMAKE_CUDA_ARCHITECTURES that nvcc --list-gpu-arch names",
        ),
        ("turing", "", "CMAKE_CUDA_ARCHITECTURES: turing is not one of the following"),
        (
            "80",
            NEWER_COMPILER,
            r"nvcc is too old for the C\+\+ compiler \(gcc versions later than \d+ are not supported\); name an older",
        ),
    ],
)
def test_what_nvcc_refuses_is_one_line(nvcc: Path, tmp_path: Path, architectures: str, host: str, says: str) -> None:
    env = {**os.environ, "CUDACXX": str(nvcc), "CMAKE_ARGS": f"-DCMAKE_CUDA_ARCHITECTURES={architectures}"}
    if host:
        (tmp_path / "newer").write_text(host, encoding="utf-8")
        (tmp_path / "newer").chmod(0o755)
        env["CUDAHOSTCXX"] = str(tmp_path / "newer")
    source = shutil.copytree(EXAMPLE, tmp_path / "cuda")
    done = run(sys.executable, "-m", "tvm_ffi_build", "wheel", source, "-w", tmp_path / "dist", ok=False, env=env)
    assert done.returncode == 3
    assert re.search(f"could not be built: (CMakeLists.txt:\\d+: )?{says}", last_error(done.stderr)), done.stderr
    assert list((tmp_path / "dist").iterdir()) == []

"""Fixtures of the tests on published wheels, and on wheels that need grafting."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest
from support.downloads import download_wheels
from support.grafting import EXTENSION, SECOND, Platform, Toolchain
from support.wheels import REAL

from tvm_ffi_build.host.programs import find_program, find_versioned
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.grafting import Sample

RUNTIME = "0.1.15.post2"
# In place of the entry point of the C library, which zig would have to build for minutes.
DLL_ENTRY = "int __stdcall DllMainCRTStartup(void* library, unsigned reason, void* reserved) { return 1; }\n"


@pytest.fixture
def downloaded(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], Path]:
    """Return a function that downloads a published wheel."""

    def get(name: str) -> Path:
        requirement, platform, _ = REAL[name]

        def fill(folder: Path) -> None:
            download_wheels(folder, requirement, platform=platform)

        (wheel,) = once(f"downloaded-{name}", fill).glob("*.whl")
        return wheel

    return get


def linux_platform(toolchain: Toolchain, machine: str) -> Platform:
    """Return Linux on a processor."""

    def link(library: Path, source: str, *arguments: Path | str, name: str | None = None) -> Path:
        words = [*arguments, f"-Wl,-soname,{name or library.name}"]
        if source in {EXTENSION, SECOND}:
            words += [f"-L{toolchain.runtime / 'lib'}", "-ltvm_ffi", "-Wl,-rpath,$ORIGIN/../tvm_ffi/lib"]
        return toolchain.link(library, source, *words)

    return Platform(f"py3-none-linux_{machine}", "lib", ".so", link)


@pytest.fixture(scope="session")
def linux() -> Platform:
    """Return Linux on this machine's processor, with this machine's compiler."""
    return linux_platform(Toolchain(("cc", "-fPIC"), find_runtime().library_dir.parent), platform.machine())


@pytest.fixture(scope="session")
def linux_aarch64(unpacked_runtime: Callable[..., Path], zig_cache: Path) -> Platform:
    """Return Linux on ARM, with zig."""
    runtime = unpacked_runtime(RUNTIME, "aarch64-manylinux_2_28")
    return linux_platform(Toolchain.zig("aarch64-linux-gnu.2.17", runtime, zig_cache), "aarch64")


@pytest.fixture(scope="session")
def llvm(installed: Callable[..., str]) -> Callable[[str], str]:
    """Return a function that gives the path of one of the programs of LLVM."""
    return lambda name: installed(lambda: find_program(name) or find_versioned(name), "llvm")


@pytest.fixture(scope="session")
def macos(unpacked_runtime: Callable[..., Path], zig_cache: Path, llvm: Callable[[str], str]) -> Platform:
    """Return macOS on ARM, with zig; the repair needs LLVM."""
    llvm("llvm-otool")
    runtime = unpacked_runtime(RUNTIME, "aarch64-apple-darwin")

    def link(
        library: Path, source: str, *libraries: Path, target: str = "aarch64-macos.11.0", name: str | None = None
    ) -> Path:
        toolchain = Toolchain.zig(target, runtime, zig_cache)
        arguments: list[str | Path] = [*libraries, "-install_name", name or f"@rpath/{library.name}"]
        if source in {EXTENSION, SECOND}:
            # No recent release of the runtime has a wheel for x86_64.
            arm = target.startswith("aarch64")
            arguments += [toolchain.runtime / "lib/libtvm_ffi.dylib"] if arm else ["-undefined", "dynamic_lookup"]
            arguments.append("-Wl,-rpath,@loader_path/../tvm_ffi/lib")
        return toolchain.link(library, source, *arguments)

    return Platform("py3-none-macosx_11_0_arm64", "lib", ".dylib", link, reference="@rpath/")


@pytest.fixture(scope="session")
def windows(unpacked_runtime: Callable[..., Path], zig_cache: Path) -> Platform:
    """Return Windows, with zig; linking a library also writes its import library beside it."""
    runtime = unpacked_runtime(RUNTIME, "x86_64-pc-windows-msvc")
    toolchain = Toolchain.zig("x86_64-windows-gnu", runtime, zig_cache, "-nostdlib", "-s")

    def link(library: Path, source: str, *libraries: Path) -> Path:
        with_runtime = [toolchain.runtime / "lib/tvm_ffi.lib"] if source in {EXTENSION, SECOND} else []
        importable = f"-Wl,--out-implib,{library.with_suffix('.lib')}"
        imported = [other.with_suffix(".lib") for other in libraries]
        return toolchain.link(library, source + DLL_ENTRY, *imported, *with_runtime, importable)

    return Platform("py3-none-win_amd64", "", ".dll", link)


@pytest.fixture(scope="session")
def built_for(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[Platform], Sample]:
    """Return a function that returns the sample of a platform, which is built once."""

    def get(target: Platform) -> Sample:
        def fill(directory: Path) -> None:
            target.sample(directory)

        return target.sample_in(once(f"grafting-{target.tag}", fill))

    return get

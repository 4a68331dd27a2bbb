"""Directories laid out as installers, wheels and checkouts lay out the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tvm_ffi_build.platforms.systems import HOST

if TYPE_CHECKING:
    from pathlib import Path


def touch(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def metadata(folder: Path, version: str) -> Path:
    path = folder / f"apache_tvm_ffi-{version}.dist-info"
    touch(
        path / "METADATA", f"Metadata-Version: 2.1\nName: apache-tvm-ffi\nVersion: {version}\n\nVersion: 9 of a text\n"
    )
    return path


def installed(folder: Path, version: str = "0.1.15.post2", library: str = HOST.library) -> Path:
    """Lay out what pip makes of a wheel."""
    metadata(folder, version)
    touch(folder / "tvm_ffi" / "__init__.py", "raise AssertionError('the runtime was imported')")
    touch(folder / "tvm_ffi" / "include/tvm/ffi/c_api.h")
    touch(folder / "tvm_ffi" / "include/dlpack/dlpack.h")
    touch(folder / "tvm_ffi" / "src/ffi/object.cc")
    touch(folder / "tvm_ffi" / "lib" / library)
    return folder


def checkout(folder: Path) -> Path:
    """Lay out a clone of the runtime's repository with a CMake build in it."""
    touch(folder / "python/tvm_ffi/__init__.py")
    touch(folder / "include/tvm/ffi/c_api.h")
    touch(folder / "3rdparty/dlpack/include/dlpack/dlpack.h")
    touch(folder / "src/ffi/object.cc")
    touch(folder / "build/lib" / HOST.library)
    return folder

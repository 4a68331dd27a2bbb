"""Wheels that need grafting: an extension, and a second library of its own that lies outside of the wheel.

In C on the runtime's stable C ABI, which links for every platform, on one machine, in a second.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import sys
import zipfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from support.commands import run_command
from support.errors import read_error
from support.processes import run
from support.project import EXAMPLE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "EXTENSION",
    "HELPER",
    "LOADER",
    "RECORD",
    "SECOND",
    "Platform",
    "Sample",
    "Toolchain",
    "check_record",
    "names_in",
    "refused",
    "repair",
    "repaired",
    "unpack",
    "write_wheel",
]

EXTENSION = """
#include <tvm/ffi/c_api.h>
TVM_FFI_DLL int64_t HelperScale(int64_t x);
TVM_FFI_DLL_EXPORT int __tvm_ffi_scale(void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  if (num_args != 1 || args[0].type_index != kTVMFFIInt) {
    TVMFFIErrorSetRaisedFromCStr("TypeError", "scale takes an integer");
    return -1;
  }
  result->type_index = kTVMFFIInt;
  result->v_int64 = HelperScale(args[0].v_int64);
  return 0;
}
TVM_FFI_DLL_EXPORT int64_t SampleScale(int64_t x) { return HelperScale(x); }
"""
# Needs the first extension in place of the second library.
SECOND = EXTENSION.replace("SampleScale", "SecondScale").replace("HelperScale", "SampleScale")
# What a build would say of it; a repair keeps it.
RECORD = """{
  "schema": 1,
  "runtime": "0.1.15.post2",
  "tvm-ffi-build": "0.1.0",
  "cmake": "4.4.0",
  "compilers": {},
  "libraries": [{"name": "libsample.so", "link": "prebuilt"}]
}
"""
HELPER = """
#include <tvm/ffi/c_api.h>
TVM_FFI_DLL_EXPORT int64_t HelperScale(int64_t x) { return 10 * x; }
"""
# A second library that needs a third one, and the third one.
_CHAINED = f"#include <stdint.h>\nint64_t ThirdScale(int64_t x);{HELPER.replace('10 * x', 'ThirdScale(x)')}"
_THIRD = HELPER.replace("HelperScale", "ThirdScale")
# The loader that the generator writes, for this package and its function.
LOADER = (EXAMPLE / "python/my_ffi_extension/_library.py").read_text(encoding="utf-8")
for _old, _new in (("add_one(", "scale("), ("my_ffi_extension", "sample"), ("my-ffi-extension", "sample")):
    LOADER = LOADER.replace(_old, _new)


@dataclass(frozen=True)
class Toolchain:
    """A C compiler for a platform, and the runtime's package for it.

    Attributes:
        compiler: What begins its command line.
        runtime: The unpacked package ``tvm_ffi``.
        environment: What has to be set.

    """

    compiler: tuple[str, ...]
    runtime: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def zig(cls, target: str, runtime: Path, cache: Path, *arguments: str) -> Toolchain:
        """Return zig for a platform.

        Args:
            target: The platform, as zig spells it.
            runtime: The folder that a wheel of the runtime was unpacked into.
            cache: A folder for what zig builds for the platform at first.
            arguments: What each command line has.

        """
        compiler = (sys.executable, "-m", "ziglang", "cc", "-target", target, *arguments)
        caches = {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
        return cls(compiler, runtime / "tvm_ffi", caches)

    def link(self, library: Path, source: str, *arguments: str | Path) -> Path:
        """Make a shared library out of a C source."""
        library.parent.mkdir(parents=True, exist_ok=True)
        file = library.with_name(f"{library.name}.c")
        file.write_text(source, encoding="utf-8")
        run(
            *self.compiler,
            "-shared",
            "-O1",
            f"-I{self.runtime / 'include'}",
            file,
            "-o",
            library,
            *arguments,
            cwd=library.parent,
            env={**os.environ, **self.environment},
        )
        file.unlink()
        return library


@dataclass(frozen=True)
class Sample:
    """A wheel that needs grafting.

    Attributes:
        wheel: The wheel.
        extension: The extension in it.
        outside: The directory with the library that the extension needs.

    """

    wheel: Path
    extension: Path
    outside: Path

    def repair(self, out: Path, *options: str | Path, **settings: object) -> subprocess.CompletedProcess[str]:
        """Repair the wheel, with the directory of the library named, into a directory."""
        return repair(self.wheel, "-w", out, "--lib-path", self.outside, *options, **settings)

    def repaired(self, out: Path, *options: str | Path, **settings: object) -> Path:
        """Repair the wheel likewise, and return the result after checking its RECORD."""
        return repaired(out, self.wheel, "--lib-path", self.outside, *options, **settings)

    def in_wheel(self, directory: Path, tag: str, files: Mapping[str, Any]) -> Sample:
        """Write another wheel, whose files include the extension."""
        return replace(self, wheel=write_wheel(directory, tag, files))


@dataclass(frozen=True)
class Platform:
    """A platform that libraries are linked for.

    Attributes:
        tag: The tag of a wheel before its repair.
        prefix: The start of a library's file name.
        suffix: The end of it.
        link: Links a library: its path, its source, and what to link to.
        reference: What stands before the file name where an extension names a library that it needs.

    """

    tag: str
    prefix: str
    suffix: str
    link: Callable[..., Path]
    reference: str = ""

    def file_name(self, stem: str) -> str:
        """Return the file name of a library."""
        return f"{self.prefix}{stem}{self.suffix}"

    def link_helper(self, directory: Path, source: str = HELPER, *arguments: str | Path, **options: str) -> Path:
        """Link the library that the extension needs, in the directory "outside"."""
        return self.link(directory / "outside" / self.file_name("helper"), source, *arguments, **options)

    def sample(
        self, directory: Path, helper: Path | None = None, *arguments: str | Path, loader: str | None = LOADER
    ) -> Sample:
        """Link the extension and what it needs, by default the library in "outside", and write the wheel."""
        needed = helper or self.link_helper(directory)
        extension = self.link(directory / self.file_name("sample"), EXTENSION, needed, *arguments)
        files = {"sample/__init__.py": "", f"sample/{extension.name}": extension}
        write_wheel(directory, self.tag, {**files, **({"sample/_library.py": loader} if loader else {})})
        return self.sample_in(directory)

    def sample_in(self, directory: Path) -> Sample:
        """Return the sample that a directory already has."""
        return Sample(
            directory / f"sample-1.0-{self.tag}.whl", directory / self.file_name("sample"), directory / "outside"
        )

    def chain(self, directory: Path) -> Sample:
        """Return a sample whose library needs a third one, also in "outside"."""
        third = self.link(directory / "outside" / self.file_name("third"), _THIRD)
        return self.sample(directory, self.link_helper(directory, _CHAINED, third))


def write_wheel(folder: Path, tag: str, files: Mapping[str, Any], *requires: str, name: str = "sample") -> Path:
    """Write a wheel.

    Args:
        folder: Where to.
        tag: Its tag.
        files: The paths of the files in it, or their text, by their names in the wheel.
        requires: What it requires; by default the runtime.
        name: Its distribution.

    """
    dist_info = f"{name}-1.0.dist-info"
    python, abi, platforms = tag.split("-")
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"]
    metadata += [f"Requires-Dist: {requirement}\n" for requirement in requires or ("apache-tvm-ffi",)]
    tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split("."))
    contents = {member: file.encode() if isinstance(file, str) else file.read_bytes() for member, file in files.items()}
    contents[f"{dist_info}/METADATA"] = "".join(metadata).encode()
    contents[f"{dist_info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\n{tags}".encode()
    contents[f"{dist_info}/tvm_ffi_build.json"] = RECORD.encode()
    rows = [f"{member},{_digest(content)},{len(content)}\n" for member, content in contents.items()]
    contents[f"{dist_info}/RECORD"] = "".join([*rows, f"{dist_info}/RECORD,,\n"]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in contents.items():
            archive.writestr(zipfile.ZipInfo(member, (2024, 1, 2, 3, 4, 6)), content)
    return path


def repair(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run ``tvm-ffi-build repair``; with options, in a process of its own."""
    if not options:
        return run_command("repair", *arguments)
    return run(sys.executable, "-m", "tvm_ffi_build", "repair", *arguments, ok=False, **options)


def repaired(out: Path, *arguments: str | Path, **options: object) -> Path:
    """Repair a wheel into a folder; return the result, which is whole."""
    done = repair("-w", out, *arguments, **options)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.iterdir()
    check_record(wheel)
    return wheel


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a command ended."""
    assert done.returncode not in {0, 1}, done.stdout
    assert done.stdout == ""
    return read_error(re.sub(r"(?m)^warning: .*\n", "", done.stderr))


def names_in(wheel: Path) -> list[str]:
    """Return the names of a wheel's files."""
    with zipfile.ZipFile(wheel) as archive:
        return sorted(name for name in archive.namelist() if not name.endswith("/"))


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def check_record(wheel: Path) -> None:
    """Check that RECORD has every file of a wheel once, with its hash, and no other."""
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    (record,) = (name for name in contents if name.endswith(".dist-info/RECORD"))
    rows = list(csv.reader(io.StringIO(contents[record].decode())))
    assert sorted(row[0] for row in rows) == sorted(contents)
    for name, digest, size in rows:
        if name != record:
            assert (digest, int(size)) == (_digest(contents[name]), len(contents[name]))


def _digest(content: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()}"

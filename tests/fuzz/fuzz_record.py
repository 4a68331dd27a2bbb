"""The record of a build, in a wheel's metadata and in libraries: it is refused, or is what the bytes say.

The first byte says what the rest is: the file of a wheel, or a library.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from json_mutator import changed
from packaging.version import Version

from tvm_ffi_build.contract.evidence.build_record import read_record, recorded_runtime
from tvm_ffi_build.errors import RecordError, UnreadableBinaryError

if TYPE_CHECKING:
    from pathlib import Path

    from tvm_ffi_build.contract.evidence.build_record import Record

__all__ = ["changed", "one"]


def one(data: bytes, folder: Path) -> None:
    if data[:1] == b"\0":
        with suppress(RecordError):
            require_same(read_record(data[1:]), data[1:])
    else:
        with suppress(RecordError, UnreadableBinaryError):
            require_said(recorded_runtime(data[1:]), data[1:], folder / "library.so")


def require_same(record: Record, data: bytes) -> None:
    table = json.loads(data)
    assert type(table["schema"]) is int
    assert all(isinstance(text, str) for text in (record.tvm_ffi_build, record.cmake))
    assert record.runtime == str(Version(table["runtime"]))
    assert {(library.name, library.link) for library in record.libraries} == {
        (row["name"], row["link"]) for row in table["libraries"]
    }
    assert {name: compiler._asdict() for name, compiler in record.compilers.items()} == {
        name: {"id": row["id"], "version": row["version"]} for name, row in table["compilers"].items()
    }
    # Written anew it is the same one.
    written = json.dumps(
        {
            "schema": 1,
            "runtime": record.runtime,
            "tvm-ffi-build": record.tvm_ffi_build,
            "cmake": record.cmake,
            "compilers": {name: compiler._asdict() for name, compiler in record.compilers.items()},
            "libraries": [library._asdict() for library in record.libraries],
            "derived": record.derived,
            "cuda-architectures": record.cuda_architectures,
        }
    )
    assert read_record(written.encode("ascii")) == record


def require_said(version: str | None, data: bytes, path: Path) -> None:
    # From a file that is mapped it is read alike.
    path.write_bytes(data)
    assert recorded_runtime(path) == version
    if version is not None:
        assert any(is_version(text, version) for text in data.split(b"\0"))
        # What follows a library is no part of it.
        assert recorded_runtime(data + bytes(16)) == version


def is_version(text: bytes, version: str) -> bool:
    """Say whether a text ends in a version: what stands before a section need not end in a zero."""
    found = text.decode("ascii", "replace")
    for start in range(len(found)):
        with suppress(ValueError):
            if str(Version(found[start:])) == version:
                return True
    return False

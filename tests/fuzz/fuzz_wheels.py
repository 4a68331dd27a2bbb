"""The reader and the writer of wheels: a wheel is refused, or its rewrite is the same wheel with other tags.

The first byte says what the rest is: an archive, or one of the files of an otherwise right one, which checksums would
keep every change away from.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

from tvm_ffi_build.errors import RefusedError, WheelError
from tvm_ffi_build.wheels import open_wheel, rewrite, write_stored

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILES", "KINDS", "one", "wheel"]

NAME = "demo-1.0-py3-none-linux_x86_64.whl"
INFO = "demo-1.0.dist-info/"
FILES = {
    "demo/__init__.py": b"",
    f"{INFO}METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi>=0.1\n",
    f"{INFO}WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n\n",
}
RECORD = f"{INFO}RECORD"
ROWS = f"{INFO}RECORD,,\n".encode()
KINDS = [None, *FILES, RECORD]


def one(data: bytes, folder: Path) -> None:
    path = folder / NAME
    kind = KINDS[data[0] % len(KINDS)] if data else None
    if kind is None:
        path.write_bytes(data[1:])
    elif kind == RECORD:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**FILES, RECORD: data[1:]}.items():
                archive.writestr(name, content)
    else:
        wheel(path, {**FILES, kind: data[1:]})
    with suppress(WheelError, RefusedError):
        check(path)


def check(path: Path) -> None:
    """Write the wheel anew, if it is one.

    Raises:
        WheelError: It is none.
        RefusedError: It is signed.

    """
    stored = path.parent / "stored"
    stored.mkdir(exist_ok=True)
    with open_wheel(path) as opened:
        opened.verify()
        contents = {name: opened.read(name) for name in opened.files}
        made = [rewrite(opened, path.parent, ["manylinux_2_28_x86_64"]), write_stored(opened, {}, stored)]
        _ = opened.requirements
    # From here on whatever is said of a wheel is said of one that was written here.
    try:
        compare(made, contents)
    except WheelError as error:
        raise AssertionError(error) from error


def compare(made: list[Path], contents: dict[str, bytes]) -> None:
    for path in made:
        with open_wheel(path) as again:
            again.verify()
            for name, content in contents.items():
                changed = path == made[0] and name.startswith(INFO) and name[len(INFO) :] in {"WHEEL", "RECORD"}
                assert changed or again.read(name) == content, name
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None


def wheel(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Write a wheel with a right RECORD."""
    rows = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}\n"
        for name, content in files.items()
    )
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in {**files, f"{INFO}RECORD": f"{rows}{INFO}RECORD,,\n".encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), content, method)

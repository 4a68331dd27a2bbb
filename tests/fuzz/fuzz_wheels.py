"""Fuzzes the reader and the writer of wheels: a wheel is refused, or its rewrite is the same wheel with other tags.

    python -m pip install atheris ziglang
    python tests/fuzz/fuzz_wheels.py -max_total_time=300 [other options of libFuzzer]

The first byte says what the rest is: an archive, or one of the files of an otherwise right one, which checksums would
keep every change away from. What it finds of interest it keeps in ``fuzz-corpus/``; what ends it is a finding.
"""

from __future__ import annotations

import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import atheris
from seeds import INFO, NAME, corpus, libraries, wheel

with atheris.instrument_imports(include=["tvm_ffi_build"]):
    from tvm_ffi_build.errors import WheelError
    from tvm_ffi_build.wheels import open_wheel, rewrite, write_stored

FOLDER = Path(mkdtemp())
WHEEL = FOLDER / NAME
FILES = {
    "demo/__init__.py": b"",
    f"{INFO}METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi>=0.1\n",
    f"{INFO}WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n\n",
}
RECORD = f"{INFO}RECORD"
ROWS = f"{INFO}RECORD,,\n".encode()
KINDS = [None, *FILES, RECORD]


def one(data: bytes) -> None:
    kind = KINDS[data[0] % len(KINDS)] if data else None
    if kind is None:
        WHEEL.write_bytes(data[1:])
    elif kind == RECORD:
        with zipfile.ZipFile(WHEEL, "w") as archive:
            for name, content in {**FILES, RECORD: data[1:]}.items():
                archive.writestr(name, content)
    else:
        wheel(WHEEL, {**FILES, kind: data[1:]})
    with suppress(WheelError):
        check()


def check() -> None:
    """Write the wheel anew, if it is one.

    Raises:
        WheelError: It is none.

    """
    with open_wheel(WHEEL) as opened:
        opened.verify()
        contents = {name: opened.read(name) for name in opened.files}
        made = [rewrite(opened, FOLDER, ["manylinux_2_28_x86_64"]), write_stored(opened, {}, FOLDER / "stored")]
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
                lost = name.endswith((".jws", ".p7s")) and name not in again.files
                assert changed or lost or again.read(name) == content, name
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None


def main() -> None:
    (FOLDER / "stored").mkdir()
    folder = corpus(__file__)
    for name, content in libraries():
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            wheel(WHEEL, {**FILES, "demo/lib.so": content[:2000]}, method)
            (folder / f"{name}-{method}").write_bytes(b"\0" + WHEEL.read_bytes())
    wheel(WHEEL, FILES)
    with zipfile.ZipFile(WHEEL) as archive:
        for kind, file in enumerate(KINDS[1:], 1):
            (folder / f"file-{kind}").write_bytes(bytes([kind]) + archive.read(str(file)))
    atheris.Setup([*sys.argv, str(folder), "-max_len=16384", "-timeout=10", "-rss_limit_mb=1024"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

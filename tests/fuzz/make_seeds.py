"""Creates the seeds, a directory for each fuzz target: ``python tests/fuzz/make_seeds.py DIRECTORY`` (needs ziglang).

What is kept in ``seeds/`` came of these by fuzzing; this is for when a format changes.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import forged_device_code as forged
from fuzz_wheels import FILES, KINDS, wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """
#ifdef _WIN32
int DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }
int _DllMainCRTStartup(void *a, unsigned b, void *c) { return 1; }
__declspec(dllexport)
#endif
int f(int x) { return x + 1; }
"""
TARGETS = ("x86_64-linux-gnu", "x86-linux-gnu", "aarch64-linux-gnu", "aarch64-macos", "x86_64-windows-gnu")


def built() -> Iterator[tuple[str, bytes]]:
    """Build a library with a record for each system; yield the names of the systems and what was built."""
    record = (ROOT / "cmake" / "record.c.in").read_text(encoding="utf-8")
    with TemporaryDirectory() as name:
        source, library = Path(name, "a.c"), Path(name, "a.so")
        source.write_text(SOURCE + record.replace("@version@", "0.1.9").replace("@identifier@", "a"), encoding="utf-8")
        for target in TARGETS:
            command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-O2", "-shared", "-s"]
            subprocess.run([*command, "-nostdlib", "-o", library, source], check=True)
            content = library.read_bytes()
            yield target, without_padding(content) if target.endswith("macos") else content


def without_padding(library: bytes) -> bytes:
    """Take the zeros out of a Mach-O library that fill its segments up to pages of 16 KB."""
    end = library.index(bytes(8192))
    begin, cut = -(-end // 16) * 16, len(library[end:]) - len(library[end:].lstrip(b"\0"))
    cut = (cut - (begin - end)) // 16 * 16
    (size,) = struct.unpack_from("<I", library, 20)
    numbers = struct.unpack_from(f"<{size // 4}I", library, 32)
    # Whatever may be a place behind the zeros, or a page between them.
    behind = [number - cut if begin + cut <= number <= len(library) else number for number in numbers]
    moved = [begin if begin < number < begin + cut and number % 0x4000 == 0 else number for number in behind]
    return library[:32] + struct.pack(f"<{size // 4}I", *moved) + library[32 + size : begin] + library[begin + cut :]


def wheels(libraries: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.whl")
        for name, content in libraries.items():
            for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
                wheel(path, {**FILES, "demo/lib.so": content[:2000]}, method)
                yield f"{name}-{method}", b"\0" + path.read_bytes()
        wheel(path, FILES)
        with zipfile.ZipFile(path) as archive:
            for kind, file in enumerate(KINDS[1:], 1):
                yield f"file-{kind}", bytes([kind]) + archive.read(str(file))


BLOCK = "# tvm-ffi-stubgen(begin): {}\n# tvm-ffi-stubgen(end)\n"
INDENTED = "    # tvm-ffi-stubgen(begin): {}\n    # tvm-ffi-stubgen(end)\n"
SECTION = BLOCK.format("import-section")
CLASS = '@tvm_ffi.register_object("demo.Pair")\nclass Pair(tvm_ffi.Object):\n' + INDENTED.format("object/demo.Pair")
LIST = "__all__ = [\n" + INDENTED.format("__all__") + "]\n"
EXPORT = BLOCK.format("export/_ffi_api")
SINGLE = (
    "ty-map): demo.Pair -> demo.pairs.Pair",
    "ty-map): Tensor -> numpy.ndarray",
    "import-object): ffi.Object;False;_ffi_Object",
    "import-object): demo.more.A;True",
    "prefix): demo",
    "skip): demo.Pair",
    "skip-file)",
)
FILES_OF_DIRECTIVES = {
    "module": SECTION + "import tvm_ffi\n" + BLOCK.format("global/demo") + CLASS + LIST,
    "bare": BLOCK.format("global/demo@tvm_ffi.init_ffi_api") + BLOCK.format("library/demo"),
    "package": f"{SECTION}{CLASS}{LIST}\0{EXPORT}\0{SECTION}{CLASS}",
    "own": "from __future__ import annotations\nimport tvm_ffi, typing\n"
    f"{CLASS}    first: int = 1\n{BLOCK.format('global/demo.sub')}",
    "rolled": "# tvm-ffi-stubgen(prefix): demo.sub\n"
    f"# tvm-ffi-stubgen(import-object): ffi.Object;False;Node\nx = 1\n{LIST}",
    "begun": "\0\0\0demo",
    "begun-more": f"{SECTION}{LIST}\0'''Doc.'''\n\0\0demo.",
    "ends": f"\ufeff{SECTION}{BLOCK.format('global/demo')}".replace("\n", "\r\n"),
    **{f"single-{number}": f"# tvm-ffi-stubgen({text}\n{SECTION}{CLASS}" for number, text in enumerate(SINGLE)},
}


def directives() -> Iterator[tuple[str, bytes]]:
    for name, text in FILES_OF_DIRECTIVES.items():
        yield name, text.encode()


RECORD = {
    "schema": 1,
    "runtime": "0.1.15.post2",
    "tvm-ffi-build": "0.1.0",
    "cmake": "4.4.0",
    "compilers": {"CXX": {"id": "GNU", "version": "12.2.0"}},
    "libraries": [{"name": "libsample.so", "link": "prebuilt"}, {"name": "a", "link": "header"}],
    "derived": {"range": ">=0.1.9"},
}


def record(libraries: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    yield "file", b"\0" + json.dumps(RECORD).encode()
    yield "later", b"\0" + json.dumps({**RECORD, "schema": 2}).encode()
    for name, content in libraries.items():
        yield name, b"\1" + content


def schema(kind: str, *args: object) -> dict[str, object]:
    return {"type": kind, "args": list(args)} if args else {"type": kind}


INT = schema("int")
CALL = {"type": "ffi.Function", "named_args": {"return": [schema("None")], "params": [INT, schema("DLTensor*")]}}
SCHEMAS = (
    INT,
    CALL,
    schema("ffi.Function", INT, schema("Device")),
    schema("Optional", schema("Variant", INT, schema("None"))),
    schema("ffi.Map", schema("ffi.String"), schema("ffi.Array", schema("demo.Pair"))),
    schema("Tuple", INT, schema("ffi.Bytes")),
    schema("std::array", INT, 3),
    schema("Expected", schema("DataType")),
    {"type": "tuple"},
    schema("ffi.Dict", INT),
)


def schemas() -> Iterator[tuple[str, bytes]]:
    for number, raw in enumerate(SCHEMAS):
        yield f"schema-{number}", b"\0" + json.dumps(raw).encode()
    doc = "Adds.\n\n\\param x one\n\\param y other"
    field = {
        "name": "a",
        "type": json.dumps(INT),
        "doc": "A.",
        "frozen": False,
        "init": True,
        "kw_only": False,
        "default": "1",
    }
    kind = {
        "parent": "ffi.Object",
        "python": None,
        "init": True,
        "fields": [field, {**field, "name": "b", "frozen": True, "default": None}],
        "methods": [
            {"name": name, "type": json.dumps(CALL), "doc": doc, "static": name == "g"}
            for name in ("f", "g", "f", "__ffi_init__")
        ],
    }
    snapshot = {
        "schema": 1,
        "runtime": "0.1.9",
        "functions": {"demo.add": {"type": json.dumps(CALL), "doc": doc}, "demo.sub.f": {"type": None, "doc": None}},
        "types": {
            "ffi.Object": {**kind, "parent": None, "python": "tvm_ffi.Object", "fields": [], "methods": []},
            "demo.Pair": kind,
            "demo.sub.Node": {**kind, "parent": "demo.Pair"},
        },
        "libraries": {"libdemo.so": {"run": {"type": json.dumps(SCHEMAS[4]), "doc": doc}}},
    }
    yield "snapshot", b"\1" + json.dumps(snapshot).encode()
    for name in ("functions", "types", "libraries"):
        empty: dict[str, object] = {"functions": {}, "types": {}, "libraries": {}}
        yield name, b"\1" + json.dumps({**snapshot, **empty, name: snapshot[name]}).encode()


def device_code() -> Iterator[tuple[str, bytes]]:
    """Yield a byte that names the section, and what is in it; or, as the reader of files reads it, a file."""
    cubins = forged.cubin(90, specific=True), forged.old_cubin(86), forged.cubin(120, debug=True)
    entries = [forged.entry(forged.CUBIN, number, code) for number, code in zip((90, 86, 120), cubins)]
    text = b".version 9.0\n.target sm_90a\n"
    packed = zlib.compress(forged.bundle(gfx942=b"code"))
    yield "fatbin", b"\0" + forged.fatbin(*entries, forged.entry(forged.PTX, 80, text)) + bytes(8) + forged.fatbin()
    yield "linkable", b"\1" + forged.fatbin(forged.entry(forged.LTO_IR, 80), forged.entry(forged.TILE_IR, 80))
    yield "bundle", b"\2" + forged.bundle(gfx942=b"code", gfx1100=b"more")
    yield "compressed", b"\2" + struct.pack("<4sHHIIQ", b"CCOB", 2, 0, 24 + len(packed), 99, 0) + packed
    yield "embedded", b"\3text" + b"...".join(cubins) + forged.fatbin(entries[0]) + forged.bundle(gfx942=b"code")
    yield "ptx", b"\3" + text
    yield (
        "code-object",
        b"\3" + forged.elf(0x3F, 64, 4, 1, [(3, b"\0"), (7, b"amdgcn-amd-amdhsa--gfx942")], machine=224),
    )
    for method, bit in (("lz4", forged.LZ4), ("zstd", forged.ZSTD)):
        code = b"\xf0\x10" + text + b"\1\0" if method == "lz4" else b"\x28\xb5\x2f\xfd\x20\x1d\xe9\0\0" + text
        yield method, b"\0" + forged.fatbin(forged.entry(forged.PTX, 80, code, flags=bit, unpacked=len(text)))


def main() -> None:
    """Write the seeds of all targets into the folder that the argument names."""
    libraries = dict(built())
    made = {
        "wheels": wheels(libraries),
        "binaries": iter(libraries.items()),
        "device_code": device_code(),
        "directives": directives(),
        "record": record(libraries),
        "schemas": schemas(),
    }
    for target, files in made.items():
        folder = Path(sys.argv[1], target)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files:
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()

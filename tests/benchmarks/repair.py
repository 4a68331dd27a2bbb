"""What a repair costs that changes the tag alone: ``python tests/benchmarks/repair.py [MIB...]``.

Against ``auditwheel repair`` on the same wheel, in turn: the example's wheel, and one with a library of some MiB, taken
from the programs of this environment. These are in the section where compilers put kernels for GPUs, as the bulk of large
libraries is, and once more among the constants, where the audit at the end looks for texts.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measure import ROOT, environment_with, in_turn, report

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

SIZES = (64, 256, 512, 1024)
ROUNDS = 11
# At most of auditwheel's wall time and peak memory, for a library of 512 MiB.
TIME, MEMORY, SMALL = 0.15, 0.3, 1.3

C_SOURCE = """int TVMFFIFunctionCall(void*);
extern const char blob[];
__attribute__((visibility("default"))) int __tvm_ffi_big(void* f) { return TVMFFIFunctionCall(f) + blob[5]; }
"""
KERNELS, CONSTANTS = ".nv_fatbin", ".rodata"
ASSEMBLY = '.section {},"a"\n.globl blob\nblob:\n.incbin "blob"\n.section .note.GNU-stack,"",@progbits\n'


class Cost(NamedTuple):
    """What a command took: wall time in seconds, and the most memory of any of its processes in MiB."""

    seconds: float
    memory: float


def main() -> None:
    """Measure and print."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = environment_with(folder / "environment", f"{ROOT}[wheel]")
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        small(programs, folder)
        sys.stdout.write("one library, of this size\n")
        for size in sizes:
            for section in (KERNELS, CONSTANTS):
                large(programs, folder, size, section)


def commands(programs: Path, wheel: Path, folder: Path) -> tuple[list[str | Path], list[str | Path]]:
    """Return both commands."""
    ours: list[str | Path] = [programs / "tvm-ffi-build", "-q", "repair", wheel, "-w", folder / "ours"]
    theirs: list[str | Path] = [programs / "auditwheel", "repair", "--exclude", "libtvm_ffi.so"]
    return ours, [*theirs, wheel, "-w", folder / "theirs"]


def small(programs: Path, folder: Path) -> None:
    """Compare on the example's wheel."""
    example = ROOT / "examples" / "python_packaging"
    subprocess.run(
        [programs / "tvm-ffi-build", "-q", "wheel", "--no-repair", example, "-w", folder],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("my_ffi_extension-*.whl")
    ours, theirs = commands(programs, wheel, folder)
    samples = in_turn({"ours": lambda: run(ours), "auditwheel": lambda: run(theirs)}, ROUNDS)
    report("the example's wheel", samples, [("ours", "auditwheel", SMALL)])


def large(programs: Path, folder: Path, size: int, section: str) -> None:
    """Compare on a wheel with one large library."""
    work = folder / f"{size}{section}"
    work.mkdir()
    ours, theirs = (cost(command) for command in commands(programs, wheel_of(size, work, section), work))
    verdict = ""
    if size == 512:
        met = ours.seconds <= TIME * theirs.seconds and ours.memory <= MEMORY * theirs.memory
        verdict = f"  targets {TIME} and {MEMORY} {'met' if met else 'MISSED'}"
    sys.stdout.write(
        f"  {size:5} MiB in {section:10}: {ours.seconds:6.2f} s and {ours.memory:5.0f} MiB, auditwheel {theirs.seconds:6.2f} s and "
        f"{theirs.memory:5.0f} MiB; ratios {ours.seconds / theirs.seconds:.2f} and {ours.memory / theirs.memory:.2f}"
        f"{verdict}\n"
    )
    sys.stdout.flush()
    shutil.rmtree(work)


def run(command: list[str | Path]) -> None:
    """Run a command."""
    cost(command)


def cost(command: list[str | Path]) -> Cost:
    """Run a command; return what it took."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed")
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024)


def wheel_of(size: int, folder: Path, section: str) -> Path:
    """Write a wheel with a library of so many MiB, which are in a section."""
    with (folder / "blob").open("wb") as blob:
        for piece in machine_code():
            blob.write(piece[: (size << 20) - blob.tell()])
            if blob.tell() == size << 20:
                break
    (folder / "big.c").write_text(C_SOURCE, encoding="utf-8")
    (folder / "blob.S").write_text(ASSEMBLY.format(section), encoding="utf-8")
    runtime = find_runtime().library.parent
    link: list[str | Path] = ["-L", runtime, "-ltvm_ffi", "-Wl,-rpath,$ORIGIN/../tvm_ffi/lib"]
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "libbig.so", "big.c", "blob.S", *link], cwd=folder, check=True)
    (folder / "blob").unlink()
    info = "big-1.0.dist-info"
    contents = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: big\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-linux_x86_64\n",
    }
    library = folder / "libbig.so"
    with library.open("rb") as file:
        rows = [f"big/libbig.so,sha256={digest(file)},{library.stat().st_size}\n"]
    rows += [f"{name},sha256={digest(BytesIO(content))},{len(content)}\n" for name, content in contents.items()]
    path = folder / "big-1.0-py3-none-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(library, "big/libbig.so")
        for name, content in {**contents, f"{info}/RECORD": f"{''.join(rows)}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, content)
    return path


def digest(file: IO[bytes]) -> str:
    """Return a hash as RECORD has it; never the whole file in memory, which would count for the commands as well."""
    hasher = hashlib.sha256()
    while piece := file.read(1 << 20):
        hasher.update(piece)
    return base64.urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode()


def machine_code() -> Iterator[bytes]:
    """Yield libraries again and again; a repetition is too far away for a compressor to find it."""
    found = [path for path in Path(sys.prefix).rglob("*.so*") if path.is_file() and path.stat().st_size > 1 << 20]
    for path in cycle(sorted(found)):
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece


if __name__ == "__main__":
    main()

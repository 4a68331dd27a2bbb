"""What the contract costs: ``python tests/benchmarks/contract.py``.

The command on the example's wheel beyond a bare Python, and the search for header lines in libraries of growing size.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, environment_with, in_turn

from tvm_ffi_build.binaries import Binary, Image, Section
from tvm_ffi_build.contract.sites import header_sites

ROUNDS = 15
# Seconds beyond a bare Python, and for a library of 40 MB.
RANGE, SCAN = 0.3, 2.0
MEGABYTES = (10, 20, 40, 80)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = environment_with(folder / "environment", f"{ROOT}[wheel]")
        example = ROOT / "examples" / "python_packaging"
        run([programs / "tvm-ffi-build", "-q", "wheel", example, "-w", folder])
        (wheel,) = folder.glob("*.whl")
        whole_command([programs / "python", "-c", ""], [programs / "tvm-ffi-build", "contract", wheel])
        for megabytes in MEGABYTES:
            scan(folder / "code", megabytes)


def whole_command(bare: list[str | Path], ours: list[str | Path]) -> None:
    """Compare the command with a Python that does nothing."""
    samples = in_turn({"bare": lambda: run(bare), "contract": lambda: run(ours)}, ROUNDS)
    beyond = (samples["contract"].median - samples["bare"].median) / 1000
    verdict = "met" if beyond <= RANGE else "MISSED"
    sys.stdout.write(f"contract of the example's wheel: {beyond:.2f} s beyond bare Python, target {RANGE} {verdict}\n")


def run(command: list[str | Path]) -> None:
    """Run a command."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def scan(path: Path, megabytes: int) -> None:
    """Look for header lines in machine code of some size, taken from the interpreter and its libraries."""
    header = b"\0/include/tvm/ffi/any.h\0"
    code = b"".join(one.read_bytes() for one in sorted(Path(sys.prefix).rglob("*.so")) if one.stat().st_size > 1 << 20)
    size = megabytes * 1_000_000
    path.write_bytes(header + (code * (size // len(code) + 1))[:size])
    sections = (Section(".rodata", 0, len(header), 0), Section(".text", len(header), size, len(header)))
    binary = Binary("ELF", (Image("x86_64", sections=sections),))
    started = time.perf_counter()
    list(header_sites(path, binary))
    seconds = time.perf_counter() - started
    verdict = f"  target {SCAN} {'met' if seconds <= SCAN else 'MISSED'}" if megabytes == 40 else ""
    sys.stdout.write(f"  {megabytes:3} MB: {seconds:.2f} s, {seconds / megabytes * 1000:.0f} ms a MB{verdict}\n")


if __name__ == "__main__":
    main()

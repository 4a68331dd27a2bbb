"""What the contract costs: ``python tests/benchmarks/contract.py``.

The command on the example's wheel beyond a bare Python, and the search for header lines in libraries of growing size.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from measure import EXAMPLE, ROOT, in_turn, judge, quiet, say, show, workplace

from tvm_ffi_build.binaries import Binary, Image, Section
from tvm_ffi_build.contract.evidence.header_lines import find_header_sites

ROUNDS = 15
# Milliseconds beyond a bare Python, and seconds for a library of so many megabytes.
RANGE, SCAN, JUDGED = 300, 2.0, 40
MEGABYTES = (10, 20, 40, 80)


def main() -> None:
    """Measure and print."""
    with workplace(f"{ROOT}[wheel]") as (folder, programs):
        quiet(programs / "tvm-ffi-build", "wheel", EXAMPLE, "-w", folder)()
        (wheel,) = folder.glob("*.whl")
        calls = {
            "bare Python": quiet(programs / "python", "-c", ""),
            "contract": quiet(programs / "tvm-ffi-build", "contract", wheel),
        }
        samples = in_turn(calls, ROUNDS)
        show(f"The range of the example's wheel ({ROUNDS} rounds)", samples)
        beyond = samples["contract"].beyond(samples["bare Python"])
        judge("contract of the example's wheel, beyond bare Python", beyond, RANGE, "ms")
        say("The search for header lines in libraries")
        for megabytes in MEGABYTES:
            scan(folder / "code", megabytes)


def scan(path: Path, megabytes: int) -> None:
    """Look for header lines in machine code of some size, taken from the interpreter and its libraries."""
    header = b"\0/include/tvm/ffi/any.h\0"
    code = b"".join(one.read_bytes() for one in sorted(Path(sys.prefix).rglob("*.so")) if one.stat().st_size > 1 << 20)
    size = megabytes * 1_000_000
    path.write_bytes(header + (code * (size // len(code) + 1))[:size])
    sections = (Section(".rodata", 0, len(header), 0), Section(".text", len(header), size, len(header)))
    binary = Binary("ELF", (Image("x86_64", sections=sections),))
    started = time.perf_counter()
    list(find_header_sites(path, binary))
    seconds = time.perf_counter() - started
    say(f"  {megabytes:3} MB: {seconds:.2f} s, {seconds / megabytes * 1000:.0f} ms a MB")
    if megabytes == JUDGED:
        judge(f"header lines of a library of {megabytes} MB", seconds, SCAN, "s")


if __name__ == "__main__":
    main()

"""What the wheels of every platform cost: ``python tests/benchmarks/cross.py``.

First it builds for each platform with empty caches, and measures what the build leaves there. Then it builds for all
platforms, and compares that with as many native wheels of the same example. It also measures the memory of all
processes together. If ``ZIG_GLOBAL_CACHE_DIR`` names a directory that this environment's zig has already filled, the
first part is skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measure import EXAMPLE, ROOT, Spread, judge, say, workplace

from tvm_ffi_build.cross.platform_choice import choose_platforms
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
# At most of as many native wheels.
WARM = 2.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    if sys.platform != "linux":
        sys.exit("wheels for other platforms are built on Linux alone")
    platforms = [target.tag for target in choose_platforms(["all"], find_runtime().version).platforms if target]
    if "ZIG_GLOBAL_CACHE_DIR" in os.environ:
        with tempfile.TemporaryDirectory() as name:
            warm(command(Path(sys.executable).parent, Path(name)), platforms)
        return
    with workplace("-U", "pip", f"{ROOT}[cross]", "cmake", "ninja") as (folder, programs):
        os.environ |= {"XDG_CACHE_HOME": str(folder / "cache"), "ZIG_GLOBAL_CACHE_DIR": str(folder / "zig")}
        say("Each platform for the first time")
        for platform in platforms:
            cold(platform, command(programs, folder / "out", platform), folder)
        warm(command(programs, folder / "out"), platforms)


def command(programs: Path, output: Path, platform: str = "") -> list[str | Path]:
    """Return the command for a wheel of the example."""
    words = ["--platform", platform] if platform else []
    return [programs / "tvm-ffi-build", "-q", "wheel", EXAMPLE, "-w", output, *words]


def warm(wheel: list[str | Path], platforms: list[str]) -> None:
    """Print what all platforms take, against as many native wheels, and the memory of all processes."""
    for words in ("all", "native"):
        with_memory([*wheel, "--platform", words])
    rounds = []
    for _ in range(ROUNDS):
        together = with_memory([*wheel, "--platform", "all"])
        natives = [with_memory([*wheel, "--platform", "native"]) for _ in platforms]
        rounds.append((together, natives))
    say(f"All {len(platforms)} platforms, from then on ({ROUNDS} rounds)")
    seconds = Spread.of([together[0] for together, _ in rounds]).middle
    native = Spread.of([one[0] for _, natives in rounds for one in natives]).middle
    say(f"  {seconds:6.1f} s  --platform all\n  {native:6.1f} s  --platform native")
    ratios = [together[0] / sum(one[0] for one in natives) for together, natives in rounds]
    judge(f"wheels of {len(platforms)} platforms / as many native wheels", Spread.of(ratios), WARM)
    processors = f"{os.cpu_count()} processors"
    say(f"  {max(together[1] for together, _ in rounds):6.0f} MiB  all processes together at most, on {processors}")
    _, memory = with_memory([*wheel, "--platform", "all", "--jobs", "2"])
    say(f"  {memory:6.0f} MiB  the same with --jobs 2")


def cold(platform: str, wheel: list[str | Path], folder: Path) -> None:
    """Print what the first wheel for a platform takes, and leaves in the caches."""
    before, times = sizes(folder), os.times()
    seconds, _ = with_memory(wheel)
    after, ended = sizes(folder), os.times()
    processor = ended.children_user + ended.children_system - times.children_user - times.children_system
    zig, own = ((after[name] - before[name]) / 1e6 for name in ("zig", "cache"))
    say(
        f"  {seconds:6.1f} s ({processor:.0f} s of processors)  {platform}, and {zig:.0f} MB in zig's cache, "
        f"{own:.0f} MB in that of tvm-ffi-build"
    )


def sizes(folder: Path) -> dict[str, int]:
    """Return how many bytes are in the caches."""
    return {
        name: sum(path.lstat().st_size for path in (folder / name).rglob("*") if not path.is_dir())
        for name in ("zig", "cache")
    }


def with_memory(words: list[str | Path]) -> tuple[float, float]:
    """Run a command; return the seconds that it took, and the most memory of all its processes together, in MiB."""
    peak, ended = 0, threading.Event()
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said)

        def watch() -> None:
            nonlocal peak
            while not ended.wait(0.05):
                peak = max(peak, sum(resident(pid) for pid in family(process.pid)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        process.wait()
        seconds = time.perf_counter() - started
        ended.set()
        watcher.join()
        if process.returncode != 0:
            said.seek(0)
            sys.exit(said.read())
    return seconds, peak / (1 << 20)


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        children = [int(child) for path in threads for child in path.read_text(encoding="ascii").split()]
    except OSError:  # it has ended
        return
    for child in children:
        yield from family(child)


def resident(pid: int) -> int:
    """Return the bytes of memory of a process; what it shares with others counts for each."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return 0


if __name__ == "__main__":
    main()

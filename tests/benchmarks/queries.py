"""What a path query and the plugin cost: ``python tests/benchmarks/queries.py``."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from measure import ROOT, Spread, compare, environment_with, in_turn, judge, quiet, say, show

ROUNDS = 31
# What scikit-build-core has imported by the time it calls a provider, and the import that is ours.
BACKEND = "import scikit_build_core.build.wheel, scikit_build_core.settings.skbuild_read_settings"
PLUGIN = "import time; t = time.perf_counter(); import tvm_ffi_build.plugin; print((time.perf_counter() - t) * 1000)"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = environment_with(folder / "ours", str(ROOT))
        theirs = environment_with(folder / "theirs", "apache-tvm-ffi")
        commands: dict[str, list[str | Path]] = {
            "bare Python": [ours / "python", "-c", "pass"],
            "tvm-ffi-config": [ours / "tvm-ffi-config", "--includedir"],
            "tvm-ffi-build config": [ours / "tvm-ffi-build", "config", "--includedir"],
            "the runtime's tvm-ffi-config": [theirs / "tvm-ffi-config", "--includedir"],
            "python -m tvm_ffi_build.config": [ours / "python", "-m", "tvm_ffi_build.config", "--includedir"],
            "python -m tvm_ffi.config": [theirs / "python", "-m", "tvm_ffi.config", "--includedir"],
        }
        calls = {title: quiet(*command, cwd=folder) for title, command in commands.items()}
        samples = in_turn(calls, ROUNDS)
        show(f"A path query ({ROUNDS} rounds)", samples)
        compare(samples, "tvm-ffi-config", "the runtime's tvm-ffi-config", 0.6)
        compare(samples, "tvm-ffi-build config", "the runtime's tvm-ffi-config", 1)
        compare(samples, "python -m tvm_ffi_build.config", "python -m tvm_ffi.config", 0.6)
        beyond = samples["tvm-ffi-config"].beyond(samples["bare Python"])
        judge("tvm-ffi-config, beyond bare Python", beyond, 35, "ms")
        plugin(ours)


def plugin(programs: Path) -> None:
    """Print the size of the installed package and the time of its import."""
    package = next(programs.parent.glob("lib/python3*/site-packages/tvm_ffi_build"))
    files = [path for path in package.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    compiled = sum(path.stat().st_size for path in files if path.suffix == ".pyc")
    say(f"The plugin, besides {compiled / 1000:.0f} kB of bytecode, which pip adds")
    judge("installed files", (size - compiled) / 1000, 500, "kB")
    times = [
        float(
            subprocess.run([programs / "python", "-c", f"{BACKEND}; {PLUGIN}"], check=True, capture_output=True).stdout
        )
        for _ in range(ROUNDS)
    ]
    judge("import of the plugin, beyond scikit-build-core", Spread.of(times), 20, "ms")


if __name__ == "__main__":
    main()

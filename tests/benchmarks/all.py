"""Every benchmark, one after another, and the page of what they found: ``python tests/benchmarks/all.py [NAME...]``.

Run it on an idle machine; it takes half an hour. It writes ``results.json``, from which the documentation generates its
page of benchmarks. With names, it measures only those and keeps the other results.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
NAMES = ("queries", "configure", "wheel_build", "stubs", "repair", "contract", "audit", "cross")


def main() -> None:
    """Run them and write what they found."""
    chosen = sys.argv[1:] or NAMES
    for name in chosen:
        if name not in NAMES:
            sys.exit(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}")
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in chosen:
        found[name] = {"machine": machine(), **measured(name)}
        text = json.dumps({name: found[name] for name in NAMES if name in found}, indent=1)
        RESULTS.write_text(f"{text}\n", encoding="utf-8")


def measured(name: str) -> dict[str, Any]:
    """Run a benchmark; return what it is about, what it said, and what came of its targets."""
    script = HERE / f"{name}.py"
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "results")
        results.touch()
        environment = {**os.environ, "BENCHMARK_RESULTS": str(results)}
        with subprocess.Popen(
            [sys.executable, script], env=environment, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                lines.append(line.rstrip())
        if process.returncode != 0:
            sys.exit(f"{name} failed")
        rows = [json.loads(row) for row in results.read_text(encoding="utf-8").splitlines()]
    about = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return {"about": about.split(":")[0], "output": lines, "targets": rows}


def machine() -> str:
    """Return in a few words what it is measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} processors ({model}), CPython {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    main()

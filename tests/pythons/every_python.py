"""Every Python: one wheel of the example runs its tests on each, and each builds one that does.

``python tests/pythons/every_python.py`` prints the table of the README and fails if that says something else;
``--write`` puts it in. Free-threaded 3.14 is not run: it is shown that installers would take the wheel and what it
needs, and that the library imports nothing of CPython.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Started as a script, Python finds the modules beside this one, and not those in tests/support.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from interpreters import find_interpreter
from support.downloads import download

from tvm_ffi_build.binaries.python_calls import require_agnostic
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "python_packaging"
README = ROOT / "README.md"
VERSIONS = tuple(f"3.{minor}" for minor in SUPPORTED_PYTHONS)
FREE_THREADED = "3.14t"
# Between these lines of the README.
BEGIN, END = "<!-- every-python: begin -->\n", "<!-- every-python: end -->\n"


@dataclass(frozen=True)
class Result:
    """What happened on one Python.

    Attributes:
        version: Of the Python.
        runs: Of the one wheel.
        builds: Of building another there.

    """

    version: str
    runs: str
    builds: str


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory(prefix="every-python-") as name:
        folder = Path(name)
        wheel, sdist = made_once(folder / "once")
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda version: on(version, wheel, sdist, folder / version), VERSIONS))
        results.append(free_threaded(wheel, folder / FREE_THREADED))
    table = as_table(results)
    sys.stdout.write(table)
    text = README.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    shown, _, after = rest.partition(END)
    if write:
        README.write_text(f"{before}{found}{table}{END}{after}", encoding="utf-8")
    elif shown != table:
        sys.exit("the README shows another table; run: python tests/pythons/every_python.py --write")


def made_once(folder: Path) -> tuple[Path, Path]:
    """Build the example's wheel and the sdist of this project."""
    subprocess.run(
        [sys.executable, "-m", "tvm_ffi_build", "wheel", "-q", "--no-repair", EXAMPLE, "-w", folder],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(["uv", "build", "--quiet", "--python", sys.executable, "--sdist", "-o", folder, ROOT], check=True)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def on(version: str, wheel: Path, sdist: Path, folder: Path) -> Result:
    """Install and test the wheel on one Python, then build, install and test another with it."""
    folder.mkdir()
    interpreter = find_interpreter(version, folder, packages=("g++",))
    work, inside = interpreter.folder, interpreter.inside
    for path in (wheel, sdist):
        shutil.copy(path, work)
    shutil.copytree(EXAMPLE, work / "example")
    interpreter.run(interpreter.python, "-m", "venv", "environment")
    python = f"{inside}/environment/bin/python"

    def tested(wheel: str) -> str:
        interpreter.run(python, "-m", "pip", "install", "-q", "--force-reinstall", f"{wheel}[test]")
        said = interpreter.run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{inside}/example/tests")
        passed = re.search(r"^(\d+) passed", said, re.MULTILINE)
        assert passed, said
        return f"{passed[1]} tests pass"

    runs = tested(wheel.name)
    interpreter.run(python, "-m", "pip", "install", "-q", f"./{sdist.name}[wheel]")
    interpreter.run(python, "-m", "tvm_ffi_build", "wheel", "--no-repair", "example", "-w", "built")
    (built,) = (work / "built").iterdir()
    if built.name != wheel.name:
        raise RuntimeError(f"CPython {version} built {built.name}")
    return Result(version, runs, tested(f"built/{built.name}"))


def free_threaded(wheel: Path, folder: Path) -> Result:
    """Let pip choose for a free-threaded Python that is not there, and look at what the library imports."""
    platform = wheel.stem.rpartition("-")[2]
    machine = platform.removeprefix("linux_")
    platforms = [platform, *(f"manylinux_2_{minor}_{machine}" for minor in (17, 24, 27, 28))]
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", str(folder)]
    command += ["--implementation", "cp", "--python-version", "3.14", "--abi", "cp314t", "--abi", "none"]
    command += [word for platform in platforms for word in ("--platform", platform)]
    download(*command, wheel)
    (runtime,) = folder.glob("apache_tvm_ffi-*.whl")
    if "-cp314t-" not in runtime.name:
        raise RuntimeError(f"for a free-threaded Python pip takes {runtime.name}")
    shutil.unpack_archive(wheel, folder / "unpacked", "zip")
    for library in (folder / "unpacked").rglob("*.so"):
        require_agnostic(library)
    return Result(FREE_THREADED, "resolves; the library imports nothing of CPython", "")


def as_table(results: list[Result]) -> str:
    """Return a table in Markdown."""
    lines = ["| CPython | one wheel, built once | a wheel built there |", "|---|---|---|"]
    lines += [f"| {result.version} | {result.runs} | {result.builds} |" for result in results]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()

"""Every Python: one wheel of the example runs its tests on each, and each builds one that does.

``python tests/pythons/every_python.py`` prints the table of the README and fails if that says something else;
``--write`` puts it in.

The runtime has no wheel for free-threaded 3.13, so there the libraries are called through the C ABI. Free-threaded 3.14
and 3.15 are not run: it is shown that installers would take the wheel and what it needs, and that the library imports
nothing of CPython.
"""

from __future__ import annotations

import argparse
import os
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

import interpreters
from interpreters import find_free_threaded, find_interpreter
from support.downloads import download
from support.processes import CMAKE, run

from tvm_ffi_build.binaries.python_calls import require_agnostic
from tvm_ffi_build.config import cmake_dir
from tvm_ffi_build.runtime import find_runtime
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "python_packaging"
SCRIPTS = Path(__file__).resolve().parent
README = ROOT / "README.md"
VERSIONS = tuple(f"3.{minor}" for minor in SUPPORTED_PYTHONS)
# For which the runtime has wheels.
FREE_THREADED = ("3.14t", "3.15t")
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
            called = pool.submit(call_free_threaded, wheel, folder)
            results = list(pool.map(lambda version: on(version, wheel, sdist, folder / version), VERSIONS))
        results.append(called.result())
        results += [resolve_free_threaded(version, wheel, folder / version) for version in FREE_THREADED]
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


def call_free_threaded(wheel: Path, folder: Path) -> Result:
    """Call the example's and the zoo's libraries on a free-threaded Python without the runtime's Python package."""
    cache = os.environ.get("TVM_FFI_BUILD_TEST_CACHE")
    python = find_free_threaded((Path(cache) if cache else folder) / "free-threaded")
    example, zoo, built = folder / "example", folder / "zoo", folder / "zoo-build"
    shutil.unpack_archive(wheel, example, "zip")
    shutil.copytree(ROOT / "tests" / "packages" / "zoo", zoo)
    run(CMAKE, "-S", zoo, "-B", built, f"-Dtvm_ffi_DIR={cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}")
    run(CMAKE, "--build", built)
    runtime = find_runtime().library
    libraries = (runtime, *example.rglob("libmy_ffi_extension.so"), built / "libzoo.so")
    said = run(python, SCRIPTS / "call_from_threads.py", *libraries, "--free-threaded").stdout.strip()
    run(python, SCRIPTS / "load_without_runtime.py", example, runtime)
    return Result(interpreters.FREE_THREADED, f"{said} through the C ABI, the GIL stays off", "")


def resolve_free_threaded(version: str, wheel: Path, folder: Path) -> Result:
    """Let pip choose for a free-threaded Python that is not there, and look at what the library imports."""
    platform = wheel.stem.rpartition("-")[2]
    machine = platform.removeprefix("linux_")
    platforms = [platform, *(f"manylinux_2_{minor}_{machine}" for minor in (17, 24, 27, 28))]
    abi = f"cp{version.replace('.', '')}"
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", str(folder)]
    command += ["--implementation", "cp", "--python-version", version.removesuffix("t"), "--abi", abi, "--abi", "none"]
    command += [word for platform in platforms for word in ("--platform", platform)]
    download(*command, wheel)
    (runtime,) = folder.glob("apache_tvm_ffi-*.whl")
    if f"-{abi}-" not in runtime.name:
        raise RuntimeError(f"for a free-threaded Python pip takes {runtime.name}")
    shutil.unpack_archive(wheel, folder / "unpacked", "zip")
    for library in (folder / "unpacked").rglob("*.so"):
        require_agnostic(library)
    return Result(version, "resolves; the library imports nothing of CPython", "")


def as_table(results: list[Result]) -> str:
    """Return a table in Markdown."""
    lines = ["| CPython | one wheel, built once | a wheel built there |", "|---|---|---|"]
    lines += [f"| {result.version} | {result.runs} | {result.builds} |" for result in results]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()

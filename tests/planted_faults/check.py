"""Plant faults in copies of a repository, and check that the tests notice each of them.

    python tests/planted_faults/check.py [ID ...] [--repository DIRECTORY] [--jobs N] [--baseline]

``faults.toml`` lists the faults, and for each the tests that should fail. Run this with the Python of a virtual
environment that has the extra ``test``. Each copy gets a virtual environment of its own on top of that one, in which
``tvm_ffi_build`` is the copy. PYTHONPATH is not enough for that: the tests remove it, and start child processes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Fault", "has_test", "main", "occurrences", "read_faults"]

_HERE = Path(__file__).resolve().parent
_FAULTS = _HERE / "faults.toml"
_REPOSITORY = _HERE.parents[1]
# Exit statuses of pytest.
_PASSED, _FAILED = 0, 1
# Exit status where a fault cannot be planted, or a test fails without one.
_UNUSABLE = 2


class Fault(NamedTuple):
    """A small change that breaks something.

    Attributes:
        id: Its name on the command line.
        kind: ``python``, ``cmake`` or ``data``.
        description: What a user would notice.
        file: The path of the file, relative to the repository.
        old: A text that occurs once in the file.
        new: The text that replaces it.
        tests: The pytest node ids of which at least one should fail.

    """

    id: str
    kind: str
    description: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


class Outcome(NamedTuple):
    """The result of a test run.

    Attributes:
        status: The exit status of pytest.
        seconds: How long it took.
        output: What pytest printed.

    """

    status: int
    seconds: float
    output: str


def read_faults(path: Path = _FAULTS) -> list[Fault]:
    """Return the faults of a file, in its order."""
    with path.open("rb") as stream:
        table = tomllib.load(stream)
    return [Fault(**{**row, "tests": tuple(row["tests"])}) for row in table["fault"]]


def occurrences(fault: Fault, repository: Path) -> int:
    """Count how often the text to be replaced occurs in the file."""
    return _read(repository / fault.file).count(fault.old)


def has_test(node: str, repository: Path) -> bool:
    """Say whether a repository has a test, by its node id without parameters."""
    name, _, function = node.partition("::")
    path = repository / name
    return path.is_file() and (not function or f"\ndef {function}(" in _read(path))


def _read(path: Path) -> str:
    # Without newline translation, so that a copy differs only in the fault.
    with path.open(encoding="utf-8", newline="") as stream:
        return stream.read()


def _copy(repository: Path, destination: Path) -> None:
    """Copy the files that git tracks or would add."""
    command = ["git", "-C", str(repository), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    for name in filter(None, listed.split("\0")):
        source, target = repository / name, destination / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def _create_environment(path: Path, repository: Path) -> dict[str, str]:
    """Create a virtual environment on top of the running one, in which the package is that of a repository.

    Returns the environment variables to run tests with.
    """
    venv.EnvBuilder(symlinks=os.name != "nt").create(path)
    words = {"base": str(path), "platbase": str(path)}
    modules, scripts = Path(sysconfig.get_path("purelib", vars=words)), Path(sysconfig.get_path("scripts", vars=words))
    # The order matters: an editable install puts its own checkout on the path as well, behind this one.
    lines = [str(repository), *(f"import site; site.addsitedir({entry!r})" for entry in _site_packages())]
    (modules / "planted_faults.pth").write_text("\n".join(lines), encoding="utf-8")
    _copy_scripts(Path(sysconfig.get_path("scripts")), scripts)
    temporary = path.with_name("temporary")
    temporary.mkdir()
    variables = {
        **os.environ,
        "PATH": os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)]),
        "TMPDIR": str(temporary),
        "VIRTUAL_ENV": str(path),
    }
    variables.pop("PYTHONPATH", None)
    _require_copy(scripts, variables, path.parent, repository)
    return variables


def _site_packages() -> list[str]:
    return list(dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]))


def _copy_scripts(source: Path, destination: Path) -> None:
    """Give an environment the commands of another one, those in Python with its own interpreter."""
    for path in source.iterdir():
        target = destination / path.name
        if target.exists() or path.name.startswith(("activate", "python")) or not path.is_file():
            continue
        content = path.read_bytes()
        interpreter = os.fsencode(source / "python")
        if content.startswith(b"#!") and interpreter in content:
            target.write_bytes(content.replace(interpreter, os.fsencode(destination / "python")))
            target.chmod(0o755)
        else:
            target.symlink_to(path)


def _require_copy(scripts: Path, variables: dict[str, str], directory: Path, repository: Path) -> None:
    """Check that commands and child processes run the package of a repository, wherever they run."""
    code = "import tvm_ffi_build; print(tvm_ffi_build.__file__)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    for command, expected in (
        (["python", "-c", code], repository / "tvm_ffi_build" / "__init__.py"),
        (["python", "-c", child], repository / "tvm_ffi_build" / "__init__.py"),
        (["tvm-ffi-build", "config", "--cmakedir"], repository / "cmake"),
    ):
        program = [str(scripts / command[0]), *command[1:]]
        done = subprocess.run(
            program, check=True, cwd=directory, env=variables, stdout=subprocess.PIPE, encoding="utf-8"
        )
        if Path(done.stdout.strip()) != expected:
            raise SystemExit(f"error: {command[0]} runs {done.stdout.strip()} instead of {expected}")


def _run_tests(repository: Path, tests: tuple[str, ...], fault: Fault | None = None) -> Outcome:
    """Run tests in a copy of a repository, with a fault in it unless that is None."""
    started = time.monotonic()
    with TemporaryDirectory(prefix="planted-fault-") as name:
        directory = Path(name).resolve()
        copy = directory / "repository"
        _copy(repository, copy)
        variables = _create_environment(directory / "environment", copy)
        if fault is not None:
            with (copy / fault.file).open("w", encoding="utf-8", newline="") as stream:
                stream.write(_read(repository / fault.file).replace(fault.old, fault.new))
        python = sysconfig.get_path("scripts", vars={"base": str(directory / "environment")})
        # Without a fault, every failure is of interest; with one, the first is enough.
        options = [
            *(["-x"] if fault else []),
            "-q",
            "-n",
            "0",
            "-m",
            "",
            "-p",
            "no:cacheprovider",
            f"--basetemp={directory / 'pytest'}",
        ]
        done = subprocess.run(
            [str(Path(python, "python")), "-m", "pytest", *options, *tests],
            check=False,
            cwd=copy,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    return Outcome(done.returncode, time.monotonic() - started, done.stdout)


def _try(fault: Fault, repository: Path) -> tuple[Fault, Outcome | None]:
    """Run the tests of a fault; without any of them in the repository, there is no outcome."""
    tests = tuple(node for node in fault.tests if has_test(node, repository))
    return fault, _run_tests(repository, tests, fault) if tests else None


def _require_baseline(faults: list[Fault], repository: Path) -> None:
    """Check that the tests of all faults pass without them."""
    tests = dict.fromkeys(node for fault in faults for node in fault.tests if has_test(node, repository))
    outcome = _run_tests(repository, tuple(tests))
    if outcome.status != _PASSED:
        sys.stderr.write(outcome.output)
        sys.stderr.write("error: these tests fail without a fault\n")
        raise SystemExit(_UNUSABLE)
    print(f"baseline: {len(tests)} tests or files of tests pass, {outcome.seconds:.0f} s")


def _require_usable(faults: list[Fault], repository: Path) -> None:
    """Check that each fault can be planted."""
    wrong = [(fault, count) for fault in faults if (count := occurrences(fault, repository)) != 1]
    for fault, count in wrong:
        sys.stderr.write(f"error: {fault.id}: its text occurs {count} times in {fault.file}, not once\n")
    if wrong:
        raise SystemExit(_UNUSABLE)


def main(argv: list[str] | None = None) -> int:
    """Print which faults the tests find; return 1 if they miss one."""
    parser = argparse.ArgumentParser(description="Plant faults, and check that the tests notice each of them.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="a fault of faults.toml (default: all of them)")
    parser.add_argument("--repository", type=Path, default=_REPOSITORY, help="the checkout to copy (default: this one)")
    parser.add_argument("--jobs", type=int, default=1, help="how many faults to try at a time (default: 1)")
    parser.add_argument("--baseline", action="store_true", help="first check that the tests pass without the faults")
    arguments = parser.parse_args(argv)
    faults = read_faults()
    unknown = set(arguments.ids).difference(fault.id for fault in faults)
    if unknown:
        parser.error(f"unknown fault: {', '.join(sorted(unknown))}")
    faults = [fault for fault in faults if not arguments.ids or fault.id in arguments.ids]
    repository = arguments.repository.resolve()
    _require_usable(faults, repository)
    if arguments.baseline:
        _require_baseline(faults, repository)
    found = 0
    print("| id | result | seconds |\n|---|---|--:|", flush=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for fault, outcome in pool.map(partial(_try, repository=repository), faults):
            if outcome is None:
                print(f"| {fault.id} | NOT FOUND (its tests do not exist) | 0.0 |", flush=True)
                continue
            found += outcome.status == _FAILED
            result = {_FAILED: "found", _PASSED: "NOT FOUND"}.get(
                outcome.status, f"NOT FOUND (pytest: {outcome.status})"
            )
            print(f"| {fault.id} | {result} | {outcome.seconds:.1f} |", flush=True)
            if outcome.status not in {_FAILED, _PASSED}:
                sys.stderr.write(outcome.output[-2000:])
    print(f"found {found} of {len(faults)}")
    return 0 if found == len(faults) else 1


if __name__ == "__main__":
    sys.exit(main())

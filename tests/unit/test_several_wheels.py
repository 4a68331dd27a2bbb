"""Wheels that are each good, and call each other's libraries in one process."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Package = Callable[..., Path]

TAG = "py3-none-manylinux_2_28_x86_64"
REQUIRED = ("Requires-Dist: apache-tvm-ffi>=0.1.15,<0.2",)


@pytest.fixture
def package(tmp_path: Path, make_wheel: Callable[..., Path]) -> Package:
    """Return a function that makes a wheel of an extension with a library that it needs, which answers a number."""

    def make(name: str, answer: int, core: str = "libcore.so", tag: str = TAG) -> Path:
        folder = tmp_path / "site" / name
        folder.mkdir(parents=True)
        (folder / "core.c").write_text(f"int answer(void) {{ return {answer}; }}\n", encoding="utf-8")
        (folder / "ext.c").write_text(
            "int answer(void); int __tvm_ffi_f(void) { return answer(); }\n", encoding="utf-8"
        )
        link = ("cc", "-shared", "-fPIC")
        run(*link, "-o", folder / core, folder / "core.c", f"-Wl,-soname,{core}")
        extension = folder / f"lib{name}.so"
        run(*link, "-o", extension, folder / "ext.c", folder / core, "-Wl,-rpath,$ORIGIN")
        files = {f"{name}/{path.name}": path.read_bytes() for path in (extension, folder / core)}
        return make_wheel({f"{name}/__init__.py": b"", **files}, name=name, tag=tag, metadata=REQUIRED)

    return make


def found(*arguments: str | Path) -> dict[str, list[tuple[str, str]]]:
    done = run(sys.executable, "-m", "tvm_ffi_build", "audit", *arguments, "--format", "json", ok=False)
    return {
        artifact["path"].rpartition("/")[2].partition("-")[0]: [
            (finding["rule"], finding["message"]) for finding in artifact["findings"]
        ]
        for artifact in json.loads(done.stdout)["artifacts"]
    }


def test_the_later_of_two_wheels_with_one_name_is_told(package: Package, tmp_path: Path) -> None:
    one, two = package("one", 1), package("two", 2)
    findings = found(one, two, "--select", "P363")
    assert findings["one"] == []
    ((rule, message),) = findings["two"]
    assert rule == "P363"
    assert message.startswith(f"two/libcore.so and one/libcore.so of {one.name} are different libraries")
    # Which is so: the second package gets the first one's answer.
    code = (
        "import ctypes; load = lambda name: ctypes.CDLL(f'{name}/lib{name}.so').__tvm_ffi_f()\n"
        "print(load('one'), load('two'))"
    )
    assert run(sys.executable, "-c", code, cwd=tmp_path / "site").stdout.split() == ["1", "1"]


def test_each_pair_is_compared(package: Package) -> None:
    wheels = [package("one", 1), package("two", 2), package("three", 3, "libother.so"), package("four", 4)]
    findings = found(*wheels, "--select", "P363")
    assert {name: len(problems) for name, problems in findings.items()} == {"one": 0, "two": 1, "three": 0, "four": 2}


@pytest.mark.parametrize(
    ("answer", "core"),
    [(1, "libcore.so"), (2, "libtwo_core.so"), (2, "libcore-0a1b2c3d.so")],
    ids=["the same library", "another name", "a name with a hash, as tools make"],
)
def test_wheels_that_do_nothing_to_each_other(package: Package, answer: int, core: str) -> None:
    first = package("one", 1, core if "-" in core else "libcore.so")
    assert found(first, package("two", answer, core), "--select", "P363") == {"one": [], "two": []}


def test_two_wheels_of_one_distribution_are_never_installed_together(package: Package, tmp_path: Path) -> None:
    wheel = package("one", 1)
    (tmp_path / "site").rename(tmp_path / "first")
    newer = package("one", 2, tag="py3-none-manylinux_2_31_x86_64")
    done = run(sys.executable, "-m", "tvm_ffi_build", "audit", wheel, newer, "--select", "P363")
    assert done.stdout.count(".whl: clean") == 2


def test_it_can_be_ignored_for_a_file(package: Package, tmp_path: Path) -> None:
    one, two = package("one", 1), package("two", 2)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.tvm-ffi-build.audit]\nselect = ["P36"]\nper-file-ignores = {"*/libcore.so" = ["P36"]}\n',
        encoding="utf-8",
    )
    done = run(sys.executable, "-m", "tvm_ffi_build", "audit", one, two, cwd=tmp_path, ok=False)
    assert done.stdout.count(".whl: clean") == 2

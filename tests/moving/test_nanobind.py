"""The page on moving from pybind11 and nanobind: what it claims of TVM-FFI is so, and its two modules do the same."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Environment

PAGE = ROOT / "docs/how-to/from-pybind11-nanobind.md"

CHECKS = """
import numpy as np, stats

x = np.arange(6, dtype=np.float32)
assert stats.mean(x) == 2.5 and stats.mean(x[::-2]) == 3
for wrong, kind in ((x[:0], ValueError), (np.zeros((2, 2), np.float32), TypeError), ("x", TypeError)):
    try:
        stats.mean(wrong)
    except kind:
        continue
    raise AssertionError(wrong)
counter = stats.Counter("a", 40)
assert (counter.add(2), counter.count, counter.name) == (42, 42, "a")
counter.count = 1
assert counter.add(1) == 2
try:
    counter.name = "b"
except AttributeError:
    print("the same")
"""


def files(kind: str) -> dict[str, str]:
    """Return the files of a project, as the page shows them."""
    return dict(re.findall(rf"<!-- {kind}: (\S+) -->\n```\w+\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def write(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_page_shows_two_whole_projects() -> None:
    theirs, ours = files("nanobind"), files("tvm-ffi")
    assert set(ours) == {"src/stats.cc", "CMakeLists.txt", "python/stats/__init__.py", "pyproject.toml"}
    assert set(theirs) == set(ours) - {"pyproject.toml"}


@pytest.mark.slow
def test_both_do_the_same(tmp_path: Path, environment: Environment) -> None:
    theirs = files("nanobind")
    ((requires, other),) = re.findall(r"`(requires = [^`]*nanobind[^`]*)`.*(TVM)", PAGE.read_text("utf-8"))
    assert other
    theirs["pyproject.toml"] = re.sub(r"^(requires) = .*", requires, files("tvm-ffi")["pyproject.toml"], flags=re.MULTILINE)
    theirs["pyproject.toml"] = re.sub(r'dynamic = .*\n|\[\[.*\nprovider = .*\n', "", theirs["pyproject.toml"])
    run("uv", "build", "--wheel", "--python", sys.executable, "-o", tmp_path / "dist", write(tmp_path / "theirs", theirs))
    ours = write(tmp_path / "ours", files("tvm-ffi"))
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", ours, "-w", tmp_path / "dist")
    wheels = sorted((tmp_path / "dist").glob("*.whl"))
    this = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert ["-".join(wheel.stem.split("-")[2:4]) for wheel in wheels] == [f"{this}-{this}", "py3-none"]
    for wheel in wheels:
        environment.install("--reinstall", wheel, "numpy")
        assert environment.run("-c", CHECKS) == "the same\n", wheel

"""The page on moving from pybind11 and nanobind: what it claims of TVM-FFI is so, and its two modules do the same."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import build_configured, command_line, run
from support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

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
assert "how far it is" in stats.Counter.add.__doc__
counter.count = 1
assert counter.add(1) == 2
try:
    counter.name = "b"
except AttributeError:
    print("the same")
"""

# Each line of the page's table that can be wrong, on the library of edges.cc.
CLAIMS = """
import sys, threading, time
import numpy as np, tvm_ffi

lib = tvm_ffi.load_module(sys.argv[1])

def fails(kind, text, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        assert type(error) is kind and text in str(error), error
        return error
    raise AssertionError(call)

fails(TypeError, "keyword", lib.sum, numbers=[1])
assert lib.sum([1, 2, 3]) == 6
assert lib.kind != "mine" and lib.get_function("kind")() == "mine"
assert dict(lib.lengths({"a": "bcd"})) == {"a": 3} and not isinstance(lib.lengths({}), dict)
assert list(lib.same([1])) == [1] and not isinstance(lib.same([1]), list)
assert [lib.or_seven(None), lib.or_seven(1), lib.or_eight(None), lib.or_eight(2)] == [7, 1, 8, 2]
fails(RuntimeError, "too far", lib.out_of_range)

own = object()
assert lib.same(own) is own
assert [lib.kind_of(value) for value in (1, "a", own)] == ["int", "str", "other"]

raised = KeyError("x")
def callback():
    raise raised
assert fails(KeyError, "x", lib.call, callback) is not raised
assert lib.call_from_thread(lambda x: x + 1) == 42

fixed = np.zeros(3)
fixed.flags.writeable = False
fails(BufferError, "readonly", lib.dimensions, fixed)
fails(TypeError, "DLTensor", lib.dimensions, b"abc")
assert lib.strides(np.zeros((3, 4))[::2]) == 8  # elements, not bytes
lib.keep(np.arange(4))
assert np.from_dlpack(lib.kept()).tolist() == [0, 1, 2, 3]

def turns(sleep, milliseconds):
    count, stop = [0], threading.Event()
    def other():
        while not stop.is_set():
            count[0] += 1
            time.sleep(0.001)
    thread = threading.Thread(target=other)
    thread.start()
    before = count[0]
    sleep(milliseconds)
    after = count[0]
    stop.set()
    thread.join()
    return after - before

# On a loaded machine the other thread gets its turns later: there it has more time.
assert any(turns(lib.sleep, milliseconds) > 10 for milliseconds in (500, 2000, 8000))
holding = lib.get_function("sleep")
holding.release_gil = False
assert any(turns(holding, 500) <= 10 for _ in range(5))
@tvm_ffi.register_object("edges.Tally")
class Tally(tvm_ffi.Object):
    pass

tally = Tally()
assert [tally.add(2), tally.add("abc")] == [2, 5]
print("as the page says")
"""


def files(kind: str) -> dict[str, str]:
    """Return the files of a project, as the page shows them."""
    return dict(
        re.findall(rf"<!-- {kind}: (\S+) -->\n```\w+\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )


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
    theirs["pyproject.toml"] = re.sub(
        r"^(requires) = .*", requires, files("tvm-ffi")["pyproject.toml"], flags=re.MULTILINE
    )
    theirs["pyproject.toml"] = re.sub(r"dynamic = .*\n|\[\[.*\nprovider = .*\n", "", theirs["pyproject.toml"])
    run(
        *command_line(
            "uv build --wheel --python {python} -o {dist} {project}",
            python=sys.executable,
            dist=tmp_path / "dist",
            project=write(tmp_path / "theirs", theirs),
        )
    )
    ours = write(tmp_path / "ours", files("tvm-ffi"))
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", ours, "-w", tmp_path / "dist")
    stub = (ours / "python/stats/_library.py").read_text(encoding="utf-8")
    assert "def mean(self, x: " in stub
    assert "Return the mean of a vector." in stub
    wheels = sorted((tmp_path / "dist").glob("*.whl"))
    this = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert ["-".join(wheel.stem.split("-")[2:4]) for wheel in wheels] == [f"{this}-{this}", "py3-none"]
    for wheel in wheels:
        environment.install("--reinstall", wheel, "numpy")
        assert environment.run("-c", CHECKS) == "the same\n", wheel


@pytest.mark.slow
def test_the_edges_are_as_the_table_says(configure: Callable[..., object], tmp_path: Path) -> None:
    configure(f'add_library(edges SHARED "{ROOT}/tests/moving/edges.cc")', "tvm_ffi_configure_target(edges)")
    build_configured(tmp_path)
    (library,) = (tmp_path / "build").glob("libedges.*")
    assert run(sys.executable, "-c", CLAIMS, library).stdout == "as the page says\n"

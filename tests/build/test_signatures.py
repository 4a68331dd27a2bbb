"""Signatures that C++ registers: what compiles, what a stub shows, and what a call does."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import command_line, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Configure = Callable[..., subprocess.CompletedProcess[str]]

SOURCE = """
#include <tvm/ffi/tvm_ffi.h>
#include <tvm_ffi_build/signature.h>

namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;

static double Axpy(double x, double y, double alpha) { return alpha * x + y; }
static int64_t Add(int64_t a, int64_t b) { return a + b; }
static ffi::String Join(ffi::Array<ffi::String> words, ffi::String by) {
  std::string joined;
  for (const auto& word : words) joined += (joined.empty() ? std::string() : std::string(by)) + std::string(word);
  return joined;
}
static ffi::Array<int64_t> Keep(ffi::Optional<int64_t> number, bool is_kept) {
  return is_kept && number.has_value() ? ffi::Array<int64_t>{*number} : ffi::Array<int64_t>{};
}

struct Pair : ffi::Object {
  int64_t a;
  int64_t b;
  Pair(int64_t a, int64_t b) : a(a), b(b) {}
  int64_t Sum(int64_t more) const { return a + b + more; }
  static constexpr bool _type_mutable = true;
  TVM_FFI_DECLARE_OBJECT_INFO_FINAL("lib.Pair", Pair, ffi::Object);
};

TVM_FFI_STATIC_INIT_BLOCK() {
  refl::GlobalDef()
      .def("lib.axpy", TVM_FFI_SIG("x, y, *, alpha=1.0", "Return \\"alpha\\" * x + y.", Axpy))
      .def("lib.add", TVM_FFI_SIG("a, b, /", "Add.", Add))
      .def("lib.keywords", TVM_FFI_SIG("a, b", "", [](int64_t a, int64_t b) { return a - b; }))
      .def("lib.join", TVM_FFI_SIG("words, by=', '", "Join words.\\n\\nIn their order.", Join))
      .def("lib.keep", TVM_FFI_SIG("number=None, is_kept=True", "", Keep))
      .def("lib.plain", Add);
  refl::ObjectDef<Pair>()
      .def(TVM_FFI_SIG("a, b=2", "Make a pair.", refl::init<int64_t, int64_t>()))
      .def_rw("a", &Pair::a)
      .def("sum", TVM_FFI_SIG("more", "Add all.", &Pair::Sum))
      .def("first", TVM_FFI_SIG("self", "Return the first.", [](const Pair* pair) { return pair->a; }))
      .def_static("twice", TVM_FFI_SIG("number", "Double.", [](int64_t number) { return 2 * number; }));
}

TVM_FFI_DLL_EXPORT_SIG(scale, Add, "x, factor", "Scale \\"x\\".");
"""
STEP = ("add_library(lib SHARED signed.cc)", "tvm_ffi_configure_target(lib METADATA ON STUB_DIR python STUB_INIT ON)")

RIGHT = """
import lib

numbers: list[float] = [
    lib.axpy(1, 2), lib.axpy(1, y=2), lib.axpy(x=1, y=2, alpha=3.0), lib.add(1, 2), lib.keywords(b=1, a=2),
    lib.plain(1, 2),
]
texts: list[str] = [lib.join(["a", "b"]), lib.join(["a", "b"], "-"), lib.join(by="+", words=["a"])]
kept: list[int] = [*lib.keep(), *lib.keep(1), *lib.keep(is_kept=False, number=1), *lib.keep(2, True)]
pairs: list[int] = [lib.Pair(1).sum(3), lib.Pair(1, 5).sum(0), lib.Pair(b=1, a=4).first(), lib.Pair.twice(2)]
scaled: int = lib.LIB.scale(2, 3)
print(numbers, texts, kept, pairs, scaled)
"""
# Each of these is wrong, for type checkers and at run time.
WRONG = """
lib.axpy(1, 2, 3.0)
lib.axpy(1)
lib.axpy(1, 2, beta=3.0)
lib.axpy("1", 2)
lib.axpy(1, 2, alpha="3")
lib.add(a=1, b=2)
lib.keywords(1, 2, 3)
lib.join(["a"], 1)
lib.keep("1")
lib.Pair()
lib.Pair(1, c=2)
lib.Pair(1).sum(more=1)
lib.Pair.twice(number=1)
lib.LIB.scale(x=2, factor=3)
"""


@pytest.fixture
def package(configure: Configure, tmp_path: Path) -> Path:
    """Return the folder that has a package whose functions have signatures."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "signed.cc").write_text(SOURCE, encoding="utf-8")
    (source / "pyproject.toml").touch()
    configure(*STEP)
    run("cmake", "--build", tmp_path / "build")
    (tmp_path / "build").rename(source / "build")
    return source / "python"


def wrong_lines(text: str) -> set[int]:
    return {number for number, line in enumerate(text.splitlines(), 1) if line and line in WRONG.splitlines()}


def test_what_is_shown_is_what_a_call_takes(package: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    text = RIGHT + WRONG
    (tmp_path / "wrong.py").write_text(text, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(package), "MYPYPATH": str(package)}
    done = run(sys.executable, tmp_path / "right.py", env=env)
    assert done.stdout == "[3.0, 3.0, 5.0, 3, 1, 3] ['a, b', 'a-b', 'a'] [1, 2] [6, 6, 4, 4] 5\n"
    check = command_line("{python} -m mypy --strict --no-error-summary --no-incremental", python=sys.executable)
    assert run(*check, "right.py", package / "lib", cwd=tmp_path, env=env).stdout == ""
    found = run(*check, "wrong.py", cwd=tmp_path, env=env, ok=False).stdout
    assert {int(line) for line in re.findall(r"wrong\.py:(\d+): error", found)} == wrong_lines(text), found
    settings = f'{{"typeCheckingMode": "strict", "extraPaths": ["{package}"], "include": ["*.py"]}}'
    (tmp_path / "pyrightconfig.json").write_text(settings, encoding="utf-8")
    pyright = Path(sys.executable).with_name("pyright")
    found = run(pyright, "--pythonpath", sys.executable, cwd=tmp_path, ok=False).stdout
    assert {int(line) for line in re.findall(r"wrong\.py:(\d+):\d+ - error", found)} == wrong_lines(text), found
    assert "right.py" not in found
    tried = f"""
import lib
accepted = []
for line in {WRONG.split(chr(10))!r}:
    try:
        exec(line)
    except TypeError:
        continue
    accepted.append(line)
print([line for line in accepted if line])
"""
    assert run(sys.executable, "-c", tried, env=env).stdout == "[]\n"


def test_docs_are_there_for_type_checkers_and_for_help(package: Path) -> None:
    stub = (package / "lib/_ffi_api.py").read_text(encoding="utf-8")
    assert "def axpy(x: float, y: float, *, alpha: float = 1.0) -> float:\n" in stub
    assert "def add(a: int, b: int, /) -> int:\n" in stub
    # No call is slower that does not have to be.
    assert re.findall(r"^    def (\w+)\(\w[\w, =*.\'/]*\):$", stub, re.MULTILINE) == [
        "axpy",
        "join",
        "keep",
        "keywords",
    ]
    program = "import inspect, lib; print(inspect.signature(lib.join), inspect.getdoc(lib.join))"
    env = {**os.environ, "PYTHONPATH": str(package)}
    assert run(sys.executable, "-c", program, env=env).stdout == "(words, by=', ') Join words.\n\nIn their order.\n"
    loader = (package / "lib/_library.py").read_text(encoding="utf-8")
    assert 'def scale(self, x: int, factor: int, /) -> int:\n            """Scale "x"."""\n' in loader


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("x, y, *, alpha=1.0", "x, y", "the signature has another number of parameters than the function"),
        ('"more"', '"self, more"', "the signature has another number of parameters than the function"),
        ('"self"', '""', "the signature has another number of parameters than the function"),
        ('"a, b=2"', '"a"', "the signature has another number of parameters than the function"),
        ('"x, factor"', '"x"', "the signature has another number of parameters than the function"),
        ("by=', '", "by=', ", "a string that is not closed|not a constant expression"),
        ('"a, b"', '"a, b=(1"', "a bracket that is not closed|not a constant expression"),
        ('"a, b"', '"a,, b"', "lacks a parameter|not a constant expression"),
    ],
)
def test_a_signature_that_does_not_fit_does_not_compile(
    configure: Configure, tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    (tmp_path / "source").mkdir()
    assert right in SOURCE
    (tmp_path / "source/signed.cc").write_text(SOURCE.replace(right, wrong, 1), encoding="utf-8")
    configure(STEP[0], "tvm_ffi_configure_target(lib METADATA ON)", "target_compile_options(lib PRIVATE -fsyntax-only)")
    done = run("cmake", "--build", tmp_path / "build", ok=False)
    assert done.returncode != 0
    assert re.search(message, done.stdout), done.stdout


def test_a_signature_that_contradicts_the_types_stops_the_build(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/signed.cc").write_text(SOURCE.replace("alpha=1.0", "alpha='1'"), encoding="utf-8")
    configure(*STEP)
    done = run("cmake", "--build", tmp_path / "build", ok=False)
    assert done.returncode != 0
    assert (
        "error: the signature \"x, y, *, alpha='1'\" of lib.axpy has alpha='1', but the function takes float there\n"
        "hint: correct it where the function is registered\n"
    ) in done.stdout
    assert not (tmp_path / "source/python").exists()

"""The guard of the generated loader, in whatever form it is installed: it refuses, or it says what is wrong."""

from __future__ import annotations

import importlib
import py_compile
import shutil
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tvm_ffi_build.cmake_steps.runtime_guard import render_module
from tvm_ffi_build.contract.verdicts import BAD
from tvm_ffi_build.stubgen.new_package import loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# As it is filled for a library without functions.
LOADER = (
    Path(loader.__file__)
    .with_name("loader_template.py")
    .read_text(encoding="utf-8")
    .replace("@TARGET@", "core")
    .replace("@DISTRIBUTION@", "my-kernels")
)
GUARD = "_core_runtime.py"
REFUSES = "WORKS_WITH = '>=0.2'\nFAILS_ON = {'0.1.12': 'it lacks a function', '0.1.15.post2': 'it lacks a function'}\n"


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a stand-in for the runtime, whose version can be set."""
    module = SimpleNamespace(__version__="0.1.12", load_module=lambda path: ("loaded", path), Module=object)
    monkeypatch.setitem(sys.modules, "tvm_ffi", module)
    monkeypatch.delitem(sys.modules, "kernels", raising=False)
    return module


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Any) -> Iterator[Callable[[], Any]]:
    """Make a package with the loader, an empty library and a guard; return a function that imports it."""
    del runtime
    folder = tmp_path / "site" / "kernels"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from ._library import LIB\n", encoding="utf-8")
    (folder / "_library.py").write_text(LOADER, encoding="utf-8")
    for name in ("libcore.so", "libcore.dylib", "core.dll"):
        (folder / name).touch()
    (folder / GUARD).write_text(REFUSES, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    yield lambda: importlib.import_module("kernels").LIB
    for name in [name for name in sys.modules if name.partition(".")[0] == "kernels"]:
        del sys.modules[name]


def test_a_release_that_is_known_to_fail_is_refused(load: Callable[[], Any]) -> None:
    with pytest.raises(ImportError, match=r"my-kernels does not work with apache-tvm-ffi 0\.1\.12 \(it lacks"):
        load()


@pytest.mark.parametrize("version", ["0.1.12+cu130", "0.1.15.post2+local", "0.1.15.post2+local.2"])
def test_a_local_build_of_such_a_release_is_refused(load: Callable[[], Any], runtime: Any, version: str) -> None:
    runtime.__version__ = version
    with pytest.raises(ImportError, match="does not work with"):
        load()


@pytest.mark.parametrize("version", ["0.1.13", "0.1.12.post1+local", "unknown", ""])
def test_any_other_release_is_not(load: Callable[[], Any], runtime: Any, version: str) -> None:
    runtime.__version__ = version
    assert load()[0] == "loaded"


def test_a_guard_that_is_only_compiled_is_read(load: Callable[[], Any], tmp_path: Path) -> None:
    """As by ``python -m compileall -b`` and removing the sources."""
    folder = tmp_path / "site" / "kernels"
    for source in list(folder.glob("*.py")):
        py_compile.compile(str(source), str(source.with_suffix(".pyc")), doraise=True)
        source.unlink()
    with pytest.raises(ImportError, match="does not work with"):
        load()


def test_without_a_guard_it_loads(load: Callable[[], Any], tmp_path: Path) -> None:
    (tmp_path / "site" / "kernels" / GUARD).unlink()
    assert load()[0] == "loaded"


DAMAGED = {
    "empty": b"",
    "not Python": b"FAILS_ON = {",
    "no WORKS_WITH": b"FAILS_ON = {'0.1.12': 'x'}",
    "no FAILS_ON": b"WORKS_WITH = ''",
    "other types": b"WORKS_WITH = ''\nFAILS_ON = 7",
    "bytes that are not UTF-8": b"# \xff\n",
    "a NUL": b"WORKS_WITH = '\0'\n",
    "it raises": b"raise OSError('x')",
    "too deep": b"WORKS_WITH = " + b"(" * 5000,
}


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("ending", [".py", ".pyc"])
def test_a_damaged_guard_is_named(load: Callable[[], Any], tmp_path: Path, case: str, ending: str) -> None:
    guard = tmp_path / "site" / "kernels" / GUARD
    guard.unlink()
    guard.with_suffix(ending).write_bytes(DAMAGED[case])
    with pytest.raises(
        ImportError, match=r"_core_runtime\.py is damaged \(.*\); install it again: python -m pip"
    ) as error:
        load()
    assert "\n" not in str(error.value)


def test_from_an_archive_it_says_that_it_cannot_be(load: Callable[[], Any], tmp_path: Path) -> None:
    del load
    site = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for path in sorted((site / "kernels").iterdir()):
            archive.write(path, f"kernels/{path.name}")
    shutil.rmtree(site)
    sys.path.insert(0, str(tmp_path / "app.zip"))
    try:
        with pytest.raises(ImportError, match=r"cannot be loaded from the archive \S+app\.zip; unpack it"):
            importlib.import_module("kernels")
    finally:
        sys.path.remove(str(tmp_path / "app.zip"))


@pytest.mark.parametrize("name", ['lib"""\nimport os\n"""', "lib\\", 'a"b', "a\nb", "größe\u202e", "a\udcffb", "'''"])
def test_no_name_of_a_library_and_no_reason_becomes_code(name: str) -> None:
    reason = SimpleNamespace(severity=BAD, text=name)
    verdict = SimpleNamespace(status=BAD, reasons=[reason])
    found: Any = SimpleNamespace(verdicts={name: verdict}, range=SimpleNamespace(floor=""))
    known: dict[str, Any] = {}
    text = render_module(name, found)
    exec(compile(text, "guard", "exec"), known)  # noqa: S102
    assert known["FAILS_ON"] == {name: name}
    assert set(known) == {"__builtins__", "__doc__", "__annotations__", "WORKS_WITH", "FAILS_ON"}
    assert name in known["__doc__"]

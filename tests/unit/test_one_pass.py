"""``tvm-ffi-build wheel`` opens the wheel that was built once, and inflates, hashes and parses each file of it once."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.processes import run

from tvm_ffi_build import binaries, pipeline
from tvm_ffi_build.contract import assess
from tvm_ffi_build.contract.evidence.needs import read_needs
from tvm_ffi_build.frontend.run_frontend import BuildRequest
from tvm_ffi_build.pipeline import build as build_module
from tvm_ffi_build.runtime import find_runtime
from tvm_ffi_build.wheels import archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROJECT = '[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "mesonpy"\n'
SOURCE = """int TVMFFIFunctionCall(void *, int);
__attribute__((visibility("default"))) int __tvm_ffi_f(void *f) { return TVMFFIFunctionCall(f, 1); }
"""
INFO = "demo-1.0.dist-info/"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str]]:
    """Return how often which archive was opened, which file inflated, hashed and parsed, and what was assessed."""
    found: Counter[tuple[str, str]] = Counter()
    init, chunks = archive.Archive.__init__, archive.Archive.chunks
    new, parse, needs = hashlib.new, binaries.parse_binary, read_needs

    def opened(self: archive.Archive, path: Path, *rest: object) -> None:
        found["opened", path.name] += 1
        init(self, path, *rest)  # type: ignore[arg-type]

    def inflated(self: archive.Archive, name: str) -> Iterator[bytes]:
        found[f"inflated from {self.path.name}", name] += 1
        return chunks(self, name)

    def hashed(name: str) -> object:
        found["hashed", name] += 1
        return new(name)

    def parsed(data: object, name: str) -> object:
        found["parsed", name.rpartition("/")[2]] += 1
        return parse(data, name)  # type: ignore[arg-type]

    def assessed(*args: object, name: str, **options: object) -> object:
        found["assessed", name] += 1
        return needs(*args, name=name, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(archive.Archive, "__init__", opened)
    monkeypatch.setattr(archive.Archive, "chunks", inflated)
    monkeypatch.setattr(hashlib, "new", hashed)
    monkeypatch.setattr(binaries, "parse_binary", parsed)
    monkeypatch.setattr(assess, "read_needs", assessed)
    return found


@pytest.fixture
def build(
    tmp_path: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Path, pipeline.BuiltWheel]]:
    """Return a function that has a wheel with a library and a program built, checked, repaired and audited."""

    def make(*, repaired: bool = True, audited: bool = True) -> tuple[Path, pipeline.BuiltWheel]:
        (tmp_path / "a.c").write_text(SOURCE, encoding="utf-8")
        (tmp_path / "tool.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
        link = [f"-L{find_runtime().library_dir}", "-ltvm_ffi", "-Wl,-rpath,$ORIGIN/../tvm_ffi/lib"]
        run("cc", "-shared", "-fPIC", "-nostdlib", "-o", tmp_path / "liba.so", tmp_path / "a.c", *link)
        run("cc", "-o", tmp_path / "tool", tmp_path / "tool.c")
        files = {
            "demo/__init__.py": b"import tvm_ffi\n",
            "demo/types.pyi": b"",
            "demo/data.txt": b"MZ is a text",
            "demo/liba.so": (tmp_path / "liba.so").read_bytes(),
            "demo/bin/tool": (tmp_path / "tool").read_bytes(),
        }
        made = make_wheel(files, metadata=["Requires-Dist: apache-tvm-ffi<0.2,>=0.1"], folder=tmp_path / "made")
        monkeypatch.setattr(build_module, "run_build", lambda request, **_: shutil.copy(made, request.output))
        (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
        # The import check would open the result once more: it tries the file that users get, as an installer reads it.
        request = BuildRequest(tmp_path, tmp_path / "out", isolated=False)
        return made, pipeline.build_wheel(request, repaired=repaired, audited=audited, imported=False)

    return make


@pytest.mark.parametrize("options", [{}, {"repaired": False}, {"audited": False}])
def test_each_file_of_the_wheel_is_read_once(
    counted: Counter[tuple[str, str]],
    build: Callable[..., tuple[Path, pipeline.BuiltWheel]],
    options: dict[str, bool],
) -> None:
    made, built = build(**options)
    repaired = options.get("repaired", True)
    assert (built.path.name != made.name) == repaired
    assert (built.report is not None) == (not options)
    files = ["demo/__init__.py", "demo/types.pyi", "demo/data.txt", "demo/liba.so", "demo/bin/tool"]
    metadata = [f"{INFO}{name}" for name in ("METADATA", "WHEEL", "RECORD")]
    assert of(counted, "opened") == {made.name: 1} | ({built.path.name: 1} if repaired else {})
    assert of(counted, f"inflated from {made.name}") == dict.fromkeys([*files, *metadata], 1)
    if repaired:
        # What the repair has taken as it was is not read again.
        assert of(counted, f"inflated from {built.path.name}") == dict.fromkeys(metadata, 1)
    # All but RECORD, and WHEEL of the result.
    assert counted["hashed", "sha256"] == len(files) + 2 + repaired
    assert of(counted, "parsed") == {"liba.so": 1, "tool": 1}
    assert of(counted, "assessed") == {"demo/liba.so": 1, "demo/bin/tool": 1}


def of(counted: Counter[tuple[str, str]], what: str) -> dict[str, int]:
    return {name: count for (known, name), count in counted.items() if known == what}

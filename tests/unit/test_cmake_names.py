"""The names in ``cmake/``: what a project may use is documented, everything else begins with ``_tvm_ffi_``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.project import ROOT

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CMAKE = ROOT / "cmake"
FILES = sorted([*CMAKE.rglob("*.cmake"), *CMAKE.rglob("CMakeLists.txt")])
DEFINITION = re.compile(r"^\s*(?:function|macro)\(\s*(\w+)", re.MULTILINE)
NAME = re.compile(r"(?<![\w.-])_?tvm_ffi_\w+", re.IGNORECASE)


def names_in(paths: Iterable[Path]) -> set[str]:
    return {name for path in paths for name in NAME.findall(path.read_text(encoding="utf-8", errors="replace"))}


def public_names() -> set[str]:
    """Return the functions, and the names that are spelled elsewhere: in the manual, the code, the runtime."""
    outside = names_in(
        [
            *CMAKE.rglob("*.in"),
            *(ROOT / "docs").rglob("*.md"),
            *(ROOT / "tvm_ffi_build").rglob("*.py"),
            *(find_runtime().include_dir / "tvm" / "ffi").rglob("*.h"),
        ]
    )
    # What both ways in define is listed at the head of their files.
    ways_in = (CMAKE / "tvm_ffi-config.cmake", CMAKE / "source" / "CMakeLists.txt")
    heads = [re.match(r"(#.*\n)+", path.read_text(encoding="utf-8")) for path in ways_in]
    listed = {name for head in heads if head for name in NAME.findall(head[0])}
    found = {f"tvm_ffi_{word}" for word in ("FOUND", "FIND_REQUIRED", "FIND_QUIETLY", "NOT_FOUND_MESSAGE")}
    return {path.stem for path in FILES} | outside | found | listed


def without_comments_and_messages(text: str) -> str:
    text = re.sub(r"#.*", "", text)
    return re.sub(r'"[^"]*"', lambda literal: " ".join(re.findall(r"\$\{\w+\}|\b_?tvm_ffi_\w+\b", literal[0])), text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_not_documented_is_private(path: Path) -> None:
    text = without_comments_and_messages(path.read_text(encoding="utf-8"))
    named = {name for name in NAME.findall(text) if not name.startswith("_tvm_ffi_")}
    # "_TVM_FFI_..." is neither: CMake's names, of which it is a part, are cut off before.
    assert named - public_names() == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_function_is_private_or_has_a_file_of_its_name(path: Path) -> None:
    defined = DEFINITION.findall(path.read_text(encoding="utf-8"))
    assert [name for name in defined if not name.startswith("_tvm_ffi_") and name != path.stem] == []

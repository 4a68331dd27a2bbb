"""Texts in files, found as Python finds them in bytes, wherever a piece ends."""

from __future__ import annotations

import mmap
import re
from typing import TYPE_CHECKING
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvm_ffi_build.binaries import Binary, Image, Section, search

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = st.text("./0", max_size=60).map(str.encode)
TEXTS = st.text("./0", min_size=1, max_size=4).map(str.encode)
# How far from the end of a piece what is looked for begins.
BEFORE = st.integers(0, 60)


def write(folder: Path, content: bytes, before: int) -> Path:
    path = folder / "file"
    path.write_bytes(b"-" * (mmap.PAGESIZE - before) + content)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(content=LETTERS, texts=st.sets(TEXTS, max_size=4), before=BEFORE)
def test_which_texts_a_file_contains(tmp_path: Path, content: bytes, texts: set[bytes], before: int) -> None:
    with mock.patch.object(search, "PIECE", mmap.PAGESIZE):
        assert search.find_texts(write(tmp_path, content, before), texts) == {text for text in texts if text in content}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(content=st.text("abcd", max_size=60).map(str.encode), before=BEFORE, start=BEFORE)
def test_where_a_pattern_is(tmp_path: Path, content: bytes, before: int, start: int) -> None:
    path = write(tmp_path, content, before)
    whole = path.read_bytes()
    pattern = re.compile(b"b(?<=ab)c{1,2}")
    section = Section("", mmap.PAGESIZE - start, 60)
    with mock.patch.object(search, "PIECE", mmap.PAGESIZE):
        found = [(match.start(), match[0]) for match in search.find_matches(path, [pattern], 3)]
        part = [
            match.start() for match in search.find_matches(path, [pattern], 3, [(section.offset, section.offset + 60)])
        ]
    assert found == [(match.start(), match[0]) for match in pattern.finditer(whole)]
    assert part == [match.start() for match in pattern.finditer(whole, section.offset, section.offset + 60)]


SECTIONS = st.builds(
    Section, st.sampled_from([".text", ".text.hot", ".textual", ".rodata", ".nv_fatbin"]), BEFORE, st.integers(0, 30)
)


@given(sections=st.lists(SECTIONS, max_size=5), place=st.integers(0, 100))
def test_texts_are_looked_for_everywhere_but_in_code(sections: list[Section], place: int) -> None:
    """However sections lie in each other, as in a library that somebody has tampered with."""
    binary = Binary("ELF", (Image("x86_64", sections=tuple(sections)),))
    code = [one for one in sections if one.name in {".text", ".text.hot", ".nv_fatbin"}]
    in_code = any(one.offset <= place < one.offset + one.size for one in code)
    parts = binary.text_parts
    assert in_code is not any(start <= place < end for start, end in parts)
    assert parts == sorted(parts)


def test_nothing_is_in_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert search.find_texts(tmp_path / "empty", [b"x"]) == set()

"""Texts in files, found as Python finds them in bytes, wherever a piece ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tvm_ffi_build.binaries import Section, search

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.binary(min_size=1, max_size=4).map(lambda text: bytes(byte % 3 + 0x2E for byte in text))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=60).map(lambda text: bytes(byte % 3 + 0x2E for byte in text)),
    texts=st.sets(TEXTS, max_size=4),
    piece=st.integers(1, 20),
)
def test_which_texts_a_file_contains(tmp_path: Path, content: bytes, texts: set[bytes], piece: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with mock.patch.object(search, "_PIECE", piece):
        assert search.contained(path, texts) == {text for text in texts if text in content}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=60).map(lambda text: bytes(byte % 4 + 0x61 for byte in text)),
    piece=st.integers(1, 20),
    start=st.integers(0, 20),
)
def test_where_a_pattern_is(tmp_path: Path, content: bytes, piece: int, start: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    pattern = re.compile(b"b(?<=ab)c{1,2}")
    with mock.patch.object(search, "_PIECE", piece):
        found = [(at, match[0]) for at, match in search.matches(path, pattern, 4)]
        part = [at for at, _ in search.matches(path, pattern, 4, Section("", start, 30))]
    assert found == [(match.start(), match[0]) for match in pattern.finditer(content)]
    assert part == [start + match.start() for match in pattern.finditer(content[start : start + 30])]

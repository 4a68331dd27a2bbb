"""Folders for unfinished work: what nobody owns any more is removed, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.scratch import hidden_in, put

if TYPE_CHECKING:
    from pathlib import Path


def aged(folder: Path) -> Path:
    os.utime(folder, (0, 0))
    return folder


def test_what_was_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    left, new = tmp_path / ".tvm-ffi-build-left", tmp_path / ".tvm-ffi-build-new"
    for folder in (left, new):
        folder.mkdir()
        (folder / "half").touch()
    aged(left)
    with hidden_in(tmp_path) as used:
        aged(used)
        with hidden_in(tmp_path) as other:
            assert sorted(tmp_path.iterdir()) == sorted([new, used, other])
    assert list(tmp_path.iterdir()) == [new]


def test_a_link_is_not_followed_and_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/kept").touch()
    (tmp_path / ".tvm-ffi-build-link").symlink_to("mine")
    (tmp_path / ".tvm-ffi-build-file").touch()
    aged(tmp_path / "mine")
    aged(tmp_path / ".tvm-ffi-build-file")
    with hidden_in(tmp_path):
        pass
    assert (tmp_path / "mine/kept").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".tvm-ffi-build-file", ".tvm-ffi-build-link", "mine"]


def test_the_first_of_two_counts(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name, encoding="utf-8")
    put(tmp_path / "first", tmp_path / "place")
    put(tmp_path / "second", tmp_path / "place")
    assert (tmp_path / "place/which").read_text(encoding="utf-8") == "first"
    with pytest.raises(OSError, match="No such file"):
        put(tmp_path / "gone", tmp_path / "nowhere" / "place")

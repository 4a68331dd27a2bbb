"""Folders for unfinished work: what nobody owns any more is removed, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.host.unfinished import hidden_folder, move_into_place

if TYPE_CHECKING:
    from pathlib import Path


def aged(folder: Path) -> Path:
    os.utime(folder, (0, 0))
    return folder


def test_what_was_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    left, new = tmp_path / ".tvm-ffi-build-unfinished-left_123", tmp_path / ".tvm-ffi-build-unfinished-new_1234"
    for folder in (left, new):
        folder.mkdir()
        (folder / "half").touch()
    aged(left)
    with hidden_folder(tmp_path) as used:
        aged(used)
        with hidden_folder(tmp_path) as other:
            assert sorted(tmp_path.iterdir()) == sorted([new, used, other])
    assert list(tmp_path.iterdir()) == [new]


def test_what_somebody_else_has_named_alike_stays(tmp_path: Path) -> None:
    folders = [
        tmp_path / name for name in (".tvm-ffi-build-debug", ".tvm-ffi-build-unfinished-work", ".tvm-ffi-build-")
    ]
    for folder in folders:
        folder.mkdir()
        aged(folder)
    with hidden_folder(tmp_path):
        pass
    assert sorted(tmp_path.iterdir()) == sorted(folders)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".tvm-ffi-build-unfinished-pipe_123")
    aged(tmp_path / ".tvm-ffi-build-unfinished-pipe_123")
    with hidden_folder(tmp_path):
        pass


def test_a_link_is_not_followed_and_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/kept").touch()
    (tmp_path / ".tvm-ffi-build-unfinished-link_123").symlink_to("mine")
    (tmp_path / ".tvm-ffi-build-unfinished-file_123").touch()
    aged(tmp_path / "mine")
    aged(tmp_path / ".tvm-ffi-build-unfinished-file_123")
    with hidden_folder(tmp_path):
        pass
    assert (tmp_path / "mine/kept").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".tvm-ffi-build-unfinished-file_123",
        ".tvm-ffi-build-unfinished-link_123",
        "mine",
    ]


def test_the_first_of_two_counts(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name, encoding="utf-8")
    move_into_place(tmp_path / "first", tmp_path / "place")
    move_into_place(tmp_path / "second", tmp_path / "place")
    assert (tmp_path / "place/which").read_text(encoding="utf-8") == "first"
    with pytest.raises(OSError, match="No such file"):
        move_into_place(tmp_path / "gone", tmp_path / "nowhere" / "place")

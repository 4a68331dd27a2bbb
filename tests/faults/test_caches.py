"""The cache is checked before it is used: what is damaged in any way is made again, and one line says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from damaged_caches import CACHE_DAMAGE
from forged_others import copy_runtime

from tvm_ffi_build.contract.releases import published_files
from tvm_ffi_build.contract.releases.published_files import published_digest
from tvm_ffi_build.cross import runtimes
from tvm_ffi_build.cross.build_folder import build_folder
from tvm_ffi_build.cross.cache_contents import is_intact, record_contents
from tvm_ffi_build.cross.compiler.toolchain import TOOLCHAIN, cached_toolchain
from tvm_ffi_build.cross.compiler.zig import Zig
from tvm_ffi_build.cross.runtimes import fetch_runtime
from tvm_ffi_build.cross.targets import parse_target
from tvm_ffi_build.errors import LedgerError, OutputError, WheelError
from tvm_ffi_build.platforms.systems import HOST, LINUX
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

AARCH64 = parse_target("manylinux_2_28_aarch64")


@pytest.mark.parametrize("damage", CACHE_DAMAGE)
def test_a_damaged_toolchain_is_made_again(tmp_path: Path, damage: str) -> None:
    zig, notes = Zig(tmp_path / "zig", "1"), list[str]()
    folder = cached_toolchain(AARCH64, zig, tmp_path, notes.append).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert cached_toolchain(AARCH64, zig, tmp_path, notes.append).parent == folder
    assert notes == []
    CACHE_DAMAGE[damage](folder)
    assert cached_toolchain(AARCH64, zig, tmp_path, notes.append) == folder / TOOLCHAIN
    assert notes == [f"{folder} was damaged, so it is made again"]
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert {path.name for path in (tmp_path / "toolchains").iterdir()} <= {folder.name, f"{folder.name}-moved"}


def test_a_compiler_that_is_not_executable_is_made_again(tmp_path: Path) -> None:
    zig = Zig(tmp_path / "zig", "1")
    folder = cached_toolchain(AARCH64, zig, tmp_path).parent
    compiler = next(folder.glob("*-cc"))
    compiler.chmod(0o644)
    cached_toolchain(AARCH64, zig, tmp_path)
    assert os.access(compiler, os.X_OK)


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], Path]:
    """Return a function that fetches the runtime of this machine into the cache, from a copy of the installed one."""
    version = find_runtime().version
    wheel = tmp_path / "runtime.whl"
    wheel.touch()
    target = parse_target("manylinux_2_28_x86_64" if HOST == LINUX else "win_amd64")

    def unpack(path: Path, target: object, version: str, folder: Path) -> None:
        del path, target, version
        # Without the links that it consists of.
        shutil.copytree(copy_runtime(folder.with_name("links")), folder)
        shutil.rmtree(folder.with_name("links"))
        (folder / "platforms").write_text("manylinux_2_28_x86_64", encoding="utf-8")
        record_contents(folder)

    monkeypatch.setattr(runtimes, "_download_wheel", lambda *_: wheel)
    monkeypatch.setattr(runtimes, "_unpack_wheel", unpack)
    return lambda notes: fetch_runtime(target, version, tmp_path / "cache", None, notes.append).package.parent


@pytest.mark.parametrize("damage", CACHE_DAMAGE)
def test_a_damaged_runtime_is_fetched_again(fetch: Callable[[list[str]], Path], damage: str) -> None:
    notes: list[str] = []
    folder = fetch(notes)
    assert fetch(notes) == folder
    assert notes == []
    CACHE_DAMAGE[damage](folder)
    assert fetch(notes) == folder
    assert notes == [f"{folder} was damaged, so it is made again"]
    assert is_intact(folder)


def test_a_list_of_contents_is_not_believed_blindly(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("a", encoding="utf-8")
    record_contents(folder)
    assert is_intact(folder)
    for text in ("", "[", "{}", "[]", '{"a": 1}', "[" * 100_000):
        (folder / "contents.json").write_text(text, encoding="utf-8")
        assert not is_intact(folder)


def test_every_known_release_has_the_digests_of_its_wheels() -> None:
    """For each platform that the ledger knows of it."""
    from tvm_ffi_build.contract import read_ledger  # noqa: PLC0415

    names = list(published_files._read_digests())
    ledger = read_ledger()
    for family, tags in ledger.platforms.items():
        ending = family.rpartition("_*_")[2] if "*" in family else family
        for release in {release for some in tags.values() for release in some}:
            assert any(name.startswith(f"apache_tvm_ffi-{release}-cp312-") and ending in name for name in names), (
                release
            )
    assert all(len(published_digest(name) or "") == 64 for name in names)


def test_a_wheel_that_was_not_published_so_is_refused() -> None:
    name = "apache_tvm_ffi-0.1.12-cp312-abi3-win_amd64.whl"
    runtimes._require_published(name, published_digest(name) or "")
    runtimes._require_published("apache_tvm_ffi-99.0-cp312-abi3-win_amd64.whl", "0" * 64)
    with pytest.raises(WheelError, match=r"has the SHA-256 0+, and was published with [0-9a-f]+"):
        runtimes._require_published(name, "0" * 64)


def test_a_damaged_list_of_digests_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_files, "FILES", tmp_path / "files.json")
    read = published_files._read_digests.__wrapped__
    for text in ("", "[]", '{"files": []}'):
        published_files.FILES.write_text(text, encoding="utf-8")
        with pytest.raises(LedgerError, match="force-reinstall"):
            read()


LOCKS: dict[str, Callable[[Path], object]] = {
    "a directory": Path.mkdir,
    "a named pipe": os.mkfifo,
    "a link to a file": lambda path: path.symlink_to("victim"),
    "a link to nothing": lambda path: path.symlink_to("nowhere/at/all"),
}


@pytest.mark.parametrize("kind", LOCKS)
def test_a_lock_that_is_not_a_file_makes_way(tmp_path: Path, kind: str) -> None:
    with build_folder(tmp_path, tmp_path, "win_amd64") as (first, _):
        pass
    victim = first.parent / "victim"
    victim.write_text("kept", encoding="utf-8")
    lock = first.with_name(f"{first.name}.lock")
    lock.unlink()
    LOCKS[kind](lock)
    with build_folder(tmp_path, tmp_path, "win_amd64") as (second, _):
        assert second == first
        assert lock.is_file()
        assert not lock.is_symlink()
    assert victim.read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("kind", ["a file", "a link to nothing", "a named pipe"])
def test_a_build_directory_that_is_something_else_makes_way(tmp_path: Path, kind: str) -> None:
    with build_folder(tmp_path, tmp_path, "win_amd64") as (first, _):
        pass
    if kind == "a named pipe":
        os.mkfifo(first)
    elif kind == "a file":
        first.touch()
    else:
        first.symlink_to("nowhere")
    with build_folder(tmp_path, tmp_path, "win_amd64") as (second, _):
        assert not os.path.lexists(second)


def hold_build_folder(cache: Path) -> None:
    with build_folder(cache, cache, "win_amd64"):
        pass


@pytest.mark.parametrize(
    ("inside", "use"),
    [
        ("toolchains", lambda cache: cached_toolchain(AARCH64, Zig(cache / "zig", "1"), cache)),
        ("builds", hold_build_folder),
    ],
)
def test_a_cache_that_is_a_file_is_named(tmp_path: Path, inside: str, use: Callable[[Path], object]) -> None:
    (tmp_path / inside).touch()
    with pytest.raises(OutputError, match=f"{inside} cannot be written.*XDG_CACHE_HOME"):
        use(tmp_path)

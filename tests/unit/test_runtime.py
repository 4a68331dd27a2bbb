"""Finding the runtime, on folders laid out as the field has them."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.runtimes import checkout, installed, metadata, touch

from tvm_ffi_build.errors import BrokenRuntimeError, RuntimeNotFoundError, UnsupportedRuntimeError
from tvm_ffi_build.platforms.systems import HOST, LINUX, MACOS, WINDOWS
from tvm_ffi_build.runtime import OLDEST_SUPPORTED, UNKNOWN_VERSION, find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tvm_ffi_build.platforms.systems import Platform


@contextmanager
def as_somebody() -> Iterator[None]:
    """Take from root, whom nothing is forbidden, what others have not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def search_path(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a search path with the standard library and nothing else."""
    path = [entry for entry in sys.path if "site-packages" not in entry]
    monkeypatch.setattr(sys, "path", path)
    return path


def test_an_installed_runtime_is_described_without_being_imported(tmp_path: Path, search_path: list[str]) -> None:
    search_path.append(str(installed(tmp_path)))
    runtime = find_runtime()
    assert runtime.version == "0.1.15.post2"
    assert runtime.package == tmp_path / "tvm_ffi"
    assert runtime.include_dir == runtime.dlpack_include_dir == tmp_path / "tvm_ffi/include"
    assert runtime.library == runtime.link_library == tmp_path / "tvm_ffi/lib" / HOST.library
    assert runtime.source_dir == tmp_path / "tvm_ffi"
    assert runtime.platform == HOST


def test_the_first_entry_of_the_search_path_wins(tmp_path: Path, search_path: list[str]) -> None:
    search_path += [str(tmp_path / "missing"), str(tmp_path / "a.zip"), str(installed(tmp_path / "first", "0.1.9"))]
    search_path.append(str(installed(tmp_path / "second", "0.1.12")))
    touch(tmp_path / "a.zip")
    assert find_runtime().version == "0.1.9"


def test_the_empty_entry_of_the_search_path_is_the_working_directory(
    tmp_path: Path, search_path: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(installed(tmp_path))
    search_path.append("")
    assert find_runtime().package == tmp_path / "tvm_ffi"


def test_a_folder_that_only_shares_the_name_is_passed_over(tmp_path: Path, search_path: list[str]) -> None:
    touch(tmp_path / "notes" / "tvm_ffi" / "README")
    search_path += [str(tmp_path / "notes"), str(installed(tmp_path / "site"))]
    assert find_runtime().package == tmp_path / "site/tvm_ffi"


def test_symbolic_links_are_resolved(tmp_path: Path, search_path: list[str]) -> None:
    installed(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    search_path.append(str(tmp_path / "link"))
    assert find_runtime().include_dir == tmp_path / "real/tvm_ffi/include"


def test_a_checkout_on_the_search_path_takes_its_version_from_the_build(tmp_path: Path, search_path: list[str]) -> None:
    touch(checkout(tmp_path) / "python/tvm_ffi/_version.py", "__version__ = version = '0.1.16.dev3+g1'\n")
    search_path.append(str(tmp_path / "python"))
    runtime = find_runtime()
    assert runtime.version == "0.1.16.dev3+g1"
    assert runtime.include_dir == tmp_path / "include"
    assert runtime.dlpack_include_dir == tmp_path / "3rdparty/dlpack/include"
    assert runtime.library == tmp_path / "build/lib" / HOST.library
    assert runtime.source_dir == tmp_path


def test_of_several_builds_in_a_checkout_the_one_for_this_machine_is_used(tmp_path: Path) -> None:
    checkout(tmp_path)
    for platform in (LINUX, MACOS, WINDOWS):
        touch(tmp_path / "build/lib" / platform.library)
    assert find_runtime(tmp_path).platform == HOST


def test_an_unpacked_sdist_takes_its_version_from_pkg_info(tmp_path: Path) -> None:
    touch(checkout(tmp_path) / "PKG-INFO", "Metadata-Version: 2.2\nVersion: 0.1.14.post1\n")
    assert find_runtime(tmp_path).version == "0.1.14.post1"


def test_a_checkout_that_names_no_version_says_so_and_may_be_built_against(tmp_path: Path) -> None:
    runtime = find_runtime(checkout(tmp_path))
    assert runtime.version == UNKNOWN_VERSION
    runtime.require_supported()


def test_an_editable_install_has_its_headers_in_the_checkout(tmp_path: Path, search_path: list[str]) -> None:
    source = checkout(tmp_path / "with blank")
    site = tmp_path / "site"
    url = json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}})
    touch(metadata(site, "0.1.16.dev3") / "direct_url.json", url)
    touch(site / "tvm_ffi/lib" / HOST.library)
    search_path.append(str(site))
    runtime = find_runtime()
    assert runtime.version == "0.1.16.dev3"
    assert runtime.include_dir == source / "include"
    assert runtime.library == site / "tvm_ffi/lib" / HOST.library
    # Some editable installs have nothing of their own beside the metadata.
    (site / "tvm_ffi/lib" / HOST.library).unlink()
    (site / "tvm_ffi/lib").rmdir()
    (site / "tvm_ffi").rmdir()
    runtime = find_runtime()
    assert runtime.package == source / "python/tvm_ffi"
    assert runtime.library == source / "build/lib" / HOST.library


def test_an_editable_install_whose_checkout_is_gone(tmp_path: Path) -> None:
    url = json.dumps({"url": (tmp_path / "gone").as_uri(), "dir_info": {"editable": True}})
    touch(metadata(tmp_path, "0.1.16.dev3") / "direct_url.json", url)
    with pytest.raises(BrokenRuntimeError, match=r"dist-info is an editable install of .+/gone, which is not there"):
        find_runtime(tmp_path)


def test_an_install_from_a_local_wheel_is_no_editable_one(tmp_path: Path, search_path: list[str]) -> None:
    installed(tmp_path)
    touch(
        tmp_path / "apache_tvm_ffi-0.1.15.post2.dist-info/direct_url.json",
        '{"url": "file:///a.whl", "archive_info": {}}',
    )
    search_path.append(str(tmp_path))
    assert find_runtime().include_dir == tmp_path / "tvm_ffi/include"


@pytest.mark.parametrize("platform", [LINUX, MACOS, WINDOWS], ids=lambda p: p.name)
def test_a_named_folder_may_hold_the_runtime_of_another_platform(tmp_path: Path, platform: Platform) -> None:
    installed(tmp_path, library=platform.library)
    assert find_runtime(tmp_path).platform == platform


def test_windows_links_against_the_import_library(tmp_path: Path) -> None:
    installed(tmp_path, library=WINDOWS.library)
    with pytest.raises(BrokenRuntimeError, match=r"tvm_ffi\.lib"):
        _ = find_runtime(tmp_path).link_library
    implib = touch(tmp_path / "tvm_ffi/lib/tvm_ffi.lib")
    assert find_runtime(tmp_path).link_library == implib


def test_the_environment_variable_names_a_runtime(
    tmp_path: Path, search_path: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    search_path.append(str(installed(tmp_path / "site", "0.1.12")))
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(installed(tmp_path / "other", "0.1.9")))
    assert find_runtime().version == "0.1.9"
    assert find_runtime(tmp_path / "site").version == "0.1.12"
    monkeypatch.setenv("TVM_FFI_RUNTIME", "")
    assert find_runtime().version == "0.1.12"


def test_the_foreign_compiled_module_is_found_by_its_name(tmp_path: Path) -> None:
    installed(tmp_path, library=WINDOWS.library)
    touch(tmp_path / "tvm_ffi/core.pyi")
    with pytest.raises(BrokenRuntimeError, match=r"tvm_ffi\.core"):
        _ = find_runtime(tmp_path).cython_library
    module = touch(tmp_path / "tvm_ffi/core.cp312-win_amd64.pyd")
    assert find_runtime(tmp_path).cython_library == module


def test_no_runtime(search_path: list[str]) -> None:
    with pytest.raises(RuntimeNotFoundError, match=r"apache-tvm-ffi is not installed in .*python.* -m pip install"):
        find_runtime()


def test_folders_that_may_not_be_read_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python does. Below the system's own temporary folder: pytest's are for their owner alone."""
    with tempfile.TemporaryDirectory() as name:
        installed(Path(name))
        Path(name).chmod(0)
        monkeypatch.setattr(sys, "path", [name, f"{name}/inner"])
        with as_somebody(), pytest.raises(RuntimeNotFoundError):
            find_runtime()
        Path(name).chmod(0o700)
        assert find_runtime().package == Path(name, "tvm_ffi")


def test_no_runtime_in_a_named_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeNotFoundError, match=r"holds no apache-tvm-ffi.*--target"):
        find_runtime(tmp_path / "nowhere")


@pytest.mark.parametrize("part", [f"lib/{HOST.library}", "include/tvm/ffi/c_api.h", "include/dlpack/dlpack.h"])
def test_a_runtime_that_lacks_a_part(tmp_path: Path, part: str) -> None:
    installed(tmp_path)
    (tmp_path / "tvm_ffi" / part).unlink()
    with pytest.raises(
        BrokenRuntimeError, match=r"0\.1\.15\.post2 in .* has no .*; run: .*--force-reinstall"
    ) as caught:
        find_runtime(tmp_path)
    assert part.rpartition("/")[2] in str(caught.value)


def test_metadata_without_a_module(tmp_path: Path) -> None:
    metadata(tmp_path, "0.1.12")
    with pytest.raises(BrokenRuntimeError, match="no module tvm_ffi"):
        find_runtime(tmp_path)


def test_metadata_without_a_version(tmp_path: Path) -> None:
    installed(tmp_path)
    touch(tmp_path / "apache_tvm_ffi-0.1.15.post2.dist-info/METADATA", "Name: apache-tvm-ffi\n")
    with pytest.raises(BrokenRuntimeError, match="METADATA"):
        find_runtime(tmp_path)


def test_two_installs_in_one_folder(tmp_path: Path) -> None:
    installed(tmp_path)
    metadata(tmp_path, "0.1.12")
    with pytest.raises(BrokenRuntimeError, match=r"apache_tvm_ffi-0\.1\.12\.dist-info and .*stale"):
        find_runtime(tmp_path)


def test_metadata_that_is_no_text_is_broken(tmp_path: Path) -> None:
    installed(tmp_path)
    (tmp_path / "apache_tvm_ffi-0.1.15.post2.dist-info/METADATA").write_bytes(b"Version: 0.1\xff")
    with pytest.raises(BrokenRuntimeError, match="METADATA"):
        find_runtime(tmp_path)


def test_a_version_that_is_none_is_broken(tmp_path: Path) -> None:
    installed(tmp_path)
    touch(tmp_path / "apache_tvm_ffi-0.1.15.post2.dist-info/METADATA", "Version: 1.banana!\n")
    with pytest.raises(BrokenRuntimeError, match=r"1\.banana!"):
        find_runtime(tmp_path).require_supported()


def test_a_relative_folder_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeNotFoundError, match=f"^{tmp_path}/a b holds no"):
        find_runtime("a b")


@pytest.mark.parametrize("text", ["{", "[]", '{"dir_info": {"editable": true}}', '{"dir_info": 1}'])
def test_a_damaged_direct_url(tmp_path: Path, text: str) -> None:
    installed(tmp_path)
    touch(tmp_path / "apache_tvm_ffi-0.1.15.post2.dist-info/direct_url.json", text)
    with pytest.raises(BrokenRuntimeError, match=r"direct_url\.json"):
        find_runtime(tmp_path)


@pytest.mark.parametrize(
    ("version", "supported"), [("0.1.7", False), ("0.1.8", False), (OLDEST_SUPPORTED, True), ("0.1.10", True)]
)
def test_the_oldest_supported_version(tmp_path: Path, version: str, supported: bool) -> None:
    runtime = find_runtime(installed(tmp_path, version))
    if supported:
        runtime.require_supported()
    else:
        with pytest.raises(UnsupportedRuntimeError, match=rf"{version} .*too old.*>={OLDEST_SUPPORTED}"):
            runtime.require_supported()

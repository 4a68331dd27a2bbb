"""The wheel of the running installation."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build import __version__
from tvm_ffi_build.errors import MissingToolError, TvmFfiBuildError
from tvm_ffi_build.host.package_data import RESOURCES, resource_path
from tvm_ffi_build.wheels.own_wheel import write_own_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_it_carries_the_resources_where_an_installed_package_looks(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_own_wheel(tmp_path)) as archive:
        names = set(archive.namelist())
    assert "tvm_ffi_build/data/cmake/tvm_ffi-config.cmake" in names
    assert "tvm_ffi_build/data/cmake/source/CMakeLists.txt" in names
    assert "tvm_ffi_build/contract/releases/ledger.json" in names
    assert "tvm_ffi_build/cross/compiler/wrapper.sh" in names
    assert "tvm_ffi_build/stubgen/new_package/loader_template.py" in names
    assert "tvm_ffi_build/py.typed" in names
    assert not [name for name in names if "__pycache__" in name]


def test_its_record_is_complete_and_right(tmp_path: Path) -> None:
    path = write_own_wheel(tmp_path)
    assert path.name == f"tvm_ffi_build-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(path) as archive:
        record = next(name for name in archive.namelist() if name.endswith("/RECORD"))
        rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(record).decode()))}
        assert set(rows) == set(archive.namelist())
        for name, (digest, size) in rows.items():
            if name != record:
                data = archive.read(name)
                expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (digest, size) == (f"sha256={expected}", str(len(data)))


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    first = write_own_wheel(tmp_path).read_bytes()
    assert write_own_wheel(tmp_path).read_bytes() == first


def test_an_installed_package_finds_its_resources_or_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(write_own_wheel(tmp_path)) as archive:
        archive.extractall(tmp_path / "site")
    package = tmp_path / "site/tvm_ffi_build"
    monkeypatch.setattr("tvm_ffi_build.host.package_data._PACKAGE", package)
    assert [resource_path(name) for name in RESOURCES] == [package / "data" / name for name in RESOURCES]
    # Another distribution's.
    (tmp_path / "site/cmake").mkdir()
    (package / "data/cmake").rename(package / "data/gone")
    with pytest.raises(TvmFfiBuildError, match=r"tvm_ffi_build lacks 'cmake'; reinstall tvm-ffi-build"):
        resource_path("cmake")


def test_what_runs_without_being_installed_has_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.distribution", none)
    with pytest.raises(MissingToolError, match=r"is not installed, so no build can be given it; run: .* install -e "):
        write_own_wheel(tmp_path)

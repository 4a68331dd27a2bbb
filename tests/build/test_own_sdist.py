"""The project's own sdist: it has all that a checkout has, builds the same wheel, and passes its tests."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, run, source_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Environment


@pytest.fixture(scope="module")
def unpacked(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the unpacked sdist."""

    def fill(folder: Path) -> None:
        run("uv", "build", "--quiet", "--python", sys.executable, "--sdist", "-o", folder, ROOT)
        (sdist,) = folder.glob("*.tar.gz")
        shutil.unpack_archive(sdist, folder)

    (folder,) = (path for path in once("own-sdist", fill).iterdir() if path.is_dir())
    return folder


def test_it_has_what_a_checkout_has(unpacked: Path) -> None:
    packed = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    kept = {path.relative_to(ROOT).as_posix() for path in source_files()}
    # git's own, what runs in the checkout alone, and what packing adds.
    assert {name for name in kept - packed if not name.startswith((".ci/", ".git"))} == set()
    assert packed - kept == {"PKG-INFO"} - kept


def test_its_wheel_is_that_of_the_checkout(unpacked: Path, tmp_path: Path) -> None:
    for name, source in (("sdist", unpacked), ("checkout", ROOT)):
        run("uv", "build", "--quiet", "--python", sys.executable, "--wheel", "-o", tmp_path / name, source)
    (one,), (other,) = (list((tmp_path / name).glob("*.whl")) for name in ("sdist", "checkout"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_it_passes_its_tests(unpacked: Path, environment: Environment, tmp_path: Path) -> None:
    """All but the real builds, of which those of the README stand for the rest."""
    project = tmp_path / "project"
    shutil.copytree(unpacked, project)
    environment.install("-e", f"{project}[test]")
    tests = ["tests/unit", "tvm_ffi_build", "tests/build/test_readme.py", "tests/build/test_own_sdist.py"]
    out = environment.run("-m", "pytest", "-p", "no:cacheprovider", *tests, cwd=project)
    assert re.search(r"\d+ passed", out), out

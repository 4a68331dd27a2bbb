"""The project's own release: the sdist is the checkout, the wheel is made of it alone, and what others say of both."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest
from every_python import VERSIONS
from support.downloads import download
from support.processes import run
from support.project import ROOT, source_files

from tvm_ffi_build import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from pathlib import Path

    from support.environments import Environment


@pytest.fixture(scope="module")
def built(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the sdist, the wheel that was built from it, and the sdist unpacked."""

    def fill(folder: Path) -> None:
        download("uv", "build", "--quiet", "--python", sys.executable, "-o", folder, ROOT)
        (sdist,) = folder.glob("*.tar.gz")
        shutil.unpack_archive(sdist, folder)

    return once("own-release", fill)


@pytest.fixture(scope="module")
def unpacked(built: Path) -> Path:
    """Return the unpacked sdist."""
    return built / f"tvm_ffi_build-{__version__}"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """Return the wheel."""
    (wheel,) = built.glob(f"tvm_ffi_build-{__version__}-*.whl")
    return wheel


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """Return what an index would show."""
    with zipfile.ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(f"tvm_ffi_build-{__version__}.dist-info/METADATA"))


def test_the_sdist_has_what_a_checkout_has(unpacked: Path) -> None:
    packed = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    kept = {path.relative_to(ROOT).as_posix() for path in source_files()}
    assert kept - packed == set()
    assert packed - kept == {"PKG-INFO"} - kept


def test_the_wheel_is_that_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    run("uv", "build", "--quiet", "--python", sys.executable, "--wheel", "-o", tmp_path, ROOT)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_twine_takes_both_and_can_render_the_description(built: Path, wheel: Path) -> None:
    said = run(sys.executable, "-m", "twine", "--no-color", "check", "--strict", wheel, *built.glob("*.tar.gz")).stdout
    assert said.count("PASSED") == 2


def test_check_wheel_contents_finds_nothing(wheel: Path) -> None:
    said = run(sys.executable, "-m", "check_wheel_contents", "--no-config", wheel).stdout
    assert said.endswith(f"{wheel.name}: OK\n")


def test_the_audit_says_that_a_pure_wheel_is_not_for_it(wheel: Path) -> None:
    done = run(sys.executable, "-m", "tvm_ffi_build", "audit", wheel, ok=False)
    assert done.returncode == 2
    assert f"skipped: {wheel.name}: pure Python\nerror: nothing to audit" in done.stderr


def test_metadata_names_the_license_and_the_pythons_that_were_tried(metadata: Message, wheel: Path) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("tvm-ffi-build", __version__)
    assert (metadata["License-Expression"], metadata.get_all("License-File")) == ("Apache-2.0", ["LICENSE"])
    with zipfile.ZipFile(wheel) as archive:
        license_text = archive.read(f"tvm_ffi_build-{__version__}.dist-info/licenses/LICENSE").decode()
    assert license_text == (ROOT / "LICENSE").read_text(encoding="utf-8")
    classifiers = metadata.get_all("Classifier") or []
    named = [
        match[1] for name in classifiers if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", name))
    ]
    assert sorted(named, key=VERSIONS.index) == list(VERSIONS)


@pytest.mark.slow
def test_the_sdist_passes_its_tests(unpacked: Path, environment: Environment, tmp_path: Path) -> None:
    """Those that read the project's own files, where there is no git, and the build of the README's project.

    The files are those of the checkout, as a test above shows, so the other tests would show nothing new.
    """
    project = tmp_path / "project"
    shutil.copytree(unpacked, project)
    environment.install("-e", f"{project}[test]")
    tests = [
        *(f"tests/unit/test_{name}.py" for name in ("architecture", "how_to", "own_recipes", "own_wheel", "site")),
        "tvm_ffi_build",
        "tests/build/test_readme.py",
        "tests/build/test_own_release.py",
    ]
    out = environment.run("-m", "pytest", "-p", "no:cacheprovider", *tests, cwd=project)
    assert re.search(r"\d+ passed", out), out

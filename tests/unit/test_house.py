"""The structure that the design draws: who may import whom, what is shipped, what is never written down."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.downloads import download
from support.project import ROOT, source_files

from tvm_ffi_build.own_wheel import write_own_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.environments import Environment

PACKAGE = ROOT / "tvm_ffi_build"

# From the ground up; a room may use those of lower floors and its neighbours' on the same one if the list says so.
FLOORS = [
    {"errors"},
    {"tables"},
    {"cli", "platforms", "programs", "project", "resources", "scratch"},
    {"binaries", "diagnosis", "own_wheel", "progress", "runtime", "wheels"},
    {"config", "contents", "frontend", "manylinux", "stubgen"},
    {"contract", "presets", "windows_dlls"},
    {"audit"},
    {"cross", "plugin", "repair"},
    {"doctor", "pipeline", "scaffold", "setup_py"},
    {"__main__"},
]


def rooms() -> dict[str, set[str]]:
    """Return which rooms each room imports, at run time or for its types."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        depth = len(path.relative_to(PACKAGE).parts)
        imports = found.setdefault(room, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
                imports.update(name for name in names if name != "__version__")
    del found["__init__"]
    return found


def test_every_room_is_on_a_floor_and_imports_downward_only() -> None:
    floor_of = {room: floor for floor, names in enumerate(FLOORS) for room in names}
    assert set(rooms()) == set(floor_of)
    upward = [(room, used) for room, imports in rooms().items() for used in imports if floor_of[used] >= floor_of[room]]
    assert upward == []


def test_every_module_says_what_it_is_and_what_is_public() -> None:
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        assigned = [node for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
        targets = [target for node in assigned for target in getattr(node, "targets", [getattr(node, "target", None)])]
        assert "__all__" in [target.id for target in targets if isinstance(target, ast.Name)], path


def test_cmake_is_no_python_package_and_nothing_is_named_as_cmake_searches() -> None:
    assert not list((ROOT / "cmake").rglob("*.py"))
    assert not (PACKAGE / "cmake").exists()


def test_each_public_cmake_function_has_a_file_of_its_name_and_a_usage() -> None:
    for path in (ROOT / "cmake").glob("*tvm_ffi_*.cmake"):
        text = path.read_text(encoding="utf-8")
        assert re.search(rf"^function\({path.stem} ", text, re.MULTILINE), path
        assert f"# {path.stem}(" in text, path
        public = set(re.findall(r"^(?:function|macro)\((\w+)", text, re.MULTILINE))
        assert {name for name in public if not name.startswith("_tvm_ffi_")} == {path.stem}


def test_no_file_names_a_registrys_host() -> None:
    hosts = re.compile("|".join(["pypi" + r"\.org", "python" + "hosted", r"deb\." + "debian", r"registry\." + "npmjs"]))
    assert [path for path in source_files() if hosts.search(path.read_text(encoding="utf-8", errors="replace"))] == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the project's own sdist and wheel."""
    folder = tmp_path_factory.mktemp("dist")
    download("uv", "build", "--quiet", "--python", sys.executable, "-o", folder, ROOT)
    return folder


def test_the_released_wheel_holds_what_isolated_builds_are_given(built: Path, tmp_path: Path) -> None:
    (released,) = built.glob("*.whl")

    def content(wheel: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}

    assert content(released) == content(write_own_wheel(tmp_path))


def test_the_sdist_holds_what_its_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    listed = subprocess.run(["tar", "-tzf", sdist], check=True, capture_output=True, encoding="utf-8").stdout
    names = {line.partition("/")[2] for line in listed.splitlines()}
    for name in (
        "cmake/tvm_ffi-config.cmake",
        "templates/common/.github/workflows/wheels.yml.jinja",
        "tests/conftest.py",
        "LICENSE",
        "examples/python_packaging/src/extension.cc",
        "tests/packages/minimal/pyproject.toml",
    ):
        assert name in names


PARSED_BY_PIP = """
import sys
from pip._vendor.pkg_resources import EntryPoint
EntryPoint.parse_map(sys.stdin.read())
"""


def test_pip_on_older_pythons_can_parse_the_entry_points_that_they_get(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the parser that pip uses there; it comes along with pip for every Python."""
    monkeypatch.syspath_prepend(str(ROOT))
    hatch_build = importlib.import_module("hatch_build")
    environment.install("pip")

    def parse(takes_hyphens: bool) -> str:
        monkeypatch.setattr(hatch_build, "PIP_TAKES_HYPHENS", takes_hyphens)
        metadata: dict[str, dict[str, dict[str, str]]] = {}
        hatch_build.EntryPoints(str(ROOT), {}).update(metadata)
        lines = [
            line
            for group, entries in metadata["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        return environment.run("-c", PARSED_BY_PIP, input="\n".join(lines), stdin=None, ok=False)

    assert parse(takes_hyphens=False) == ""
    # When this stops to hold, there is no need for two wheels.
    assert "Invalid group name" in parse(takes_hyphens=True)

"""The requirements of the runtime in wheels: names (PEP 503) and markers (PEP 508), read as installers read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.project import ROOT

from tvm_ffi_build.wheels import open_wheel
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS, list_environments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINUX, MACOS, WINDOWS, ANY = (
    f"py3-none-{tag}" for tag in ("manylinux_2_28_x86_64", "macosx_11_0_universal2", "win_amd64", "any")
)


@pytest.mark.parametrize(
    "name", ["apache-tvm-ffi", "apache.tvm.ffi", "apache_tvm-ffi", "Apache-TVM-FFI", "APACHE__tvm.-ffi"]
)
def test_every_spelling_of_the_name_counts(make_wheel: Callable[..., Path], name: str) -> None:
    with open_wheel(make_wheel(metadata=[f"Requires-Dist: {name}<0.2", "Requires-Dist: numpy"])) as wheel:
        assert wheel.requires_runtime()
        assert [str(bounds) for bounds in wheel.runtime_bounds()] == ["<0.2"]
        assert [one.name for one in wheel.other_requirements] == ["numpy"]


@pytest.mark.parametrize("name", ["apache-tvm-ffi-orcjit", "tvm-ffi", "apachetvmffi", "numpy"])
def test_other_names_do_not_count(make_wheel: Callable[..., Path], name: str) -> None:
    with open_wheel(make_wheel(metadata=[f"Requires-Dist: {name}<0.2"])) as wheel:
        assert not wheel.requires_runtime()
        assert wheel.runtime_requirements() == wheel.runtime_mentions == []
        assert wheel.runtime_bounds() == ()


@pytest.mark.parametrize(
    ("tag", "marker", "holds", "always"),
    [
        (LINUX, "extra == 'cuda'", False, False),
        (LINUX, "extra != 'cuda'", True, True),
        (LINUX, "extra == 'cuda' or python_version >= '3.9'", True, True),
        (LINUX, "sys_platform == 'linux'", True, True),
        (LINUX, "sys_platform == 'win32'", False, False),
        (LINUX, "os_name == 'posix' and platform_system == 'Linux'", True, True),
        (LINUX, "platform_machine == 'x86_64'", True, True),
        (LINUX, "platform_machine == 'aarch64'", False, False),
        (f"{LINUX}.manylinux_2_28_aarch64", "platform_machine == 'aarch64'", True, False),
        ("py3-none-musllinux_1_2_aarch64", "platform_machine == 'aarch64'", True, True),
        ("py3-none-manylinux2014_x86_64", "platform_machine == 'x86_64'", True, True),
        ("py3-none-linux_x86_64", "platform_machine == 'x86_64'", True, True),
        (MACOS, "sys_platform == 'darwin'", True, True),
        (MACOS, "platform_system == 'Linux'", False, False),
        (MACOS, "platform_machine == 'arm64'", True, False),
        ("py3-none-macosx_11_0_arm64", "platform_machine == 'arm64'", True, True),
        (WINDOWS, "sys_platform == 'win32' and os_name == 'nt'", True, True),
        (WINDOWS, "platform_machine == 'AMD64'", True, True),
        ("py3-none-win_arm64", "platform_machine == 'ARM64'", True, True),
        ("py3-none-win32", "platform_machine == 'x86'", True, False),
        (ANY, "sys_platform == 'linux'", True, False),
        (ANY, "sys_platform != 'cygwin'", True, True),
        ("py3-none-freebsd_13_amd64", "sys_platform == 'linux'", True, False),
        (LINUX, "python_version < '3.9'", False, False),
        (LINUX, "python_version < '3.10'", True, False),
        (LINUX, "python_version >= '3.9'", True, True),
        (LINUX, "python_version >= '3.14'", True, False),
        (LINUX, "python_full_version >= '3.9.2'", True, False),
        ("py310-none-linux_x86_64", "python_version >= '3.10'", True, True),
        ("cp312-cp312-linux_x86_64", "python_version == '3.12'", True, True),
        ("cp312-cp312-linux_x86_64", "python_version < '3.12'", False, False),
        ("cp311-abi3-linux_x86_64", "python_version >= '3.11'", True, True),
        ("cp311-abi3-linux_x86_64", "python_version == '3.11'", True, False),
        ("cp315-cp315-linux_x86_64", "python_version == '3.15'", True, True),
        ("cp39.cp310-none-linux_x86_64", "python_version == '3.10'", True, False),
        (LINUX, "implementation_name == 'cpython'", True, True),
        ("pp310-pypy310_pp73-linux_x86_64", "platform_python_implementation == 'PyPy'", True, True),
        (LINUX, "'3.9' ~= python_version", True, False),
        (LINUX, "sys_platform ~= 'linux'", False, False),  # which cannot be compared
    ],
)
def test_markers_are_evaluated_for_the_tag(
    make_wheel: Callable[..., Path], tag: str, marker: str, holds: bool, always: bool
) -> None:
    with open_wheel(make_wheel(tag=tag, metadata=[f"Requires-Dist: apache-tvm-ffi<0.2; {marker}"])) as wheel:
        assert bool(wheel.runtime_requirements()) == holds
        assert wheel.requires_runtime() == always
        assert len(wheel.runtime_mentions) == 1


@pytest.mark.parametrize(
    ("lines", "bounds", "lacking"),
    [
        (["<0.2; python_version < '3.12'", "<0.3; python_version >= '3.12'"], ["<0.2", "<0.3"], 0),
        (["<0.2", ">=0.1.9; sys_platform == 'linux'"], ["<0.2,>=0.1.9"], 0),
        (["<0.2", ">=0.1.9; sys_platform == 'darwin'"], ["<0.2"], 0),
        (["<0.2; python_version < '3.12'"], ["<0.2"], len([minor for minor in SUPPORTED_PYTHONS if minor >= 12])),
        (["<0.2; extra == 'x'"], [], len(SUPPORTED_PYTHONS)),
        ([], [], len(SUPPORTED_PYTHONS)),
    ],
)
def test_bounds_are_those_of_each_environment(
    make_wheel: Callable[..., Path], lines: list[str], bounds: list[str], lacking: int
) -> None:
    with open_wheel(
        make_wheel(tag=LINUX, metadata=[f"Requires-Dist: apache-tvm-ffi{line}" for line in lines])
    ) as wheel:
        assert [str(one) for one in wheel.runtime_bounds()] == bounds
        assert len(wheel.environments_without_runtime()) == lacking


@pytest.mark.parametrize(
    ("requires_python", "always"),
    [(">=3.10", True), (">=3.9", False), ("", False), ("nonsense", False), (">=4", False)],
)
def test_pythons_that_requires_python_leaves_out_do_not_count(
    make_wheel: Callable[..., Path], requires_python: str, always: bool
) -> None:
    lines = [f"Requires-Python: {requires_python}", "Requires-Dist: apache-tvm-ffi; python_version >= '3.10'"]
    with open_wheel(make_wheel(tag=LINUX, metadata=lines)) as wheel:
        assert wheel.requires_runtime() == always


def test_an_environment_without_the_runtime_is_named(make_wheel: Callable[..., Path]) -> None:
    lines = ["Requires-Dist: apache-tvm-ffi; python_version != '3.11'"]
    with open_wheel(make_wheel(tag=LINUX, metadata=lines)) as wheel:
        assert wheel.environments_without_runtime() == ["Python 3.11 on Linux x86_64"]


def test_this_machine_has_no_say() -> None:
    assert {one["sys_platform"] for one in list_environments(WINDOWS)} == {"win32"}
    assert {one["platform_machine"] for one in list_environments(MACOS)} == {"x86_64", "arm64"}


def test_the_supported_pythons_are_those_of_the_classifiers() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    minors = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', text)
    assert list(map(int, minors)) == list(SUPPORTED_PYTHONS)


@pytest.mark.parametrize("pattern", ["README.md", "docs/**/*.md"])
def test_a_range_of_pythons_in_the_docs_ends_with_the_newest(pattern: str) -> None:
    ends = {end for path in ROOT.glob(pattern) for end in re.findall(r"3\.9 to 3\.(\d+)", path.read_text("utf-8"))}
    assert ends <= {str(SUPPORTED_PYTHONS[-1])}


@pytest.mark.parametrize(
    "path",
    [
        *(ROOT / ".github/workflows" / name for name in ("ci.yml", "release.yml")),
        *sorted((ROOT / "templates").glob("*/.github/workflows/*.jinja")),
    ],
    ids=lambda path: path.parent.parent.parent.name + "-" + path.name,
)
def test_workflows_test_the_newest_python(path: Path) -> None:
    minors = re.findall(r"['\"]3\.(\d+)['\"]", path.read_text(encoding="utf-8"))
    assert max(map(int, minors)) == SUPPORTED_PYTHONS[-1]

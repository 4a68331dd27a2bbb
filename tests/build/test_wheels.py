"""What is in the wheels of the sample projects, and who is left alone."""

from __future__ import annotations

import email
import os
import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from elftools.elf.elffile import ELFFile
from support.commands import run_command
from support.processes import counting_python, run
from support.project import EXAMPLE, ROOT

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.environments import Environment

    Package = Callable[[str], Path]


def build(source: Path, output: Path, *arguments: str, isolation: bool = False) -> Path:
    how = [] if isolation else ["--no-isolation"]
    run_command("wheel", "--no-repair", *how, source, "-w", output, *arguments, ok=True)
    (wheel,) = output.glob("*.whl")
    return wheel


HOOK = (
    "import sys; from scikit_build_core.build import build_wheel; "
    "build_wheel(sys.argv[1], {'cmake.build-type': 'None'})"
)


def build_in(environment: Environment, source: Path, output: Path) -> Path:
    """Build in an environment by the hook that every front end calls, and nothing else; without optimisation."""
    output.mkdir()
    environment.run("-c", HOOK, output, cwd=source)
    (wheel,) = output.glob("*.whl")
    return wheel


def tag(wheel: Path) -> str:
    return wheel.stem.split("-", 2)[2]


@dataclass(frozen=True)
class Library:
    """What the dynamic section and the symbol table of an ELF library say."""

    needed: list[str]
    run_path: list[str]
    exports: set[str]

    @classmethod
    def of(cls, wheel: Path, name: str) -> Library:
        with zipfile.ZipFile(wheel) as archive, archive.open(name) as file:
            elf: Any = ELFFile(file)
            tags = list(elf.get_section_by_name(".dynamic").iter_tags())
            return cls(
                [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"],
                [
                    getattr(tag, "runpath", None) or tag.rpath
                    for tag in tags
                    if tag.entry.d_tag in {"DT_RUNPATH", "DT_RPATH"}
                ],
                {
                    symbol.name
                    for symbol in elf.get_section_by_name(".dynsym").iter_symbols()
                    if symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_info"]["bind"] != "STB_LOCAL"
                },
            )


def requirements(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name)).get_all("Requires-Dist") or []


def test_the_examples_wheel_holds_the_library_the_package_and_nothing_else(example_wheel: Path) -> None:
    assert re.fullmatch(r"py3-none-\w+", tag(example_wheel))
    with zipfile.ZipFile(example_wheel) as archive:
        names = set(archive.namelist())
    package = {
        f"my_ffi_extension/{path.name}" for path in (EXAMPLE / "python/my_ffi_extension").iterdir() if path.is_file()
    }
    dist_info = {
        f"my_ffi_extension-0.1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "tvm_ffi_build.json")
    }
    built = {f"my_ffi_extension/{name}" for name in ("libmy_ffi_extension.so", "_my_ffi_extension_runtime.py")}
    assert names == package | dist_info | built


def test_the_examples_library_needs_the_runtime_and_shows_only_its_functions(example_wheel: Path) -> None:
    library = Library.of(example_wheel, "my_ffi_extension/libmy_ffi_extension.so")
    assert "libtvm_ffi.so" in library.needed
    assert library.run_path == ["$ORIGIN/../tvm_ffi/lib"]
    assert library.exports == {f"__tvm_ffi_{part}add_one" for part in ("", "_metadata_", "_doc_")}


def test_the_wheel_holds_no_path_of_the_build_machine(example_wheel: Path) -> None:
    with zipfile.ZipFile(example_wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    home, temporary, checkout = f"{Path.home()}/".replace("//", "/home/").encode(), b"/tmp/", str(ROOT).encode()
    for name, data in content.items():
        for path in (home, temporary, checkout, sys.prefix.encode(), b"site-packages"):
            assert path not in data, (name, path)
    # The check would notice: what it looks for is there, relative.
    assert b"src/extension.cc" in content["my_ffi_extension/libmy_ffi_extension.so"]


def test_the_wheel_requires_the_runtime_it_was_built_against(example_wheel: Path) -> None:
    runtime = [line for line in requirements(example_wheel) if line.startswith("apache-tvm-ffi")]
    # The isolated environment had the newest; so has the one of the tests.
    assert len(runtime) == 1
    assert f">={find_runtime().version}" in runtime[0]
    assert "<0.2" in runtime[0]


@pytest.mark.usefixtures("uncached_compiler")
def test_two_isolated_builds_by_two_front_ends_give_the_same_bytes(
    example_wheel: Path, tmp_path: Path, package: Package
) -> None:
    elsewhere = package("example")
    wheel = build(elsewhere, tmp_path / "out", "--frontend", "build", isolation=True)
    assert wheel.read_bytes() == example_wheel.read_bytes()


def test_the_run_path_follows_the_install_destination(
    package: Package, tmp_path: Path, environment: Environment
) -> None:
    wheel = build(package("nested"), tmp_path / "out")
    environment.install(wheel)
    for library in sorted(environment.site_packages.glob("*/**/lib*.so")):
        if "tvm_ffi" not in library.parts:
            environment.run("-c", f"import ctypes; ctypes.CDLL({str(library)!r})")
    run_paths = {
        name: Library.of(wheel, name).run_path for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")
    }
    assert run_paths == {
        "space/nested/libhere.so": ["$ORIGIN/../../tvm_ffi/lib"],
        "space/nested/libuntold.so": ["$ORIGIN/../../tvm_ffi/lib"],
        "space/nested/lib/libbelow.so": ["$ORIGIN/../../../tvm_ffi/lib"],
        "space/nested/lib/very/far/libfar.so": ["$ORIGIN/../../../../../tvm_ffi/lib"],
        "elsewhere/libelsewhere.so": ["$ORIGIN/../tvm_ffi/lib"],
    }
    with zipfile.ZipFile(wheel) as archive, archive.open("space/nested/lib/very/far/libfar.so.debug") as file:
        assert ELFFile(file).has_dwarf_info()
    with zipfile.ZipFile(wheel) as archive, archive.open("space/nested/lib/very/far/libfar.so") as file:
        elf: Any = ELFFile(file)
        assert elf.get_section_by_name(".gnu_debuglink").data().startswith(b"libfar.so.debug\0")


def test_a_c_library_on_the_headers_alone_does_not_need_the_runtime(package: Package, tmp_path: Path) -> None:
    wheel = build(package("c_only"), tmp_path / "out")
    assert tag(wheel).startswith("py3-none-")
    library = Library.of(wheel, "c_only/libc_only.so")
    assert not [name for name in library.needed if "tvm_ffi" in name]
    assert library.exports == {"__tvm_ffi_add_two"}


def test_a_project_that_also_lists_pybind11_is_python_specific_and_both_sides_work(
    package: Package, tmp_path: Path, environment: Environment
) -> None:
    wheel = build(package("mixed"), tmp_path / "out", isolation=True)
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert tag(wheel).startswith(f"{python}-{python}-")
    environment.install(wheel)
    code = "import _mixed, tvm_ffi; print(_mixed.add_two(40), tvm_ffi.load_module(_mixed.__file__).add_two(40))"
    assert environment.run("-c", f"import tvm_ffi; {code}") == "42 42\n"


def test_a_py3_wheel_whose_library_calls_python_fails_at_the_install_step(package: Package, tmp_path: Path) -> None:
    done = run(
        sys.executable, "-m", "tvm_ffi_build", "wheel", package("calls_python"), "-w", tmp_path / "out", ok=False
    )
    assert done.returncode == 3
    assert "* Installing project into wheel" in done.stderr
    message = "libcalls_python.so calls into CPython (PyErr_CheckSignals), so its wheel must not be tagged py3"
    assert message in done.stderr
    assert list((tmp_path / "out").iterdir()) == []
    with (tmp_path / "calls_python/pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nwheel.py-api = ""\n')
    assert not tag(build(tmp_path / "calls_python", tmp_path / "out")).startswith("py3-none")


@pytest.fixture
def with_backend(prepared: Callable[..., Environment]) -> Environment:
    """Return an environment for builds without isolation, which lacks only this package and the runtime."""
    return prepared("pip", "scikit-build-core", "cmake", "ninja")


def test_a_project_that_does_not_ask_is_untouched(with_backend: Environment, package: Package, tmp_path: Path) -> None:
    stranger = package("stranger")
    before = build_in(with_backend, stranger, tmp_path / "before")
    for how in ("editable", "installed"):
        with_backend.install(*(["-e"] if how == "editable" else []), ROOT)
        after = build_in(with_backend, stranger, tmp_path / how)
        assert after.name == before.name
        with zipfile.ZipFile(before) as one, zipfile.ZipFile(after) as other:
            assert one.namelist() == other.namelist()
            seen = other.read("stranger/seen.txt").decode()
        # It may find the runtime's own CMake package, which lies where CMake looks; never this one.
        assert "tvm_ffi_build" not in seen
        assert str(ROOT) not in seen
        assert "TVM_FFI" not in seen


@pytest.mark.parametrize("how", ["editable", "installed"])
def test_a_project_that_sets_the_root_to_the_runtimes_package_still_gets_this_one(
    with_backend: Environment, package: Package, tmp_path: Path, how: str
) -> None:
    with_backend.install(*(["-e"] if how == "editable" else []), ROOT)
    wheel = build_in(with_backend, package("root_idiom"), tmp_path / "out")
    with zipfile.ZipFile(wheel) as archive:
        root, found = archive.read("root_idiom/where.txt").decode().splitlines()
    assert root.endswith("/tvm_ffi/share/cmake/tvm_ffi")
    expected = ROOT / "cmake" if how == "editable" else with_backend.site_packages / "tvm_ffi_build/data/cmake"
    assert Path(found) == expected


def test_a_source_folder_with_blanks_and_letters_of_other_languages(package: Package, tmp_path: Path) -> None:
    # Among them a blank of East Asian width and one that does not break.
    source = package("minimal").rename(tmp_path / "Größe & Maß 日本\u3000(1)\u00a0")
    for frontend in ("uv", "build"):
        wheel = build(source, tmp_path / f"aus gabe {frontend} ü", "--frontend", frontend)
        assert Library.of(wheel, "minimal/libminimal.so").exports == {"__tvm_ffi_add_two"}


def test_a_build_through_the_plugin_starts_no_python_to_find_the_runtime(
    equipped: Environment, package: Package, tmp_path: Path
) -> None:
    python = counting_python(tmp_path)
    equipped.run(
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        tmp_path / "out",
        "-C",
        f"cmake.define.TVM_FFI_PYTHON={python}",
        package("minimal"),
    )
    starts = (tmp_path / "starts").read_text(encoding="utf-8").splitlines()
    # The check of the library, at the end.
    assert [start.split()[1] for start in starts] == ["tvm_ffi_build.cmake_steps.check_agnostic"]


def test_an_sdist_claims_no_version_of_the_runtime_and_a_wheel_from_it_does(package: Package, tmp_path: Path) -> None:
    source = package("minimal")
    constraints = tmp_path / "constraints.txt"
    from tvm_ffi_build.wheels.own_wheel import write_own_wheel  # noqa: PLC0415

    constraints.write_text(f"tvm-ffi-build @ {write_own_wheel(tmp_path).as_uri()}\n", encoding="utf-8")
    run("uv", "build", "--python", sys.executable, "--build-constraints", constraints, "-o", tmp_path / "dist", source)
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    run("tar", "-xzf", sdist, "-C", tmp_path / "dist")
    info = email.message_from_string((tmp_path / "dist/minimal-1.0/PKG-INFO").read_text(encoding="utf-8"))
    assert info.get_all("Requires-Dist") is None
    assert "Requires-Dist" in (info.get_all("Dynamic") or [])
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert tag(wheel).startswith("py3-none-")
    assert requirements(wheel)[0].startswith("apache-tvm-ffi")


def test_the_oldest_supported_runtime_is_built_against(package: Package, tmp_path: Path, equipped: Environment) -> None:
    equipped.install("apache-tvm-ffi==0.1.8.post0")
    wheel = build_in(equipped, package("example"), tmp_path / "out")
    assert any(">=0.1.8.post0" in line for line in requirements(wheel))
    equipped.install("--no-deps", wheel)
    equipped.run("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests")


@pytest.fixture
def without_config_entry_point(with_backend: Environment) -> Environment:
    """Return an environment with the package as Python 3.9 and 3.10 get it from pip: hatch_build.py says why."""
    # Copied: uv would link to the files of its cache, which are not to be changed.
    with_backend.install("--link-mode", "copy", f"{ROOT}[wheel]")
    (entry_points,) = with_backend.site_packages.glob("tvm_ffi_build-*.dist-info/entry_points.txt")
    groups = entry_points.read_text(encoding="utf-8").split("\n\n")
    kept = [group for group in groups if "scikit-build-core.config.default" not in group]
    assert len(kept) == len(groups) - 1
    entry_points.write_text("\n\n".join(kept), encoding="utf-8")
    plugin = with_backend.site_packages / "tvm_ffi_build/plugin.py"
    text = plugin.read_text(encoding="utf-8")
    assert "HAS_CONFIG_ENTRY_POINT = sys.version_info >= (3, 11)\n" in text
    plugin.write_text(text.replace("= sys.version_info >= (3, 11)", "= False"), encoding="utf-8")
    return with_backend


def test_without_the_config_entry_point_the_wheel_is_the_same(
    without_config_entry_point: Environment, package: Package, tmp_path: Path
) -> None:
    expected = build(package("minimal"), tmp_path / "expected")
    for frontend in ("build", "uv"):
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        without_config_entry_point.run(
            "-m",
            "tvm_ffi_build",
            "wheel",
            "--no-repair",
            tmp_path / "minimal",
            "-w",
            tmp_path / frontend,
            "--frontend",
            frontend,
            env={**os.environ, "PATH": path},
        )
        (wheel,) = (tmp_path / frontend).glob("*.whl")
        assert wheel.read_bytes() == expected.read_bytes()


def test_without_the_config_entry_point_other_front_ends_need_the_tag_in_writing(
    without_config_entry_point: Environment, package: Package, tmp_path: Path
) -> None:
    project = package("minimal")
    command = ["-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", str(tmp_path / "out"), str(project)]
    out = without_config_entry_point.run(*command, ok=False)
    assert "the tag py3 cannot be set for the project" in out
    assert 'write wheel.py-api = "py3" in [tool.scikit-build]' in out
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.scikit-build]\nwheel.py-api = "py3"\n')
    without_config_entry_point.run(*command)
    (wheel,) = (tmp_path / "out").glob("minimal-1.0-py3-none-*.whl")
    library = Library.of(wheel, "minimal/libminimal.so")
    assert (library.exports, library.run_path) == ({"__tvm_ffi_add_two"}, ["$ORIGIN/../tvm_ffi/lib"])

"""The example through everything that can build it: the same wheel from each, and an editing loop in each manner."""

from __future__ import annotations

import os
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile
from support.downloads import download
from support.processes import command_line, run
from support.project import EXAMPLE, ROOT

from tvm_ffi_build.config import cmake_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.environments import Environment

    Package = Callable[[str], Path]

PRINT = "import my_ffi_extension as e, numpy as n; y = n.zeros(1, 'f'); e.add_one(n.ones(1, 'f'), y); print(int(y[0]))"


@pytest.fixture
def isolated(own_wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip's isolated builds find this tvm-ffi-build, as they will find a release in the index."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(own_wheels))


# Without optimisation: the library of most of these tests is compiled for them alone.
FAST = ("-C", "cmake.build-type=None")


def pip(environment: Environment, *arguments: str | Path) -> str:
    return environment.run("-m", "pip", *arguments)


def edit(project: Path, old: str = "+ 1.0F", new: str = "+ 2.0F") -> None:
    source = project / "src/extension.cc"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")


# ---- Wheels: the same bytes, whatever made them ------------------------------------------------------------------


@pytest.mark.usefixtures("isolated")
def test_pip_wheel(with_pip: Environment, package: Package, tmp_path: Path, example_wheel: Path) -> None:
    pip(with_pip, "wheel", "--no-deps", "-w", tmp_path / "out", package("example"))
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


def test_uv_build(package: Package, tmp_path: Path, example_wheel: Path, own_wheels: Path) -> None:
    # uv takes a wheel of the same version from its cache, whatever is in the folder.
    env = {**os.environ, "UV_FIND_LINKS": str(own_wheels), "UV_NO_CACHE": "1"}
    run("uv", "build", "--wheel", "--python", sys.executable, "-o", tmp_path / "out", package("example"), env=env)
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


def test_build_through_the_sdist(equipped: Environment, package: Package, tmp_path: Path, example_wheel: Path) -> None:
    equipped.run("-m", "build", "--no-isolation", "-o", tmp_path / "out", package("example"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"my_ffi_extension-0.1.0.tar.gz", example_wheel.name}
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


@pytest.mark.parametrize("generator", ["Unix Makefiles", "Ninja Multi-Config"])
def test_other_generators(
    equipped: Environment, package: Package, tmp_path: Path, example_wheel: Path, generator: str
) -> None:
    pip(
        equipped,
        *command_line(
            "wheel --no-build-isolation --no-deps -w {out} {example} -C cmake.args=-G{generator}",
            out=tmp_path / "out",
            example=package("example"),
            generator=generator,
        ),
    )
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


@pytest.mark.slow  # it mounts
def test_a_source_tree_that_cannot_be_written(
    equipped: Environment, package: Package, tmp_path: Path, example_wheel: Path, read_only: Callable[[Path], Path]
) -> None:
    project = read_only(package("example"))
    for command in (
        ["-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", str(tmp_path / "pip"), str(project)],
        ["-m", "build", "--no-isolation", "--wheel", "-o", str(tmp_path / "build"), str(project)],
        ["-m", "tvm_ffi_build", "wheel", "--no-repair", "-w", str(tmp_path / "own"), str(project)],
    ):
        equipped.run(*command, env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    for folder in ("pip", "build", "own"):
        assert (tmp_path / folder / example_wheel.name).read_bytes() == example_wheel.read_bytes()


# ---- Pinned and offline ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pinned(once: Callable[[str, Callable[[Path], None]], Path], own_wheels: Path) -> Path:
    """Return a folder with "requirements.txt", all that a build of the example needs with hashes, and those wheels."""

    def fill(folder: Path) -> None:
        (folder / "requirements.in").write_text(
            "scikit-build-core>=1.0\ntvm-ffi-build\ncmake\nninja\n", encoding="utf-8"
        )
        download(
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--generate-hashes",
            "--no-cache",
            "--find-links",
            own_wheels,
            "--python",
            sys.executable,
            "-o",
            folder / "requirements.txt",
            folder / "requirements.in",
        )
        download(
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--require-hashes",
            "--find-links",
            own_wheels,
            "-d",
            folder / "wheels",
            "-r",
            folder / "requirements.txt",
        )

    return once("pinned", fill)


def test_pinned_by_hashes_with_uv(pinned: Path, package: Package, tmp_path: Path, example_wheel: Path) -> None:
    command = [
        *command_line(
            "uv build --wheel --python {python} --no-cache --find-links {wheels} --require-hashes "
            "--build-constraints {requirements} -o {out} {example}",
            python=sys.executable,
            wheels=pinned / "wheels",
            requirements=pinned / "requirements.txt",
            out=tmp_path / "out",
            example=package("example"),
        )
    ]
    run(*command)
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()
    wrong = tmp_path / "wrong.txt"
    text = (pinned / "requirements.txt").read_text(encoding="utf-8")
    wrong.write_text(re.sub(r"sha256:.{8}", "sha256:00000000", text), encoding="utf-8")
    done = run(*[str(wrong) if word.endswith("requirements.txt") else word for word in command], ok=False)
    assert "Hash mismatch" in done.stderr


def test_pinned_by_hashes_with_pip(
    pinned: Path, with_pip: Environment, package: Package, tmp_path: Path, example_wheel: Path
) -> None:
    pip(
        with_pip,
        *command_line(
            "install -q --no-index --find-links {wheels} --require-hashes -r {requirements}",
            wheels=pinned / "wheels",
            requirements=pinned / "requirements.txt",
        ),
    )
    pip(with_pip, "wheel", "--no-build-isolation", "--no-deps", "-w", tmp_path / "out", package("example"))
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


@pytest.mark.parametrize("frontend", ["pip", "build", "uv"])
def test_offline(
    pinned: Path, with_pip: Environment, package: Package, tmp_path: Path, example_wheel: Path, frontend: str
) -> None:
    """From a folder of wheels alone."""
    settings = {"FIND_LINKS": str(pinned / "wheels"), "NO_INDEX": "1"}
    env = {**os.environ, "UV_NO_CACHE": "1"}
    env.update({f"{tool}_{name}": value for name, value in settings.items() for tool in ("PIP", "UV")})
    command: list[str | Path] = [sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", "--frontend", frontend]
    if frontend == "pip":
        command = [with_pip.python, "-m", "pip", "wheel", "--no-deps"]
    run(*command, "-w", tmp_path / "out", package("example"), env=env)
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


def test_our_command_where_hashes_are_required(
    pinned: Path, package: Package, tmp_path: Path, example_wheel: Path
) -> None:
    """The pin by which it hands over itself has one too. (pip cannot require them for an isolated build.)"""
    text = (pinned / "requirements.txt").read_text(encoding="utf-8")
    others = tmp_path / "others.txt"
    others.write_text(re.sub(r"(?m)^tvm-ffi-build==.*\n(    .*\n)*", "", text), encoding="utf-8")
    assert "tvm-ffi-build==" in text
    env = {**os.environ, "UV_BUILD_CONSTRAINT": str(others), "UV_REQUIRE_HASHES": "1"}
    run(
        *command_line(
            "{python} -m tvm_ffi_build wheel --no-repair --frontend uv -w {out} {example}",
            python=sys.executable,
            out=tmp_path / "out",
            example=package("example"),
        ),
        env=env,
    )
    assert (tmp_path / "out" / example_wheel.name).read_bytes() == example_wheel.read_bytes()


# ---- Installed and edited ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("isolated")
def test_pip_install(prepared: Callable[..., Environment], package: Package) -> None:
    environment = prepared("pip", "numpy", "pytest")
    project = package("example")
    pip(environment, "install", "-q", f"{project}[test]")
    edit(project)
    assert environment.run("-c", PRINT) == "2\n"
    environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=project)


@pytest.mark.usefixtures("isolated")
def test_pip_install_editable_then_an_edit_then_again(prepared: Callable[..., Environment], package: Package) -> None:
    environment = prepared("pip", "numpy", "pytest")
    project = package("example")
    pip(environment, "install", "-q", *FAST, "-e", f"{project}[test]")
    environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=project)
    edit(project)
    assert environment.run("-c", PRINT) == "2\n"
    pip(environment, "install", "-q", *FAST, "-e", project)
    assert environment.run("-c", PRINT) == "3\n"
    assert not list(project.rglob("*.so"))


@pytest.mark.parametrize("mode", ["redirect", "inplace"])
def test_an_editable_install_that_rebuilds_on_import(equipped: Environment, package: Package, mode: str) -> None:
    project = package("example")
    (command,) = re.findall(
        r"^python (-m pip install .*editable\.rebuild.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    if mode == "inplace":
        command = command.replace("-C build-dir=build", "-C editable.mode=inplace")
    equipped.run(*command.split(), "-C", "editable.verbose=false", *FAST, cwd=project)
    assert equipped.run("-c", PRINT) == "2\n"
    edit(project)
    assert equipped.run("-c", PRINT) == "3\n"
    edit(project, "+ 2.0F", "+ 4.0F")
    # From the project's folder too, where Python finds other things first.
    assert equipped.run("-c", PRINT, cwd=project) == "5\n"
    edit(project, "auto* to =", "auto* oops =")
    assert "extension.cc" in equipped.run("-c", PRINT, ok=False)


def test_an_editable_install_in_place(equipped: Environment, package: Package) -> None:
    project = package("example")
    command = ["install", "-q", "--no-build-isolation", "-e", str(project), "-Ceditable.mode=inplace", *FAST]
    pip(equipped, *command)
    assert equipped.run("-c", PRINT) == "2\n"
    edit(project)
    pip(equipped, *command)
    assert equipped.run("-c", PRINT) == "3\n"


def test_a_build_tree_is_used_as_it_is(equipped: Environment, package: Package) -> None:
    """With plain CMake, and nothing of the project installed."""
    project = package("example")
    run(
        *command_line(
            "cmake -G Ninja -S {project} -B {build} -Dtvm_ffi_DIR={cmake_dir} "
            "-DPython_EXECUTABLE={python} -DCMAKE_BUILD_TYPE=None",
            project=project,
            build=project / "build",
            cmake_dir=cmake_dir(),
            python=equipped.python,
        )
    )
    run("cmake", "--build", project / "build")
    env = {**os.environ, "PYTHONPATH": str(project / "python")}
    assert equipped.run("-c", PRINT, env=env) == "2\n"
    shutil.rmtree(project / "build")
    assert re.search(
        r"ImportError: libmy_ffi_extension\.so is not in .+, .+, .+; install it again: python -m pip install",
        equipped.run("-c", PRINT, env=env, ok=False),
    )


def test_plain_cmake_and_install(equipped: Environment, package: Package, tmp_path: Path) -> None:
    """Into a folder like site-packages."""
    project, site = package("example"), tmp_path / "site"
    run(
        *command_line(
            "cmake -G Ninja -S {project} -B {build} -Dtvm_ffi_DIR={cmake_dir} "
            "-DPython_EXECUTABLE={python} -DCMAKE_BUILD_TYPE=Release "
            "-DCMAKE_INSTALL_PREFIX={site}/my_ffi_extension",
            project=project,
            build=tmp_path / "build",
            cmake_dir=cmake_dir(),
            python=equipped.python,
            site=site,
        )
    )
    run("cmake", "--build", tmp_path / "build")
    run("cmake", "--install", tmp_path / "build")
    installed = {path.name for path in (site / "my_ffi_extension").iterdir()}
    assert installed == {"libmy_ffi_extension.so", "_my_ffi_extension_runtime.py"}
    shutil.copytree(project / "python/my_ffi_extension", site / "my_ffi_extension", dirs_exist_ok=True)
    env = {**os.environ, "PYTHONPATH": str(site)}
    equipped.run("-m", "pytest", "-q", "-p", "no:cacheprovider", project / "tests", env=env)


# ---- Other kinds of builds and projects --------------------------------------------------------------------------


def test_a_debug_build(equipped: Environment, package: Package, tmp_path: Path) -> None:
    pip(
        equipped,
        *command_line(
            "wheel --no-build-isolation --no-deps -w {out} {example} -C cmake.build-type=Debug",
            out=tmp_path / "out",
            example=package("example"),
        ),
    )
    (wheel,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read("my_ffi_extension/libmy_ffi_extension.so")
        with archive.open("my_ffi_extension/libmy_ffi_extension.so") as file:
            assert ELFFile(file).has_dwarf_info()
    assert str(tmp_path).encode() not in content
    equipped.install(wheel)
    equipped.run("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests")


def test_a_build_with_sanitizers(equipped: Environment, package: Package, tmp_path: Path) -> None:
    project = package("example")
    # Too far by as many elements as the environment says, so that one library shows both.
    edit(project, "i < x.size(0); ++i", 'i < x.size(0) + (std::getenv("TOO_FAR") ? 64 : 0); ++i')
    flags = "-C", "cmake.define.CMAKE_CXX_FLAGS=-fsanitize=address,undefined -fno-sanitize-recover=all"
    debug = "-C", "cmake.build-type=Debug"
    preloaded = [run("gcc", f"-print-file-name={name}").stdout.strip() for name in ("libasan.so", "libstdc++.so.6")]
    # CPython keeps much until it ends.
    env = {**os.environ, "LD_PRELOAD": " ".join(preloaded), "ASAN_OPTIONS": "detect_leaks=0"}
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--capture=sys", str(project / "tests")]
    pip(equipped, "install", "-q", "--no-build-isolation", *flags, *debug, project)
    equipped.run(*tests, env=env)
    # They are there, and name the place as the traceback does.
    out = equipped.run("-c", PRINT, env={**env, "TOO_FAR": "1"}, ok=False)
    assert "AddressSanitizer: heap-buffer-overflow" in out
    assert re.search(r"in my_ffi_extension::AddOne\(.*\) src/extension\.cc:\d+", out), out


@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_a_namespace_package_with_several_libraries(equipped: Environment, package: Package, how: str) -> None:
    project = package("namespace")
    pip(equipped, "install", "-q", "--no-build-isolation", *(["-e"] if how == "editable" else []), project)
    code = "import acme, acme.kernels as k; print(k.first.add(1), k.second.add(1), getattr(acme, '__file__', None))"
    assert equipped.run("-c", code) == "2 3 None\n"

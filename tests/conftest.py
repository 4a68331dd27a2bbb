"""What the tests share: sample projects, environments, and things that are expensive to make, made once a session."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import settings
from interpreters import Interpreter, require_programs, unpack_for_aarch64
from windows_python import WindowsPython, make_windows_python

from tvm_ffi_build.config import cmake_dir
from tvm_ffi_build.own_wheel import write_own_wheel
from tvm_ffi_build.programs import find_program
from tvm_ffi_build.runtime import OLDEST_SUPPORTED, find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "python_packaging"

# The releases that can be built against, without those that were withdrawn.
RUNTIMES = (
    OLDEST_SUPPORTED, "0.1.8.post1", "0.1.8.post2", "0.1.9", "0.1.10", "0.1.11", "0.1.12", "0.1.13.post2",
    "0.1.13.post3", "0.1.14.post0", "0.1.14.post1", "0.1.15.post1", "0.1.15.post2",
)  # fmt: skip

# Wheels of others from the index: the requirement, the platform that it is asked for, and the platform tag that fits.
REAL = {
    "jax-linux": ("jax-tvm-ffi==0.1.3", "manylinux_2_28_x86_64", "manylinux_2_24_x86_64"),
    "jax-macos": ("jax-tvm-ffi==0.1.3", "macosx_11_0_arm64", "macosx_11_0_arm64"),
    "xgrammar-linux": ("xgrammar==0.2.8", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64"),
    "xgrammar-macos": ("xgrammar==0.2.8", "macosx_11_0_arm64", "macosx_11_0_arm64"),
    "xgrammar-windows": ("xgrammar==0.2.8", "win_amd64", "win_amd64"),
    "orcjit-linux": ("apache-tvm-ffi-orcjit==0.1.3", "manylinux_2_28_x86_64", "manylinux_2_27_x86_64"),
    "orcjit-macos": ("apache-tvm-ffi-orcjit==0.1.3", "macosx_14_0_arm64", "macosx_14_0_arm64"),
    "orcjit-windows": ("apache-tvm-ffi-orcjit==0.1.3", "win_amd64", "win_amd64"),
}

# The newest that wine 8 has all functions for.
NUMPY_ON_WINE = "numpy==2.1.3"

LIBRARY_SOURCE = """#include <tvm/ffi/tvm_ffi.h>
static int One() { return 1; }
TVM_FFI_DLL_EXPORT_TYPED_FUNC(one, One)
"""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer has set from deciding how a test ends."""
    for name in ("TVM_FFI_RUNTIME", "SKBUILD_NO_ENTRYPOINT_CONFIG", "SKBUILD_WHEEL_PY_API", "CMAKE_ARGS", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)


def source_files() -> list[Path]:
    """Return the files of this project: those that git knows, or all of an unpacked sdist."""
    if (ROOT / ".git").exists():
        listed = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    made = re.compile(
        r"(^|/)(\.[^/]*_cache|\.hypothesis|\.venv|__pycache__|[^/]*\.egg-info)/|^(build|dist|wheelhouse)/"
    )
    names = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file())
    return [ROOT / name for name in names if not made.search(name)]


def copy_project(destination: Path) -> Path:
    """Copy the files of this project, without what lies about in the checkout."""
    for path in source_files():
        target = destination / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return destination


def run(*command: str | os.PathLike[str], ok: bool = True, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command; with ``ok``, show what it said if it failed."""
    defaults = {"capture_output": True, "encoding": "utf-8", "stdin": subprocess.DEVNULL}
    words = [os.fspath(word) for word in command]
    done: subprocess.CompletedProcess[str] = subprocess.run(words, check=False, **{**defaults, **options})  # type: ignore[call-overload]
    if ok:
        assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the message of CMake's first error, as the one line that it was before CMake broke it."""
    assert done.returncode != 0
    match = re.search(r"^CMake Error.*\n((?:  .*\n|\n)+)", done.stderr, re.MULTILINE)
    assert match, done.stderr
    return " ".join(match[1].split())


def build_configured(tmp_path: Path, *targets: str) -> None:
    """Build what the fixture ``configure`` has configured."""
    run("cmake", "--build", tmp_path / "build", *(["--target", *targets] if targets else []))


def counting_python(folder: Path) -> Path:
    """Make a Python that notes the arguments of each start, in the file "starts"."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/starts"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own."""

    path: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return next(self.path.glob("lib/python3*/site-packages"))

    def install(self, *arguments: str | os.PathLike[str]) -> None:
        run("uv", "pip", "install", "--quiet", "--python", self.python, *arguments)

    def run(self, *arguments: str | os.PathLike[str], ok: bool = True, **options: object) -> str:
        """Run its Python; return standard output and error together."""
        options = {"cwd": self.path, "stderr": subprocess.STDOUT, "stdout": subprocess.PIPE, **options}
        return run(self.python, *arguments, ok=ok, capture_output=False, **options).stdout


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return a function that makes a folder once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder = base / "once" / name
        folder.parent.mkdir(exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                unfinished = folder.with_name(f"{name}.unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                fill(unfinished)
                unfinished.rename(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def example_wheel(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the example's wheel, built in isolation by this tvm-ffi-build."""

    def fill(folder: Path) -> None:
        run(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", EXAMPLE, "-w", folder)

    (wheel,) = once("example-wheel", fill).glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def zoo(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a project of many kinds of functions and classes, built with plain CMake, its stubs begun from nothing."""

    def fill(folder: Path) -> None:
        shutil.copytree(ROOT / "tests" / "packages" / "zoo", folder / "zoo")
        run("cmake", "-G", "Ninja", "-S", folder / "zoo", "-B", folder / "zoo/build", f"-Dtvm_ffi_DIR={cmake_dir()}",
            f"-DPython_EXECUTABLE={sys.executable}", "-DCMAKE_BUILD_TYPE=Debug")  # fmt: skip
        run("cmake", "--build", folder / "zoo/build")

    return once("zoo", fill) / "zoo"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that gives the path of a program, installed by apt-get where it is missing."""
    base = tmp_path_factory.getbasetemp()
    lock = FileLock((base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "apt.lock")

    def get(find: Callable[[], str | None], *packages: str) -> str:
        with lock:
            if find() is None:
                apt = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
                run(*apt, "update")
                run(*apt, "install", "-y", "--no-install-recommends", *packages)
            path = find()
        assert path, packages
        return path

    return get


@pytest.fixture(scope="session")
def zig_cache(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder for what zig builds for a platform at first: a new one, unless the developer has set one."""
    given = os.environ.get("ZIG_GLOBAL_CACHE_DIR")
    return Path(given) if given else once("zig-cache", lambda _: None)


@pytest.fixture(scope="session")
def nvcc(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the path of CUDA's compiler: this machine's, or of its wheel."""
    here = shutil.which(os.environ.get("CUDACXX") or "nvcc")
    if here:
        return Path(here)

    def fill(folder: Path) -> None:
        run("uv", "pip", "install", "-q", "--python", sys.executable, "--target", folder, "nvidia-cuda-nvcc>=13")

    (path,) = once("nvcc", fill).glob("nvidia/*/bin/nvcc")
    return path


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Return a new, empty virtual environment."""
    path = tmp_path / "environment"
    run("uv", "venv", "--quiet", "--python", sys.executable, path)
    return Environment(path)


@pytest.fixture(scope="session")
def unpacked_runtime(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[..., Path]:
    """Return a function that gives a folder with a release of the runtime, of any platform."""

    def get(version: str, platform: str | None = None) -> Path:
        def fill(folder: Path) -> None:
            foreign = ["--python-platform", platform, "--only-binary", ":all:"] if platform else []
            run("uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", folder, *foreign,
                f"apache-tvm-ffi=={version}")  # fmt: skip

        return once(f"runtime-{version}-{platform or 'host'}", fill)

    return get


@pytest.fixture(scope="session")
def oldest_runtime(unpacked_runtime: Callable[..., Path]) -> Path:
    """Return a folder with the oldest runtime that can be built against."""
    return unpacked_runtime(OLDEST_SUPPORTED)


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies a sample project, so that a build cannot change the original."""

    def copy(name: str) -> Path:
        source = EXAMPLE if name == "example" else ROOT / "tests" / "packages" / name
        return Path(shutil.copytree(source, tmp_path / name))

    return copy


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that configures a project made of a few lines, with plain CMake, in ``tmp_path / "build"``."""

    def run_cmake(
        *lines: str, find: str = "find_package(tvm_ffi CONFIG REQUIRED)", languages: str = "CXX", ok: bool = True,
        define: dict[str, str] | None = None, cmake: str = "cmake", generator: str = "Ninja", **options: object,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / "lib.cc").write_text(LIBRARY_SOURCE, encoding="utf-8")
        text = ["cmake_minimum_required(VERSION 3.15)", f"project(sample LANGUAGES {languages})", find, *lines]
        (source / "CMakeLists.txt").write_text("\n".join(text), encoding="utf-8")
        defaults = {"tvm_ffi_DIR": str(cmake_dir()), "TVM_FFI_PYTHON": sys.executable}
        defines = [f"-D{key}={value}" for key, value in {**defaults, **(define or {})}.items() if value]
        return run(cmake, "-G", generator, "-S", source, "-B", tmp_path / "build", *defines, ok=ok, **options)

    return run_cmake


@pytest.fixture(scope="session")
def own_wheels(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with this tvm-ffi-build as a wheel, for PIP_FIND_LINKS and UV_FIND_LINKS."""

    def fill(folder: Path) -> None:
        write_own_wheel(folder)

    return once("own-wheels", fill)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Return a function that gives a folder by a path on which it cannot be written."""
    mounted: list[Path] = []

    def lock(folder: Path) -> Path:
        if os.getuid() != 0:
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode & ~0o222)
            return folder
        # root may write wherever a mode forbids it.
        view = tmp_path / "read-only" / folder.name
        view.mkdir(parents=True)
        run("mount", "--bind", folder, view)
        mounted.append(view)
        run("mount", "-o", "remount,bind,ro", view)
        return view

    yield lock
    for view in mounted:
        run("umount", view)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that gives a folder with room for so much, such as ``32k``; mounting one takes root."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"disk-{size}"
        folder.mkdir()
        run(
            *([] if os.getuid() == 0 else ["sudo", "-n"]), "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder
        )
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        run(*([] if os.getuid() == 0 else ["sudo", "-n"]), "umount", folder)


@pytest.fixture(scope="session")
def old_cmake(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], str]:
    """Return a function that gives the path of a CMake of an old version."""

    def get(version: str) -> str:
        def fill(folder: Path) -> None:
            run("uv", "pip", "install", "-q", "--python", sys.executable, "--target", folder, f"cmake=={version}")

        return str(once(f"cmake-{version}", fill) / "cmake/data/bin/cmake")

    return get


def record_row(name: str, content: bytes) -> str:
    """Return a row of a wheel's RECORD, made without the code under test."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a wheel."""

    def make(
        files: dict[str, bytes] | None = None,
        *,
        name: str = "demo",
        tag: str = "py3-none-linux_x86_64",
        metadata: Sequence[str] = (),
        purelib: bool = False,
        folder: Path | None = None,
    ) -> Path:
        info = f"{name}-1.0.dist-info"
        headers = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *metadata]
        members = {
            **(files or {f"{name}/__init__.py": b""}),
            f"{info}/METADATA": "\n".join([*headers, ""]).encode(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {str(purelib).lower()}\nTag: {tag}\n".encode(),
        }
        record = "".join(record_row(member, content) for member, content in members.items())
        members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        path = (folder or tmp_path) / f"{name}-1.0-{tag}.whl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    return make


@pytest.fixture
def downloaded(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], Path]:
    """Return a function that gets a wheel of others."""

    def get(name: str) -> Path:
        requirement, platform, _ = REAL[name]

        def fill(folder: Path) -> None:
            run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", folder,
                "--python-version", "3.12", "--platform", platform, requirement)  # fmt: skip

        (wheel,) = once(f"downloaded-{name}", fill).glob("*.whl")
        return wheel

    return get


@dataclass(frozen=True)
class Builder:
    """Runs this program with caches of its own.

    Attributes:
        environment: The variables that say where they are.

    """

    environment: dict[str, str]

    def __call__(self, *arguments: str | Path, ok: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "tvm_ffi_build", *arguments)
        return run(*command, ok=ok, env={**self.environment, **more})

    def cmake(self, source: Path, toolchain: Path, *arguments: str) -> Path:
        """Configure and build a project by hand; return the build folder."""
        build = source / "build"
        run("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
            f"-DTVM_FFI_PYTHON={sys.executable}", "-DCMAKE_BUILD_TYPE=Release", *arguments, env=self.environment)  # fmt: skip
        run("cmake", "--build", build, env=self.environment)
        return build


@pytest.fixture(scope="session")
def builder(once: Callable[[str, Callable[[Path], None]], Path], zig_cache: Path) -> Builder:
    """Return what runs this program; zig's libraries and the runtimes are made once for all tests."""
    caches = {"XDG_CACHE_HOME": str(once("cross-cache", lambda _: None)), "ZIG_GLOBAL_CACHE_DIR": str(zig_cache)}
    return Builder(
        {**os.environ, **caches, "UV_CACHE_DIR": run(find_program("uv") or "uv", "cache", "dir").stdout.strip()}
    )


@pytest.fixture(scope="session")
def all_wheels(once: Callable[[str, Callable[[Path], None]], Path], builder: Builder) -> Path:
    """Return a folder with the example's wheels for every platform of the runtime, and what was said."""

    def fill(folder: Path) -> None:
        shutil.copytree(EXAMPLE, folder / "source")
        done = builder("wheel", folder / "source", "-w", folder / "wheels", "--platform", "all")
        (folder / "said").write_text(done.stdout, encoding="utf-8")

    return once("all-wheels", fill)


@pytest.fixture(scope="session")
def wheel_for(all_wheels: Path) -> Callable[[str], Path]:
    """Return a function that gives one of them, by the end of its platform tag."""

    def get(end: str) -> Path:
        (wheel,) = (all_wheels / "wheels").glob(f"*{end}.whl")
        return wheel

    return get


@pytest.fixture(scope="session")
def windows(once: Callable[[str, Callable[[Path], None]], Path], installed: Callable[..., str]) -> WindowsPython:
    """Return a Windows CPython 3.13."""
    installed(lambda: shutil.which("wine"), "wine", "wine64")
    return WindowsPython(once("windows-python", make_windows_python))


@pytest.fixture(scope="session")
def wheels_for_windows(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the runtime and what tests need, for Windows."""

    def fill(folder: Path) -> None:
        run(sys.executable, "-m", "pip", "-q", "download", "--only-binary", ":all:", "--platform", "win_amd64",
            "--python-version", "3.13", f"apache-tvm-ffi=={find_runtime().version}", NUMPY_ON_WINE, "pytest", "colorama", "-d", folder)  # fmt: skip

    return once("wheels-for-windows", fill)


@pytest.fixture
def on_windows(windows: WindowsPython, wheels_for_windows: Path, tmp_path: Path) -> Callable[..., str]:
    """Return a function that installs wheels there by pip, runs some code, and gives what that says."""

    def say(code: str, *wheels: Path | str, debug: str = "-all") -> str:
        site = tmp_path / "site"
        if wheels:
            windows.run("-m", "pip", "install", "-q", "--no-index", "--find-links", wheels_for_windows, "--target",
                        site, *wheels)  # fmt: skip
        script = tmp_path / "script.py"
        script.write_text(f"import sys\nsys.path.insert(0, {'Z:' + str(site)!r})\n{code}", encoding="utf-8")
        return windows.run(script, WINEDEBUG=debug)

    return say


@pytest.fixture(scope="session")
def aarch64(once: Callable[[str, Callable[[Path], None]], Path]) -> Interpreter:
    """Return a CPython 3.11 for aarch64 Linux, with pip, pytest, numpy and the runtime."""
    require_programs({"qemu-aarch64-static": "qemu-user-static"})

    def fill(folder: Path) -> None:
        site = unpack_for_aarch64("3.11", folder).root / "usr/lib/python3/dist-packages"
        run("uv", "pip", "install", "-q", "--python", sys.executable, "--python-version", "3.11", "--target", site,
            "--python-platform", "aarch64-manylinux_2_28", "--only-binary", ":all:", f"apache-tvm-ffi=={find_runtime().version}",
            "numpy", "pytest", "pip")  # fmt: skip

    folder = once("aarch64-python", fill)
    root = folder / "root"
    emulator = ("qemu-aarch64-static", "-L", str(root))
    return Interpreter("3.11", f"{root}/usr/bin/python3.11", folder, str(folder), root, emulator)

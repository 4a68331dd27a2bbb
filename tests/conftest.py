"""Fixtures of all tests. What is expensive is made once a session, for all workers."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from support.downloads import download, install_packages, install_packages_command, install_to
from support.environments import Builder, Environment
from support.privileges import is_root
from support.processes import CMAKE, run
from support.project import EXAMPLE, LIBRARY_SOURCE, ROOT
from support.wheels import record_row

from tvm_ffi_build.config import cmake_dir
from tvm_ffi_build.host.programs import find_program
from tvm_ffi_build.wheels.own_wheel import write_own_wheel

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence


# The time that an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Fixtures that only root can set up.
NEED_ROOT = {"small_disk"}


def pytest_configure() -> None:
    """Undo what the session inherits and what changes its results or its time."""
    # A shell starts background commands with SIGINT ignored, and a program inherits that. Without this, the commands
    # that tests interrupt would ignore SIGINT too.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Container images often set this. Then each of thousands of Python processes compiles every module it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need root, and skip them for other users; the summary lists each with the reason."""
    reason = "needs root, to mount a file system; run: sudo python -m pytest -m root"
    for item in items:
        if NEED_ROOT.isdisjoint(getattr(item, "fixturenames", ())):
            continue
        item.add_marker(pytest.mark.root)
        if not is_root():
            item.add_marker(pytest.mark.skip(reason=reason))


pytest_plugins = ("durations",)

# A file in C compiles as fast as a cache is asked.
COMPILER_LAUNCHER = "CMAKE_CXX_COMPILER_LAUNCHER"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer has set from deciding how a test ends."""
    for name in (
        "TVM_FFI_RUNTIME",
        "SKBUILD_NO_ENTRYPOINT_CONFIG",
        "SKBUILD_WHEEL_PY_API",
        "CMAKE_ARGS",
        "PYTHONPATH",
        "PYTEST_ADDOPTS",
    ):
        monkeypatch.delenv(name, raising=False)
    # pip reads this one the other way round: 0 turns on --no-compile. Compiling takes longer than installing.
    monkeypatch.setenv("PIP_NO_COMPILE", "0")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return a function that fills a directory once for all workers of a test run.

    ``TVM_FFI_BUILD_TEST_CACHE`` names a directory where several runs over the same tree share them.
    """
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    shared = Path(os.environ.get("TVM_FFI_BUILD_TEST_CACHE") or base / "once")

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        folder = shared / name
        folder.parent.mkdir(parents=True, exist_ok=True)
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
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that returns the path of a program, and installs it with apt-get if it is missing.

    If the tests do not run as root, a test that needs a missing program is skipped, and the summary shows the command
    that installs it.
    """
    base = tmp_path_factory.getbasetemp()
    lock = FileLock((base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "apt.lock")

    def get(find: Callable[[], str | None], *packages: str) -> str:
        with lock:
            if find() is None:
                if not is_root():
                    command = " ".join(install_packages_command(*packages))
                    pytest.skip(f"needs root, to install {' and '.join(packages)}; run: sudo {command}")
                install_packages(*packages)
            path = find()
        assert path, packages
        return path

    return get


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Return a new, empty virtual environment."""
    path = tmp_path / "environment"
    run("uv", "venv", "--quiet", "--python", sys.executable, path)
    return Environment(path)


@pytest.fixture
def prepared(once: Callable[[str, Callable[[Path], None]], Path], tmp_path: Path) -> Callable[..., Environment]:
    """Return a function that returns a new virtual environment with what ``uv pip install`` is given.

    It is a copy of one that is made once. Do not edit a file of it in place: its files are hard links.
    """

    def copy(*arguments: str | os.PathLike[str]) -> Environment:
        words = [os.fspath(argument) for argument in arguments]

        def fill(folder: Path) -> None:
            made = Environment.create(folder / "environment")
            made.install(*words)
            made.cache_bytecode()

        name = f"environment-{hashlib.sha256(repr(words).encode()).hexdigest()[:16]}"
        return Environment(once(name, fill) / "environment").copy(tmp_path / "prepared")

    return copy


@pytest.fixture
def with_pip(prepared: Callable[..., Environment]) -> Environment:
    """Return an environment with nothing but pip."""
    return prepared("pip")


@pytest.fixture(scope="session")
def unpacked_runtime(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[..., Path]:
    """Return a function that gives a folder with a release of the runtime, of any platform."""

    def get(version: str, platform: str | None = None) -> Path:
        def fill(folder: Path) -> None:
            foreign = ["--python-platform", platform, "--only-binary", ":all:"] if platform else []
            install_to(folder, "--no-deps", *foreign, f"apache-tvm-ffi=={version}")

        return once(f"runtime-{version}-{platform or 'host'}", fill)

    return get


@pytest.fixture(scope="session", autouse=True)
def _compiler_cache(once: Callable[[str, Callable[[Path], None]], Path]) -> Iterator[None]:
    """Let every CMake of the session compile C++ through one cache. It reads its launcher from the environment."""
    cache = once("objects", lambda _: None)
    script = ROOT / "tests" / "support" / "compiler_cache.py"
    with pytest.MonkeyPatch.context() as patch:
        # With -S and -E, Python starts in half the time.
        launcher = ";".join((sys.executable, "-S", "-E", str(script), str(cache)))
        patch.setenv(COMPILER_LAUNCHER, launcher)
        yield


@pytest.fixture
def uncached_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile for real, where two builds are compared or a launcher of the test's own is used."""
    monkeypatch.delenv(COMPILER_LAUNCHER)


@pytest.fixture(scope="session")
def example_wheel(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the example's wheel, built in isolation by this tvm-ffi-build."""

    def fill(folder: Path) -> None:
        # The isolated build downloads its requirements.
        download(sys.executable, "-m", "tvm_ffi_build", "wheel", "--no-repair", EXAMPLE, "-w", folder)

    (wheel,) = once("example-wheel", fill).glob("*.whl")
    return wheel


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
        *lines: str,
        find: str = "find_package(tvm_ffi CONFIG REQUIRED)",
        languages: str = "CXX",
        ok: bool = True,
        define: dict[str, str] | None = None,
        cmake: str = CMAKE,
        generator: str = "Ninja",
        library: str = LIBRARY_SOURCE,
        **options: object,
    ) -> subprocess.CompletedProcess[str]:
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / "lib.cc").write_text(library, encoding="utf-8")
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
    """Return a function that returns a read-only view of a directory; the directory itself stays writable."""
    mounted: list[Path] = []

    def lock(folder: Path) -> Path:
        view = tmp_path / "read-only" / folder.name
        if not is_root():
            shutil.copytree(folder, view, symlinks=True)
            for path in (view, *view.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode & ~0o222)
            return view
        # File modes do not keep root from writing.
        view.mkdir(parents=True)
        run("mount", "--bind", folder, view)
        mounted.append(view)
        run("mount", "-o", "remount,bind,ro", view)
        return view

    yield lock
    for view in mounted:
        run("umount", view)


@pytest.fixture(scope="session")
def zig_cache(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder for what zig builds for a platform at first: a new one, unless the developer has set one."""
    given = os.environ.get("ZIG_GLOBAL_CACHE_DIR")
    return Path(given) if given else once("zig-cache", lambda _: None)


@pytest.fixture(scope="session")
def builder(once: Callable[[str, Callable[[Path], None]], Path], zig_cache: Path) -> Builder:
    """Return what runs this program; zig's libraries and the runtimes are made once for all tests."""
    caches = {
        "XDG_CACHE_HOME": str(once("cross-cache", lambda _: None)),
        "ZIG_GLOBAL_CACHE_DIR": str(zig_cache),
        "UV_CACHE_DIR": run(find_program("uv") or "uv", "cache", "dir").stdout.strip(),
    }
    # Each toolchain is a script of its own, so the compiler cache would not find its objects again.
    return Builder({name: value for name, value in os.environ.items() if name != COMPILER_LAUNCHER} | caches)


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
        row: Callable[[str, bytes], str] = record_row,
    ) -> Path:
        info = f"{name}-1.0.dist-info"
        headers = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *metadata]
        root = f"Root-Is-Purelib: {str(purelib).lower()}"
        members = {
            **(files or {f"{name}/__init__.py": b""}),
            f"{info}/METADATA": "\n".join([*headers, ""]).encode(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\n{root}\nTag: {tag}\n".encode(),
        }
        record = "".join(row(member, content) for member, content in members.items())
        members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        path = (folder or tmp_path) / f"{name}-1.0-{tag}.whl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    return make

"""The order of builds for several platforms, and what happens when some fail, with stand-ins for the builds."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tvm_ffi_build.cross import release as release_module
from tvm_ffi_build.cross.build_folder import build_folder
from tvm_ffi_build.cross.command import _outcome_as_json, _render_table
from tvm_ffi_build.cross.compiler.zig import Zig
from tvm_ffi_build.cross.platform_choice import PlatformChoice
from tvm_ffi_build.cross.release import FinishedWheel, Outcome, Release
from tvm_ffi_build.cross.request import READ_SNAPSHOTS, WRITE_SNAPSHOTS
from tvm_ffi_build.cross.targets import parse_target
from tvm_ffi_build.errors import BuildError, OutputError, ProjectError
from tvm_ffi_build.frontend.run_frontend import BuildRequest
from tvm_ffi_build.host.unfinished import remove_abandoned
from tvm_ffi_build.pipeline import BuiltWheel
from tvm_ffi_build.pipeline import command as command_module
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from tvm_ffi_build.cross.targets import Target
    from tvm_ffi_build.runtime import Runtime

WINDOWS, MACOS = parse_target("win_amd64"), parse_target("macosx_11_0_arm64")
VERSION = "0.1.15.post2"


class Builds:
    """Stands for the builds; remembers what they were asked for."""

    def __init__(self, *failing: str | None) -> None:
        self.failing = failing
        self.requests: list[BuildRequest] = []
        self.wanted: list[bool] = []
        self.ended: list[str | None] = []
        self.waiting: dict[str, threading.Event] = {}
        self.begun = threading.Event()

    def __call__(
        self,
        request: BuildRequest,
        *,
        wanted: bool,
        on_step: Callable[[str], None],
        on_start: Callable[[Callable[[], None]], None],
    ) -> FinishedWheel:
        self.requests.append(request)
        self.wanted.append(wanted)
        on_step("Building")
        waiting = self.waiting.get(str(request.platform))
        if waiting:

            def end() -> None:
                self.ended.append(request.platform)
                waiting.set()

            on_start(end)
            self.begun.set()
            waiting.wait(30)
            raise BuildError("ended")
        if request.platform in self.failing:
            if self.waiting:
                self.begun.wait(30)
            raise BuildError(f"{request.platform} is broken")
        return FinishedWheel(request.output / f"{request.platform}.whl")

    @property
    def platforms(self) -> list[str | None]:
        return [request.platform for request in self.requests]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Release]:
    """Return a function that makes a release of some platforms."""
    runtime = find_runtime()
    monkeypatch.setattr(release_module, "fetch_runtime", lambda *_: runtime)
    monkeypatch.setattr(release_module, "cached_toolchain", lambda *_: tmp_path / "toolchain.cmake")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")

    def release(*platforms: object, **options: object) -> Release:
        request = BuildRequest(tmp_path, tmp_path / "out")
        wanted = PlatformChoice(platforms, VERSION)  # type: ignore[arg-type]
        return Release(request, wanted, Zig(Path("zig"), "1"), tmp_path / "cache", **options)  # type: ignore[arg-type]

    return release


def outcomes(release: Release, builds: Builds) -> list[Outcome]:
    found: list[Outcome] = []
    release.run(builds, lambda _name, _step: None, found.append)
    return found


def test_this_machine_is_first_and_leaves_what_it_registers_to_the_others(make: Callable[..., Release]) -> None:
    builds = Builds()
    found = outcomes(make(WINDOWS, None, MACOS), builds)
    assert builds.platforms == [None, "win_amd64", "macosx_11_0_arm64"]
    assert [outcome.name for outcome in found] == ["native", "win_amd64", "macosx_11_0_arm64"]
    written = [request.environment.get(WRITE_SNAPSHOTS) for request in builds.requests]
    read = [request.environment.get(READ_SNAPSHOTS) for request in builds.requests]
    assert written == [read[1], None, None]
    assert read == [None, written[0], written[0]]
    assert len({request.environment.get("SKBUILD_BUILD_DIR") for request in builds.requests}) == 3


def test_where_it_is_not_asked_for_its_wheel_goes_nowhere(make: Callable[..., Release], tmp_path: Path) -> None:
    builds = Builds()
    assert [outcome.name for outcome in outcomes(make(WINDOWS), builds)] == ["win_amd64"]
    assert builds.platforms == [None, "win_amd64"]
    assert [request.output == tmp_path / "out" for request in builds.requests] == builds.wanted == [False, True]


def test_alone_it_leads_nobody(make: Callable[..., Release]) -> None:
    builds = Builds()
    outcomes(make(None), builds)
    assert [set(request.environment) for request in builds.requests] == [{READ_SNAPSHOTS, "CMAKE_BUILD_PARALLEL_LEVEL"}]


@pytest.mark.parametrize(("jobs", "others"), [(1, "8"), (2, "4"), (3, "4"), (20, "4")])
def test_builds_share_the_processors(
    make: Callable[..., Release], monkeypatch: pytest.MonkeyPatch, jobs: int, others: str
) -> None:
    monkeypatch.setattr(release_module, "_count_processors", lambda: 8)
    builds = Builds()
    outcomes(make(WINDOWS, MACOS, jobs=jobs), builds)
    assert [one.environment["CMAKE_BUILD_PARALLEL_LEVEL"] for one in builds.requests] == ["8", others, others]
    monkeypatch.setenv("CMAKE_BUILD_PARALLEL_LEVEL", "3")
    outcomes(make(WINDOWS, jobs=jobs), builds)
    assert "CMAKE_BUILD_PARALLEL_LEVEL" not in builds.requests[-1].environment


def test_command_lines_are_the_same_each_time(make: Callable[..., Release]) -> None:
    """As far as the paths in them come from here."""

    def paths() -> list[tuple[str | None, ...]]:
        builds = Builds()
        outcomes(make(WINDOWS, MACOS), builds)
        names = ("TVM_FFI_RUNTIME", "SKBUILD_BUILD_DIR", "SKBUILD_CMAKE_TOOLCHAIN_FILE")
        return [tuple(request.environment.get(name) for name in names) for request in builds.requests]

    first = paths()
    assert paths() == first
    assert None not in {runtime for runtime, _, _ in first}
    assert len({folder for _, folder, _ in first}) == 3


def test_a_runtime_of_the_users_own_stays(make: Callable[..., Release], monkeypatch: pytest.MonkeyPatch) -> None:
    """And where runtimes come from a folder, that for this machine need not be among them."""
    for options, variable in (({}, "/somewhere"), ({"find_links": Path("wheels")}, "")):
        monkeypatch.setenv("TVM_FFI_RUNTIME", variable)
        builds = Builds()
        outcomes(make(WINDOWS, **options), builds)
        assert "TVM_FFI_RUNTIME" not in builds.requests[0].environment


def test_the_first_failure_ends_it(make: Callable[..., Release]) -> None:
    builds = Builds("win_amd64")
    with pytest.raises(BuildError, match="win_amd64 is broken"):
        outcomes(make(WINDOWS, MACOS), builds)
    assert builds.platforms == [None, "win_amd64"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_or_is_told_and_the_others_are_built(make: Callable[..., Release], jobs: int) -> None:
    builds = Builds("win_amd64")
    found = outcomes(make(WINDOWS, MACOS, jobs=jobs, keep_going=True), builds)
    assert {outcome.name: str(outcome.error) for outcome in found} == {
        "win_amd64": "win_amd64 is broken",
        "macosx_11_0_arm64": "None",
    }


def test_without_the_first_build_the_others_are_tried_and_its_failure_is_told(make: Callable[..., Release]) -> None:
    found = outcomes(make(WINDOWS, keep_going=True), Builds(None))
    assert [(outcome.name, bool(outcome.error)) for outcome in found] == [("native", True), ("win_amd64", False)]


def test_what_runs_beside_a_failure_is_ended(make: Callable[..., Release]) -> None:
    builds = Builds("win_amd64")
    builds.waiting["macosx_11_0_arm64"] = threading.Event()
    with pytest.raises(BuildError, match="win_amd64 is broken"):
        outcomes(make(MACOS, WINDOWS, jobs=2), builds)
    assert builds.ended == ["macosx_11_0_arm64"]


def test_what_is_about_to_begin_beside_a_failure_is_ended_as_it_begins(
    make: Callable[..., Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one whose runtime was being fetched."""
    builds, over = Builds("win_amd64"), threading.Event()
    builds.waiting["macosx_11_0_arm64"] = threading.Event()

    class Pool(ThreadPoolExecutor):
        def __exit__(self, *reason: object) -> None:
            over.set()  # all that runs was ended by now
            super().__exit__(*reason)  # type: ignore[arg-type]

    def fetch(target: Target, *_: object) -> Runtime:
        if target == MACOS:
            builds.begun.set()  # for which the other one waits before it fails
            assert over.wait(30)
        return find_runtime()

    release = make(MACOS, WINDOWS, jobs=2)
    monkeypatch.setattr(release_module, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(release_module, "fetch_runtime", fetch)
    with pytest.raises(BuildError, match="win_amd64 is broken"):
        outcomes(release, builds)
    assert builds.ended == ["macosx_11_0_arm64"]


# ---- The runtime of the isolated environments ---------------------------------------------------------------------


@pytest.fixture
def pinned(
    make: Callable[..., Release], make_wheel: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., set[tuple[str, ...]]]:
    """Return a function that runs the command and gives what it pins in the environments of its builds."""
    make()
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["tvm-ffi-build"]\n', encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wheel = make_wheel()

    def run(*options: str) -> set[tuple[str, ...]]:
        found = set()

        def build_wheel(request: BuildRequest, **_: object) -> BuiltWheel:
            found.add(request.pins)
            return BuiltWheel(wheel, 0, "")

        monkeypatch.setattr(command_module, "build_wheel", build_wheel)
        parser = argparse.ArgumentParser()
        parser.set_defaults(verbosity=0, color="auto")
        command_module.populate_parser(parser)
        args = parser.parse_args([str(tmp_path), "-w", str(tmp_path / "out"), "--no-repair", *options])
        args.command(args)
        return found

    return run


@pytest.mark.parametrize("options", [("--json",), ("--jobs", "2"), ("--keep-going",), ("--platform", "native")])
def test_a_build_for_this_machine_has_the_one_that_the_project_asks_for(
    pinned: Callable[..., set[tuple[str, ...]]], options: tuple[str, ...]
) -> None:
    assert pinned(*options) == {()}


def test_one_for_another_platform_has_that_of_the_platform(pinned: Callable[..., set[tuple[str, ...]]]) -> None:
    """So that what leads is built against the same."""
    assert pinned("--platform", "win_amd64") == {(f"apache-tvm-ffi=={find_runtime().version}",)}
    for more in ((), ("--platform", "native"), ("--platform", "win_amd64")):
        assert pinned("--runtime-version", "0.1.12", *more) == {("apache-tvm-ffi==0.1.12",)}


def test_a_release_may_be_spelled_as_people_do(pinned: Callable[..., set[tuple[str, ...]]]) -> None:
    assert pinned("--runtime-version", "v0.1.12", "--platform", "win_amd64") == {("apache-tvm-ffi==0.1.12",)}
    here = find_runtime().version
    assert pinned("--runtime-version", f"v{here}", "--no-isolation") == {(f"apache-tvm-ffi=={here}",)}
    with pytest.raises(ProjectError, match=rf"this environment has apache-tvm-ffi {here} and not 0\.1\.12; leave out"):
        pinned("--runtime-version", "v0.1.12", "--no-isolation")


# ---- Folders for builds -------------------------------------------------------------------------------------------


def test_a_build_has_the_same_folder_as_the_last_one_and_finds_nothing_in_it(tmp_path: Path) -> None:
    with build_folder(tmp_path, tmp_path / "source", "win_amd64") as (first, _):
        first.mkdir()
        (first / "CMakeCache.txt").touch()
    assert not first.exists()
    first.mkdir()
    (first / "left by one that was killed").touch()
    with build_folder(tmp_path, tmp_path / "source", "win_amd64") as (second, _):
        assert second == first
        assert not second.exists()


def test_other_projects_and_platforms_have_others(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "source")
    with build_folder(tmp_path, tmp_path / "source", "win_amd64") as (folder, _):
        for source, platform in (("source", "win_arm64"), ("other", "win_amd64")):
            with build_folder(tmp_path, tmp_path / source, platform) as (other, _):
                assert other != folder
    with build_folder(tmp_path, tmp_path / "link", "win_amd64") as (same, _):
        assert same == folder


def test_while_it_is_in_use_a_second_build_has_another_which_goes_as_well(tmp_path: Path) -> None:
    with build_folder(tmp_path, tmp_path, "win_amd64") as (first, _):
        first.mkdir()
        with build_folder(tmp_path, tmp_path, "win_amd64") as (second, _):
            assert second != first
            second.mkdir()
            assert first.is_dir()
        assert not second.exists()
        assert first.is_dir()
    assert [path.suffix for path in (tmp_path / "builds").iterdir()] == [".lock"]


def test_a_build_that_outlives_who_has_started_it_keeps_its_folder(tmp_path: Path) -> None:
    with build_folder(tmp_path, tmp_path, "win_amd64") as (folder, lock):
        build = subprocess.Popen(["sleep", "600"], pass_fds=lock)
    try:
        with build_folder(tmp_path, tmp_path, "win_amd64") as (other, _):
            assert other != folder
    finally:
        build.kill()
        build.wait()
    with build_folder(tmp_path, tmp_path, "win_amd64") as (again, _):
        assert again == folder


def test_so_does_one_beside_another(tmp_path: Path) -> None:
    """Nobody takes its folder for abandoned, however long ago its starter was killed."""
    killed = f"""
import os, subprocess
from pathlib import Path
from tvm_ffi_build.cross.build_folder import build_folder
cache = Path({str(tmp_path)!r})
with build_folder(cache, cache, "win_amd64"), build_folder(cache, cache, "win_amd64") as (second, lock):
    build = subprocess.Popen(["sleep", "600"], pass_fds=lock, stdout=subprocess.DEVNULL)
    print(second.parent, build.pid, sep="\\n", flush=True)
    os._exit(9)
"""
    said = subprocess.run([sys.executable, "-c", killed], stdout=subprocess.PIPE, text=True, check=False).stdout
    folder, build = Path(said.splitlines()[0]), int(said.splitlines()[1])
    try:
        os.utime(folder, (0, 0))
        remove_abandoned(tmp_path / "builds")
        assert folder.is_dir()
    finally:
        os.kill(build, signal.SIGKILL)
    until = time.monotonic() + 120
    while folder.exists() and time.monotonic() < until:
        remove_abandoned(tmp_path / "builds")
        time.sleep(0.05)
    assert not folder.exists()


def test_without_locks_each_build_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with (
        build_folder(tmp_path, tmp_path, "win_amd64") as (first, _),
        build_folder(tmp_path, tmp_path, "x") as (other, _),
    ):
        assert first != other


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "builds").touch()
    with (
        pytest.raises(OutputError, match=r"builds cannot be written: .*; set XDG_CACHE_HOME to another directory"),
        build_folder(tmp_path, tmp_path, "win_amd64"),
    ):
        pytest.fail("there is not a directory")


# ---- Lines -----------------------------------------------------------------------------------------------------------


def test_a_line_says_what_came_of_a_platform(make_wheel: Callable[..., Path]) -> None:
    """Also what the audit says; a platform without a wheel has its line elsewhere."""
    wheel = make_wheel(tag="py3-none-win_amd64", metadata=["Requires-Dist: apache-tvm-ffi<0.2,>=0.1.12"])
    outcomes = [
        *(Outcome("win_amd64", FinishedWheel(wheel, warnings), 1.25) for warnings in (None, 0, 1, 2)),
        Outcome("win_arm64", None, 2.0, BuildError("it is broken")),
    ]
    rows = [_outcome_as_json(outcome) for outcome in outcomes]
    assert [row["audit"] for row in rows] == ["not audited", "clean", "1 warning", "2 warnings", None]
    assert rows[-1] | {"error": "it is broken", "path": None} == rows[-1]
    first, second, *_ = lines = _render_table(rows).splitlines()
    assert len(lines) == 4
    assert first.split("  ")[:2] == [str(wheel), f"{wheel.stat().st_size / 1000:.1f} kB"]
    assert second.endswith("py3-none-win_amd64  <0.2,>=0.1.12  clean        1.2 s")

"""Builds wheels for several platforms: the one that can be loaded here first, the others after it, some at a time."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..errors import TvmFfiBuildError
from ..host.unfinished import temporary_folder
from ..runtime import ENVIRONMENT_VARIABLE
from .build_folder import build_folder
from .compiler.toolchain import cached_toolchain
from .failure_causes import explain_failure
from .platform_choice import choose_platforms
from .request import READ_SNAPSHOTS, WRITE_SNAPSHOTS, for_target, with_fixed_paths
from .runtimes import fetch_runtime
from .targets import ALL, NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from ..frontend.run_frontend import BuildRequest
    from .compiler.zig import Zig
    from .platform_choice import PlatformChoice
    from .targets import Target

__all__ = ["Build", "FinishedWheel", "Outcome", "Release", "name_platform"]

# How many compilers CMake's builds start at a time.
_PARALLEL = "CMAKE_BUILD_PARALLEL_LEVEL"


class FinishedWheel(NamedTuple):
    """A wheel, and what the audit says of it.

    Attributes:
        path: Where it is.
        warnings: How many there are; None if it was not audited.

    """

    path: Path
    warnings: int | None = None


class Build(Protocol):
    """Builds one wheel."""

    def __call__(
        self,
        request: BuildRequest,
        *,
        wanted: bool,
        on_step: Callable[[str], None],
        on_start: Callable[[Callable[[], None]], None],
    ) -> FinishedWheel:
        """Build it.

        Args:
            request: What to build.
            wanted: Whether it is for use, or only for what is registered in it.
            on_step: Is called with each step that begins.
            on_start: Is called with what ends the build before its time.

        Raises:
            TvmFfiBuildError: There is no wheel.

        """


@dataclass(frozen=True)
class Outcome:
    """What came of a platform.

    Attributes:
        name: Its tag, or ``native``.
        made: The wheel, if there is one.
        seconds: What it took.
        error: Why there is none.

    """

    name: str
    made: FinishedWheel | None
    seconds: float
    error: TvmFfiBuildError | None = None


@dataclass(frozen=True)
class Release:
    """All that the builds share.

    Attributes:
        request: The build as it is for this machine.
        wanted: The platforms, and the runtime.
        zig: What compiles for platforms; None if only this machine is asked for.
        cache: Where runtimes and toolchains are kept.
        find_links: A folder to take runtimes from, instead of the index.
        jobs: How many builds run at a time.
        keep_going: Whether the others are built where one fails.
        on_note: Is called with what a user should know of the cache.

    """

    request: BuildRequest
    wanted: PlatformChoice
    zig: Zig | None
    cache: Path
    find_links: Path | None = None
    jobs: int = 1
    keep_going: bool = False
    on_note: Callable[[str], None] = lambda _: None

    def run(self, build: Build, on_step: Callable[[str, str], None], on_outcome: Callable[[Outcome], None]) -> None:
        """Build them all.

        Args:
            build: Builds one.
            on_step: Is called with the name of a platform and the step that begins there.
            on_outcome: Is called with what came of each, as it comes.

        Raises:
            TvmFfiBuildError: One failed, and the others are not to be built then.

        """
        with temporary_folder() as folder:
            runs = _Builds(self, build, on_step, folder)
            leader = self.wanted.leader
            others = [target for target in self.wanted.platforms if target != leader]
            first = runs.build_one(leader, leads=bool(others))
            # Where this machine is not asked for, only what is known of the library is wanted, and no wheel.
            if leader in self.wanted.platforms or first.error is not None:
                on_outcome(first)
            if first.error is not None and not self.keep_going:
                raise first.error
            for outcome in runs.build_all(others):
                on_outcome(outcome)
                if outcome.error is not None and not self.keep_going:
                    raise outcome.error


class _Builds:
    """The builds of a release, and how to end those that run."""

    def __init__(self, release: Release, build: Build, on_step: Callable[[str, str], None], folder: Path) -> None:
        self.release, self.build, self.on_step, self.folder = release, build, on_step, folder
        self.running: dict[str, Callable[[], None]] = {}
        self.ended = threading.Event()
        # How many builds there may be at a time, after the first.
        others = sum(target != release.wanted.leader for target in release.wanted.platforms)
        self.together = max(1, min(release.jobs, others))

    def build_one(self, target: Target | None, *, leads: bool = False) -> Outcome:
        """Build for one platform."""
        name, started = name_platform(target), time.monotonic()
        try:
            with self._request_for(target, leads=leads) as request:
                made = self.build(
                    request,
                    wanted=target in self.release.wanted.platforms,
                    on_step=lambda step: self.on_step(name, step),
                    on_start=partial(self._note_start, name),
                )
        except TvmFfiBuildError as error:
            return Outcome(name, None, time.monotonic() - started, explain_failure(error, target))
        finally:
            self.running.pop(name, None)
        return Outcome(name, made, time.monotonic() - started)

    def build_all(self, targets: list[Target | None]) -> Iterator[Outcome]:
        """Build for platforms, some at a time; yield what comes of each, in the order in which they end."""
        if self.release.jobs == 1 or len(targets) == 1:
            yield from map(self.build_one, targets)
            return
        with ThreadPoolExecutor(self.release.jobs) as pool:
            pending: set[Future[Outcome]] = {pool.submit(self.build_one, target) for target in targets}
            try:
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BaseException:
                # Before those that run are looked up: one that starts meanwhile sees it, and ends itself.
                self.ended.set()
                for future in pending:
                    future.cancel()
                for end in list(self.running.values()):
                    end()
                raise

    def _note_start(self, name: str, end: Callable[[], None]) -> None:
        self.running[name] = end
        if self.ended.is_set():
            end()

    @contextmanager
    def _request_for(self, target: Target | None, *, leads: bool) -> Iterator[BuildRequest]:
        release = self.release
        snapshots = self.folder / "snapshots"
        environment = {(WRITE_SNAPSHOTS if leads else READ_SNAPSHOTS): str(snapshots)}
        if not os.environ.get(_PARALLEL):
            # As many compilers at a time as there are processors, however many builds share them: each takes memory.
            environment[_PARALLEL] = str(max(1, _count_processors() // (1 if leads else self.together)))
        request = replace(release.request, environment={**release.request.environment, **environment})
        if leads:
            snapshots.mkdir()
        if leads and target not in release.wanted.platforms:
            request = replace(request, output=self.folder / "unwanted")
        if target is None:
            with self._with_fixed_paths(request) if leads else nullcontext(request) as request:
                yield request
            return
        assert release.zig is not None  # noqa: S101  (platforms are asked for)
        runtime = fetch_runtime(target, release.wanted.version, release.cache, release.find_links, release.on_note)
        toolchain = cached_toolchain(target, release.zig, release.cache, release.on_note)
        with build_folder(release.cache, request.source, target.tag) as folder:
            yield for_target(request, target, runtime, toolchain, folder)

    @contextmanager
    def _with_fixed_paths(self, request: BuildRequest) -> Iterator[BuildRequest]:
        """Give the build that leads the others the same paths each time, so that compiler caches hit there as well."""
        release = self.release
        here = choose_platforms([ALL], release.wanted.version).leader
        # A folder of runtimes for other platforms need not have that for this one.
        if here is None or release.find_links is not None or os.environ.get(ENVIRONMENT_VARIABLE):
            yield request
            return
        runtime = fetch_runtime(here, release.wanted.version, release.cache, None, release.on_note)
        with build_folder(release.cache, request.source, NATIVE) as folder:
            yield with_fixed_paths(request, runtime, folder)


def name_platform(target: Target | None) -> str:
    """Return what a platform is called in messages."""
    return NATIVE if target is None else target.tag


def _count_processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

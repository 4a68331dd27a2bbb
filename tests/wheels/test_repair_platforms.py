"""What a repair does on every platform: one proof for Linux, macOS and Windows wheels, all repaired on Linux."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.grafting import RECORD, SECOND, Platform, names_in, refused, repair, repaired, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.grafting import Sample


@pytest.fixture(
    params=["linux", pytest.param("macos", marks=pytest.mark.slow), pytest.param("windows", marks=pytest.mark.slow)]
)
def platform(request: pytest.FixtureRequest) -> Platform:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Platform)
    return found


@pytest.fixture
def sample(platform: Platform, built_for: Callable[[Platform], Sample]) -> Sample:
    return built_for(platform)


def test_the_same_wheel_gives_the_same_bytes(sample: Sample, tmp_path: Path) -> None:
    first, second = (sample.repaired(tmp_path / name) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_other_files_of_the_metadata_survive(sample: Sample, tmp_path: Path) -> None:
    unpacked = unpack(sample.repaired(tmp_path / "out"), tmp_path / "unpacked")
    assert (unpacked / "sample-1.0.dist-info/tvm_ffi_build.json").read_text(encoding="utf-8") == RECORD


def test_a_library_that_cannot_be_found_is_an_error(platform: Platform, sample: Sample, tmp_path: Path) -> None:
    message = refused(repair(sample.wheel, "-w", tmp_path / "out"))
    assert message == (
        f"{sample.wheel.name} needs {platform.reference}{platform.file_name('helper')}, which cannot be found; "
        "pass its directory with --lib-path, leave it out with --exclude, or install it into the wheel"
    )
    assert not any(tmp_path.glob("out/*"))


@pytest.mark.parametrize("can_be_found", [True, False])
def test_an_excluded_library_stays_out(
    platform: Platform, sample: Sample, tmp_path: Path, *, can_be_found: bool
) -> None:
    options: list[str | Path] = ["--lib-path", sample.outside] if can_be_found else []
    result = repaired(tmp_path / "out", sample.wheel, *options, "--exclude", f"{platform.prefix}Helper*")
    assert [name for name in names_in(result) if name.endswith(platform.suffix)] == [f"sample/{sample.extension.name}"]


def test_an_extension_that_another_extension_needs_is_included_once(
    platform: Platform, sample: Sample, tmp_path: Path
) -> None:
    """A second copy would register everything again when it is loaded."""
    # On Linux the second extension needs an rpath to the first one.
    rpath = ["-Wl,-rpath,$ORIGIN"] if platform.suffix == ".so" else []
    second = platform.link(tmp_path / platform.file_name("second"), SECOND, sample.extension, *rpath)
    files = {f"sample/{library.name}": library for library in (sample.extension, second)}
    result = sample.in_wheel(tmp_path, platform.tag, files).repaired(tmp_path / "out")
    libraries = [name for name in names_in(result) if name.endswith(platform.suffix)]
    assert [name for name in libraries if "helper" not in name] == list(files)
    assert len(libraries) == len(files) + 1


def test_what_a_bundled_library_needs_is_bundled_too(platform: Platform, tmp_path: Path) -> None:
    result = platform.chain(tmp_path).repaired(tmp_path / "out")
    assert sum("helper" in name or "third" in name for name in names_in(result)) == 2


def test_a_missing_dependency_of_a_bundled_library_is_an_error(platform: Platform, tmp_path: Path) -> None:
    sample = platform.chain(tmp_path)
    third = platform.file_name("third")
    (sample.outside / third).unlink()
    assert f" needs {platform.reference}{third}, which cannot be found" in refused(sample.repair(tmp_path / "out"))

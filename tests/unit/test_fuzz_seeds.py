"""What the fuzz targets have found of interest holds, without what found it; and the targets run."""

from __future__ import annotations

import importlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.project import ROOT

from tvm_ffi_build.errors import StubError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment

    from tvm_ffi_build.stubgen.generate import GeneratedFiles

FUZZ = ROOT / "tests" / "fuzz"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.py"))


def seeds(target: str) -> list[Path]:
    return sorted((FUZZ / "seeds" / target).iterdir())


def test_every_target_has_seeds_that_are_small_together() -> None:
    assert sorted(path.name for path in (FUZZ / "seeds").iterdir()) == TARGETS
    assert all(seeds(target) for target in TARGETS)
    assert sum(path.stat().st_size for target in TARGETS for path in seeds(target)) < 300_000


@pytest.mark.parametrize(("target", "seed"), [(target, seed.name) for target in TARGETS for seed in seeds(target)])
def test_every_seed_holds(target: str, seed: str, tmp_path: Path) -> None:
    importlib.import_module(f"fuzz_{target}").one((FUZZ / "seeds" / target / seed).read_bytes(), tmp_path)


def first_line_lost(fill: Callable[..., GeneratedFiles]) -> Callable[..., GeneratedFiles]:
    def filled(*args: Any, **options: Any) -> GeneratedFiles:
        result = fill(*args, **options)
        result.texts = {path: text.partition("\n")[2] for path, text in result.texts.items()}
        return result

    return filled


# For each target a function that it watches, and what is wrong with it now.
FAULTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "binaries": ("python_imports", lambda _: {}.__getitem__),
    "device_code": (
        "read_device_code",
        lambda read: lambda path, binary: read(path, binary)._replace(toolkits=("no version",)),
    ),
    "directives": ("generate", first_line_lost),
    "record": ("read_record", lambda read: lambda data: read(data)._replace(runtime="0.0")),
    "schemas": ("generate", first_line_lost),
    "wheels": ("rewrite", lambda _: lambda wheel, folder, *_: shutil.copy(wheel.path, folder / "same.whl")),
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_fault_is_found(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that lets everything pass finds nothing."""
    module = importlib.import_module(f"fuzz_{target}")
    name, fault = FAULTS[target]
    monkeypatch.setattr(module, name, fault(getattr(module, name)))

    def finds(seed: Path) -> bool:
        try:
            module.one(seed.read_bytes(), tmp_path)
        except (AssertionError, KeyError, StubError):
            return True
        return False

    assert any(map(finds, seeds(target)))


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs(target: str, environment: Environment) -> None:
    environment.install("atheris", ROOT)
    said = environment.run(FUZZ / "fuzz.py", target, "-runs=2000", "-seed=1")
    assert "Done 2000 runs" in said

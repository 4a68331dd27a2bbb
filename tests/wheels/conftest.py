"""Fixtures of the tests on wheels of others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.wheels import REAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def downloaded(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str], Path]:
    """Return a function that gets a wheel of others."""

    def get(name: str) -> Path:
        requirement, platform, _ = REAL[name]

        def fill(folder: Path) -> None:
            run(
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary=:all:",
                "-d",
                folder,
                "--python-version",
                "3.12",
                "--platform",
                platform,
                requirement,
            )

        (wheel,) = once(f"downloaded-{name}", fill).glob("*.whl")
        return wheel

    return get

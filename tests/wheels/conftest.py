"""Fixtures of the tests on wheels of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.downloads import download_wheels
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
            download_wheels(folder, requirement, platform=platform)

        (wheel,) = once(f"downloaded-{name}", fill).glob("*.whl")
        return wheel

    return get

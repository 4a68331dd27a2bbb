"""Read the user's ``pyproject.toml``: the build system, and the tables of this package."""

from __future__ import annotations

__all__: list[str] = []

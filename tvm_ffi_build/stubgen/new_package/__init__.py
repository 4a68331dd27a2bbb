"""Create the packages and classes that registered names lack."""

from __future__ import annotations

__all__: list[str] = []

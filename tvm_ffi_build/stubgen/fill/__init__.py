"""Fill the blocks of a file with typed Python."""

from __future__ import annotations

__all__: list[str] = []

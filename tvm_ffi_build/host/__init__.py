"""The local machine: programs and running them, unfinished output, and the data files of this package."""

from __future__ import annotations

__all__: list[str] = []

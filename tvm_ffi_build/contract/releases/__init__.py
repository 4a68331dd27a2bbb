"""What is known about the releases of the runtime, from data files in this directory."""

from __future__ import annotations

__all__: list[str] = []

"""Print audit results: as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

__all__: list[str] = []

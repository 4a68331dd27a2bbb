"""Libraries that a user's system or environment provides, so that wheels need not."""

from __future__ import annotations

__all__: list[str] = []

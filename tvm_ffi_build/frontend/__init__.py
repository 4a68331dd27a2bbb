"""Run a PEP 517 build front end, and find out why a build failed."""

from __future__ import annotations

__all__: list[str] = []

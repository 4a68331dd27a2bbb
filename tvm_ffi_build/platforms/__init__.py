"""Operating systems: how each names libraries and tags."""

from __future__ import annotations

from .systems import Platform

__all__ = ["Platform"]

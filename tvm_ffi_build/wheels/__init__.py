"""Wheels: opened as hostile input, verified, and written anew without compressing again what does not change."""

from __future__ import annotations

from .rewrite import name_with_platforms, refuse_signatures, rewrite, write_stored
from .wheel import Wheel, open_wheel, tag_of

__all__ = ["Wheel", "name_with_platforms", "open_wheel", "refuse_signatures", "rewrite", "tag_of", "write_stored"]

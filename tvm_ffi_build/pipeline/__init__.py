"""``tvm-ffi-build wheel``: from a source tree to a wheel, in one command."""

from __future__ import annotations

from .build import BuiltWheel, build_wheel

__all__ = ["BuiltWheel", "build_wheel"]

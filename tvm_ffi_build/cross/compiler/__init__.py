"""The cross compiler: zig, the scripts that call it, and the CMake toolchain file."""

from __future__ import annotations

__all__: list[str] = []

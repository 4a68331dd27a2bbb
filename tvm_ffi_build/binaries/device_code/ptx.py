"""PTX as text: the directives that a file of it begins with (PTX ISA, "PTX Module Directives")."""

from __future__ import annotations

import re

from .device_image import DeviceImage

__all__ = ["find_ptx_toolkit", "parse_ptx"]

# Comments of compilers come before them.
_LONGEST_HEAD = 1 << 16
_HEAD = re.compile(
    rb"^[ \t]*\.version[ \t]+(\d+)\.(\d+)[ \t\r]*\n[ \t]*\.target[ \t]+sm_([1-9]\d{1,2}[af]?)\b([^\n]*)", re.MULTILINE
)
_DEBUG = re.compile(rb"\bdebug\b")
_TOOLKIT = re.compile(rb"// Cuda compilation tools, release (\d+\.\d+)")


def parse_ptx(data: bytes, size: int) -> DeviceImage | None:
    """Return what a file of PTX says of itself; None if it is not PTX.

    Args:
        data: How the file begins.
        size: How long it is.

    """
    head = data[:_LONGEST_HEAD]
    match = None if b"\0" in head else _HEAD.search(head)
    if match is None:
        return None
    major, minor, target, rest = match.groups()
    return DeviceImage(
        "ptx",
        f"compute_{target.decode()}",
        0,
        size,
        size,
        isa=(int(major), int(minor)),
        is_debug=bool(_DEBUG.search(rest)),
    )


def find_ptx_toolkit(head: bytes) -> str:
    """Return the toolkit that the comment above PTX names; empty if there is none."""
    match = _TOOLKIT.search(head)
    return match[1].decode() if match else ""

"""Wheel repair: from a wheel that this machine can load to one that others can install.

One flow for three platforms (``run``): open and verify, decide (``linux``, ``macos``, ``windows``), graft only if need
be, check the result, put it in place. The runtime's library never comes into a wheel.
"""

from __future__ import annotations

from .run import repair
from .settings import Settings, read_settings

__all__ = ["Settings", "read_settings", "repair"]

"""Wheel repair: from a wheel that this machine can load to one that others can install.

One flow for three platforms (``repair_wheels``): open and verify, decide (``linux``, ``macos``, ``windows``), graft
only if need be, check the result, put it in place. The runtime's library never comes into a wheel.
"""

from __future__ import annotations

from .repair_settings import RepairSettings, read_repair_settings
from .repair_wheels import repair, repair_subject

__all__ = ["RepairSettings", "read_repair_settings", "repair", "repair_subject"]

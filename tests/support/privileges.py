"""The user that runs the tests."""

from __future__ import annotations

import os

__all__ = ["is_root"]


def is_root() -> bool:
    """Return whether the tests run as root, who can mount file systems and install packages."""
    return hasattr(os, "geteuid") and os.geteuid() == 0

"""The audit: proof that a wheel is what its tag says.

Rules (``rules``) are functions that look at a ``Subject``, and yield problems; nothing of it is loaded or run.
"""

from __future__ import annotations

from .run import Report, audit, audit_wheel
from .settings import Settings, read_settings

__all__ = ["Report", "Settings", "audit", "audit_wheel", "read_settings"]

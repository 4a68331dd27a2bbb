"""The audit: proof that a wheel is what its tag says.

Rules (``rules``) are functions that look at a ``Subject``, and yield problems; nothing of it is loaded or run.
"""

from __future__ import annotations

from .audit_settings import Settings
from .audit_wheels import Report, audit, audit_subject, audit_wheel, project_settings
from .formats.data import findings_as_json
from .formats.text import as_text
from .subject import Subject

__all__ = [
    "Report",
    "Settings",
    "Subject",
    "as_text",
    "audit",
    "audit_subject",
    "audit_wheel",
    "findings_as_json",
    "project_settings",
]

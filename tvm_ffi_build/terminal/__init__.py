"""What people see of commands: options, output, progress."""

from __future__ import annotations

__all__: list[str] = []

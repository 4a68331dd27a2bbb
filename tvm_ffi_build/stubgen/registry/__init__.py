"""What libraries register: reflection, snapshots, type schemas."""

from __future__ import annotations

__all__: list[str] = []

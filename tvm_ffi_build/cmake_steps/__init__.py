"""The programs that ``cmake/`` runs during a build; their arguments are private to the two."""

from __future__ import annotations

__all__: list[str] = []

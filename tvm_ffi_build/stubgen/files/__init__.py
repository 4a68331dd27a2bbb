"""Files with directives: read them, parse them, write them."""

from __future__ import annotations

__all__: list[str] = []

"""Stand-ins for Apple's tools on hosts that lack them."""

from __future__ import annotations

__all__: list[str] = []

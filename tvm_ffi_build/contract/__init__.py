"""Which runtimes a library works with: what every release offers, and where two releases do not fit together.

``releases/ledger.json`` is derived from the releases by ``ledger/regenerate.py``, ``releases/breaks.json`` is written
by hand.
"""

from __future__ import annotations

from .releases.breaks import Break
from .releases.ledger import Ledger, read_ledger

__all__ = ["Break", "Ledger", "read_ledger"]

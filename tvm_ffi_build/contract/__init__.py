"""Which runtimes a library works with: what every release offers, and where two releases do not fit together.

``ledger.json`` is derived from the releases by ``ledger/regenerate.py``, ``breaks.json`` is written by hand.
"""

from __future__ import annotations

from .breaks import Break
from .ledger import Ledger, read_ledger

__all__ = ["Break", "Ledger", "read_ledger"]

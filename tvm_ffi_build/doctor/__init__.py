"""The doctor: check this machine for what builds need.

Each check looks at one thing and answers in a line; nothing is changed, and what is run runs in another process.
"""

from __future__ import annotations

__all__: list[str] = []

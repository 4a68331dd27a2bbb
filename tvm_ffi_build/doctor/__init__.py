"""The doctor: what is installed, what is missing, what to type.

Each check looks at one thing and answers in a line; nothing is changed, and what is run runs in another process.
"""

from __future__ import annotations

__all__: list[str] = []

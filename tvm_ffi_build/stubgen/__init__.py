"""Typed, documented Python for what a library registers: ``tvm-ffi-build stubgen``.

In this order: :mod:`.reflect` loads the libraries in a process of its own and writes a snapshot of the registry;
:mod:`.schema` turns type schemas into Python types; :mod:`.directives` finds the blocks in files; :mod:`.render` fills
them; :mod:`.scaffold` begins files that are missing; :mod:`.write` puts them in place.
"""

from __future__ import annotations

__all__: list[str] = []

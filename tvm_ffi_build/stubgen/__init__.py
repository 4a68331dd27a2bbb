"""Typed, documented Python for what a library registers: ``tvm-ffi-build stubgen``.

In this order: :mod:`.registry.reflect` loads the libraries in a process of its own and writes a snapshot of the
registry; :mod:`.registry.schema` turns type schemas into Python types; :mod:`.files.directives` finds the blocks in
files; :mod:`.fill.definitions` fills them; :mod:`.new_package.files` begins files that are missing; :mod:`.files.write`
puts them in place.
"""

from __future__ import annotations

__all__: list[str] = []

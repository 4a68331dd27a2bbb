"""The names of the files in a generated package."""

from __future__ import annotations

__all__ = ["API", "LOADER", "TYPED"]

API = "_ffi_api"
LOADER = "_library"
# The mark of a package with types (PEP 561).
TYPED = "py.typed"

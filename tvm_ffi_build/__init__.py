"""From a source tree to one wheel per platform, for extensions of the TVM-FFI runtime."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"

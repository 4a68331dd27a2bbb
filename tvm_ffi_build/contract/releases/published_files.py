"""The SHA-256 of the published wheels of the runtime, by file name; made by ``ledger/published_files.py``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ...errors import LedgerError

__all__ = ["FILES", "published_digest"]

FILES = Path(__file__).with_name("published_files.json")


def published_digest(name: str) -> str | None:
    """Return the SHA-256 of a wheel as it was published, or None if the file is not known.

    Raises:
        LedgerError: The list cannot be read.

    """
    return _read_digests().get(name)


@cache
def _read_digests() -> dict[str, str]:
    import json  # noqa: PLC0415  (only cross builds ask)

    try:
        return {str(name): str(digest) for name, digest in json.loads(FILES.read_bytes())["files"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise LedgerError(
            f"{FILES} was changed or is not such a file",
            command="python -m pip install --force-reinstall --no-deps tvm-ffi-build",
        ) from None

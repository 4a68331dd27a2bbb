"""Writes the SHA-256 of the runtime's published wheels into the package; ``--check`` reports differences.

Of the final releases, and of the wheels for one Python, which are those that cross builds fetch: all have the same
library and headers.
"""

from __future__ import annotations

import json
import sys

from listing import find_files, read_pip_settings
from packaging.utils import parse_wheel_filename

from tvm_ffi_build.contract.releases.published_files import FILES
from tvm_ffi_build.cross.runtimes import PYTHON
from tvm_ffi_build.runtime import DISTRIBUTION

__all__ = ["list_digests"]


def main() -> None:
    """Write the file, or compare it."""
    found = list_digests()
    if "--check" in sys.argv[1:]:
        known = json.loads(FILES.read_text(encoding="utf-8"))["files"]
        different = [f"{name} differs" for name in sorted(found) if known.get(name) != found[name]]
        print("\n".join(different) if different else "no difference")
        sys.exit(bool(different))
    FILES.write_text(json.dumps({"schema": 1, "files": found}, indent=0) + "\n", encoding="utf-8")


def list_digests() -> dict[str, str]:
    """Return the SHA-256 of each wheel, as the index gives it."""
    interpreter = f"cp{PYTHON.replace('.', '')}"
    found = {}
    for file in find_files(DISTRIBUTION, read_pip_settings()):
        if not file.filename.endswith(".whl") or "sha256" not in (file.digests or {}):
            continue
        _, version, _, tags = parse_wheel_filename(file.filename)
        if not version.is_prerelease and any(tag.interpreter == interpreter for tag in tags):
            found[file.filename] = file.digests["sha256"]
    return dict(sorted(found.items()))


if __name__ == "__main__":
    main()

"""Says whether the index has releases that the ledger does not know: ``python ledger/news.py``, for a schedule.

Prints a line for each, and for each that was yanked since, or is no longer there, and exits with 1 if there are any.
Downloads nothing else than the list of files.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from releases import list_releases

from tvm_ffi_build.contract import read_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from releases import Release

    from tvm_ffi_build.contract import Ledger


def main() -> None:
    """Compare."""
    try:
        releases = list_releases()
    except subprocess.CalledProcessError:
        sys.exit("the index cannot be asked; pip says why above")
    found = list(news(releases, read_ledger()))
    print("\n".join(found) if found else "nothing new")
    sys.exit(bool(found))


def news(releases: Sequence[Release], ledger: Ledger) -> Iterator[str]:
    """Yield a line for each difference between the index and the ledger."""
    for release in releases:
        if release.version not in ledger.releases:
            yield f"{release.version} is new; run: python ledger/regenerate.py"
        elif release.yanked != (release.version in ledger.yanked):
            what = "yanked" if release.yanked else "restored"
            yield f"{release.version} was {what}; run: python ledger/regenerate.py"
    for version in ledger.releases:
        if version not in [release.version for release in releases]:
            yield f"{version} is no longer on the index"


if __name__ == "__main__":
    main()

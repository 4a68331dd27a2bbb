"""Downloads that fail are tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import downloads
from support.downloads import download

if TYPE_CHECKING:
    from pathlib import Path

# Add a line to the file $1 and fail, unless the file has $2 lines then.
SCRIPT = 'echo >> "$1"; [ "$(wc -l < "$1")" -ge "$2" ] || { echo "no connection" >&2; exit 1; }; echo fetched'


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSES", (0, 0))


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_a_download_that_fails_is_tried_again(tmp_path: Path, needed: int) -> None:
    starts = tmp_path / "starts"
    assert download("sh", "-c", SCRIPT, "sh", starts, str(needed)).stdout == "fetched\n"
    assert starts.read_text(encoding="utf-8") == "\n" * needed


def test_a_download_that_fails_three_times_shows_its_output(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    with pytest.raises(AssertionError, match="no connection"):
        download("sh", "-c", SCRIPT, "sh", starts, "4")
    assert starts.read_text(encoding="utf-8") == "\n" * 3

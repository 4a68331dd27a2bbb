"""What was observed of extensions on all releases, and how that is written down."""

from __future__ import annotations

import json

import pytest
from builds import EXTENSIONS
from cells import OBSERVED, differences, fold, render, unfold
from hypothesis import given
from hypothesis import strategies as st

from tvm_ffi_build.contract import read_ledger

RELEASES = ("0.1", "0.2", "0.3", "0.4")


@st.composite
def matrices(draw: st.DrawFn) -> dict[tuple[str, str, str], bool]:
    """Return cells of extensions, some of which cannot be built against some releases."""
    built = draw(st.dictionaries(st.sampled_from(("a", "b")), st.sets(st.sampled_from(RELEASES), min_size=1)))
    keys = [(name, release, on) for name in built for release in built[name] for on in RELEASES]
    return {key: draw(st.booleans()) for key in keys}


@given(matrices())
def test_cells_are_written_as_spans_and_read_again(cells: dict[tuple[str, str, str], bool]) -> None:
    assert unfold(json.loads(render(fold(cells, RELEASES))), RELEASES) == cells


def test_what_fails_alike_is_one_line() -> None:
    cells = {("a", built, on): (built < "0.3") == (on < "0.3") for built in RELEASES[1:] for on in RELEASES}
    assert fold(cells, RELEASES)["extensions"] == {
        "a": {
            "builds": "0.2..",
            "pairs": [{"built": "0.2", "fails_on": "0.3.."}, {"built": "0.3..", "fails_on": "..0.2"}],
        }
    }


def test_a_file_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="2"):
        unfold({"schema": 2, "extensions": {}}, RELEASES)


def test_differences_are_said_by_library() -> None:
    recorded = {("a", "0.1", on): True for on in RELEASES}
    observed = {**{key: key[2] < "0.3" for key in recorded}, ("a", "0.2", "0.1"): True}
    assert list(differences(recorded, observed, RELEASES)) == [
        "a, built with 0.1: recorded: works; observed: fails on 0.3..",
        "a, built with 0.2: recorded: cannot be built; observed: works",
    ]
    assert list(differences(recorded, recorded, RELEASES)) == []


def test_the_data_is_of_the_extensions_here_and_as_the_program_writes_it() -> None:
    text = OBSERVED.read_text(encoding="utf-8")
    cells = unfold(json.loads(text), read_ledger().releases)
    assert {name for name, _, _ in cells} == set(EXTENSIONS)
    assert text == render(fold(cells, read_ledger().releases))
    assert all(extension.check.exists() for extension in EXTENSIONS.values())


def test_every_extension_works_on_what_it_was_built_against() -> None:
    cells = unfold(json.loads(OBSERVED.read_text(encoding="utf-8")), read_ledger().releases)
    assert [cell for cell, works in cells.items() if cell[1] == cell[2] and not works] == []

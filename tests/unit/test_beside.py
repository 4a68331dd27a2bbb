"""What the contract derives from the libraries of the matrix, held against what was observed: every cell of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from beside import PAGE, judge_matrix, page_with_tables, python_sides
from cells import OBSERVED, unfold
from compilers import ARCHITECTURES, ESTIMATED, OPTIONS, Case, estimate_rows, fold_estimates, unfold_estimates
from hypothesis import given
from hypothesis import strategies as st
from readings import READINGS, fold_readings, render_readings, unfold_readings
from report import read_interfaces
from verdicts import derived, judge, mistakes, share_of_warnings, shares

from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.evidence.needs import Traces, conclude_needs
from tvm_ffi_build.contract.verdicts import Verdict

if TYPE_CHECKING:
    from tvm_ffi_build.contract import Break
    from tvm_ffi_build.contract.verdicts import Status

LEDGER = read_ledger()
RELEASES = LEDGER.releases
TEXT = READINGS.read_text(encoding="utf-8")
READ = unfold_readings(json.loads(TEXT), LEDGER)
CELLS = unfold(json.loads(OBSERVED.read_text(encoding="utf-8")), RELEASES)

# The manual says why each of these cannot be seen, under "What no look at one wheel can see" and "The proof".
KNOWN_MISTAKES = [
    "deep_values, built with 0.1.13, on 0.1.10..0.1.12: bad, and works",
    "error_details, built with 0.1.8..0.1.12, 0.1.13.post0.., on ..0.1.7: ok, and fails",
]


@pytest.mark.parametrize(("recorded", "most"), [(True, 0.15), (False, 0.30)])
def test_what_is_derived_is_what_happens(recorded: bool, most: float) -> None:
    judged = judge_matrix(recorded=recorded)
    assert judged.keys() == CELLS.keys()
    assert list(mistakes(judged, RELEASES)) == KNOWN_MISTAKES
    assert share_of_warnings(judged) < most


def test_the_manual_says_so() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("| **all** |") == 3
    assert page_with_tables(text) == text, "the manual is behind; run: python ledger/beside.py"


@pytest.mark.parametrize("known", LEDGER.breaks, ids=lambda known: known.name)
def test_a_break_is_one_that_was_observed(known: Break) -> None:
    """Where a library is concerned, it fails; a few conditions do not occur in the matrix."""
    python = python_sides()
    concerned = {
        key
        for key, traces in READ.items()
        if known in conclude_needs(traces, LEDGER, name=key[0], python=python[key[0]]).breaks
    }
    failing = [cell for cell, works in CELLS.items() if cell[:2] in concerned and not works]
    # Machines with an old C++ library, and what no library shows.
    unseen = {"leaked-symbols", "leaked-terminate", "error-cause"}
    assert known.name in unseen or any(known.separates(built, on) for _, built, on in failing)


def test_every_text_that_tells_of_a_break_is_one_that_libraries_have() -> None:
    """Those of a type key's own spelling are for compilers that do not cut it into pieces."""
    texts = {text for known in LEDGER.breaks for text in known.strings}
    seen = frozenset[str]().union(*(traces.strings for traces in READ.values()))
    type_keys = {fact[1] for facts in read_interfaces().values() for fact in facts if fact[0] == "type_keys"}
    assert [text for text in sorted(texts - seen) if text not in type_keys and "tvm/ffi/" not in text] == []


def test_of_libraries_that_no_rule_was_written_from_the_estimate_has_the_truth() -> None:
    found = unfold_estimates(json.loads(ESTIMATED.read_text(encoding="utf-8")))
    assert [case for case, candidates in found.items() if case.release not in candidates] == []
    # Every extension was built by both compilers, with all options, for both architectures.
    ways = len(ARCHITECTURES) * len(OPTIONS) * 2
    built = Counter((case.extension, case.release) for case in found)
    assert set(built.values()) == {ways}


def test_the_estimate_has_the_truth() -> None:
    for (name, built), traces in READ.items():
        assert built in conclude_needs(traces, LEDGER, name=name).built_with


# The parts


def test_the_readings_are_as_the_program_writes_them() -> None:
    assert READ.keys() == {cell[:2] for cell in CELLS}
    assert render_readings(fold_readings(READ, LEDGER)) == TEXT


CASES = st.builds(
    Case,
    st.sampled_from(("x", "y")),
    st.sampled_from(ARCHITECTURES),
    st.sampled_from(("gcc", "clang")),
    st.sampled_from(OPTIONS),
    st.sampled_from(RELEASES),
)


@given(st.dictionaries(CASES, st.frozensets(st.sampled_from(RELEASES), min_size=1)))
def test_estimates_are_written_as_spans_and_read_again(found: dict[Case, frozenset[str]]) -> None:
    assert unfold_estimates(json.loads(json.dumps(fold_estimates(found)))) == found


def test_estimates_of_another_format_are_refused() -> None:
    with pytest.raises(ValueError, match="2"):
        unfold_estimates({"schema": 2})


def test_estimates_are_counted_by_how_the_libraries_were_built_and_by_what_they_are_made_of() -> None:
    way = ("x86_64", "gcc", "-O2")
    found = {
        Case("a", *way, "0.1.0"): frozenset({"0.1.0", "0.1.1"}),
        Case("a", *way, "0.1.5"): frozenset({"0.1.4"}),
        Case("b", "aarch64", "clang", "-O3", "0.1.5"): frozenset({"0.1.5"}),
    }
    rows = list(estimate_rows(found))
    assert rows[2:5] == [
        "| x86_64 | gcc | `-O2` | 2 | 1 | 1.5 |",
        "| aarch64 | clang | `-O3` | 1 | 1 | 1.0 |",
        "| **all** | | | 3 | 2 | 1.3 |",
    ]
    assert rows[-2:] == ["| a | 0.1.0, 0.1.5 | 2 | 1 | 1.5 |", "| b | 0.1.5 | 1 | 1 | 1.0 |"]


def test_readings_for_other_breaks_are_refused() -> None:
    data = json.loads(TEXT)
    data["looked_for"].pop()
    with pytest.raises(ValueError, match=r"run: python ledger/matrix\.py"):
        unfold_readings(data, LEDGER)


NAMES = st.frozensets(st.sampled_from(("a", "b", "c")))


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(("x", "y")), st.sampled_from(RELEASES)),
        st.builds(
            Traces,
            symbols=NAMES,
            leaks=NAMES,
            strings=NAMES,
            recorded=st.none(),
            lines=st.frozensets(st.sampled_from(RELEASES), min_size=1),
        ),
    )
)
def test_readings_are_written_as_spans_and_read_again(readings: dict[tuple[str, str], Traces]) -> None:
    assert unfold_readings(json.loads(render_readings(fold_readings(readings, LEDGER))), LEDGER) == readings


def test_a_record_replaces_the_estimate() -> None:
    every = frozenset(RELEASES)
    traces = Traces(frozenset(), frozenset(), frozenset({"__ffi_enum__"}), None, every)
    key = ("x", "0.1.13")
    with_record, without = (derived({key: traces}, {"x": ""}, LEDGER, recorded=recorded) for recorded in (True, False))
    assert with_record[key]["0.1.12"].status == "bad"
    assert without[key]["0.1.12"].status == "warn"


def test_verdicts_are_counted_beside_what_was_observed() -> None:
    observed = {("a", "0.1", on): on != "0.4" for on in ("0.1", "0.2", "0.3", "0.4")}
    words: dict[str, Status] = {"0.1": "ok", "0.2": "warn", "0.3": "bad", "0.4": "ok"}
    judged = judge(observed, {("a", "0.1"): {on: Verdict(word) for on, word in words.items()}})
    header, _, row, total = shares(judged)
    counts = dict(zip(*([column.strip() for column in line.split("|")] for line in (header, row))))
    assert {name for name, count in counts.items() if count == "1"} == {
        "ok, works",
        "warn, works",
        "bad, works",
        "ok, fails",
    }
    assert (counts["cells"], counts["warn"]) == ("4", "25.0%")
    assert total == row.replace("| a |", "| **all** |")
    assert list(mistakes(judged, ("0.1", "0.2", "0.3", "0.4"))) == [
        "a, built with 0.1, on 0.3: bad, and works",
        "a, built with 0.1, on 0.4..: ok, and fails",
    ]

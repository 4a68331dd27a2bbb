"""The judgements of what the audit finds in published wheels, and the table that is made of them."""

from __future__ import annotations

from wheels.published_wheels import BEGIN, END, MANUAL, PROJECTS, Found, Judgement, judge, read_judgements, rows

from tvm_ffi_build.audit.rules import RULES

RIGHT = Judgement("P362", ("*",), ("win",), is_true=True, reason="others have it too")
WRONG = Judgement("P362", ("h5py",), (), is_true=False, reason="nobody else has it")
FINDING = Found("P362", "h5py", "win", "z.dll")


def test_judgements_are_of_rules_and_projects_that_there_are() -> None:
    for judgement in read_judgements():
        assert judgement.rule in RULES
        assert set(judgement.projects) <= {"*", *PROJECTS}
        assert judgement.is_true, judgement
        assert judgement.reason


def test_the_manual_shows_every_judgement() -> None:
    shown = MANUAL.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert [line for line in shown.splitlines() if "| false: " in line] == []
    for judgement in read_judgements():
        assert f"| right: {judgement.reason} |" in shown, judgement


def test_the_first_judgement_that_is_about_a_finding_counts() -> None:
    assert judge([FINDING], [WRONG, RIGHT]) == ({WRONG: [FINDING]}, [])
    assert judge([FINDING._replace(project="torch")], [WRONG, RIGHT])[0].keys() == {RIGHT}
    linux = FINDING._replace(project="torch", platform="linux")
    assert judge([linux], [WRONG, RIGHT]) == ({}, [linux])


def test_a_row_names_projects_and_platforms() -> None:
    both = [FINDING, FINDING._replace(platform="mac"), FINDING._replace(message="hdf5.dll")]
    assert rows({WRONG: both}).splitlines()[2:] == [
        "| P362 | h5py (macOS, Windows) | 3 | false: nobody else has it |",
    ]
    every = [FINDING._replace(platform=platform) for platform in ("linux", "arm", "mac", "win")]
    assert "| P362 | h5py (all) | 4 | right: others have it too |" in rows({RIGHT: every})

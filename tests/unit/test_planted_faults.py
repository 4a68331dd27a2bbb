"""The list of planted faults fits the files and the tests of today."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from planted_faults.check import has_test, occurrences, read_faults
from support.project import ROOT

if TYPE_CHECKING:
    from planted_faults.check import Fault

FAULTS = read_faults()


def test_there_are_at_least_forty_faults_of_three_kinds() -> None:
    kinds = Counter(fault.kind for fault in FAULTS)
    assert set(kinds) == {"python", "cmake", "data"}
    assert kinds["python"] >= 20
    assert min(kinds["cmake"], kinds["data"]) >= 10
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)


def test_the_faults_in_python_are_spread_over_the_package() -> None:
    planted = {fault.file.split("/")[1] for fault in FAULTS if fault.kind == "python"}
    assert len(planted) >= 10


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_a_fault_can_be_planted_and_its_tests_exist(fault: Fault) -> None:
    assert occurrences(fault, ROOT) == 1
    assert fault.new != fault.old
    assert fault.tests
    assert [test for test in fault.tests if not has_test(test, ROOT)] == []

"""The doctor knows for which Pythons the runtime has wheels."""

from __future__ import annotations

import pytest

from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.doctor.runtime_wheels import check_runtime_wheels, describe_pythons
from tvm_ffi_build.wheels.markers import SUPPORTED_PYTHONS


def test_the_newest_release_has_wheels_for_every_supported_python() -> None:
    ledger = read_ledger()
    assert {f"cp3{minor}-cp3{minor}" for minor in SUPPORTED_PYTHONS} <= {*ledger.list_python_tags(ledger.releases[-1])}


@pytest.mark.parametrize(
    ("release", "accepted", "remedies"),
    [
        ("0.1.12", {"cp313-cp313", "cp312-abi3"}, []),
        ("0.1.13", {"cp314-cp314", "cp312-abi3"}, ["-m pip install apache-tvm-ffi=="]),
        ("0.1.14.post1", {"cp315-cp315t", "cp315-abi3t"}, ["-m pip install apache-tvm-ffi=="]),
        ("0.1.13", {"pp311-pypy311_pp73"}, ["use one of these Pythons"]),
        (None, {"cp313-cp313t"}, ["use one of these Pythons"]),
        (None, {"cp314-cp314t"}, []),
        ("99.9", {"pp311-pypy311_pp73"}, []),  # which the ledger does not know
    ],
)
def test_a_python_without_a_wheel_is_reported(release: str | None, accepted: set[str], remedies: list[str]) -> None:
    found = list(check_runtime_wheels(release, accepted))
    assert len(found) == len(remedies)
    for check, remedy in zip(found, remedies):
        assert remedy in check.remedy
        assert f"{release or read_ledger().releases[-1]} has no wheel for CPython 3." in check.message
        assert "it has wheels for CPython 3.9, 3.10, 3.11, 3.12, 3.13" in check.message


def test_the_pythons_are_named_as_people_name_them() -> None:
    tags = ["cp310-cp310", "cp312-abi3", "cp315-abi3t", "cp314-cp314t"]
    assert describe_pythons(tags) == "CPython 3.10, 3.12 and newer, 3.15t and newer, 3.14t"

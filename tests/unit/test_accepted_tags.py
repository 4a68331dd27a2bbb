"""Tags that installers try: all of them are accepted, and what is accepted is among what some machine tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging import _manylinux, tags

from tvm_ffi_build.wheels.accepted_tags import is_other_system, platform_fault, tag_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLE = ["arm64", "i386", "ppc", "ppc64", "x86_64"]
GLIBC = ["aarch64", "i686", "loongarch64", "ppc64", "ppc64le", "riscv64", "s390x", "x86_64"]
NEWEST_MACOS, NEWEST_GLIBC = 30, 50


def tried_on_macos() -> Iterator[str]:
    for architecture in APPLE:
        # packaging takes a macOS 10 on arm64 as given, and there was none.
        for newest in ((NEWEST_MACOS, 0), *([(10, 16)] if architecture != "arm64" else [])):
            yield from tags.mac_platforms(newest, architecture)


def tried_on_linux() -> Iterator[str]:
    patch = pytest.MonkeyPatch()
    with patch.context() as changed:
        changed.setattr(_manylinux, "_have_compatible_abi", lambda *_: True)
        changed.setattr(_manylinux, "_get_glibc_version", lambda: (2, NEWEST_GLIBC))
        changed.setattr(_manylinux, "_get_manylinux_module", lambda: None, raising=False)
        for architecture in GLIBC:
            yield from _manylinux.platform_tags([architecture])


TRIED = frozenset((*tried_on_macos(), *tried_on_linux()))


def test_no_tag_that_an_installer_tries_is_refused() -> None:
    assert len(TRIED) > 500
    assert {tag: fault for tag in TRIED if (fault := platform_fault(tag))} == {}


@given(
    st.builds("manylinux_{}_{}_{}".format, st.integers(1, 3), st.integers(0, 60), st.sampled_from([*GLIBC, "arm64"]))
    | st.builds(
        "macosx_{}_{}_{}".format,
        st.integers(9, NEWEST_MACOS),
        st.integers(0, 20),
        st.sampled_from(["arm64", "x86_64", "universal2", "aarch64", "amd64"]),
    )
    | st.builds(
        "{}_{}".format, st.sampled_from(["manylinux1", "manylinux2010", "manylinux2014"]), st.sampled_from(GLIBC)
    )
)
def test_a_tag_is_accepted_if_an_installer_tries_it_and_only_then(tag: str) -> None:
    is_tried = tag in TRIED
    is_accepted = not platform_fault(tag)
    # Of macOS before 10.4 packaging tries some processors that it did not run on.
    if not tag.startswith(("macosx_10_0_", "macosx_10_1_", "macosx_10_2_", "macosx_10_3_")):
        assert is_accepted == is_tried
    assert is_accepted == (not platform_fault(tag.upper()))


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ("linux", "such a tag has the form of linux_x86_64"),
        ("win", "such a tag has the form of win_amd64"),
        ("macosx", "such a tag has the form of macosx_11_0_arm64"),
        ("macosx_arm64", "such a tag has the form of macosx_11_0_arm64"),
        ("manylinux_2_17", "such a tag has the form of manylinux_2_28_x86_64"),
        ("manylinux_99999999999999999999_0_x86_64", "such a tag has the form of manylinux_2_28_x86_64"),
        ("manylinux_2_999_x86_64", "unknown version: glibc 2.999"),
        ("musllinux_2_0_x86_64", "unknown version: musl 2.0"),
        ("macosx_10_99_x86_64", "unknown version: macOS 10.99"),
        ("macosx_12_3_arm64", "from macOS 11 on the second number is 0"),
        ("macosx_10_9_arm64", "the first macOS on arm64 is 11.0"),
        ("manylinux_2_12_aarch64", "installers look for glibc 2.17 and newer on aarch64"),
        ("WIN_X86_64", "its architecture is amd64 there, not x86_64"),
        ("musllinux_1_2_arm64", "its architecture is aarch64 there, not arm64"),
        ("linux_quantum", "it has no architecture that is called quantum"),
        ("solarpunk", "no system has this name"),
    ],
)
def test_a_platform_tag_that_no_installer_tries(tag: str, fault: str) -> None:
    assert platform_fault(tag) == fault


@pytest.mark.parametrize(
    "tag", ["any", "win32", "win_arm64", "linux_armv6l", "musllinux_1_2_i386", "macosx_10_9_intel"]
)
def test_a_platform_tag_that_some_installer_tries(tag: str) -> None:
    assert platform_fault(tag) == ""


@pytest.mark.parametrize(
    "tag", ["ios_13_0_arm64_iphoneos", "android_24_arm64_v8a", "pyodide_2024_0_wasm32", "freebsd_14_1_release_amd64"]
)
def test_other_systems_have_installers_too(tag: str) -> None:
    assert is_other_system(tag)
    assert platform_fault(tag) == ""
    assert not is_other_system("linux_x86_64")


@given(st.integers(2, 16), st.booleans())
def test_every_tag_of_a_cpython_is_accepted(minor: int, threaded: bool) -> None:
    abi = f"cp3{minor}{'t' if threaded and minor >= 13 else ''}"
    for tag in (
        *tags.cpython_tags((3, minor), [abi], ["any"]),
        *tags.compatible_tags((3, minor), f"cp3{minor}", ["any"]),
    ):
        assert list(tag_faults(str(tag))) == []


@pytest.mark.parametrize(
    ("tag", "faults"),
    [
        ("py3-abi3-any", [("py3-abi3", "the ABI tag of py3 must be none")]),
        ("py312-cp312-any", [("py312-cp312", "the ABI tag of py312 must be none")]),
        ("cp3-none-any", [("cp3-none", "the tag of CPython has its minor version, as cp312")]),
        ("cp312-cp311-any", [("cp312-cp311", "cp311 is not an ABI of cp312")]),
        ("cp312-pypy310_pp73-any", [("cp312-pypy310_pp73", "pypy310_pp73 is not an ABI of cp312")]),
        ("pp310-abi3-any", [("pp310-abi3", "abi3 is not an ABI of pp310")]),
        ("python-none-any", [("python-none", "no Python is called python")]),
        ("cp312-cp312.cp399-any", [("cp312-cp399", "cp399 is not an ABI of cp312")]),
        ("cp39.cp310-cp39.cp310-any", []),
        ("cp313-cp313.cp313t-any", []),
        ("cp27-cp27mu-any", []),
        ("pp310-pypy310_pp73-any", []),
        ("PY2.PY3-NONE-ANY", []),
    ],
)
def test_a_python_tag_has_an_abi_tag_that_fits(tag: str, faults: list[tuple[str, str]]) -> None:
    assert list(tag_faults(tag)) == faults

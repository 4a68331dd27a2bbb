"""Platform tags: what is parsed, how it is spelled again, and what no installer accepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvm_ffi_build.platforms.systems import LINUX, MACOS, WINDOWS
from tvm_ffi_build.platforms.tags import PlatformTag, family_of, oldest_system, parse_tags, system_of

architectures = st.from_regex(r"[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,3})?", fullmatch=True)
numbers = st.integers(0, 999)
versioned = st.builds(
    "{}_{}_{}_{}".format, st.sampled_from(["manylinux", "musllinux", "macosx"]), numbers, numbers, architectures
)
unversioned = st.builds("{}_{}".format, st.sampled_from(["linux", "win", "manylinux2014"]), architectures)
canonical = st.one_of(versioned, unversioned, st.just("win32")).filter(lambda text: text != "win_x86")


@given(canonical)
def test_a_canonical_tag_is_spelled_as_it_was_parsed(text: str) -> None:
    tag = PlatformTag.parse(text)
    assert str(tag) == text
    assert PlatformTag.parse(text.upper()) == tag
    assert tag is not None
    assert tag.family == family_of(text)
    assert tag.system == system_of(text)


@given(st.text(max_size=30) | canonical.map(lambda text: text[:-1]) | canonical.map(lambda text: f"{text} "))
def test_what_is_parsed_is_never_another_text(text: str) -> None:
    tag = PlatformTag.parse(text)
    assert tag is None or str(tag) == text.lower()


@pytest.mark.parametrize(
    ("text", "pep_600"),
    [
        ("manylinux1_i686", "manylinux_2_5_i686"),
        ("manylinux2010_x86_64", "manylinux_2_12_x86_64"),
        ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
    ],
)
def test_an_alias_names_the_systems_of_its_tag_of_pep_600(text: str, pep_600: str) -> None:
    tag = PlatformTag.parse(text)
    assert tag == PlatformTag.parse(pep_600)
    assert str(tag) == text
    assert hash(tag) == hash(PlatformTag.parse(pep_600))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "any",
        "linux",
        "linux_",
        "macosx",
        "macosx_11_arm64",
        "manylinux_2_17",
        "manylinux_2_17_",
        "manylinux_02_17_x86_64",
        "manylinux_2_17_x86_64_",
        "manylinux_2_17_x86-64",
        "manylinux_2_\u0661_x86_64",
        "manylinux_99999999999999999999_0_x86_64",
        "manylinux1_aarch64",
        "manylinux2010_aarch64",
        "manylinux2024_x86_64",
        "musllinux_x86_64",
        "win",
        "win_x86",
        "win64",
        "win32\n",
    ],
)
def test_what_no_installer_accepts_is_not_a_tag(text: str) -> None:
    assert PlatformTag.parse(text) is None
    assert list(parse_tags([text])) == []


@pytest.mark.parametrize(
    ("text", "architectures"),
    [
        ("macosx_11_0_universal2", ["macosx_11_0_arm64", "macosx_11_0_x86_64"]),
        ("macosx_12_0_universal2", ["macosx_12_0_arm64", "macosx_12_0_x86_64"]),
        ("macosx_10_6_intel", ["macosx_10_6_intel"]),
        ("manylinux2014_x86_64", ["manylinux2014_x86_64"]),
        ("win32", ["win32"]),
    ],
)
def test_slices(text: str, architectures: list[str]) -> None:
    (tag,) = parse_tags([text])
    assert [str(part) for part in tag.slices()] == architectures


def test_the_oldest_system_is_the_lowest_version_and_not_the_first_in_the_alphabet() -> None:
    assert oldest_system(["manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux_2_4_x86_64"]) == (2, 4)
    assert oldest_system(["linux_x86_64", "win32", "any"]) is None
    assert oldest_system([]) is None


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("linux_x86_64", LINUX),
        ("manylinux_2_17", LINUX),
        ("MUSLLINUX_1_2_x86_64", LINUX),
        ("macosx_11_0_arm64", MACOS),
        ("win32", WINDOWS),
        ("any", None),
        ("ios_13_0_arm64_iphoneos", None),
    ],
)
def test_the_operating_system_is_known_of_malformed_tags_too(text: str, system: object) -> None:
    assert system_of(text) == system

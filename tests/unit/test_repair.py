"""What a repair decides, apart from the tools that it asks: names, patterns, settings, policies, tags."""

from __future__ import annotations

import dataclasses
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from support.project import ROOT

from tvm_ffi_build.binaries import Binary, Image, Symbol
from tvm_ffi_build.contract.minimum_platform import Floor, find_floor
from tvm_ffi_build.errors import MissingToolError, ProjectError, RefusedError
from tvm_ffi_build.external_libraries import windows_dlls
from tvm_ffi_build.external_libraries.manylinux import Policy, read_policies
from tvm_ffi_build.external_libraries.presets import PRESETS, find_provider
from tvm_ffi_build.platforms.systems import LINUX, MACOS, WINDOWS
from tvm_ffi_build.repair import linux, macos, read_repair_settings, windows
from tvm_ffi_build.repair.excludes import Excludes
from tvm_ffi_build.repair.plan import Request, read_architecture, refuse_foreign_libraries
from tvm_ffi_build.repair.repair_settings import RepairSettings
from tvm_ffi_build.wheels.libraries import WheelLibraries
from tvm_ffi_build.wheels.markers import list_environments, runtime_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.specifiers import SpecifierSet

    from tvm_ffi_build.platforms.systems import BinaryFormat, Platform


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        (
            LINUX,
            ["libtvm_ffi.so", "libtvm_ffi.so.1", "libtvm_ffi.so.0.1.15", "libtvm_ffi-2d0c7e1a.so", "/x/libtvm_ffi.so"],
        ),
        (MACOS, ["@rpath/libtvm_ffi.dylib", "/opt/lib/libtvm_ffi.dylib", "libtvm_ffi.1.dylib"]),
        (WINDOWS, ["tvm_ffi.dll", "TVM_FFI.DLL", "tvm_ffi-0123456789abcdef.dll"]),
    ],
)
def test_the_runtimes_library_is_known_by_all_its_names(platform: Platform, names: list[str]) -> None:
    assert all(platform.is_runtime(name) for name in names)
    others = ["libtvm_ffi_orcjit.so", "libtvm_ffi_testing.dylib", "tvm_ffi_testing.dll", "libtvm.so", "tvm_ffi.py", ""]
    assert not any(platform.is_runtime(name) for name in others)


def test_patterns_are_for_the_name_or_its_last_part_in_any_case() -> None:
    assert Excludes(("libcuda.so*",)).match("libcuda.so.1")
    assert Excludes(("libcuda.so*",)).match("/usr/lib/libcuda.so.1")
    assert Excludes(("@rpath/*",)).match("@rpath/libx.dylib")
    assert Excludes(("cudart64_*.dll",)).match("CUDART64_12.dll")
    assert not Excludes(("libcuda.so",)).match("libcuda.so.1")
    assert not Excludes().match("libcuda.so.1")


@pytest.mark.parametrize(
    ("glob", "library", "wider"),
    [
        ("libfoo.so", "libfoo.so.5", "libfoo.so*"),
        ("libfoo.so", "/opt/lib/libfoo.so.5.1", "libfoo.so*"),
        ("libfoo.so.4", "libfoo.so.5", "libfoo.so*"),
        ("libfoo", "libfoo.so.5", "libfoo*"),
        ("LibFoo", "libfoo.dylib", "LibFoo*"),
        ("libfoo.dylib", "@rpath/libfoo.5.dylib", "libfoo*.dylib"),
        ("foo.dll", "foo-5.dll", "foo*.dll"),
        ("cudart.dll", "cudart64_12.dll", "cudart*.dll"),
    ],
)
def test_an_exclude_that_misses_a_library_by_its_version(glob: str, library: str, wider: str) -> None:
    assert list(Excludes((glob,)).near_misses([library])) == [(library, glob, wider)]
    assert Excludes((wider,)).match(library)


@pytest.mark.parametrize(
    ("globs", "library"),
    [
        (("libfoo.so*",), "libfoo.so.5"),  # which is left out
        (("libfoo.so", "libfoo.so.5"), "libfoo.so.5"),
        (("libfoo.so*",), "libfoo.5.dylib"),  # of another system
        (("libfoo",), "libfoobar.so.1"),
        (("libfoo.dylib",), "libfoobar.dylib"),
        (("libother.so",), "libfoo.so.5"),
        ((), "libfoo.so.5"),
    ],
)
def test_excludes_that_are_not_for_a_library(globs: tuple[str, ...], library: str) -> None:
    assert list(Excludes(globs).near_misses([library])) == []


def test_options_that_leave_out_nothing_are_named() -> None:
    asked = Excludes(("libcudart*", "libnothing*"), ("cuda", "rocm"))
    assert asked.unmatched(["libcudart.so.12", "libc.so.6"]) == ["--exclude libnothing*", "--preset rocm"]


@pytest.mark.parametrize(
    ("preset", "library"),
    [
        ("cuda", "libcuda.so.1"),
        ("cuda", "nvcuda.dll"),
        ("cuda", "libnvrtc-builtins.so.12.4"),
        ("cuda", "cublasLt64_12.dll"),
        ("torch", "libtorch_cpu.so"),
        ("torch", "@rpath/libc10.dylib"),
        ("torch", "c10_cuda.dll"),
        ("rocm", "libamdhip64.so.6"),
        ("openmp", "libgomp.so.1"),
        ("vulkan", "vulkan-1.dll"),
        ("z3", "libz3.so.4.13"),
        ("tvm", "libtvm_runtime.so"),
    ],
)
def test_presets_have_the_libraries_that_projects_exclude(preset: str, library: str) -> None:
    assert Excludes(presets=(preset,)).match(library)


def test_no_preset_leaves_out_the_runtime_or_the_system() -> None:
    every = Excludes(presets=tuple(PRESETS))
    for name in ("libtvm_ffi.so", "libc.so.6", "libstdc++.so.6", "libtvm_ffi.dylib", "tvm_ffi.dll", "KERNEL32.dll"):
        assert not every.match(name)


def test_who_provides_a_library() -> None:
    cudart = find_provider("libcudart.so.12")
    assert cudart is not None
    assert "nvidia-cuda-runtime-cu12" in cudart.distributions
    driver = find_provider("libcuda.so.1")
    assert driver is not None
    assert driver.distributions == ()
    assert find_provider("libmine.so") is None


def test_the_manual_lists_the_presets() -> None:
    text = (ROOT / "docs/reference/repair.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (`.*`) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [
        (
            name,
            ", ".join(f"`{glob}`" for glob in part.globs),
            ", ".join(part.distributions) or "the driver or the system",
        )
        for name, parts in PRESETS.items()
        for part in parts
    ]


def write_settings(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.tvm-ffi-build.repair]\n{text}\n", encoding="utf-8")
    return folder


def test_settings_of_a_project(tmp_path: Path) -> None:
    assert read_repair_settings(tmp_path) == RepairSettings()
    text = 'exclude = ["libmine*"]\npreset = ["cuda"]\nlib-path = ["lib"]\nstrip = true'
    settings = read_repair_settings(write_settings(tmp_path, text))
    assert settings == RepairSettings(("libmine*",), ("cuda",), (tmp_path / "lib",), strip=True)
    both = settings.extended(RepairSettings(globs=("x",))).request(tmp_path)
    assert both.excludes == Excludes(("libmine*", "x"), ("cuda",))
    assert both.strip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exclud = []", "exclud is not known; there are exclude, preset, lib-path, strip"),
        ('exclude = "libmine"', "exclude is not a list of strings"),
        ("lib-path = [1]", "lib-path is not a list of strings"),
        ('preset = ["cude"]', "preset 'cude' is not known; there are cuda, openmp, rocm, torch, tvm, vulkan, z3"),
        ("strip = 1", "strip is not true or false"),
        ("strip = ", "is not valid TOML"),
    ],
)
def test_wrong_settings(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProjectError, match=re.escape(message)):
        read_repair_settings(write_settings(tmp_path, text))


def bounds_of(*requirements: str, tag: str = "py3-none-linux_x86_64") -> list[SpecifierSet]:
    found = [runtime_bounds(map(Requirement, requirements), one) for one in list_environments(tag)]
    return [bounds for bounds in found if bounds is not None]


def wheel(*requirements: str, tag: str = "py3-none-linux_x86_64") -> Any:
    """Return what of a wheel is looked at beside its libraries."""
    return SimpleNamespace(
        path=Path(f"demo-1.0-{tag}.whl"),
        platforms=(tag.rpartition("-")[2],),
        runtime_bounds=lambda: bounds_of(*requirements, tag=tag),
    )


@pytest.mark.parametrize(
    ("requirements", "family", "version"),
    [
        (["apache-tvm-ffi>=0.1.13,<0.2"], "manylinux_*_x86_64", (2, 24)),
        (["apache_tvm_ffi>=0.1.9"], "manylinux_*_aarch64", (2, 17)),
        ([], "manylinux_*_x86_64", (2, 17)),
        (["apache-tvm-ffi>=99"], "manylinux_*_x86_64", (2, 24)),  # newer than the ledger
        (["apache-tvm-ffi>=0.1.13; extra == 'new'"], "manylinux_*_x86_64", (2, 17)),
        (["apache-tvm-ffi"], "macosx_*_arm64", (11, 0)),
        (["apache-tvm-ffi"], "macosx_*_x86_64", None),
        (["apache-tvm-ffi"], "musllinux_*_x86_64", None),
        (["apache-tvm-ffi"], "win_amd64", (0, 0)),
        (["apache-tvm-ffi<0.1.15"], "win_arm64", None),
    ],
)
def test_the_floor_is_the_lowest_of_the_runtimes_that_a_wheel_admits(
    requirements: list[str], family: str, version: tuple[int, int] | None
) -> None:
    floor = find_floor(bounds_of(*requirements), family)
    assert floor.version == version
    assert bool(list(floor.warnings("it"))) == (version is None)


def contents(of: Any, platform: Platform, **images: list[Image]) -> WheelLibraries:
    formats: dict[str, BinaryFormat] = {"linux": "ELF", "macos": "Mach-O", "windows": "PE"}
    binaries = {name: Binary(formats[platform.name], tuple(of)) for name, of in images.items()}
    return WheelLibraries(of, platform, {}, binaries, Path())


def policies(*minors: int) -> list[Policy]:
    """Return policies that promise the versions of glibc up to theirs, and the C library."""
    aliases = {5: ("manylinux1",), 17: ("manylinux2014",)}
    return [
        Policy(
            (2, minor),
            aliases.get(minor, ()),
            {"GLIBC": frozenset(f"2.{older}" for older in range(minor + 1))},
            frozenset({"libc.so.6", "libz.so.1"}),
            {"libz.so.1": frozenset({"inflate_fast"})},
        )
        for minor in minors
    ]


def needing(*minors: int, symbols: Sequence[str] = (), **more: Any) -> WheelLibraries:
    """Return a library that needs versions of glibc."""
    versions = tuple(("libc.so.6", f"GLIBC_2.{minor}") for minor in minors)
    imports = (*(Symbol(f"f{minor}", f"GLIBC_2.{minor}", "libc.so.6") for minor in minors), *map(Symbol, symbols))
    libraries = more.pop("libraries", ("libtvm_ffi.so", "libc.so.6"))
    image = Image("x86_64", libraries=libraries, versions=versions, imports=imports, **more)
    return contents(wheel("apache-tvm-ffi"), LINUX, lib=[image])


def chosen(held: WheelLibraries, floor: tuple[int, int] | None = (2, 17), asked: str | None = None) -> str:
    known = policies(5, 17, 24, 28, 34)
    return linux._list_tags(
        linux._choose_policy(held, known, Floor(floor, "apache-tvm-ffi>=1"), "x86_64", asked), "x86_64"
    )[-1]


@pytest.mark.parametrize(
    ("held", "floor", "asked", "tag"),
    [
        (needing(2, 14), (2, 17), None, "manylinux_2_17_x86_64"),
        (needing(2, 14), None, None, "manylinux_2_17_x86_64"),
        (needing(2), None, None, "manylinux_2_5_x86_64"),
        (needing(2), (2, 24), None, "manylinux_2_24_x86_64"),
        (needing(25), (2, 24), None, "manylinux_2_28_x86_64"),
        (needing(14), (2, 17), "manylinux2014_x86_64", "manylinux_2_17_x86_64"),
        (needing(14), (2, 17), "manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        (needing(14), (2, 17), "ManyLinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        (needing(14), (2, 17), "manylinux_2_31_x86_64", "manylinux_2_31_x86_64"),  # which has no policy of its own
    ],
)
def test_the_policy_is_the_lowest_that_holds(
    held: WheelLibraries, floor: tuple[int, int] | None, asked: str | None, tag: str
) -> None:
    assert chosen(held, floor, asked) == tag


@pytest.mark.parametrize(
    ("held", "floor", "asked", "message"),
    [
        (
            needing(2, 31),
            (2, 17),
            "manylinux_2_28_x86_64",
            r"needs manylinux_2_34_x86_64, for f31 \(GLIBC_2\.31\) in lib",
        ),
        (
            needing(31),
            (2, 17),
            "manylinux_2_30_x86_64",
            "cannot be manylinux_2_30_x86_64: it needs manylinux_2_34_x86_64",
        ),
        (
            needing(14),
            (2, 24),
            "manylinux2014_x86_64",
            "apache-tvm-ffi>=1, which it needs, has wheels from manylinux_2_24_x86_64 on",
        ),
        (needing(14), (2, 17), "musllinux_1_2_x86_64", "has no wheels for musl"),
        (needing(14), (2, 17), "manylinux_2_17_aarch64", "ask for --plat manylinux_<X>_<Y>_x86_64"),
        (needing(14), (2, 17), "win_amd64", "ask for --plat"),
        (needing(38), (2, 17), None, r"what no policy has: f38 \(GLIBC_2\.38\) in lib; build it on an older system"),
        (needing(14, level=3), (2, 17), None, "needs an x86-64-v3 processor, which no tag can say"),
        (needing(libraries=("libc.musl-x86_64.so.1",)), (2, 17), None, "is built for musl"),
        (
            needing(symbols=["inflate_fast"], libraries=("libz.so.1",)),
            (2, 17),
            None,
            "private to another library in lib",
        ),
    ],
)
def test_a_policy_that_cannot_be_had(
    held: WheelLibraries, floor: tuple[int, int], asked: str | None, message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        chosen(held, floor, asked)


def test_a_glibc_without_a_policy_has_what_the_next_older_policy_promises() -> None:
    known = policies(5, 17, 24, 28, 34)
    policy = linux._find_policy("manylinux_2_31_x86_64", known, "x86_64")
    assert policy == known[3]._replace(version=(2, 31))
    assert linux._find_policy("manylinux_2_4_x86_64", known, "x86_64") == known[0]._replace(version=(2, 4), aliases=())


@pytest.mark.parametrize(
    ("platform", "form", "systems", "message"),
    [
        (MACOS, "ELF", (), "cannot be loaded there: it is ELF, not Mach-O; build a wheel for each system"),
        (MACOS, "Mach-O", ("iOS",), "it is built for iOS, not macOS; "),
        (MACOS, "Mach-O", ("Mac Catalyst",), "it is built for Mac Catalyst, not macOS; "),
        (WINDOWS, "ELF", (), "it is ELF, not PE; "),
        (LINUX, "Mach-O", ("macOS",), "it is Mach-O, not ELF; "),
    ],
)
def test_libraries_of_another_system_are_refused(
    platform: Platform, form: BinaryFormat, systems: tuple[str, ...], message: str
) -> None:
    held = contents(wheel("apache-tvm-ffi"), platform, lib=[Image("x86_64", systems=systems)])
    held = dataclasses.replace(
        held, binaries={name: binary._replace(format=form) for name, binary in held.binaries.items()}
    )
    with pytest.raises(RefusedError, match=message):
        refuse_foreign_libraries(held)


def test_libraries_of_two_architectures_are_refused() -> None:
    held = contents(wheel(), LINUX, one=[Image("x86_64")], other=[Image("aarch64")])
    with pytest.raises(RefusedError, match="holds libraries for aarch64, x86_64; its tag can name only one"):
        read_architecture(held)


@pytest.mark.parametrize(
    ("minimum", "tag"),
    [
        ("11.0", "macosx_11_0_arm64"),
        ("12.0", "macosx_12_0_arm64"),
        ("13.3", "macosx_14_0_arm64"),
        ("10.15", "macosx_11_0_arm64"),
    ],
)
def test_macos_tags_name_what_installers_ask_for(minimum: str, tag: str) -> None:
    image = Image("arm64", libraries=("@rpath/libtvm_ffi.dylib", "/usr/lib/libSystem.B.dylib"), minimum_os=minimum)
    held = contents(wheel("apache-tvm-ffi", tag="py3-none-macosx_15_0_arm64"), MACOS, lib=[image])
    plan = macos.MacosRepairer().plan(held, Request(Path()))
    assert (plan.platforms, plan.grafts) == ((tag,), ())


def test_macos_libraries_from_elsewhere_are_grafted_or_left_out() -> None:
    needed = ("@rpath/libtvm_ffi.dylib", "/opt/homebrew/lib/libz3.dylib", "@rpath/libomp.dylib")
    held = contents(wheel("apache-tvm-ffi"), MACOS, lib=[Image("arm64", libraries=needed, minimum_os="11.0")])
    plan = macos.MacosRepairer().plan(held, Request(Path(), excludes=Excludes(presets=("z3",))))
    assert plan.grafts == ("@rpath/libomp.dylib",)
    assert plan.excluded == ("/opt/homebrew/lib/libz3.dylib",)


def test_universal_libraries_give_the_tag_that_all_of_them_have() -> None:
    both, one = [Image("x86_64"), Image("arm64")], [Image("arm64")]
    assert macos._architecture(contents(wheel(), MACOS, a=both, b=both)) == "universal2"
    assert macos._architecture(contents(wheel(), MACOS, a=both, b=one)) == "arm64"
    with pytest.raises(RefusedError, match="holds libraries for arm64, x86_64, which no macOS runs all of"):
        macos._architecture(contents(wheel(), MACOS, a=[Image("x86_64")], b=one))


def test_a_universal_tag_says_nothing_of_the_first_macos_for_apples_processors() -> None:
    def halves(intel: str, apple: str) -> WheelLibraries:
        return contents(
            wheel("apache-tvm-ffi"), MACOS, lib=[Image("x86_64", minimum_os=intel), Image("arm64", minimum_os=apple)]
        )

    def tags(held: WheelLibraries, asked: str | None = None) -> tuple[str, ...]:
        return macos.MacosRepairer().plan(held, Request(Path(), asked)).platforms

    assert tags(halves("10.9", "11.0")) == ("macosx_10_9_universal2",)
    assert tags(halves("10.15", "11.0")) == ("macosx_10_15_universal2",)
    assert tags(halves("10.9", "12.0")) == ("macosx_12_0_universal2",)
    assert tags(halves("10.9", "11.0"), "macosx_10_12_universal2") == ("macosx_10_12_universal2",)
    assert tags(halves("10.9", "11.0"), "MacOSX_10_12_Universal2") == ("macosx_10_12_universal2",)
    with pytest.raises(RefusedError, match=r"lib is built for macOS 10\.15; set MACOSX_DEPLOYMENT_TARGET"):
        tags(halves("10.15", "11.0"), "macosx_10_9_universal2")


def test_a_macos_that_is_asked_for() -> None:
    held = contents(wheel("apache-tvm-ffi"), MACOS, lib=[Image("arm64", minimum_os="12.0")])
    plan = macos.MacosRepairer().plan(held, Request(Path(), "macosx_14_0_arm64"))
    assert plan.platforms == ("macosx_14_0_arm64",)
    with pytest.raises(RefusedError, match=r"lib is built for macOS 12\.0; set MACOSX_DEPLOYMENT_TARGET"):
        macos.MacosRepairer().plan(held, Request(Path(), "macosx_11_0_arm64"))
    with pytest.raises(RefusedError, match="macosx_11_0_x86_64 is not meant"):
        macos.MacosRepairer().plan(held, Request(Path(), "macosx_11_0_x86_64"))


def test_a_windows_that_is_asked_for() -> None:
    held = contents(wheel("apache-tvm-ffi"), WINDOWS, lib=[Image("amd64")])
    with pytest.raises(RefusedError, match="win_arm64 is not meant: this wheel's libraries are win_amd64"):
        windows.WindowsRepairer().plan(held, Request(Path(), "win_arm64"))
    held = contents(wheel("apache-tvm-ffi"), WINDOWS, one=[Image("amd64")], other=[Image("arm64")])
    with pytest.raises(RefusedError, match="holds libraries for amd64, arm64; its tag can name only one"):
        windows.WindowsRepairer().plan(held, Request(Path()))


def test_a_linux_wheel_may_stay_for_this_machine() -> None:
    for tag in ("linux_x86_64", "Linux_x86_64"):
        plan = linux.LinuxRepairer().plan(needing(2, 14), Request(Path(), tag))
        assert (plan.platforms, plan.grafts) == (("linux_x86_64",), ())


def test_a_runtime_that_is_asked_for_by_a_path_is_warned_about() -> None:
    held = contents(wheel("apache-tvm-ffi"), MACOS, lib=[Image("arm64", libraries=("/Users/me/libtvm_ffi.dylib",))])
    plan = macos.MacosRepairer().plan(held, Request(Path()))
    assert plan.grafts == ()
    assert "asks for /Users/me/libtvm_ffi.dylib, which only this machine has" in plan.warnings[0]


@pytest.mark.parametrize(
    ("missing", "message"),
    [(True, "auditwheel is not installed; run: "), (False, "auditwheel keeps its policies in a way")],
)
def test_policies_that_are_not_where_they_were(monkeypatch: pytest.MonkeyPatch, missing: bool, message: str) -> None:
    def distribution(name: str) -> Any:
        if missing:
            raise PackageNotFoundError(name)
        return SimpleNamespace(locate_file=lambda _: "/no/table")

    monkeypatch.setattr("importlib.metadata.distribution", distribution)
    with pytest.raises(MissingToolError, match=message):
        read_policies.__wrapped__("x86_64")


@pytest.mark.parametrize(
    ("missing", "message"),
    [(True, "delvewheel is not installed; run: "), (False, "delvewheel keeps its list of DLLs in a way")],
)
def test_dlls_that_are_not_listed_where_they_were(monkeypatch: pytest.MonkeyPatch, missing: bool, message: str) -> None:
    def imported(name: str) -> Any:
        if missing:
            raise ModuleNotFoundError(name)
        return SimpleNamespace()

    monkeypatch.setattr("tvm_ffi_build.external_libraries.windows_dlls.import_module", imported)
    with pytest.raises(MissingToolError, match=message):
        windows_dlls._read_dlls.__wrapped__("amd64")
    # For what delvewheel has no list of, nobody has.
    assert windows_dlls.has_windows("any.dll", "riscv64")


def test_what_delvewheel_lists() -> None:
    said = """Analyzing x.whl

The following DLLs will be copied into the wheel.
    helper.dll (C:\\lib\\helper.dll)
    Lost.dll (Error: Not Found)

The following DLLs are assumed to be present in the end user's environment and will not be copied into the wheel.
    kernel32.dll
"""
    assert windows._parse_listing(said) == {"helper.dll": True, "lost.dll": False}
    assert windows._parse_listing("Analyzing x.whl\n\nNo external dependencies are needed.\n") == {}

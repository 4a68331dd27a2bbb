"""What a build is told, without building."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from forged_libraries import elf_with_one_name_for_all, mach_o, pe_with_shared_thunks
from packaging.tags import platform_tags
from support.processes import run

from tvm_ffi_build import pipeline
from tvm_ffi_build.audit import Subject
from tvm_ffi_build.errors import BuildError, ProjectError
from tvm_ffi_build.frontend.run_frontend import BuildRequest
from tvm_ffi_build.pipeline import build as build_module
from tvm_ffi_build.pipeline import checks_before
from tvm_ffi_build.pipeline.checks_after import check_built
from tvm_ffi_build.pyproject.build_system import read_project
from tvm_ffi_build.terminal.output import Output
from tvm_ffi_build.wheels import open_wheel
from tvm_ffi_build.wheels.libraries import read_libraries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROJECT = """
[build-system]
requires = ["scikit-build-core>=1.0", "tvm-ffi-build"{more}]
build-backend = "scikit_build_core.build"
"""
PROVIDER = """
[[tool.dynamic-metadata]]
provider = "tvm-ffi-build"
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what the front end is told by variables, on a Python whose pip lacks the plugin's defaults."""
    seen: dict[str, str] = {}

    def run_build(request: BuildRequest, **_: object) -> None:
        seen.update(request.environment)

    for module in (checks_before, build_module):
        monkeypatch.setattr(module, "HAS_CONFIG_ENTRY_POINT", False)
    monkeypatch.setattr(build_module, "run_build", run_build)
    return seen


def build(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match="gave 0 wheels"):
        pipeline.build_wheel(BuildRequest(folder, folder / "out"))


def test_the_defaults_are_set_where_the_plugin_cannot(tmp_path: Path, told: dict[str, str]) -> None:
    build(tmp_path, PROJECT.format(more="") + PROVIDER)
    assert told == {"SKBUILD_WHEEL_REPRODUCIBLE": "true", "SKBUILD_WHEEL_PY_API": "py3"}


def test_what_the_user_has_set_stays(tmp_path: Path, told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKBUILD_WHEEL_PY_API", "cp39")
    monkeypatch.setenv("SKBUILD_WHEEL_REPRODUCIBLE", "false")
    build(tmp_path, PROJECT.format(more="") + PROVIDER)
    assert told == {}


def test_a_project_that_binds_python_gets_no_tag(tmp_path: Path, told: dict[str, str]) -> None:
    build(tmp_path, PROJECT.format(more=', "pybind11"') + PROVIDER)
    assert told == {"SKBUILD_WHEEL_REPRODUCIBLE": "true"}


@pytest.mark.parametrize("key", ["wheel.py-api", "skbuild.wheel.py-api"])
@pytest.mark.parametrize(("value", "is_agnostic"), [("py3", "ON"), ("cp312", "OFF")])
def test_cmake_is_told_the_tag_that_a_config_setting_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, is_agnostic: str
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(build_module, "run_build", lambda request, **_: seen.extend(request.config_settings))
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(more="") + PROVIDER, encoding="utf-8")
    with pytest.raises(BuildError, match="gave 0 wheels"):
        pipeline.build_wheel(BuildRequest(tmp_path, tmp_path / "out", config_settings=(f"{key}={value}",)))
    assert seen == [f"{key}={value}", f"cmake.define.TVM_FFI_WHEEL_IS_AGNOSTIC={is_agnostic}"]


@pytest.mark.parametrize("setting", ["wheel.packages=a", "skbuild.wheel.packages=a;b", "wheel.packages.x/a=a"])
def test_cmake_does_not_check_stubs_against_packages_that_a_config_setting_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(build_module, "run_build", lambda request, **_: seen.extend(request.config_settings))
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(more="") + PROVIDER, encoding="utf-8")
    with pytest.raises(BuildError, match="gave 0 wheels"):
        pipeline.build_wheel(BuildRequest(tmp_path, tmp_path / "out", config_settings=(setting,)))
    assert seen == [setting, "cmake.define.TVM_FFI_WHEEL_PACKAGES="]


def test_without_the_provider_there_is_no_way_to_reach_the_build(tmp_path: Path, told: dict[str, str]) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(more=""), encoding="utf-8")
    with pytest.raises(ProjectError, match=r"below Python 3\.11 .* write \[\[tool\.dynamic-metadata\]\]"):
        pipeline.build_wheel(BuildRequest(tmp_path, tmp_path / "out"))


@pytest.mark.parametrize("backend", ["hatchling.build", "scikit_build_core.setuptools.build_meta"])
def test_other_backends_are_out_of_reach_there(tmp_path: Path, told: dict[str, str], backend: str) -> None:
    text = f'[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "{backend}"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        ProjectError, match=f"below Python 3.11 tvm-ffi-build does not reach a build by {backend}; build"
    ):
        pipeline.build_wheel(BuildRequest(tmp_path, tmp_path / "out"))
    assert told == {}


def test_meson_asks_by_itself(tmp_path: Path, told: dict[str, str]) -> None:
    build(tmp_path, '[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "mesonpy"\n')


def test_a_wheel_that_works_with_no_release_is_told_what_is_in_the_way(
    tmp_path: Path, make_wheel: Callable[..., Path]
) -> None:
    """A symbol that no library has, and not the range, which admits releases that lack another one as well."""
    (tmp_path / "a.c").write_text(
        'int TVMFFIBigIntFromByteArray(void);\nint mine(int) __asm__("_ZN3tvm3ffi4mineEi");\n'
        "int f(void) { return TVMFFIBigIntFromByteArray() + mine(1); }\n",
        encoding="utf-8",
    )
    run("cc", "-shared", "-fPIC", "-nostdlib", "-o", tmp_path / "a.so", tmp_path / "a.c")
    (tmp_path / "pyproject.toml").write_text(OTHER_BACKEND, encoding="utf-8")
    content = {"demo/a.so": (tmp_path / "a.so").read_bytes()}
    wheel = make_wheel(content, metadata=["Requires-Dist: apache-tvm-ffi>=0.1.9"])
    with open_wheel(wheel) as opened, pytest.raises(BuildError) as caught:
        check_built(Subject.of(read_libraries(opened, tmp_path / "new")), read_project(tmp_path))
    assert str(caught.value).startswith(
        f"{wheel.name}: the wheel works with no known release of apache-tvm-ffi (none has _ZN3tvm3ffi4mineEi, "
    )
    assert str(caught.value).endswith("; build it against one that has what it needs")


# ---- Other platforms: the platform that the libraries were built for --------------------------------------------

LINUX_X86_64 = elf_with_one_name_for_all(1)
LINUX_AARCH64 = LINUX_X86_64[:18] + b"\xb7" + LINUX_X86_64[19:]
MACOS_ARM64, WINDOWS_AMD64 = mach_o([], b""), pe_with_shared_thunks(1)
TAG = f"py3-none-{next(platform_tags())}"
OTHER_BACKEND = '[build-system]\nrequires = ["tvm-ffi-build"]\nbuild-backend = "mesonpy"\n'


@pytest.fixture
def built(
    tmp_path: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pipeline.BuiltWheel]:
    """Return a function that has a wheel built for a platform, by a backend that answers with one for another."""
    monkeypatch.setattr(build_module, "_repair_built", lambda wheel, *_: (wheel, None))

    def make(
        platform: str | None,
        tag: str,
        library: bytes,
        *,
        repaired: bool = False,
        requires: str = "apache-tvm-ffi",
        **options: Any,
    ) -> pipeline.BuiltWheel:
        files, metadata = {"demo/library.so": library}, [f"Requires-Dist: {requires}"]
        wheel = make_wheel(files, tag=f"py3-none-{tag}", metadata=metadata, folder=tmp_path / "made")
        monkeypatch.setattr(build_module, "run_build", lambda request, **_: shutil.copy(wheel, request.output))
        (tmp_path / "pyproject.toml").write_text(OTHER_BACKEND, encoding="utf-8")
        request = BuildRequest(tmp_path, tmp_path / "out", platform=platform)
        return pipeline.build_wheel(request, repaired=repaired, **options)

    return make


def test_two_platforms_of_one_command_do_not_give_one_wheel(built: Callable[..., pipeline.BuiltWheel]) -> None:
    written: dict[Any, Any] = {}
    made = built(None, "linux_x86_64", LINUX_X86_64, written=written)
    before = made.path.stat().st_ino
    message = rf"^the builds for native and manylinux_2_28_x86_64 both give {made.path.name}; leave one of them out$"
    with pytest.raises(BuildError, match=message):
        built("manylinux_2_28_x86_64", "linux_x86_64", LINUX_X86_64, written=written)
    assert made.path.stat().st_ino == before
    built("manylinux_2_28_aarch64", "linux_aarch64", LINUX_AARCH64, written=written)
    # Another command replaces an older wheel.
    assert built(None, "linux_x86_64", LINUX_X86_64, written={}).path.stat().st_ino != before


@pytest.mark.parametrize(
    ("platform", "tag", "library"),
    [
        (None, "linux_x86_64", LINUX_X86_64),
        ("manylinux_2_28_x86_64", "linux_x86_64", LINUX_X86_64),
        ("manylinux_2_28_aarch64", "linux_aarch64", LINUX_AARCH64),
        ("manylinux_2_28_aarch64", "manylinux_2_28_aarch64", LINUX_AARCH64),
        ("macosx_11_0_arm64", "macosx_11_0_arm64", MACOS_ARM64),
        ("win_amd64", "win_amd64", WINDOWS_AMD64),
    ],
)
@pytest.mark.parametrize("repaired", [True, False])
def test_a_wheel_of_the_platform_that_was_asked_for_is_taken(
    built: Callable[..., pipeline.BuiltWheel], platform: str | None, tag: str, library: bytes, *, repaired: bool
) -> None:
    assert built(platform, tag, library, repaired=repaired).tag == f"py3-none-{tag}"


@pytest.mark.parametrize(
    ("platform", "tag"),
    [
        ("win_amd64", "linux_x86_64"),
        ("manylinux_2_28_aarch64", "linux_x86_64"),
        # As of a backend that asks sysconfig, where _PYTHON_HOST_PLATFORM is set.
        ("manylinux_2_28_aarch64", "linux_aarch64"),
    ],
)
@pytest.mark.parametrize("repaired", [True, False])
def test_one_that_was_built_for_this_machine_is_not(
    built: Callable[..., pipeline.BuiltWheel], tmp_path: Path, platform: str, tag: str, *, repaired: bool
) -> None:
    with pytest.raises(BuildError) as caught:
        built(platform, tag, LINUX_X86_64, repaired=repaired)
    assert str(caught.value) == (
        f"demo-1.0-py3-none-{tag}.whl holds libraries for x86_64 and not for {platform}: "
        "mesonpy builds only for this machine; build it on that platform, or without --platform"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_tag_of_this_machine_stays_where_the_repair_finds_the_right_one(
    built: Callable[..., pipeline.BuiltWheel],
) -> None:
    """As with hatchling, which compiles for the other platform and tags for this machine."""
    built("manylinux_2_28_aarch64", "linux_x86_64", LINUX_AARCH64, repaired=True)
    with pytest.raises(BuildError, match=r"tagged it for another platform; .* that platform, or without --no-repair$"):
        built("manylinux_2_28_aarch64", "linux_x86_64", LINUX_AARCH64)
    for repaired in (True, False):
        with pytest.raises(BuildError, match=r"mesonpy has tagged it for another platform; build it on that platform$"):
            built("macosx_11_0_arm64", "linux_x86_64", MACOS_ARM64, repaired=repaired)


@pytest.mark.parametrize(("repaired", "requires"), [(False, "apache-tvm-ffi"), (True, "numpy")])
def test_a_wheel_that_keeps_its_tags_is_held_to_them(
    built: Callable[..., pipeline.BuiltWheel], *, repaired: bool, requires: str
) -> None:
    """As without a repair, or of something that is not an extension, which a repair skips."""
    with pytest.raises(
        BuildError, match=r"library\.so does not work on linux_x86_64: it is for aarch64, not x86_64 \(ELF\); "
    ):
        built(None, "linux_x86_64", LINUX_AARCH64, repaired=repaired, requires=requires)
    assert built(None, "linux_x86_64", LINUX_AARCH64, repaired=True).tag == "py3-none-linux_x86_64"


# ---- What comes last: the import, and that there is a library ----------------------------------------------------


@pytest.fixture
def made(
    tmp_path: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pipeline.BuiltWheel]:
    """Return a function that has a wheel with some files built for this machine, by a stand-in for a backend."""

    def make(
        files: dict[str, bytes],
        *,
        requires: str = "apache-tvm-ffi",
        imported: bool = True,
        may_lack_library: bool = True,
    ) -> pipeline.BuiltWheel:
        wheel = make_wheel(files, tag=TAG, metadata=[f"Requires-Dist: {requires}"], folder=tmp_path / "made")
        monkeypatch.setattr(build_module, "run_build", lambda request, **_: shutil.copy(wheel, request.output))
        (tmp_path / "pyproject.toml").write_text(OTHER_BACKEND, encoding="utf-8")
        return pipeline.build_wheel(
            BuildRequest(tmp_path, tmp_path / "out"),
            repaired=False,
            output=Output(),
            imported=imported,
            may_lack_library=may_lack_library,
        )

    return make


def test_a_wheel_that_cannot_be_imported_does_not_appear(
    made: Callable[..., pipeline.BuiltWheel], tmp_path: Path
) -> None:
    files = {"demo/__init__.py": b"raise OSError('libdemo.so: undefined symbol: demo_one')"}
    with pytest.raises(BuildError) as caught:
        made(files)
    assert str(caught.value) == (
        f"demo-1.0-{TAG}.whl: import demo fails: OSError: libdemo.so: undefined symbol: demo_one; fix what demo does "
        "when it is imported, or skip this check with --no-import-check"
    )
    assert list((tmp_path / "out").iterdir()) == []
    assert made(files, imported=False).path.is_file()


def test_a_module_that_nothing_installs_is_named(made: Callable[..., pipeline.BuiltWheel]) -> None:
    with pytest.raises(BuildError, match=r"No module named 'no_such'; add the distribution that has no_such to depend"):
        made({"demo/__init__.py": b"import no_such"})


def test_an_import_that_lacks_a_requirement_is_not_a_failure(
    made: Callable[..., pipeline.BuiltWheel], capsys: pytest.CaptureFixture[str]
) -> None:
    made({"demo/__init__.py": b"import no_such"}, requires="no-such")
    assert "import not checked: needs no-such" in capsys.readouterr().err


def test_a_wheel_without_a_library_has_to_be_allowed(made: Callable[..., pipeline.BuiltWheel]) -> None:
    files = {"demo/__init__.py": b""}
    with pytest.raises(BuildError) as caught:
        made(files, may_lack_library=False)
    assert str(caught.value) == (
        f"demo-1.0-{TAG}.whl holds no library; write shared_library(..., install: true) in meson.build; or allow that "
        "with --allow-no-library"
    )
    assert made(files).path.is_file()
    assert made({**files, "demo/library.so": LINUX_X86_64}, may_lack_library=False).path.is_file()

"""The scikit-build-core entry points, called as scikit-build-core calls them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version
from support.errors import read_error
from support.runtimes import installed

from tvm_ffi_build import plugin
from tvm_ffi_build.contract.requirement import runtime_requirement
from tvm_ffi_build.errors import UnsupportedRuntimeError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project's folder, with a runtime to be found."""
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(installed(tmp_path / "runtime")))
    monkeypatch.setattr(plugin, "HAS_CONFIG_ENTRY_POINT", True)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def config(folder: Path, *requires: str, extra: str = "", state: str = "wheel", **env: str) -> dict[str, Any]:
    names = ", ".join(f'"{name}"' for name in requires)
    (folder / "pyproject.toml").write_text(f"[build-system]\nrequires = [{names}]\n{extra}", encoding="utf-8")
    return plugin.config(state=state, env=env)


def test_a_project_that_does_not_ask_gets_nothing(here: Path) -> None:
    assert config(here, "scikit-build-core", "apache-tvm-ffi") == {}


def test_a_folder_without_a_project_gets_nothing(here: Path) -> None:
    assert plugin.config(state="wheel", env={}) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: f"[build-system]\n{text}".encode())))
def test_no_project_file_makes_it_raise(here: Path, content: bytes) -> None:
    (here / "pyproject.toml").write_bytes(content)
    assert plugin.config(state="wheel", env={}) == {}


def test_a_project_that_asks_gets_the_tag_and_the_cmake_package(here: Path) -> None:
    answer = config(here, "tvm-ffi-build")
    assert answer["wheel"] == {"py-api": "py3", "reproducible": True}
    define = answer["cmake"]["define"]
    assert define["tvm_ffi_DIR"].endswith("/cmake")
    assert define["TVM_FFI_RUNTIME_VERSION"] == "0.1.15.post2"
    assert define["TVM_FFI_WHEEL_IS_AGNOSTIC"] is True
    assert define["TVM_FFI_PYTHON"] == sys.executable


def test_with_setuptools_the_tag_is_left_to_its_command(here: Path) -> None:
    answer = config(here, "tvm-ffi-build", extra='build-backend = "scikit_build_core.setuptools.build_meta"')
    assert answer["wheel"] == {"reproducible": True}
    assert answer["cmake"]["define"]["TVM_FFI_WHEEL_IS_AGNOSTIC"] is False


def test_a_project_that_also_binds_python_is_not_tagged_py3(here: Path) -> None:
    answer = config(here, "tvm-ffi-build", "nanobind")
    assert "py-api" not in answer["wheel"]
    assert answer["cmake"]["define"]["TVM_FFI_WHEEL_IS_AGNOSTIC"] is False


@pytest.mark.parametrize(
    ("extra", "env", "agnostic"),
    [
        ('[tool.scikit-build]\nwheel.py-api = ""', {}, False),
        ('[tool.scikit-build]\nwheel.py-api = "cp312"', {}, False),
        ('[tool.scikit-build]\nwheel.py-api = "py3"', {}, True),
        ('[tool.scikit-build]\nwheel.py-api = "py2.py3"', {}, True),
        ("", {"SKBUILD_WHEEL_PY_API": "cp39"}, False),
        ('[tool.scikit-build]\nwheel.py-api = "cp312"', {"SKBUILD_WHEEL_PY_API": "py3"}, True),
        ("", {"SKBUILD_WHEEL_PY_API": ""}, True),
        ('[tool.scikit-build]\nwheel.py-api = ""\n[[tool.scikit-build.overrides]]\nwheel.py-api = "py3"', {}, False),
        ('[[tool.scikit-build.overrides]]\nwheel.py-api = "cp311"', {}, False),
        ('[[tool.scikit-build.overrides]]\nwheel.py-api = "py3"', {}, True),
    ],
)
def test_cmake_is_told_the_tag_that_is_in_force(here: Path, extra: str, env: dict[str, str], agnostic: bool) -> None:
    answer = config(here, "tvm-ffi-build", extra=extra, **env)
    assert answer["cmake"]["define"]["TVM_FFI_WHEEL_IS_AGNOSTIC"] is agnostic


GPU = "[tool.tvm-ffi-build.gpu]\narchitectures = {}\n"


@pytest.mark.parametrize("value", ['["8.0", "9.0a", "12.0+PTX"]', '"8.0 9.0a;12.0+PTX"'])
def test_cmake_compiles_for_the_architectures_that_are_declared(here: Path, value: str) -> None:
    define = config(here, "tvm-ffi-build", extra=GPU.format(value))["cmake"]["define"]
    assert define["CMAKE_CUDA_ARCHITECTURES"] == "80-real;90a-real;120"


@pytest.mark.parametrize(
    ("extra", "env"), [("", {}), (GPU.format("[]"), {}), (GPU.format('["8.0"]'), {"CUDAARCHS": "90"})]
)
def test_cmake_chooses_architectures_where_none_is_declared_or_its_variable_is_set(
    here: Path, extra: str, env: dict[str, str]
) -> None:
    assert "CMAKE_CUDA_ARCHITECTURES" not in config(here, "tvm-ffi-build", extra=extra, **env)["cmake"]["define"]


def test_an_invalid_declaration_ends_the_build_with_one_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        config(here, "tvm-ffi-build", extra=GPU.format('["Hopper"]'))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith('gpu.architectures is not a list of CUDA architectures such as "9.0a" or "12.0+PTX"')


@pytest.mark.parametrize(("value", "defined"), [("true", {}), ("false", {"TVM_FFI_CHECK_GPU": False})])
def test_the_check_of_the_loader_can_be_switched_off(here: Path, value: str, defined: dict[str, bool]) -> None:
    define = config(here, "tvm-ffi-build", extra=f"[tool.tvm-ffi-build.gpu]\ncheck = {value}\n")["cmake"]["define"]
    assert {name: define[name] for name in define if name == "TVM_FFI_CHECK_GPU"} == defined


@pytest.mark.parametrize(
    ("extra", "env", "packages"),
    [
        ('[tool.scikit-build]\nwheel.packages = ["py/a", "py/b"]', {}, ["py/a", "py/b"]),
        ('[tool.scikit-build.wheel.packages]\n"acme/a" = "py/a"', {}, ["py/a"]),
        ("[tool.scikit-build]\nwheel.packages = []", {}, []),
        ('[project]\nname = "my-ext"', {}, ["src/my_ext", "python/my_ext", "my_ext"]),
        (
            '[project]\nname = "a.b"',
            {},
            ["src/a_b", "src/a/b", "python/a_b", "python/a/b", "a_b", "a/b"],
        ),
        (
            '[tool.scikit-build]\nwheel.packages = ["a"]\n[[tool.scikit-build.overrides]]\nwheel.packages = ["b", "a"]',
            {},
            ["a", "b"],
        ),
        ('[tool.scikit-build]\nwheel.packages = ["a"]', {"SKBUILD_WHEEL_PACKAGES": "b"}, []),
        ('build-backend = "setuptools.build_meta"\n[project]\nname = "a"', {}, []),
        ("", {}, []),
    ],
)
def test_cmake_is_told_where_the_wheel_takes_packages_from(
    here: Path, extra: str, env: dict[str, str], packages: list[str]
) -> None:
    define = config(here, "tvm-ffi-build", extra=extra, **env)["cmake"]["define"]
    assert define["TVM_FFI_WHEEL_PACKAGES"] == ";".join(f"{here}/{package}" for package in packages)


def test_an_sdist_needs_no_runtime(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(here))
    assert "cmake" not in config(here, "tvm-ffi-build", state="sdist")


def test_a_missing_runtime_ends_the_build_with_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(here))
    with pytest.raises(SystemExit) as caught:
        config(here, "tvm-ffi-build")
    assert caught.value.code == 4
    assert capsys.readouterr().err.startswith(f"tvm-ffi-build: error: {here} holds no apache-tvm-ffi")


def provide(state: str, **settings: object) -> dict[str, Any]:
    Path("pyproject.toml").touch()
    provider = plugin.RuntimeRequirement()
    provider.build_state(state)
    return provider.dynamic_metadata(settings, {"name": "example"})


def test_a_wheel_requires_the_runtime_it_was_built_against(here: Path) -> None:
    assert provide("wheel") == {"dependencies": ["apache-tvm-ffi>=0.1.15.post2,<0.2"]}
    assert provide("editable") == provide("metadata_wheel") == provide("wheel")


@pytest.mark.parametrize(
    ("bounds", "requirement"),
    [
        (">=0.1.9", "apache-tvm-ffi<0.2,>=0.1.15.post2,>=0.1.9"),
        ("!=0.1.16, <0.1.20", "apache-tvm-ffi!=0.1.16,<0.1.20,<0.2,>=0.1.15.post2"),
    ],
)
def test_a_project_may_have_tighter_bounds(here: Path, bounds: str, requirement: str) -> None:
    (here / "pyproject.toml").write_text(f'[tool.tvm-ffi-build.runtime]\nrequires = "{bounds}"\n', encoding="utf-8")
    assert provide("wheel") == {"dependencies": [requirement]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('requires = "0.1"', "requires is '0.1'; write version specifiers such as"),
        (
            'requires = "<0.1.15"',
            "which leaves out 0.1.15.post2, the runtime that is built against; pin another in build-system",
        ),
        ("requires = 1", "tool.tvm-ffi-build.runtime.requires is not a string"),
        ('floor = "0.1"', "tool.tvm-ffi-build.runtime.floor is not known; there is requires"),
    ],
)
def test_bounds_that_cannot_be(here: Path, capsys: pytest.CaptureFixture[str], table: str, message: str) -> None:
    (here / "pyproject.toml").write_text(f"[tool.tvm-ffi-build.runtime]\n{table}\n", encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        provide("wheel")
    assert caught.value.code == 2
    assert message in read_error(capsys.readouterr().err, "tvm-ffi-build")


def test_they_are_the_providers_business_and_take_nothing_from_who_does_without(here: Path) -> None:
    asked = config(here, "tvm-ffi-build", extra="[tool.tvm-ffi-build.runtime]\nrequires = 1\n")
    assert asked["wheel"]["py-api"] == "py3"


def test_an_sdist_requires_no_runtime_and_says_that_a_wheel_may(here: Path) -> None:
    assert provide("sdist") == {"dependencies": []}
    assert plugin.RuntimeRequirement().dynamic_wheel({}) == {"dependencies": True}


def test_the_provider_takes_no_settings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        provide("wheel", floor="0.1.9")
    assert caught.value.code == 2
    assert "has no option floor" in capsys.readouterr().err


def test_switched_off_defaults_are_warned_of(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SKBUILD_NO_ENTRYPOINT_CONFIG", "1")
    provide("wheel")
    assert "warning: SKBUILD_NO_ENTRYPOINT_CONFIG is set" in capsys.readouterr().err


@pytest.fixture
def without_config_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a Python whose pip cannot install the entry point of the defaults."""
    monkeypatch.setattr(plugin, "HAS_CONFIG_ENTRY_POINT", False)
    monkeypatch.setenv("CMAKE_ARGS", "-DMINE=1")


def test_where_the_defaults_cannot_be_installed_cmake_is_told_all_the_same(
    here: Path, without_config_entry_point: None
) -> None:
    defines = config(here, "tvm-ffi-build", extra='[tool.scikit-build]\nwheel.py-api = "py3"')["cmake"]["define"]
    assert provide("wheel") == {"dependencies": ["apache-tvm-ffi>=0.1.15.post2,<0.2"]}
    assert shlex.split(os.environ["CMAKE_ARGS"]) == [
        *(f"-D{name}={value}" for name, value in defines.items()),
        "-DMINE=1",
    ]


def test_where_the_defaults_cannot_be_installed_the_tag_must_be_written(
    here: Path, without_config_entry_point: None, capsys: pytest.CaptureFixture[str]
) -> None:
    config(here, "tvm-ffi-build")
    provide("sdist")
    with pytest.raises(SystemExit) as caught:
        provide("wheel")
    assert caught.value.code == 2
    assert 'write wheel.py-api = "py3" in [tool.scikit-build], or build with Python 3.11' in capsys.readouterr().err
    config(here, "tvm-ffi-build", "nanobind")
    provide("wheel")


@pytest.mark.parametrize("word", ["", "0", "false", "OFF", "no"])
def test_words_that_do_not_switch_off(word: str) -> None:
    assert not plugin.providers_are_off({"SKBUILD_NO_ENTRYPOINT_CONFIG": word})


@given(st.tuples(*[st.integers(0, 99)] * 3), st.sampled_from(["", ".post2", "rc1", ".dev3", ".dev3+g1a2b"]))
def test_the_requirement_admits_its_own_version_and_not_the_next_minor(
    release: tuple[int, int, int], suffix: str
) -> None:
    version = ".".join(map(str, release)) + suffix
    specifier = Requirement(runtime_requirement(version)).specifier
    assert specifier.contains(Version(version), prereleases=True)
    assert not specifier.contains(f"{release[0]}.{release[1] + 1}.0", prereleases=True)


def test_a_prerelease_of_the_runtime_is_within_bounds_that_do_not_name_one() -> None:
    requirement = runtime_requirement("0.1.16rc1", ">=0.1.9")
    assert requirement == "apache-tvm-ffi<0.2,>=0.1.16rc1,>=0.1.9"


def test_an_unknown_version_cannot_be_required() -> None:
    with pytest.raises(UnsupportedRuntimeError, match="unknown"):
        runtime_requirement("0.0.0.dev0")


def test_the_build_path_imports_the_standard_library_and_packaging_alone() -> None:
    code = (
        "import sys; before = set(sys.modules);"
        "import tvm_ffi_build.plugin, tvm_ffi_build.cmake_steps.check_agnostic, tvm_ffi_build.contract;"
        "files = {name: getattr(sys.modules[name], '__file__', None) or '' for name in set(sys.modules) - before};"
        "foreign = {name.partition('.')[0] for name, file in files.items() if 'site-packages' in file};"
        "print(sorted(foreign - {'tvm_ffi_build', 'packaging', 'tomli'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8")
    assert done.stdout == "[]\n"


def test_the_import_of_the_plugin_leaves_out_what_takes_long() -> None:
    """Each of these takes a quarter of the whole import, or more."""
    code = (
        "import sys; before = set(sys.modules); import tvm_ffi_build.plugin;"
        "print({'dataclasses', 'inspect', 'packaging', 'subprocess'} & (set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8")
    assert done.stdout == "set()\n"

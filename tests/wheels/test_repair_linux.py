"""Linux wheels that need grafting, built by the machine's compiler, repaired and used."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sysconfig
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.grafting import (
    EXTENSION,
    HELPER,
    LOADER,
    check_record,
    names_in,
    refused,
    repair,
    repaired,
    unpack,
    write_wheel,
)
from support.processes import run

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from support.environments import Environment
    from support.grafting import (
        Platform,
        Sample,
    )

MACHINE = platform.machine()
TAG = f"py3-none-linux_{MACHINE}"
RUN_PATH = "$ORIGIN/../tvm_ffi/lib"
# A function of glibc that came late.
NEEDS_GLIBC_2_30 = "int gettid(void);" + HELPER.replace("return", "return gettid() +")


@pytest.fixture
def sample(linux: Platform, built_for: Callable[[Platform], Sample]) -> Sample:
    return built_for(linux)


def runtime_copies(wheel: Path) -> list[str]:
    return [name for name in names_in(wheel) if "tvm_ffi" in name and not name.endswith("tvm_ffi_build.json")]


def test_the_library_is_in_the_wheel_and_is_asked_for_by_its_new_name(sample: Sample, tmp_path: Path) -> None:
    result = sample.repaired(tmp_path / "out")
    (helper,) = (name for name in names_in(result) if "libhelper" in name)
    assert re.fullmatch(r"sample\.libs/libhelper-[0-9a-f]+\.so", helper)
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").images
    assert image.libraries[:2] == (helper.rpartition("/")[2], "libtvm_ffi.so")


def test_the_rpath_to_the_runtime_survives(sample: Sample, tmp_path: Path) -> None:
    result = sample.repaired(tmp_path / "out")
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").images
    assert RUN_PATH in image.run_paths
    assert "$ORIGIN/../sample.libs" in image.run_paths


@pytest.mark.parametrize("runtime_is_found", [False, True])
def test_the_result_works_in_a_fresh_environment(
    sample: Sample, tmp_path: Path, environment: Environment, *, runtime_is_found: bool
) -> None:
    """Also where auditwheel finds the runtime: a bundled copy would prevent the real one from being loaded."""
    directories = [sample.outside, *([find_runtime().library_dir] if runtime_is_found else [])]
    paths = os.pathsep.join(map(str, directories))
    result = repaired(tmp_path / "out", sample.wheel, env={**os.environ, "LD_LIBRARY_PATH": paths})
    assert runtime_copies(result) == []
    environment.install(result)
    assert environment.run("-c", "from sample._library import LIB; print(LIB.scale(4))") == "40\n"


@pytest.fixture(scope="session")
def versioned(once: Callable[[str, Callable[[Path], None]], Path], linux: Platform) -> Sample:
    """Return a wheel that needs libtvm_ffi.so.1, in "runtime" beside it, and a library in "outside"."""

    def fill(directory: Path) -> None:
        runtime = linux.link(
            directory / "runtime/libtvm_ffi.so.1", "void TVMFFIErrorSetRaisedFromCStr() {}", "-nostdlib"
        )
        helper = linux.link_helper(directory)
        extension = linux.link(directory / "libsample.so", EXTENSION, "-Wl,--as-needed", runtime, helper)
        assert "libtvm_ffi.so.1" in read_binary(extension).libraries
        write_wheel(directory, TAG, {"sample/libsample.so": extension})

    return linux.sample_in(once("linux-versioned", fill))


def test_the_runtime_stays_out_under_a_name_with_a_version_too(versioned: Sample, tmp_path: Path) -> None:
    paths = f"{versioned.wheel.parent / 'runtime'}:{versioned.outside}"
    env = {**os.environ, "LD_LIBRARY_PATH": paths}
    result = repaired(tmp_path / "out", versioned.wheel, "--no-audit", env=env)
    assert runtime_copies(result) == []
    assert "libtvm_ffi.so.1" in read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").libraries


def test_an_exclude_that_matches_nothing_is_reported(sample: Sample, tmp_path: Path) -> None:
    done = sample.repair(tmp_path / "out", "--exclude", "libother.so")
    assert done.returncode == 0
    assert f"warning: {sample.wheel.name}: --exclude libother.so matches nothing that the wheel needs\n" in done.stderr


def test_a_preset_excludes_its_libraries_and_names_the_package_that_provides_them(
    linux: Platform, tmp_path: Path
) -> None:
    sample = linux.sample(tmp_path, linux.link(tmp_path / "outside/libcudart.so.12", HELPER))
    done = sample.repair(tmp_path / "out", "--preset", "cuda")
    assert "left out libcudart.so.12" in done.stdout
    assert (
        "libcudart.so.12 is left out and comes with nvidia-cuda-runtime, which the wheel does not require"
        in done.stderr
    )
    (result,) = (tmp_path / "out").iterdir()
    assert not any("libcudart" in name for name in names_in(result))


def test_a_tag_that_is_too_low_is_refused_with_the_symbols_that_need_a_newer_one(
    linux: Platform, tmp_path: Path
) -> None:
    sample = linux.sample(tmp_path, linux.link_helper(tmp_path, NEEDS_GLIBC_2_30))
    asked = f"manylinux_2_28_{MACHINE}"
    message = refused(sample.repair(tmp_path / "out", "--plat", asked))
    assert f" cannot be {asked}: it needs manylinux_2_" in message
    assert re.search(r"gettid \(GLIBC_2\.30\) in \S*libhelper\S*\.so", message)


def test_strip_removes_debug_symbols_and_the_library_still_works(
    linux: Platform, tmp_path: Path, environment: Environment
) -> None:
    sample = linux.sample(tmp_path, linux.link_helper(tmp_path, HELPER, "-g"), "-g")
    for number, options in enumerate(([], ["--strip"])):
        result = sample.repaired(tmp_path / f"out{number}", *options)
        for library in unpack(result, tmp_path / f"unpacked{number}").rglob("*.so"):
            (image,) = read_binary(library).images
            assert any(section.name == ".debug_info" for section in image.sections) != bool(options), library
    environment.install(result)
    assert environment.run("-c", "from sample._library import LIB; print(LIB.scale(4))") == "40\n"


def test_libraries_in_nested_packages_share_one_copy(sample: Sample, tmp_path: Path) -> None:
    files = {f"{package}/libsample.so": sample.extension for package in ("sample", "sample/a/b")}
    result = sample.in_wheel(tmp_path, TAG, files).repaired(tmp_path / "out")
    assert sum("libhelper" in name for name in names_in(result)) == 1
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / "sample/a/b/libsample.so").images
    assert "$ORIGIN/../../../sample.libs" in image.run_paths


def test_an_extension_module_of_one_python_keeps_its_tag(sample: Sample, tmp_path: Path) -> None:
    files = {f"sample.cpython-312-{MACHINE}-linux-gnu.so": sample.extension}
    result = sample.in_wheel(tmp_path, f"cp312-cp312-linux_{MACHINE}", files).repaired(tmp_path / "out")
    assert result.name.startswith("sample-1.0-cp312-cp312-manylinux")


def test_bundled_libraries_have_an_rpath_to_each_other(linux: Platform, tmp_path: Path) -> None:
    """Also to a dependency of a bundled library, which auditwheel leaves to the rpath of the extension."""
    done = linux.chain(tmp_path).repair(tmp_path / "out")
    said = re.search(r"; bundled sample\.libs/libhelper-\w+\.so, sample\.libs/libthird-\w+\.so", done.stdout)
    assert said is not None
    assert set(said[0].removeprefix("; bundled ").split(", ")) < set(names_in(*(tmp_path / "out").iterdir()))
    assert "P355" not in done.stderr


def test_a_library_of_the_wheel_without_an_rpath_to_it_is_reported(
    linux: Platform, tmp_path: Path, environment: Environment
) -> None:
    helper = linux.link(tmp_path / "libhelper.so", HELPER)
    extension = linux.sample(tmp_path, helper).extension
    files = {"sample/__init__.py": "", "sample/_library.py": LOADER, "sample/libsample.so": extension}
    wheel = write_wheel(tmp_path, TAG, {**files, "sample/libhelper.so": helper})
    done = repair(wheel, "-w", tmp_path / "out")
    assert "P355 warning: sample/libsample.so has no rpath to libhelper.so of this wheel" in done.stderr
    environment.install(*(tmp_path / "out").iterdir())
    said = environment.run("-c", "import sample._library", ok=False)
    assert "libhelper.so: cannot open shared object file" in said


def test_a_library_that_is_needed_by_its_path(linux: Platform, tmp_path: Path) -> None:
    """Linkers record the path of a library without a soname."""
    path = tmp_path / "outside/libhelper.so"
    sample = linux.sample(tmp_path, linux.link_helper(tmp_path, name=str(path)))
    assert str(path) in read_binary(sample.extension).libraries
    result = repaired(tmp_path / "out", sample.wheel)
    (helper_name,) = (name for name in names_in(result) if "libhelper" in name)
    needed = read_binary(unpack(result, tmp_path / "unpacked") / "sample/libsample.so").libraries
    assert helper_name.rpartition("/")[2] in needed
    assert str(path) not in needed


@pytest.mark.slow
def test_a_wheel_for_another_processor(linux_aarch64: Platform, tmp_path: Path) -> None:
    result = linux_aarch64.sample(tmp_path).repaired(tmp_path / "out")
    assert result.name == "sample-1.0-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
    assert sum("libhelper" in name for name in names_in(result)) == 1
    assert runtime_copies(result) == []


def test_what_an_excluded_library_needs_does_not_raise_the_tag(linux: Platform, tmp_path: Path) -> None:
    sample = linux.sample(tmp_path, linux.link_helper(tmp_path, NEEDS_GLIBC_2_30))
    result = sample.repaired(tmp_path / "out", "--exclude", "libhelper.so")
    assert "2_17" in result.name


# ---- The spec's line, as it is typed there -----------------------------------------------------------------------

SPEC = "auditwheel repair --exclude libtvm_ffi.so dist/*.whl"


@pytest.fixture
def as_typed(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the command where the directory "dist" contains some wheels."""

    def type_line(*wheels: Path, paths: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "dist").mkdir()
        for wheel in wheels:
            shutil.copy(wheel, tmp_path / "dist")
        scripts = sysconfig.get_path("scripts")
        env = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "LD_LIBRARY_PATH": paths}
        return run("bash", "-c", SPEC, ok=False, cwd=tmp_path, env=env)

    return type_line


def test_the_specs_line_leaves_a_wheel_behind_that_it_could_not_repair(
    as_typed: Callable[..., subprocess.CompletedProcess[str]], sample: Sample, tmp_path: Path
) -> None:
    done = as_typed(sample.wheel)
    assert "Traceback" in done.stderr
    assert [path.name for path in (tmp_path / "wheelhouse").iterdir()] == [sample.wheel.name]


def test_the_specs_line_stops_at_a_pure_wheel(
    as_typed: Callable[..., subprocess.CompletedProcess[str]], sample: Sample, tmp_path: Path
) -> None:
    pure = write_wheel(tmp_path, "py3-none-any", {"typing_of.py": ""}, name="aaa_typing")
    done = as_typed(pure, sample.wheel, paths=str(sample.outside))
    assert done.returncode == 1
    assert not any(tmp_path.glob("wheelhouse/*"))


def test_the_specs_line_copies_the_runtime_under_a_name_with_a_version(
    as_typed: Callable[..., subprocess.CompletedProcess[str]], versioned: Sample, tmp_path: Path
) -> None:
    done = as_typed(versioned.wheel, paths=f"{versioned.wheel.parent / 'runtime'}:{versioned.outside}")
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "wheelhouse").iterdir()
    assert any(name.startswith("sample.libs/libtvm_ffi-") for name in names_in(result))


# ---- Files that are libraries by their bytes only ----------------------------------------------------------------

PROGRAM = "int gettid(void); long HelperScale(long); int main(void) { return HelperScale(2) - 20 + 0 * gettid(); }\n"


@pytest.fixture
def files(linux: Platform, tmp_path: Path) -> dict[str, Path]:
    """Return an extension that needs only an old glibc, and a program that needs 2.30 and a library of this machine."""
    outside = tmp_path / "outside/libhelper.so.1.1.1k"
    outside.parent.mkdir()
    linux.link(outside, HELPER, name="libhelper.so.1.1")
    (outside.parent / "libhelper.so.1.1").symlink_to(outside)
    (tmp_path / "tool.c").write_text(PROGRAM, encoding="utf-8")
    run("cc", "-o", tmp_path / "tool", tmp_path / "tool.c", outside)
    plain = EXTENSION.replace("TVM_FFI_DLL int64_t HelperScale(int64_t x);", "#define HelperScale(x) (10 * (x))")
    runtime = [f"-L{find_runtime().library_dir}", "-ltvm_ffi", f"-Wl,-rpath,{RUN_PATH}"]
    extension = linux.link(tmp_path / "libsample.so", plain, *runtime)
    return {"extension": extension, "tool": tmp_path / "tool", "library": outside}


def glibc_of(wheel: Path) -> int:
    """Return the minor version of the lowest glibc that a wheel's tag names."""
    return min(int(minor) for minor in re.findall(r"manylinux_2_(\d+)_", wheel.name))


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("sample/bin/tool", "sample/bin/tool"),
        ("sample/plugin.tvmx", "sample/plugin.tvmx"),
        ("sample-1.0.data/scripts/tool", "sample.scripts/tool"),
    ],
)
def test_a_program_is_repaired_as_a_library_is(files: dict[str, Path], tmp_path: Path, name: str, becomes: str) -> None:
    package = {"sample/__init__.py": "", "sample/libsample.so": files["extension"]}
    alone = repaired(tmp_path / "alone", write_wheel(tmp_path / "a", TAG, package), "--no-audit")
    assert glibc_of(alone) < 30
    wheel = write_wheel(tmp_path / "b", TAG, {**package, name: files["tool"]})
    refusal = refused(repair(wheel, "-w", tmp_path / "none"))
    assert "libhelper.so.1.1, which cannot be found" in refusal
    result = repaired(tmp_path / "out", wheel, "--lib-path", files["library"].parent)
    assert glibc_of(result) >= 30
    (helper,) = (found for found in names_in(result) if found.startswith("sample.libs/"))
    # A name that auditwheel has given.
    assert re.fullmatch(r"sample\.libs/libhelper-[0-9a-f]+\.so\.1\.1\.1k", helper)
    (image,) = read_binary(unpack(result, tmp_path / "unpacked") / becomes).images
    assert helper.rpartition("/")[2] in image.libraries
    # Repaired again, it is as it should be.
    assert "already as it should be" in repair(result, "-w", result.parent).stderr


def test_a_program_of_another_architecture_does_not_fit_the_tag(files: dict[str, Path], tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    content = files["tool"].read_bytes()
    foreign.write_bytes(content[:18] + b"\xf3\0" + content[20:])
    package = {"sample/__init__.py": "", "sample/libsample.so": files["extension"], "sample/bin/tool": foreign}
    done = repair(write_wheel(tmp_path / "in", TAG, package), "-w", tmp_path / "out")
    assert f"riscv64, {MACHINE}; its tag can name only one" in refused(done)


def test_code_for_devices_and_objects_do_not_change_the_tag(files: dict[str, Path], tmp_path: Path) -> None:
    content = files["tool"].read_bytes()
    (tmp_path / "kernel").write_bytes(content[:16] + b"\2\0\xbe\0" + content[20:])
    run("cc", "-c", "-o", tmp_path / "a.o", tmp_path / "tool.c")
    others = {"sample/kernel.cubin": tmp_path / "kernel", "sample/code.bin": tmp_path / "a.o"}
    package = {"sample/__init__.py": "", "sample/libsample.so": files["extension"]}
    alone = repaired(tmp_path / "alone", write_wheel(tmp_path / "a", TAG, package), "--no-audit")
    result = repaired(tmp_path / "out", write_wheel(tmp_path / "b", TAG, {**package, **others}))
    assert result.name == alone.name


# ---- Two inputs, one result -----------------------------------------------------------------------------------------


@pytest.fixture
def old_and_new(sample: Sample, tmp_path: Path) -> tuple[Path, Path]:
    """Return a wheel that was repaired, and a newer one of the same version that was not, in "dist"."""
    dist = tmp_path / "dist"
    old = sample.repaired(dist)
    files = {"sample/__init__.py": "NEW = 1", "sample/_library.py": LOADER, "sample/libsample.so": sample.extension}
    return old, sample.in_wheel(dist, TAG, files).wheel


@pytest.mark.parametrize("dry_run", [False, True])
def test_two_wheels_that_would_become_one_are_refused_by_name(
    sample: Sample, old_and_new: tuple[Path, Path], tmp_path: Path, *, dry_run: bool
) -> None:
    old, new = old_and_new
    before = [path.read_bytes() for path in old_and_new]
    options: list[str | Path] = ["--lib-path", sample.outside, *(["--dry-run"] if dry_run else [])]
    message = refused(repair(old.parent, "-w", tmp_path / "out", *options))
    assert message == f"{new} and {old} would both become {tmp_path / 'out' / old.name}; repair only one of them"
    assert not (tmp_path / "out").exists()
    # Each of them can be repaired.
    for path in old_and_new:
        assert repair(path, "-w", tmp_path / "out", "--lib-path", sample.outside).returncode == 0
    assert before == [path.read_bytes() for path in old_and_new]


def test_an_input_is_not_overwritten_by_the_result_of_another(
    sample: Sample, old_and_new: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = old_and_new
    options: list[str | Path] = ["--lib-path", sample.outside]
    assert f"{new} and {old} would both become {old};" in refused(repair(old.parent, "-w", old.parent, *options))
    # Also one that cannot be repaired itself.
    old.write_bytes(b"not a wheel")
    message = refused(repair(new, old, "-w", old.parent, *options))
    assert message.startswith(f"{new} would become {old}, which is an input itself; repair only one of them, or name")
    assert old.read_bytes() == b"not a wheel"
    # A file that is not an input is an older result.
    assert repair(new, "-w", old.parent, *options).returncode == 0
    check_record(old)


def test_names_that_installers_take_for_the_same_are_one_result(sample: Sample, tmp_path: Path) -> None:
    files = {"sample/__init__.py": "", "sample/libsample.so": sample.extension}
    one, other = (write_wheel(tmp_path / name, TAG, files, name=name) for name in ("sample", "Sample"))
    message = refused(repair(one, other, "-w", tmp_path / "out", "--lib-path", sample.outside))
    assert message.startswith(f"{one} and {other} would both become ")
    assert not (tmp_path / "out").exists()


def test_different_wheels_of_one_directory_have_results_of_their_own(sample: Sample, tmp_path: Path) -> None:
    files = {"sample/__init__.py": "", "sample/libsample.so": sample.extension}
    write_wheel(tmp_path / "dist", TAG, files)
    for python in ("cp311", "cp312"):
        write_wheel(tmp_path / "dist", f"{python}-{python}-linux_{MACHINE}", files)
    write_wheel(tmp_path / "dist", TAG, files, name="other")
    done = repair(tmp_path / "dist", "-w", tmp_path / "out", "--lib-path", sample.outside, "--no-audit")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_a_wheel_that_is_named_twice_is_repaired_once(sample: Sample, tmp_path: Path) -> None:
    wheel, link = sample.wheel, tmp_path / sample.wheel.name
    link.symlink_to(wheel)
    done = repair(wheel, link, "-w", tmp_path / "out", "--lib-path", sample.outside, "--no-audit")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1


# ---- What is reported is what the new wheel has ------------------------------------------------------------------


def test_a_dependency_that_the_tool_removes_is_not_reported_as_bundled(linux: Platform, tmp_path: Path) -> None:
    python = linux.link(tmp_path / "outside/libpython3.13.so.1.0", HELPER)
    sample = linux.sample(tmp_path, python)
    assert "to bundle libpython3.13.so.1.0" in sample.repair(tmp_path / "no", "--dry-run").stdout
    done = sample.repair(tmp_path / "out", "--no-audit", "--json")
    (entry,) = json.loads(done.stdout)["wheels"]
    assert (entry["grafted"], entry["removed"], entry["excluded"]) == ([], ["libpython3.13.so.1.0"], [])
    (result,) = (tmp_path / "out").iterdir()
    assert not any("libpython" in name for name in names_in(result))
    said = sample.repair(tmp_path / "text", "--no-audit").stdout
    assert "bundled" not in said
    assert said.rstrip().endswith("; removed the dependency on libpython3.13.so.1.0")


def test_what_a_bundled_library_needs_is_reported_as_left_out(linux: Platform, tmp_path: Path) -> None:
    done = linux.chain(tmp_path).repair(tmp_path / "out", "--exclude", "libthird.so", "--no-audit")
    assert re.search(r"; bundled sample\.libs/libhelper-\w+\.so; left out libthird\.so$", done.stdout.rstrip())


@pytest.mark.parametrize("signature", ["RECORD.jws", "RECORD.p7s"])
@pytest.mark.parametrize("options", [(), ("--exclude", "libhelper.so"), ("--dry-run",)])
def test_a_signed_wheel_is_refused_where_its_repair_would_change_it(
    sample: Sample, tmp_path: Path, signature: str, options: tuple[str, ...]
) -> None:
    files = {"sample/__init__.py": "", "sample/libsample.so": sample.extension}
    wheel = write_wheel(tmp_path / "in", TAG, files)
    sign(wheel, signature)
    before = wheel.read_bytes()
    message = refused(repair(wheel, "-w", tmp_path / "out", "--lib-path", sample.outside, *options))
    assert message == (
        f"{wheel.name} is signed ({signature}), and a changed wheel would not match its signature; repair it first and "
        "sign the result, or build it again without a signature"
    )
    assert wheel.read_bytes() == before
    assert not list((tmp_path / "out").glob("*"))


def test_a_signed_wheel_that_is_as_it_should_be_is_taken_as_it_is(sample: Sample, tmp_path: Path) -> None:
    wheel = sample.repaired(tmp_path / "in")
    sign(wheel, "RECORD.jws")
    done = repair(wheel, "-w", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / wheel.name).read_bytes() == wheel.read_bytes()


def sign(wheel: Path, name: str) -> None:
    """Add a signature to a wheel, of which RECORD says nothing (PEP 427)."""
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(f"sample-1.0.dist-info/{name}", b"signed")


# ---- What is left out is somewhere -----------------------------------------------------------------------------------


def test_an_exclude_that_misses_the_version_of_a_library_is_refused(linux: Platform, tmp_path: Path) -> None:
    sample = linux.sample(tmp_path, linux.link(tmp_path / "outside/libfoo.so.5", HELPER))
    message = refused(sample.repair(tmp_path / "out", "--exclude", "libfoo.so"))
    assert message == (
        f"{sample.wheel.name} needs libfoo.so.5, which --exclude libfoo.so does not match, so it would be bundled; "
        "did you mean --exclude 'libfoo.so*'?"
    )
    assert not (tmp_path / "out").exists()
    assert "left out libfoo.so.5" in sample.repair(tmp_path / "out", "--exclude", "libfoo.so*", "--no-audit").stdout


def test_an_exclude_that_misses_what_a_bundled_library_needs_is_refused(linux: Platform, tmp_path: Path) -> None:
    message = refused(linux.chain(tmp_path).repair(tmp_path / "out", "--exclude", "libthird"))
    assert message.endswith(
        "needs libthird.so, which --exclude libthird does not match, so it would be bundled; "
        "did you mean --exclude 'libthird*'?"
    )
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("leads", [False, True])
def test_a_left_out_library_of_another_package_has_to_be_found(linux: Platform, tmp_path: Path, *, leads: bool) -> None:
    cudart = linux.link(tmp_path / "outside/libcudart.so.13", HELPER)
    paths = ["-Wl,-rpath,$ORIGIN/../nvidia/cu13/lib"] if leads else []
    sample = linux.sample(tmp_path, cudart, *paths, loader=None)
    files = {"sample/__init__.py": "", "sample/libsample.so": sample.extension}
    wheel = write_wheel(tmp_path / "in", TAG, files, "apache-tvm-ffi", "nvidia-cuda-runtime")
    done = repair(wheel, "-w", tmp_path / "out", "--preset", "cuda")
    found = "P357 warning: sample/libsample.so needs libcudart.so.13 of nvidia-cuda-runtime, but has no rpath to it"
    assert (found in done.stderr) != leads
    assert ("add $ORIGIN/../nvidia/cu13/lib to INSTALL_RPATH" in done.stderr) != leads

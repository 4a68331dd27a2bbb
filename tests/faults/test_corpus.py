"""The corpus of hostile files and the commands that read such files: each reports one line and writes nothing."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import pytest
from forged_libraries import LIBRARIES, LIBRARY
from forged_others import (
    KINDS,
    LOADED,
    NAMES,
    ODD_REGISTRIES,
    PROJECTS,
    REGISTRIES,
    RUNTIMES,
    SOURCES,
    TAGS,
    copy_runtime,
)
from forged_wheels import (
    BOMBS,
    CONTRADICTIONS,
    LIB,
    NAME,
    NAMES_OF_WHEELS,
    RUNTIME_WHEELS,
    WHEELS,
    WINDOWS_NAMES,
    archive,
    honest,
    tagged,
    with_library,
)
from support.errors import read_error
from support.processes import command_line, run
from tried import PAGE, READ, READ_ELSEWHERE, page_with_tables

from tvm_ffi_build.__main__ import main
from tvm_ffi_build.audit.rules.wheel_files import contradiction
from tvm_ffi_build.cmake_steps import stubs
from tvm_ffi_build.cross import runtimes
from tvm_ffi_build.pipeline import build as build_module
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[..., "Said"]


class Said(NamedTuple):
    """How a command ended."""

    code: int | str | None
    out: str
    err: str


@pytest.fixture
def command(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Return a function that runs a command in a folder where nothing is, and check that nothing has come into it."""
    (tmp_path / "here").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    listed = READ.get(request.function.__name__)

    def call(*arguments: str | Path) -> Said:
        before = contents(tmp_path)
        code: int | str | None = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        assert contents(tmp_path) == before
        # What ends well is what the others are made of.
        assert listed is None or code == 0 or code in listed.codes[name_of(arguments)]
        return Said(code, *capsys.readouterr())

    return call


def name_of(arguments: Sequence[str | Path]) -> str:
    return next(str(argument) for argument in arguments if not str(argument).startswith("-"))


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return what is in the files of a folder and those below; of other things than files, that they are there."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())
    return {str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else None for path in found}


def refused(said: Said, code: int | tuple[int, ...], message: str, longest: int = 800) -> None:
    """Check that a command answered with one line, printable and short, and nothing else."""
    assert said.code in (code if isinstance(code, tuple) else (code,)), said
    assert said.out == ""
    error = read_error(said.err)
    assert error.isprintable()
    assert len(error) < longest, error
    assert re.search(message, error), error


# --- wheels


@pytest.fixture
def build_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that makes a project; what its build is said to give is some bytes, named as a wheel."""

    def make(wheel: bytes) -> Path:
        monkeypatch.setattr(build_module, "run_build", lambda request, **_: (request.output / NAME).write_bytes(wheel))
        project = tmp_path / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text('[build-system]\nbuild-backend = "x"\n', encoding="utf-8")
        return project

    return make


@pytest.mark.parametrize("case", WHEELS)
def test_a_hostile_wheel(command: Command, build_gives: Callable[[bytes], Path], tmp_path: Path, case: str) -> None:
    make, message = WHEELS[case]
    content = make()
    wheel, out = tmp_path / NAME, tmp_path / "out"
    wheel.write_bytes(content)
    refused(command("repair", wheel, "-w", out), 2, message)
    refused(command("contract", wheel), 2, message)
    refused(command("wheel", "--no-isolation", build_gives(content), "-w", out), 2, message)
    audited = command("audit", wheel)
    if case in CONTRADICTIONS:
        assert (audited.code, audited.err) == (1, "")
        assert f" {contradiction.id} " in audited.out
        assert re.search(message, audited.out), audited.out
    else:
        refused(audited, 2, message)


@pytest.mark.parametrize("file", WINDOWS_NAMES)
def test_a_name_that_windows_cannot_write(command: Command, tmp_path: Path, file: str) -> None:
    """In a wheel for Windows; one for Linux may hold it."""
    name, content = tagged("win_amd64", {file: b"x"})
    wheel, out = tmp_path / name, tmp_path / "out"
    wheel.write_bytes(content)
    refused(command("repair", wheel, "-w", out), 2, "a device on Windows or a name that it changes; rename it")
    refused(command("contract", wheel), 2, "a device on Windows")
    refused(command("audit", wheel), 2, "a device on Windows")
    name, content = tagged("linux_x86_64", {file: b"x"})
    (tmp_path / name).write_bytes(content)
    assert command("contract", tmp_path / name).code == 0


def test_files_that_are_one_where_case_is_none(command: Command, tmp_path: Path) -> None:
    """Read, since on other systems they are two; and found by the audit, with which a repair ends."""
    name, content = tagged("linux_x86_64", {"demo/a.txt": b"", "demo/A.txt": b""})
    (tmp_path / name).write_bytes(content)
    refused(command("-q", "repair", tmp_path / name, "-w", tmp_path / "out"), 5, "C402: demo/A.txt")
    audited = command("audit", tmp_path / name)
    assert (audited.code, audited.err) == (1, "")
    assert " C402 error: demo/A.txt and demo/a.txt collide" in audited.out


def test_the_wheel_that_they_are_made_of_is_one(command: Command, tmp_path: Path) -> None:
    """So it is the one thing that was changed which is refused."""
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(honest()))
    assert command("contract", wheel).code == 0


def test_a_hostile_wheel_of_a_real_build(command: Command, tmp_path: Path) -> None:
    """Above, the build is said to have made it; here a backend does."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "evil.whl").write_bytes(WHEELS["a path upwards"][0]())
    (project / "backend.py").write_text(
        "import shutil\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        f"    shutil.copy('evil.whl', folder + '/{NAME}')\n"
        f"    return '{NAME}'\n",
        encoding="utf-8",
    )
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', encoding="utf-8"
    )
    said = run(
        *command_line(
            "{python} -m tvm_ffi_build -q wheel --frontend build --no-isolation --no-repair {project} -w {out}",
            python=sys.executable,
            project=project,
            out=tmp_path / "out",
        ),
        ok=False,
    )
    refused(Said(said.returncode, said.stdout, said.stderr), 2, "lead out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("case", RUNTIME_WHEELS)
def test_a_hostile_wheel_of_the_runtime(
    command: Command, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder that the runtime of another platform is to come from; pip sees some of it first."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "links"
    folder.mkdir()
    version = find_runtime().version
    wheel = folder / f"apache_tvm_ffi-{version}-cp312-abi3-win_amd64.whl"
    wheel.write_bytes(WHEELS[case][0]())
    shutil.copy(wheel, tmp_path / wheel.name)
    arguments = ["toolchain", "--platform", "win_amd64", "--find-links", folder, "-o", tmp_path / "out"]
    refused(command(*arguments), 2, "links holds no wheel of apache-tvm-ffi|cannot be fetched: ")
    monkeypatch.setattr(runtimes, "_download_wheel", lambda *_: tmp_path / wheel.name)
    refused(command(*arguments), 2, wheel.name)


@pytest.mark.parametrize("name", NAMES_OF_WHEELS)
def test_a_file_with_a_name_that_is_no_wheels_name(command: Command, tmp_path: Path, name: str) -> None:
    wheel = Path(os.fsdecode(os.fsencode(tmp_path / name)))
    wheel.write_bytes(archive(honest()))
    message = "is not the name of a wheel|says inside|holds 'demo"
    refused(command("repair", wheel, "-w", tmp_path / "out"), 2, message)
    if name.endswith(".whl") and name != ".whl":
        refused(command("contract", wheel), 2, message)
        audited = command("audit", wheel)
        assert (audited.code, audited.out.count(contradiction.id)) in {(1, 1), (2, 0)}
        assert all(line.isprintable() for line in (audited.out + audited.err).splitlines())
    else:  # taken for a library
        refused(command("contract", wheel), 2, "is not an ELF")
        refused(command("audit", wheel), 2, "is not an ELF")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [NAME, "libdemo.so"])
def test_what_is_no_file(command: Command, tmp_path: Path, kind: str, name: str) -> None:
    """Nobody waits for a pipe's other end, or reads a device to its end."""
    path = tmp_path / "inputs" / name
    path.parent.mkdir()
    KINDS[kind](path)
    out = tmp_path / "out"
    message = "is not a file|does not exist|cannot be read|nothing (to audit|that uses)|no wheel of an extension"
    for code, arguments in (
        ((2,), ["repair", path, "-w", out]),
        ((2,), ["contract", path]),
        ((2,), ["audit", path]),
        ((2,), ["stubgen", "--json", "--dlls", path]),
    ):
        refused(command(*arguments), code, message)


# --- libraries


@pytest.mark.parametrize("case", LIBRARIES)
def test_a_hostile_library(command: Command, tmp_path: Path, case: str) -> None:
    """Named as it is in the wheel, and not by where it was unpacked to, which is gone by then."""
    library, wheel = tmp_path / "libdemo.so", tmp_path / NAME
    content = LIBRARIES[case]()
    library.write_bytes(content)
    for code, arguments in (
        (2, ["audit", library]),
        (2, ["contract", library]),
        (2, ["stubgen", "--json", "--dlls", library]),
    ):
        refused(command(*arguments), code, "libdemo.so (is|has|holds)")
    wheel.write_bytes(with_library(content))
    for code, arguments in (
        (2, ["audit", wheel]),
        (2, ["contract", wheel]),
        (2, ["repair", wheel, "-w", tmp_path / "out"]),
    ):
        refused(command(*arguments), code, f"{NAME}: {LIB} (is|has|holds)")


@pytest.mark.parametrize("case", LIBRARIES)
def test_a_hostile_library_of_a_build(
    command: Command, build_gives: Callable[[bytes], Path], tmp_path: Path, case: str
) -> None:
    project = build_gives(with_library(LIBRARIES[case]()))
    said = command("wheel", "--no-isolation", project, "-w", tmp_path / "out")
    refused(said, 2, "demo.so (is|has|holds)")


def test_what_nobody_may_read() -> None:
    """As an unprivileged user, since root may read everything; the settings of the folder are asked for as well."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for path in (folder / "libdemo.so", folder / NAME):
            path.write_bytes(LIBRARY)
            path.chmod(0)
        commands: tuple[tuple[int, list[str]], ...] = (
            (2, ["repair", NAME, "-w", "out"]),
            (2, ["contract", NAME]),
            (2, ["audit", NAME]),
            (2, ["contract", "libdemo.so"]),
            (2, ["audit", "libdemo.so"]),
            (2, ["stubgen", "--json", "--dlls", "libdemo.so"]),
            (2, ["stubgen", "--json", "--snapshot", "libdemo.so"]),
        )
        check_unprivileged(folder, commands, "cannot be read: Permission denied")
        (folder / "pyproject.toml").touch(mode=0)
        commands = ((2, ["repair", NAME, "-w", "out"]), (2, ["audit", NAME]), (2, ["wheel"]))
        check_unprivileged(folder, commands, "toml cannot be read: Permission denied")


def check_unprivileged(folder: Path, commands: Sequence[tuple[int, list[str]]], message: str) -> None:
    words = [arguments for _, arguments in commands]
    done = run(sys.executable, "-c", UNPRIVILEGED, str(folder), json.dumps(words))
    lines = done.stderr.splitlines(keepends=True)
    for line, code, (expected, _) in zip(lines, json.loads(done.stdout), commands):
        refused(Said(code, "", line), expected, message)
    assert len(lines) == len(commands)


# All is imported before the rights are given up: what this Python is made of may be unreadable for others.
UNPRIVILEGED = """
import json, os, sys
from importlib import import_module
from tvm_ffi_build.__main__ import main, COMMANDS
for _, module, _ in COMMANDS:
    import_module(module, "tvm_ffi_build")
from tvm_ffi_build.contract import read_ledger
read_ledger()
os.chdir(sys.argv[1])
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
codes = []
for arguments in json.loads(sys.argv[2]):
    try:
        main(arguments)
    except SystemExit as end:
        codes.append(end.code)
print(json.dumps(codes))
"""


# --- bombs


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (700 << 20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20,) * 2)
from tvm_ffi_build.__main__ import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_takes_little_memory_time_and_disk(tmp_path: Path, case: str) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(BOMBS[case]())
    before = (wheel.stat().st_mtime_ns, wheel.stat().st_size)
    for name, codes in READ["test_a_bomb_takes_little_memory_time_and_disk"].codes.items():
        others = ["-w", str(tmp_path / "out")] if name == "repair" else []
        done = run(sys.executable, "-c", LIMITED, name, wheel, *others, ok=False, timeout=600)
        refused(Said(done.returncode, done.stdout, done.stderr), tuple(codes), "")
    assert not (tmp_path / "out").exists()
    assert (wheel.stat().st_mtime_ns, wheel.stat().st_size) == before


# --- projects


@pytest.mark.parametrize("case", PROJECTS)
def test_a_broken_project(command: Command, tmp_path: Path, case: str) -> None:
    text, message, commands = PROJECTS[case]
    project = tmp_path / "here"
    (project / "pyproject.toml").write_bytes(text)
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(honest()))
    for name, code, arguments in (
        ("wheel", 2, ["wheel", "-w", tmp_path / "out"]),
        ("repair", 2, ["repair", wheel, "-w", tmp_path / "out"]),
        ("audit", 2, ["audit", wheel]),
    ):
        if name in commands:
            refused(command(*arguments), code, message)


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_file_that_is_no_file(command: Command, tmp_path: Path, kind: str) -> None:
    KINDS[kind](tmp_path / "here/pyproject.toml")
    refused(command("wheel", "-w", tmp_path / "out"), 2, "cannot be read|has no pyproject.toml|is not a file")


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", "a\udcffb"])
def test_a_project_in_a_folder_whose_name_is_no_text(command: Command, tmp_path: Path, name: str) -> None:
    project = tmp_path / name
    project.mkdir()
    (project / "pyproject.toml").write_text('[build-system]\nbuild-backend = "a"\n', encoding="utf-8")
    refused(command("wheel", project, "-w", tmp_path / "out"), 2, "contains a line break or bytes that are not text")


# --- stubs and registries


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a snapshot of a registry."""

    def write(text: str) -> Path:
        path = tmp_path / "snapshot.json"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        return path

    return write


@pytest.mark.parametrize("case", SOURCES)
@pytest.mark.parametrize("suffix", [".py", ".pyi"])
def test_a_broken_stub(
    command: Command, snapshot: Callable[[str], Path], tmp_path: Path, case: str, suffix: str
) -> None:
    content, message = SOURCES[case]
    path = tmp_path / f"stub{suffix}"
    path.write_bytes(content)
    registered = snapshot(FUNCTION)
    refused(command("stubgen", path, "--snapshot", registered), 2, message)
    refused(command("stubgen", path, "--snapshot", registered, "--check"), 2, message)


FUNCTION = json.dumps(
    {"schema": 1, "runtime": "1", "types": {}, "libraries": {}, "functions": {"a.f": {"type": None, "doc": None}}}
)
STUB = """import tvm_ffi, typing
# tvm-ffi-stubgen(begin): global/a
# tvm-ffi-stubgen(end)
"""
CLASS = """
class B:
    # tvm-ffi-stubgen(begin): object/a.B
    # tvm-ffi-stubgen(end)
"""


@pytest.mark.parametrize("case", REGISTRIES)
def test_a_broken_registry(command: Command, snapshot: Callable[[str], Path], tmp_path: Path, case: str) -> None:
    make, message = REGISTRIES[case]
    path = tmp_path / "stub.py"
    path.write_text(STUB, encoding="utf-8")
    registered = snapshot(make())
    refused(command("stubgen", path, "--snapshot", registered), 2, message)
    with pytest.raises(SystemExit) as end:
        stubs.main(
            [
                *command_line(
                    "{tmp_path} --library libdemo.so --build-tree {tree} --stamp {stamp} --read-snapshot {registered}",
                    tmp_path=tmp_path,
                    tree=tmp_path / "tree",
                    stamp=tmp_path / "stamp",
                    registered=registered,
                )
            ]
        )
    assert end.value.code == 2
    assert path.read_text(encoding="utf-8") == STUB


@pytest.mark.parametrize("case", ODD_REGISTRIES)
def test_an_odd_registry_gives_stubs_that_do_nothing_but_declare(
    snapshot: Callable[[str], Path], tmp_path: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or a line that says why there are none."""
    text = ODD_REGISTRIES[case]()
    path = tmp_path / "stub.py"
    source = STUB + (CLASS if '"a.B"' in text else "")
    path.write_text(source, encoding="utf-8")
    try:
        main(["stubgen", str(path), "--snapshot", str(snapshot(text))])
    except SystemExit as end:
        refused(Said(end.code, *capsys.readouterr()), 2, "")
        assert path.read_text(encoding="utf-8") == source
        return
    made = path.read_text(encoding="utf-8")
    tree = ast.parse(made)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert "os" not in imported
    assert all(line.isprintable() for line in capsys.readouterr().err.splitlines())


@pytest.fixture(scope="session")
def loaded(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a folder with the libraries that do something when they are loaded."""

    def fill(folder: Path) -> None:
        runtime = find_runtime()
        for number, (source, _) in enumerate(LOADED.values()):
            (folder / f"lib{number}.c").write_text(source, encoding="utf-8")
            run(
                "cc",
                "-shared",
                "-fPIC",
                "-DCTOR=__attribute__((constructor)) static void start(void)",
                "-o",
                folder / f"lib{number}.so",
                folder / f"lib{number}.c",
                runtime.library,
                f"-Wl,-rpath,{runtime.library_dir}",
            )

    return once("hostile-libraries", fill)


@pytest.mark.parametrize("case", LOADED)
def test_a_library_that_does_something_when_it_is_loaded(command: Command, loaded: Path, case: str) -> None:
    message = LOADED[case][1]
    library = loaded / f"lib{list(LOADED).index(case)}.so"
    refused(
        command("stubgen", "--json", "--timeout", "2" if case == "it never ends" else "60", "--dlls", library),
        2,
        message,
    )


# --- runtimes


@pytest.mark.parametrize("case", RUNTIMES)
def test_a_broken_runtime(command: Command, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, code, message = RUNTIMES[case]
    folder = copy_runtime(tmp_path / "runtime")
    assert command("config", "--json", "--runtime", folder).code == 0
    change(folder)
    refused(command("config", "--json", "--runtime", folder), code, message)
    monkeypatch.setenv("TVM_FFI_RUNTIME", str(folder))
    refused(command("config", "--json"), code, message)
    if case == "no core":  # which only Python's own needs
        return
    refused(command("config", "--cmake-variables"), code, message)
    refused(command("toolchain", "--platform", "win_amd64", "-o", tmp_path / "out"), code, message)
    refused(command("wheel", "--platform", "win_amd64", "-w", tmp_path / "out"), code, message)
    said = command("doctor", "--json")
    checks = json.loads(said.out)["checks"]
    (found,) = (check for check in checks if check["name"] == "runtime")
    assert said.code == 1
    assert found["status"] == "fail"
    assert re.search(message, found["message"]), found


# --- names


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_no_project_can_have(command: Command, tmp_path: Path, case: str) -> None:
    name, code, message = NAMES[case]
    refused(command("new", name), code, message)


@pytest.mark.parametrize("case", TAGS)
def test_a_platform_that_is_none(command: Command, tmp_path: Path, case: str) -> None:
    (tmp_path / "here/pyproject.toml").write_text('[build-system]\nbuild-backend = "a"\n', encoding="utf-8")
    wheel = tmp_path / NAME
    wheel.write_bytes(archive(honest()))
    refused(command("repair", wheel, "--plat", TAGS[case], "-w", tmp_path / "out"), 5, "--plat", 6000)
    refused(command("toolchain", "--platform", TAGS[case], "-o", tmp_path / "out"), 2, "", 6000)
    refused(command("wheel", "--platform", TAGS[case], "-w", tmp_path / "out"), 2, "", 6000)


# --- the manual


def test_the_manual_has_what_is_tried() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page_with_tables(text) == text, "run: python tests/faults/tried.py"
    assert READ.keys() <= globals().keys()
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    assert all(any(f"def {name}(" in text for text in texts) for name in READ_ELSEWHERE)

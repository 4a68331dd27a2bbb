"""``tvm-ffi-build stubgen`` as a program: its arguments, its exit codes, and what it writes whole or not at all."""

from __future__ import annotations

import json
import re
import stat
import sys
from typing import TYPE_CHECKING

import pytest
from support.errors import last_error, read_error
from support.processes import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Stubgen = Callable[..., subprocess.CompletedProcess[str]]

FUNCTION = '{"type": "ffi.Function", "named_args": {"return": [{"type": "int"}], "params": [{"type": "int"}]}}'
BLOCK = "import tvm_ffi, typing\n# tvm-ffi-stubgen(begin): global/a\n# tvm-ffi-stubgen(end)\n"


@pytest.fixture
def stubgen(tmp_path: Path) -> Stubgen:
    """Return a function that runs the command on a folder with a snapshot of one function."""
    data = {
        "schema": 1,
        "runtime": "1",
        "functions": {"a.f": {"type": FUNCTION, "doc": None}},
        "types": {},
        "libraries": {},
    }
    (tmp_path / "snapshot.json").write_text(json.dumps(data), encoding="utf-8")

    def run_it(*arguments: str | Path, snapshot: bool = True) -> subprocess.CompletedProcess[str]:
        given = ["--snapshot", str(tmp_path / "snapshot.json")] if snapshot and "--snapshot" not in arguments else []
        return run(sys.executable, "-m", "tvm_ffi_build", "stubgen", *arguments, *given, ok=False, cwd=tmp_path)

    return run_it


def build_step(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the step of a CMake build on the snapshot of a folder."""
    step = ["--library", "liba.so", "--read-snapshot", "snapshot.json", "--build-tree", "tree", "--stamp", "stamp"]
    program = "tvm_ffi_build.cmake_steps.stubs"
    return run(sys.executable, "-m", program, *arguments, *step, ok=False, cwd=folder)


def failed(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert re.fullmatch(rf".*{message}.*", read_error(done.stderr)), done.stderr


def test_done_stale_and_done_again(stubgen: Stubgen, tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text(BLOCK, encoding="utf-8")
    file.chmod(0o640)
    stale = stubgen("f.py", "--check")
    assert (stale.returncode, stale.stdout) == (1, "f.py\n")
    assert file.read_text(encoding="utf-8") == BLOCK
    dry = stubgen("f.py", "--dry-run", "--verbose")
    assert dry.returncode == 0
    assert "\n+    def f(_0: int, /) -> int: ...\n" in dry.stdout
    assert file.read_text(encoding="utf-8") == BLOCK
    done = stubgen("f.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote f.py\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    before = file.stat()
    again = stubgen(".", "--check")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert stubgen(".").stderr == ""
    # Not even touched.
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize(("width", "blanks"), [("2", 2), ("0", 1), ("1", 1), ("20", 20)])
def test_indentation(stubgen: Stubgen, tmp_path: Path, width: str, blanks: int) -> None:
    """Without a blank it would not be Python."""
    (tmp_path / "f.pyi").write_text(BLOCK, encoding="utf-8")
    assert stubgen("f.pyi", "--indent", width).returncode == 0
    assert f"\n{' ' * blanks}def f(" in (tmp_path / "f.pyi").read_text(encoding="utf-8")


def test_a_file_that_asks_to_be_left_alone_is_enough(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text("# tvm-ffi-stubgen(skip-file)\n", encoding="utf-8")
    done = stubgen("f.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_link_stays_one(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/f.py").write_text(BLOCK, encoding="utf-8")
    (tmp_path / "link.py").symlink_to("real/f.py")
    assert stubgen("link.py").returncode == 0
    assert (tmp_path / "link.py").is_symlink()
    assert "def f(" in (tmp_path / "real/f.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere does not exist; pass a Python file or a directory with some"),
        ([], "no file or directory was given"),
        (["."], r"\. has no file with a directive; add one, or create files with --init-prefix"),
        (["plain.py"], "plain.py has no file with a directive"),
        (["quotes.py"], "quotes.py has no file with a directive"),
        (["latin.py"], "latin.py is not UTF-8; convert it"),
        (["folder"], "folder/latin.py is not UTF-8; convert it"),
        (["wrong.py"], r"wrong\.py:1: the end of a block that was not started"),
        ([".", "--target", "rust"], "--snapshot is not an option of the runtime's own tool; leave out --target and"),
        ([".", "--init-lib", "x"], "--init-pypkg, --init-lib and --init-prefix belong together; give all three"),
        ([".", "--check", "--init-lib", "x", "--init-pypkg", "x", "--init-prefix", "x"], "run one after the other"),
        ([".", "--dlls", "x.so"], "--snapshot stands for --dlls and --imports"),
        ([".", "--snapshot", "nowhere.json"], r"nowhere\.json cannot be read: No such file or directory"),
        ([".", "--indent", "-1"], "--indent -1 is not between 0 and 100"),
    ],
)
def test_what_it_cannot_do(stubgen: Stubgen, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "quotes.py").write_text(f'"""Doc.\n\n{BLOCK}"""\n', encoding="utf-8")
    (tmp_path / "folder").mkdir()
    if "folder" in arguments:
        (tmp_path / "folder/latin.py").write_bytes(BLOCK.encode() + b"# \xe4\n")
    if "latin.py" in arguments:
        (tmp_path / "latin.py").write_bytes(BLOCK.encode() + b"# \xe4\n")
    if "wrong.py" in arguments:
        (tmp_path / "wrong.py").write_text("# tvm-ffi-stubgen(end)\n", encoding="utf-8")
    failed(stubgen(*arguments), message)


def test_what_only_the_runtimes_tool_does_is_passed_on_to_it(stubgen: Stubgen, tmp_path: Path) -> None:
    done = stubgen("--coverage-out", "report.json", snapshot=False)
    said = "--coverage-out is an option of the runtime's own tool; running: tvm-ffi-stubgen"
    assert done.stderr.startswith(f"{said} --indent 4 --coverage-out report.json\n")
    assert done.returncode == 0
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (tmp_path / "f.py").write_text(BLOCK, encoding="utf-8")
    done = stubgen("f.py", "--target", "cobol", "--dry-run", snapshot=False)
    assert done.returncode == 2
    assert "running: tvm-ffi-stubgen f.py --indent 4 --target cobol --dry-run\n" in done.stderr
    assert "invalid choice: 'cobol'" in done.stderr
    done = stubgen("--coverage-out", "report.json", "--json", snapshot=False)
    failed(done, "--json is not an option of the runtime's own tool")
    assert stubgen("f.py", "--target", "python").returncode == 0


def test_files_are_begun_beside_the_one_that_is_named(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(BLOCK.replace("global/a", "global/none"), encoding="utf-8")
    done = stubgen("f.py", "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a")
    assert done.returncode == 0
    assert "warning: f.py:2: no function is registered below none\n" in done.stderr
    assert "def f(_0: int, /) -> int: ..." in (tmp_path / "a/_ffi_api.py").read_text(encoding="utf-8")


def test_what_lies_behind_links_is_left_alone(stubgen: Stubgen, tmp_path: Path) -> None:
    """It may be of others; a package there can be named itself."""
    (tmp_path / "real/a").mkdir(parents=True)
    (tmp_path / "real/a/__init__.py").write_text("OWN = 1\n", encoding="utf-8")
    (tmp_path / "real/f.py").write_text(BLOCK, encoding="utf-8")
    (tmp_path / "python").mkdir()
    (tmp_path / "python/a").symlink_to("../real/a")
    (tmp_path / "python/other").symlink_to("../real")
    begin = "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a"
    done = stubgen("python", *begin)
    assert done.returncode == 2
    message = "python/a/__init__.py is there, but was not read; pass the directory that it is in"
    assert last_error(done.stderr).startswith(message)
    assert (tmp_path / "real/a/__init__.py").read_text(encoding="utf-8") == "OWN = 1\n"
    assert (tmp_path / "real/f.py").read_text(encoding="utf-8") == BLOCK
    assert stubgen("real", *begin).returncode == 0
    assert (tmp_path / "real/a/__init__.py").read_text(encoding="utf-8").startswith("OWN = 1\n")


def test_a_file_that_was_not_read_is_not_written_over(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(BLOCK.replace("global/a", "global/none"), encoding="utf-8")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/__init__.py").write_text("OWN = 1\n", encoding="utf-8")
    for mode in ("--dry-run", "--verbose"):
        done = stubgen("f.py", "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a", mode)
        assert done.returncode == 2
        message = "a/__init__.py is there, but was not read; pass the directory that it is in, or move it away"
        assert last_error(done.stderr) == message
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["__init__.py"]
    assert (tmp_path / "a/__init__.py").read_text(encoding="utf-8") == "OWN = 1\n"


def test_what_another_build_has_written_meanwhile_is_as_good(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(BLOCK.replace("global/a", "global/none"), encoding="utf-8")
    for _ in range(2):
        done = stubgen("f.py", "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a")
        assert done.returncode == 0, done.stderr
    assert "def f(_0: int, /) -> int: ..." in (tmp_path / "a/_ffi_api.py").read_text(encoding="utf-8")


def test_a_build_does_not_write_over_what_it_has_not_read(stubgen: Stubgen, tmp_path: Path) -> None:
    """In a folder that a folder of the package leads to, by a link which would lead around in a circle."""
    (tmp_path / "source/python/a").mkdir(parents=True)
    (tmp_path / "source/python/a/sub").symlink_to("../..")
    (tmp_path / "source/__init__.py").write_text("OWN = 1\n", encoding="utf-8")
    snapshot = (tmp_path / "snapshot.json").read_text(encoding="utf-8").replace("a.f", "a.sub.f")
    (tmp_path / "snapshot.json").write_text(snapshot, encoding="utf-8")
    done = build_step(tmp_path, "source/python", "--init", "a", "a", "a")
    assert done.returncode != 0
    assert re.search(r"a/sub/__init__\.py is there, but was not read; ", last_error(done.stderr, "tvm-ffi-build"))
    assert not (tmp_path / "tree").exists()
    assert (tmp_path / "source/__init__.py").read_text(encoding="utf-8") == "OWN = 1\n"


@pytest.mark.usefixtures("stubgen")
@pytest.mark.parametrize("prefix", ["a.", "a"])
def test_two_targets_of_a_build_begin_no_package_together(tmp_path: Path, prefix: str) -> None:
    """Its loader would load the library of one."""
    (tmp_path / "source").mkdir()
    done = build_step(tmp_path, "source", "--init", "a", "one", "a.", "--init", "a", "two", prefix)
    assert done.returncode != 0
    assert read_error(done.stderr, "tvm-ffi-build") == (
        f"one and two would both create the package of the prefix {prefix!r}, which loads one library; "
        "give one of them STUB_PKG and STUB_PREFIX of its own, or leave its STUB_INIT off"
    )
    assert not list((tmp_path / "source").iterdir())
    assert build_step(tmp_path, "source", "--init", "a", "one", "a.").returncode == 0


def test_hidden_files_are_passed_over(stubgen: Stubgen, tmp_path: Path) -> None:
    """Emacs locks a file by a link to nowhere, and macOS keeps what other file systems cannot hold in files."""
    (tmp_path / "f.py").write_text(BLOCK, encoding="utf-8")
    (tmp_path / ".#f.py").symlink_to("me@host.1:2")
    (tmp_path / "._f.py").write_bytes(b"# tvm-ffi-stubgen(\xe4")
    assert stubgen(".").stderr == "wrote f.py\n"


def test_one_bad_file_leaves_all_as_they_were(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BLOCK, encoding="utf-8")
    (tmp_path / "b.py").write_text("# tvm-ffi-stubgen(end)\n", encoding="utf-8")
    failed(stubgen("."), "b.py:1")
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == BLOCK


def test_other_files_of_a_folder_may_be_anything(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(BLOCK, encoding="utf-8")
    (tmp_path / "old.py").write_text("print 'two'\n", encoding="utf-8")
    (tmp_path / "latin.py").write_bytes(b"# \xe4\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/g.py").write_text("# tvm-ffi-stubgen(end)\n", encoding="utf-8")
    assert stubgen(".").stderr == "wrote f.py\n"


def test_files_that_are_left_alone_may_be_in_any_encoding(stubgen: Stubgen, tmp_path: Path) -> None:
    contents = {
        "f.py": BLOCK.encode(),
        "a/__init__.py": b"# tvm-ffi-stubgen(skip-file)\n# \xe4\n",
        "a/py.typed": b"\xe4",
        "other/__init__.py": b"# -*- coding: latin-1 -*-\n# \xe4\n",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert stubgen(".").stderr == "wrote f.py\n"
    (tmp_path / "f.py").unlink()
    del contents["f.py"]
    init = "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a"
    assert stubgen(".", *init).returncode == 0
    assert build_step(tmp_path, ".", "--init", "a", "a", "a").returncode == 0
    assert (tmp_path / "tree/a/py.typed").read_bytes() == contents["a/py.typed"]
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


def test_a_file_that_a_block_is_to_be_added_to_has_to_be_utf_8(stubgen: Stubgen, tmp_path: Path) -> None:
    latin = b"# -*- coding: latin-1 -*-\n# \xe4\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "a/__init__.py").write_bytes(latin)
    failed(
        stubgen(".", "--init-pypkg", "a", "--init-lib", "a", "--init-prefix", "a"),
        "a/__init__.py is not UTF-8; convert it",
    )
    assert [path.read_bytes() for path in (tmp_path / "a").iterdir()] == [latin]


def test_the_registry_as_json_is_a_snapshot(stubgen: Stubgen, tmp_path: Path) -> None:
    done = stubgen("--json", snapshot=False)
    assert done.returncode == 0, done.stderr
    assert "ffi.ModuleLoadFromFile" in json.loads(done.stdout)["functions"]
    (tmp_path / "snapshot.json").write_text(done.stdout, encoding="utf-8")
    (tmp_path / "f.py").write_text(BLOCK.replace("global/a", "global/ffi"), encoding="utf-8")
    assert stubgen("f.py").returncode == 0
    assert "def ModuleLoadFromFile(_0: str, /) -> " in (tmp_path / "f.py").read_text(encoding="utf-8")


# ---- Importing what is generated, before it is written -----------------------------------------------------------

TRIED = (
    "# tvm-ffi-stubgen(begin): import-section\n# tvm-ffi-stubgen(end)\n"
    "# tvm-ffi-stubgen(begin): global/ffi.Module.load_from_file{}\n# tvm-ffi-stubgen(end)\n"
)


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a package, of which a module has a text."""

    def write(text: str) -> Path:
        (tmp_path / "pk").mkdir()
        (tmp_path / "pk/__init__.py").write_text("from . import api\n", encoding="utf-8")
        (tmp_path / "pk/api.py").write_text(text, encoding="utf-8")
        return tmp_path / "pk"

    return write


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_cannot_be_imported_is_not_written(stubgen: Stubgen, package: Callable[[str], Path]) -> None:
    folder = package(TRIED.format("@.registry"))
    before = contents(folder)
    failed(
        stubgen("pk", snapshot=False),
        r"pk/api\.py:5: nothing was written, since this cannot be imported: "
        r"ModuleNotFoundError: No module named 'pk\.registry'; to leave a type out, add the directive skip",
    )
    assert contents(folder) == before
    (folder / "registry.py").write_text("def init_ffi_api(prefix, module):\n    pass\n", encoding="utf-8")
    done = stubgen("pk", snapshot=False)
    assert (done.returncode, done.stderr) == (0, "wrote pk/api.py\n")
    assert set(contents(folder)) == {"__init__.py", "api.py", "registry.py"}


def test_code_that_was_not_generated_may_need_more_than_is_here(
    stubgen: Stubgen, package: Callable[[str], Path], tmp_path: Path
) -> None:
    package(f"{TRIED.format('')}import nowhere\n")
    done = stubgen("pk", snapshot=False)
    assert done.returncode == 0
    line = (tmp_path / "pk/api.py").read_text(encoding="utf-8").splitlines().index("import nowhere") + 1
    assert done.stderr == (
        f"warning: pk/api.py:{line}: cannot be imported here, so not all that was generated was tried: "
        "ModuleNotFoundError: No module named 'nowhere'\nwrote pk/api.py\n"
    )


def test_what_python_has_compiled_of_an_older_text_is_not_tried(
    stubgen: Stubgen, package: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = package(TRIED.format("@.registry"))
    (folder / "registry.py").write_text(
        "def init_ffi_api(prefix, module):\n    raise KeyError(prefix)\n", encoding="utf-8"
    )
    run(sys.executable, "-m", "compileall", "-q", folder, cwd=tmp_path)
    failed(stubgen("pk", snapshot=False), r"pk/api\.py:\d+: nothing was written, .*: KeyError: 'ffi\.Module\.load")


def test_a_module_that_ends_the_process_is_not_written(stubgen: Stubgen, package: Callable[[str], Path]) -> None:
    folder = package(f"{TRIED.format('')}import os\nos._exit(3)\n")
    before = contents(folder)
    failed(stubgen("pk", snapshot=False), "nothing was written, since importing pk.api failed: the runtime cannot be")
    assert contents(folder) == before


def test_a_module_of_a_name_that_is_taken_is_not_tried(stubgen: Stubgen, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/json.py").write_text(TRIED.format(""), encoding="utf-8")
    done = stubgen("here", snapshot=False)
    assert done.stderr == (
        "warning: here/json.py was not tried: a module of that name is imported already\nwrote here/json.py\n"
    )


def test_a_new_package_below_a_namespace_is_tried_where_it_will_be(stubgen: Stubgen, tmp_path: Path) -> None:
    """Its loader does not find a library here."""
    begin = ["--init-pypkg", "x", "--init-lib", "x", "--init-prefix", "ffi.Module.load_from_file."]
    done = stubgen("new", *begin, snapshot=False)
    assert done.returncode == 2
    loader = r"new/ffi/Module/load_from_file/_library\.py"
    assert re.search(rf"error: {loader}:\d+: nothing was written, .*: ImportError: libx\.so is not in ", done.stderr)
    assert not (tmp_path / "new").exists()

"""The process that loads a library is not trusted: whatever it does, the command ends soon and in little memory."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest
from misbehaving_libraries import MISBEHAVING, PRELUDE
from support.peak_memory import run_and_print_peak
from support.processes import run

from tvm_ffi_build.__main__ import main
from tvm_ffi_build.host.regular_files import NotRegularError, open_regular, read_regular, read_regular_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Half of what loading may take by default, which is what it took when the command waited for helpers. On a machine with
# nothing else to do, each takes at most 4 s.
SECONDS = 30
BYTES = 150_000_000
QUICK = list(MISBEHAVING)[:5]


def build(folder: Path, case: str) -> Path:
    source, library = folder / "case.c", folder / "libcase.so"
    source.write_text(PRELUDE + MISBEHAVING[case][0], encoding="utf-8")
    run("cc", "-w", "-shared", "-fPIC", "-O0", "-o", library, source)
    return library


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in MISBEHAVING]
)
def test_a_misbehaving_library(tmp_path: Path, case: str) -> None:
    library = build(tmp_path, case)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    expected = MISBEHAVING[case][1]
    limit = "2" if "within 2 s" in expected else "60"
    env = {**os.environ, "TMPDIR": str(temporary)}
    started = time.monotonic()
    done = run(
        *(
            sys.executable,
            "-c",
            run_and_print_peak("stdout"),
            "stubgen",
            "--json",
            "--timeout",
            limit,
            "--dlls",
            library,
        ),
        ok=False,
        env=env,
    )
    assert time.monotonic() - started < SECONDS
    assert done.returncode == 2
    assert re.fullmatch(r"error: .*\n(hint: .*\n)?", done.stderr), done.stderr[-1000:]
    assert done.stderr.replace("\n", "").isprintable()
    assert re.search(expected, done.stderr), done.stderr
    assert int(done.stdout.removeprefix("peak ")) < BYTES
    assert list(temporary.iterdir()) == []


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        # Names of sockets are short (sun_path in unix(7)).
        folder = os.open(path.parent, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


def make_link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_directory(path: Path) -> None:
    path.mkdir()


KINDS: dict[str, Callable[[Path], None]] = {
    "a named pipe": make_pipe,
    "a socket": make_socket,
    "a link to a device": make_link_to_device,
    "a directory": make_directory,
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_regular_files_is_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    KINDS[kind](path)
    for follow_links in (True, False):
        with (
            pytest.raises(OSError, match=r"regular file|No such device|Too many"),
            open_regular(path, follow_links=follow_links),
        ):
            pass
    if kind != "a socket":
        with pytest.raises(NotRegularError):
            read_regular(path)


def test_a_regular_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("é\r\nb\rc".encode())
    assert read_regular_text(path) == "é\nb\nc"
    assert read_regular(path, largest=7) == path.read_bytes()
    with pytest.raises(OSError, match="larger than"):
        read_regular(path, largest=6)
    (tmp_path / "link").symlink_to(path)
    assert read_regular(tmp_path / "link") == path.read_bytes()
    with pytest.raises(OSError, match="Too many"):
        read_regular(tmp_path / "link", follow_links=False)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a directory"])
@pytest.mark.parametrize("arguments", ["stubgen {folder}", "stubgen --json --snapshot {file}", "stubgen {file}"])
def test_a_path_that_is_not_a_file_stops_no_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, arguments: str
) -> None:
    file = tmp_path / "stub.py"
    KINDS[kind](file)
    with pytest.raises(SystemExit) as end:
        main(arguments.format(folder=tmp_path, file=file).split())
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"error: .*\n(hint: .*\n)?", said)
    assert "regular file" in said or "does not exist" in said or "No such device" in said

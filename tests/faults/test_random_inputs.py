"""Wheels and registries made by chance: no traceback, nothing written, nothing raw on the terminal, no wrong answer."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
import time
import zipfile
from typing import TYPE_CHECKING, NamedTuple

import pytest
from forged_wheels import INFO, NAME, archive, honest
from random_inputs import REGISTRIES_BY_CHANCE, WHEELS_BY_CHANCE, registry_of, wheel_of
from tried import READ_ELSEWHERE

from tvm_ffi_build.__main__ import main
from tvm_ffi_build.terminal.streams import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# By default every tenth.
SECONDS = 10


def numbers(count: int) -> list[object]:
    return [number if number % 10 == 0 else pytest.param(number, marks=pytest.mark.slow) for number in range(count)]


class Said(NamedTuple):
    """How a command ended."""

    code: object
    text: str


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Sequence[object]], Said]:
    """Return a function that runs a command, which ends soon, by itself, and prints nothing that acts."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)

    def call(arguments: Sequence[object]) -> Said:
        code: object = 0
        started = time.monotonic()
        try:
            main(list(map(str, arguments)))
        except SystemExit as end:
            code = end.code
        assert time.monotonic() - started < SECONDS
        text = "".join(capsys.readouterr())
        assert escape_controls(text) == text
        assert "Traceback" not in text
        assert list((tmp_path / "temporary").iterdir()) == []
        return Said(code, text)

    return call


def read_by_python(content: bytes) -> dict[str, bytes] | None:
    """Return the files of an archive as Python's reader sees them, or None if it sees none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            return {name: opened.read(name) for name in opened.namelist()}
    except Exception:  # noqa: BLE001  (it raises many things)
        return None


@pytest.mark.parametrize("number", numbers(WHEELS_BY_CHANCE))
def test_a_wheel_by_chance(command: Callable[[Sequence[object]], Said], tmp_path: Path, number: int) -> None:
    content, wheel, out = wheel_of(number), tmp_path / NAME, tmp_path / "out"
    wheel.write_bytes(content)
    audited = command(["audit", wheel])
    contract = command(["contract", wheel])
    repaired = command(["repair", wheel, "-w", out])
    answers = {"audit": audited.code, "contract": contract.code, "repair": repaired.code}
    codes = READ_ELSEWHERE["test_a_wheel_by_chance"].codes
    assert all(answer in codes[name] for name, answer in answers.items()), answers
    assert wheel.read_bytes() == content
    assert bool(list(out.glob("*.whl"))) == (repaired.code == 0)
    if 0 in answers.values():
        require_true(read_by_python(content))


def require_true(files: dict[str, bytes] | None) -> None:
    """Check by other means than the commands that a wheel is one, and that its RECORD is true."""
    assert files is not None
    assert {f"{INFO}METADATA", f"{INFO}WHEEL", f"{INFO}RECORD"} <= files.keys()
    rows = list(csv.reader(io.StringIO(files[f"{INFO}RECORD"].decode())))
    assert {name for name, _, _ in rows} == files.keys()
    assert len(rows) == len(files)
    for name, digest, size in rows:
        if name != f"{INFO}RECORD":
            found = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={found}", len(files[name]))


def test_the_honest_wheel_is_read(command: Callable[[Sequence[object]], Said], tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(archive(honest()))
    assert command(["contract", tmp_path / NAME]).code == 0


@pytest.mark.parametrize("number", numbers(REGISTRIES_BY_CHANCE))
def test_a_registry_by_chance(command: Callable[[Sequence[object]], Said], tmp_path: Path, number: int) -> None:
    """Of what is written, every file is Python that imports nothing but typing, the runtime and itself."""
    snapshot, folder = tmp_path / "snapshot.json", tmp_path / "package"
    snapshot.write_text(registry_of(number), encoding="utf-8")
    folder.mkdir()
    arguments = ["--init-pypkg", "demo", "--init-lib", "demo", "--init-prefix", "a"]
    said = command(["stubgen", folder, "--snapshot", snapshot, *arguments])
    assert said.code in {0, 2}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert bool(files) == (said.code == 0)
    for path in files:
        assert folder.resolve() in path.resolve().parents
        if path.suffix == ".py":
            require_declarations(path.read_text(encoding="utf-8"), str(path))
    if said.code == 0:
        assert command(["stubgen", folder, "--snapshot", snapshot, "--check"]).code == 0


# Of the loader, which is the same for every registry.
KNOWN_MODULES = {"__future__", "typing", "tvm_ffi", "ctypes", "importlib", "sys", "pathlib", "collections", "a", ""}


def require_declarations(text: str, path: str) -> None:
    tree = ast.parse(text)
    compile(tree, path, "exec")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= KNOWN_MODULES, path
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] in KNOWN_MODULES or node.level, path
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"__import__", "eval", "open", "getattr"}, path

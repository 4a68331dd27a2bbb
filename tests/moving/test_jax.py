"""A project of others, moved over: jax-tvm-ffi 0.1.3, before and after, as the page about it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from moving.convert_jax import CUTS, convert, written
from support.downloads import download
from support.environments import Environment
from support.processes import run
from support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = ROOT / "docs/how-to/from-runtime-package.md"
# What it is built and run with; as the runtime, the newest one.
JAX = ("jax==0.10.2", "jaxlib==0.10.2")


class Made(NamedTuple):
    """A wheel, and what it is worth."""

    tag: str
    kilobytes: int
    requires: str
    runtime: str
    findings: str
    tests: str


def table() -> dict[str, tuple[str, str]]:
    """Return the rows of the page's table: before and after."""
    (text,) = re.findall(
        r"<!-- jax-tvm-ffi: begin -->\n(.*?)<!-- jax-tvm-ffi: end -->", PAGE.read_text("utf-8"), re.DOTALL
    )
    rows = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    return {what: (before, after) for what, before, after in rows}


@pytest.fixture(scope="module")
def sdist(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return the unpacked sources, as their index has them."""

    def fill(folder: Path) -> None:
        download(
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            "jax-tvm-ffi",
            "-d",
            folder,
            "jax-tvm-ffi==0.1.3",
        )
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
        archive.unlink()

    return once("jax-tvm-ffi", fill) / "jax_tvm_ffi-0.1.3"


@pytest.fixture
def constrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let isolated builds take one release of jax."""
    path = tmp_path / "constraints.txt"
    path.write_text("\n".join(JAX), encoding="utf-8")
    monkeypatch.setenv("PIP_CONSTRAINT", str(path))
    monkeypatch.setenv("UV_BUILD_CONSTRAINT", str(path))


@pytest.fixture
def weigh(tmp_path: Path, sdist: Path) -> Callable[[Path], Made]:
    """Return a function that measures a wheel, audits it, and runs its project's own tests on it."""

    def get(folder: Path) -> Made:
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
            metadata = message_from_bytes(archive.read(name))
            records = [
                json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("/tvm_ffi_build.json")
            ]
        (requires,) = (line for line in metadata.get_all("Requires-Dist", []) if "tvm-ffi" in line)
        answer = run(sys.executable, "-m", "tvm_ffi_build", "audit", "--format", "json", wheel, cwd=tmp_path, ok=False)
        (artifact,) = json.loads(answer.stdout)["artifacts"]
        rules = sorted(finding["rule"] for finding in artifact["findings"])
        environment = Environment(folder / "environment")
        run("uv", "venv", "--quiet", "--python", sys.executable, environment.path)
        environment.install(wheel, *JAX, "numpy", "pytest", "apache-tvm-ffi[cpp]")
        tests = shutil.copytree(sdist / "tests", folder / "tests")
        # They compile kernels with ninja, and keep them in the user's cache.
        variables = {
            **os.environ,
            "PATH": f"{environment.path}/bin{os.pathsep}{os.environ['PATH']}",
            "TVM_FFI_CACHE_DIR": str(folder / "cache"),
        }
        out = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tests, cwd=folder, env=variables)
        match = re.search(r"^(\d+ passed(?:, \d+ skipped)?)", out, re.MULTILINE)
        assert match, out
        tag = "-".join(wheel.stem.split("-")[2:])
        runtime = records[0]["runtime"] if records else "unknown"
        return Made(tag, round(wheel.stat().st_size / 1000), requires, runtime, ", ".join(rules) or "nothing", match[1])

    return get


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_pages_table_adds_up() -> None:
    rows = {what: tuple(map(int, counts)) for what, counts in table().items() if what in {cut.what for cut in CUTS}}
    assert set(rows) == {cut.what for cut in CUTS}
    before, after = (sum(column) for column in zip(*rows.values()))
    assert table()["lines in all"] == (str(before), str(after))


def test_another_release_is_left_alone(tmp_path: Path) -> None:
    texts = {cut.file: "# Something else.\n" for cut in CUTS}
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"this is for jax-tvm-ffi 0\.1\.3"):
        convert(tmp_path)
    assert all((tmp_path / name).read_text(encoding="utf-8") == text for name, text in texts.items())


def test_empty_lines_and_comments_are_nobodys_work() -> None:
    assert written("# why\n\n  # and why\na\n  b # c\n") == 2


@pytest.mark.slow
def test_before_and_after_are_as_the_page_says(
    sdist: Path, constrained: None, weigh: Callable[[Path], Made], tmp_path: Path
) -> None:
    # Its settings let a build write below it, so each is of a copy.
    projects = [Path(shutil.copytree(sdist, tmp_path / name)) for name in ("as-it-was", "as-it-is")]
    counts = convert(projects[1])
    said = table()
    for what, (had, has) in counts.items():
        assert said.pop(what) == (str(had), str(has)), what
    del said["lines in all"]
    was, now = map(files, projects)
    changed = len(now.items() - was.items())
    assert said.pop("files (changed)") == (str(len(was)), f"{len(now)} ({changed})")

    before, after = tmp_path / "before", tmp_path / "after"
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "built", projects[0])
    (built,) = (tmp_path / "built").glob("*.whl")
    run("auditwheel", "repair", "--exclude", "libtvm_ffi.so", "-w", before, built)
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", projects[1], "-w", after)
    old, new = weigh(before), weigh(after)
    # What a compiler makes of it differs from one to the next.
    for wrote, measured in zip(said.pop("wheel, kB"), (old.kilobytes, new.kilobytes)):
        assert abs(int(wrote) - measured) <= 0.1 * measured, (old, new)
    # As new as the system that it was built on.
    assert old.tag == new.tag
    assert said.pop("tag") == tuple([re.sub(r"_\d+_\d+_.*", "_...", f"`{new.tag}") + "`"] * 2)
    assert said.pop("what the audit finds") == (old.findings, new.findings)
    assert said.pop("what it requires") == (f"`{old.requires}`", "at least the release built against, `<0.2`")
    assert new.requires == f"apache-tvm-ffi<0.2,>={new.runtime}"
    assert said.pop("its own tests") == (old.tests, new.tests)
    assert said == {}

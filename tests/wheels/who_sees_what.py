"""What the tools that people have say of wheels, beside our audit: makes the table in ``docs/reference/audit.md``.

Run it as ``python tests/wheels/who_sees_what.py``; it installs the tools into an environment of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["table"]

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs/reference/audit.md"
BEGIN, END = "<!-- who-sees-what: begin -->\n", "<!-- who-sees-what: end -->"
TOOLS = ("abi3audit==0.0.26", "auditwheel==6.8.2", "check-wheel-contents==0.6.3")
REAL = {
    "jax-tvm-ffi 0.1.3, Linux": ("jax-tvm-ffi==0.1.3", "manylinux_2_28_x86_64"),
    "jax-tvm-ffi 0.1.3, macOS": ("jax-tvm-ffi==0.1.3", "macosx_11_0_arm64"),
    "xgrammar 0.2.8, Linux": ("xgrammar==0.2.8", "manylinux_2_28_x86_64"),
    "xgrammar 0.2.8, macOS": ("xgrammar==0.2.8", "macosx_11_0_arm64"),
    "xgrammar 0.2.8, Windows": ("xgrammar==0.2.8", "win_amd64"),
    "apache-tvm-ffi-orcjit 0.1.3, Linux": ("apache-tvm-ffi-orcjit==0.1.3", "manylinux_2_28_x86_64"),
    "apache-tvm-ffi-orcjit 0.1.3, macOS": ("apache-tvm-ffi-orcjit==0.1.3", "macosx_14_0_arm64"),
    "apache-tvm-ffi-orcjit 0.1.3, Windows": ("apache-tvm-ffi-orcjit==0.1.3", "win_amd64"),
}
C_SOURCE = "int TVMFFIFunctionCall(void*); int __tvm_ffi_f(void* f) { return TVMFFIFunctionCall(f); }\n"
PYTHON = "int PyErr_CheckSignals(void); int __tvm_ffi_g(void* f) { return PyErr_CheckSignals(); }\n"


def main() -> None:
    """Put the table into the manual."""
    with tempfile.TemporaryDirectory() as name:
        rows = table(Path(name))
    text = MANUAL.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    MANUAL.write_text(f"{before}{BEGIN}{rows}{END}{rest.partition(END)[2]}", encoding="utf-8")


def table(folder: Path) -> str:
    """Return the table."""
    programs = _environment(folder / "environment")
    lines = [
        "| wheel | abi3audit | auditwheel show | check-wheel-contents | tvm-ffi-build audit |",
        "|---|---|---|---|---|",
    ]
    for title, wheel in _wheels(folder):
        cells = [_abi3audit(programs, wheel), _auditwheel(programs, wheel), _contents(programs, wheel), _ours(wheel)]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "".join(f"{line}\n" for line in lines)


def _environment(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *TOOLS], check=True, stderr=subprocess.DEVNULL)
    return folder / "bin"


def _wheels(folder: Path) -> Iterator[tuple[str, Path]]:
    ours = folder / "example"
    _run(sys.executable, "-m", "tvm_ffi_build", "-q", "wheel", ROOT / "examples/python_packaging", "-w", ours)
    yield "the example of this project, repaired", next(ours.glob("*.whl"))
    for title, (requirement, platform) in REAL.items():
        into = folder / title.replace(" ", "-")
        _run(
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary=:all:",
            "-d",
            into,
            "--python-version",
            "3.12",
            "--platform",
            platform,
            requirement,
        )
        yield title, next(into.glob("*.whl"))
    good, runtime = _compiled(folder, C_SOURCE), find_runtime().library.read_bytes()
    yield "made bad: calls CPython", _made(folder / "p", {"demo/libdemo.so": _compiled(folder, C_SOURCE + PYTHON)})
    yield (
        "made bad: a copy of the runtime",
        _made(folder / "r", {"demo/libdemo.so": good, "demo/libtvm_ffi.so": runtime}),
    )
    rubbish = {"demo/libdemo.so": good, "lib/libdemo.a": b"!<arch>\n", "demo/__pycache__/a.cpython-312.pyc": b""}
    yield "made bad: what is left of a build", _made(folder / "c", rubbish)


def _compiled(folder: Path, source: str) -> bytes:
    (folder / "demo.c").write_text(source, encoding="utf-8")
    link: list[str | Path] = ["-L", find_runtime().library.parent, "-ltvm_ffi", "-Wl,-rpath,$ORIGIN/../tvm_ffi/lib"]
    _run("cc", "-shared", "-fPIC", "-o", folder / "libdemo.so", folder / "demo.c", *link)
    return (folder / "libdemo.so").read_bytes()


def _made(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a wheel."""
    folder.mkdir()
    info, tag = "demo-1.0.dist-info", "py3-none-manylinux_2_28_x86_64"
    members = {
        "demo/__init__.py": b"x = 1\n",
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: apache-tvm-ffi<0.2\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    rows = [f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in members.items()]
    path = folder / f"demo-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, f"{info}/RECORD": f"{''.join(rows)}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, content)
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _abi3audit(programs: Path, wheel: Path) -> str:
    said = _said(programs / "abi3audit", wheel)
    return "nothing auditable" if "nothing auditable" in said else "something"


def _auditwheel(programs: Path, wheel: Path) -> str:
    said = _said(programs / "auditwheel", "show", wheel)
    if "does not look like a platform wheel" in said:
        return "no Linux library"
    (tag,) = re.findall(r'platform tag[^"]*?"(\w+)"', " ".join(said.split()))[:1]
    return "nothing but the tag" if tag in wheel.stem else f"`{tag}` at best"


def _contents(programs: Path, wheel: Path) -> str:
    return ", ".join(sorted(set(re.findall(r"\bW\d{3}\b", _said(programs / "check-wheel-contents", wheel))))) or "OK"


def _ours(wheel: Path) -> str:
    said = _said(sys.executable, "-m", "tvm_ffi_build", "-q", "audit", "--format", "json", wheel, error=False)
    found = {finding["rule"] for finding in json.loads(said)["artifacts"][0]["findings"]}
    return ", ".join(sorted(found)) or "clean"


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _said(*command: str | Path, error: bool = True) -> str:
    """Return what a command says, whatever it thinks of the wheel."""
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT if error else None, encoding="utf-8"
    )
    return done.stdout


if __name__ == "__main__":
    main()

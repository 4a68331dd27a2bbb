"""Virtual environments, and this program with caches of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .downloads import download
from .processes import run

if TYPE_CHECKING:
    from pathlib import Path

# What tests import most, of what an environment may have: compiling it takes longer than running it.
IMPORTED = ("build.__main__", "numpy", "pip._internal.commands.install", "pytest", "scikit_build_core.build", "tvm_ffi")


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> Environment:
        """Create an empty one that may be moved."""
        run("uv", "venv", "--quiet", "--relocatable", "--python", sys.executable, path)
        return cls(path)

    def copy(self, path: Path) -> Environment:
        """Copy it, with hard links to its files."""
        shutil.copytree(self.path, path, symlinks=True, copy_function=os.link)
        return Environment(path)

    def cache_bytecode(self) -> None:
        """Import what tests import, which leaves the bytecode for copies."""
        code = "import contextlib, importlib, sys\nfor name in sys.argv[1:]:\n"
        code += "  with contextlib.suppress(ImportError): importlib.import_module(name)"
        self.run("-c", code, *IMPORTED)

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return next(self.path.glob("lib/python3*/site-packages"))

    def install(self, *arguments: str | os.PathLike[str]) -> None:
        download("uv", "pip", "install", "--quiet", "--python", self.python, *arguments)

    def run(self, *arguments: str | os.PathLike[str], ok: bool = True, **options: object) -> str:
        """Run its Python; return standard output and error together."""
        options = {"cwd": self.path, "stderr": subprocess.STDOUT, "stdout": subprocess.PIPE, **options}
        return run(self.python, *arguments, ok=ok, capture_output=False, **options).stdout


@dataclass(frozen=True)
class Builder:
    """Runs this program with caches of its own.

    Attributes:
        environment: The variables that say where they are.

    """

    environment: dict[str, str]

    def __call__(self, *arguments: str | Path, ok: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "tvm_ffi_build", *arguments)
        return run(*command, ok=ok, env={**self.environment, **more})

    def cmake(self, source: Path, toolchain: Path, *arguments: str) -> Path:
        """Configure and build a project by hand; return the build folder."""
        build = source / "build"
        run(
            "cmake",
            "-G",
            "Ninja",
            "-S",
            source,
            "-B",
            build,
            f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
            f"-DTVM_FFI_PYTHON={sys.executable}",
            "-DCMAKE_BUILD_TYPE=Release",
            *arguments,
            env=self.environment,
        )
        run("cmake", "--build", build, env=self.environment)
        return build

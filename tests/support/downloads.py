"""Run commands that download, and run them again if they fail.

A package index that is slow for a minute would otherwise fail a fixture, and with it every test that uses the fixture.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from .processes import run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

__all__ = ["download", "download_wheels", "install_packages", "install_packages_command", "install_to"]

# Seconds to wait after each failed attempt; the last attempt has no pause after it.
PAUSES = (5, 20)


def download(*command: str | os.PathLike[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command that downloads, up to three times; show the output of the last attempt if that fails too."""
    for pause in PAUSES:
        done = run(*command, ok=False, **options)
        if done.returncode == 0:
            return done
        time.sleep(pause)
    return run(*command, **options)


def download_wheels(
    directory: Path, *requirements: str, platform: str, python: str = "3.12", dependencies: bool = False
) -> None:
    """Download wheels for a platform and a version of Python into a directory."""
    pip = (sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "-d", directory)
    target = ("--platform", platform, "--python-version", python)
    download(*pip, *([] if dependencies else ["--no-deps"]), *target, *requirements)


def install_to(directory: Path, *arguments: str | os.PathLike[str]) -> None:
    """Install distributions into a directory, as ``pip install --target`` does."""
    download("uv", "pip", "install", "-q", "--python", sys.executable, "--target", directory, *arguments)


def install_packages_command(*packages: str) -> list[str]:
    """Return the command that installs Debian packages."""
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def install_packages(*packages: str) -> None:
    """Install Debian packages; this needs root."""
    options = ("-qq", "-o", "DPkg::Lock::Timeout=300")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], install_packages_command(*packages)):
        download(*command, *options, env=environment)

"""CPython in many versions: those of this machine, and those of other Debian suites, unpacked beside the system.

And those of another architecture, which run through an emulator.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.downloads import download, install_packages
from support.processes import run

__all__ = ["FREE_THREADED", "Interpreter", "find_free_threaded", "find_interpreter", "unpack_for_aarch64"]

# Which suite has it. No suite has 3.10 and 3.12.
SUITES = {"3.9": "bullseye", "3.11": "bookworm", "3.13": "trixie", "3.14": "forky", "3.15": "forky"}

# What find_free_threaded makes.
FREE_THREADED = "3.13t"
# The extension modules that ctypes, argparse and threading need, linked statically (Modules/Setup of CPython).
SETUP = """\
*static*
_ctypes _ctypes/_ctypes.c _ctypes/callbacks.c _ctypes/callproc.c _ctypes/stgdict.c _ctypes/cfield.c
_struct _struct.c
math mathmodule.c
"""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Interpreter:
    """A CPython and a folder to work in.

    Attributes:
        version: Such as ``3.14``.
        python: Its path.
        folder: A folder of this machine that it sees as :attr:`inside`.
        inside: The same folder as it sees it.
        root: The root folder of its system; ``/`` for an interpreter of this machine.
        emulator: What runs it, in the folders of this machine, if it is for another architecture.

    """

    version: str
    python: str
    folder: Path
    inside: str
    root: Path = Path("/")
    emulator: tuple[str, ...] = ()

    def run(self, *command: str) -> str:
        """Run a command where the interpreter is; return what it says, or stop with it.

        Raises:
            RuntimeError: It failed.

        """
        env = dict(os.environ)
        if self.emulator:
            command = (*self.emulator, *command)
        elif self.root != Path("/"):
            # The settings of this machine name files that are not there.
            env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"}
            script = f'cd {self.inside} && exec "$@"'
            command = ("chroot", str(self.root), "/bin/sh", "-c", script, "sh", *command)
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=env,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if done.returncode != 0:
            raise RuntimeError(f"CPython {self.version}: {' '.join(command)}\n{done.stdout}")
        return done.stdout


def find_interpreter(version: str, folder: Path, *, packages: tuple[str, ...] = ()) -> Interpreter:
    """Find a CPython, or unpack it below a folder.

    Args:
        version: Such as ``3.14``.
        folder: An empty folder to work in.
        packages: Debian packages to unpack along with an interpreter from Debian.

    Raises:
        RuntimeError: It is not here and cannot be had.

    """
    for python in _here(version):
        done = subprocess.run([python, "--version"], check=False, capture_output=True, encoding="utf-8")
        if done.returncode == 0 and done.stdout.startswith(f"Python {version}."):
            return Interpreter(version, python, folder, str(folder))
    if version not in SUITES or os.geteuid() != 0 or not KEYRING.exists():
        raise RuntimeError(
            f"CPython {version} is not on this machine; install it, for example: uv python install {version}"
        )
    root = folder / "root"
    venv = [] if version == "3.9" else [f"python{version}-venv"]
    _unpack(SUITES[version], [f"python{version}", *venv, "libstdc++6", "dash", *packages], root)
    _furnish(root)
    (root / "work").mkdir()
    return Interpreter(version, f"/usr/bin/python{version}", root / "work", "/work", root)


def unpack_for_aarch64(version: str, folder: Path) -> Interpreter:
    """Unpack a CPython for aarch64 Linux below a directory; qemu-aarch64-static runs it.

    Args:
        version: Such as ``3.11``.
        folder: An empty directory to work in.

    """
    root = folder / "root"
    _unpack(SUITES[version], [f"python{version}", "libstdc++6"], root, architecture="arm64")
    emulator = ("qemu-aarch64-static", "-L", str(root))
    return Interpreter(version, f"{root}/usr/bin/python{version}", folder, str(folder), root, emulator)


def find_free_threaded(folder: Path) -> str:
    """Find a free-threaded CPython, or build one below a directory, and return its path.

    It is 3.13, since the mirror does not serve the sources of 3.14 and 3.15. The runtime has no wheel for it. Without
    optimization and with few extension modules, this takes about 80 CPU seconds.

    Args:
        folder: A directory to build in. What is there already is used.

    Raises:
        RuntimeError: It is not here and cannot be built.

    """
    python = shutil.which(f"python{FREE_THREADED}")
    if python:
        return python
    done = folder / "done"
    if not done.exists():
        if os.geteuid() != 0 or not KEYRING.exists():
            raise RuntimeError(
                f"CPython {FREE_THREADED} is not on this machine; install it, for example: "
                f"uv python install {FREE_THREADED}"
            )
        install_packages("gcc", "libc6-dev", "libffi-dev", "make", "xz-utils")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _build_free_threaded(folder)
        done.touch()
    return str(folder / "python")


def _build_free_threaded(folder: Path) -> None:
    version = FREE_THREADED.removesuffix("t")
    _, env = _private_apt(SUITES[version], folder / "apt", kind="deb-src")
    download("apt-get", "-q", "update", env=env)
    download("apt-get", "-q", "source", "--download-only", f"python{version}", env=env, cwd=folder)
    (sources,) = folder.glob("*.orig.tar.xz")
    run("tar", "-x", "-f", sources, "--strip-components=1", cwd=folder)
    (folder / "Modules/Setup.local").write_text(SETUP, encoding="utf-8")
    run("./configure", "--disable-gil", "--without-ensurepip", "--disable-test-modules", cwd=folder)
    # As releases are built. With assertions, 5 of 160 runs of call_from_threads.py ended in one of CPython's, on an
    # immortal object (_Py_ExplicitMergeRefcount in Objects/object.c), for an unknown reason; without, 81 of 81 passed.
    run("make", "-j2", "OPT=-O0 -DNDEBUG", "python", "pybuilddir.txt", cwd=folder)


def _here(version: str) -> list[str]:
    found = [shutil.which(f"python{version}")]
    if shutil.which("uv"):
        command = ["uv", "python", "find", "--no-project", "--no-python-downloads", version]
        done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
        found.append(done.stdout.strip())
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found += map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True))
    return [path for path in found if path]


def _unpack(suite: str, packages: list[str], root: Path, *, architecture: str | None = None) -> None:
    """Unpack packages and what they need into a folder, without running their scripts."""
    apt, env = _private_apt(suite, root.with_name("apt"), architecture)
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        download("apt-get", "-q", *command, env=env)
    for name in ("bin", "lib", "sbin", "lib64"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in sorted((apt / "cache/archives").glob("*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as data:
            subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", root], stdin=data.stdout, check=True)


def _furnish(root: Path) -> None:
    """Add what programs expect to find where they are put with chroot."""
    for name in ("tmp", "proc", "dev", "etc/ssl/certs"):
        (root / name).mkdir(parents=True, exist_ok=True)
    if not (root / "bin/sh").exists():  # the work of a script
        (root / "bin/sh").symlink_to("dash")
    for name, minor in (("null", 3), ("urandom", 9)):
        if not (root / "dev" / name).exists():
            os.mknod(root / "dev" / name, 0o020666, os.makedev(1, minor))
            (root / "dev" / name).chmod(0o666)
    # Who the names are on the network, and which of them to trust.
    for path in ("etc/resolv.conf", "etc/hosts", "etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(Path("/") / path, root / path)


def _private_apt(
    suite: str, folder: Path, architecture: str | None = None, *, kind: str = "deb"
) -> tuple[Path, dict[str, str]]:
    """Set up an apt that knows another suite and nothing of this system; it only downloads.

    Args:
        suite: Such as ``forky``.
        folder: Where its files go; returned, with the environment in which commands of apt use it.
        architecture: Of the packages, if it is not this machine's.
        kind: ``deb``, or ``deb-src`` for sources.

    """
    for name in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"{kind} [signed-by={KEYRING}] {_mirror()} {suite} main\n", encoding="utf-8")
    settings = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::main": "-",
        "Dir::Etc::parts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "APT::Sandbox::User": "root",
        "APT::Get::Download-Only": "true",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    if architecture:
        settings |= {"APT::Architecture": architecture, "APT::Architectures": architecture}
    lines = [f'{name} "{value}";\n' for name, value in settings.items()]
    (folder / "apt.conf").write_text("".join(lines), encoding="utf-8")
    return folder, {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}


def _mirror() -> str:
    """Return where this system has its packages from."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        match = re.search(r"^(?:URIs:|deb(?: \[.*?\])?)\s+(\S+)", text, re.MULTILINE)
        if match:
            return match[1]
    raise RuntimeError("this system does not say where it has its packages from")

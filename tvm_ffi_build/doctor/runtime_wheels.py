"""Looks for a wheel of the runtime for this Python."""

from __future__ import annotations

import platform
import sysconfig
from typing import TYPE_CHECKING

from packaging.tags import sys_tags

from ..contract import read_ledger
from ..runtime import DISTRIBUTION
from .check import PIP, WARN, Check

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["check_runtime_wheels", "describe_pythons"]


def check_runtime_wheels(release: str | None, accepted: Collection[str] | None = None) -> Iterator[Check]:
    """Report a release of the runtime that has no wheel for this Python.

    Without one, pip compiles the runtime, which fails on Pythons that its sources do not support.

    Args:
        release: The release that was found; None is the newest that is not yanked.
        accepted: The Pythons and ABIs whose wheels this Python installs, such as ``cp312-abi3``; None to ask
            ``packaging``.

    """
    ledger = read_ledger()
    newest = next(one for one in reversed(ledger.releases) if one not in ledger.yanked)
    release = newest if release is None else release
    tags = ledger.list_python_tags(release)
    if accepted is None:
        accepted = {f"{tag.interpreter}-{tag.abi}" for tag in sys_tags()}
    if not tags or not set(tags).isdisjoint(accepted):
        return
    threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    python = f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}{threads}"
    message = f"{DISTRIBUTION} {release} has no wheel for {python}; it has wheels for {describe_pythons(tags)}"
    if set(ledger.list_python_tags(newest)).isdisjoint(accepted):
        yield Check("runtime", WARN, message, "use one of these Pythons")
    else:
        yield Check("runtime", WARN, message, f"{PIP} {DISTRIBUTION}=={newest}")


def describe_pythons(tags: Collection[str]) -> str:
    """Return the Pythons that wheels of CPython are for.

    >>> describe_pythons(["cp39-cp39", "cp312-abi3", "cp314-cp314t"])
    'CPython 3.9, 3.12 and newer, 3.14t'
    """
    names = []
    for tag in tags:
        python, abi = tag.split("-")
        suffix = " and newer" if abi.startswith("abi3") else ""
        names.append(f"3.{python.removeprefix('cp3')}{'t' if abi.endswith('t') else ''}{suffix}")
    return f"CPython {', '.join(names)}"

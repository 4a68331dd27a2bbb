"""The path of this Python in the commands that messages show."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from tvm_ffi_build.host.programs import python_command

if TYPE_CHECKING:
    import pytest


def test_a_path_with_a_space_is_quoted_for_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/my python/bin/python")
    assert shlex.split(f"{python_command()} -m pip")[0] == "/opt/my python/bin/python"
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        quoted = python_command()
    assert quoted == '"/opt/my python/bin/python"'


def test_a_path_without_a_space_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/python/bin/python")
    assert python_command() == "/opt/python/bin/python"

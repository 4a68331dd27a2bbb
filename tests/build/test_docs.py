"""The reference page of the stubs: each worked example is what comes out."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from support.project import ROOT

from tvm_ffi_build.stubgen.command import populate_parser
from tvm_ffi_build.stubgen.files.directives import _BLOCKS, _SINGLE
from tvm_ffi_build.stubgen.generate import generate
from tvm_ffi_build.stubgen.registry.take import take_snapshot

PAGE = ROOT / "docs/reference/stubgen.md"


def examples(which: str) -> dict[str, str]:
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(rf"<!-- {which}: (\S+) -->\n```python\n(.*?)```", text, re.DOTALL))


def test_each_worked_example_is_what_comes_out(example_wheel: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(example_wheel, tmp_path, "zip")
    snapshot = take_snapshot([tmp_path / "my_ffi_extension/libmy_ffi_extension.so"])
    before, after = examples("before"), examples("after")
    assert set(before) == set(after)
    for name, text in before.items():
        filled = generate({Path(name): text}, snapshot).texts[Path(name)]
        if name == "all.py":  # the end of it
            filled = filled[filled.index("__all__") :]
        assert filled == after[name], name


def test_every_directive_and_option_is_there() -> None:
    import argparse  # noqa: PLC0415

    text = PAGE.read_text(encoding="utf-8")
    for directive in (*_BLOCKS, *_SINGLE):
        assert f"`{directive}`" in text, directive
    parser = argparse.ArgumentParser()
    populate_parser(parser)
    # Options of all commands are on the page of these.
    common = {"--help", "--quiet", "--color", "--version"}
    shown = [
        action.option_strings[-1]
        for action in parser._actions
        if action.help != argparse.SUPPRESS and action.option_strings
    ]
    for option in shown:
        assert option in common or f"`{option}" in text, option

"""The pages on how to do things show code that is built elsewhere: each piece is a part of the file that it names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / f"docs/how-to/{name}.md" for name in ("other-backends", "mixed", "cuda", "cross-build")]
_PIECE = re.compile(r"<!-- from: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_shown_is_that_of_the_examples(page: Path) -> None:
    pieces = _PIECE.findall(page.read_text(encoding="utf-8"))
    assert pieces
    for path, text in pieces:
        assert text.strip(), path
        assert text in (ROOT / path).read_text(encoding="utf-8"), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_other_code_is_what_is_typed_or_said(page: Path) -> None:
    rest = _PIECE.sub("", page.read_text(encoding="utf-8"))
    assert set(re.findall(r"^```(\w+)$", rest, re.MULTILINE)) <= {"text", "console"}


def test_every_example_is_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in ("setuptools", "hatchling", "meson_python", "plain_cmake", "mixed_pybind11", "mixed_nanobind", "cuda"):
        assert f"examples/{name}" in text, name

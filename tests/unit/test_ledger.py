"""The ledger: relations that hold in its data, and the code that reads its files and rejects damaged ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import report
from estimate import estimates
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from support.processes import run
from support.project import ROOT, RUNTIMES

from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.releases.breaks import parse_breaks
from tvm_ffi_build.contract.releases.ledger import parse_facts
from tvm_ffi_build.contract.releases.spans import as_span, parse_span
from tvm_ffi_build.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from facts import Fact

    from tvm_ffi_build.contract import Break

DATA = ROOT / "tvm_ffi_build" / "contract" / "releases"
LEDGER = read_ledger()
RELEASES = LEDGER.releases


def read_interfaces() -> dict[str, dict[str, Any]]:
    """Return the tables that are not in the wheel, with sets of releases for spans."""

    def parse(tree: Any) -> Any:
        if isinstance(tree, str):
            return parse_span(tree, RELEASES)
        return {name: parse(branch) for name, branch in tree.items()}

    data = json.loads(report.INTERFACES.read_text(encoding="utf-8"))
    return {table: parse(data[table]) for table in report.TABLES}


INTERFACES = read_interfaces()
TABLES = {**INTERFACES, "symbols": LEDGER.symbols, "leaked": LEDGER.leaked}

GET_FUNCTION = "_ZN3tvm3ffi9ModuleObj11GetFunctionERKNS0_6StringEb"
FIRST_MISMATCH = "_ZN3tvm3ffi15StructuralEqual16GetFirstMismatchERKNS0_3AnyES4_bb"
STRINGIFY = "_ZN3tvm3ffi4json9StringifyERKNS0_3AnyE"


# Relations that hold in the data


def test_releases_are_listed_oldest_first() -> None:
    assert list(RELEASES) == sorted(RELEASES, key=Version)


def test_the_releases_to_build_against_are_those_that_were_not_yanked() -> None:
    assert LEDGER.yanked < set(RELEASES)
    supported = RELEASES[RELEASES.index(RUNTIMES[0]) :]
    assert [name for name in supported if name not in LEDGER.yanked][: len(RUNTIMES)] == list(RUNTIMES)


def test_every_release_has_wheels() -> None:
    for release in RELEASES:
        assert any(release in releases for tags in LEDGER.platforms.values() for releases in tags.values()), release


def test_the_wheel_has_no_table_that_the_ledger_does_not_read() -> None:
    data = json.loads((DATA / "ledger.json").read_text(encoding="utf-8"))

    class Recorder(dict[str, Any]):
        read: ClassVar[set[str]] = set()

        def __getitem__(self, table: str) -> Any:
            self.read.add(table)
            return super().__getitem__(table)

    parse_facts(Recorder(data))
    assert Recorder.read | {"schema"} == data.keys()
    # A field that is only filled is a table that the wheel need not have.
    product = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tvm_ffi_build").rglob("*.py"))
    own = (DATA / "ledger.py").read_text(encoding="utf-8")
    used = {*re.findall(r"\bledger\.(\w+)", product), *re.findall(r"\bself\.(\w+)", own)}
    assert set(LEDGER._fields) - used == set()


@pytest.mark.parametrize("table", ["symbols", "leaked", "functions", "type_keys"])
def test_a_name_that_was_removed_never_came_back(table: str) -> None:
    for name, releases in TABLES[table].items():
        indexes = [RELEASES.index(release) for release in releases]
        assert releases == frozenset(RELEASES[min(indexes) : max(indexes) + 1]), name


@pytest.mark.parametrize("table", ["symbols", "type_keys"])
def test_no_name_was_both_added_and_removed(table: str) -> None:
    ends = {RELEASES[0], RELEASES[-1]}
    assert [name for name, releases in TABLES[table].items() if ends.isdisjoint(releases)] == []


def test_no_c_symbol_was_ever_removed() -> None:
    for name, releases in LEDGER.symbols.items():
        if name.startswith("TVMFFI"):
            since = min(map(RELEASES.index, releases))
            assert releases == frozenset(RELEASES[since:]), name


def test_symbols_of_libstdcxx_are_kept_apart() -> None:
    own = re.compile(r"TVMFFI|_Z[A-Z]*3tvm3ffi")
    assert [name for name in LEDGER.symbols if not own.match(name)] == []
    assert [name for name in LEDGER.leaked if own.match(name)] == []
    assert [name for name in LEDGER.symbols if LEDGER.releases_with_leak(name)] == []


def test_a_leaked_symbol_is_found_by_its_name_or_by_the_start_of_a_long_one() -> None:
    some, others = frozenset(RELEASES[:1]), frozenset(RELEASES[:2])
    ledger = LEDGER._replace(leaked={"__cxa_call": some, "_ZNSs4_Rep*": others})
    assert ledger.releases_with_leak("__cxa_call") == some
    assert ledger.releases_with_leak("_ZNSs4_Rep10_M_destroy") == others
    assert ledger.releases_with_leak("__cxa_call_terminate") == frozenset()
    assert ledger.releases_with_leak("_ZNSs4_Re") == frozenset()


def test_a_python_name_is_there_only_if_its_module_is() -> None:
    for name, releases in LEDGER.python.items():
        parent, _, _ = name.rpartition(".")
        assert not parent or releases <= LEDGER.python[parent], name


def test_a_parameter_is_listed_only_if_its_function_also_exists_without_it() -> None:
    for function, parameters in LEDGER.parameters.items():
        existing = LEDGER.python[function]
        for parameter, releases in parameters.items():
            assert releases & existing < existing, f"{function}({parameter})"


def test_every_exported_function_has_one_signature_in_each_release() -> None:
    for symbol, sizes in INTERFACES["signatures"].items():
        assert frozenset().union(*sizes.values()) == LEDGER.symbols[symbol], symbol


@pytest.mark.parametrize("table", ["sizes", "signatures", "slots"])
def test_sizes_are_numbers_of_bytes_and_one_in_each_release(table: str) -> None:
    for name, sizes in INTERFACES[table].items():
        assert all(re.fullmatch(r"\d+&?(\((\d+&?(,\d+&?)*)?\))?", size) for size in sizes), name
        assert sum(map(len, sizes.values())) == len(frozenset().union(*sizes.values())), name


def test_the_tags_of_a_platform_are_of_its_family_and_never_become_older() -> None:
    def version(tag: str) -> tuple[int, ...]:
        return tuple(map(int, re.findall(r"(?<=_)\d+(?=_)", tag)))

    for family, tags in LEDGER.platforms.items():
        assert all(fnmatchcase(tag, family) for tag in tags), family
        first_release = {tag: min(map(RELEASES.index, releases)) for tag, releases in tags.items()}
        assert sorted(tags, key=version) == sorted(tags, key=first_release.__getitem__)


def test_no_other_virtual_method_ever_changed() -> None:
    assert [slot for slot, sizes in INTERFACES["slots"].items() if len(sizes) > 1] == ["ModuleObj[2] GetFunction"]


def test_lines_tell_most_releases_apart() -> None:
    """A library contains the lines on which headers throw, which narrows down the release that it was built against."""
    lines = {
        release: frozenset(key for key, releases in LEDGER.lines.items() if release in releases) for release in RELEASES
    }
    assert len(set(lines.values())) > len(RELEASES) / 2
    for (header, line), releases in LEDGER.lines.items():
        assert LEDGER.releases_with_line(header, line) == releases
    assert LEDGER.releases_with_line("any.h", 1) == frozenset()
    assert LEDGER.releases_with_line("nothing.h", 153) == frozenset()


def test_a_call_of_several_lines_counts_for_its_first_and_its_last_line() -> None:
    """gcc records where the call starts, clang where it ends."""
    first, last = (LEDGER.releases_with_line("extra/cuda/cubin_launcher.h", line) for line in (294, 295))
    assert first == last != frozenset()


# Breaks

BREAKS = {known.name: known for known in LEDGER.breaks}


def test_a_break_separates_the_releases_of_each_of_its_pairs() -> None:
    both_ways = [{"built": "..0.2", "fails_on": "0.3.."}, {"built": "0.3", "fails_on": "0.1"}]
    row: dict[str, Any] = {
        "what": "A.",
        "pairs": both_ways,
        "condition": None,
        "signals": {},
        "complete": False,
        "issues": [],
    }
    releases = ("0.1", "0.2", "0.3")
    (known,) = parse_breaks({"sample": row}, releases)
    separated = [(built, runtime) for built in releases for runtime in releases if known.separates(built, runtime)]
    assert separated == [("0.1", "0.3"), ("0.2", "0.3"), ("0.3", "0.1")]


@pytest.mark.parametrize(
    ("name", "table", "of"),
    [
        ("module-get-function", "slots", "ModuleObj[2] GetFunction"),
        ("module-get-function", "signatures", GET_FUNCTION),
        ("module-virtual", "slots", "ModuleObj[2] GetFunction"),
        ("first-mismatch", "signatures", FIRST_MISMATCH),
        ("access-path", "sizes", "reflection::AccessPathObj"),
    ],
)
def test_a_break_of_sizes_is_where_the_sizes_differ(name: str, table: str, of: str) -> None:
    size_in = {release: size for size, releases in INTERFACES[table][of].items() for release in releases}
    for built in RELEASES:
        for runtime in RELEASES:
            assert BREAKS[name].separates(built, runtime) == (size_in[built] != size_in[runtime])


def test_a_break_of_symbols_is_where_the_symbol_is_missing() -> None:
    removed, added = (
        LEDGER.symbols[f"{STRINGIFY}NS0_8OptionalIivEE"],
        LEDGER.symbols[f"{STRINGIFY}RKNS0_8OptionalIivEE"],
    )
    for built in RELEASES:
        needed = removed if built in removed else added
        for runtime in RELEASES:
            assert BREAKS["json-stringify"].separates(built, runtime) == (runtime not in needed)
            if BREAKS["allocator"].separates(built, runtime):
                assert runtime not in LEDGER.symbols["TVMFFIGetCustomAllocator"]
            if BREAKS["leaked-terminate"].separates(built, runtime):
                assert runtime not in LEDGER.releases_with_leak("__cxa_call_terminate")


@pytest.mark.parametrize(("name", "type_key"), [("list-dict", "ffi.List"), ("big-int", "ffi.BigInt")])
def test_a_break_of_a_new_type_is_where_the_type_is_missing(name: str, type_key: str) -> None:
    having = TABLES["type_keys"][type_key]
    for built in RELEASES:
        for runtime in RELEASES:
            assert BREAKS[name].separates(built, runtime) == (built in having and runtime not in having)


def test_no_release_breaks_with_itself() -> None:
    assert [(known.name, one) for known in LEDGER.breaks for one in RELEASES if known.separates(one, one)] == []


def matching(pattern: str, names: Any) -> list[str]:
    expression = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
    return [name for name in names if expression.fullmatch(name)]


@pytest.mark.parametrize("known", LEDGER.breaks, ids=lambda known: known.name)
def test_a_break_has_signs_that_exist(known: Break) -> None:
    for pattern in known.imports:
        assert matching(pattern, LEDGER.symbols)
    for issue in known.issues:
        assert re.fullmatch(r"[\w-]+/[\w-]+#\d+", issue)
    assert known.what.endswith(".")
    # Without a sign, neither the break nor its absence is certain.
    assert known.condition or known.imports or known.strings
    # Words in Python files only confirm a sign in the library.
    assert known.imports or known.leaks or known.strings or not known.python
    assert not known.complete or known.imports or known.leaks or known.strings


# Its files


def test_the_files_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in DATA.glob("*.json")}
    # Most of it is one digest for each published wheel, which does not compress.
    assert sizes.pop("published_files.json") < 25_000
    assert sum(sizes.values()) < 60_000


@pytest.mark.parametrize("path", [DATA / "ledger.json", report.INTERFACES], ids=lambda path: path.stem)
def test_an_entry_is_a_line_and_in_order(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) < 200
    assert len(lines) == len(set(enumerate(lines)))

    def key(name: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]

    def check(tree: Any) -> None:
        if isinstance(tree, dict):
            assert list(tree) == sorted(tree, key=key)
            for branch in tree.values():
                check(branch)

    data = json.loads(path.read_text(encoding="utf-8"))
    assert list(data)[:2] == ["schema", "releases"]
    assert tuple(data["releases"]) == RELEASES
    check({name: table for name, table in data.items() if name not in {"schema", "releases"}})


def test_the_ledger_is_read_once_and_only_if_asked_for() -> None:
    assert read_ledger() is LEDGER
    script = (
        # Coverage, if it looks on, has imported json before.
        "import sys; before = set(sys.modules); import tvm_ffi_build.contract;"
        "print({'json', 'packaging'} & (set(sys.modules) - before))"
    )
    assert run(sys.executable, "-c", script).stdout.strip() == "set()"


@pytest.fixture
def tampered(tmp_path: Path) -> Callable[[str, Callable[[Any], Any]], Path]:
    """Return a function that gives a folder with copies of the files, one of them changed."""

    def write(name: str = "", change: Callable[[Any], Any] = list) -> Path:
        for path in DATA.glob("*.json"):
            data = json.loads(path.read_text(encoding="utf-8"))
            changed = change(data) if path.name == name else None
            content = json.dumps(data if changed is None else changed)
            (tmp_path / path.name).write_text(content, encoding="utf-8")
        return tmp_path

    return write


def replace(*words: str, by: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for word in words[:-1]:
            data = data[word]
        data[words[-1]] = by

    return change


def remove(*words: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for word in words[:-1]:
            data = data[word]
        del data[words[-1]]

    return change


def test_a_copy_is_read(tampered: Callable[..., Path]) -> None:
    assert read_ledger(tampered()) == LEDGER


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ledger.json", replace("c_symbols", "TVMFFIFunctionCall", by="0.1.99..")),
        ("ledger.json", replace("c_symbols", "TVMFFIFunctionCall", by="0.1.9..0.1.8")),
        ("ledger.json", replace("c_symbols", "TVMFFIFunctionCall", by="0.1.9.., 0.1.10..")),
        ("ledger.json", replace("c_symbols", "TVMFFIFunctionCall", by="")),
        ("ledger.json", replace("c_symbols", "TVMFFIFunctionCall", by=None)),
        ("ledger.json", replace("c_symbols", "TVMFFIFunctionCall", by=["0.1.9"])),
        ("ledger.json", replace("c_symbols", by=[])),
        ("ledger.json", remove("leaked")),
        ("ledger.json", remove("status", "yanked")),
        ("ledger.json", replace("releases", by=[])),
        ("ledger.json", replace("releases", by=["0.1.0", "0.1.0"])),
        ("ledger.json", replace("releases", by=[1, 2])),
        ("ledger.json", replace("platforms", "win_amd64", by={"win_amd64": "..", "win_arm64": "0.1.8.."})),
        ("ledger.json", replace("lines", "any.h", by={"12 x": ".."})),
        ("ledger.json", replace("schema", by=2)),
        ("ledger.json", lambda _: []),
        ("ledger.json", lambda _: {"name": "something else"}),
        ("breaks.json", remove("marks")),
        ("breaks.json", replace("breaks", "list-dict", "pairs", by=[])),
        ("breaks.json", replace("breaks", "list-dict", "pairs", by=[{"built": ".."}])),
        ("breaks.json", replace("breaks", "list-dict", "what", by=1)),
        ("breaks.json", replace("breaks", "list-dict", "condition", by=1)),
        ("breaks.json", replace("breaks", "list-dict", "signals", by={"import": []})),
        ("breaks.json", replace("breaks", "list-dict", "signals", by={"imports": "ffi.List"})),
        ("breaks.json", replace("breaks", "list-dict", "signal", by={})),
        ("breaks.json", replace("breaks", "list-dict", "complete", by=0)),
        ("breaks.json", replace("breaks", "list-dict", "issues", by=[307])),
        ("breaks.json", lambda _: "text"),
    ],
)
def test_a_changed_file_is_refused_in_a_line(
    tampered: Callable[..., Path], name: str, change: Callable[[Any], Any]
) -> None:
    with pytest.raises(LedgerError, match=r"; run: python -m pip install --force-reinstall ") as caught:
        read_ledger(tampered(name, change))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"schema": 1, "schema": 1}', b"[" * 100_000, b"1"])
def test_what_is_no_ledger(tampered: Callable[..., Path], content: bytes) -> None:
    folder = tampered()
    (folder / "ledger.json").write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.json was changed"):
        read_ledger(folder)


def test_a_ledger_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"ledger\.json cannot be read \(No such file"):
        read_ledger(tmp_path)


# The report on releases


def test_the_report_lists_what_was_added_removed_or_resized() -> None:
    before: set[Fact] = {("sizes", "Cell", "8"), ("sizes", "Same", "16&"), ("functions", "f")}
    after: set[Fact] = {("sizes", "Cell", "16"), ("sizes", "Same", "16&"), ("type_keys", "T")}
    assert list(report.list_changes(before, after)) == [
        "functions: f: present -> absent",
        "sizes: Cell: 8 -> 16",
        "type_keys: T: absent -> present",
    ]
    assert list(report.list_changes(before, before)) == []


def test_the_report_of_two_releases_names_the_break_between_them() -> None:
    done = run(sys.executable, ROOT / "ledger" / "report.py", "0.1.12", "0.1.13")
    assert "slots: ModuleObj[2] GetFunction: 8&(8) -> 16&(8)" in done.stdout.replace(",1", "")
    refused = run(sys.executable, ROOT / "ledger" / "report.py", "0.1.12", "9.9", ok=False)
    assert refused.returncode == 2
    assert "9.9" in refused.stderr


@given(st.sets(st.sampled_from(RELEASES), min_size=1))
def test_a_span_says_which_releases(some: set[str]) -> None:
    assert parse_span(as_span(some, RELEASES), RELEASES) == some


def test_a_span_to_the_newest_stays_open() -> None:
    assert as_span(RELEASES, RELEASES) == ".."
    assert as_span(RELEASES[-1:], RELEASES) == f"{RELEASES[-1]}.."
    assert as_span(RELEASES[:1], RELEASES) == "0.1.0"


# Its making


@pytest.mark.slow
def test_the_oldest_and_the_newest_release_are_as_recorded(tmp_path: Path) -> None:
    ends = [RELEASES[0], RELEASES[-1]]
    done = subprocess.run(
        [sys.executable, ROOT / "ledger" / "regenerate.py", "--check", "--work", tmp_path, "--only", *ends],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (0, "no difference\n"), done.stderr


@pytest.mark.slow
def test_the_index_is_asked_for_news() -> None:
    done = run(sys.executable, ROOT / "ledger" / "news.py", ok=False)
    # What others release or withdraw is no failure of this project's tests.
    found = [line for line in done.stdout.splitlines() if not re.match(r"[\w.]+ (is new|was yanked)", line)]
    assert found == ([] if done.returncode else ["nothing new"]), done.stderr


@pytest.mark.slow
def test_the_release_that_a_library_was_built_against_is_among_those_that_its_code_tells(tmp_path: Path) -> None:
    """Of libraries without a record, that others have built, for every platform that there are wheels for."""
    found = estimates(tmp_path, ["0.1.0", "0.1.9", "0.1.13.post2", RELEASES[-1]])
    assert len({one.platform for one in found}) >= 5
    assert [one for one in found if one.release not in one.candidates] == []
    assert sum(len(one.candidates) for one in found) <= 3 * len(found)

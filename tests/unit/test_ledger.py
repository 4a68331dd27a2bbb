"""The ledger: what its files say, and that nothing else is taken for them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from estimate import estimates
from hypothesis import given
from hypothesis import strategies as st
from support.processes import run
from support.project import ROOT, RUNTIMES

from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.spans import as_span, parse_span
from tvm_ffi_build.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tvm_ffi_build.contract import Break

DATA = ROOT / "tvm_ffi_build" / "contract"
LEDGER = read_ledger()
RELEASES = LEDGER.releases

GET_FUNCTION = "_ZN3tvm3ffi9ModuleObj11GetFunctionERKNS0_6StringEb"
FIRST_MISMATCH = "_ZN3tvm3ffi15StructuralEqual16GetFirstMismatchERKNS0_3AnyES4_bb"
STRINGIFY = "_ZN3tvm3ffi4json9StringifyERKNS0_3AnyE"


def span(text: str) -> frozenset[str]:
    return parse_span(text, RELEASES)


# What it says


def test_all_releases_in_order_and_which_were_withdrawn() -> None:
    assert RELEASES[0] == "0.1.0"
    assert (
        RELEASES.index("0.1.9") < RELEASES.index("0.1.10") < RELEASES.index("0.1.13") < RELEASES.index("0.1.13.post0")
    )
    assert len(RELEASES) >= 28
    assert LEDGER.yanked >= {"0.1.8", "0.1.13", "0.1.13.post0", "0.1.13.post1", "0.1.14", "0.1.15", "0.1.15.post0"}
    first = RELEASES.index(RUNTIMES[0])
    assert [name for name in RELEASES[first:] if name not in LEDGER.yanked][: len(RUNTIMES)] == list(RUNTIMES)


@pytest.mark.parametrize(
    ("symbol", "releases"),
    [
        ("TVMFFIFunctionCall", ".."),
        ("TVMFFIHandleInitOnce", "0.1.5.."),
        ("TVMFFITensorCreateUnsafeView", "0.1.6.."),
        ("TVMFFIErrorCreateWithCauseAndExtraContext", "0.1.8.."),
        ("_ZN3tvm3ffi8DeepCopyERKNS0_3AnyE", "0.1.9.."),
        ("_ZN3tvm3ffi9ReprPrintERKNS0_3AnyE", "0.1.10.."),
        ("TVMFFIGetCustomAllocator", "0.1.13.."),
        ("TVMFFIBigIntFromByteArray", "0.1.14.post0.."),
        (f"{STRINGIFY}NS0_8OptionalIivEE", "..0.1.12"),
        (f"{STRINGIFY}RKNS0_8OptionalIivEE", "0.1.13.."),
        (GET_FUNCTION, ".."),
        ("_ZTVN3tvm3ffi9ModuleObjE", ".."),
        ("_ZTIN3tvm3ffi5ErrorE", "0.1.13.."),
    ],
)
def test_the_releases_that_export_a_symbol(symbol: str, releases: str) -> None:
    assert LEDGER.symbols[symbol] == span(releases)


def test_no_c_symbol_was_ever_removed() -> None:
    for name, releases in LEDGER.symbols.items():
        if name.startswith("TVMFFI"):
            since = min(map(RELEASES.index, releases))
            assert releases == frozenset(RELEASES[since:]), name


def test_the_symbols_of_a_release() -> None:
    oldest = LEDGER.exported("0.1.0")
    assert len([name for name in oldest if name.startswith("TVMFFI")]) == 42
    assert oldest < LEDGER.exported("0.1.12")
    assert "TVMFFIGetCustomAllocator" not in oldest
    assert LEDGER.exported("9.9") == frozenset()


def test_parts_of_the_cxx_library_are_kept_apart() -> None:
    assert not [name for name in LEDGER.symbols if not re.match(r"TVMFFI|_Z[A-Z]*3tvm3ffi", name)]
    assert LEDGER.with_leak("__cxa_call_terminate") == span("..0.1.1")
    assert LEDGER.with_leak("_ZSt21ios_base_library_initv") == span("..0.1.12")
    assert LEDGER.with_leak("_ZNSt7__cxx1119basic_ostringstreamIcSt11char_traitsIcESaIcEEC1Ev") == span("..0.1.12")
    assert LEDGER.with_leak("TVMFFIFunctionCall") == frozenset()
    assert LEDGER.with_leak("_ZSt21ios_base_library_init") == frozenset()


@pytest.mark.parametrize(
    ("table", "name", "releases"),
    [
        ("type_keys", "ffi.Module", ".."),
        ("type_keys", "ffi.List", "0.1.9.."),
        ("type_keys", "ffi.Dict", "0.1.9.."),
        ("type_keys", "ffi.Enum", "0.1.11.."),
        ("type_keys", "ffi.BigInt", "0.1.14.post0.."),
        ("functions", "ffi.ModuleLoadFromFile", ".."),
        ("functions", "ffi.GetRegisteredTypeKeys", "0.1.3.."),
        ("functions", "ffi.MapGetMissingObject", "0.1.6..0.1.8.post2"),
        ("functions", "ffi.MakeInit", "0.1.10"),
        ("python", "tvm_ffi.load_module", ".."),
        ("python", "tvm_ffi.libinfo", ".."),
        ("python", "tvm_ffi.libinfo.load_lib_module", "0.1.6.."),
        ("python", "tvm_ffi.core.from_dlpack", ".."),
        ("python", "tvm_ffi.base", "..0.1.5"),
        ("python", "tvm_ffi.Dict", "0.1.9.."),
        ("pythons", "cp314t", ".."),
        ("pythons", "cp314", "0.1.13.post3.."),
        ("numbers", "0.1.14", "0.1.13.post0..0.1.14.post0"),
        ("marks", "ffi._RegisterFFIInit", "0.1.11.."),
    ],
)
def test_the_releases_that_know_a_name(table: str, name: str, releases: str) -> None:
    assert getattr(LEDGER, table)[name] == span(releases)


def test_the_releases_that_take_a_parameter() -> None:
    assert LEDGER.parameters["tvm_ffi.load_module"] == {"keep_module_alive": span("0.1.6..")}
    assert LEDGER.parameters["tvm_ffi.cpp.load_inline"]["embed_cubin"] == span("0.1.4..")
    # What is there as long as the function is left out.
    assert "path" not in LEDGER.parameters["tvm_ffi.load_module"]
    assert "tvm_ffi.get_global_func" not in LEDGER.parameters


def test_the_functions_grow() -> None:
    counts = {release: sum(release in some for some in LEDGER.functions.values()) for release in RELEASES}
    assert counts["0.1.0"] == 37
    assert counts["0.1.15.post2"] == 100


@pytest.mark.parametrize(
    ("table", "name", "sizes"),
    [
        ("sizes", "TVMFFIErrorCell", {"56": "..0.1.7", "72": "0.1.8.."}),
        ("sizes", "ErrorObj", {"80": "..0.1.7", "96": "0.1.8.."}),
        ("sizes", "TVMFFIAny", {"16": ".."}),
        ("sizes", "ModuleObj", {"48": ".."}),
        ("sizes", "TVMFFIFieldInfo", {"120": ".."}),
        ("sizes", "Optional<int>", {"8&": "..0.1.12", "16&": "0.1.13.."}),
        ("sizes", "Optional<bool>", {"2&": "..0.1.12", "16&": "0.1.13.."}),
        ("sizes", "Optional<ObjectRef>", {"8&": "..0.1.12, 0.1.13.post2..", "16&": "0.1.13..0.1.13.post1"}),
        ("sizes", "Variant<Array<Any>, Function>", {"8&": "..0.1.12", "16&": "0.1.13.."}),
        ("sizes", "reflection::AccessPathObj", {"48": "..0.1.12, 0.1.13.post2..", "64": "0.1.13..0.1.13.post1"}),
        ("signatures", GET_FUNCTION, {"8&(8,1)": "..0.1.12, 0.1.13.post1..", "16&(8,1)": "0.1.13..0.1.13.post0"}),
        (
            "signatures",
            FIRST_MISMATCH,
            {"8&(8,8,1,1)": "..0.1.12, 0.1.13.post2..", "16&(8,8,1,1)": "0.1.13..0.1.13.post1"},
        ),
        ("slots", "ModuleObj[2] GetFunction", {"8&(8)": "..0.1.12, 0.1.13.post1..", "16&(8)": "0.1.13..0.1.13.post0"}),
        ("slots", "ModuleObj[5] GetFunctionMetadata", {"16&(8)": ".."}),
        ("slots", "Error[2] what", {"8()": ".."}),
        ("platforms", "manylinux_*_x86_64", {"manylinux_2_17_x86_64": "..0.1.12", "manylinux_2_24_x86_64": "0.1.13.."}),
        ("platforms", "macosx_*_arm64", {"macosx_11_0_arm64": ".."}),
        ("platforms", "win_arm64", {"win_arm64": "0.1.15.."}),
    ],
)
def test_how_large_things_are(table: str, name: str, sizes: dict[str, str]) -> None:
    assert getattr(LEDGER, table)[name] == {size: span(releases) for size, releases in sizes.items()}


def test_no_other_virtual_method_ever_changed() -> None:
    assert [slot for slot, sizes in LEDGER.slots.items() if len(sizes) > 1] == ["ModuleObj[2] GetFunction"]


def test_neither_macos_x86_64_nor_musl_has_wheels() -> None:
    assert set(LEDGER.platforms) == {
        "macosx_*_arm64",
        "manylinux_*_aarch64",
        "manylinux_*_x86_64",
        "win_amd64",
        "win_arm64",
    }


def test_the_releases_whose_headers_throw_on_a_line() -> None:
    assert LEDGER.with_line("any.h", 153) == span("..0.1.11")
    assert LEDGER.with_line("any.h", 669) == span("0.1.9..0.1.11")
    assert LEDGER.with_line("any.h", 1) == frozenset()
    assert LEDGER.with_line("nothing.h", 153) == frozenset()
    # One call of several lines: gcc says where it begins, clang where it ends.
    assert LEDGER.with_line("extra/cuda/cubin_launcher.h", 294) == LEDGER.with_line("extra/cuda/cubin_launcher.h", 295)
    distinct = {
        release: frozenset(key for key, releases in LEDGER.lines.items() if release in releases) for release in RELEASES
    }
    assert len(set(distinct.values())) > 15


# Breaks

BREAKS = {known.name: known for known in LEDGER.breaks}


@pytest.mark.parametrize(
    ("name", "built", "works_on", "fails_on"),
    [
        ("allocator", "0.1.13", "0.1.13.post0", "0.1.12"),
        ("json-stringify", "0.1.12", "0.1.0", "0.1.13"),
        ("json-stringify", "0.1.15.post2", "0.1.13", "0.1.12"),
        ("module-get-function", "0.1.13", "0.1.13.post0", "0.1.13.post1"),
        ("module-get-function", "0.1.15.post2", "0.1.0", "0.1.13.post0"),
        ("first-mismatch", "0.1.13", "0.1.13.post1", "0.1.13.post2"),
        ("big-int", "0.1.14.post0", "0.1.14.post0", "0.1.14"),
        ("enum-state", "0.1.12", "0.1.11", "0.1.13"),
        ("enum-state", "0.1.13", "0.1.13", "0.1.12"),
        ("list-dict", "0.1.9", "0.1.9", "0.1.8.post2"),
        ("error-cause", "0.1.8", "0.1.8", "0.1.7"),
        ("error-context", "0.1.7", "0.1.11", "0.1.12"),
        ("field-setter", "0.1.9", "0.1.9", "0.1.10"),
        ("leaked-symbols", "0.1.12", "0.1.12", "0.1.13"),
        ("leaked-terminate", "0.1.0", "0.1.1", "0.1.4"),
    ],
)
def test_what_a_break_separates(name: str, built: str, works_on: str, fails_on: str) -> None:
    assert not BREAKS[name].separates(built, works_on)
    assert BREAKS[name].separates(built, fails_on)


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
    size_in = {release: size for size, releases in getattr(LEDGER, table)[of].items() for release in releases}
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
                assert runtime not in LEDGER.with_leak("__cxa_call_terminate")


def test_no_release_breaks_with_itself() -> None:
    assert [(known.name, one) for known in LEDGER.breaks for one in RELEASES if known.separates(one, one)] == []


def matching(pattern: str, names: Any) -> list[str]:
    expression = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
    return [name for name in names if expression.fullmatch(name)]


@pytest.mark.parametrize("known", LEDGER.breaks, ids=lambda known: known.name)
def test_a_break_is_told_by_what_exists(known: Break) -> None:
    for pattern in known.imports:
        assert matching(pattern, LEDGER.symbols)
    for issue in known.issues:
        assert re.fullmatch(r"[\w-]+/[\w-]+#\d+", issue)
    assert known.what.endswith(".")
    # What is told by nothing cannot be certain, and its absence neither.
    assert known.condition or known.imports or known.strings
    # Words in Python files only say more of what the library tells.
    assert known.imports or known.leaks or known.strings or not known.python
    assert not known.complete or known.imports or known.leaks or known.strings


# Its files


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA.glob("*.json")) < 60_000


def test_an_entry_is_a_line_and_in_order() -> None:
    lines = (DATA / "ledger.json").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) < 200
    assert len(lines) == len(set(enumerate(lines)))

    def key(name: str) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]

    def check(tree: Any) -> None:
        if isinstance(tree, dict):
            assert list(tree) == sorted(tree, key=key)
            for branch in tree.values():
                check(branch)

    data = json.loads((DATA / "ledger.json").read_text(encoding="utf-8"))
    assert list(data)[:2] == ["schema", "releases"]
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
        ("ledger.json", remove("type_keys")),
        ("ledger.json", remove("status", "yanked")),
        ("ledger.json", replace("releases", by=[])),
        ("ledger.json", replace("releases", by=["0.1.0", "0.1.0"])),
        ("ledger.json", replace("releases", by=[1, 2])),
        ("ledger.json", replace("sizes", "TVMFFIErrorCell", by={"56": "..", "72": "0.1.8.."})),
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
    found = [line for line in done.stdout.splitlines() if not re.match(r"[\w.]+ (is new|was withdrawn)", line)]
    assert found == ([] if done.returncode else ["nothing new"]), done.stderr


@pytest.mark.slow
def test_the_release_that_a_library_was_built_against_is_among_those_that_its_code_tells(tmp_path: Path) -> None:
    """Of libraries without a record, that others have built, for every platform that there are wheels for."""
    found = estimates(tmp_path, ["0.1.0", "0.1.9", "0.1.13.post2", RELEASES[-1]])
    assert len({one.platform for one in found}) >= 5
    assert [one for one in found if one.release not in one.candidates] == []
    assert sum(len(one.candidates) for one in found) <= 3 * len(found)

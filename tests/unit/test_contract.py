"""What follows for the releases of the runtime from what a library needs, by rules and without a library."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from support.processes import run

from tvm_ffi_build.audit.audit_wheels import Report
from tvm_ffi_build.audit.formats.text import as_text as audit_as_text
from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.binaries.runtime_calls import is_runtime_symbol
from tvm_ffi_build.cmake_steps.runtime_guard import main as write_bounds
from tvm_ffi_build.contract import Break, Ledger, read_ledger, verify
from tvm_ffi_build.contract.assess import Assessment, assess, common_releases
from tvm_ffi_build.contract.evidence.needs import Needs, Traces, conclude_needs
from tvm_ffi_build.contract.evidence.python_files import PythonFiles
from tvm_ffi_build.contract.evidence.python_use import UnreadPythonError, find_python_uses
from tvm_ffi_build.contract.report import as_json, as_text
from tvm_ffi_build.contract.requirement import Range, derive_range, next_minor
from tvm_ffi_build.contract.verdicts import (
    BAD,
    OK,
    UNKNOWN,
    WARN,
    Reason,
    Verdict,
    derive_verdicts,
    find_python_reasons,
    merge_verdicts,
    verdict,
)
from tvm_ffi_build.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tvm_ffi_build.binaries import Binary

RELEASES = ("0.1", "0.2", "0.3", "0.4", "0.5")
EVERY = frozenset(RELEASES)


def ledger(*, yanked: Collection[str] = (), breaks: Collection[Break] = (), **tables: Mapping[str, object]) -> Ledger:
    """Return a ledger of five releases that have nothing but what is said."""
    empty: dict[str, object] = {name: {} for name in Ledger._fields}
    return Ledger(**{**empty, "releases": RELEASES, "yanked": frozenset(yanked), "breaks": tuple(breaks), **tables})  # type: ignore[arg-type]


def needs(*symbols: str, built: Collection[str] = EVERY, breaks: Collection[Break] = ()) -> Needs:
    return Needs("lib.so", frozenset(symbols), frozenset(), frozenset(built), None, tuple(breaks))


def broken(built: Collection[str], fails_on: Collection[str], condition: str | None = None) -> Break:
    pairs = ((frozenset(built), frozenset(fails_on)),)
    return Break("layout", "A layout changed.", pairs, condition, (), (), (), (), complete=True, issues=())


def span(digits: str) -> frozenset[str]:
    return frozenset(f"0.{digit}" for digit in digits)


def statuses(found: dict[str, Verdict]) -> list[str]:
    return [found[release].status for release in RELEASES]


def test_a_symbol_that_is_not_there_is_bad_and_named() -> None:
    known = ledger(symbols={"TVMFFINew": frozenset(RELEASES[2:]), "TVMFFIOld": EVERY})
    found = derive_verdicts(needs("TVMFFINew", "TVMFFIOld"), known)
    assert statuses(found) == [BAD, BAD, OK, OK, OK]
    assert found["0.1"].reasons == (Reason(BAD, "symbol", "lib.so needs TVMFFINew", "TVMFFINew"),)


def test_a_symbol_that_no_release_has_is_bad_everywhere() -> None:
    assert statuses(derive_verdicts(needs("TVMFFIFromTheFuture"), ledger())) == [BAD] * 5


@pytest.mark.parametrize(
    ("built", "condition", "status"),
    [
        ({"0.2"}, None, BAD),
        ({"0.2"}, "it does", WARN),
        ({"0.1", "0.2"}, None, WARN),  # it may have been built against the one that works
        ({"0.1"}, None, OK),
    ],
)
def test_a_break_is_as_bad_as_what_is_known_of_the_build(built: set[str], condition: str | None, status: str) -> None:
    known = broken({"0.2"}, {"0.4"}, condition)
    found = derive_verdicts(needs(built=built, breaks=[known]), ledger(breaks=[known]))
    assert statuses(found) == [OK, OK, OK, status, OK]


@pytest.mark.parametrize(
    ("symbols", "python", "concerned"),
    [
        ({"TVMFFIThrow"}, "error.context", True),
        ({"TVMFFIThrow"}, "error.kind", False),
        ({"TVMFFIThrow"}, "", False),
        ({"TVMFFICall"}, "error.context", False),
    ],
)
def test_a_break_may_need_both_a_sign_in_the_library_and_a_word_in_python(
    symbols: set[str], python: str, concerned: bool
) -> None:
    known = broken(EVERY, {"0.5"}, "it does")._replace(imports=("TVMFFIThrow",), python=("context",))
    traces = Traces(frozenset(symbols), frozenset(), frozenset(), None, EVERY)
    found = conclude_needs(traces, ledger(breaks=[known]), name="lib.so", python=python)
    assert found.breaks == ((known,) if concerned else ())


def test_what_surely_fails_is_not_said_to_fail_under_a_condition_as_well() -> None:
    known = broken({"0.2"}, {"0.4"})
    perhaps = known._replace(name="perhaps", condition="it does")
    found = derive_verdicts(needs(built={"0.2"}, breaks=[known, perhaps]), ledger())
    assert [reason.rule for reason in found["0.4"].reasons] == [known.name]


def test_several_libraries_all_have_to_work() -> None:
    known = ledger(symbols={"TVMFFINew": frozenset(RELEASES[2:])})
    change = broken(EVERY, {"0.5"}, "it does")
    both = merge_verdicts(
        [derive_verdicts(needs("TVMFFINew"), known), derive_verdicts(needs(breaks=[change]), known)], known
    )
    assert statuses(both) == [BAD, BAD, OK, OK, WARN]


def test_the_worst_reason_is_the_verdict() -> None:
    warn, bad = Reason(WARN, "a", ""), Reason(BAD, "b", "")
    assert verdict([]) == Verdict(OK)
    assert verdict([warn, bad, warn]) == Verdict(BAD, (warn, bad))


@pytest.mark.parametrize(
    ("failing", "yanked", "built", "text"),
    [
        ("", "", "5", ">=0.1,<0.6"),
        ("12", "", "5", ">=0.3,<0.6"),
        ("3", "3", "5", ">=0.1,!=0.3,<0.6"),
        ("3", "", "5", ">=0.4,<0.6"),  # nobody is to meet a release in the middle that fails
        ("3", "", "1", ">=0.1,<0.3"),
        ("5", "", "1", ">=0.1,<0.5"),
        ("5", "5", "1", ">=0.1,<0.5"),
        ("", "1", "5", ">=0.2,<0.6"),
        ("1234", "4", "5", ">=0.5,<0.6"),
    ],
)
def test_the_range(failing: str, yanked: str, built: str, text: str) -> None:
    found = {one: Verdict(BAD if one[-1] in failing else OK) for one in RELEASES}
    known = ledger(yanked={f"0.{digit}" for digit in yanked})
    assert str(derive_range(found, {f"0.{built}"}, known)) == text


def test_there_may_be_no_range() -> None:
    found = derive_range(dict.fromkeys(RELEASES, Verdict(BAD)), EVERY, ledger())
    assert found.floor is None


@given(st.sets(st.sampled_from(RELEASES)), st.sets(st.sampled_from(RELEASES)), st.sets(st.sampled_from(RELEASES)))
def test_a_range_admits_nothing_that_fails(failing: set[str], yanked: set[str], built: set[str]) -> None:
    found = {one: Verdict(BAD if one in failing else OK) for one in RELEASES}
    rng = derive_range(found, built, ledger(yanked=yanked))
    assert rng.floor is None or not set(SpecifierSet(str(rng)).filter(failing, prereleases=True))
    if EVERY - failing - yanked:
        assert rng.floor in EVERY - failing - yanked


def test_the_cap_is_the_next_minor() -> None:
    assert [next_minor(version) for version in ("0.1.15.post2", "1.4", "2.0rc1")] == ["0.2", "1.5", "2.1"]


def test_a_release_that_nobody_knows_is_unknown() -> None:
    found = Assessment((), frozenset(), {}, Range("0.1", (), "0.6"))
    assert found.verdict("0.7") == Verdict(UNKNOWN)


def test_what_is_declared_is_too_wide_by_what_is_known_to_fail() -> None:
    known = ledger(yanked={"0.2"})
    bad = Verdict(BAD, (Reason(WARN, "layout", "it may"), Reason(BAD, "layout", "it does")))
    found = {one: bad if one in {"0.1", "0.2", "0.3"} else Verdict(OK) for one in RELEASES}
    assessment = Assessment((), EVERY, found, derive_range(found, EVERY, known), (SpecifierSet(">=0.2"),))
    assert assessment.too_wide(known) == ["0.3"]
    assert assessment.failures("0.3", known) == ["it does"]


def test_what_no_release_has_is_no_matter_of_what_is_declared() -> None:
    known = ledger(symbols={"TVMFFINew": span("5")})
    library = needs("TVMFFINew", "TVMFFIFromTheFuture")
    found = derive_verdicts(library, known)
    assessment = Assessment((library,), EVERY, found, derive_range(found, EVERY, known), (SpecifierSet(">=0.4"),))
    assert assessment.too_wide(known) == ["0.4"]
    assert assessment.failures("0.4", known) == ["lib.so needs TVMFFINew"]


# What a library of a project may define in the runtime's namespace.
OWN_TRAITS = "_ZN3tvm3ffi10TypeTraitsI6MyEnumE7ConvertEi"


@pytest.mark.parametrize(
    ("symbol", "is_contradicted"),
    [("_ZN3tvm3ffi3NewEv", True), ("TVMFFINew", True), ("TVMFFIFromTheFuture", True), (OWN_TRAITS, False)],
)
def test_which_symbols_contradict_a_record(symbol: str, is_contradicted: bool) -> None:
    """Those that some release has, and all that are named like the C ABI's."""
    known = ledger(symbols=dict.fromkeys(["_ZN3tvm3ffi3NewEv", "TVMFFINew"], span("5")))
    traces = Traces(frozenset({symbol}), frozenset(), frozenset(), "0.4", EVERY)
    if is_contradicted:
        with pytest.raises(
            RecordError, match=f"^lib.so declares that it was built against 0.4, which has no {symbol}; "
        ):
            conclude_needs(traces, known, name="lib.so")
    else:
        assert conclude_needs(traces, known, name="lib.so").built_with == {"0.4"}


def library_of(path: Path, symbol: str, *, has: bool = False) -> tuple[Path, Binary]:
    """Compile a library that has a symbol, or needs it."""
    text = f"int {symbol}(void) {{ return 1; }}" if has else f"int {symbol}(void); int f(void) {{ return {symbol}(); }}"
    path.with_suffix(".c").write_text(text, encoding="utf-8")
    run("cc", "-shared", "-fPIC", "-nostdlib", "-o", path, path.with_suffix(".c"))
    return path, read_binary(path)


@pytest.mark.parametrize(
    ("symbol", "beside", "status"),
    [
        (OWN_TRAITS, False, BAD),
        (OWN_TRAITS, True, OK),
        # A release has it, and a copy beside is no way to get it.
        ("TVMFFIBigIntFromByteArray", True, BAD),
    ],
)
def test_what_a_library_beside_has_is_not_looked_for_in_the_runtime(
    tmp_path: Path, symbol: str, beside: bool, status: str
) -> None:
    libraries = {"libneeds.so": library_of(tmp_path / "libneeds.so", symbol)}
    if beside:
        libraries["libhas.so"] = library_of(tmp_path / "libhas.so", symbol, has=True)
    found = assess(libraries, read_ledger())
    assert found.verdict("0.1.0").status == status


@pytest.mark.parametrize(
    ("symbol", "is_its"),
    [
        ("TVMFFIFunctionCall", True),
        ("_ZN3tvm3ffi4json5ParseERKNS0_6StringEPS2_", True),
        ("_ZTIN3tvm3ffi9ModuleObjE", True),
        ("_ZNK3tvm3ffi9ModuleObj4kindEv", True),
        ("_ZN3tvm2te7computeE", False),
        ("_ZNSt6vectorIN3tvm3ffi3AnyESaIS2_EED1Ev", False),
        ("TVMGetLastError", False),
        ("malloc", False),
    ],
)
def test_which_symbols_are_the_runtimes(symbol: str, is_its: bool) -> None:
    assert is_runtime_symbol(symbol) == is_its


PYTHON = """
from __future__ import annotations
import tvm_ffi
import tvm_ffi.libinfo as info
from tvm_ffi import core as c, List
from .tvm_ffi import nothing

Base = tvm_ffi.Object
info.load_lib_module("x", "y")

def f(x: tvm_ffi.Annotated = tvm_ffi.dtype) -> tvm_ffi.Result:
    return c.String(x)

async def g():
    return tvm_ffi.Awaited, lambda: tvm_ffi.Called

@tvm_ffi.register_global_func
def h():
    pass

@tvm_ffi.register_object("x")
class A:
    field: tvm_ffi.Field

if tvm_ffi.__version__ > "1":
    tvm_ffi.Guarded
try:
    from tvm_ffi import Tried
except ImportError:
    pass
"""


def test_what_python_files_use() -> None:
    uses = {use.name: use.at_import for use in find_python_uses(PYTHON, "a.py") if not use.parameter}
    assert uses == {
        "tvm_ffi": True,
        "tvm_ffi.libinfo": True,
        "tvm_ffi.core": True,
        "tvm_ffi.List": True,
        "tvm_ffi.Object": True,
        "tvm_ffi.libinfo.load_lib_module": True,
        "tvm_ffi.dtype": True,
        "tvm_ffi.core.String": False,
        "tvm_ffi.Awaited": False,
        "tvm_ffi.Called": False,
        "tvm_ffi.register_global_func": True,
        "tvm_ffi.register_object": True,
    }


@pytest.mark.parametrize("text", ["def", "x = '\0'", "(" * 500, "\udc80"])
def test_what_is_no_python_uses_nothing(text: str) -> None:
    assert find_python_uses(text, "a.py") == []


def test_what_is_nested_deeply_is_read() -> None:
    """The tree of a sum is as deep as it has terms, and that of an if as it has branches."""
    terms = "tvm_ffi.Term" + " + 1" * 600
    branches = "".join(f"elif sys.argv[{number}]:\n    tvm_ffi.Branch\n" for number in range(400))
    text = f"import sys, tvm_ffi\nx = {terms}\nif sys.argv[0]:\n    pass\n{branches}"
    assert {use.name for use in find_python_uses(text, "a.py")} == {"tvm_ffi", "tvm_ffi.Term", "tvm_ffi.Branch"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import tvm_ffi\nx = " + "-" * 50_000 + "1", "nested too deeply"),
        ("import tvm_ffi\nx = " + "(" * 50_000 + "1" + ")" * 50_000, "more than 80000 words"),
        ("import tvm_ffi\n" + "x\n" * 50_000, "more than 80000 words"),
    ],
)
def test_what_python_cannot_parse_in_bounds_is_said_to_be_unread(text: str, reason: str) -> None:
    with pytest.raises(UnreadPythonError, match=reason):
        find_python_uses(text, "a.py")


def test_a_long_file_that_does_not_mention_the_runtime_is_not_parsed() -> None:
    assert find_python_uses("x = " + "-" * 5_000_000 + "1", "a.py") == []


def test_files_that_were_not_read_are_a_warning_for_every_release() -> None:
    files = PythonFiles(unread=("a.py: it is nested too deeply",))
    assert [(reason.severity, reason.text) for reason in find_python_reasons(files, "0.1", ledger())] == [
        (WARN, "not read: a.py: it is nested too deeply")
    ]


def test_a_name_that_a_release_has_not_is_bad_at_import_and_else_a_warning() -> None:
    uses = find_python_uses("from tvm_ffi import New\ndef f(): return tvm_ffi_x, New.method\n", "a.py")
    known = ledger(python={"tvm_ffi": EVERY, "tvm_ffi.New": frozenset({"0.5"})})
    early = list(find_python_reasons(PythonFiles(uses=tuple(uses)), "0.1", known))
    assert [(reason.severity, reason.text) for reason in early] == [
        (BAD, "a.py:1 imports tvm_ffi.New"),
        (WARN, "a.py:2 uses tvm_ffi.New when it is called"),
    ]
    assert list(find_python_reasons(PythonFiles(uses=tuple(uses)), "0.5", known)) == []


CONDITIONS = """
import os
import sys as system
import tvm_ffi
from os import environ
from sys import modules
from typing import TYPE_CHECKING

if environ.get("BUILDS_DOCS") == "1":
    tvm_ffi.a
elif system.platform == "win32" and os.path.exists("x"):
    tvm_ffi.b
elif tvm_ffi.__version__ > "1":
    tvm_ffi.nothing
else:
    tvm_ffi.nothing
if TYPE_CHECKING or True or hasattr(tvm_ffi, "nothing") or system.platform in HAVING:
    tvm_ffi.nothing
if "tvm_ffi.x" in system.modules or "tvm_ffi.x" in modules:
    tvm_ffi.nothing
if "tvm_ffi.x" in system.modules:
    tvm_ffi.nothing
if "tvm_ffi.x" in modules:
    tvm_ffi.nothing
tvm_ffi.last
"""


def test_what_stands_behind_a_question_to_the_system_is_used_under_a_condition() -> None:
    uses = {use.name: use.conditional for use in find_python_uses(CONDITIONS, "a.py")}
    assert uses == {"tvm_ffi": False, "tvm_ffi.a": True, "tvm_ffi.b": True, "tvm_ffi.last": False}


EXPRESSIONS = """
import contextlib
import os
import tvm_ffi
from contextlib import suppress

load = tvm_ffi.nothing if hasattr(tvm_ffi, "nothing") else tvm_ffi.nothing
load = hasattr(tvm_ffi, "nothing") and hasattr(tvm_ffi.nothing, "x") and tvm_ffi.nothing.x
load = tvm_ffi.first or tvm_ffi.nothing
load = tvm_ffi.a if os.environ.get("BUILDS_DOCS") else tvm_ffi.b
with suppress(ImportError):
    from tvm_ffi import nothing
with open("x"), contextlib.suppress(AttributeError):
    tvm_ffi.nothing
with open("x") as file, tvm_ffi.use_stream():
    tvm_ffi.inside
def f():
    return tvm_ffi.nothing if hasattr(tvm_ffi, "nothing") else None
"""


def test_what_an_expression_may_never_look_at_does_not_count() -> None:
    uses = {use.name: use.conditional for use in find_python_uses(EXPRESSIONS, "a.py")}
    certain = dict.fromkeys(["tvm_ffi", "tvm_ffi.first", "tvm_ffi.use_stream", "tvm_ffi.inside"], False)
    assert uses == {**certain, "tvm_ffi.a": True, "tvm_ffi.b": True}


def test_what_is_used_under_a_condition_is_a_warning() -> None:
    """As xgrammar 0.2.8 does, which fails on what takes no such parameter."""
    text = """
import os
from tvm_ffi import load
if os.environ.get("BUILDS_DOCS") == "1":
    LIB = None
else:
    LIB = load("x", extra=[])
"""
    known = ledger(python={"tvm_ffi.load": EVERY}, parameters={"tvm_ffi.load": {"extra": span("45")}})
    uses = find_python_uses(text, "a.py")
    (reason,) = find_python_reasons(PythonFiles(uses=tuple(uses)), "0.3", known)
    assert (reason.severity, reason.text) == (WARN, "a.py:7 uses tvm_ffi.load(extra=) under a condition")
    assert list(find_python_reasons(PythonFiles(uses=tuple(uses)), "0.4", known)) == []


CALLS = """
import tvm_ffi
from tvm_ffi import load_module as load

load("x", keep=True)
load("x", never_heard_of=True)
tvm_ffi.anything(keep=True)
def f():
    return tvm_ffi.load_module("x", keep=True, **{})
"""


def test_a_parameter_that_a_release_has_not_is_missed_like_a_name() -> None:
    known = ledger(
        python={name: EVERY - {"0.1"} for name in ("tvm_ffi.load_module", "tvm_ffi.anything")},
        parameters={
            "tvm_ffi.load_module": {"keep": span("45")},
            "tvm_ffi.anything": {"keep": span("5"), "**": span("34")},
        },
    )
    files = PythonFiles(uses=tuple(use for use in find_python_uses(CALLS, "a.py") if use.parameter))
    found = {
        release: [(one.severity, one.text) for one in find_python_reasons(files, release, known)]
        for release in RELEASES
    }
    load = [
        (BAD, "a.py:5 calls tvm_ffi.load_module(keep=)"),
        (WARN, "a.py:9 uses tvm_ffi.load_module(keep=) when it is called"),
    ]
    anything = (BAD, "a.py:7 calls tvm_ffi.anything(keep=)")
    # Where there is no function, that is what is said.
    assert found == {"0.1": [], "0.2": [load[0], anything, load[1]], "0.3": load, "0.4": [], "0.5": []}


def test_a_report_groups_what_has_the_same_reason() -> None:
    known = read_ledger()
    library = Needs(
        "lib.so", frozenset({"TVMFFITensorCreateUnsafeView"}), frozenset(), frozenset({"0.1.9"}), "0.1.9", ()
    )
    found = derive_verdicts(library, known)
    rng = derive_range(found, library.built_with, known)
    assessment = Assessment((library,), library.built_with, found, rng, (SpecifierSet(">=0.1.4"),))
    assert as_text("x.whl", assessment, known).splitlines() == [
        "x.whl",
        "  lib.so: built against 0.1.9, by its own record",
        "  works with >=0.1.6,<0.2",
        "  requires >=0.1.4",
        "  bad  on ..0.1.5",
        "         lib.so needs TVMFFITensorCreateUnsafeView",
    ]
    anywhere = assessment._replace(needs=(library._replace(judged_as=frozenset(known.releases), recorded=None),))
    assert "  lib.so: built against any release, estimated from its code" in as_text("x.whl", anywhere, known)
    nowhere = assessment._replace(needs=(), range=assessment.range._replace(floor=None))
    assert as_text("x.whl", nowhere, known).splitlines()[1:3] == [
        "  holds no library",
        "  works with no release that is known",
    ]
    answer = as_json("x.whl", assessment, known)
    json.dumps(answer)
    assert answer["too_wide"] == ["0.1.4", "0.1.5"]
    assert answer["requires"] == ">=0.1.6,<0.2"
    assert answer["runtimes"]["0.1.5"] == BAD
    assert answer["reasons"][0]["releases"] == ["0.1.0", "0.1.1", "0.1.2", "0.1.3", "0.1.4", "0.1.5"]


def test_a_release_that_the_ledger_does_not_know_is_said_as_the_record_has_it() -> None:
    known, change = read_ledger(), broken({"0.1.9"}, {"0.1.4"})
    library = Needs("lib.so", frozenset(), frozenset(), frozenset({"0.1.9"}), "0.1.99", (change,))
    found = derive_verdicts(library, known)
    assert found["0.1.4"].status == BAD
    built = common_releases([library], known)
    assessment = Assessment((library,), built, found, derive_range(found, built, known))
    assert as_text("x.whl", assessment, known).splitlines()[1] == (
        "  lib.so: built against 0.1.99, by its own record; not known here, so judged as 0.1.9, which its code is like"
    )
    answer = as_json("x.whl", assessment, known)
    assert answer["built_with"] == answer["libraries"][0]["built_with"] == ["0.1.99"]
    text = audit_as_text([Report(Path("x.whl"), assessment=assessment)])
    assert text.startswith("x.whl: clean (built against 0.1.99, works with ")


@pytest.mark.parametrize(
    ("records", "together"),
    [
        ((None, None), {"0.2"}),
        (("0.2", None), {"0.2"}),
        (("0.1", None), set()),
        (("0.9", None), {"0.9"}),
        (("0.9", "0.9"), {"0.9"}),
        (("0.9", "0.2"), set()),
        (("0.9", "0.8"), set()),
    ],
)
def test_what_libraries_can_have_been_built_against_together(
    records: tuple[str | None, ...], together: set[str]
) -> None:
    known = ledger()
    libraries = [
        needs(built={"0.2"} if record not in RELEASES else {record})._replace(recorded=record) for record in records
    ]
    assert common_releases(libraries, known) == together


def bounds_of(library: Path) -> dict[str, object]:
    write_bounds([str(library), str(library.with_name("bounds.py"))])
    found: dict[str, object] = {}
    exec(library.with_name("bounds.py").read_text(encoding="utf-8"), found)  # noqa: S102  (it is what is tested)
    return found


def test_the_module_beside_a_library_says_where_it_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for symbol, fails_on, works_with in (
        ("TVMFFIFunctionCall", 0, None),
        (OWN_TRAITS, 0, ">=0.1.0,<0.2"),  # which a library beside it may have
        ("TVMFFITensorCreateUnsafeView", 6, ">=0.1.6,<0.2"),
        ("TVMFFIOfNoRelease", len(read_ledger().releases), ""),
    ):
        found = bounds_of(library_of(tmp_path / "liba.so", symbol)[0])
        failing = found["FAILS_ON"]
        assert isinstance(failing, dict)
        assert list(failing) == list(read_ledger().releases[:fails_on])
        assert set(failing.values()) <= {f"liba.so needs {symbol}"}
        assert works_with is None or found["WORKS_WITH"] == works_with
    (tmp_path / "bounds.py").unlink()
    (tmp_path / "bounds.py").mkdir()
    with pytest.raises(SystemExit) as caught:
        bounds_of(tmp_path / "liba.so")
    assert caught.value.code == 2
    assert "bounds.py cannot be written: Is a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ([sys.executable, "-c", "print('one'); print(' last '); raise SystemExit(3)"], 3, "last"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], -9, "ended by signal 9"),
        (["/no/program"], 127, "/no/program cannot be run: No such file or directory"),
    ],
)
def test_what_a_trial_says_is_its_last_line_or_how_it_ended(
    tmp_path: Path, command: list[str], code: int, said: str
) -> None:
    assert verify._run_command(command, tmp_path) == (code, said)


def test_a_trial_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_SECONDS", 1)
    assert verify._run_command(["sleep", "60"], tmp_path) == (124, "sleep took more than 1 s")

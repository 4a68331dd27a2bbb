"""Rules on whether a library gets on with the runtime: one copy of it, by its name, with the symbols that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...binaries.runtime_calls import is_runtime_symbol
from ...contract.assess import common_releases
from ...contract.evidence.build_record import RECORD_FILE
from ...contract.releases.spans import as_closed_span, as_span
from ...errors import RecordError
from ...platforms.systems import FORMATS, MACOS, WINDOWS, base_name
from ..findings import ERROR, WARNING, Problem, library_rule, wheel_rule
from ..resolved_libraries import find_reachable
from ..strings import has_runtime_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...binaries import Binary, Symbol
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

_LINK = "link to tvm_ffi::shared, and to no other copy of the runtime"
# Typeinfo and its name, which exceptions that cross libraries are told by; they hold no code (Itanium C++ ABI, 2.9).
_TYPEINFO = ("_ZTI", "_ZTS")


@wheel_rule("R201", "a copy of the runtime is in the wheel", ERROR)
def bundled_runtime(_: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries with the runtime's name."""
    for name in contents.runtime_copies():
        yield Problem(
            f"{name} is a copy of the runtime, and a process cannot load two",
            "take it out of what is installed, and repair the wheel with: tvm-ffi-build repair",
            name,
            (name,),
        )


@library_rule("R202", "a library contains the runtime", ERROR)
def embedded_runtime(subject: Subject) -> Iterator[Problem]:
    """Look for the runtime's own symbols, defined; or, where none is left, for what only the runtime registers."""
    for name, binary in subject.others():
        defined = sorted(
            symbol for symbol in subject.ledger.symbols if symbol.startswith("TVMFFI") and symbol in binary.exported
        )
        # What calls a runtime outside has none inside; and to look for texts takes time.
        is_inside = not any(map(is_runtime_symbol, binary.imported)) and has_runtime_inside(subject.paths[name], binary)
        if defined or is_inside:
            yield Problem(
                f"{name} contains a copy of the runtime, and a process cannot load two",
                _LINK,
                name,
                tuple(defined) or ("the names of what the runtime registers",),
            )


@library_rule("R203", "a library uses the runtime without linking to it", ERROR)
def unlinked_runtime(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that call the runtime without naming its library, themselves or through others beside them."""
    # Which a build with LINK_SHARED OFF has recorded.
    unlinked = (
        {base_name(one.name) for one in subject.record.libraries if one.link == "header"} if subject.record else ()
    )
    # Without those of libraries beside this one, as of a project whose own functions are in tvm::ffi.
    needed = {needs.name: needs.symbols for needs in subject.assessment.needs}
    for name, binary in subject.others():
        used = sorted(needed[name])
        # P304 tells of libraries of another system, in which the runtime has another name.
        is_foreign = FORMATS[binary.format] != subject.platform
        if used and not is_foreign and base_name(name) not in unlinked and not _needs_runtime(subject, binary):
            yield Problem(
                f"{name} calls the runtime, but does not list libtvm_ffi among the libraries it needs",
                f"{_LINK}; if that is meant (LINK_SHARED OFF), ignore this rule for the file",
                name,
                tuple(used),
            )


@library_rule("R204", "the runtime is linked under a wrong name", ERROR)
def renamed_runtime(subject: Subject) -> Iterator[Problem]:
    """Look for names of the runtime's library by which the one of apache-tvm-ffi is not found."""
    right = {MACOS: f"@rpath/{MACOS.library}"}.get(subject.platform, subject.platform.library)
    beside = {base_name(name) for name in subject.binaries}
    for name, binary in subject.others():
        wrong = [
            needed
            for needed in binary.libraries
            if subject.platform.is_runtime(needed)
            and (needed.lower() if subject.platform == WINDOWS else needed) != right
            and base_name(needed) not in beside
        ]
        if wrong:
            yield Problem(
                f"{name} needs the runtime as {wrong[0]}, and apache-tvm-ffi has {right}", _LINK, name, tuple(wrong)
            )


@library_rule("R205", "a symbol that no runtime release exports", ERROR)
def unresolvable_symbols(subject: Subject) -> Iterator[Problem]:
    """Look for symbols of the runtime that none of its releases exports, nor a library beside this one."""
    for needs in subject.assessment.needs:
        missing = sorted(needs.symbols - subject.ledger.symbols.keys())
        if missing:
            yield Problem(
                f"{needs.name} needs symbols that no release of apache-tvm-ffi up to {subject.ledger.releases[-1]} has",
                f"{_export_elsewhere(subject, missing[0])}build it against a release, or with a tvm-ffi-build that "
                "knows the one it was built against",
                needs.name,
                tuple(missing),
            )


def _export_elsewhere(subject: Subject, symbol: str) -> str:
    """Return what to do if another library of the wheel hides a symbol, as a project's own in ``tvm::ffi`` may be."""
    if len(subject.binaries) == 1:
        return ""
    return (
        f"if another library of the wheel defines {symbol}, write tvm_ffi_configure_target(TARGET EXPORT {symbol}); "
        "otherwise "
    )


@library_rule("R206", "a C++ standard library symbol comes from the runtime", ERROR)
def unversioned_symbols(subject: Subject) -> Iterator[Problem]:
    """Look for symbols of the C++ library without a version, which only some releases of the runtime export."""
    for needs in subject.assessment.needs:
        if needs.leaks:
            yield Problem(
                f"{needs.name} takes symbols of the C++ library from the runtime, where newer releases have them not",
                "configure it with tvm_ffi_configure_target, which links the C++ library first",
                needs.name,
                tuple(sorted(needs.leaks)),
            )


@library_rule("R207", "weak symbols of tvm::ffi are exported", WARNING)
def weak_exports(subject: Subject) -> Iterator[Problem]:
    """Look for inline functions of the runtime's headers that other extensions would bind to."""
    for name, binary in subject.others():
        weak = sorted({symbol for image in binary.images for symbol in map(_name_weak_symbol, image.exports) if symbol})
        if weak:
            yield Problem(
                f"{name} exports {len(weak)} weak symbols of tvm::ffi, to which extensions built against other "
                "releases bind in the same process",
                "hide them: tvm_ffi_configure_target does, as do -fvisibility=hidden and an export list",
                name,
                tuple(weak),
            )


@library_rule("R208", "built against a yanked release", WARNING)
def yanked_release(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that can have been built against nothing but releases that were yanked."""
    for needs in subject.assessment.needs:
        if _uses_runtime(subject, needs.name) and needs.built_with and needs.built_with <= subject.ledger.yanked:
            span = as_span(needs.built_with, subject.ledger.releases)
            yield Problem(
                f"{needs.name} was built against apache-tvm-ffi {span}, which was yanked",
                "build it again, against a release that was not",
                needs.name,
                tuple(sorted(needs.built_with)),
            )


@wheel_rule("R209", "a library without a build record", WARNING)
def missing_record(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that do not say what they were built against, so that it has to be guessed."""
    for needs in subject.assessment.needs:
        if needs.recorded is None and _uses_runtime(subject, needs.name):
            guess = as_closed_span(needs.built_with, subject.ledger.releases)
            yield Problem(
                f"{needs.name} does not say which release of apache-tvm-ffi it was built against",
                "build it with the tvm_ffi_configure_target of tvm-ffi-build, which records it",
                needs.name,
                (f"estimated from its code: {guess}",),
            )


@wheel_rule("R210", "libraries were built against different releases", WARNING)
def different_builds(subject: Subject, _: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries of one wheel that cannot have been built against one release."""
    users = [needs for needs in subject.assessment.needs if _uses_runtime(subject, needs.name)]
    if len(users) > 1 and not common_releases(users, subject.ledger):
        yield Problem(
            "the libraries were built against different releases of apache-tvm-ffi",
            "build all of them again, against one",
            evidence=tuple(f"{needs.name}: {as_span(needs.built_with, subject.ledger.releases)}" for needs in users),
        )


def _find_damaged_record(subject: Subject) -> Iterator[Problem]:
    """Look for records that are damaged, or that symbols contradict: without them nothing can be assessed."""
    if subject.reason_to_skip:
        return
    try:
        _ = subject.assessment, subject.record
    except RecordError as error:
        yield Problem(error.what, error.remedy)


@wheel_rule("R211", "a wrong build record", ERROR, check_first=_find_damaged_record)
def untrue_record(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for libraries that say they were built against something else than the wheel says."""
    for needs in subject.assessment.needs:
        if subject.record and needs.recorded not in {None, subject.record.runtime}:
            yield Problem(
                f"{needs.name} declares that it was built against {needs.recorded}, and the wheel says "
                f"{subject.record.runtime}",
                "build it again in an empty build directory",
                f"{contents.wheel.dist_info}{RECORD_FILE}",
                (f"{needs.name}: {needs.recorded}", f"{RECORD_FILE}: {subject.record.runtime}"),
            )


def _uses_runtime(subject: Subject, name: str) -> bool:
    return any(name == user for user, _ in subject.users())


def _needs_runtime(subject: Subject, binary: Binary) -> bool:
    """Say whether the runtime is loaded with a library, by itself or by libraries beside it."""
    beside = {base_name(name): other for name, other in subject.binaries.items()}

    def list_needed(name: str) -> tuple[str, ...]:
        found = beside.get(base_name(name))
        return found.libraries if found else ()

    return any(map(subject.platform.is_runtime, find_reachable(binary.libraries, list_needed)))


def _name_weak_symbol(symbol: Symbol) -> str:
    """Return the name of a weak symbol of the runtime's headers, nothing for any other."""
    is_its = is_runtime_symbol(symbol.name) and not symbol.name.startswith(_TYPEINFO)
    return symbol.name if symbol.weak and is_its else ""


RULES = (
    bundled_runtime,
    embedded_runtime,
    unlinked_runtime,
    renamed_runtime,
    unresolvable_symbols,
    unversioned_symbols,
    weak_exports,
    yanked_release,
    missing_record,
    different_builds,
    untrue_record,
)

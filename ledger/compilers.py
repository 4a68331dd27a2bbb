"""What code tells, by compiler, options and architecture: ``python ledger/compilers.py [--check]``.

Builds extensions that the rules of the estimate were not written from: an example, the source of a template, and what
tests use. Writes to ``compilers.json`` which releases each library can have been built against as far as its code
tells, from which ``beside.py`` makes tables in the manual, and ends with 1 if the truth is missing somewhere.
``--check`` writes nothing, says line by line in what the data here differs from what happens, and exits with 1 if it
does. All of it takes an hour of one core. Needs g++, aarch64-linux-gnu-g++, pip, Linux on x86_64, and ziglang, which is
Clang.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from builds import Compiler, build
from options import add_check, add_jobs, add_selection, add_work, exit_if_a_program_fails
from packaging.version import Version
from releases import list_releases, runtime_folder

from tvm_ffi_build.binaries import read_binary
from tvm_ffi_build.contract import read_ledger
from tvm_ffi_build.contract.evidence.needs import read_needs
from tvm_ffi_build.contract.releases.spans import as_span, parse_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["ESTIMATED", "Case", "estimate_rows", "fold_estimates", "main", "unfold_estimates"]

ESTIMATED = Path(__file__).with_name("compilers.json")

ARCHITECTURES = ("x86_64", "aarch64")
OPTIONS = ("-O1", "-O2", "-O3", "-O2 -flto")

_SCHEMA = 1
_ROOT = Path(__file__).resolve().parents[1]


class _Source(NamedTuple):
    """What an extension is made of, and the releases that it is built against."""

    path: Path
    releases: tuple[str, ...]


# Together from all over the range, yanked releases among them.
_SOURCES = {
    "from_source": _Source(_ROOT / "examples/from_source/src/scale.cc", ("0.1.15.post2",)),
    "hard": _Source(_ROOT / "tests/packages/hard/src/hard.cc", ("0.1.0", "0.1.13.post1")),
    "template": _Source(_ROOT / "templates/cpp/src/PACKAGE.cc.jinja", ("0.1.5", "0.1.11")),
}
RELEASES = sorted({release for source in _SOURCES.values() for release in source.releases}, key=Version)

# Found only where the release has no header of that name.
_UMBRELLA = Path(__file__).with_name("umbrella")
# The headers of this project, which the templates include.
_HEADERS = _ROOT / "cmake/include"
_FLAGS = ("-std=c++17", "-fPIC", "-shared", "-s", "-fvisibility=hidden", "-I", str(_HEADERS))
_COMMANDS: dict[str, dict[str, tuple[str, ...]]] = {
    "gcc": {"x86_64": ("g++",), "aarch64": ("aarch64-linux-gnu-g++",)},
    "clang": dict.fromkeys(ARCHITECTURES, (sys.executable, "-m", "ziglang", "c++")),
}


class Case(NamedTuple):
    """One library.

    Attributes:
        extension: What it is made of.
        architecture: What it runs on.
        compiler: ``gcc`` or ``clang``.
        options: How it was optimised.
        release: What it was built against.

    """

    extension: str
    architecture: str
    compiler: str
    options: str
    release: str

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.extension} by {self.compiler} {self.options} for {self.architecture}, built with {self.release}"


class _Options(argparse.Namespace):
    check: bool
    extension: list[str]
    built: list[str]
    compiler: list[str]
    pairs: bool
    jobs: int
    work: Path


def main() -> None:
    """Build and look, then write or compare."""
    options = _parse()
    with exit_if_a_program_fails():
        found = estimates(options)
    print(*estimate_rows(found), sep="\n")
    missed = [f"{case}: {_span(candidates)}" for case, candidates in found.items() if case.release not in candidates]
    print("", *(missed or ["none is missed"]), sep="\n")
    if options.check:
        recorded = unfold_estimates(json.loads(ESTIMATED.read_text(encoding="utf-8")))
        different = list(
            _differences({case: some for case, some in recorded.items() if _is_asked_for(case, options)}, found)
        )
        print("", *(different or ["no difference"]), sep="\n")
        sys.exit(bool(different or missed))
    ESTIMATED.write_text(json.dumps(fold_estimates(found), indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(missed))


def _parse() -> _Options:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    add_check(parser)
    add_selection(parser, "--extension", choices=_SOURCES, metavar="NAME")
    add_selection(parser, "--built", choices=RELEASES)
    add_selection(parser, "--compiler", choices=_COMMANDS, metavar="NAME")
    pairs = "with --check: half of the cases, in which every two of architecture, compiler and options meet"
    parser.add_argument("--pairs", action="store_true", help=pairs)
    add_jobs(parser)
    add_work(parser)
    options = parser.parse_args(namespace=_Options())
    if (options.extension or options.built or options.compiler or options.pairs) and not options.check:
        parser.error("--extension, --built, --compiler and --pairs go with --check: the data is of all")
    if next(_cases(options), None) is None:
        parser.error("these extensions are not built against these releases")
    options.work = options.work.resolve()
    return options


def _cases(options: _Options) -> Iterator[Case]:
    """Yield the libraries that were asked for."""
    for extension, source in _SOURCES.items():
        for release in source.releases:
            for way in itertools.product(ARCHITECTURES, _COMMANDS, OPTIONS):
                case = Case(extension, *way, release)
                if _is_asked_for(case, options):
                    yield case


def _is_asked_for(case: Case, options: _Options) -> bool:
    return (
        case.extension in (options.extension or _SOURCES)
        and case.release in (options.built or RELEASES)
        and case.compiler in (options.compiler or _COMMANDS)
        and (not options.pairs or _is_in_half(case))
    )


def _is_in_half(case: Case) -> bool:
    """Return whether a case is in the half of each extension and release in which every two values meet."""
    numbers = (
        ARCHITECTURES.index(case.architecture),
        list(_COMMANDS).index(case.compiler),
        OPTIONS.index(case.options),
    )
    return sum(numbers) % 2 == 0


def estimates(options: _Options) -> dict[Case, frozenset[str]]:
    """Return what each library can have been built against.

    Exits if one of them does not compile.
    """
    ledger = read_ledger()
    releases = {release.version: release for release in list_releases()}
    sources = _sources(options.work)
    cases = list(_cases(options))
    # One after the other: two threads must not make the same folder.
    folders = {
        (version, architecture): runtime_folder(version, releases[version].linux(architecture), options.work)
        for version, architecture in dict.fromkeys((case.release, case.architecture) for case in cases)
    }

    def look(case: Case) -> frozenset[str] | None:
        print(f"{case} ...", file=sys.stderr)
        runtime = folders[case.release, case.architecture]
        made = build(sources[case.extension], runtime, options.work / case.release / "compilers", _compiler(case))
        if made.library is None:
            print(f"{case}: {made.refusal}", file=sys.stderr)
            return None
        return read_needs(made.library, read_binary(made.library), ledger, name=case.extension).built_with

    with ThreadPoolExecutor(options.jobs) as pool:
        found = dict(zip(cases, pool.map(look, cases)))
    compiled = {case: candidates for case, candidates in found.items() if candidates is not None}
    if len(compiled) < len(found):
        sys.exit(f"{len(found) - len(compiled)} of {len(found)} libraries do not compile; their errors are above")
    return compiled


def _sources(work: Path) -> dict[str, Path]:
    """Return the sources; that of a template with its one variable filled in."""
    found = {}
    for name, (path, _) in _SOURCES.items():
        found[name] = path
        if path.suffix == ".jinja":
            found[name] = work / "templates" / f"{name}.cc"
            found[name].parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8").replace("<{ package }>", "sample")
            found[name].write_text(text, encoding="utf-8")
    return found


def _compiler(case: Case) -> Compiler:
    # zig has no --exclude-libs: its C++ library is hidden anyway.
    more = {"gcc": ("-Wl,--exclude-libs,ALL",), "clang": ("-target", f"{case.architecture}-linux-gnu.2.24")}
    command = _COMMANDS[case.compiler][case.architecture]
    return Compiler(command, (*case.options.split(), *_FLAGS, *more[case.compiler]), _UMBRELLA)


def estimate_rows(found: Mapping[Case, frozenset[str]]) -> Iterator[str]:
    """Yield the lines of two tables in Markdown: by how the libraries were built, and by what they are made of."""
    counted = "libraries | correct release among the candidates | average number of candidates |"
    yield from (f"| architecture | compiler | options | {counted}", "|---|---|---|---:|---:|---:|")
    for way in itertools.product(ARCHITECTURES, _COMMANDS, OPTIONS):
        some = {case: candidates for case, candidates in found.items() if case[1:4] == way}
        if some:
            yield f"| {way[0]} | {way[1]} | `{way[2]}` | {_counts(some)} |"
    yield from (
        f"| **all** | | | {_counts(found)} |",
        "",
        f"| extension | built with | {counted}",
        "|---|---|---:|---:|---:|",
    )
    for extension in sorted({case.extension for case in found}):
        some = {case: candidates for case, candidates in found.items() if case.extension == extension}
        against = sorted({case.release for case in some}, key=Version)
        yield f"| {extension} | {', '.join(against)} | {_counts(some)} |"


def _counts(found: Mapping[Case, frozenset[str]]) -> str:
    hits = sum(case.release in candidates for case, candidates in found.items())
    return f"{len(found)} | {hits} | {sum(map(len, found.values())) / len(found):.1f}"


def fold_estimates(found: Mapping[Case, frozenset[str]]) -> dict[str, Any]:
    """Return the content of the file."""
    table: dict[str, dict[str, dict[str, str]]] = {}
    for case in sorted(found):
        way = f"{case.architecture} {case.compiler} {case.options}"
        table.setdefault(case.extension, {}).setdefault(case.release, {})[way] = _span(found[case])
    return {"schema": _SCHEMA, "candidates": table}


def unfold_estimates(data: Mapping[str, Any]) -> dict[Case, frozenset[str]]:
    """Return what libraries can have been built against, from the content of the file.

    Raises:
        ValueError: It is of another format.

    """
    if data["schema"] != _SCHEMA:
        raise ValueError(data["schema"])
    found = {}
    for extension, by_release in data["candidates"].items():
        for release, by_way in by_release.items():
            for way, span in by_way.items():
                architecture, compiler, how = way.split(" ", 2)
                case = Case(extension, architecture, compiler, how, release)
                found[case] = parse_span(span, read_ledger().releases)
    return found


def _span(releases: Iterable[str]) -> str:
    return as_span(frozenset(releases), read_ledger().releases)


def _differences(recorded: Mapping[Case, frozenset[str]], found: Mapping[Case, frozenset[str]]) -> Iterator[str]:
    for case in sorted({*recorded, *found}):
        before, now = (_span(table[case]) if case in table else "not built" for table in (recorded, found))
        if before != now:
            yield f"{case}: {now}; recorded: {before}"


if __name__ == "__main__":
    main()

"""The ledger: what each final release of the runtime offers, read from the files in this folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import LedgerError
from ..strict_json import parse_object
from .breaks import parse_breaks
from .spans import parse_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .breaks import Break

__all__ = ["Ledger", "parse_facts", "read_ledger"]

_SCHEMA = 1
_NONE: frozenset[str] = frozenset()


class Ledger(NamedTuple):
    """What is known. Sets of releases are sets of versions, as the distribution's metadata spells them.

    Attributes:
        releases: All final releases, oldest first.
        yanked: Those that were yanked (PEP 592); an exact pin still installs them.
        symbols: Exported C and C++ symbols, as on Linux, and the releases that have each.
        leaked: The same for parts of the C++ library; a name that was cut ends in ``*``.
        python: The same for Python modules and their public names, each with dots: ``tvm_ffi.libinfo.load_lib_module``.
        parameters: The releases in which one of these can be given a parameter by name, ``**`` for any. Parameters that
            are there as long as what takes them are left out.
        lines: The releases in which a line of a header, by its path below ``tvm/ffi``, throws.
        platforms: The lowest tag of the wheels for each platform.
        pythons: The releases that have wheels for each Python and ABI, by their tags, such as ``cp312-abi3``.
        breaks: Where two releases do not fit together.
        marks: What a library contains only if it was built against certain releases.

    """

    releases: tuple[str, ...]
    yanked: frozenset[str]
    symbols: Mapping[str, frozenset[str]]
    leaked: Mapping[str, frozenset[str]]
    python: Mapping[str, frozenset[str]]
    parameters: Mapping[str, Mapping[str, frozenset[str]]]
    lines: Mapping[tuple[str, int], frozenset[str]]
    platforms: Mapping[str, Mapping[str, frozenset[str]]]
    pythons: Mapping[str, frozenset[str]]
    breaks: tuple[Break, ...]
    marks: Mapping[str, frozenset[str]]

    def list_python_tags(self, release: str) -> list[str]:
        """Return the tags of the Pythons and ABIs that a release has wheels for, oldest first."""
        return [tag for tag, releases in self.pythons.items() if release in releases]

    @property
    def searched_texts(self) -> frozenset[str]:
        """What to look for in libraries: it tells of a break, or of the release that was built against."""
        return frozenset(self.marks).union(*(known.strings for known in self.breaks))

    def releases_with_leak(self, symbol: str) -> frozenset[str]:
        """Return the releases that export what belongs to the C++ library."""
        found = (
            releases
            for name, releases in self.leaked.items()
            if symbol == name or (name.endswith("*") and symbol.startswith(name[:-1]))
        )
        return next(found, _NONE)

    def releases_with_line(self, header: str, line: int) -> frozenset[str]:
        """Return the releases in which a line of a header throws."""
        return self.lines.get((header, line), _NONE)


@cache
def read_ledger(folder: Path = Path(__file__).parent) -> Ledger:
    """Read the ledger.

    Raises:
        LedgerError: A file cannot be read, is of another format, or contradicts itself.

    """
    facts = _read_file(folder / "ledger.json", parse_facts)
    return _read_file(folder / "breaks.json", lambda data: _add_breaks(facts, data))


def _read_file(path: Path, parse: Callable[[dict[str, Any]], Ledger]) -> Ledger:
    try:
        data = parse_object(path.read_bytes())
        schema = data["schema"]
        if schema == _SCHEMA:
            return parse(data)
        problem = f"has the format {schema!r} and not {_SCHEMA}"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        problem = "was changed or is not such a file"
    raise LedgerError(f"{path} {problem}", command="python -m pip install --force-reinstall --no-deps tvm-ffi-build")


def parse_facts(data: dict[str, Any]) -> Ledger:
    """Return the ledger of the tables in ``ledger.json``, without breaks.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: It is not such a file, or it contradicts itself.

    """
    releases = tuple(data["releases"])
    if not releases or len(set(releases)) != len(releases) or not all(isinstance(name, str) for name in releases):
        raise ValueError("releases")

    # A few dozen spans stand in more than a thousand places.
    span = cache(lambda text: parse_span(text, releases))

    def names(table: dict[str, str]) -> dict[str, frozenset[str]]:
        return {name: span(text) for name, text in table.items()}

    def values(table: dict[str, dict[str, str]]) -> dict[str, dict[str, frozenset[str]]]:
        found = {name: names(spans) for name, spans in table.items()}
        for spans in found.values():
            if sum(map(len, spans.values())) != len(_NONE.union(*spans.values())):
                raise ValueError("two values in one release")
        return found

    lines: dict[tuple[str, int], frozenset[str]] = {}
    for header, variants in values(data["lines"]).items():
        for numbers, some in variants.items():
            for number in numbers.split(" "):
                key = header, int(number)
                lines[key] = lines.get(key, _NONE) | some
    return Ledger(
        releases=releases,
        yanked=names(data["status"])["yanked"],
        symbols={**names(data["c_symbols"]), **names(data["cxx_symbols"])},
        leaked=names(data["leaked"]),
        # A module is there for others even if its package does not import it: its own entry comes later and wins.
        python={
            module if name == "__name__" else f"{module}.{name}": some
            for module, table in data["python"].items()
            for name, some in names(table).items()
        },
        parameters={name: names(table) for name, table in data["parameters"].items()},
        lines=lines,
        platforms=values(data["platforms"]),
        pythons=names(data["pythons"]),
        breaks=(),
        marks={},
    )


def _add_breaks(facts: Ledger, data: dict[str, Any]) -> Ledger:
    releases = facts.releases
    marks = {text: parse_span(span, releases) for text, span in data["marks"].items()}
    return facts._replace(breaks=parse_breaks(data["breaks"], releases), marks=marks)

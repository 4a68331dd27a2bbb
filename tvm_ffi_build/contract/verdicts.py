"""Which runtimes a library works with, and why not with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .evidence.needs import Needs
    from .evidence.python_files import PythonFiles
    from .evidence.python_use import Use
    from .releases.ledger import Ledger

__all__ = [
    "BAD",
    "OK",
    "UNKNOWN",
    "WARN",
    "Reason",
    "Verdict",
    "derive_verdicts",
    "find_python_reasons",
    "merge_verdicts",
    "verdict",
]

_MODULE = "tvm_ffi"

Status = Literal["ok", "warn", "bad", "unknown"]
Severity = Literal["warn", "bad"]
OK: Final = "ok"
WARN: Final = "warn"
BAD: Final = "bad"
UNKNOWN: Final = "unknown"
_ORDER: dict[Status, int] = {OK: 0, WARN: 1, UNKNOWN: 2, BAD: 3}

# Rules that are not the name of a known break.
SYMBOL: Final = "symbol"
_PYTHON: Final = "python"


class Reason(NamedTuple):
    """Why something does not fit.

    Attributes:
        severity: :data:`WARN` or :data:`BAD`.
        rule: The known break, or :data:`SYMBOL` or ``python``.
        text: A sentence, which is for every release alike.
        evidence: The symbol or name that it rests on; empty if nothing in the library can show it.

    """

    severity: Severity
    rule: str
    text: str
    evidence: str = ""


class Verdict(NamedTuple):
    """How a library, or several, get on with a runtime.

    Attributes:
        status: :data:`OK`; :data:`WARN`, if it fails under a condition or only for some of the releases that it can
            have been built against; :data:`BAD`; or :data:`UNKNOWN`, for a release that the ledger does not know.
        reasons: Why.

    """

    status: Status
    reasons: tuple[Reason, ...] = ()


def derive_verdicts(needs: Needs, ledger: Ledger) -> dict[str, Verdict]:
    """Return the verdict on each release of the ledger."""
    return {release: verdict(_find_reasons(needs, release, ledger)) for release in ledger.releases}


def merge_verdicts(verdicts: Iterable[Mapping[str, Verdict]], ledger: Ledger) -> dict[str, Verdict]:
    """Return the verdicts on several libraries, all of which have to work."""
    verdicts = list(verdicts)
    return {
        release: verdict(reason for one in verdicts for reason in one[release].reasons) for release in ledger.releases
    }


def verdict(reasons: Iterable[Reason]) -> Verdict:
    """Return the verdict for some reasons; without one, all is well."""
    unique = tuple(dict.fromkeys(reasons))
    severities: list[Status] = [reason.severity for reason in unique]
    status: Status = max(severities, key=_ORDER.__getitem__, default=OK)
    return Verdict(status, unique)


def _find_reasons(needs: Needs, release: str, ledger: Ledger) -> Iterator[Reason]:
    for symbol in sorted(needs.symbols):
        if release not in ledger.symbols.get(symbol, frozenset()):
            yield Reason(BAD, SYMBOL, f"{needs.name} needs {symbol}", symbol)
    settled = [known.pairs for known in needs.breaks if known.condition is None]
    for known in needs.breaks:
        if known.condition and known.pairs in settled:
            # The same change, of which the library shows more signs.
            continue
        failing = {built for built in needs.judged_as if known.separates(built, release)}
        if not failing:
            continue
        condition = f" if {known.condition}" if known.condition else ""
        certain = known.condition is None and failing == needs.judged_as
        yield Reason(BAD if certain else WARN, known.name, f"{needs.name} fails{condition}: {known.what}")


def find_python_reasons(files: PythonFiles, release: str, ledger: Ledger) -> Iterator[Reason]:
    """Yield why files do not work with a release; of names that no release has nothing is known."""
    for unread in files.unread:
        yield Reason(WARN, "python", f"not read: {unread}")
    for use in files.uses:
        missing = (
            _find_missing_parameter(use, release, ledger) if use.parameter else _find_missing_name(use, release, ledger)
        )
        if not missing:
            continue
        where = f"{use.file}:{use.line}"
        if use.conditional:
            yield Reason(WARN, _PYTHON, f"{where} uses {missing} under a condition", missing)
        elif use.at_import:
            yield Reason(BAD, _PYTHON, f"{where} {'calls' if use.parameter else 'imports'} {missing}", missing)
        else:
            yield Reason(WARN, _PYTHON, f"{where} uses {missing} when it is called", missing)


def _find_missing_name(use: Use, release: str, ledger: Ledger) -> str:
    known = _find_known_part(use.name, ledger)
    return known if known is not None and release not in ledger.python[known] else ""


def _find_missing_parameter(use: Use, release: str, ledger: Ledger) -> str:
    """Return a call whose parameter is not there though what is called is; of those that no release has, nothing."""
    parameters = ledger.parameters.get(use.name, {})
    taking = parameters.get(use.parameter, frozenset()) | parameters.get("**", frozenset())
    if use.parameter not in parameters or release in taking or release not in ledger.python.get(use.name, ()):
        return ""
    return f"{use.name}({use.parameter}=)"


def _find_known_part(name: str, ledger: Ledger) -> str | None:
    """Return the name, or the beginning of it that is known: what follows is an attribute of something else."""
    while name and name != _MODULE:
        if name in ledger.python:
            return name
        name = name.rpartition(".")[0]
    return None

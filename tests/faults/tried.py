"""What is tried, as the tests of this folder have it, and the tables of it for the manual.

``python tests/faults/tried.py`` writes these into ``docs/explanation/safety.md``; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from damaged_caches import CACHE_DAMAGE
from forged_libraries import LIBRARIES
from forged_others import KINDS, LOADED, NAMES, ODD_REGISTRIES, PROJECTS, REGISTRIES, RUNTIMES, SOURCES, TAGS
from forged_wheels import BOMBS, NAMES_OF_WHEELS, RUNTIME_WHEELS, WHEELS, WINDOWS_NAMES
from hostile_values import HOSTILE_VALUES
from misbehaving_libraries import MISBEHAVING
from random_inputs import REGISTRIES_BY_CHANCE, WHEELS_BY_CHANCE
from writers import DISKS, EVERYWHERE, FAULTS, WRITERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "safety.md"
_PLACE = "<!-- {} (python tests/faults/tried.py) -->"


class Read(NamedTuple):
    """What one test gives to commands, and the exit statuses that each of these may answer with."""

    what: str
    corpus: Collection[object]
    codes: dict[str, set[int]]


# By the tests' names; each calls these commands and no others.
READ = {
    "test_a_hostile_wheel": Read(
        "a hostile or damaged wheel", WHEELS, {"repair": {2}, "audit": {1, 2}, "contract": {2}, "wheel": {2}}
    ),
    "test_a_bomb_takes_little_memory_time_and_disk": Read(
        "a wheel that unpacks to gigabytes", BOMBS, {"repair": {2}, "audit": {2}, "contract": {2}}
    ),
    "test_a_file_with_a_name_that_is_no_wheels_name": Read(
        "a wheel with an invalid file name", NAMES_OF_WHEELS, {"repair": {2}, "audit": {1, 2}, "contract": {2}}
    ),
    "test_a_name_that_windows_cannot_write": Read(
        "a name in a wheel that Windows cannot write", WINDOWS_NAMES, {"repair": {2}, "audit": {2}, "contract": {2}}
    ),
    "test_a_hostile_wheel_of_the_runtime": Read("a damaged wheel of the runtime", RUNTIME_WHEELS, {"toolchain": {2}}),
    "test_what_is_no_file": Read(
        "a pipe, device or directory instead of a file",
        KINDS,
        {"repair": {2}, "audit": {2}, "contract": {2}, "stubgen": {2}},
    ),
    "test_a_hostile_library": Read(
        "a hostile or damaged library, by itself and in a wheel",
        LIBRARIES,
        {"repair": {2}, "audit": {2}, "contract": {2}, "stubgen": {2}},
    ),
    "test_a_hostile_library_of_a_build": Read("the same, as the result of a build", LIBRARIES, {"wheel": {2}}),
    "test_a_broken_project": Read("a broken `pyproject.toml`", PROJECTS, {"repair": {2}, "audit": {2}, "wheel": {2}}),
    "test_a_broken_stub": Read("a Python file with broken directives", SOURCES, {"stubgen": {2}}),
    "test_a_broken_registry": Read("an invalid registry", REGISTRIES, {"stubgen": {2}}),
    "test_an_odd_registry_gives_stubs_that_do_nothing_but_declare": Read(
        "a registry whose names and texts contain code", ODD_REGISTRIES, {"stubgen": {0, 2}}
    ),
    "test_a_library_that_does_something_when_it_is_loaded": Read(
        "a library that exits, crashes or hangs when it is loaded", LOADED, {"stubgen": {2}}
    ),
    "test_a_broken_runtime": Read(
        "a broken runtime", RUNTIMES, {"config": {4}, "doctor": {1}, "toolchain": {4}, "wheel": {4}}
    ),
    "test_a_name_that_no_project_can_have": Read("an invalid project name", NAMES, {"new": {2}}),
    "test_a_platform_that_is_none": Read(
        "an invalid platform tag", TAGS, {"repair": {5}, "toolchain": {2}, "wheel": {2}}
    ),
}

# The same of tests in other modules, which check these exit statuses themselves.
READ_ELSEWHERE = {
    "test_a_misbehaving_library": Read(
        "a library that attacks the process that loads it, or the file for its answer", MISBEHAVING, {"stubgen": {2}}
    ),
    "test_a_wheel_by_chance": Read(
        "a wheel with random changes (0: the changes do not matter)",
        range(WHEELS_BY_CHANCE),
        {"repair": {0, 2}, "audit": {0, 1, 2}, "contract": {0, 2}},
    ),
    "test_a_registry_by_chance": Read("a random registry", range(REGISTRIES_BY_CHANCE), {"stubgen": {0, 2}}),
    "test_a_damaged_runtime_is_fetched_again": Read("a damaged cache", CACHE_DAMAGE, {"toolchain": {0}}),
    "test_an_option_takes_what_it_says_and_nothing_else": Read(
        "an unexpected value for each option", HOSTILE_VALUES, {"each command": {0, 1, 2, 3, 4, 5, 6}}
    ),
}


def page_with_tables(text: str) -> str:
    """Return the page with the tables as they are now."""
    for title, rows in (("read", _read()), ("written", _written())):
        start, last = _PLACE.format(title), _PLACE.format(f"end of {title}")
        before, _, rest = text.partition(start)
        text = "\n".join([before + start, "", *rows, "", last]) + rest.partition(last)[2]
    return text


def _read() -> Iterator[str]:
    yield "| input | variants | commands that read it: exit statuses |"
    yield "|---|--:|---|"
    for what, corpus, codes in [*READ.values(), *READ_ELSEWHERE.values()]:
        answers = (f"`{name}` {' or '.join(map(str, sorted(each)))}" for name, each in codes.items())
        yield f"| {what} | {len(corpus)} | {', '.join(answers)} |"


def _written() -> Iterator[str]:
    names = ", ".join(f"`{name.partition(' ')[0]}`{' '.join(['', *name.split(' ')[1:]])}" for name in WRITERS)
    yield f"Each event was tested with {names}:"
    yield ""
    yield "| event | repetitions | exit, if not successful | lost data |"
    yield "|---|---|---|---|"
    for name, (what, codes, _) in FAULTS.items():
        often = {"SIG": f"up to {EVERYWHERE}, spread over the run", "cut": "at three sizes", "gro": "at three sizes"}
        ends = [f"exit status {code}" if code > 0 else f"by signal {-code}" for code in sorted(codes)]
        yield f"| {what} | {often.get(name[:3], 'once')} | {', '.join(ends) or 'always successful'} | nothing |"
    for name, message in DISKS.items():
        yield f"| {name} | once each | error: {message} | nothing |"


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

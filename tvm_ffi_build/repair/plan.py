"""What a repair was asked for, what it will do, and what came of it: data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

from ..errors import RefusedError
from ..wheels.foreign_libraries import system_fault
from .changes import Changes
from .excludes import Excludes

if TYPE_CHECKING:
    from pathlib import Path

    from .. import audit
    from ..errors import TvmFfiBuildError
    from ..wheels.libraries import WheelLibraries

__all__ = [
    "FAILED",
    "PLANNED",
    "REFUSED",
    "REPAIRED",
    "SKIPPED",
    "Plan",
    "Repairer",
    "Request",
    "Result",
    "Status",
    "missing_libraries",
    "refuse_foreign_libraries",
]

Status = Literal["repaired", "planned", "skipped", "refused", "failed"]
REPAIRED: Final = "repaired"
# Nothing was to be written.
PLANNED: Final = "planned"
# There is nothing to repair.
SKIPPED: Final = "skipped"
# The wheel, or what was asked for, has to change.
REFUSED: Final = "refused"
FAILED: Final = "failed"


@dataclass(frozen=True)
class Request:
    """What to do with wheels.

    Attributes:
        output: Folder for the results.
        platform_tag: The platform tag to give, or None for the lowest that holds.
        excludes: Which libraries stay out.
        library_paths: Folders to look for libraries in, before those of the system.
        strip: Whether to remove symbols that nothing needs at run time.
        audit: What results are held to before they appear, or None for no audit.

    """

    output: Path
    platform_tag: str | None = None
    excludes: Excludes = field(default_factory=Excludes)
    library_paths: tuple[Path, ...] = ()
    strip: bool = False
    audit: audit.Settings | None = None


@dataclass(frozen=True)
class Plan:
    """What the repair of one wheel takes.

    Attributes:
        platforms: The platform tags of the result; empty where only grafting will tell.
        grafts: The libraries to be copied into the wheel, as they are asked for.
        lost: Those of them that are known to be nowhere.
        excluded: The libraries that stay out, the runtime's aside.
        warnings: What the user should know, a line each.

    """

    platforms: tuple[str, ...] = ()
    grafts: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What came of one input.

    Attributes:
        source: The wheel that was given.
        status: One of the constants above.
        path: The new wheel, if there is one.
        reason: Why it was not repaired.
        error: What went wrong, if something did.
        plan: What was decided; in a result, its tags and what it leaves out are those of the new wheel.
        changes: What the new wheel has that the old one has not, and the reverse.
        report: What the audit has found, if there was one.

    """

    source: Path
    status: Status
    path: Path | None = None
    reason: str = ""
    error: TvmFfiBuildError | None = None
    plan: Plan = field(default_factory=Plan)
    changes: Changes = field(default_factory=Changes)
    report: audit.Report | None = None


class Repairer(Protocol):
    """What is different on each platform."""

    def plan(self, contents: WheelLibraries, request: Request) -> Plan:
        """Decide what to do; nothing is written.

        Raises:
            RefusedError: The wheel cannot become what is asked for.
            MissingToolError: A tool that decides is not installed.

        """

    def graft(self, contents: WheelLibraries, request: Request, folder: Path) -> None:
        """Copy libraries into the wheel, with the tool of the platform.

        Args:
            contents: The wheel.
            request: What was asked for.
            folder: An empty one, for the new wheel and nothing else.

        Raises:
            MissingToolError: The tool, or one that it calls, is not installed.
            RepairError: The tool failed.

        """


def missing_libraries(contents: WheelLibraries, *libraries: str) -> RefusedError:
    """Return the error that libraries are nowhere to be found."""
    return RefusedError(
        f"{contents.wheel.path.name} needs {', '.join(libraries)}, which cannot be found",
        "pass its directory with --lib-path, leave it out with --exclude, or install it into the wheel",
    )


def read_architecture(contents: WheelLibraries) -> str:
    """Return the architecture of the libraries.

    Raises:
        RefusedError: They have several.

    """
    found = {image.architecture for binary in contents.binaries.values() for image in binary.images}
    if len(found) != 1:
        held = ", ".join(sorted(found))
        raise RefusedError(f"{contents.wheel.path.name} holds libraries for {held}", "its tag can name only one")
    return found.pop()


def refuse_foreign_libraries(contents: WheelLibraries) -> None:
    """Check that all libraries are of the system that the wheel's tag names.

    Raises:
        RefusedError: One is not, so no tag of that system fits.

    """
    for name, binary in contents.binaries.items():
        fault = system_fault(binary, contents.platform)
        if fault:
            raise RefusedError(
                f"{contents.wheel.path.name} is tagged {'.'.join(contents.wheel.platforms)}, and {name} cannot be "
                f"loaded there: {fault}",
                "build a wheel for each system, with its libraries",
            )

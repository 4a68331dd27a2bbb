"""Every error a user can meet: one base class, one exit code a class, messages that are instructions."""

from __future__ import annotations

__all__ = [
    "AgnosticError",
    "AuditError",
    "BrokenRuntimeError",
    "BuildError",
    "ContractError",
    "ContradictionError",
    "LedgerError",
    "LoadError",
    "MissingToolError",
    "NewProjectError",
    "NothingToDoError",
    "OutputError",
    "PlatformError",
    "ProjectError",
    "RecordError",
    "RefusedError",
    "RepairError",
    "RuntimeNotFoundError",
    "StubError",
    "TvmFfiBuildError",
    "UnreadableBinaryError",
    "UnsupportedRuntimeError",
    "WheelError",
]


class TvmFfiBuildError(Exception):
    """An error that a user can meet.

    It is shown as one line, never with a traceback. Code that needs a part of the line reads a field; only ``str`` puts
    the fields together.

    Attributes:
        remedy: What to do about it, or an empty string.
        command: The remedy, if it is only a command to type; otherwise an empty string.
        about: What the sentence begins with, if that was passed on its own. Code that catches the error can set a name
            that the user knows, such as that of the wheel from which a file was unpacked.
        output: What a program printed about the failure, for code that recognizes causes. It is not part of the line.

    """

    exit_code = 1

    def __init__(self, what: str, remedy: str = "", *, command: str = "", about: str = "", output: str = "") -> None:
        super().__init__(what, remedy)
        self._what = what
        self.remedy = f"run: {command}" if command else remedy
        self.command = command
        self.about = about
        self.output = output

    @property
    def what(self) -> str:
        """What failed, and for which object, in a sentence without a full stop."""
        return f"{self.about} {self._what}" if self.about else self._what

    def __str__(self) -> str:
        """Return the line that a user sees.

        >>> str(TvmFfiBuildError("is empty", "build it again", about="a.whl"))
        'a.whl is empty; build it again'
        >>> str(TvmFfiBuildError("uv is not installed", command="python -m pip install uv"))
        'uv is not installed; run: python -m pip install uv'
        """
        return f"{self.what}; {self.remedy}" if self.remedy else self.what

    def with_remedy(self, more: str) -> TvmFfiBuildError:
        """Return the same error with one more thing to do about it."""
        remedy = f"{self.remedy}; {more}" if self.remedy else more
        return type(self)(self._what, remedy, about=self.about, output=self.output)


class RuntimeNotFoundError(TvmFfiBuildError):
    """No apache-tvm-ffi where one was looked for."""

    exit_code = 3


class BrokenRuntimeError(TvmFfiBuildError):
    """An apache-tvm-ffi that lacks a part: its library, its headers, its metadata."""

    exit_code = 4


class UnsupportedRuntimeError(TvmFfiBuildError):
    """An apache-tvm-ffi that is whole, but that nothing can be built against."""

    exit_code = 5


class ProjectError(TvmFfiBuildError):
    """The source tree is not one that can be built."""

    exit_code = 6


class BuildError(TvmFfiBuildError):
    """The build of a project failed, or made something else than it should have."""

    exit_code = 7


class OutputError(TvmFfiBuildError):
    """The result cannot be written where it was asked for."""

    exit_code = 8


class MissingToolError(TvmFfiBuildError):
    """A program or an extra that this command needs is not installed."""

    exit_code = 9


class AgnosticError(TvmFfiBuildError):
    """A library for a ``py3`` wheel that calls into CPython."""

    exit_code = 10


class UnreadableBinaryError(TvmFfiBuildError):
    """A file that should be a library and is not one, or is cut short."""

    exit_code = 11


class LedgerError(TvmFfiBuildError):
    """The data about the runtime's releases that this package carries is damaged."""

    exit_code = 12


class ContractError(TvmFfiBuildError):
    """What was observed is not what was derived."""

    exit_code = 17


class AuditError(TvmFfiBuildError):
    """A wheel that was built or repaired, and that the audit found unfit for use."""

    exit_code = 19


class WheelError(TvmFfiBuildError):
    """A file that should be a wheel and is not one, is damaged, or contradicts itself."""

    exit_code = 13


class ContradictionError(WheelError):
    """A wheel whose name, metadata, RECORD and files do not agree."""


class RefusedError(TvmFfiBuildError):
    """A wheel that cannot be repaired as asked: it, or what was asked for, has to change."""

    exit_code = 14


class RepairError(TvmFfiBuildError):
    """The repair of a wheel failed, or made something else than it should have."""

    exit_code = 15


class NothingToDoError(TvmFfiBuildError):
    """None of the inputs is a wheel of an extension."""

    exit_code = 16


class RecordError(TvmFfiBuildError):
    """What a wheel or a library says about its build cannot be true, or cannot be understood."""

    exit_code = 18


class NewProjectError(TvmFfiBuildError):
    """A project cannot be begun so: its name, its template or its folder has to be another one."""

    exit_code = 20


class PlatformError(TvmFfiBuildError):
    """A platform that no wheel can be built for."""

    exit_code = 21


class StubError(TvmFfiBuildError):
    """Stubs cannot be made: a directive, a file, a snapshot or a library is not what it should be."""

    exit_code = 2  # what "stubgen" answers whenever it failed


class LoadError(StubError):
    """A library cannot be loaded on this machine, so nobody knows what it registers."""

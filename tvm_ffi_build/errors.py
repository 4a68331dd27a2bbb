"""Every error that a user can meet, and the exit statuses of all commands."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "AgnosticError",
    "AuditError",
    "BrokenRuntimeError",
    "BuildError",
    "ContractError",
    "ContradictionError",
    "ExitStatus",
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
    "UsageError",
    "WheelError",
]


class ExitStatus(IntEnum):
    """What a command ends with: few statuses, one for each thing that a script would do differently."""

    meaning: str

    def __new__(cls, status: int, meaning: str) -> ExitStatus:  # noqa: PYI034  (Self is newer than Python 3.9)
        """Make a member of its number and of what the manual says about it."""
        member = int.__new__(cls, status)
        member._value_ = status
        member.meaning = meaning
        return member

    SUCCESS = 0, "success"
    FOUND = 1, "`audit`, `contract --verify`, `doctor` or `stubgen --check` found something"
    USAGE = 2, "wrong usage, or a file, directory or setting that is missing, damaged or not valid"
    FAILED = 3, "the build or the repair failed"
    MISSING = 4, "the runtime, a program or an extra is not installed, or not usable"
    REFUSED = 5, "the wheel was refused: it would fail on systems that its tag allows"
    # 128 and the number of the signal, as shells have it.
    HANGUP = 129, "ended by SIGHUP"
    INTERRUPTED = 130, "ended by Ctrl-C (SIGINT)"
    PIPE_CLOSED = 141, "the reader of standard output closed it (SIGPIPE)"
    TERMINATED = 143, "ended by SIGTERM"


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

    exit_code = ExitStatus.USAGE

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


class UsageError(TvmFfiBuildError):
    """A command line that is not understood."""


class RuntimeNotFoundError(TvmFfiBuildError):
    """No apache-tvm-ffi where one was looked for."""

    exit_code = ExitStatus.MISSING


class BrokenRuntimeError(TvmFfiBuildError):
    """An apache-tvm-ffi that lacks a part: its library, its headers, its metadata."""

    exit_code = ExitStatus.MISSING


class UnsupportedRuntimeError(TvmFfiBuildError):
    """An apache-tvm-ffi that is whole, but that nothing can be built against."""

    exit_code = ExitStatus.MISSING


class ProjectError(TvmFfiBuildError):
    """The source tree is not one that can be built."""


class BuildError(TvmFfiBuildError):
    """The build of a project failed, or made something else than it should have."""

    exit_code = ExitStatus.FAILED


class OutputError(TvmFfiBuildError):
    """The result cannot be written where it was asked for."""


class MissingToolError(TvmFfiBuildError):
    """A program or an extra that this command needs is not installed."""

    exit_code = ExitStatus.MISSING


class AgnosticError(TvmFfiBuildError):
    """A library for a ``py3`` wheel that calls into CPython."""

    exit_code = ExitStatus.REFUSED


class UnreadableBinaryError(TvmFfiBuildError):
    """A file that should be a library and is not one, or is cut short."""


class LedgerError(TvmFfiBuildError):
    """The data about the runtime's releases that this package carries is damaged."""

    exit_code = ExitStatus.MISSING


class ContractError(TvmFfiBuildError):
    """What was observed is not what was derived."""

    exit_code = ExitStatus.FOUND


class AuditError(TvmFfiBuildError):
    """A wheel that was built or repaired, and that the audit found unfit for use."""

    exit_code = ExitStatus.REFUSED


class WheelError(TvmFfiBuildError):
    """A file that should be a wheel and is not one, is damaged, or contradicts itself."""


class ContradictionError(WheelError):
    """A wheel whose name, metadata, RECORD and files do not agree."""


class RefusedError(TvmFfiBuildError):
    """A wheel that cannot be repaired as asked: it, or what was asked for, has to change."""

    exit_code = ExitStatus.REFUSED


class RepairError(TvmFfiBuildError):
    """The repair of a wheel failed, or made something else than it should have."""

    exit_code = ExitStatus.FAILED


class NothingToDoError(TvmFfiBuildError):
    """None of the inputs is a wheel of an extension."""


class RecordError(TvmFfiBuildError):
    """What a wheel or a library says about its build cannot be true, or cannot be understood."""


class NewProjectError(TvmFfiBuildError):
    """A project cannot be begun so: its name, its template or its folder has to be another one."""


class PlatformError(TvmFfiBuildError):
    """A platform that no wheel can be built for."""


class StubError(TvmFfiBuildError):
    """Stubs cannot be made: a directive, a file, a snapshot or a library is not what it should be."""


class LoadError(StubError):
    """A library cannot be loaded on this machine, so nobody knows what it registers."""

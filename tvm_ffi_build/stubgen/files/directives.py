"""Directives in Python files: comments that say what to generate and where.

A block begins with ``# tvm-ffi-stubgen(begin): KIND`` and ends with ``# tvm-ffi-stubgen(end)``; what lies between is
replaced. Other directives stand alone. Everything else in a file stays as it is, to the byte. That includes directives
that a string quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ...errors import StubError
from .python_names import is_dotted_name, is_plain_name

__all__ = ["MARKER", "Block", "Directive", "Document", "begin_line", "directive_line", "end_line", "parse_document"]

# How every directive starts, as in the runtime's own tool. No other module spells it.
MARKER = "# tvm-ffi-stubgen("
# With its end; str.splitlines knows more ends than Python's own parser.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
# The function that puts registered functions into a module; a module that a directive names has it under this name.
_INIT_FUNCTION = "init_ffi_api"
_BLOCKS = ("global/PREFIX", "object/TYPE_KEY", "library/TARGET", "import-section", "export/MODULE", "__all__")
_SINGLE = ("ty-map", "import-object", "skip-file", "prefix", "skip")


@dataclass(frozen=True)
class Directive:
    """A directive of one line.

    Attributes:
        name: ``ty-map``, ``import-object``, ``prefix``, ``skip`` or ``skip-file``.
        payload: What follows the colon.
        line: Its number.
        text: The line.

    """

    name: str
    payload: str
    line: int
    text: str


@dataclass(frozen=True)
class Block:
    """A block to be filled.

    Attributes:
        kind: ``global``, ``object``, ``library``, ``import-section``, ``export`` or ``__all__``.
        parameter: What follows the slash, or nothing.
        line: The number of its first line.
        begin: Its first line.
        body: What lies between.
        end: Its last line.

    """

    kind: str
    parameter: str
    line: int
    begin: str
    body: str
    end: str

    @property
    def prefix(self) -> str:
        """Of a block for functions or for a type: what the registered names begin with, without the last dot."""
        if self.kind == "object":
            return self.parameter.rpartition(".")[0]
        return self.parameter.partition("@")[0].strip()

    @property
    def init_function(self) -> tuple[str, str]:
        """Of a block ``global/PREFIX@MODULE``: the module and the name of the function that fills the module."""
        path = f"{self.parameter.partition('@')[2].strip() or 'tvm_ffi'}.{_INIT_FUNCTION}"
        module, _, name = path.rpartition(".")
        return module, name

    @property
    def indent(self) -> str:
        """The blanks before its first line."""
        content = self.begin.lstrip("\ufeff")
        return content[: len(content) - len(content.lstrip())]

    @property
    def last_line(self) -> int:
        """The number of its last line."""
        return self.line + len(_LINE.findall(self.body)) + 1

    def filled(self, lines: list[str]) -> Block:
        """Return the block with other content, whose lines end as its first does."""
        newline = self.begin[len(self.begin.rstrip("\r\n")) :]
        return replace(self, body="".join(f"{line}{newline}" for line in lines))


@dataclass(frozen=True)
class Document:
    """A file in parts.

    Attributes:
        path: What to call it in errors.
        parts: Plain text, directives and blocks, in their order.

    """

    path: str
    parts: tuple[str | Directive | Block, ...]

    @property
    def text(self) -> str:
        """The file."""
        return "".join(_part_text(part) for part in self.parts)

    @property
    def lines(self) -> list[str]:
        """Its lines, each with its end."""
        return _LINE.findall(self.text)

    @property
    def newline(self) -> str:
        """How its first line ends."""
        match = re.search(r"\r\n|\r|\n", self.text)
        return match[0] if match else "\n"

    @property
    def blocks(self) -> list[Block]:
        """Its blocks."""
        return [part for part in self.parts if isinstance(part, Block)]

    @property
    def bearer(self) -> Block | None:
        """The block that has the imports: one for them, or the first that may."""
        sections = [block for block in self.blocks if block.kind == "import-section"]
        others = (block for block in self.blocks if block.kind in {"global", "library"} and not block.indent)
        return next(iter([*sections, *others]), None)

    @property
    def has_directive(self) -> bool:
        """Whether there is any directive, such as one that asks to leave the file alone."""
        return any(not isinstance(part, str) for part in self.parts)

    def directives(self, name: str) -> list[Directive]:
        """Return its directives of one name."""
        return [part for part in self.parts if isinstance(part, Directive) and part.name == name]

    @property
    def is_to_be_filled(self) -> bool:
        """Whether there is anything to do."""
        return self.has_directive and not self.is_skipped

    @property
    def is_skipped(self) -> bool:
        """Whether it asks to be left alone."""
        return bool(self.directives("skip-file"))


def _part_text(part: str | Directive | Block) -> str:
    if isinstance(part, Block):
        return f"{part.begin}{part.body}{part.end}"
    return part if isinstance(part, str) else part.text


def begin_line(kind: str) -> str:
    """Return the first line of a block, without a line end.

    >>> begin_line("global/demo")[2:]
    'tvm-ffi-stubgen(begin): global/demo'
    """
    return directive_line("begin", kind)


def end_line() -> str:
    """Return the last line of a block, without a line end."""
    return f"{MARKER}end)"


def directive_line(name: str, payload: str) -> str:
    """Return a directive, without a line end."""
    return f"{MARKER}{name}): {payload}"


def parse_document(text: str, path: str) -> Document:
    """Find the directives in a file's text.

    Raises:
        StubError: A directive is unknown, malformed, unmatched or nested.

    """
    lines = _LINE.findall(text)
    code = _Code()
    for number, line in enumerate(lines):
        if code.begins(line) and (_read_directive(line) or "").startswith("skip-file)"):
            # Whatever else it holds.
            skip = Directive("skip-file", "", number + 1, line)
            parts = ("".join(lines[:number]), skip, "".join(lines[number + 1 :]))
            return Document(path, tuple(part for part in parts if part != ""))
    parser = _Parser(path)
    for number, line in enumerate(lines, 1):
        parser.feed(number, line)
    return Document(path, parser.finish())


# A comment, or what a string begins with. Its prefix need not be known: also in a raw string, a backslash keeps a quote
# from ending it (https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals).
_OPENING = re.compile(r"""#|\"{3}|'{3}|"|'""")
_ENDS = {quote: re.compile(rf"(?:\\.|[^\\])*?{quote}", re.DOTALL) for quote in ('"""', "'''", '"', "'")}
# What may follow in a line where a string of one line is not ended: it goes on behind a backslash.
_GOES_ON = re.compile(r"(?:\\(?:\r\n|.)|[^\\\r\n])*\Z", re.DOTALL)


class _Code:
    """Follows the lines of a file, and knows whether a line begins in a string.

    Not by the module tokenize: it stops at the first thing that is not Python, and it changes with Python's version.
    """

    def __init__(self) -> None:
        self.quote = ""

    def begins(self, line: str) -> bool:
        """Return whether a line begins outside of strings, and go on behind it."""
        begins, position = not self.quote, 0
        while True:
            if not self.quote:
                found = _OPENING.search(line, position)
                if found is None or found[0] == "#":
                    return begins
                self.quote, position = found[0], found.end()
            end = _ENDS[self.quote].match(line, position)
            if end is None:
                if len(self.quote) == 1 and not _GOES_ON.match(line, position):
                    self.quote = ""
                return begins
            self.quote, position = "", end.end()


class _Parser:
    """Puts the lines of a file together to parts."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.parts: list[str | Directive | Block] = []
        self.lines: list[str] = []
        self.opened: Block | None = None
        self.code = _Code()

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        # What lies in a block may be broken; it ends where it says.
        directive = _read_directive(line) if self.opened is not None or self.code.begins(line) else None
        where = f"{self.path}:{number}"
        if directive is None:
            self.lines.append(line)
        elif directive.startswith("end)"):
            self._end_block(where, line)
        elif self.opened is not None:
            raise StubError(
                f"{where}: a directive in the block of line {self.opened.line}", f"end that first: {end_line()}"
            )
        else:
            self._flush_lines()
            if directive.startswith("begin)"):
                self.opened = _parse_begin(directive[len("begin)") :], where, number, line)
            else:
                self.parts.append(_parse_single(directive, where, number, line))

    def _end_block(self, where: str, line: str) -> None:
        if self.opened is None:
            raise StubError(f"{where}: the end of a block that was not started", f"start it with: {begin_line('KIND')}")
        self.parts.append(replace(self.opened, body="".join(self.lines), end=line))
        self.opened, self.lines = None, []

    def _flush_lines(self) -> None:
        if self.lines:
            self.parts.append("".join(self.lines))
            self.lines = []

    def finish(self) -> tuple[str | Directive | Block, ...]:
        """Return the parts when there are no more lines."""
        if self.opened is not None:
            raise StubError(f"{self.path}:{self.opened.line}: a block that is not ended", f"end it: {end_line()}")
        self._flush_lines()
        return tuple(self.parts)


def _read_directive(line: str) -> str | None:
    """Return what follows the marker in a line, or None if it has none."""
    content = line.lstrip("\ufeff").strip()
    return content[len(MARKER) :] if content.startswith(MARKER) else None


def _parse_begin(rest: str, where: str, number: int, line: str) -> Block:
    text = rest.removeprefix(":").strip() if rest.startswith(":") else None
    if text:
        kind, slash, parameter = text.partition("/")
        for known in _BLOCKS:
            name, known_slash, _ = known.partition("/")
            if kind == name and slash == known_slash and bool(parameter.strip()) == bool(slash):
                block = Block(kind, parameter.strip(), number, line, "", "")
                if kind == "global" and not _is_module(block.init_function[0]):
                    raise StubError(
                        f"{where}: {line.strip()!r} names no module after @", "expected global/PREFIX@MODULE"
                    )
                return block
    kinds = ", ".join(_BLOCKS)
    raise StubError(
        f"{where}: {line.strip()!r} does not start a known block", f"expected one of {kinds} after the colon"
    )


def _is_module(text: str) -> bool:
    """Return whether ``from text import name`` is Python."""
    name = text.lstrip(".")
    return (name == "" and text != "") or is_dotted_name(name)


def _parse_single(directive: str, where: str, number: int, line: str) -> Directive:
    name, closed, payload = directive.partition(")")
    payload = payload.strip()
    if not closed or name not in _SINGLE:
        raise StubError(
            f"{where}: {line.strip()!r} is not a known directive", f"expected one of begin, end, {', '.join(_SINGLE)}"
        )
    payload = payload.removeprefix(":").strip() if payload.startswith(":") else ""
    if name == "ty-map":
        left, arrow, right = (part.strip() for part in payload.partition("->"))
        if not (arrow and left and all(part.isidentifier() for part in right.split("."))):
            raise StubError(f"{where}: {line.strip()!r} maps nothing", "expected ty-map): TYPE_KEY -> module.Class")
    elif name == "import-object":
        full, _, alias, *more = (part.strip() for part in f"{payload};;".split(";"))
        names = [*full.split("."), *([alias] if alias else [])]
        # Whatever is not "true" means an import at run time, as in the runtime's own tool.
        if any(more) or not all(map(is_plain_name, names)):
            raise StubError(
                f"{where}: {line.strip()!r} imports nothing", "expected import-object): module.name;True|False;alias"
            )
    elif not payload:
        raise StubError(f"{where}: {line.strip()!r} names nothing", f"expected {name}): NAME")
    return Directive(name, payload, number, line)

"""Directives: what is found, what is refused, and that nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.files.directives import Block, Directive, parse_document

BEGIN, END = "# tvm-ffi-stubgen(begin): {}", "# tvm-ffi-stubgen(end)"

LINES = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["", "\t x = 1", "\ufeff", "a\u2028b", "\x0c", "# tvm-ffi-stubgen", "#tvm-ffi-stubgen(end)"]),
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
BLOCKS = st.sampled_from(["global/a.b", "object/a.B", "import-section", "export/_x", "__all__", "library/x"])


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Make a file and the kinds of its blocks."""
    text, kinds = "", []
    for _ in range(draw(st.integers(0, 5))):
        text += "".join(draw(LINES) + draw(ENDS) for _ in range(draw(st.integers(0, 3))))
        indent = draw(st.sampled_from(["", "    ", "\t"]))
        kind = draw(BLOCKS)
        kinds.append(kind.partition("/")[0])
        body = "".join(draw(LINES) + draw(ENDS) for _ in range(draw(st.integers(0, 3))))
        text += f"{indent}{BEGIN.format(kind)}{draw(ENDS)}{body}{indent}{END}{draw(ENDS)}"
    return text + draw(LINES), kinds


@given(files())
def test_what_is_read_is_written_back_to_the_byte(file: tuple[str, list[str]]) -> None:
    text, kinds = file
    document = parse_document(text, "f.py")
    assert document.text == text
    assert [block.kind for block in document.blocks] == kinds


@given(files(), st.lists(st.text(alphabet="abc #", max_size=5), max_size=3))
def test_filling_blocks_changes_nothing_outside_of_them(file: tuple[str, list[str]], lines: list[str]) -> None:
    document = parse_document(file[0], "f.py")
    parts = tuple(part.filled(lines) if isinstance(part, Block) else part for part in document.parts)
    filled = parse_document(replace(document, parts=parts).text, "f.py")

    def outside(parts: tuple[object, ...]) -> list[object]:
        return [(part.begin, part.end) if isinstance(part, Block) else part for part in parts]

    assert outside(filled.parts) == outside(document.parts)


@given(st.text())
def test_no_text_is_a_traceback(text: str) -> None:
    try:
        document = parse_document(text, "f.py")
    except StubError as error:
        assert str(error).startswith("f.py:")  # noqa: PT017
    else:
        assert document.text == text


def test_directives_of_one_line() -> None:
    document = parse_document(
        "# tvm-ffi-stubgen(ty-map): a.B -> c.d.E\n  # tvm-ffi-stubgen(import-object): a.b;True;c\n"
        "# tvm-ffi-stubgen(prefix): a.b.\n# tvm-ffi-stubgen(skip): a.b.C",
        "f.py",
    )
    assert [(part.name, part.payload, part.line) for part in document.parts if isinstance(part, Directive)] == [
        ("ty-map", "a.B -> c.d.E", 1),
        ("import-object", "a.b;True;c", 2),
        ("prefix", "a.b.", 3),
        ("skip", "a.b.C", 4),
    ]


def test_a_file_that_asks_to_be_left_alone_may_hold_anything() -> None:
    document = parse_document(f"{END}\n# tvm-ffi-stubgen(skip-file)\n# tvm-ffi-stubgen(nonsense)\n", "f.py")
    assert document.is_skipped


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"x\n{END}", r"f\.py:2: the end of a block that was not begun; begin it: # tvm-ffi-stubgen\(begin\): KIND"),
        (BEGIN.format("global/a"), r"f\.py:1: a block that is not ended; end it: # tvm-ffi-stubgen\(end\)"),
        (
            f"{BEGIN.format('global/a')}\n{BEGIN.format('global/b')}\n{END}",
            r"f\.py:2: a directive in the block of line 1",
        ),
        (
            f"{BEGIN.format('globals/a')}\n{END}",
            r"f\.py:1: '# .*globals/a' begins no known block; expected one of global/PREFIX",
        ),
        (f"{BEGIN.format('global/')}\n{END}", "begins no known block"),
        (f"{BEGIN.format('__all__/x')}\n{END}", "begins no known block"),
        ("# tvm-ffi-stubgen(begin) global/a", "begins no known block; expected .* after the colon"),
        ("# tvm-ffi-stubgen(typ-map): a -> b", r"is no known directive; expected one of begin, end, ty-map"),
        ("# tvm-ffi-stubgen(ty-map): a b", r"maps nothing; expected ty-map\): TYPE_KEY -> module\.Class"),
        ("# tvm-ffi-stubgen(ty-map): a -> b c", "maps nothing"),
        ("# tvm-ffi-stubgen(import-object): a-b;True", "imports nothing; expected import-object"),
        ("# tvm-ffi-stubgen(import-object): a;perhaps", "imports nothing"),
        ("# tvm-ffi-stubgen(import-object): a;True;b;c", "imports nothing"),
        ("# tvm-ffi-stubgen(prefix):", r"names nothing; expected prefix\): NAME"),
        ("# tvm-ffi-stubgen(", "is no known directive"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(StubError, match=message):
        parse_document(text, "f.py")

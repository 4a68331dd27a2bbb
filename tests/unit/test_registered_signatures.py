"""Signatures that functions are registered with: what is read, what is refused, and what a stub makes of them."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tvm_ffi_build.errors import StubError
from tvm_ffi_build.stubgen.generate import generate
from tvm_ffi_build.stubgen.registry.signatures import (
    BY_NAME,
    BY_POSITION,
    EITHER,
    SignatureError,
    parse_signature,
    split_docs,
)
from tvm_ffi_build.stubgen.registry.snapshot import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {
    BY_POSITION: inspect.Parameter.POSITIONAL_ONLY,
    EITHER: inspect.Parameter.POSITIONAL_OR_KEYWORD,
    BY_NAME: inspect.Parameter.KEYWORD_ONLY,
}
LITERALS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@st.composite
def signatures(draw: st.DrawFn) -> inspect.Signature:
    """Make a signature of Python, without types."""
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,4}x", fullmatch=True), unique=True, max_size=6))
    kinds = sorted(draw(st.sampled_from(sorted(KINDS))) for _ in names)
    has_default = draw(st.integers(0, len(names)))
    parameters = []
    for number, (name, kind) in enumerate(zip(names, kinds)):
        given_default = draw(LITERALS) if number >= has_default else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, KINDS[kind], default=given_default))
    return inspect.Signature(parameters)


def fill(functions: dict[str, Any], name: str = "f.py") -> str:
    data = {"schema": 1, "runtime": "1", "functions": functions, "types": {}, "libraries": {}}
    head = "".join(
        f"# tvm-ffi-stubgen(begin): {kind}\n# tvm-ffi-stubgen(end)\n" for kind in ("import-section", "global/a")
    )
    return generate({Path(name): head}, read_snapshot(json.dumps(data), "a test")).texts[Path(name)]


def function(signature: str, *params: str | dict[str, Any], returns: str = "int", doc: str = "") -> dict[str, Any]:
    given_params = [param if isinstance(param, dict) else {"type": param} for param in params]
    named = {"return": [{"type": returns}], "params": given_params}
    return {"type": json.dumps({"type": "ffi.Function", "named_args": named}), "doc": doc, "signature": signature}


@given(signatures())
def test_a_signature_is_read_as_python_reads_it(signature: inspect.Signature) -> None:
    found = parse_signature(str(signature)[1:-1])
    assert [parameter.name for parameter in found] == list(signature.parameters)
    for parameter in found:
        known = signature.parameters[parameter.name]
        assert KINDS[parameter.kind] == known.kind
        assert parameter.default == (None if known.default is inspect.Parameter.empty else repr(known.default))


@given(signatures())
def test_what_runs_has_the_signature_and_passes_everything_on_in_order(signature: inspect.Signature) -> None:
    text = fill({"a.f": function(str(signature)[1:-1], *["ffi.Any"] * len(signature.parameters))})
    calls: list[tuple[object, ...]] = []

    def registered(*args: object) -> int:
        calls.append(args)
        return 1

    body = text[text.index("begin): global") :].replace('_FFI_INIT_FUNC("a", __name__)\n', "")
    scope: dict[str, Any] = {"TYPE_CHECKING": False, "f": registered}
    exec(compile(f"# {body}", "f.py", "exec"), scope)  # noqa: S102
    call: Callable[..., int] = scope["f"]
    by_position_only = all(
        known.kind == inspect.Parameter.POSITIONAL_ONLY and known.default is inspect.Parameter.empty
        for known in signature.parameters.values()
    )
    assert (call is registered) is by_position_only
    if by_position_only:
        return
    assert inspect.signature(call) == signature
    given_by_name = {name: name for name, known in signature.parameters.items() if known.kind != KINDS[BY_POSITION]}
    by_position = [name for name in signature.parameters if name not in given_by_name]
    assert call(*by_position, **given_by_name) == 1
    assert calls == [tuple(signature.parameters)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,, y", "is not Python"),
        ("x): pass\nimport os\ndef g(", "is not Python"),
        ("x) -> (0", "is not Python"),
        ("class", "is not Python"),
        ("x, *, x", "has two parameters of one name"),
        ("x # comment", None),
        ("*args", "has a parameter with a star"),
        ("x, **more", "has a parameter with a star"),
        ("x=f()", r"has a default value that is not a literal: f\(\)"),
        ("x=-1, y=(1, 2)", None),
    ],
)
def test_a_signature_that_is_none(text: str, message: str | None) -> None:
    if message is None:
        assert parse_signature(text)
    else:
        with pytest.raises(SignatureError, match=message):
            parse_signature(text)


OPTIONAL = {"type": "Optional", "args": [{"type": "int"}]}


@pytest.mark.parametrize(
    ("signature", "params", "message"),
    [
        ("x", ["int", "int"], "has 1 parameters, but the function takes 2"),
        ("x, y=1", ["int"], "has 2 parameters, but the function takes 1"),
        ("x='1'", ["int"], "has x='1', but the function takes int there"),
        ("x=None", ["int"], "has x=None, but the function takes int there"),
        ("x=1.5", ["int"], "has x=1.5, but the function takes int there"),
        ("x=None", ["ffi.Tensor"], "has x=None, but the function takes Tensor there"),
        ("x: str", ["int"], "has x: str, but the function takes int there"),
        ("x=", ["int"], "is not Python"),
        ("x=1", ["float"], None),
        ("x=None", [OPTIONAL], None),
        ("x=1", [OPTIONAL], None),
        ("x=[1]", ["ffi.Array"], None),
        ("x='cpu'", ["Device"], None),
        ("x=b'a'", ["ffi.Any"], None),
        ("x: int | None = None", [OPTIONAL], None),
        ("x: Tensor", ["ffi.Tensor"], None),
        ("x: float, alpha: float = 1.0", ["float", "float"], None),
    ],
)
def test_a_signature_has_to_fit_the_registered_types(signature: str, params: list[Any], message: str | None) -> None:
    functions = {"a.f": function(signature, *params)}
    if message is None:
        assert "def f(x: " in fill(functions)
    else:
        with pytest.raises(StubError, match=rf"^the signature .* of a\.f {message}; correct it where the function is"):
            fill(functions)


def test_a_signature_of_a_function_without_types() -> None:
    text = fill({"a.f": {"type": None, "doc": None, "signature": "x, y=1"}})
    assert "def f(x: Any, y: Any = 1) -> Any: ..." in text


def test_a_wrapper_takes_no_name_that_is_registered() -> None:
    functions = {f"a.{name}": function("x=1", "int") for name in ("f", "_ffi_f")}
    text = fill(functions)
    compile(text, "f.py", "exec")
    assert "    __ffi_f = f\n" in text


def test_a_stub_file_has_no_wrapper() -> None:
    assert "else:" not in fill({"a.f": function("x=1", "int")}, "f.pyi")


@given(st.text(), st.text())
def test_docs_may_begin_with_the_signature(signature: str, doc: str) -> None:
    text = f"f({signature})\n--\n\n{doc}"
    found, rest = split_docs(text)
    assert found is not None
    assert f"f({found})\n--\n\n{rest}" == text
    if ")\n--\n\n" not in f"{signature})":
        assert (found, rest) == (signature, doc)
    assert split_docs("Adds f(x).\n--\n\nmore") == (None, "Adds f(x).\n--\n\nmore")

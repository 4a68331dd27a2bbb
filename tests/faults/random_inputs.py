"""Wheels and registries that are made by chance, each from a number: the same number gives the same one.

A wheel is the honest one with one to three changes: to fields of its headers, to names, contents, order and number of
members, to its end, and to single bytes. A registry is any number of functions and types, whose names, docs, schemas,
defaults and places come from what has a meaning for Python, terminals, paths and JSON.
"""

from __future__ import annotations

import json
import random
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forged_wheels import INFO, METADATA, WHEEL, archive, files_of, members_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from forged_wheels import Member

__all__ = ["REGISTRIES_BY_CHANCE", "WHEELS_BY_CHANCE", "registry_of", "wheel_of"]

# So many are tried.
WHEELS_BY_CHANCE = REGISTRIES_BY_CHANCE = 100

_FIELDS = ("version", "flags", "method", "crc", "compressed", "size", "attributes", "offset")
_NUMBERS = (0, 1, 2, 3, 8, 9, 12, 20, 0x800, 0x801, 0x7FFF, 0x8000, 0xFFFF)
_LARGE = (*_NUMBERS, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_NAMES = (
    *("../a", "/a", "a//b", "a/../b", "a\\b", "C:a", "a\0b", "\x1b[2J", "\x9bm", "\u202ea", "a\u2028b", "::error::a"),
    *("", "/", ".", "..", "a" * 300, "a/" * 600 + "b", "demo", "demo/__init__.py/x", "DEMO/__init__.py", "nul", "a."),
    *(
        "x.pth",
        "sitecustomize.py",
        "other-1.data/scripts/a",
        f"{INFO}METADATA",
        f"{INFO}RECORD",
        "x.dist-info/METADATA",
    ),
)
_LINES = (
    *("Name: other", "Version: 2", "Version: \x1b[2J", "Requires-Dist: (", "Requires-Dist: a; b", "Tag: py3-none-any"),
    *(
        "Requires-Dist: apache-tvm-ffi<0",
        "Requires-Dist: apache-tvm-ffi " + "(" * 500,
        "Wheel-Version: 9",
        "\0",
        ":",
        " x",
    ),
    *("Tag: " + "a." * 500 + "b-c-d", "Root-Is-Purelib: maybe", "Requires-Python: ::error::", "Name: \u202edemo"),
)


def wheel_of(number: int) -> bytes:
    """Return a wheel that is wrong in some way."""
    chance = random.Random(number)  # noqa: S311  (not for secrets)
    members, end, change_bytes = members_of(files_of()), {}, []
    for _ in range(chance.randint(1, 3)):
        kind = chance.randrange(9)
        at = chance.randrange(len(members))
        if kind == 0:
            members[at] = _with_lies(members[at], chance)
        elif kind == 1:
            members[at] = replace(members[at], name=chance.choice(_NAMES))
        elif kind == 2:
            members.append(chance.choice(members))
        elif kind == 3:
            del members[at]
            members = members or members_of(files_of())
        elif kind == 4:
            members[at] = replace(members[at], content=members[at].content + chance.randbytes(9))
        elif kind == 5:
            end[chance.choice(["count", "size", "start"])] = chance.choice(_NUMBERS)
        elif kind == 6:
            metadata, wheel = _with_line(METADATA, chance), _with_line(WHEEL, chance)
            members = members_of(files_of(METADATA=metadata, WHEEL=wheel))
        else:
            change_bytes.append(kind)
    content = _archive(members, end)
    for kind in change_bytes:
        content = _cut_or_flip(content, chance, cut=kind == 7)
    return content


def _archive(members: list[Member], end: dict[str, int]) -> bytes:
    try:
        return archive(members, **end)
    except struct.error:  # a number that its field cannot hold
        return archive(members_of(files_of()), count=0)


def _with_lies(member: Member, chance: random.Random) -> Member:
    lies = {name: chance.choice(_LARGE) for name in chance.sample(_FIELDS, 2)}
    for name in ("version", "flags", "method"):
        if name in lies:
            lies[name] &= 0xFFFF
    where = chance.choice(["local", "directory", "both"])
    if where == "both":
        return member.lying(**lies)
    return replace(member, **{where: lies})  # type: ignore[arg-type]


def _with_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(_LINES))
    if chance.random() < 0.5:
        del lines[chance.randrange(len(lines))]
    return "\n".join(lines) + "\n"


def _cut_or_flip(content: bytes, chance: random.Random, *, cut: bool) -> bytes:
    at = chance.randrange(len(content))
    if cut:
        return (
            content[:at]
            + chance.choice([b"", chance.randbytes(30), content[:50]])
            + content[at + chance.randrange(30) :]
        )
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


# ---- Registries


_WORDS = (
    *("f", "class", "None", "self", "__init__", "_", "a b", "a-b", "1a", "ffi", "typing", "Object", "T", "__class__"),
    *(
        "f()\nimport os\n#",
        '"""',
        "'''\n",
        "\\",
        "\x1b]0;x\x07",
        "\x9b2J",
        "\u202e",
        "\u2028x",
        "\udcff",
        "größe",
        "\0",
    ),
    *(
        "::error::x",
        "##[error]x",
        "{x}",
        "%s",
        "../../x",
        "",
        ".",
        "..",
        "x" * 3000,
        "# tvm-ffi-stubgen(end)",
        "\U0001d41f",
        "\ufeff",
    ),
)
_SCHEMAS = (
    "int",
    "float",
    "bool",
    "str",
    "Any",
    "None",
    "Array",
    "Map",
    "Optional",
    "Union",
    "Callable",
    "Tensor",
    "a.B",
)


def registry_of(number: int) -> str:
    """Return a snapshot of a registry, as JSON."""
    chance = random.Random(number)  # noqa: S311  (not for secrets)
    functions = {_name(chance): _function(chance) for _ in range(chance.randint(1, 8))}
    types = {_name(chance): _type(chance) for _ in range(chance.randint(0, 6))}
    libraries = {f"lib{chance.choice(_WORDS)}.so": {chance.choice(_WORDS): _function(chance)}}
    data: dict[str, Any] = {"schema": 1, "runtime": "0.1.15.post2", "functions": functions, "types": types}
    data["libraries"] = libraries if chance.random() < 0.5 else {}
    if chance.random() < 0.1:
        data[chance.choice(list(data))] = chance.choice([None, [], 7, "x", {}])
    return json.dumps(data)


def _name(chance: random.Random) -> str:
    return "a." + ".".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 3)))


def _text(chance: random.Random) -> str | None:
    return None if chance.random() < 0.3 else "\n".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 5)))


def _schema(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    known: dict[str, Any] = {"type": chance.choice([*_SCHEMAS, chance.choice(_WORDS)])}
    if depth < chance.randint(0, 6):
        known["args"] = [_schema(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return known


def _function(chance: random.Random) -> dict[str, Any]:
    wrong: list[Callable[[], Any]] = [
        lambda: "int(",
        lambda: 1,
        lambda: "[]",
        lambda: '{"type": 1}',
        lambda: "[" * 9999,
    ]
    schema = {"type": "Callable", "args": [_schema(chance, 1) for _ in range(chance.randint(1, 5))]}
    text = json.dumps(schema) if chance.random() < 0.9 else chance.choice(wrong)()
    made = {"type": None if chance.random() < 0.1 else text, "doc": _text(chance)}
    return {**made, "signature": _text(chance)} if chance.random() < 0.3 else made


def _type(chance: random.Random) -> dict[str, Any]:
    defaults = [None, "...", "1", "'x'", "None", "__import__('os')", "(" * 500, "1\n", "f()", chance.choice(_WORDS)]
    return {
        "parent": chance.choice([None, "ffi.Object", "a.f", "a.class", _name(chance)]),
        "python": chance.choice([None, None, "tvm_ffi.Object", chance.choice(_WORDS)]),
        "init": chance.random() < 0.5,
        "fields": [
            {
                "name": chance.choice(_WORDS),
                "type": json.dumps(_schema(chance)),
                "doc": _text(chance),
                "frozen": chance.random() < 0.5,
                "init": True,
                "kw_only": chance.random() < 0.3,
                "default": chance.choice(defaults),
            }
            for _ in range(chance.randint(0, 4))
        ],
        "methods": [
            {"name": chance.choice(_WORDS), **_function(chance), "static": chance.random() < 0.5}
            for _ in range(chance.randint(0, 3))
        ],
    }

"""Changes JSON as JSON: of bytes that are changed blindly, few get past its parser."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["changed"]

# What means something to what reads the JSON, or to what is written with it.
_WORDS = """
... nan a-b a.b.C a.class self _self class None int list str property Sequence Any TYPE_CHECKING LIB Library Pair
__init__ __ffi_init__ __all__ demo demo. .demo demo.Pair demo.sub.Pair demo.Sequence demo.sub ffi.Object
tvm_ffi.Object a.<locals>.B ffi.Function Optional Union Tuple tuple Expected ffi.Map Device ffi.Tensor type args
named_args params return libdemo.so static 0.1.9 1!0a1.dev2+b header link schema
"""
_NO_WORDS: tuple[Any, ...] = (None, True, False, 0, 1, 2, -1, 10**30, 0.5, [], {})
VALUES: tuple[Any, ...] = (
    *_WORDS.split(),
    *_NO_WORDS,
    "",
    "1",
    "'a'",
    "[1]",
    "a<b, c>",
    "é",
    "\ud800",
    "\r",
    "\u2028",
    "\\",
    '"',
    '"""',
    "'",
    "#",
    "\n# tvm-ffi-stubgen(end)\n",
    "Args:\n  self: a",
    "\\param self a",
)


def changed(data: bytes, limit: int, seed: int, blindly: Callable[[bytes, int], bytes]) -> bytes:
    """Return bytes, of which the first is no JSON and the rest may be, with another value somewhere.

    Args:
        data: The bytes.
        limit: How many there may be.
        seed: What the change depends on.
        blindly: What changes bytes, for what is no JSON; and sometimes for what is.

    """
    random = Random(seed)  # noqa: S311  (no secret)
    try:
        table = json.loads(data[1:])
    except (ValueError, RecursionError):
        table = None
    if table is None or random.random() < 0.2:
        return blindly(data, limit)
    for _ in range(random.choice((1, 1, 2, 4))):
        table = _changed(table, random, table)
    made = data[:1] + json.dumps(table, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace")
    return made if len(made) <= limit else blindly(data, limit)


def _changed(value: Any, random: Random, table: Any) -> Any:
    """Return a value with another one in it, or in its place."""
    if isinstance(value, str) and value.startswith("{") and random.random() < 0.7:
        # A type schema is JSON in JSON.
        try:
            return json.dumps(_changed(json.loads(value), random, table))
        except ValueError:
            return value
    if not isinstance(value, (list, dict)) or not value or random.random() < 0.1:
        return _other(random, table)
    if isinstance(value, list):
        items = list(value)
        place = random.randrange(len(items))
        if random.random() < 0.2:
            items.insert(place, random.choice(items))
        elif random.random() < 0.1:
            del items[place]
        else:
            items[place] = _changed(items[place], random, table)
        return items
    rows = dict(value)
    key = random.choice([*rows])
    if random.random() < 0.2:
        name = _other(random, table)
        rows[name if isinstance(name, str) else "a"] = rows[key]
    elif random.random() < 0.1:
        del rows[key]
    else:
        rows[key] = _changed(rows[key], random, table)
    return rows


def _other(random: Random, table: Any) -> Any:
    """Return one of the known values, or one from elsewhere in the table."""
    value = table
    while random.random() < 0.8 and isinstance(value, (list, dict)) and value:
        value = random.choice([*value, *(value.values() if isinstance(value, dict) else ())])
    if random.random() < 0.2 and isinstance(value, str):
        return value + str(random.choice(VALUES))
    return value if random.random() < 0.3 else random.choice(VALUES)

"""Makes objects of C++ classes in Python and in C++, and uses all of their members from both."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import tvm_ffi

if TYPE_CHECKING:
    from collections.abc import Callable

library: Any = tvm_ffi.load_module(sys.argv[1])


@tvm_ffi.register_object("matrix.Shape")
class Shape(tvm_ffi.Object):
    """The base class."""

    name: str
    sides: int
    inside: Any
    describe: Callable[[str], str]

    def __init__(self: Any, name: str) -> None:
        """Make one."""
        self.__ffi_init__(name)


@tvm_ffi.register_object("matrix.Circle")
class Circle(Shape):
    """A derived class."""

    area: Callable[[], float]
    unit: Callable[[], Circle]


def use() -> None:
    """Use objects, of which none is left then."""
    shape = Shape("square")
    circle = library.make_circle("round thing with a name that is long", 2)
    assert library.alive() == 2
    assert (shape.name, shape.sides, shape.inside) == ("square", 0, None)
    assert (circle.name, circle.radius, circle.filled, circle.tag) == (
        "round thing with a name that is long",
        2,
        False,
        None,
    )
    assert shape.describe("big") == "big square"
    shape.inside = circle
    assert shape.describe("big") == "big square around another"
    assert isinstance(shape.inside, Circle)
    assert shape.inside.same_as(circle)
    assert shape.inside.area() == 12
    circle.name = "o"
    assert shape.inside.describe("tiny") == "tiny o"
    circle.grow(1)
    circle.grow(1)
    assert (circle.radius, list(circle.history)) == (4, [2, 3])
    circle.radius = 0.5
    circle.filled = True
    for tag in (1, "text", shape, None, 2.5):
        circle.tag = tag
        assert circle.tag == tag or circle.tag.same_as(tag)
    assert library.radius_of(circle) == 0.5
    twin = library.copy(circle)
    assert not twin.same_as(circle)
    assert (twin.name, twin.radius, twin.filled, list(twin.history)) == ("o", 0.5, True, [2, 3])
    assert isinstance(Circle.unit(), Circle)
    assert library.unit().radius == 1
    assert [library.is_circle(shape), library.is_circle(circle)] == [False, True]
    assert [library.is_shape(shape), library.is_shape(circle)] == [True, True]
    for wrong in (lambda: library.radius_of(shape), lambda: setattr(circle, "radius", "x")):
        try:
            wrong()
        except TypeError:
            continue
        raise AssertionError(wrong)
    try:
        shape.sides = 3
    except AttributeError:
        pass
    else:
        raise AssertionError("sides can be changed")
    assert library.alive() == 3


use()
gc.collect()
assert library.alive() == 0

"""How large what crosses the boundary between the runtime and an extension is, as a compiler sees a release's headers.

Names do not tell: ``Optional<Function>`` was 8 bytes, then 16, then 8, and neither mangled names nor the order of the
vtable changed. So sizes are compared, of everything that is passed or returned by value.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elftools.elf.elffile import ELFFile
from probe import VALUES, compile_probe

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Layouts", "read_layouts"]

_C = ("TVMFFI", "DL")  # what the names of C structs begin with
_OF_INTEREST = re.compile(r"TVMFFI|DL|tvm::ffi::(?!.*detail).*Obj$")
_POINTERS = {"DW_TAG_pointer_type", "DW_TAG_reference_type", "DW_TAG_rvalue_reference_type"}
_SAME_SIZE = {"DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type"}
_CLASSES = {"DW_TAG_structure_type", "DW_TAG_class_type", "DW_TAG_union_type"}


@dataclass(frozen=True)
class Layouts:
    """Sizes in bytes. One that ends in ``&`` is of what is passed by reference to a copy, whatever its size.

    Attributes:
        sizes: Of C structs, of objects and of values, by their names.
        signatures: Of what each exported C++ function returns and takes, by symbol: ``16&(8,1)``.
        slots: The same of each virtual method, by class, number of the slot and name.

    """

    sizes: dict[str, str]
    signatures: dict[str, str]
    slots: dict[str, str]


def read_layouts(include: Path, exported: Iterable[str]) -> Layouts:
    """Compile against the headers in a folder and read what the compiler made of them.

    Args:
        include: Holds ``tvm/ffi/c_api.h`` and ``dlpack/dlpack.h``.
        exported: The C++ symbols of the library.

    """
    wanted = set(exported)
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder, "probe.o")
        compile_probe(include, wanted, probe)
        with probe.open("rb") as file:
            (unit,) = ELFFile(file).get_dwarf_info().iter_CUs()
            reader = _Reader(wanted)
            for die in unit.get_top_DIE().iter_children():
                reader.read("", die)
    return Layouts(reader.sizes, reader.signatures, reader.slots)


class _Reader:
    """Collects from the entries of the debug information."""

    def __init__(self, exported: set[str]) -> None:
        self._exported = exported
        self._labels = list(VALUES)
        self.sizes: dict[str, str] = {}
        self.signatures: dict[str, str] = {}
        self.slots: dict[str, str] = {}

    def read(self, scope: str, die: Any) -> None:
        """Take what is wanted of an entry, and of those in it."""
        name = _name(die)
        path = f"{scope}::{name}" if scope else name
        if die.tag == "DW_TAG_typedef" and path.startswith(_C) and _resolved(die).tag in _CLASSES:
            self.sizes[path] = _size(die)
        elif die.tag in _CLASSES and path == "Probe":
            self._read_probe(die)
        elif die.tag in _CLASSES and "DW_AT_byte_size" in die.attributes and _OF_INTEREST.match(path):
            # Objects are never handed over by value, so how that would be done does not matter.
            self.sizes[path.removeprefix("tvm::ffi::")] = _size(die).rstrip("&")
        if die.tag == "DW_TAG_subprogram" and name:
            self._read_method(scope, name, die)
        if die.tag in {"DW_TAG_namespace", *_CLASSES} and (path == "tvm" or path.startswith("tvm::ffi")):
            for child in die.iter_children():
                self.read(path, child)

    def _read_probe(self, die: Any) -> None:
        for member in die.iter_children():
            name = _name(member)
            if name.startswith("value"):
                self.sizes[self._labels[int(name.removeprefix("value"))]] = _size(member)
            elif member.tag == "DW_TAG_member":
                self.signatures[name] = _signature(_target(_target(member)))

    def _read_method(self, scope: str, name: str, die: Any) -> None:
        symbol = _text(die, "DW_AT_linkage_name")
        if symbol in self._exported:
            self.signatures[symbol] = _signature(die)
        location = die.attributes.get("DW_AT_vtable_elem_location")
        if location is not None and "detail" not in scope:
            # The expression is one constant: its operation, then the number in LEB128, which is short.
            self.slots[f"{scope.removeprefix('tvm::ffi::')}[{location.value[1]}] {name}"] = _signature(die)


def _signature(function: Any) -> str:
    """Return the sizes of what a function returns and takes, without the object that a method is called on."""
    arguments = [
        _size(child)
        for child in function.iter_children()
        if child.tag == "DW_TAG_formal_parameter" and "DW_AT_artificial" not in child.attributes
    ]
    return f"{_size(function)}({','.join(arguments)})"


def _size(die: Any) -> str:
    """Return how a value of the type that an entry has, or is, is handed over."""
    kind = _resolved(die) if die.tag in _CLASSES or die.tag in _SAME_SIZE else _resolved(_target(die))
    if kind is None:
        return "0"
    if kind.tag in _POINTERS:
        return "8"
    size = kind.attributes["DW_AT_byte_size"].value
    return f"{size}&" if _is_passed_by_reference(kind) else str(size)


def _resolved(die: Any) -> Any:
    """Return the type behind its other names."""
    while die is not None and die.tag in _SAME_SIZE:
        die = _target(die)
    return die


def _target(die: Any) -> Any:
    return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None


def _is_passed_by_reference(kind: Any) -> bool:
    """Say whether a class is non-trivial for the purposes of calls (Itanium C++ ABI, 1.1)."""
    if kind.tag not in _CLASSES:
        return False
    own_name = _name(kind).partition("<")[0]
    for child in kind.iter_children():
        if child.tag == "DW_TAG_subprogram" and _is_user_provided(child):
            name = _name(child)
            if name.startswith("~") or (name == own_name and _copies(child, kind)):
                return True
        if "DW_AT_vtable_elem_location" in child.attributes:
            return True
        is_part = child.tag == "DW_TAG_inheritance" or (
            child.tag == "DW_TAG_member" and "DW_AT_external" not in child.attributes
        )
        if is_part and _is_passed_by_reference(_resolved(_target(child))):
            return True
    return False


def _is_user_provided(function: Any) -> bool:
    return not {"DW_AT_artificial", "DW_AT_defaulted", "DW_AT_deleted"} & set(function.attributes)


def _copies(constructor: Any, kind: Any) -> bool:
    """Say whether a constructor takes another object of its class, and nothing else."""
    arguments = [
        _resolved(_target(child))
        for child in constructor.iter_children()
        if child.tag == "DW_TAG_formal_parameter" and "DW_AT_artificial" not in child.attributes
    ]
    return len(arguments) == 1 and arguments[0].tag in _POINTERS and _resolved(_target(arguments[0])) == kind


def _name(die: Any) -> str:
    return _text(die, "DW_AT_name")


def _text(die: Any, attribute: str) -> str:
    return die.attributes[attribute].value.decode() if attribute in die.attributes else ""

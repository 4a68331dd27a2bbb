"""Cubins: ELF files with machine code for one architecture of CUDA, and code objects of AMD's GPUs.

The architecture is in ``e_flags``, as LLVM's ``ELF.h`` has them (``EF_CUDA_...``). Since CUDA 12.8 for new
architectures, since 13.0 for all, they have another layout, which ``e_ident[EI_ABIVERSION]`` tells: that code is for
one architecture only is an attribute in the section ``.nv.compat`` then, and the toolkit, which was ``e_version``, a
note (``.note.nv.tkinfo``). Code for a family is not marked: it runs where other code of its architecture does. AMD's
have their target in the metadata of their kernels ("User Guide for AMDGPU Backend", section "Code Object V3 Metadata"
and later).
"""

from __future__ import annotations

import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from ...platforms.cuda_architectures import CudaArchitecture
from ..elf import MAGICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..image import Data

__all__ = ["ELF_PREFIX", "Cubin", "find_amdgpu_target", "find_elf_end", "find_toolkit", "read_cubin"]

# What any of them begins with: 64 bits, little-endian.
ELF_PREFIX = MAGICS[0] + b"\x02\x01\x01"
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_EM_CUDA, _EM_AMDGPU = 190, 224
# EF_AMDGPU_MACH, a number of its own for each target.
_MACH = 0xFF
_ET_REL = 1
_SHT_NOBITS = 8
_NEW_ABI = 8
_ACCELERATORS = 0x800
_SHT_CUDA_COMPAT_INFO = 0x70000086
# An attribute: how its value is stored, which one it is, and the value, of one byte here; others have two, or a size.
_ATTRIBUTE = struct.Struct("<BBH")
_SIZED = 4
_IS_SPECIFIC = 9
_MOST_ATTRIBUTES = 1 << 8
# With -lineinfo there are tables of lines only.
_DEBUG = b"\0.debug_info\0"
_MOST_NAMES = 1 << 22
# In the note with the metadata of kernels, key "amdhsa.target".
_TARGET = re.compile(rb"amdgcn-amd-amdhsa-[a-z]*-(gfx[0-9a-f]{3,5}(:[a-z]{3,12}[+-]){0,4})")
_METADATA = 1 << 20
_TOOLKIT = re.compile(rb"Cuda compilation tools, release (\d{1,2}\.\d{1,2})\b")


class Cubin(NamedTuple):
    """What the header of a cubin says.

    Attributes:
        architecture: What it is for.
        toolkit: The toolkit that compiled it; empty if the header does not say.
        is_relocatable: Whether it still has to be linked.
        is_debug: Whether it was compiled with ``-G``.

    """

    architecture: CudaArchitecture
    toolkit: str
    is_relocatable: bool
    is_debug: bool


def read_cubin(data: Data, start: int = 0) -> Cubin | None:
    """Return what the header of a cubin says; None if none begins there."""
    head = data[start : start + _HEADER.size]
    if len(head) < _HEADER.size or not head.startswith(ELF_PREFIX):
        return None
    ident, kind, machine, version, _, _, _, flags, *_ = _HEADER.unpack(head)
    if machine != _EM_CUDA:
        return None
    if ident[8] < _NEW_ABI:
        number, is_specific = flags & 0xFF, bool(flags & _ACCELERATORS)
        toolkit = "{}.{}".format(*divmod(version, 10))
    else:
        number, is_specific, toolkit = flags >> 8 & 0xFF, _is_specific(data, start), ""
    architecture = CudaArchitecture.of_number(number, "a" if is_specific else "")
    return Cubin(architecture, toolkit, kind == _ET_REL, _DEBUG in _read_section_names(data, start))


def _is_specific(data: Data, start: int) -> bool:
    """Say whether a cubin of the new layout is for one architecture; one that is cut off does not say so."""
    for kind, offset, size in _read_sections(data, start):
        if kind == _SHT_CUDA_COMPAT_INFO:
            position, end = start + offset, min(start + offset + size, len(data) - _ATTRIBUTE.size + 1)
            for _ in range(_MOST_ATTRIBUTES):
                if position >= end:
                    break
                form, attribute, value = _ATTRIBUTE.unpack_from(data, position)
                if attribute == _IS_SPECIFIC:
                    return bool(value & 0xFF)
                position += _ATTRIBUTE.size + (value if form == _SIZED else 0)
    return False


def _read_section_names(data: Data, start: int) -> bytes:
    """Return the names of all sections, each behind a NUL; those that are there, of a cubin that is cut off."""
    index = _HEADER.unpack_from(data, start)[13]
    _, offset, size = next(islice(_read_sections(data, start), index, None), (0, 0, 0))
    return data[start + offset : start + offset + min(size, _MOST_NAMES)]


def _read_sections(data: Data, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield type, offset and size of each section of an ELF file that is part of another file."""
    header = _HEADER.unpack_from(data, start)
    table, size, count = header[6], header[11], header[12]
    if size < _SECTION.size:
        return
    last = min(start + table + size * count, len(data) - size + 1)
    for position in range(start + table, last, size):
        _, kind, _, _, offset, length, *_ = _SECTION.unpack_from(data, position)
        yield kind, offset, length


def find_amdgpu_target(data: Data, start: int = 0) -> str:
    """Return the target of a code object of an AMD GPU, such as ``gfx942``; empty if none begins there."""
    head = data[start : start + _HEADER.size]
    if len(head) < _HEADER.size or not head.startswith(ELF_PREFIX):
        return ""
    _, _, machine, _, _, _, _, flags, *_ = _HEADER.unpack(head)
    if machine != _EM_AMDGPU:
        return ""
    match = _TARGET.search(data, start, start + _METADATA)
    return match[1].decode() if match else f"machine {flags & _MACH:#x}"


def find_toolkit(content: bytes) -> str:
    """Return the toolkit that the note in a cubin names; empty if none does."""
    match = _TOOLKIT.search(content)
    return match[1].decode() if match else ""


def find_elf_end(data: Data, start: int, end: int) -> int:
    """Return where an ELF file ends that is part of another file: behind its last section, segment and table.

    Raises:
        ValueError, struct.error: It is not whole.

    """
    header = _HEADER.unpack_from(data, start)
    segments, sections, segment_size, segment_count, section_size, section_count = (*header[5:7], *header[9:13])
    found = [_HEADER.size, segments + segment_size * segment_count, sections + section_size * section_count]
    if start + max(found) > end or (segment_count and segment_size < _SEGMENT.size):
        raise ValueError(start)
    found += [offset + size for kind, offset, size in _read_sections(data, start) if kind != _SHT_NOBITS]
    for number in range(segment_count):
        _, _, offset, _, _, size, *_ = _SEGMENT.unpack_from(data, start + segments + number * segment_size)
        found.append(offset + size)
    if start + max(found) > end:
        raise ValueError(start)
    return int(start + max(found))

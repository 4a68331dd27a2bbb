"""A piece of device code, and what every reader of device code uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from ...platforms.cuda_architectures import parse_architecture

if TYPE_CHECKING:
    from ...platforms.cuda_architectures import CudaArchitecture

__all__ = ["Compression", "DeviceImage", "ImageKind"]

ImageKind = Literal["cubin", "ptx", "lto-ir", "tile-ir", "amdgpu", "spirv", "unknown"]
Compression = Literal["none", "lz4", "zstd", "zlib"]


class DeviceImage(NamedTuple):
    """Code for one GPU architecture, as a file of its own or as an entry of a container.

    Attributes:
        kind: ``cubin`` and ``amdgpu`` are machine code. A driver compiles ``ptx`` and ``spirv``, a linker ``lto-ir``.
        target: What it is for, as compilers spell it: ``sm_90a``, ``compute_90a``, ``gfx942``; empty if unknown.
        offset: Where its bytes begin, from the start of the file.
        size: How many bytes it takes there.
        unpacked_size: How many bytes that becomes, without compression.
        compression: How it is compressed.
        isa: The version of PTX that it is written in; None for other kinds.
        is_debug: Whether it was compiled with ``-G``, which switches optimization off.
        is_relocatable: Whether a linker still has to link it (``-rdc=true``).
        note: For an unknown kind, what was found.

    """

    kind: ImageKind
    target: str
    offset: int
    size: int
    unpacked_size: int
    compression: Compression = "none"
    isa: tuple[int, int] | None = None
    is_debug: bool = False
    is_relocatable: bool = False
    note: str = ""

    @property
    def architecture(self) -> CudaArchitecture | None:
        """The architecture of CUDA; None if this is for other GPUs."""
        try:
            return parse_architecture(self.target)
        except ValueError:
            return None

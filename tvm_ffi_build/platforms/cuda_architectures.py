"""CUDA's architectures: parse and spell them as PyTorch, CMake and nvcc do, and tell which GPUs run code for one.

The rules of compatibility are those of the CUDA Programming Guide, sections "Binary Compatibility", "PTX
Compatibility" and "Family-Specific and Architecture-Specific Features".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DECLARED",
    "DECLARED_LIST",
    "CudaArchitecture",
    "DeclaredArchitecture",
    "parse_architecture",
    "parse_declared",
]

# An entry of TORCH_CUDA_ARCH_LIST, and such a list, which PyTorch splits at spaces and semicolons.
DECLARED = r"^[1-9][0-9]?\.[0-9][af]?(\+PTX)?$"
DECLARED_LIST = r"^[ ;]*([1-9][0-9]?\.[0-9][af]?(\+PTX)?([ ;]+|$))*$"
_DECLARED = re.compile(r"([1-9][0-9]?)\.([0-9])([af]?)(\+PTX)?")


class CudaArchitecture(NamedTuple):
    """What code is compiled for: a compute capability, and whether features are used that later GPUs may lack.

    Attributes:
        major: The generation, such as 9 of 9.0.
        minor: The second number of the compute capability.
        suffix: ``a`` for code that uses features of this GPU only, ``f`` for features of its family, else empty.

    """

    major: int
    minor: int
    suffix: str = ""

    @classmethod
    def of_number(cls, number: int, suffix: str = "") -> CudaArchitecture:
        """Return the architecture that tools write as one number, such as 90 or 120."""
        return cls(*divmod(number, 10), suffix)

    def __str__(self) -> str:
        """Return it as PyTorch and the CUDA documentation spell it: ``9.0a``."""
        return f"{self.major}.{self.minor}{self.suffix}"

    @property
    def number(self) -> str:
        """The architecture as CMake spells it, and nvcc behind ``sm_`` and ``compute_``: ``90a``."""
        return f"{self.major}{self.minor}{self.suffix}"

    @property
    def capability(self) -> tuple[int, int]:
        """The compute capability."""
        return self.major, self.minor


class DeclaredArchitecture(NamedTuple):
    """An architecture that a project supports.

    Attributes:
        architecture: What machine code is compiled for.
        has_ptx: Whether PTX for it is embedded too, which drivers compile for later GPUs.

    """

    architecture: CudaArchitecture
    has_ptx: bool

    def __str__(self) -> str:
        """Return it as ``TORCH_CUDA_ARCH_LIST`` spells it: ``12.0+PTX``."""
        return f"{self.architecture}+PTX" if self.has_ptx else str(self.architecture)

    @property
    def cmake(self) -> str:
        """The architecture as ``CMAKE_CUDA_ARCHITECTURES`` spells it."""
        return self.architecture.number if self.has_ptx else f"{self.architecture.number}-real"


def parse_architecture(text: str) -> CudaArchitecture:
    """Parse ``9.0a``, ``sm_90a`` or ``compute_90a``.

    Raises:
        ValueError: It is none of these.

    """
    match = re.fullmatch(r"(?:(?:sm|compute)_([1-9][0-9]{1,2})|([1-9][0-9]?)\.([0-9]))([af]?)", text)
    if match is None:
        raise ValueError(text)
    number, major, minor, suffix = match.groups()
    return (
        CudaArchitecture.of_number(int(number), suffix) if number else CudaArchitecture(int(major), int(minor), suffix)
    )


def parse_declared(texts: Iterable[str]) -> tuple[DeclaredArchitecture, ...]:
    """Parse entries of ``TORCH_CUDA_ARCH_LIST``; one that is there with and without PTX is one entry with PTX.

    Args:
        texts: The entries, or a string as the variable has it.

    Raises:
        ValueError: One is not valid. The names of generations that PyTorch accepts too are not: which architectures
            they stand for depends on its release.

    """
    found: dict[CudaArchitecture, bool] = {}
    for text in filter(None, re.split("[ ;]", texts)) if isinstance(texts, str) else texts:
        match = _DECLARED.fullmatch(text)
        if match is None:
            raise ValueError(text)
        architecture = CudaArchitecture(int(match[1]), int(match[2]), match[3])
        found[architecture] = found.get(architecture, False) or bool(match[4])
    return tuple(DeclaredArchitecture(architecture, has_ptx) for architecture, has_ptx in found.items())

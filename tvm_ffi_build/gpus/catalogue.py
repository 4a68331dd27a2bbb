"""The table of compute capabilities, CUDA toolkits and drivers."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Capability", "Catalogue", "Toolkit", "ToolkitMajor", "read_catalogue"]

_DATA = Path(__file__).with_name("gpus.json")


class Capability(NamedTuple):
    """A compute capability, and the GPUs that have it.

    Attributes:
        number: Its two numbers.
        generation: What NVIDIA calls the architecture, such as ``Hopper``.
        gpus: Some of the GPUs, best known first.
        first_driver: The branch of the first driver that supports it.
        is_tegra: Whether its GPU is part of a system on a chip (Jetson).
        is_current: Whether its GPUs are of the generations that NVIDIA sells for data centers and desktops today.

    """

    number: tuple[int, int]
    generation: str
    gpus: tuple[str, ...]
    first_driver: int
    is_tegra: bool
    is_current: bool

    def __str__(self) -> str:
        """Return it as NVIDIA writes it: ``9.0``."""
        return "{}.{}".format(*self.number)

    @property
    def example(self) -> str:
        """Its number and some GPUs, for a message: ``9.0 (H100, H200)``."""
        return f"{self} ({', '.join(self.gpus[:2]) or self.generation})"


class Toolkit(NamedTuple):
    """A release of CUDA.

    Attributes:
        version: Its two numbers.
        ptx: The version of PTX that its compilers write.
        driver: The branch of the driver that was released with it; None if that is not known.

    """

    version: tuple[int, int]
    ptx: tuple[int, int]
    driver: int | None


class ToolkitMajor(NamedTuple):
    """What all toolkits of a major version have in common.

    Attributes:
        oldest_driver: The branch of the oldest driver that their programs run on ("minor version compatibility").
        oldest_capability: The oldest compute capability that their compilers and runtime libraries support.

    """

    oldest_driver: int
    oldest_capability: tuple[int, int]


class Catalogue(NamedTuple):
    """The table, oldest first."""

    capabilities: tuple[Capability, ...]
    toolkits: tuple[Toolkit, ...]
    majors: dict[int, ToolkitMajor]

    def capability(self, number: tuple[int, int]) -> Capability | None:
        """Return what is known of a compute capability."""
        return next((row for row in self.capabilities if row.number == number), None)

    def driver_for_ptx(self, isa: tuple[int, int]) -> int | None:
        """Return the branch of the oldest driver that compiles PTX of a version; None if that is not known."""
        return next((row.driver for row in self.toolkits if row.ptx >= isa), None)


@lru_cache(maxsize=1)
def read_catalogue() -> Catalogue:
    """Read the table."""
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    toolkits = tuple(
        Toolkit(_parse_pair(row["version"]), _parse_pair(row["ptx"]), row["driver"]) for row in data["toolkits"]
    )
    drivers = {row.version: row.driver for row in toolkits}
    return Catalogue(
        tuple(
            Capability(
                _parse_pair(row["capability"]),
                row["generation"],
                tuple(row["gpus"]),
                drivers[_parse_pair(row["first_toolkit"])] or 0,
                row["is_tegra"],
                row["is_current"],
            )
            for row in data["capabilities"]
        ),
        toolkits,
        {
            row["major"]: ToolkitMajor(row["oldest_driver"], _parse_pair(row["oldest_capability"]))
            for row in data["toolkit_majors"]
        },
    )


def _parse_pair(text: str) -> tuple[int, int]:
    major, minor = map(int, text.split("."))
    return major, minor

"""On which GPUs device code runs: as it is compiled, through PTX, or not; and with which drivers.

The rules are those of the CUDA Programming Guide ("Binary Compatibility", "PTX Compatibility", "Architecture-Specific
Features", "Family-Specific Features") and of CUDA Compatibility ("Minor Version Compatibility").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..binaries.device_code import DeviceCode, DeviceImage
    from ..platforms.cuda_architectures import CudaArchitecture
    from .catalogue import Capability, Catalogue

__all__ = ["Manner", "Run", "assess_gpus", "has_cuda", "runs_cubin", "runs_ptx", "select_launchable"]

Manner = Literal["compiled", "ptx", "no"]


class Run(NamedTuple):
    """How device code runs on the GPUs of a compute capability.

    Attributes:
        capability: Of which GPUs.
        manner: As it is compiled, through PTX that the driver compiles, or not.
        through: The target of the code that is run; empty if none is.
        driver: The branch of the oldest driver that does; None if that is not known, or nothing is run.

    """

    capability: Capability
    manner: Manner
    through: str = ""
    driver: int | None = None


def has_cuda(code: DeviceCode) -> bool:
    """Say whether there is code for GPUs of NVIDIA that can be run."""
    return any(select_launchable(code.images))


def select_launchable(images: Iterable[DeviceImage]) -> Iterator[DeviceImage]:
    """Yield the cubins and the PTX that kernels are launched from.

    Where a linker has made cubins of those that were to be linked, these are left; a driver links the PTX among them.
    """
    found = [image for image in images if image.kind in {"cubin", "ptx"} and image.architecture is not None]
    is_linked = any(image.kind == "cubin" and not image.is_relocatable for image in found)
    for image in found:
        if image.kind == "ptx" or not image.is_relocatable or not is_linked:
            yield image


def runs_cubin(architecture: CudaArchitecture, gpu: Capability, *, is_for_tegra: bool = False) -> bool:
    """Say whether a GPU runs a cubin: same major number, minor not lower; of one architecture only, exactly that.

    Args:
        architecture: What the cubin is for.
        gpu: The GPU.
        is_for_tegra: Whether the cubin is for a system on a chip. These and others run each other's cubins not, nor do
            they among themselves.

    """
    if architecture.capability == gpu.number:
        return True
    if architecture.suffix == "a" or is_for_tegra or gpu.is_tegra:
        return False
    return architecture.major == gpu.number[0] and architecture.minor <= gpu.number[1]


def runs_ptx(architecture: CudaArchitecture, gpu: Capability) -> bool:
    """Say whether a driver compiles PTX for a GPU: for later ones too, but not if it is specific to one or a family."""
    if architecture.suffix == "a":
        return architecture.capability == gpu.number
    if architecture.suffix == "f":
        return architecture.major == gpu.number[0] and architecture.minor <= gpu.number[1]
    return architecture.capability <= gpu.number


def assess_gpus(code: DeviceCode, catalogue: Catalogue) -> tuple[Run, ...]:
    """Return how some device code runs on each GPU that is known, oldest first."""
    images = tuple(select_launchable(code.images))
    return tuple(_judge_run(images, code.toolkits, gpu, catalogue) for gpu in catalogue.capabilities)


def _judge_run(
    images: tuple[DeviceImage, ...], toolkits: tuple[str, ...], gpu: Capability, catalogue: Catalogue
) -> Run:
    cubins = [image for image in images if image.kind == "cubin" and _fits(image, gpu, catalogue)]
    if cubins:
        best = max(cubins, key=_rank_run)
        majors = [catalogue.majors.get(int(toolkit.partition(".")[0])) for toolkit in toolkits]
        drivers = [major.oldest_driver for major in majors if major is not None]
        return Run(gpu, "compiled", best.target, max([gpu.first_driver, *drivers]))
    texts = [image for image in images if image.kind == "ptx" and _compiles(image, gpu)]
    if texts:
        best = max(texts, key=_rank_run)
        # All kernels are to be loaded, so the newest PTX among those for one target decides.
        isa = max(image.isa or (0, 0) for image in texts if image.target == best.target)
        driver = catalogue.driver_for_ptx(isa)
        return Run(gpu, "ptx", best.target, None if driver is None else max(gpu.first_driver, driver))
    return Run(gpu, "no")


def _rank_run(image: DeviceImage) -> tuple[tuple[int, int], str]:
    """Return by what the closest of several images is chosen."""
    architecture = image.architecture
    return ((0, 0), "") if architecture is None else (architecture.capability, architecture.suffix)


def _fits(image: DeviceImage, gpu: Capability, catalogue: Catalogue) -> bool:
    architecture = image.architecture
    if architecture is None:
        return False
    its = catalogue.capability(architecture.capability)
    return runs_cubin(architecture, gpu, is_for_tegra=its is not None and its.is_tegra)


def _compiles(image: DeviceImage, gpu: Capability) -> bool:
    return image.architecture is not None and runs_ptx(image.architecture, gpu)

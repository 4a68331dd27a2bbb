"""Turns a wheel into a variant wheel (PEP 825), with properties that are read from its device code. Experimental.

The names of the properties and of their provider are those of ``nvidia-variant-provider`` of the WheelNext project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..contract.device_support import group_by_target, read_device_code_of_wheel
from ..errors import MissingToolError, RefusedError
from ..gpus.catalogue import read_catalogue
from ..gpus.coverage import has_cuda, select_launchable
from ..host.unfinished import OTHER_TEMPORARY, temporary_folder, write_errors
from ..wheels import open_wheel
from ..wheels.libraries import read_libraries
from ..wheels.rewrite import rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..binaries.device_code import DeviceCode

__all__ = ["list_properties", "write_variant_wheel"]

_FILE = "variant.json"
_NAMESPACE, _CUDA, _ARCHITECTURE = "nvidia", "cuda_version_lower_bound", "sm_arch"
_PROVIDER = "nvidia-variant-provider>=0.0.1,<1.0.0"
_PLUGIN = "nvidia_variant_provider.plugin:NvidiaVariantPlugin"
_SUFFIXES = {"cubin": "real", "ptx": "virtual"}


def write_variant_wheel(wheel: Path, folder: Path) -> Path:
    """Write a wheel into a folder as a variant wheel, and return its path.

    Raises:
        MissingToolError: variantlib is not installed.
        RefusedError: The wheel has no CUDA code, or does not say which CUDA compiled it.
        WheelError, UnreadableBinaryError: The wheel is damaged.

    """
    try:
        from variantlib.api import VariantDescription, VariantProperty, make_variant_dist_info  # noqa: PLC0415
        from variantlib.models.variant_info import ProviderInfo, VariantInfo  # noqa: PLC0415  (an extra)
    except ImportError:
        raise MissingToolError(
            "variantlib is not installed, or this is Python 3.9, which it does not support",
            command="python -m pip install 'tvm-ffi-build[variant]'",
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    with open_wheel(wheel) as opened, temporary_folder() as unpacked, write_errors(unpacked.parent, OTHER_TEMPORARY):
        properties = list_properties(read_device_code_of_wheel(read_libraries(opened, unpacked)))
        if not properties:
            raise RefusedError(
                f"{wheel.name} has no CUDA code whose version is known, so it has no properties of a variant",
                "leave out --variant",
            )
        description = VariantDescription([VariantProperty(_NAMESPACE, feature, value) for feature, value in properties])
        provider = ProviderInfo(requires=[_PROVIDER], plugin_api=_PLUGIN)
        info = VariantInfo(namespace_priorities=[_NAMESPACE], providers={_NAMESPACE: provider})
        text = make_variant_dist_info(description, variant_info=info)
        path = rewrite(opened, folder, changed={f"{opened.dist_info}{_FILE}": text.encode()})
    return path.rename(path.with_name(f"{path.stem}-{description.label}.whl"))


def list_properties(found: Mapping[str, DeviceCode]) -> list[tuple[str, str]]:
    """Return features and values: the CUDA version that a driver has to support, and each architecture."""
    codes = [code for code in found.values() if has_cuda(code)]
    versions = [_find_oldest_cuda(code) for code in codes]
    if not versions or None in versions:
        return []
    oldest = max(version for version in versions if version is not None)
    images = [image for code in codes for image in select_launchable(code.images)]
    values = {f"{target.name.rpartition('_')[2]}_{_SUFFIXES[target.kind]}" for target in group_by_target(images)}
    return [(_CUDA, "{}.{}".format(*oldest)), *((_ARCHITECTURE, value) for value in sorted(values))]


def _find_oldest_cuda(code: DeviceCode) -> tuple[int, int] | None:
    """Return the oldest CUDA version of a driver that loads some code; None if the code does not say.

    Machine code needs the first version of the same major number ("minor version compatibility"), PTX that of its
    compiler.
    """
    images = list(select_launchable(code.images))
    if any(image.kind == "cubin" for image in images):
        majors = [int(toolkit.partition(".")[0]) for toolkit in code.toolkits]
        return (max(majors), 0) if majors else None
    return _find_first_with_ptx(image.isa for image in images if image.isa)


def _find_first_with_ptx(versions: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    newest = max(versions, default=(0, 0))
    return next((row.version for row in read_catalogue().toolkits if row.ptx >= newest), None)

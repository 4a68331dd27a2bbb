"""The device code of a wheel or a library: what it is compiled for, and on which GPUs it runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..binaries.device_code import read_device_code, read_device_file
from ..errors import UnreadableBinaryError
from ..gpus.catalogue import read_catalogue
from ..gpus.coverage import assess_gpus, has_cuda
from ..wheels.device_files import unpack_device_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ..binaries import Binary
    from ..binaries.device_code import DeviceCode, DeviceImage
    from ..gpus.coverage import Manner, Run
    from ..wheels.libraries import WheelLibraries

__all__ = [
    "Target",
    "device_code_as_json",
    "device_code_as_text",
    "group_by_target",
    "locate_device_file",
    "read_device_code_of_libraries",
    "read_device_code_of_wheel",
]

_MANNERS: dict[Manner, str] = {"compiled": "runs as compiled", "ptx": "runs through PTX", "no": "does not run"}


class Target(NamedTuple):
    """All code of one kind for one architecture.

    Attributes:
        kind: As :class:`~tvm_ffi_build.binaries.device_code.DeviceImage` has it.
        name: The architecture, such as ``sm_90a``; of unknown code, what was found.
        isa: The newest version of PTX that it is written in; None for other kinds.
        size: How many bytes of the file it takes.
        unpacked_size: How many bytes that is without compression.

    """

    kind: str
    name: str
    isa: tuple[int, int] | None
    size: int
    unpacked_size: int


def read_device_code_of_wheel(contents: WheelLibraries) -> dict[str, DeviceCode]:
    """Return the device code of the libraries and of the files in a wheel that have some, by their names.

    Raises:
        UnreadableBinaryError: Some is damaged.
        WheelError: The wheel is damaged.

    """
    wheel = contents.wheel.path.name
    found = read_device_code_of_libraries(contents.paths, contents.binaries, wheel=wheel)
    for name, path in unpack_device_files(contents.wheel, _folder(contents)).items():
        with _errors_that_name(f"{wheel}: {name}"):
            found[name] = read_device_file(path)
    return found


def locate_device_file(contents: WheelLibraries, name: str) -> Path:
    """Return where :func:`device_code_in` has unpacked a file of device code."""
    return _folder(contents) / name


def _folder(contents: WheelLibraries) -> Path:
    return contents.folder / "device"


def read_device_code_of_libraries(
    paths: Mapping[str, Path], binaries: Mapping[str, Binary], *, wheel: str = ""
) -> dict[str, DeviceCode]:
    """Return the device code of the libraries that have some, by their names.

    Raises:
        UnreadableBinaryError: Some is damaged.

    """
    found = {}
    for name, path in paths.items():
        with _errors_that_name(f"{wheel}: {name}" if wheel else str(path)):
            code = read_device_code(path, binaries[name])
        if code.images:
            found[name] = code
    return found


@contextmanager
def _errors_that_name(name: str) -> Iterator[None]:
    """Name a file in errors by its place in the wheel: where it was unpacked to is gone when they are read."""
    try:
        yield
    except UnreadableBinaryError as error:
        error.about = name
        raise


def group_by_target(images: Iterable[DeviceImage]) -> tuple[Target, ...]:
    """Return what is there for each architecture, in the order of their first images."""
    found: dict[tuple[str, str], Target] = {}
    for image in images:
        name = image.target or image.note
        known = found.get((image.kind, name), Target(image.kind, name, image.isa, 0, 0))
        isa = max(filter(None, (known.isa, image.isa)), default=None)
        found[image.kind, name] = known._replace(
            isa=isa, size=known.size + image.size, unpacked_size=known.unpacked_size + image.unpacked_size
        )
    return tuple(found.values())


def device_code_as_text(found: Mapping[str, DeviceCode]) -> str:
    """Return a few lines for each library that has device code."""
    lines = []
    for name, code in found.items():
        toolkits = f", compiled by CUDA {' and '.join(code.toolkits)}" if code.toolkits else ""
        size = sum(image.size for image in code.images)
        lines.append(f"  {name}: {_spell_size(size)} of device code{toolkits}")
        lines += [f"    {_words(target)}" for target in group_by_target(code.images)]
        if has_cuda(code):
            runs = assess_gpus(code, read_catalogue())
            lines += [f"    {line}" for manner in _MANNERS for line in _lines(manner, runs)]
    return "".join(f"{line}\n" for line in lines)


def _words(target: Target) -> str:
    isa = " {}.{}".format(*target.isa) if target.isa else ""
    return f"{target.kind}{isa} for {target.name}: {_spell_size(target.size)}"


def _spell_size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _lines(manner: Manner, runs: Iterable[Run]) -> Iterable[str]:
    """Return a line for the GPUs that need the same driver."""
    by_driver: dict[int | None, list[str]] = {}
    for run in runs:
        if run.manner == manner:
            by_driver.setdefault(run.driver, []).append(run.capability.example)
    for driver, gpus in sorted(by_driver.items(), key=lambda pair: pair[0] or 0):
        needs = "" if manner == "no" else f", with driver {driver} or newer" if driver else ", with an unknown driver"
        yield f"{_MANNERS[manner]}{needs}: {', '.join(gpus)}"


def device_code_as_json(found: Mapping[str, DeviceCode]) -> dict[str, Any]:
    """Return the same as data, to be added to what is known of a wheel."""
    return {"device_code": [_library_as_json(name, code) for name, code in found.items()]}


def _library_as_json(name: str, code: DeviceCode) -> dict[str, Any]:
    runs = assess_gpus(code, read_catalogue()) if has_cuda(code) else ()
    return {
        "name": name,
        "toolkits": list(code.toolkits),
        "architectures": [
            {
                "kind": target.kind,
                "target": target.name,
                "ptx": "{}.{}".format(*target.isa) if target.isa else None,
                "size": target.size,
                "unpacked_size": target.unpacked_size,
            }
            for target in group_by_target(code.images)
        ],
        "gpus": [
            {
                "compute_capability": str(run.capability),
                "examples": list(run.capability.gpus),
                "runs": run.manner,
                "through": run.through or None,
                "driver": run.driver,
            }
            for run in runs
        ],
    }

"""Rules on device code: whether it runs on the GPUs of a wheel's users, and what it costs them to download."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from ...binaries import map_binary
from ...contract.device_support import group_by_target, locate_device_file
from ...gpus.catalogue import Capability, read_catalogue
from ...gpus.coverage import assess_gpus, has_cuda, runs_cubin, runs_ptx, select_launchable
from ...platforms.cuda_architectures import parse_architecture
from ..findings import ERROR, WARNING, Problem, library_rule, wheel_rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ...binaries.device_code import DeviceCode, DeviceImage
    from ...contract.device_support import Target
    from ...platforms.cuda_architectures import CudaArchitecture, DeclaredArchitecture
    from ...wheels.libraries import WheelLibraries
    from ..subject import Subject

__all__ = ["RULES"]

# Libraries of CUDA's runtime, whose name has the major version of the toolkit.
_CUDART = re.compile(r"^(?:libcudart\.so\.|cudart64_)(\d\d)", re.IGNORECASE)
# The limit of PyPI for a file, unless a project has asked for more.
_PYPI_LIMIT = 100 << 20
_MACHINE_CODE = frozenset({"cubin", "amdgpu"})
# Smaller ones are not worth a word.
_DUPLICATE_BYTES, _DOMINANT_BYTES, _DOMINANT_SHARE = 1 << 20, 10 << 20, 0.6


@library_rule("G501", "no code for current GPUs and no PTX", WARNING)
def no_code_for_current_gpus(subject: Subject) -> Iterator[Problem]:
    """Look for libraries whose machine code is for older GPUs and that have no PTX for newer ones."""
    for name, code in _list_cuda_code(subject):
        images = list(select_launchable(code.images))
        if _is_specific(images) or any(image.kind == "ptx" for image in images):
            continue
        missing = [run.capability for run in assess_gpus(code, read_catalogue()) if run.manner == "no"]
        current = [gpu.example for gpu in missing if gpu.is_current]
        if current:
            yield Problem(
                f"{name} has no PTX and no code for {_join_names(current)}: "
                'a launch there fails with "no kernel image is available for execution on the device"',
                "compile for them too, or embed PTX for the newest architecture: 12.0+PTX",
                name,
                tuple(current),
            )


@library_rule("G502", "code for one architecture only, without a fallback", WARNING)
def no_fallback(subject: Subject) -> Iterator[Problem]:
    """Look for libraries all of whose code is specific to an architecture or a family (sm_90a, sm_100f)."""
    for name, code in _list_cuda_code(subject):
        images = list(select_launchable(code.images))
        if _is_specific(images):
            targets = tuple(dict.fromkeys(image.target for image in images))
            gpus = [run.capability.example for run in assess_gpus(code, read_catalogue()) if run.manner != "no"]
            yield Problem(
                f"{name} has only code for {', '.join(targets)}, which runs on {_join_names(gpus)} and on no other GPU",
                "compile for an architecture without a suffix too, such as 9.0+PTX; or check the GPU before a launch, "
                "and ignore this rule for the file",
                name,
                targets,
            )


@library_rule("G503", "code for GPUs that its CUDA version does not support", WARNING)
def unsupported_by_toolkit(subject: Subject) -> Iterator[Problem]:
    """Look for machine code that is older than what the newest CUDA in the library supports."""
    majors = read_catalogue().majors
    for name, code in _list_cuda_code(subject):
        found = {int(toolkit.partition(".")[0]) for toolkit in code.toolkits}.union(_list_runtimes(subject, name))
        newest = max(found & majors.keys(), default=None)
        if newest is None:
            continue
        oldest = majors[newest].oldest_capability
        targets = tuple(
            target.name
            for target, architecture in _list_targets(code)
            if target.kind == "cubin" and architecture.capability < oldest
        )
        if targets:
            yield Problem(
                f"{name} has code for {', '.join(targets)}, and CUDA {newest} only supports compute capability "
                f"{oldest[0]}.{oldest[1]} and later",
                f"leave these architectures out, or build a second wheel with CUDA {newest - 1}",
                name,
                targets,
            )


@library_rule("G504", "libraries for different GPUs", WARNING)
def different_sets(subject: Subject) -> Iterator[Problem]:
    """Look for libraries of one wheel that the same toolkit compiled for different architectures."""
    groups: dict[tuple[str, ...], dict[frozenset[str], str]] = defaultdict(dict)
    for name, code in _list_cuda_code(subject):
        targets = frozenset(target.name for target, _ in _list_targets(code))
        groups[tuple(sorted({toolkit.partition(".")[0] for toolkit in code.toolkits}))].setdefault(targets, name)
    for sets in groups.values():
        (first, known), *others = sets.items()
        for targets, name in others:
            yield Problem(
                f"{name} is compiled for {_join_targets(targets)} and {known} for {_join_targets(first)}: "
                "on some GPUs one of them runs and the other does not",
                "set [tool.tvm-ffi-build.gpu] architectures, which all targets of the project follow",
                name,
                (_join_targets(targets), _join_targets(first)),
            )


@library_rule("G505", "device code without optimization", WARNING)
def debug_code(subject: Subject) -> Iterator[Problem]:
    """Look for device code that nvcc compiled with -G."""
    for name, code in subject.device_code.items():
        targets = tuple(dict.fromkeys(image.target for image in code.images if image.is_debug))
        if targets:
            yield Problem(
                f"{name} has device code compiled with -G ({', '.join(targets)}), which runs many times slower",
                "build it as Release, and remove -G from the options of nvcc; -lineinfo is enough for profilers",
                name,
                targets,
            )


@library_rule("G506", "the same device code twice", WARNING)
def duplicates(subject: Subject) -> Iterator[Problem]:
    """Look for device code that is in the wheel more than once, byte for byte."""
    found: dict[bytes, list[tuple[str, DeviceImage]]] = defaultdict(list)
    for name, image in _find_same_size(subject.device_code):
        found[_hash_image(subject, name, image)].append((name, image))
    spare = [place for places in found.values() for place in places[1:]]
    size = sum(image.size for _, image in spare)
    if size >= _DUPLICATE_BYTES:
        names = tuple(dict.fromkeys(name for places in found.values() if len(places) > 1 for name, _ in places))
        yield Problem(
            f"{size / 1e6:.1f} MB of device code are in the wheel twice ({', '.join(names)})",
            "link the static library with the kernels into one library only",
            spare[0][0],
            names,
        )


@library_rule("G507", "one architecture makes up most of the device code", WARNING)
def dominant_architecture(subject: Subject) -> Iterator[Problem]:
    """Look for an architecture of three or more that takes more than its share of what users download."""
    sizes = _sum_sizes(subject.device_code, _MACHINE_CODE)
    whole = sum(sizes.values())
    if len(sizes) < 3 or whole < _DOMINANT_BYTES:
        return
    target = max(sizes, key=lambda name: sizes[name])
    if sizes[target] > _DOMINANT_SHARE * whole:
        yield Problem(
            f"{target} takes {100 * sizes[target] // whole} % of the device code "
            f"({sizes[target] / 1e6:.1f} of {whole / 1e6:.1f} MB)",
            "check whether more kernels than meant are compiled for it, and whether the others are compressed alike",
            evidence=_list_costs(sizes),
        )


@library_rule("G508", "less device code than declared", ERROR)
def less_than_declared(subject: Subject) -> Iterator[Problem]:
    """Look for libraries that lack an architecture of [tool.tvm-ffi-build.gpu]."""
    for name, code in _list_cuda_code(subject):
        architectures = [(target.kind, architecture) for target, architecture in _list_targets(code)]
        missing = tuple(str(one) for one in subject.settings.architectures if not _has_architecture(architectures, one))
        if missing:
            yield Problem(
                f"{name} has no code for {', '.join(missing)}, which [tool.tvm-ffi-build.gpu] architectures declares",
                "remove CMAKE_CUDA_ARCHITECTURES from the project, since the declaration sets it, or change that",
                name,
                missing,
            )


@wheel_rule("G509", "larger than PyPI's limit for a file", WARNING)
def larger_than_pypi_allows(subject: Subject, contents: WheelLibraries) -> Iterator[Problem]:
    """Look for wheels that PyPI does not take unless the project has asked for a higher limit."""
    size = contents.wheel.path.stat().st_size
    if size > _PYPI_LIMIT:
        costs = _list_costs(_sum_sizes(subject.device_code))
        yield Problem(
            f"the wheel has {size / 1e6:.0f} MB, and PyPI rejects files above {_PYPI_LIMIT >> 20} MiB",
            "request a higher limit for the project before the release, leave out architectures, or compress with "
            "nvcc --compress-mode=size",
            evidence=costs,
        )


def _list_cuda_code(subject: Subject) -> Iterator[tuple[str, DeviceCode]]:
    """Yield what has code for GPUs of NVIDIA."""
    for name, code in subject.device_code.items():
        if has_cuda(code):
            yield name, code


def _list_targets(code: DeviceCode) -> Iterator[tuple[Target, CudaArchitecture]]:
    """Yield what a library can launch, for each kind and architecture."""
    for target in group_by_target(select_launchable(code.images)):
        yield target, parse_architecture(target.name)


def _is_specific(images: Iterable[DeviceImage]) -> bool:
    return all(image.architecture is not None and image.architecture.suffix for image in images)


def _list_runtimes(subject: Subject, name: str) -> set[int]:
    """Return the major versions of CUDA whose runtime library a library needs."""
    needed = subject.binaries[name].libraries if name in subject.binaries else ()
    return {int(match[1]) for match in map(_CUDART.match, needed) if match}


def _has_architecture(code: Iterable[tuple[str, CudaArchitecture]], declared: DeclaredArchitecture) -> bool:
    """Say whether what is declared is there: machine code, also older code that runs there, and PTX if declared."""
    wanted = declared.architecture
    gpu = Capability(wanted.capability, "", (), 0, is_tegra=False, is_current=False)
    found = list(code)
    if wanted.suffix:
        has_code = any(kind == "cubin" and its == wanted for kind, its in found)
    else:
        has_code = any(kind == "cubin" and runs_cubin(its, gpu) and its.suffix != "a" for kind, its in found)
    has_ptx = any(kind == "ptx" and runs_ptx(its, gpu) and its.suffix in {"", wanted.suffix} for kind, its in found)
    return has_code and (has_ptx or not declared.has_ptx)


def _find_same_size(found: Mapping[str, DeviceCode]) -> Iterator[tuple[str, DeviceImage]]:
    """Yield the images that another one can be a copy of."""
    groups: dict[tuple[str, str, int], list[tuple[str, DeviceImage]]] = defaultdict(list)
    for name, code in found.items():
        for image in code.images:
            groups[image.kind, image.target, image.size].append((name, image))
    for places in groups.values():
        # Images that are compressed together share their bytes.
        if len({(name, image.offset) for name, image in places}) > 1:
            yield from places


def _hash_image(subject: Subject, name: str, image: DeviceImage) -> bytes:
    path = subject.paths.get(name)
    if path is None and subject.contents is not None:
        path = locate_device_file(subject.contents, name)
    with map_binary(path or subject.path) as data:
        return hashlib.blake2b(memoryview(data)[image.offset : image.offset + image.size]).digest()


def _sum_sizes(found: Mapping[str, DeviceCode], kinds: Collection[str] = ()) -> dict[str, int]:
    """Return how many bytes the code of some kinds, or of all, takes for each architecture."""
    sizes: dict[str, int] = defaultdict(int)
    for code in found.values():
        for target in group_by_target(code.images):
            if not kinds or target.kind in kinds:
                sizes[target.name] += target.size
    return dict(sizes)


def _list_costs(sizes: Mapping[str, int]) -> tuple[str, ...]:
    ordered = sorted(sizes.items(), key=lambda pair: -pair[1])
    return tuple(f"{target}: {size / 1e6:.1f} MB" for target, size in ordered)


def _join_targets(targets: Iterable[str]) -> str:
    return ", ".join(sorted(targets))


def _join_names(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


RULES = (
    no_code_for_current_gpus,
    no_fallback,
    unsupported_by_toolkit,
    different_sets,
    debug_code,
    duplicates,
    dominant_architecture,
    less_than_declared,
    larger_than_pypi_allows,
)

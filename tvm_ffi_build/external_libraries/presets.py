"""Libraries that other packages or drivers provide, and that therefore stay out of wheels: data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from ..platforms.systems import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PRESETS", "Provided", "find_provider", "is_named", "list_globs"]


class Provided(NamedTuple):
    """Libraries that come from somewhere else.

    Attributes:
        globs: Patterns for their names.
        distributions: The distributions that bring them, any of which is enough, some with an extra in brackets; empty
            if a driver or the system does.
        directories: Where these put them, in the directory for packages; empty if that is not known.
        is_optional: Whether they are in a package of the system that users need not have, so that a wheel that needs
            them has to say so.

    """

    globs: tuple[str, ...]
    distributions: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    is_optional: bool = False


def _cuda(library: str, *globs: str, extra: str = "") -> Provided:
    # One distribution for each major version of CUDA up to 12, one for all from 13 on; torch requires what it needs.
    names = [f"nvidia-{library}{suffix}" for suffix in ("", "-cu11", "-cu12", "-cu13")]
    # NVIDIA's distribution without files, whose extras require the others.
    names += [f"cuda-toolkit[{one}]" for one in (extra, "all") if extra]
    # Those for CUDA 13 share a directory; torch's own wheels have some of them beside its libraries.
    own = library.replace("-", "_")
    directories = (f"nvidia/{own}/lib", f"nvidia/{own}/bin", "nvidia/cu13/lib", "nvidia/cu13/bin/x86_64", "torch/lib")
    return Provided(globs, (*names, "torch"), directories)


PRESETS: dict[str, tuple[Provided, ...]] = {
    "cuda": (
        Provided(("libcuda.so*", "libnvidia-*.so*", "nvcuda.dll", "nvml.dll")),
        _cuda("cuda-runtime", "libcudart.so*", "cudart64_*.dll", extra="cudart"),
        _cuda("cuda-nvrtc", "libnvrtc*.so*", "nvrtc*.dll", extra="nvrtc"),
        _cuda("cuda-cupti", "libcupti.so*", "cupti64_*.dll", extra="cupti"),
        _cuda("nvtx", "libnvToolsExt.so*", "libnvtx3interop.so*", "nvToolsExt64_*.dll", extra="nvtx"),
        _cuda("nvjitlink", "libnvJitLink.so*", "nvJitLink_*.dll", extra="nvjitlink"),
        _cuda("cublas", "libcublas*.so*", "libnvblas.so*", "cublas*.dll", "nvblas*.dll", extra="cublas"),
        _cuda("cudnn", "libcudnn*.so*", "cudnn*.dll"),
        _cuda("cufft", "libcufft*.so*", "cufft*.dll", extra="cufft"),
        _cuda("cufile", "libcufile*.so*", extra="cufile"),
        _cuda("curand", "libcurand.so*", "curand64_*.dll", extra="curand"),
        _cuda("cusolver", "libcusolver*.so*", "cusolver*.dll", extra="cusolver"),
        _cuda("cusparse", "libcusparse.so*", "cusparse64_*.dll", extra="cusparse"),
        _cuda("cusparselt", "libcusparseLt.so*", "cusparseLt.dll"),
        _cuda("nccl", "libnccl.so*"),
        _cuda("nvshmem", "libnvshmem_host.so*"),
    ),
    "torch": (
        Provided(
            (
                "libtorch*.so*",
                "libc10*.so*",
                "libshm.so*",
                "libtorch*.dylib",
                "libc10*.dylib",
                "torch*.dll",
                "c10*.dll",
            ),
            ("torch",),
            ("torch/lib",),
        ),
    ),
    "openmp": (
        Provided(
            ("libgomp.so*", "libomp.so*", "libomp*.dylib", "libiomp5.so*", "libiomp5*.dylib", "libiomp5md.dll"),
            is_optional=True,
        ),
    ),
    "rocm": (
        Provided(
            (
                *("libamdhip64.so*", "libhiprtc*.so*", "libhsa-runtime64.so*", "libamd_comgr.so*", "librocm*.so*"),
                *("librocblas.so*", "libhipblas*.so*", "librocsolver.so*", "libhipsolver.so*", "librocsparse.so*"),
                *("libhipsparse*.so*", "libhipfft.so*", "librocfft.so*", "libhiprand.so*", "librocrand.so*"),
                *("libMIOpen.so*", "librccl.so*", "amdhip64*.dll", "hiprtc*.dll"),
            )
        ),
    ),
    "vulkan": (Provided(("libvulkan.so*", "libvulkan*.dylib", "libMoltenVK.dylib", "vulkan-1.dll")),),
    "z3": (Provided(("libz3.so*", "libz3*.dylib", "libz3.dll"), ("z3-solver",), ("z3/lib",)),),
    "tvm": (
        Provided(
            (
                "libtvm.so",
                "libtvm_runtime*.so",
                "libtvm_compiler.so",
                "libtvm.dylib",
                "libtvm_runtime*.dylib",
                "tvm.dll",
            ),
            ("apache-tvm", "tvm"),
        ),
    ),
}


def list_globs(names: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns of some presets; nothing for a name that is none."""
    return tuple(glob for name in names for provided in PRESETS.get(name, ()) for glob in provided.globs)


def find_provider(library: str) -> Provided | None:
    """Return who is known to provide a library."""
    known = (provided for preset in PRESETS.values() for provided in preset)
    return next((provided for provided in known if any(is_named(library, glob) for glob in provided.globs)), None)


def is_named(library: str, glob: str) -> bool:
    """Say whether a pattern is for a library, by the name that it is asked for or the last part of it; case is none."""
    return fnmatchcase(base_name(library), glob.lower()) or fnmatchcase(library.lower(), glob.lower())

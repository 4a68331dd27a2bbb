"""A wheel made bad in each way that a rule knows is found by that rule, and by no other."""

from __future__ import annotations

import json
import stat
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import forged_device_code as forged
import pytest
from forged_device_code import CUBIN, FAMILY, PTX, SPECIFIC, entry, fatbin
from forged_libraries import elf_of
from support.project import ROOT
from support.wheels import record_row

from tvm_ffi_build.audit import Settings, audit, audit_subject
from tvm_ffi_build.audit.findings import ERROR, WARNING, Problem
from tvm_ffi_build.audit.rules import RULES
from tvm_ffi_build.audit.subject import Subject
from tvm_ffi_build.binaries import Binary, Image, Loading, Section, Segment, Symbol
from tvm_ffi_build.contract.assess import common_releases
from tvm_ffi_build.contract.verdicts import BAD, Reason, Verdict
from tvm_ffi_build.errors import LoadError, RecordError
from tvm_ffi_build.platforms.cuda_architectures import parse_declared
from tvm_ffi_build.platforms.systems import LINUX, MACOS, WINDOWS
from tvm_ffi_build.runtime import UNKNOWN_VERSION
from tvm_ffi_build.wheels import open_wheel
from tvm_ffi_build.wheels.libraries import WheelLibraries, read_libraries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tvm_ffi_build.platforms.systems import BinaryFormat, Platform

BUILT = "0.1.15.post2"
# Which the ledger does not know.
LATER = "0.1.99"
CALL, EXPORT = Symbol("TVMFFIFunctionCall"), Symbol("__tvm_ffi_f")

ELF = Image(
    "x86_64",
    name="libdemo.so",
    libraries=("libtvm_ffi.so", "libc.so.6"),
    run_paths=("$ORIGIN/../tvm_ffi/lib",),
    versions=(("libc.so.6", "GLIBC_2.17"),),
    imports=(CALL, Symbol("memcpy", "GLIBC_2.14", "libc.so.6")),
    exports=(EXPORT,),
)
MACHO = Image(
    "arm64",
    name="@rpath/libdemo.dylib",
    libraries=("@rpath/libtvm_ffi.dylib", "/usr/lib/libSystem.B.dylib"),
    run_paths=("@loader_path/../tvm_ffi/lib",),
    minimum_os="11.0",
    imports=(CALL,),
    exports=(EXPORT,),
)
PE = Image("amd64", name="demo.dll", libraries=("tvm_ffi.dll", "KERNEL32.dll"), imports=(CALL,), exports=(EXPORT,))
STUBS = """# tvm-ffi-stubgen(begin): library/demo
class Library:
    def f(self, _0: int, /) -> int: ...
# tvm-ffi-stubgen(end)
"""


RECORD = json.dumps(
    {
        "schema": 1,
        "runtime": BUILT,
        "tvm-ffi-build": "0.1.0",
        "cmake": "4.0.0",
        "compilers": {},
        "libraries": [{"name": "libdemo.so", "link": "header"}],
    }
)


@dataclass(frozen=True)
class Case:
    """A wheel that is good, as it stands here."""

    images: Mapping[str, tuple[Image, ...]] = field(default_factory=lambda: {"demo/libdemo.so": (ELF,)})
    form: BinaryFormat = "ELF"
    tag: str = "py3-none-manylinux_2_28_x86_64"
    requires: tuple[str, ...] = ("apache-tvm-ffi>=0.1.15.post1,<0.2",)
    files: Mapping[str, bytes] = field(default_factory=dict)
    package: Mapping[str, bytes] = field(default_factory=lambda: {"demo/__init__.py": b"import tvm_ffi\n"})
    content: bytes = b"\x7fELF"
    purelib: bool = False
    built_with: tuple[str, ...] = (BUILT,)
    recorded: str | None = BUILT
    settings: Settings = field(default_factory=Settings)
    failing: tuple[str, ...] = ()

    @property
    def platform(self) -> Platform:
        return {"ELF": LINUX, "Mach-O": MACOS, "PE": WINDOWS}[self.form]


LINUX_WHEEL = Case()
MACOS_WHEEL = Case({"demo/libdemo.dylib": (MACHO,)}, "Mach-O", "py3-none-macosx_11_0_arm64")
WINDOWS_WHEEL = Case({"demo/demo.dll": (PE,)}, "PE", "py3-none-win_amd64")


def elf(**changed: Any) -> Case:
    return replace(LINUX_WHEEL, images={"demo/libdemo.so": (ELF._replace(**changed),)})


def macho(**changed: Any) -> Case:
    return replace(MACOS_WHEEL, images={"demo/libdemo.dylib": (MACHO._replace(**changed),)})


def pe(**changed: Any) -> Case:
    return replace(WINDOWS_WHEEL, images={"demo/demo.dll": (PE._replace(**changed),)})


def linux(**changed: Any) -> Case:
    return replace(LINUX_WHEEL, **changed)


def with_imports(*symbols: Symbol) -> Case:
    return elf(imports=(*ELF.imports, *symbols))


def with_script(run_path: str) -> Case:
    """Return a wheel with a program that pip installs beside the Python, and that needs the runtime."""
    program = ELF._replace(name=None, run_paths=(run_path,), is_program=True)
    return linux(images={"demo/libdemo.so": (ELF,), "demo-1.0.data/scripts/tool": (program,)})


def with_helper(file: str = "demo/libdemo_helper.so", *run_paths: str, needed: str = "libdemo_helper.so") -> Case:
    """Return a wheel with a second library, which the first one needs."""
    image = ELF._replace(libraries=(*ELF.libraries, needed), run_paths=(*ELF.run_paths, *run_paths))
    return linux(images={"demo/libdemo.so": (image,), file: (OTHER._replace(name="libdemo_helper.so"),)})


def with_helper_of_macos(*run_paths: str, needed: str = "@rpath/libhelper.dylib") -> Case:
    image = MACHO._replace(libraries=(*MACHO.libraries, needed), run_paths=(*MACHO.run_paths, *run_paths))
    helper = Image("arm64", "@rpath/libhelper.dylib", ("/usr/lib/libSystem.B.dylib",), minimum_os="11.0")
    return replace(MACOS_WHEEL, images={"demo/libdemo.dylib": (image,), "demo/libhelper.dylib": (helper,)})


MIDDLE_DLL = PE._replace(name="demo_middle.dll", exports=(Symbol("demo_middle"),))


def with_dll(place: str, code: str = "", **files: str) -> Case:
    """Return a wheel for Windows whose library needs a DLL of the wheel, and the code that loads the library."""
    loading = f"import ctypes, os, tvm_ffi\nHERE = os.path.dirname(__file__)\n{code}\n"
    return replace(
        WINDOWS_WHEEL,
        images={
            "demo/demo.dll": (PE._replace(libraries=(*PE.libraries, "demo_third.dll")),),
            place: (Image("amd64", libraries=("KERNEL32.dll",)),),
        },
        files={"demo/_library.py": loading.encode(), **{name: text.encode() for name, text in files.items()}},
        settings=Settings(ignore=("C410",)),
    )


def loading(code: str, **changed: Any) -> Case:
    """Return a wheel whose package loads its library so."""
    text = f"from tvm_ffi.libinfo import load_lib_ctypes, load_lib_module\n{code}\n"
    return linux(package={"demo/__init__.py": text.encode()}, **changed)


def loaded(*segments: Segment, architecture: str = "x86_64", tag: str = "manylinux_2_28", **asked: Any) -> Case:
    """Return a wheel whose library asks something of the dynamic linker."""
    case = elf(architecture=architecture, imports=(CALL,), loading=Loading(segments=segments, **asked))
    return replace(case, tag=f"py3-none-{tag}_{architecture}", settings=Settings(ignore=("P302",)))


def segment(alignment: int, address: int = 0, offset: int = 0) -> Segment:
    return Segment(1, 5, offset, address, 0x800, alignment)


def with_private_library(
    name: str = "libdemo_core.so",
    *,
    imports: tuple[Symbol, ...],
    needed: tuple[str, ...] | None = None,
    core_needs: tuple[str, ...] = (),
) -> Case:
    """Return a wheel with a library that has the function ``demo_one``, which the other one imports."""
    core = OTHER._replace(name=name, exports=(Symbol("demo_one", "V_1"),), libraries=("libc.so.6", *core_needs))
    image = ELF._replace(
        libraries=(*ELF.libraries, *((name,) if needed is None else needed)),
        run_paths=(*ELF.run_paths, "$ORIGIN"),
        imports=(*ELF.imports, *imports),
    )
    return linux(images={"demo/libdemo.so": (image,), f"demo/{name}": (core,)})


def with_private_library_of_macos(*imports: Symbol, reexports: tuple[str, ...] = ()) -> Case:
    name = "@rpath/libdemo_core.dylib"
    system = MACHO.libraries[1]
    core = MACHO._replace(
        name=name, libraries=(system, *reexports), imports=(), exports=(Symbol("demo_one"),), reexports=reexports
    )
    image = MACHO._replace(
        libraries=(*MACHO.libraries, name),
        run_paths=(*MACHO.run_paths, "@loader_path"),
        imports=(CALL, Symbol("malloc", library=system), *imports),
    )
    return replace(MACOS_WHEEL, images={"demo/libdemo.dylib": (image,), "demo/libdemo_core.dylib": (core,)})


def with_private_dll(*imports: Symbol, name: str = "demo_core.dll") -> Case:
    core = Image("amd64", name=name, libraries=("KERNEL32.dll",), exports=(Symbol("demo_one"),))
    image = PE._replace(libraries=(*PE.libraries, name), imports=(CALL, *imports))
    files = {"demo/_library.py": b"ctypes.CDLL(path)"}
    return replace(WINDOWS_WHEEL, images={"demo/demo.dll": (image,), f"demo/{name}": (core,)}, files=files)


def with_files(*names: str) -> Case:
    """Return a wheel in which files of some names are the library as well."""
    return linux(images=dict.fromkeys(("demo/libdemo.so", *names), (ELF,)))


def with_halves(intel: str, apple: str, platforms: str = "macosx_10_9_universal2") -> Case:
    """Return a wheel for both processors of macOS, each half for a macOS of its own."""
    images = MACHO._replace(architecture="x86_64", minimum_os=intel), MACHO._replace(minimum_os=apple)
    # P302, since there is no runtime for one of them.
    return replace(
        MACOS_WHEEL,
        images={"demo/libdemo.dylib": images},
        tag=f"py3-none-{platforms}",
        settings=Settings(ignore=("P302",)),
    )


def gpu(*codes: bytes, libraries: tuple[str, ...] = (), section: str = ".nv_fatbin", **changed: Any) -> Case:
    """Return a wheel with a library for each fatbin or bundle, which has that in a section and nothing else."""
    names = ["demo/libdemo.so", *(f"demo/lib{number}.so" for number in range(1, len(codes)))]
    image = ELF._replace(libraries=(*ELF.libraries, *libraries))
    return linux(
        images={
            name: (
                # With an export of its own, since libraries that are the same are a fault of their own.
                image._replace(sections=(Section(section, 0, len(content)),), exports=(EXPORT, Symbol(f"f{number}"))),
            )
            for number, (name, content) in enumerate(zip(names, codes))
        },
        files={**dict(zip(names, codes)), **changed.pop("files", {})},
        **changed,
    )


def cubins(*numbers: int, flags: int = 0, size: int = 8, toolkit: str = "13.0") -> list[bytes]:
    return [
        entry(CUBIN, number, forged.cubin(number, toolkit=toolkit).ljust(size, b"."), flags=flags) for number in numbers
    ]


def declared(*texts: str) -> Settings:
    return Settings(architectures=parse_declared(texts))


CURRENT = fatbin(*cubins(80, 90, 100, 120))
PTX_OF_80 = entry(PTX, 80)
MIB = 1 << 20


PY, INIT = Symbol("PyErr_CheckSignals"), Symbol("PyInit_demo")
# What a library of a project may define in the runtime's namespace.
OWN_TRAITS = Symbol("_ZN3tvm3ffi10TypeTraitsI6MyEnumE7ConvertEi")
TRAITS_USER = Image(
    "x86_64", name="libdemo_use.so", imports=(OWN_TRAITS,), exports=(Symbol("demo_use"),), run_paths=("$ORIGIN",)
)
RUNTIME = Image("x86_64", name="libtvm_ffi.so", libraries=("libc.so.6",), exports=(CALL,))
MUSL = "libc.musl-x86_64.so.1"
OTHER = Image("x86_64", libraries=("libc.so.6",))
# Which glibc and musl load alike.
NO_LIBC_ELF = ELF._replace(libraries=("libtvm_ffi.so",), versions=(), imports=(CALL,))
NO_LIBC = replace(LINUX_WHEEL, images={"demo/libdemo.so": (NO_LIBC_ELF,)})

CUDA_12, CUDA_13 = "libcudart.so.12", "libcudart.so.13"
# A package that loads its library without importing the runtime, which imports torch.
LOADS_BY_PATH = "import ctypes, os\nLIB = ctypes.CDLL(os.path.dirname(__file__) + '/libdemo.so')\n"


def with_cuda(
    needed: str = CUDA_13, *run_paths: str, requires: str = "nvidia-cuda-runtime", code: str = "", **changed: Any
) -> Case:
    """Return a wheel whose library needs one of CUDA's that another distribution brings."""
    case = elf(libraries=(*ELF.libraries, needed), run_paths=(*ELF.run_paths, *run_paths))
    files = {"demo/__init__.py": (LOADS_BY_PATH + code).encode()}
    return replace(case, requires=(*LINUX_WHEEL.requires, requires), files=files, **changed)


def with_openmp(*requires: str, name: str = "libgomp-0a1b2c3d.so.1.0.0", export: str = "omp_get_num_threads") -> Case:
    """Return a wheel with a library of its own that was bundled."""
    image = ELF._replace(libraries=(*ELF.libraries, name), run_paths=(*ELF.run_paths, "$ORIGIN/../demo.libs"))
    bundled = OTHER._replace(name=name, exports=(Symbol(export),))
    images = {"demo/libdemo.so": (image,), f"demo.libs/{name}": (bundled,)}
    return linux(images=images, requires=(*LINUX_WHEEL.requires, *requires))


def with_accelerator(code: str, **changed: Any) -> Case:
    """Return a wheel with a second library for machines with CUDA, and the code that loads it."""
    accelerator = OTHER._replace(name="libdemo_cuda.so", libraries=("libc.so.6", CUDA_13))
    return linux(
        images={"demo/libdemo.so": (ELF,), "demo/libdemo_cuda.so": (accelerator,)},
        package={"demo/__init__.py": f"import ctypes, tvm_ffi\nfrom contextlib import suppress\n{code}\n".encode()},
        **changed,
    )


TRIES = "try:\n    ctypes.CDLL(HERE + '/libdemo_cuda.so')\nexcept {}:\n    {}"
PRELOADED = "import ctypes, glob\nfor path in glob.glob(SITE + '/nvidia/cu13/lib/libcudart.so.*'): ctypes.CDLL(path)\n"
BAD_WHEELS: list[tuple[str, Case]] = [
    ("A101", with_imports(PY)),
    ("A101", elf(libraries=(*ELF.libraries, "libpython3.so"))),
    ("A102", elf(exports=(EXPORT, INIT))),
    ("A103", pe(delayed=("python312.dll",), imports=(CALL, Symbol("Py_IsInitialized", library="python312.dll")))),
    ("A104", replace(with_imports(Symbol("dlsym", "GLIBC_2.2.5")), content=b"\0PyGILState_Ensure\0")),
    ("A105", linux(tag="cp312-cp312-manylinux_2_28_x86_64")),
    ("A105", linux(tag="cp39-abi3-manylinux_2_28_x86_64")),
    ("A106", linux(images={"demo/_demo.cpython-312-x86_64-linux-gnu.so": (ELF,)})),
    ("A101", replace(with_imports(PY), tag="PY3-NONE-MANYLINUX_2_28_X86_64")),
    ("A107", replace(elf(libraries=(*ELF.libraries, "libpython3.12.so.1.0")), tag="cp312-cp312-manylinux_2_28_x86_64")),
    (
        "A107",
        replace(macho(libraries=(*MACHO.libraries, "@rpath/libpython3.12.dylib")), tag="cp312-cp312-macosx_11_0_arm64"),
    ),
    ("A107", replace(pe(libraries=(*PE.libraries, "python311.dll")), tag="cp312-cp312-win_amd64")),
    ("A107", replace(pe(libraries=(*PE.libraries, "python312.dll")), tag="cp312-abi3-win_amd64")),
    ("A107", replace(pe(libraries=(*PE.libraries, "python313.dll")), tag="cp313-cp313.cp313t-win_amd64")),
    ("A108", replace(elf(exports=(EXPORT, INIT)), tag="cp315-abi3t-manylinux_2_28_x86_64")),
    ("A108", replace(elf(exports=(EXPORT, INIT)), tag="cp315-abi3.abi3t-manylinux_2_28_x86_64")),
    ("A102", elf(exports=(EXPORT, Symbol("PyModExport_demo")))),
    ("A105", linux(tag="cp315-abi3t-manylinux_2_28_x86_64")),
    ("A107", replace(pe(libraries=(*PE.libraries, "python3.dll")), tag="cp315-abi3t-win_amd64")),
    ("R201", linux(images={"demo/libdemo.so": (ELF,), "demo/lib/libtvm_ffi.so": (RUNTIME,)})),
    (
        "R201",
        linux(
            images={
                "demo/libdemo.so": (ELF._replace(libraries=("libtvm_ffi-0a1b2c3d.so",)),),
                "demo.libs/libtvm_ffi-0a1b2c3d.so": (RUNTIME,),
            }
        ),
    ),
    ("R202", elf(libraries=("libc.so.6",), imports=(), exports=(EXPORT, CALL, Symbol("TVMFFIObjectDecRef")))),
    (
        "R202",
        replace(
            elf(libraries=("libc.so.6",), imports=()),
            content=b"\0ffi.FunctionRemoveGlobal\0ffi.FunctionListGlobalNamesFunctor\0",
        ),
    ),
    ("R203", elf(libraries=("libc.so.6",))),
    (
        "R203",
        linux(
            images={
                "demo/libdemo.so": (
                    ELF._replace(
                        libraries=("libdemo_traits.so", "libc.so.6"), run_paths=("$ORIGIN",), imports=(CALL, OWN_TRAITS)
                    ),
                ),
                "demo/libdemo_traits.so": (OTHER._replace(name="libdemo_traits.so", exports=(OWN_TRAITS,)),),
            },
        ),
    ),
    ("R204", elf(libraries=("libtvm_ffi.so.1", "libc.so.6"))),
    ("R204", macho(libraries=("/opt/lib/libtvm_ffi.dylib", "/usr/lib/libSystem.B.dylib"))),
    ("R205", with_imports(Symbol("TVMFFIFromTheFuture"))),
    ("R205", elf(libraries=(*ELF.libraries, "libcuda.so.1"), imports=(*ELF.imports, OWN_TRAITS))),
    ("R206", with_imports(Symbol("_ZSt28__throw_bad_array_new_lengthv"))),
    ("R207", elf(exports=(EXPORT, Symbol("_ZN3tvm3ffi5ErrorD1Ev", weak=True)))),
    (
        "R208",
        linux(built_with=("0.1.14", "0.1.15.post0"), recorded="0.1.14", requires=("apache-tvm-ffi>=0.1.14,<0.2",)),
    ),
    ("R209", linux(recorded=None)),
    ("R211", linux(files={"demo-1.0.dist-info/tvm_ffi_build.json": RECORD.replace(BUILT, "0.1.12").encode()})),
    ("R251", linux(requires=("numpy",))),
    ("R251", linux(requires=("apache-tvm-ffi<0.2,>=0.1.15.post1; extra == 'cuda'",))),
    ("R251", linux(requires=("apache-tvm-ffi<0.2,>=0.1.15.post1; sys_platform == 'win32'",))),
    ("R251", linux(requires=("apache-tvm-ffi<0.2,>=0.1.15.post1; python_version < '3.10'",))),
    ("R252", linux(failing=("0.1.15.post1",))),
    ("R253", linux(requires=("apache-tvm-ffi>=0.1.15",))),
    ("R253", linux(requires=("Apache.TVM_ffi>=0.1.15",))),
    ("R253", linux(requires=("apache-tvm-ffi>=0.1.15; sys_platform == 'linux'",))),
    (
        "R253",
        linux(
            requires=(
                "apache-tvm-ffi>=0.1.15.post1,<0.2; python_version < '3.12'",
                "apache-tvm-ffi>=0.1.15.post1; python_version >= '3.12'",
            )
        ),
    ),
    ("R254", linux(requires=("apache-tvm-ffi>=0.1.10,<0.1.13",))),
    ("R254", linux(recorded=LATER, requires=("apache-tvm-ffi>=0.1.15.post1,<0.1.99",))),
    (
        "P301",
        linux(
            tag="py3-none-manylinux_2_24_x86_64",
            images={"demo/libdemo.so": (ELF._replace(versions=(("libc.so.6", "GLIBC_2.28"),)),)},
        ),
    ),
    ("P301", linux(tag="py3-none-manylinux_2_4_x86_64", settings=Settings(ignore=("P302", "P309")))),
    (
        "P301",
        linux(tag="py3-none-manylinux_2_5_x86_64.musllinux_1_2_x86_64", settings=Settings(ignore=("P302", "P304"))),
    ),
    ("P301", macho(minimum_os="13.3")),
    ("P301", with_halves("10.13", "11.0", "macosx_10_9_x86_64.macosx_11_0_arm64")),
    ("P301", with_halves("10.9", "12.0")),
    ("P301", replace(MACOS_WHEEL, tag="py3-none-macosx_10_9_arm64", settings=Settings(ignore=("P302", "P309")))),
    ("P302", replace(MACOS_WHEEL, tag="py3-none-macosx_10_9_arm64", settings=Settings(ignore=("P301", "P309")))),
    ("P302", replace(NO_LIBC, tag="py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64")),
    ("P302", linux(tag="py3-none-manylinux2014_x86_64")),
    ("P302", replace(NO_LIBC, tag="py3-none-musllinux_1_2_x86_64")),
    ("P302", replace(macho(systems=("iOS",)), tag="py3-none-ios_13_0_arm64_iphoneos")),
    ("P302", linux(tag="py3-none-freebsd_14_1_release_amd64.manylinux_2_28_x86_64")),
    (
        "P302",
        replace(
            elf(libraries=("libtvm_ffi.so", MUSL), versions=(), imports=(CALL,)), tag="py3-none-musllinux_1_2_x86_64"
        ),
    ),
    ("P302", replace(pe(architecture="x86"), tag="py3-none-win32")),
    ("P303", linux(tag="py3-none-linux_x86_64")),
    ("P304", elf(architecture="aarch64")),
    ("P304", replace(WINDOWS_WHEEL, tag="py3-none-win_arm64")),
    ("P304", linux(tag="py3-none-manylinux_2_28_x86_64.manylinux_2_28_aarch64")),
    ("P304", linux(tag="py3-none-manylinux_2_28_aarch64.manylinux_2_28_x86_64")),
    ("P304", linux(tag="py3-none-manylinux_2_28_x86_64.win_amd64")),
    ("P304", replace(MACOS_WHEEL, tag="py3-none-macosx_11_0_arm64.manylinux_2_28_aarch64")),
    ("P304", replace(MACOS_WHEEL, tag="py3-none-macosx_11_0_universal2", settings=Settings(ignore=("P302",)))),
    ("P304", linux(tag="py3-none-macosx_11_0_arm64")),
    ("P304", linux(tag="py3-none-macosx", settings=Settings(ignore=("P309",)))),
    (
        "P304",
        linux(images={"demo/libdemo.so": (ELF,), "demo/libarm.so": (OTHER._replace(architecture="aarch64"),)}),
    ),
    ("P304", linux(tag="py3-none-musllinux_1_2_x86_64", settings=Settings(ignore=("P302",)))),
    (
        "P304",
        linux(tag="py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64", settings=Settings(ignore=("P302",))),
    ),
    ("P304", macho(systems=("iOS",))),
    ("P304", macho(systems=("Mac Catalyst",))),
    ("P304", macho(systems=("the iOS simulator",))),
    (
        "P304",
        replace(elf(architecture="armel"), tag="py3-none-manylinux_2_31_armv7l", settings=Settings(ignore=("P302",))),
    ),
    ("P305", linux(tag="py3-none-any")),
    ("P305", linux(tag="py3-none-any.manylinux_2_28_x86_64")),
    ("P306", linux(purelib=True)),
    ("P307", elf(level=3)),
    ("P308", replace(MACOS_WHEEL, content=b"unsigned")),
    ("P309", linux(tag="py3-none-linux")),
    ("P309", linux(tag="py3-none-manylinux_2_17")),
    ("P309", linux(tag="py3-none-manylinux_99999999999999999999_0_x86_64")),
    (
        "P309",
        linux(tag="py3-none-manylinux_2_28_x86_64.manylinux_2_28_amd64", settings=Settings(ignore=("P302", "P304"))),
    ),
    ("P309", replace(MACOS_WHEEL, tag="py3-none-macosx")),
    ("P309", replace(MACOS_WHEEL, tag="py3-none-macosx_11_0_arm64.macosx_12_3_arm64")),
    ("P309", replace(WINDOWS_WHEEL, tag="py3-none-win")),
    ("P309", linux(tag="py3-none-manylinux_2_28_x86_64.solarpunk")),
    ("P309", linux(tag="cp3-none-manylinux_2_28_x86_64")),
    ("P309", replace(with_imports(PY), tag="py3-abi3-manylinux_2_28_x86_64")),
    ("P351", elf(run_paths=("$ORIGIN/../tvm_ffi/lib", "/home/me/env/lib"))),
    ("P352", elf(run_paths=())),
    ("P352", elf(run_paths=("$ORIGIN/../../tvm_ffi/lib",))),
    ("P352", macho(run_paths=())),
    ("P352", with_script("$ORIGIN/../tvm_ffi/lib")),
    ("P353", elf(libraries=(*ELF.libraries, "libfoo.so.1"))),
    ("P353", elf(libraries=(*ELF.libraries, "libcudart.so.12"))),
    (
        "P353",
        replace(
            elf(libraries=(*ELF.libraries, "libcudart.so.12")),
            requires=(*LINUX_WHEEL.requires, "nvidia-cuda-runtime-cu12; extra == 'cuda'"),
        ),
    ),
    (
        "P353",
        replace(
            elf(libraries=(*ELF.libraries, "libz3.so.4")),
            requires=(*LINUX_WHEEL.requires, "z3_solver; sys_platform == 'darwin'"),
        ),
    ),
    (
        "P353",
        replace(
            elf(libraries=(*ELF.libraries, "libtorch.so")),
            requires=(*LINUX_WHEEL.requires, "torch; python_version >= '3.10'"),
        ),
    ),
    ("P353", with_cuda(CUDA_13, "$ORIGIN/../nvidia/cu13/lib", requires="cuda-toolkit[cublas]==13.0.3")),
    ("P353", with_cuda(CUDA_13, "$ORIGIN/../nvidia/cu13/lib", requires="cuda-toolkit")),
    ("P357", with_cuda(CUDA_13, requires="cuda-toolkit[cudart]==13.0.3")),
    ("P353", with_accelerator("ctypes.CDLL(HERE + '/libdemo_cuda.so')")),
    ("P353", with_accelerator(TRIES.format("ValueError", "pass"))),
    ("P353", with_accelerator(TRIES.format("OSError", "raise"))),
    ("P353", with_accelerator(TRIES.format("OSError", "pass") + "\nload_lib_module('demo', 'demo_cuda')")),
    ("P353", with_accelerator(TRIES.format("OSError", "pass").replace("_cuda", "_other"))),
    ("P353", elf(libraries=(*ELF.libraries, MUSL))),
    (
        "P353",
        replace(
            elf(libraries=("libtvm_ffi.so", MUSL), versions=(), imports=(CALL,)),
            tag="py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64",
            settings=Settings(ignore=("P302",)),
        ),
    ),
    ("P353", macho(libraries=(*MACHO.libraries, "/opt/homebrew/lib/libomp.dylib"))),
    ("P353", pe(libraries=(*PE.libraries, "MSVCP140D.dll"))),
    ("P354", pe(libraries=(*PE.libraries, "MSVCP140.dll"))),
    ("P356", with_imports(Symbol("_Z6AddTwol"))),
    ("P356", with_imports(Symbol("dep"))),
    ("P356", with_private_library(imports=(Symbol("demo_two"),))),  # another function than is exported
    ("P356", with_private_library(imports=(Symbol("demo_one", "V_2", "libdemo_core.so"),))),
    ("P356", with_private_library(needed=(), imports=(Symbol("demo_one"),))),
    (
        "P356",
        linux(
            images={
                "demo/libdemo.so": (ELF,),
                "demo/libdemo_use.so": (TRAITS_USER._replace(libraries=("libc.so.6",)),),
                "demo/libdemo_traits.so": (OTHER._replace(name="libdemo_traits.so", exports=(OWN_TRAITS,)),),
            }
        ),
    ),
    ("P356", with_private_library_of_macos(Symbol("demo_two", library="@rpath/libdemo_core.dylib"))),
    ("P356", with_private_library_of_macos(Symbol("demo_two"))),
    ("P356", with_private_library_of_macos(Symbol("class_getter"))),
    ("P356", with_private_dll(Symbol("demo_two", library="demo_core.dll"))),
    ("P361", with_files("demo/libdemo.so.1", "demo/libdemo.so.1.2.3")),
    ("P361", replace(with_files("demo/sub/libdemo.so"), settings=Settings(ignore=("P352",)))),
    (
        "P361",
        replace(
            MACOS_WHEEL,
            images={"demo/libdemo.dylib": (MACHO,), "demo/libdemo.1.dylib": (MACHO,)},
        ),
    ),
    ("P362", with_private_library("libhelper.so", imports=(Symbol("demo_one"),))),
    ("P362", with_private_dll(Symbol("demo_one", library="core.dll"), name="core.dll")),
    ("P362", with_private_library("libhelper.so.5", imports=(Symbol("demo_one"),))),
    (
        "P355",
        replace(
            WINDOWS_WHEEL,
            images={
                "demo/demo.dll": (PE._replace(libraries=(*PE.libraries, "z-0a1b2c3d.dll")),),
                "demo.libs/z-0a1b2c3d.dll": (Image("amd64", libraries=("KERNEL32.dll",)),),
            },
        ),
    ),
    ("P357", with_cuda()),
    ("P357", with_cuda(CUDA_12, "$ORIGIN/../nvidia/cublas/lib", requires="nvidia-cuda-runtime-cu12")),
    ("P357", with_cuda(CUDA_12, "/usr/local/cuda/lib64", requires="torch", settings=Settings(ignore=("P351",)))),
    ("P357", with_cuda(code="ctypes.CDLL('libcudart.so.13')\nimport tvm_ffi\n")),
    ("P357", with_cuda(code="# import torch\n")),
    ("P357", with_cuda(requires="numpy", settings=Settings(external=("libcudart.so*",)))),
    (
        "P357",
        replace(
            pe(libraries=(*PE.libraries, "cudart64_12.dll")),
            requires=(*LINUX_WHEEL.requires, "nvidia-cuda-runtime-cu12"),
        ),
    ),
    (
        "P357",
        replace(
            macho(libraries=(*MACHO.libraries, "@rpath/libc10.dylib")),
            requires=(*LINUX_WHEEL.requires, "torch"),
            files={"demo/__init__.py": LOADS_BY_PATH.replace("libdemo.so", "libdemo.dylib").encode()},
        ),
    ),
    ("P358", with_openmp("torch")),
    ("P358", with_openmp("Torch>=2; extra == 'torch'", name="libomp-0a1b2c3d.so")),
    ("P358", with_openmp("torch", name="libworkers-0a1b2c3d.so")),
    ("P355", with_dll("demo/demo_third.dll", "tvm_ffi.load_module(HERE + '/demo.dll')")),
    (
        "P355",
        with_dll("demo/demo_third.dll", "# ctypes.CDLL(HERE + '/demo.dll')\ntvm_ffi.load_module(HERE + '/demo.dll')"),
    ),
    ("P355", with_dll("demo/demo_third.dll", "ctypes.CDLL('kernel32')\ntvm_ffi.load_module(HERE + '/demo.dll')")),
    ("P355", with_dll("demo/lib/demo_third.dll", "ctypes.CDLL(HERE + '/demo.dll')")),
    ("P355", with_dll(".demo.mesonpy.libs/demo_third.dll", "ctypes.CDLL(HERE + '/demo.dll')")),
    (
        "P355",
        with_dll(
            "demo/lib/demo_third.dll",
            "os.add_dll_directory(os.path.join(HERE, 'bin'))\nctypes.CDLL(HERE + '/demo.dll')",
        ),
    ),
    (
        "P355",
        with_dll(
            "demo/lib/demo_third.dll",
            '"os.add_dll_directory(HERE + /lib)"\nctypes.CDLL(HERE + "/demo.dll")',
        ),
    ),
    (
        "P355",
        with_dll(
            "demo/lib/demo_third.dll", "os.add_dll_directory(HERE + '/lib')\ntvm_ffi.load_module(HERE + '/demo.dll')"
        ),
    ),
    (
        "P355",
        replace(
            WINDOWS_WHEEL,
            images={
                "demo/demo.dll": (PE._replace(libraries=(*PE.libraries, "demo_middle.dll")),),
                "demo/demo_middle.dll": (MIDDLE_DLL._replace(libraries=(*PE.libraries, "demo_third.dll")),),
                "demo/deep/demo_third.dll": (Image("amd64", libraries=("KERNEL32.dll",)),),
            },
            files={"demo/_library.py": b"ctypes.CDLL(HERE + '/demo.dll')"},
        ),
    ),
    ("P355", with_dll("demo-1.0.data/data/lib/demo_third.dll", "ctypes.CDLL(HERE + '/demo.dll')")),
    ("P355", with_helper("demo-1.0.data/data/lib/libhelper.so", "$ORIGIN")),
    ("P355", with_helper("demo-1.0.data/data/lib/libhelper.so", "$ORIGIN/../../../lib")),
    ("P355", with_helper()),
    ("P355", with_helper("demo/lib/libdemo_helper.so", "$ORIGIN")),
    ("P355", with_helper("demo/libdemo_helper.so.1", "$ORIGIN")),  # which has the name that is asked for inside alone
    ("P355", with_helper("demo/libdemo_helper.so", "$ORIGIN", needed="build/libdemo_helper.so")),
    ("P355", replace(with_helper(), files={"demo/_library.py": b"ctypes.CDLL(path)"})),
    ("P355", with_helper_of_macos("@loader_path/lib")),
    ("P355", with_helper_of_macos("@loader_path", needed="libhelper.dylib")),
    ("P371", loaded(executable_stack=True)),
    ("P371", loaded(executable_stack=None)),
    ("P371", loaded(executable_stack=True, architecture="aarch64")),
    ("P372", loaded(relative_relocations=True)),
    ("P372", loaded(relative_relocations=True, tag="manylinux_2_39")),
    (
        "P372",
        replace(
            NO_LIBC, images={"demo/libdemo.so": (NO_LIBC_ELF._replace(loading=Loading(relative_relocations=True)),)}
        ),
    ),
    ("P373", loaded(text_relocations=True)),
    ("P373", loaded(text_relocations=True, architecture="aarch64")),
    ("P374", loaded(segment(0x10000), segment(0x1000, 0x11000, 0x1000), architecture="aarch64")),
    ("P374", loaded(segment(0x1000), segment(0x10000, 0x20000, 0x10000), architecture="aarch64")),
    ("P374", loaded(segment(0x4000), architecture="aarch64")),
    ("P374", loaded(segment(0x1000), architecture="ppc64le")),
    ("P375", loaded(segment(0x1000), segment(0x10000, 0x13000, 0x2000))),
    ("P375", loaded(segment(0x10000, 0x13000, 0x2000), architecture="aarch64")),
    ("P375", loaded(segment(0x1000, 0x13010, 0x2000), tag="manylinux_2_39")),
    ("P376", elf(run_paths=("", "$ORIGIN/../tvm_ffi/lib"))),
    ("P376", elf(run_paths=("$ORIGIN/../tvm_ffi/lib", "lib"))),
    ("P376", macho(run_paths=("@loader_path/../tvm_ffi/lib", "."))),
    ("C402", linux(files={"demo/a.txt": b"", "demo/A.txt": b""})),
    ("C403", linux(files={"demo/libdemo.a": b""})),
    ("C403", linux(files={"demo/data.bin": b"!<arch>\n"})),
    ("C404", linux(files={"demo/include/demo.h": b""})),
    ("C405", replace(WINDOWS_WHEEL, files={"demo/demo.lib": b""})),
    ("C406", linux(content=b"\x7fELF\0/home/me/demo/src/demo.cc\0")),
    ("C406", replace(WINDOWS_WHEEL, content=b"MZ\0D:\\a\\demo\\src\\demo.cc\0")),
    ("C407", replace(elf(sections=(Section(".debug_info", 0, 3 << 20),)), content=bytes(4 << 20))),
    ("C408", linux(files={"demo/__init__.pyi": b""})),
    ("C408", linux(files={"demo/_library.py": STUBS.encode()})),
    ("C409", linux(files={"demo/__pycache__/__init__.cpython-312.pyc": b""})),
    ("C410", linux(files={"share/demo/data.txt": b""})),
    ("C410", linux(files={"README.md": b""})),
    (
        "C411",
        replace(
            MACOS_WHEEL,
            files={"lib/libdemo.dylib.dSYM/Contents/Info.plist": b"", "lib/__init__.py": b""},
            settings=Settings(ignore=("C410",)),
        ),
    ),
    ("G501", gpu(fatbin(*cubins(80, 90)))),
    ("G501", gpu(fatbin(*cubins(80, 90, 120)))),
    ("G502", gpu(fatbin(*cubins(90, flags=SPECIFIC)))),
    ("G502", gpu(fatbin(*cubins(100, 120, flags=FAMILY), entry(PTX, 100, flags=FAMILY)))),
    ("G503", gpu(fatbin(*cubins(70, 80), PTX_OF_80))),
    (
        "G503",
        gpu(
            fatbin(*cubins(70, 80, toolkit=""), PTX_OF_80),
            libraries=("libcudart.so.13",),
            settings=Settings(ignore=("P353",)),
        ),
    ),
    ("G504", gpu(CURRENT, fatbin(*cubins(80, 90, 100), PTX_OF_80))),
    ("G505", gpu(fatbin(*cubins(80, flags=forged.DEBUG), PTX_OF_80))),
    (
        "G505",
        gpu(CURRENT, files={"demo/k.cubin": forged.cubin(80, debug=True)}, settings=Settings(ignore=("G501", "G504"))),
    ),
    ("G506", gpu(*[fatbin(*cubins(80, size=MIB), PTX_OF_80)] * 2)),
    ("G506", gpu(fatbin(*cubins(80, 80, size=MIB), PTX_OF_80))),
    (
        "G506",
        gpu(
            fatbin(*cubins(80, size=MIB), PTX_OF_80),
            files={"demo/k.fatbin": fatbin(*cubins(80, size=MIB))},
            settings=Settings(ignore=("G501", "G504")),
        ),
    ),
    ("G507", gpu(fatbin(*cubins(80, 90), *cubins(120, size=11 * MIB), PTX_OF_80))),
    ("G508", gpu(CURRENT, settings=declared("7.5", "9.0"))),
    ("G508", gpu(CURRENT, settings=declared("12.0+PTX"))),
    ("G508", gpu(CURRENT, settings=declared("9.0a"))),
    ("C413", linux(package={})),
    ("C413", linux(package={"demo/__init__.pyi": b"", "demo/py.typed": b""})),
    ("C413", linux(package={"demo/__init__.py": b"'''Kernels.'''\n__version__ = '1.0'\n"})),
    ("C413", replace(WINDOWS_WHEEL, package={"demo/__init__.py": b""})),
    # Stubs and a loader that were written to a directory which no wheel gets.
    (
        "C413",
        linux(
            images={"acme/kernels/libdemo.so": (ELF._replace(run_paths=("$ORIGIN/../../tvm_ffi/lib",)),)},
            package={
                "acme/kernels/__init__.py": b"'''Kernels.'''",
                "acme/kernels/_demo_runtime.py": b"'''The releases that libdemo.so works with.'''\nFAILS_ON = {}\n",
            },
        ),
    ),
    ("C414", linux(package={"my_demo/__init__.py": b"import tvm_ffi"})),
    ("C414", linux(images={"kernels/libdemo.so": (ELF,)})),
    ("C414", linux(images={"demo-1.0.data/platlib/kernels/libdemo.so": (ELF,)}, files={"kernels/data.json": b"{}"})),
    ("C415", loading("load_lib_module('other-name', 'demo')")),
    ("C415", loading("load_lib_module('demo', 'other')")),
    ("C415", loading("def f():\n    return load_lib_ctypes(package='other', target_name='demo', mode='RTLD_LOCAL')")),
    ("C415", loading("load_lib_module('demo', target_name='libdemo')")),
    ("C415", linux(package={"demo/__init__.py": b"import tvm_ffi\ntvm_ffi.libinfo.load_lib_module('demo', 'core')"})),
    ("C416", linux(files={"src/demo_kernels/__init__.py": b""})),
    ("C419", linux(files={"demo.pth": b"import demo\n"})),
    ("C419", linux(files={"sitecustomize.py": b""})),
    ("C419", linux(files={"usercustomize/__init__.py": b""})),
    ("C419", linux(files={"sitecustomize.abi3.so": b""}, settings=Settings(ignore=("C410",)))),
    ("C419", linux(files={"demo-1.0.data/purelib/a.pth": b""})),
    ("C419", linux(files={"demo-1.0.data/data/lib/python3.12/site-packages/a.pth": b""})),
    ("C420", linux(files={"other-1.0.data/scripts/demo": b""})),
    ("C420", linux(files={"Demo-1.0.DATA/purelib/demo/a.py": b""})),
    ("C420", linux(files={"demo-1.0.data/libs/demo": b""})),
    ("C416", linux(files={"python/kernels/__init__.py": b"", "python/kernels/one.py": b""})),
    ("C416", linux(package={"src/demo/__init__.py": b"import tvm_ffi", "src/demo/ops.py": b"", "demo/ops.py": b""})),
    ("C412", linux(files={"demo/_library.py": STUBS.replace("def f", "def g").encode(), "demo/py.typed": b""})),
]

GOOD_WHEELS = {
    "a library that a package loads from another directory of its own": linux(
        images={"demo/lib/x/libdemo.so": (ELF._replace(run_paths=("$ORIGIN/../../../tvm_ffi/lib",)),)}
    ),
    "a library that is loaded by the functions of another package": linux(
        package={"demo/__init__.py": b"from toolbox import load_kernels\nload_kernels(__file__)"}
    ),
    "a library whose name is all that the package says of it": linux(package={"demo/__init__.py": b"NAME = 'libdemo'"}),
    "a library that does not use the runtime, in a directory without a package": linux(
        images={"demo/libdemo.so": (ELF,), "demo.libs/libother-0a1b2c3d.so": (OTHER,)}
    ),
    "a loader that names what the wheel has": loading("load_lib_module('Demo', 'demo')"),
    "a loader of a library of the runtime": loading("load_lib_module('apache-tvm-ffi', 'tvm_ffi_testing')"),
    "a loader of a library of another distribution, which is required": loading(
        "load_lib_module('toolbox', 'toolbox')", requires=(*LINUX_WHEEL.requires, "Toolbox>=2")
    ),
    "a loader that is ready for a failure": loading(
        "try:\n    load_lib_module('demo_cuda', 'x')\nexcept RuntimeError:\n    load_lib_module('demo', 'demo')"
    ),
    "a loader that looks in other directories too": loading(
        "load_lib_module('demo', 'x', extra_lib_paths=[BUILD])\n"
        "load_lib_ctypes('other', 'x', 'RTLD_LOCAL', extra_lib_paths=at())"
    ),
    "a loader whose arguments are not written out": loading(
        "load_lib_module(NAME, TARGET)\nload_lib_module('demo', X)"
    ),
    "a loader of a library with the ending that macOS also has": replace(
        MACOS_WHEEL,
        images={"demo/libdemo.so": (MACHO,)},
        package={"demo/__init__.py": b"import tvm_ffi.libinfo as at\nat.load_lib_module('demo', 'demo')"},
    ),
    "a package that is called python": linux(files={"python/__init__.py": b"", "python/sub/__init__.py": b""}),
    "device code for current GPUs": gpu(CURRENT),
    "older device code, and PTX for later GPUs": gpu(fatbin(*cubins(80), PTX_OF_80)),
    "device code for one architecture with another for the rest": gpu(
        fatbin(*cubins(90, flags=SPECIFIC), *cubins(80), PTX_OF_80)
    ),
    "older code of an older toolkit": gpu(fatbin(*cubins(60, 70, toolkit="12.8"), PTX_OF_80)),
    "libraries of two toolkits": gpu(CURRENT, fatbin(*cubins(60, toolkit="12.8"), PTX_OF_80)),
    "what is declared": gpu(
        fatbin(*cubins(80, 120), entry(PTX, 120), entry(PTX, 80)), settings=declared("8.0", "8.6", "12.0+PTX")
    ),
    "a declaration, and no device code": linux(settings=declared("8.0")),
    "device code of AMD": gpu(forged.bundle(gfx942=b"code", gfx1100=b"code"), section=".hip_fatbin"),
    "a little of the same code twice": gpu(CURRENT, CURRENT),
    "a large architecture among two": gpu(fatbin(*cubins(80), *cubins(120, size=11 * MIB), PTX_OF_80)),
    "linux": LINUX_WHEEL,
    "a function of glibc in a library that is not needed": with_imports(Symbol("pthread_create")),
    "a function of glibc on another architecture": with_imports(Symbol("__aeabi_atexit"), Symbol("__expieee128")),
    "a weak symbol that no library defines": with_imports(Symbol("__gmon_start__", weak=True)),
    "functions of a library beside it": with_private_library(
        imports=(Symbol("demo_one"), Symbol("demo_one", "V_1", "libdemo_core.so"))
    ),
    "a function that a package loads for all libraries": replace(
        with_private_library(needed=(), imports=(Symbol("demo_one"),)),
        files={"demo/__init__.py": b"ctypes.CDLL(core, ctypes.RTLD_GLOBAL)"},
    ),
    "a function that may be one of a library which that beside it needs": with_private_library(
        imports=(Symbol("demo_two"),), core_needs=("libcuda.so.1",)
    ),
    "functions of a library beside it, on macOS": with_private_library_of_macos(
        Symbol("demo_one", library="@rpath/libdemo_core.dylib"), Symbol("demo_one")
    ),
    "functions that a library beside it has from another, on macOS": with_private_library_of_macos(
        Symbol("demo_two", library="@rpath/libdemo_core.dylib"), reexports=("/usr/lib/libz.1.dylib",)
    ),
    "functions that every process of macOS has": with_private_library_of_macos(
        *map(
            Symbol,
            ("objc_msgSend", "OBJC_CLASS_$_NSObject", "sel_registerName", "class_getName", "_ZdlPv", "__cxa_throw"),
        )
    ),
    "functions from anywhere, in the flat namespace of macOS": macho(imports=(CALL, Symbol("malloc"))),
    "functions of a DLL beside it": with_private_dll(Symbol("demo_one", library="DEMO_core.dll"), Symbol("")),
    "two libraries that differ": with_private_library(imports=(Symbol("demo_one"),)),
    "a program that is there twice": linux(
        images={
            "demo/libdemo.so": (ELF,),
            **dict.fromkeys(
                ("demo/a/tool", "demo/b/tool"), (OTHER._replace(exports=(Symbol("environ"),), is_program=True),)
            ),
        }
    ),
    "a library whose name auditwheel made its own": with_private_library(
        "libgomp-0a1b2c3d.so.1", imports=(Symbol("demo_one"),)
    ),
    "a library that is in the wheel and on every system": with_private_library(
        "libz.so.1", imports=(Symbol("demo_one"),)
    ),
    "a function that the driver may have": elf(
        libraries=(*ELF.libraries, "libcuda.so.1"), imports=(*ELF.imports, Symbol("_Z6AddTwol"))
    ),
    "macos": MACOS_WHEEL,
    "windows": WINDOWS_WHEEL,
    "the runtime's name in another spelling": linux(requires=("Apache.TVM_ffi>=0.1.15.post1,<0.2",)),
    "the runtime by a marker that holds wherever the wheel is installed": linux(
        requires=("apache-tvm-ffi>=0.1.15.post1,<0.2; platform_machine == 'x86_64'", "apache-tvm-ffi; os_name == 'nt'")
    ),
    "the policy's old name beside the new one": linux(
        tag="py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", requires=("apache-tvm-ffi>=0.1.9,<0.2",)
    ),
    "mixed: an extension module of nanobind beside the library": linux(
        tag="cp312-cp312-manylinux_2_28_x86_64",
        images={
            "demo/libdemo.so": (ELF,),
            "demo/_nb.cpython-312-x86_64-linux-gnu.so": (OTHER._replace(imports=(PY,), exports=(INIT,)),),
        },
    ),
    "header-only: the runtime is not linked, and that is meant": replace(
        elf(libraries=("libc.so.6",), run_paths=()),
        settings=Settings(per_file=(("demo/libdemo.so", ("R203",)),)),
    ),
    "header-only, as the build has recorded": replace(
        elf(libraries=("libc.so.6",), run_paths=()),
        files={"demo-1.0.dist-info/tvm_ffi_build.json": RECORD.encode()},
    ),
    "header-only, as the build with hatchling has recorded": replace(
        elf(libraries=("libc.so.6",), run_paths=()),
        files={"demo-1.0.dist-info/extra_metadata/tvm_ffi_build.json": RECORD.encode()},
    ),
    "C-only: functions for the runtime, none of which calls it": elf(
        libraries=("libc.so.6",), imports=(), run_paths=()
    ),
    "the runtime is needed by a library that this one needs": linux(
        images={
            "demo/libdemo.so": (ELF._replace(libraries=("libdemo_core.so", "libc.so.6"), run_paths=("$ORIGIN",)),),
            "demo/libdemo_core.so": (ELF._replace(name="libdemo_core.so", exports=()),),
        }
    ),
    "a library beside it that it needs": with_helper("demo/libdemo_helper.so", "$ORIGIN"),
    "a library that it needs, in the folder that auditwheel makes": with_helper(
        "demo.libs/libdemo_helper.so", "${ORIGIN}/../demo.libs/"
    ),
    "a library that one needs which auditwheel has copied, and to which that has no run path itself": linux(
        images={
            "demo/libdemo.so": (
                ELF._replace(
                    libraries=("libtvm_ffi.so", "libb-0a1b2c3d.so"), run_paths=(*ELF.run_paths, "$ORIGIN/../demo.libs")
                ),
            ),
            "demo.libs/libb-0a1b2c3d.so": (OTHER._replace(name="libb-0a1b2c3d.so", libraries=("libc-0a1b2c3d.so",)),),
            "demo.libs/libc-0a1b2c3d.so": (OTHER._replace(name="libc-0a1b2c3d.so", libraries=("libd-0a1b2c3d.so",)),),
            "demo.libs/libd-0a1b2c3d.so": (OTHER._replace(name="libd-0a1b2c3d.so", libraries=("libb-0a1b2c3d.so",)),),
        }
    ),
    "a library that is needed from the system, and in the wheel for something else": with_helper(
        "demo/tools/libz.so.1", needed="libz.so.1"
    ),
    "a library that users have, and the wheel too": replace(
        with_helper("demo/tools/libdemo_helper.so"), settings=Settings(external=("libdemo_helper.so",))
    ),
    "a library that goes where only installers know": with_helper(
        "demo-1.0.data/data/lib/libdemo_helper.so", "$ORIGIN/../../.."
    ),
    "a library in the environment that finds the runtime of one Python": linux(
        images={
            "demo/libdemo.so": (ELF,),
            "demo-1.0.data/data/lib/libother.so": (
                ELF._replace(
                    name="libother.so",
                    exports=(Symbol("other"),),
                    run_paths=("$ORIGIN/python3.12/site-packages/tvm_ffi/lib",),
                ),
            ),
        }
    ),
    "a library beside it that it needs, on macOS": with_helper_of_macos("@loader_path"),
    "a library that is asked for by its place, on macOS": with_helper_of_macos(needed="@loader_path/libhelper.dylib"),
    "a kernel library beside it that does not use the runtime": linux(
        images={"demo/libdemo.so": (ELF,), "demo/libkernels.so": (OTHER,)}
    ),
    "built against a checkout that does not know its version": linux(
        recorded=UNKNOWN_VERSION, built_with=("0.1.15.post2",), requires=("apache-tvm-ffi>=0.1.15.post2,<0.2",)
    ),
    "built against a release of a later date, which it requires": linux(
        recorded=LATER, requires=(f"apache-tvm-ffi>={LATER},<0.2",)
    ),
    "built against such a release, with code that is like that of one that was yanked": linux(
        recorded=LATER, built_with=("0.1.15",), requires=(f"apache-tvm-ffi>={LATER},<0.2",)
    ),
    "a symbol in the runtime's namespace that a library beside it has": linux(
        images={
            "demo/libdemo.so": (
                ELF._replace(
                    libraries=(*ELF.libraries, "libdemo_traits.so"),
                    run_paths=("$ORIGIN", *ELF.run_paths),
                    imports=(*ELF.imports, OWN_TRAITS),
                ),
            ),
            "demo/libdemo_traits.so": (ELF._replace(name="libdemo_traits.so", exports=(OWN_TRAITS,)),),
        }
    ),
    "a symbol in the runtime's namespace of a library beside it, without the runtime": linux(
        images={
            "demo/libdemo.so": (ELF,),
            "demo/libdemo_use.so": (TRAITS_USER._replace(libraries=("libdemo_traits.so", "libc.so.6")),),
            "demo/libdemo_traits.so": (OTHER._replace(name="libdemo_traits.so", exports=(OWN_TRAITS,)),),
        }
    ),
    "an own symbol that begins like the runtime's": elf(exports=(EXPORT, Symbol("TVMFFIMyInitialize"))),
    "typeinfo of the runtime's exceptions": elf(exports=(EXPORT, Symbol("_ZTIN3tvm3ffi5ErrorE", weak=True))),
    "CUDA from the driver": elf(libraries=(*ELF.libraries, "libcuda.so.1")),
    "CUDA from a package that is required": with_cuda(
        CUDA_12, "$ORIGIN/../nvidia/cuda_runtime/lib", requires="nvidia-cuda-runtime-cu12"
    ),
    "CUDA from NVIDIA's distribution without files": with_cuda(
        CUDA_13, "$ORIGIN/../nvidia/cu13/lib", requires="cuda-toolkit[cublas,CUDART]==13.0.3"
    ),
    "all of CUDA from NVIDIA's distribution without files": with_cuda(
        CUDA_13, "$ORIGIN/../nvidia/cu13/lib", requires="cuda_toolkit[all]; platform_system == 'Linux'"
    ),
    "CUDA 13 from a package that is required": with_cuda(CUDA_13, "$ORIGIN/../nvidia/cu13/lib"),
    "CUDA from torch's directory": with_cuda(CUDA_12, "$ORIGIN/../torch/lib", requires="torch"),
    "CUDA that importing torch loads": with_cuda(CUDA_12, requires="torch", code="import torch.cuda\n"),
    "CUDA that the runtime's import of torch loads": with_cuda(CUDA_12, requires="torch", code="import tvm_ffi\n"),
    "CUDA that the package loads by its path": with_cuda(code=PRELOADED),
    "CUDA that cuda.pathfinder loads": with_cuda(
        code="from cuda.pathfinder import load_nvidia_dynamic_lib\nload_nvidia_dynamic_lib('cudart')\n"
    ),
    "CUDA in a directory that is added": replace(
        pe(libraries=(*PE.libraries, "cudart64_12.dll")),
        requires=(*LINUX_WHEEL.requires, "nvidia-cuda-runtime-cu12"),
        files={"demo/__init__.py": b"import os\nos.add_dll_directory(SITE + '/nvidia/cuda_runtime/bin')\n"},
    ),
    "CUDA for a library that the package does without": with_accelerator(TRIES.format("OSError", "pass")),
    "CUDA for a library that the package does without, in another way": with_accelerator(
        "with suppress(ImportError, OSError):\n    tvm_ffi.libinfo.load_lib_module('demo', 'demo_cuda')"
    ),
    "CUDA for a library whose absence any exception tells": with_accelerator(
        TRIES.format("(AttributeError, Exception) as error", "log(error)")
    ),
    "CUDA for what a library needs that the package does without": linux(
        images={
            "demo/libdemo.so": (ELF,),
            "demo/libdemo_cuda.so": (
                OTHER._replace(name="libdemo_cuda.so", libraries=("libdemo_near.so",), run_paths=("$ORIGIN",)),
            ),
            "demo/libdemo_near.so": (OTHER._replace(name="libdemo_near.so", libraries=("libc.so.6", CUDA_13)),),
        },
        package={"demo/__init__.py": b"import tvm_ffi\n" + TRIES.format("OSError", "pass").encode()},
    ),
    "OpenMP in a wheel without torch": with_openmp("numpy"),
    "another library in a wheel with torch": with_openmp("torch", name="libz-0a1b2c3d.so.1", export="inflate"),
    "a library that users have": replace(
        elf(libraries=(*ELF.libraries, "libmine.so.2")), settings=Settings(external=("libmine.so*",))
    ),
    "DLLs that come with Python, and a loader that finds others": replace(
        WINDOWS_WHEEL,
        images={
            "demo/demo.dll": (PE._replace(libraries=(*PE.libraries, "VCRUNTIME140.dll", "demo_z.dll")),),
            "demo/demo_z.dll": (Image("amd64", libraries=("KERNEL32.dll",)),),
        },
        files={"demo/_library.py": b"ctypes.CDLL(path)"},
    ),
    "a library of Visual C++ in the wheel": replace(
        WINDOWS_WHEEL,
        images={
            "demo/demo.dll": (PE._replace(libraries=(*PE.libraries, "MSVCP140.dll")),),
            "demo/msvcp140.dll": (Image("amd64", name="MSVCP140.dll", libraries=("KERNEL32.dll",)),),
        },
        files={"demo/_library.py": b"ctypes.CDLL(HERE + '/demo.dll')"},
    ),
    "a loader that adds the directory, and loads by the path": with_dll(
        "demo/lib/demo_third.dll", "os.add_dll_directory(os.path.join(HERE, 'lib'))\nctypes.CDLL(HERE + '/demo.dll')"
    ),
    "a second library of the runtime, which is loaded with the first one": replace(
        WINDOWS_WHEEL,
        images={
            "demo/demo.dll": (PE._replace(libraries=(*PE.libraries, "demo_middle.dll")),),
            "demo/demo_middle.dll": (MIDDLE_DLL._replace(libraries=(*PE.libraries, "demo_third.dll")),),
            "demo/demo_third.dll": (Image("amd64", libraries=("KERNEL32.dll",)),),
        },
        files={"demo/_library.py": b"ctypes.CDLL(HERE + '/demo.dll')"},
    ),
    "a loader that loads what is needed first": with_dll(
        "demo/lib/demo_third.dll",
        "ctypes.WinDLL(HERE + '/lib/demo_third.dll')\ntvm_ffi.load_module(HERE + '/demo.dll')",
    ),
    "a loader that loads all of a directory first": with_dll(
        "demo/lib/demo_third.dll",
        "for one in glob.glob(HERE + '/lib/*.dll'): ctypes.CDLL(one)\ntvm_ffi.load_module(HERE + '/demo.dll')",
    ),
    "a directory that is added to PATH": with_dll(
        "demo/lib/demo_third.dll", "os.environ['PATH'] += ';' + HERE + '/lib'\ntvm_ffi.load_module(HERE + '/demo.dll')"
    ),
    "the runtime's own loader, and a name without an ending": with_dll(
        "demo/demo_third.dll", "tvm_ffi.libinfo.load_lib_ctypes('demo', 'demo', 'RTLD_LOCAL')"
    ),
    "the patch of delvewheel in the package, and a loader": with_dll(
        "demo.libs/demo_third.dll",
        "ctypes.CDLL(HERE + '/demo.dll')",
        **{
            "demo/__init__.py": "import os\ndef patch():\n"
            "    libs = os.path.join(os.path.dirname(__file__), os.pardir, 'demo.libs')\n"
            "    if os.path.isdir(libs): os.add_dll_directory(libs)\n"
        },
    ),
    "a package that lies in the directory which it adds": with_dll(
        "demo/demo_third.dll", "os.add_dll_directory(HERE)\nctypes.CDLL(HERE + '/demo.dll')"
    ),
    "a library for each of two tags": with_halves("10.9", "11.0", "macosx_10_9_x86_64.macosx_11_0_arm64"),
    "a library of macOS and Mac Catalyst": macho(systems=("macOS", "Mac Catalyst")),
    "tags in capitals": linux(tag="PY3-NONE-MANYLINUX_2_28_X86_64"),
    "the stable ABI of free-threaded Pythons, by an export hook": replace(
        elf(exports=(EXPORT, INIT, Symbol("PyModExport_demo"))), tag="cp315-abi3.abi3t-manylinux_2_28_x86_64"
    ),
    "the stable ABI of the others, by an init function": replace(
        elf(exports=(EXPORT, INIT)), tag="cp315-abi3-manylinux_2_28_x86_64"
    ),
    "the DLL of the stable ABI of free-threaded Pythons": replace(
        pe(libraries=(*PE.libraries, "python3t.dll")), tag="cp315-abi3t-win_amd64"
    ),
    "segments for the largest pages": loaded(
        segment(0x10000), segment(0x10000, 0x23450, 0x13450), architecture="aarch64"
    ),
    "segments for the pages of x86": loaded(segment(0x1000, 0x3450, 0x2450), segment(0x200000, 0x400000, 0x200000)),
    "an alignment that only glibc before 2.35 looks at": loaded(
        segment(0x10000, 0x13000, 0x2000), tag="manylinux_2_35"
    ),
    "a stack that nothing is said of, where it is not executable by default": loaded(
        executable_stack=None, architecture="aarch64"
    ),
    "packed relocations with their version": replace(
        elf(
            versions=(("libc.so.6", "GLIBC_ABI_DT_RELR"), ("libc.so.6", "GLIBC_2.17")),
            imports=(CALL,),
            loading=Loading(relative_relocations=True),
        ),
        tag="py3-none-manylinux_2_36_x86_64",
    ),
    "packed relocations without any version, for systems that know them": replace(
        NO_LIBC,
        images={"demo/libdemo.so": (NO_LIBC_ELF._replace(loading=Loading(relative_relocations=True)),)},
        tag="py3-none-manylinux_2_36_x86_64",
    ),
    "CPython's DLL of the one Python": replace(
        pe(libraries=(*PE.libraries, "python312.dll", "python3.dll")), tag="cp312-cp312-win_amd64"
    ),
    "CPython's DLL of the stable ABI": replace(
        pe(libraries=(*PE.libraries, "python3.dll")), tag="cp312-abi3-win_amd64"
    ),
    "CPython's DLL without the GIL": replace(
        pe(libraries=(*PE.libraries, "python313t.dll")), tag="cp313-cp313t-win_amd64"
    ),
    "one of two distributions, by markers": replace(
        with_cuda(CUDA_12, "$ORIGIN/../nvidia/cuda_runtime/lib"),
        requires=(
            *LINUX_WHEEL.requires,
            "torch; python_version < '3.12'",
            "nvidia.cuda_runtime-cu12; python_version >= '3.12'",
        ),
    ),
    "a library for both processors": with_halves("11.0", "11.0", "macosx_11_0_universal2"),
    "a library for both processors, on the oldest system of each": with_halves("10.9", "11.0"),
    "the same by a tag for each": with_halves("10.9", "11.0", "macosx_10_9_x86_64.macosx_11_0_arm64"),
    "a script of one Python that finds the runtime": with_script("$ORIGIN/../lib/python3.12/site-packages/tvm_ffi/lib"),
    "code for GPUs and other devices": linux(files={"demo/kernel.o": elf_of(1, 247), "demo/a.cubin": elf_of(2, 190)}),
    "what is written for scripts by tools": linux(files={"demo.scripts/tool": b"#!/bin/sh\n"}),
    "installed by the data scheme": linux(images={"demo-1.0.data/platlib/demo/libdemo.so": (ELF,)}),
    "debug symbols beside the library": replace(
        MACOS_WHEEL, files={"demo/libdemo.dylib.dSYM/Contents/Info.plist": b""}
    ),
    "a little debug information": elf(sections=(Section(".debug_info", 0, 2),)),
    "typed": linux(files={"demo/__init__.pyi": b"", "demo/py.typed": b""}),
    "files that only look like those that run at the start": linux(
        files={
            "demo/a.pth": b"",
            "demo/sitecustomize.py": b"",
            "demo-1.0.data/data/share/demo/sitecustomize.py": b"",
            "demo/x.data/scripts/a.py": b"",
        }
    ),
    "files in its own data directory": linux(
        files={
            f"demo-1.0.data/{key}/demo/{key}.py": b"" for key in ("purelib", "platlib", "headers", "scripts", "data")
        }
    ),
    "a namespace package": linux(
        images={"acme/kernels/libdemo.so": (ELF._replace(run_paths=("$ORIGIN/../../tvm_ffi/lib",)),)},
        files={"acme/kernels/__init__.py": b""},
    ),
    "stubs that are true": linux(files={"demo/_library.py": STUBS.encode(), "demo/py.typed": b""}),
    "addresses and relative paths": linux(content=b"\0https://example.com/home/a.cc\0src/a.cc\0/usr/include/a.h\0"),
    "names of CPython that nobody looks up": linux(content=b"\0PyGILState_Ensure\0"),
}


@pytest.fixture
def findings(
    make_wheel: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Case], list[str]]]:
    """Return a function that audits a case; the libraries are what the case says of them, and not read."""
    monkeypatch.setattr(
        "tvm_ffi_build.audit.rules.platform_tags.signature_problem",
        lambda path, _: "arm64 is not signed" if path.read_bytes() == b"unsigned" else None,
    )
    with ExitStack() as stack:

        def find(case: Case) -> list[str]:
            files = {**case.package, **dict.fromkeys(case.images, case.content), **case.files}
            lines = [f"Requires-Dist: {line}" for line in case.requires]
            path = make_wheel(files, tag=case.tag, metadata=lines, purelib=case.purelib)
            wheel = stack.enter_context(open_wheel(path))
            binaries = {name: Binary(case.form, images) for name, images in case.images.items()}
            paths = wheel.verify(tmp_path / "files", lambda name, _: name in case.images)
            read = read_libraries(wheel, tmp_path / "others")
            contents = WheelLibraries(wheel, case.platform, paths, binaries, tmp_path, read.texts, read.others)
            subject = Subject.of(contents, case.settings)
            with_facts(subject, case)
            return [finding.rule.id for finding in audit_subject(subject).findings]

        yield find


def with_facts(subject: Subject, case: Case) -> None:
    """Put what a case says of the contract where it would be worked out."""
    found = subject.assessment
    built = frozenset(case.built_with)
    needs = tuple(one._replace(recorded=case.recorded, judged_as=built) for one in found.needs)
    verdicts = {**found.verdicts, **dict.fromkeys(case.failing, Verdict(BAD, (Reason(BAD, "test", "it does"),)))}
    together = common_releases(needs, subject.ledger)
    subject.__dict__["assessment"] = found._replace(needs=needs, built_with=together, verdicts=verdicts)


@pytest.mark.parametrize(
    ("rule", "case"), BAD_WHEELS, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(BAD_WHEELS)]
)
def test_each_fault_is_found_by_its_rule_alone(findings: Callable[[Case], list[str]], rule: str, case: Case) -> None:
    assert set(findings(case)) == {rule}


@pytest.mark.parametrize("case", GOOD_WHEELS.values(), ids=GOOD_WHEELS)
def test_nothing_is_found_in_a_good_wheel(findings: Callable[[Case], list[str]], case: Case) -> None:
    assert findings(case) == []


@pytest.mark.parametrize(
    ("recorded", "found_by"),
    [
        (("0.1.15.post1", BUILT), ["R210"]),
        ((LATER, BUILT), ["R210"]),
        ((LATER, LATER), []),
        # Whose code is like that of a release which is known, as far as that tells.
        ((LATER, None), ["R209"]),
    ],
)
def test_libraries_of_different_builds(
    findings: Callable[[Case], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    recorded: tuple[str, str | None],
    found_by: list[str],
) -> None:
    """Which no case can say, since all of its libraries were built with the same."""

    def differing(subject: Subject, _: Case) -> None:
        found = subject.assessment
        needs = tuple(
            one._replace(recorded=release, judged_as=frozenset({release or BUILT}))
            for one, release in zip(found.needs, recorded)
        )
        subject.__dict__["assessment"] = found._replace(needs=needs, built_with=frozenset())

    monkeypatch.setitem(globals(), "with_facts", differing)
    assert (
        findings(linux(images={"demo/libdemo.so": (ELF,), "demo/libtwo.so": (ELF._replace(exports=()),)})) == found_by
    )


def test_a_tag_for_both_processors_is_not_too_low_for_the_one_that_has_a_runtime(
    make_wheel: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_wheel(tag="py3-none-macosx_10_9_universal2", metadata=["Requires-Dist: apache-tvm-ffi"])
    with open_wheel(path) as wheel:
        subject = Subject(path, MACOS, {}, {}, WheelLibraries(wheel, MACOS, {}, {}, tmp_path))
        (problem,) = RULES["P302"].check(subject)
    assert problem.message.endswith("has no wheels for macosx on x86_64")


def test_what_both_halves_have_in_common_is_reported_once(findings: Callable[[Case], list[str]]) -> None:
    halves = tuple(
        MACHO._replace(architecture=part, run_paths=(*MACHO.run_paths, "/opt/lib")) for part in ("x86_64", "arm64")
    )
    case = with_halves("11.0", "11.0", "macosx_11_0_universal2")
    assert findings(replace(case, images={"demo/libdemo.dylib": halves})) == ["P351"]


def test_what_needs_musl_is_not_told_to_copy_it(make_wheel: Callable[..., Path], tmp_path: Path) -> None:
    path = make_wheel(tag="py3-none-manylinux_2_28_x86_64")
    binaries = {"demo/libdemo.so": Binary("ELF", (ELF._replace(libraries=("libtvm_ffi.so", MUSL)),))}
    with open_wheel(path) as wheel:
        contents = WheelLibraries(wheel, LINUX, {}, binaries, tmp_path)
        (problem,) = RULES["P353"].check(Subject(path, LINUX, {}, binaries, contents))
    assert problem.remedy.startswith("build it on a Linux with glibc, which the runtime's wheels are for")


def test_a_wheel_that_contradicts_itself(make_wheel: Callable[..., Path]) -> None:
    path = make_wheel({"demo/__init__.py": b""}, metadata=["Requires-Dist: apache-tvm-ffi"])
    other = path.with_name(path.name.replace("linux_x86_64", "win_amd64"))
    path.rename(other)
    assert [finding.rule.id for finding in audit(other).findings] == ["C401"]


@pytest.mark.parametrize(
    ("files", "tag", "requires", "found"),
    [
        ({"demo/__init__.py": b""}, "py3-none-manylinux_2_28_x86_64", "apache-tvm-ffi", ["C417"]),
        ({"demo/data.json": b"{}"}, "py3-none-any", "apache-tvm-ffi>=0.1.9", ["C417"]),
        ({"demo/__init__.py": b""}, "cp312-cp312-win_amd64", "Apache.TVM_FFI", ["C417"]),
        # Pure Python that uses the runtime, and what has nothing to do with it.
        ({"demo/__init__.py": b""}, "py3-none-any", "apache-tvm-ffi", []),
        ({"demo/__init__.py": b""}, "py3-none-manylinux_2_28_x86_64", "numpy", []),
        ({"demo/__init__.py": b""}, "py3-none-manylinux_2_28_x86_64", "apache-tvm-ffi; extra == 'gpu'", []),
    ],
)
def test_a_wheel_without_the_library_that_it_should_have(
    make_wheel: Callable[..., Path], files: dict[str, bytes], tag: str, requires: str, found: list[str]
) -> None:
    report = audit(make_wheel(files, tag=tag, metadata=[f"Requires-Dist: {requires}"]))
    assert [finding.rule.id for finding in report.findings] == found
    assert bool(report.skipped) == (not found)


def test_a_package_is_imported_only_if_that_is_asked_for(findings: Callable[[Case], list[str]], tmp_path: Path) -> None:
    """Its tag is any platform, so that every machine runs the test; the libraries are not looked at."""
    case = linux(package={"demo/__init__.py": f"import tvm_ffi\nopen({str(tmp_path / 'ran')!r}, 'w')\n1 / 0".encode()})
    assert findings(case) == []
    assert not (tmp_path / "ran").exists()
    case = replace(case, tag="py3-none-any", settings=Settings(imports=True, ignore=("P",)))
    assert findings(case) == ["C418"]
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("mode", "system", "platform", "found"),
    [
        *((mode, 3, LINUX, True) for mode in (0o4755, 0o2755, 0o666)),
        *((mode, 3, LINUX, False) for mode in (0o755, 0)),
        (0o666, 0, LINUX, False),  # as Python stores the files of Windows
        (0o666, 3, WINDOWS, False),  # as the wheel of torch stores them
        (0o666, 3, MACOS, True),
    ],
)
def test_permissions_that_let_others_in(
    make_wheel: Callable[..., Path], tmp_path: Path, *, mode: int, system: int, platform: Platform, found: bool
) -> None:
    path, changed = make_wheel({"demo/__init__.py": b"", "demo/tool.py": b""}), tmp_path / "changed.whl"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.infolist():
            if member.filename == "demo/tool.py":
                member.external_attr, member.create_system = (stat.S_IFREG | mode) << 16, system
            target.writestr(member, source.read(member))
    changed.replace(path)
    with open_wheel(path) as wheel:
        contents = WheelLibraries(wheel, platform, {}, {}, tmp_path)
        problems = list(RULES["C421"].check(Subject(path, platform, {}, {}, contents)))
    assert [problem.file for problem in problems] == (["demo/tool.py"] if found else [])


def test_a_record_that_is_not_of_its_files(make_wheel: Callable[..., Path]) -> None:
    wheel = make_wheel({"demo/a.txt": b"x"}, row=lambda name, _: record_row(name, b"other"))
    (finding,) = audit(wheel).findings
    assert finding.rule.id == "C401"
    assert "is not what RECORD says" in finding.problem.message


def test_a_record_that_cannot_be_read(findings: Callable[[Case], list[str]], make_wheel: Callable[..., Path]) -> None:
    case = linux(files={"demo-1.0.dist-info/tvm_ffi_build.json": b"{}"})
    assert findings(case) == ["R211"]
    with pytest.raises(RecordError, match="not a build record"):
        findings(replace(case, settings=Settings(ignore=("R211",))))


def test_foreign_libraries_are_not_loaded(findings: Callable[[Case], list[str]]) -> None:
    case = replace(WINDOWS_WHEEL, files={"demo/_library.py": STUBS.encode()}, settings=Settings(load=True))
    with pytest.raises(LoadError, match="is for windows and cannot be loaded here; omit --load"):
        findings(case)


@pytest.mark.parametrize(("limit", "found_by"), [(1000, ["G509"]), (1 << 20, [])])
def test_a_wheel_that_pypi_rejects(
    findings: Callable[[Case], list[str]], monkeypatch: pytest.MonkeyPatch, limit: int, found_by: list[str]
) -> None:
    """With a limit that a test can exceed."""
    monkeypatch.setattr("tvm_ffi_build.audit.rules.gpu_code._PYPI_LIMIT", limit)
    assert findings(gpu(CURRENT)) == found_by


def test_a_name_without_end_does_not_fill_the_terminal() -> None:
    problem = Problem(f"needs {'x' * 60_000}", f"remove {'y' * 400}", evidence=("x" * 60_000,)).with_short_words()
    assert (len(problem.message), len(problem.remedy), len(problem.evidence[0])) == (249, 250, 60_000)


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _ in BAD_WHEELS} | {"C401", "C417", "C418", "C421", "R210", "P363", "G509"} == set(RULES)


def test_rules_are_what_they_should_be() -> None:
    for id_, rule in RULES.items():
        assert rule.id == id_
        assert id_[:2] in {"A1", "R2", "P3", "C4", "G5"}
        assert len(id_) == 4
        assert rule.severity in {ERROR, WARNING}
        assert rule.title == rule.title.rstrip(".")


def test_the_readme_counts_the_rules() -> None:
    assert f" {len(RULES)} rules " in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_manual_has_a_section_for_each_rule() -> None:
    text = (ROOT / "docs/reference/audit.md").read_text(encoding="utf-8")
    sections = [line[4:] for line in text.splitlines() if line.startswith("### ")]
    assert sections == [f"{rule.id}: {rule.title} ({rule.severity})" for rule in RULES.values()]

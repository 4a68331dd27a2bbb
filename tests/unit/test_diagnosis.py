"""What is made of a failed build's output. The texts are cut from real ones."""

from __future__ import annotations

import pytest

from tvm_ffi_build.errors import BuildError
from tvm_ffi_build.frontend.failure_cause import Cause, find_cause

CMAKE = """\
*** Configuring CMake...
CMake Error at /env/cmake/tvm_ffi_install.cmake:10 (message):
  tvm_ffi_install(missing): there is no target named "missing"; call
  add_library(missing SHARED ...) before it
Call Stack (most recent call first):
  CMakeLists.txt:5 (tvm_ffi_install)

*** CMake configuration failed"""

BROKEN_COMPILER = """\
CMake Error at /usr/share/cmake/Modules/CMakeTestCXXCompiler.cmake:60 (message):
  The C++ compiler

    "/opt/bad/g++"

  is not able to compile a simple test program.

  It fails with the following output:

    Change Dir: /tmp/build/CMakeFiles
Call Stack (most recent call first):"""

ABSENT_COMPILER = """\
CMake Error at /env/share/cmake-4.4/Modules/CMakeDetermineCXXCompiler.cmake:47 (message):
  Could not find the compiler specified in the environment variable CXX:

  gpp.

Call Stack (most recent call first):
  CMakeLists.txt:2 (project)


CMake Error: CMAKE_CXX_COMPILER not set, after EnableLanguage

*** CMake configuration failed"""

ABSENT_COMPILER_OF_CMAKE = """\
CMake Error at CMakeLists.txt:2 (project):
  The CMAKE_CXX_COMPILER:

    gpp

  is not a full path and was not found in the PATH.

  Tell CMake where to find the compiler by setting either the environment"""

FULL_OF_PIP = (
    "ERROR: Could not install packages due to an OSError: "
    """("Connection broken: OSError(28, 'No space left on device')", OSError(28, 'No space left on device'))"""
)

UNMET = """\
* Getting build dependencies for wheel...

ERROR Unmet dependencies (checked against /env/bin/python):
\tcmake>=3.18
\t\twanted: >=3.18
\t\tfound: not installed
\ttvm-ffi-build -> packaging>=99
\t\twanted: >=99
\t\tfound: 26.0"""

NO_CMAKE = """\
    raise CMakeNotFoundError(msg)
scikit_build_core.errors.CMakeNotFoundError: Could not find CMake with version >=3.18
error: Failed to build `/p`"""

FULL_OF_CMAKE = """\
CMake Error: file write failed (No space left on device): /tmp/build/CMakeFiles/CompilerIdC/CMakeCCompilerId.c
CMake Error: CMAKE_C_COMPILER not set, after EnableLanguage"""

OPTIONS = """\
ERROR: Unrecognized options in pyproject.toml:
  tool.scikit-build.foo -> Did you mean: tool.scikit-build.fail?

more"""

UV = """\
error: Failed to build `/p`
  cause: Failed to resolve requirements from `build-system.requires`
  cause: Because tvm-ffi-build==0.1.0 depends on scikit-build-core>=1.0
         and you require less, it fails."""

PIP = """\
The conflict is caused by:
    The user requested scikit-build-core<1
    tvm-ffi-build 0.1.0 depends on scikit-build-core>=1.0

To fix this you could try to:
ERROR: ResolutionImpossible"""

TRACEBACK = """\
Traceback (most recent call last):
  File "x.py", line 3, in f
ModuleNotFoundError: Unknown dynamic-metadata provider 'tvm-ffi-builds'; did you mean 'tvm-ffi-build'?
subprocess.CalledProcessError: Command '['python']' returned non-zero exit status 1.
ERROR Backend subprocess exited when trying to invoke build_wheel"""

UNKNOWN_ARCHITECTURE = """\
CMake Error at /cmake/Modules/CMakeTestCUDACompiler.cmake:103 (message):
  The CUDA compiler

    "/usr/bin/nvcc"

  is not able to compile a simple test program.

  It fails with the following output:

    [1/2] Building CUDA object CMakeFiles/cmTC_d71b7.dir/main.cu.o
    nvcc fatal   : Unsupported gpu architecture 'compute_12'
"""

# The second line is long in nvcc's output too.
TOO_OLD = """\
    In file included from <command-line>:
    /cuda/include/crt/host_config.h:148:2: error: #error -- unsupported GNU version! \
gcc versions later than 15 are not supported! \
The nvcc flag '-allow-unsupported-compiler' can be used to override this version check; \
however, using an unsupported host compiler may cause compilation failure.
      148 | #error -- unsupported GNU version! gcc versions later than 15 are not supported! The nvcc flag"""

GCC_TEMPLATE = """\
/r/any.h: In instantiation of 'int Call() [with Type = Mutex]':
/r/any.h:40:1:   required from 'void Outer() [with Type = Mutex]'
../src/kernels.cc:4:1:   required from here
/r/any.h:218:27: error: static assertion failed: not supported
/r/any.h:218:27: note: it evaluates to false
/r/any.h:52:40:   required from 'void Other()'
../src/kernels.cc:9:1:   required from here
/r/any.h:582:64: error: 'TypeStr' is not a member"""

CLANG_TEMPLATE = """\
/r/any.h:218:17: error: static assertion failed: not supported
/r/any.h:52:39: note: in instantiation of member function 'Type2Str<Mutex>::v' requested here
../src/kernels.cc:4:1: note: in instantiation of function template specialization 'call<Mutex>' requested here
/r/any.h:1026:3: note: expanded from macro 'EXPORT'
/r/any.h:582:57: error: no member named 'TypeStr'
../src/kernels.cc:9:1: note: in instantiation of member function 'other' requested here"""

SETUPTOOLS = """\
running build_cmake
error: wheel.py_api is not supported in setuptools mode, use bdist_wheel options instead
error: Failed to build `/p`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)"""

FULL = "no space left on device; free some space, or choose other directories with TMPDIR and -w"
MORE = "; run it again with -v"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            CMAKE,
            (
                'tvm_ffi_install(missing): there is no target named "missing"; '
                "call add_library(missing SHARED ...) before it"
            ),
        ),
        ("OSError: [Errno 28] No space left on device", FULL),
        ("error: There is not enough space on the disk. (os error 112)", FULL),
        ('a.cc:3:5: error: no\n    3 | throw E("No space left on device");', "a.cc:3:5: error: no"),
        ("CMake Error: Could not find CMAKE_ROOT !!!\nmore", "Could not find CMAKE_ROOT !!!"),
        (
            "CMake Error at CMakeLists.txt:7 (add_library):\n  Cannot find source file:\n\n    kernels.cc\n\n\nmore",
            "CMakeLists.txt:7: Cannot find source file: kernels.cc",
        ),
        (
            (
                "CMake Error at CMakeLists.txt:4 (tvm_ffi_configure_target):\n"
                '  Unknown CMake command "tvm_ffi_configure_target".\n'
            ),
            (
                'CMakeLists.txt:4: Unknown CMake command "tvm_ffi_configure_target". '
                "Call find_package(tvm_ffi CONFIG REQUIRED) before it."
            ),
        ),
        (
            BROKEN_COMPILER,
            (
                'the C++ compiler "/opt/bad/g++" cannot compile a simple program; '
                f"check CC, CXX, CFLAGS, CXXFLAGS and LDFLAGS{MORE}"
            ),
        ),
        (
            "x\ntvm-ffi-build: error: apache-tvm-ffi is not installed; run: a\ny",
            "apache-tvm-ffi is not installed; run: a",
        ),
        (
            "CMake Error at a:1 (message):\n  tvm-ffi-build: error: libx.so calls into\n  CPython\n",
            "libx.so calls into CPython",
        ),
        (
            "  No CMAKE_CXX_COMPILER could be found.",
            "no C++ compiler was found; install one (on Debian: apt-get install g++), or name it in CXX",
        ),
        (
            "CMake Error: CMAKE_C_COMPILER not set, after",
            "no C compiler was found; install one (on Debian: apt-get install g++), or name it in CC",
        ),
        (
            "-- x\n/tmp/a.cc:3:10: fatal error: none.h: No such file",
            "/tmp/a.cc:3:10: fatal error: none.h: No such file",
        ),
        ("cc1plus: error: -Werror=foo: no option", "cc1plus: error: -Werror=foo: no option"),
        (
            "/usr/bin/ld: warning: x\n/usr/bin/ld: cannot find -lnosuchlib: No such file",
            "/usr/bin/ld: cannot find -lnosuchlib: No such file",
        ),
        (
            "a.cc:(.text+0x5): undefined reference to `f()'\ncollect2: error",
            "a.cc:(.text+0x5): undefined reference to `f()'",
        ),
        ("ERROR: No matching distribution found for x\nERROR: Failed to build", "No matching distribution found for x"),
        (
            OPTIONS,
            "Unrecognized options in pyproject.toml: tool.scikit-build.foo -> Did you mean: tool.scikit-build.fail?",
        ),
        (UV, "Because tvm-ffi-build==0.1.0 depends on scikit-build-core>=1.0 and you require less, it fails."),
        (PIP, "The user requested scikit-build-core<1; tvm-ffi-build 0.1.0 depends on scikit-build-core>=1.0"),
        (
            TRACEBACK,
            (
                "ModuleNotFoundError: Unknown dynamic-metadata provider 'tvm-ffi-builds'; "
                f"did you mean 'tvm-ffi-build'?{MORE}"
            ),
        ),
        (
            "  cause: Call to `x.build_wheel` failed (exit status: 1)",
            f"Call to `x.build_wheel` failed (exit status: 1){MORE}",
        ),
        (
            UNKNOWN_ARCHITECTURE,
            (
                "nvcc knows no architecture 12; write one into CMAKE_CUDA_ARCHITECTURES "
                "that nvcc --list-gpu-arch names, or install a nvcc that knows it"
            ),
        ),
        (
            TOO_OLD,
            (
                "nvcc is too old for the C++ compiler (gcc versions later than 15 are not supported); "
                "name an older compiler in CUDAHOSTCXX, or install a newer nvcc"
            ),
        ),
        ("FAILED: a.o\nnvcc fatal   : Option '--cubin' is not allowed", f"nvcc: Option '--cubin' is not allowed{MORE}"),
        (
            "/usr/bin/ld: cannot find -lcuda: No such file or directory",
            "libcuda was not found by the linker; install CUDA's stub of it (the package cuda-driver-dev)",
        ),
        ("/usr/bin/ld: cannot find -lcudart: No such file", "/usr/bin/ld: cannot find -lcudart: No such file"),
        (
            '../meson.build:5:10: ERROR: Dependency "tvm_ffi" not found (tried cmake)',
            (
                'meson.build:5:10: Dependency "tvm_ffi" not found (tried cmake); '
                'add "cmake" to build-system.requires, and pass to cmake_module_path and cmake_args of dependency() '
                "what python -m tvm_ffi_build.config --cmakedir prints"
            ),
        ),
        ("../src/meson.build:1:0: ERROR: Unknown variable", "src/meson.build:1:0: Unknown variable"),
        (SETUPTOOLS, "wheel.py_api is not supported in setuptools mode, use bdist_wheel options instead"),
        *(
            (
                said,
                (
                    "a library is to export core_twise and does not define it; correct the name in EXPORT of "
                    "tvm_ffi_configure_target, or compile its source into the target"
                ),
            )
            for said in (
                "x\nlld-link: error: <root>: undefined symbol: core_twise\nninja: build stopped: it failed",
                "core.exp : error LNK2001: unresolved external symbol core_twise\ncore.dll : fatal error LNK1120: 1",
                "/usr/bin/x86_64-w64-mingw32-ld: Cannot export core_twise: symbol not defined\ncollect2: error",
            )
        ),
        ("error: Cannot start\n  cause: It is not there", "It is not there"),
        (
            "ninja: error: Makefile:5: expected '=', got identifier",
            "the build directory was created with another generator than Ninja; delete it",
        ),
        ("something\nlast words\n\n", f"last words{MORE}"),
        ("", f"it said nothing{MORE}"),
    ],
)
def test_the_cause_is_one_line(text: str, expected: str) -> None:
    assert str(BuildError(*find_cause(text.split("\n")))) == expected


@pytest.mark.parametrize("said", [GCC_TEMPLATE, CLANG_TEMPLATE])
def test_an_error_in_a_template_names_the_line_that_asked_for_it(said: str) -> None:
    what, remedy = find_cause(said.splitlines())
    assert what.endswith("error: static assertion failed: not supported; asked for at ../src/kernels.cc:4:1")
    assert remedy == ""


def test_the_line_that_the_provider_needs_is_told() -> None:
    said = "KeyError: \"'dependencies' must be listed in project.dynamic to be set\""
    assert find_cause([said]) == Cause(
        "the runtime is added to the dependencies", 'write dynamic = ["dependencies"] in [project]'
    )


def test_the_packages_name_as_others_write_it() -> None:
    said = [
        "CMake Error at CMakeLists.txt:3 (find_package):",
        '  Could not find a package configuration file provided by "tvm-ffi" with',
        "  any of the following names:",
    ]
    assert find_cause(said) == Cause(
        "CMakeLists.txt:3: this CMake package does not exist", "write find_package(tvm_ffi CONFIG REQUIRED)"
    )


@pytest.mark.parametrize(
    ("output", "what", "remedy"),
    [
        (ABSENT_COMPILER, "CXX names gpp, and there is no such program", "correct CXX, or unset it"),
        (ABSENT_COMPILER_OF_CMAKE, "CMAKE_CXX_COMPILER names gpp, and there is no such program", "correct it"),
        (
            UNMET,
            "this environment lacks what the build requires: cmake>=3.18, packaging>=99",
            "-m pip install 'cmake>=3.18' 'packaging>=99', or leave out --no-isolation",
        ),
        (NO_CMAKE, "this environment lacks what the build requires: cmake>=3.18", "-m pip install 'cmake>=3.18'"),
        (FULL_OF_CMAKE, "no space left on device", "free some space"),
        (FULL_OF_PIP, "no space left on device", "free some space"),
    ],
    ids=["CXX", "CMAKE_CXX_COMPILER", "unmet", "no CMake", "full", "full while pip downloads"],
)
def test_the_cause_and_not_what_follows_from_it(
    monkeypatch: pytest.MonkeyPatch, output: str, what: str, remedy: str
) -> None:
    monkeypatch.setenv("CXX", "gpp")
    found = find_cause(output.splitlines())
    assert found.what == what
    assert remedy in found.remedy


def test_a_compiler_that_only_cpython_was_built_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """scikit-build-core sets CXX to it, which the user has not."""
    monkeypatch.delenv("CXX", raising=False)
    assert find_cause(ABSENT_COMPILER.splitlines()).what == "no C++ compiler was found"

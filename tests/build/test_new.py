"""What ``tvm-ffi-build new`` makes, all the way: built, tested, edited, packed, and used elsewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.new_project.names import _C_TAKEN

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.environments import Environment

QUIET = ("-q", "-p", "no:cacheprovider")
GENERATED = {f"python/my_kernels/{name}" for name in ("__init__.py", "_ffi_api.py", "_library.py", "_objects.pyi")}
THIS_PYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture
def new(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes a project of a kind, with all of it known to git."""

    def make(kind: str) -> Path:
        project = tmp_path / "my-kernels"
        run(sys.executable, "-m", "tvm_ffi_build", "new", "my-kernels", "--template", kind, cwd=tmp_path)
        git(project, "init", "--quiet")
        git(project, "add", "--all")
        return project

    return make


@pytest.fixture
def builder(equipped: Environment) -> Environment:
    """Return an environment with all that a build and the checks need, so that none is made for them."""
    equipped.install("nanobind", "mypy")
    return equipped


def git(project: Path, *arguments: str) -> str:
    return run("git", "-C", project, *arguments).stdout


def not_in_git(project: Path) -> set[str]:
    lines = git(project, "status", "--porcelain", "--untracked-files=all").splitlines()
    return {line[3:] for line in lines if line[1] != " "}


def edit(path: Path, old: str, new_text: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new_text), encoding="utf-8")


def install_editable(builder: Environment, project: Path, *settings: str) -> str:
    """Install a project for development, and return what the build said."""
    command = ("uv", "pip", "install", "--verbose", "--python", builder.python, "--no-build-isolation", "--no-deps")
    return run(*command, *settings, "-e", ".", cwd=project).stderr


def passed(out: str) -> int:
    match = re.search(r"^(?:=+ )?(\d+) passed(, 1 skipped)? in", out, re.MULTILINE)
    assert match, out
    return int(match[1])


def goes_all_the_way(project: Path, builder: Environment, elsewhere: Environment, tag: str) -> None:
    """Check that a project can be worked on in one environment, and its wheel be used in another."""
    install_editable(builder, project)
    count = passed(builder.run("-m", "pytest", *QUIET, cwd=project))
    assert count >= 3
    assert builder.run("-m", "mypy", "--no-incremental", cwd=project).startswith("Success")
    # What was written is to be committed, and the next build writes the same.
    assert "python/my_kernels/_library.py" in not_in_git(project) <= GENERATED
    git(project, "add", "--all")
    assert f"-{tag}-manylinux" in builder.run("-m", "tvm_ffi_build", "wheel", "--no-isolation", cwd=project)
    assert not_in_git(project) == set()
    (wheel,) = (project / "dist").iterdir()
    assert "clean" in builder.run("-m", "tvm_ffi_build", "audit", "--strict", wheel, cwd=project)

    elsewhere.install(wheel, "numpy", "pytest")
    tests = shutil.copytree(project / "tests", elsewhere.path / "tests")
    assert passed(elsewhere.run("-m", "pytest", *QUIET, tests)) == count


def test_a_project_goes_all_the_way(new: Callable[[str], Path], builder: Environment, environment: Environment) -> None:
    goes_all_the_way(new("cpp"), builder, environment, "py3-none")


HEADERS = (
    "unistd.h cmath cstdlib cstdio ctime cstring cerrno csignal fcntl.h sys/socket.h sys/stat.h sys/times.h sys/wait.h"
)


def test_the_names_that_are_refused_for_c_are_no_namespaces_there(tmp_path: Path) -> None:
    """A line for each; for two of them the standard says so, and the compiler does not."""
    names = sorted(_C_TAKEN - {"posix", "std"})
    lines = [f"#include <{header}>" for header in HEADERS.split()] + [
        f"namespace {name} {{ int f(); }}" for name in names
    ]
    (tmp_path / "names.cc").write_text("\n".join([*lines, "namespace quantize { int f(); }", ""]), encoding="utf-8")
    done = run("c++", "-std=gnu++17", "-fsyntax-only", "-fmax-errors=0", tmp_path / "names.cc", ok=False)
    wrong = {int(number) for number in re.findall(r"names\.cc:(\d+):\d+: error", done.stderr)}
    assert wrong == {number for number, line in enumerate(lines, 1) if line.startswith("namespace")}


def test_the_templates_come_with_the_wheel(
    own_wheels: Path, environment: Environment, new: Callable[[str], Path]
) -> None:
    (wheel,) = own_wheels.glob("*.whl")
    environment.install(f"{wheel}[new]")
    environment.run("-m", "tvm_ffi_build", "new", "my-kernels", "--path", "from-the-wheel", "-q")

    def contents(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    assert contents(environment.path / "from-the-wheel") == contents(new("cpp"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["c", "cuda", "header-only", "mixed"])
def test_others_do_too(new: Callable[[str], Path], builder: Environment, environment: Environment, kind: str) -> None:
    goes_all_the_way(new(kind), builder, environment, f"{THIS_PYTHON}-{THIS_PYTHON}" if kind == "mixed" else "py3-none")


@pytest.mark.slow
@pytest.mark.parametrize("program", ["uv", "pip"])
def test_the_readmes_loop(new: Callable[[str], Path], environment: Environment, own_wheels: Path, program: str) -> None:
    """As it is typed from there, with isolated builds: run, edit, run again."""
    project = new("cpp")
    readme = (project / "README.md").read_text(encoding="utf-8")
    start = {"uv": "uv run", "pip": "python -m pip install"}[program]
    (command,) = re.findall(rf"^({start} .*)$", readme, re.MULTILINE)
    path = f"{environment.path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = {
        **os.environ,
        "PATH": path,
        "UV_FIND_LINKS": str(own_wheels),
        "PIP_FIND_LINKS": str(own_wheels),
        "UV_CACHE_DIR": str(environment.path / "cache"),
        "UV_PYTHON": sys.executable,
    }
    env.pop("VIRTUAL_ENV", None)
    if program == "pip":
        environment.install("pip>=25.1")
    assert passed(run("bash", "-c", command, cwd=project, env=env).stdout) == 6
    edit(project / "src/my_kernels.cc", "*= static_cast<float>(factor)", "*= 2 * static_cast<float>(factor)")
    done = run("bash", "-c", command, cwd=project, env=env, ok=False)
    assert "FAILED tests/test_my_kernels.py::test_scale_works_in_place_and_obeys_strides" in done.stdout
    assert re.search(r"\b1 failed, 5 passed in", done.stdout)


@pytest.mark.slow
def test_an_edit_of_what_is_exported_changes_the_stubs(new: Callable[[str], Path], builder: Environment) -> None:
    project = new("cpp")
    install_editable(builder, project)
    edit(project / "src/my_kernels.cc", "my_kernels.normalized", "my_kernels.to_one")
    edit(project / "tests/test_my_kernels.py", "my_kernels.normalized([1, 3])", "my_kernels.to_one('13')")
    install_editable(builder, project)
    assert '"to_one",' in (project / "python/my_kernels/__init__.py").read_text(encoding="utf-8")
    out = builder.run("-m", "mypy", "--no-incremental", cwd=project, ok=False)
    assert 'Module has no attribute "normalized"' in out
    assert 'Argument 1 to "to_one" has incompatible type "str"; expected "Sequence[float]"' in out


# ---- CUDA --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def nvcc(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return CUDA's compiler, installed as the recipe of the template does it for cibuildwheel's containers."""
    recipe = (ROOT / "templates/cuda/pyproject.toml.jinja").read_text(encoding="utf-8")
    added = re.sub(r"\{%.*?%\}", "", recipe.partition("cibuildwheel_more %}")[2])
    linux = tomllib.loads(added)["tool"]["cibuildwheel"]["linux"]

    def fill(folder: Path) -> None:
        command = shlex.split(linux["before-all"].replace("/opt/cuda", str(folder)))
        run(sys.executable, *command[1:])

    folder = once("cuda", fill)
    return Path(linux["environment"]["CUDACXX"].replace("/opt/cuda", str(folder)))


@pytest.mark.slow
def test_without_nvcc_the_library_is_one_for_the_cpu_and_the_build_says_so(
    new: Callable[[str], Path], builder: Environment
) -> None:
    project = new("cuda")
    said = install_editable(builder, project, "-C", "cmake.define.CMAKE_CUDA_COMPILER=NOTFOUND")
    assert "my_kernels is built only for the CPU: nvcc was not found" in said
    assert builder.run("-c", "import my_kernels; print(my_kernels.has_cuda())") == "False\n"
    assert passed(builder.run("-m", "pytest", *QUIET, cwd=project)) == 3
    assert "RuntimeError: scale: this library was built without CUDA" in builder.run("-c", ON_A_DEVICE, ok=False)


# A tensor that says it is on a GPU. Its memory is the host's.
ON_A_DEVICE = """
import ctypes, sys
import numpy as np, tvm_ffi
import my_kernels

class Device(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]

class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", Device), ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8),
                ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16), ("shape", ctypes.c_void_p),
                ("strides", ctypes.c_void_p), ("offset", ctypes.c_uint64), ("context", ctypes.c_void_p),
                ("deleter", ctypes.c_void_p)]

def on_device(array, number):
    shape, strides = (ctypes.c_int64 * 1)(array.size), (ctypes.c_int64 * 1)(array.strides[0] // 4)
    made = Tensor(array.ctypes.data, Device(2, number), 1, 2, 32, 1, ctypes.addressof(shape), ctypes.addressof(strides))
    ctypes.pythonapi.PyCapsule_New.restype = ctypes.py_object
    capsule = ctypes.pythonapi.PyCapsule_New(ctypes.byref(made), b"dltensor", None)
    kept.append((array, shape, strides, made))
    class Speaker:
        def __dlpack__(self, **options): return capsule
        def __dlpack_device__(self): return (2, number)
    return Speaker()

kept = []
x = np.arange(6, dtype=np.float32)
for _ in range(2):
    my_kernels.scale(on_device(x[::2], 3), 10)
print(x.tolist())
"""

# The driver functions that the library calls, as cuda.h declares them; the "launch" computes what the kernel does.
DRIVER = r"""
#include <cuda.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>

static int current = 0;
static void say(const char* what, long long number) { printf("%s %lld\n", what, number); fflush(stdout); }

CUresult cuInit(unsigned int flags) { say("init", flags); return CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice* device, int ordinal) { *device = ordinal + 100; return CUDA_SUCCESS; }
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  if (getenv("OUT_OF_MEMORY")) return CUDA_ERROR_OUT_OF_MEMORY;
  *context = reinterpret_cast<CUcontext>(static_cast<size_t>(device));
  say("retain", device);
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease(CUdevice device) { say("release", device); return CUDA_SUCCESS; }
CUresult cuCtxPushCurrent(CUcontext context) {
  current = static_cast<int>(reinterpret_cast<size_t>(context));
  return CUDA_SUCCESS;
}
CUresult cuCtxPopCurrent(CUcontext* context) {
  *context = reinterpret_cast<CUcontext>(static_cast<size_t>(current));
  current = 0;
  return CUDA_SUCCESS;
}
CUresult cuLibraryLoadData(CUlibrary* library, const void* code, CUjit_option*, void**, unsigned int jit,
                           CUlibraryOption*, void**, unsigned int options) {
  unsigned int magic;
  memcpy(&magic, code, 4);
  say("load", magic == 0xBA55ED50 && jit == 0 && options == 0);  // a fatbin
  *library = reinterpret_cast<CUlibrary>(0x1000);
  return CUDA_SUCCESS;
}
CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
  say(name, reinterpret_cast<size_t>(library));
  *kernel = reinterpret_cast<CUkernel>(0x2000);
  return CUDA_SUCCESS;
}
CUresult cuLaunchKernel(CUfunction function, unsigned int x, unsigned int y, unsigned int z, unsigned int threads,
                        unsigned int block_y, unsigned int block_z, unsigned int shared, CUstream stream,
                        void** arguments, void** extra) {
  if (reinterpret_cast<size_t>(function) != 0x2000 || current == 0 || extra != nullptr) return CUDA_ERROR_INVALID_VALUE;
  say("launch on", current);
  say("threads", static_cast<long long>(x) * y * z * threads * block_y * block_z + shared);
  float* data = *static_cast<float**>(arguments[0]);
  long long count = *static_cast<long long*>(arguments[1]), stride = *static_cast<long long*>(arguments[2]);
  float factor = *static_cast<float*>(arguments[3]);
  for (long long i = 0; i < count; ++i) data[i * stride] *= factor;
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult error, const char** name) {
  *name = error == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "other";
  return CUDA_SUCCESS;
}
"""


@pytest.mark.slow
def test_the_kernel_is_launched_through_the_driver(
    new: Callable[[str], Path], builder: Environment, nvcc: Path, tmp_path: Path
) -> None:
    """Without a GPU: a driver that records its calls, with functions as CUDA's header declares them."""
    project = new("cuda")
    said = install_editable(builder, project, "-C", f"cmake.define.CMAKE_CUDA_COMPILER={nvcc}")
    assert "only for the CPU" not in said
    assert builder.run("-c", "import my_kernels; print(my_kernels.has_cuda())") == "True\n"
    assert "RuntimeError: the CUDA driver was not found: libcuda.so.1" in builder.run("-c", ON_A_DEVICE, ok=False)

    (tmp_path / "driver.cc").write_text(DRIVER, encoding="utf-8")
    (tmp_path / "driver").mkdir()
    (include,) = nvcc.parent.parent.glob("include")
    run("c++", "-shared", "-fPIC", f"-I{include}", tmp_path / "driver.cc", "-o", tmp_path / "driver/libcuda.so.1")
    env = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path / "driver")}
    once_a_launch = ["retain 103", "launch on 103", "threads 256", "release 103"]
    assert builder.run("-c", ON_A_DEVICE, env=env).splitlines() == [
        "init 0",
        "load 1",
        "scale 4096",
        *once_a_launch,
        *once_a_launch,
        "[0.0, 1.0, 200.0, 3.0, 400.0, 5.0]",
    ]
    out = builder.run("-c", ON_A_DEVICE, env={**env, "OUT_OF_MEMORY": "1"}, ok=False)
    assert "RuntimeError: CUDA: CUDA_ERROR_OUT_OF_MEMORY (2)" in out

"""Stubs of real libraries: what type checkers report, whether they are true at run time, and the step of the build."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from interpreters import unpack_for_aarch64
from support.commands import run_command
from support.downloads import install_to
from support.errors import read_error
from support.processes import build_configured, command_line, run
from support.project import EXAMPLE, ROOT

from tvm_ffi_build.config import cmake_dir
from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from support.environments import Environment

    Configure = Callable[..., subprocess.CompletedProcess[str]]


def stubgen(*arguments: str | Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
    return run_command("stubgen", *arguments, ok=ok)


CONSUMER = """
import numpy as np
import tvm_ffi
import zoo
from zoo import nodes, same, young
from zoo.sub import deeper, up

dog = zoo.Dog()
puppy = young.Puppy()
kitten = young.Kitten()
cage = zoo.Cage()
array = np.ones(3, np.float32)
tensor = tvm_ffi.from_dlpack(array)

numbers: list[int] = [
    zoo.area(2, 3), zoo.int(4), zoo.view(array, None), zoo.view(array, tensor), zoo.many_01(1, 2, 3, 4, 5, 6, 7, 8),
    zoo.ManyInits(3).add(4), zoo.ManyInits.twice(2), zoo.list().count(), zoo.list().int, zoo.Keepers().age,
    nodes.N01().get(), nodes.N16().value, dog.legs, same.int_(3), zoo.LIB.exported(1), zoo.Options(1).count,
    deeper.one(),
]
texts: list[str] = [
    zoo.str("a"), zoo.apply(lambda number: "x" * number, 2), dog.speak(2), dog.name, zoo.ManyInits("a").add("b"),
    zoo.ManyInits.twice("c"), same.str_("d"), same.std_string("e"),
    zoo.Options(1, 2, 3.0, mode="slow", strict=False).mode,
]
animals: list[zoo.Animal] = [dog, puppy, kitten, up(puppy), same.animal(dog), same.dog(puppy), deeper.two(puppy)]
zoo.nothing()
zoo.packed(1, "a", None)
zoo.LIB.fill(array, 2.0)
dog.friend = puppy
dog.friend = None
dog.weight = 2
puppy.is_asleep = True
toys = kitten.toys
toy: int | None = toys[0]["ball"] if len(toys) else None
label: tuple[int, str] = cage.label
cage.anything = 1
cage.number = "five"
sizes: int = sum(cage.sizes)
shaped: tuple[int, str, float | None] = same.tuple3((1, "a", None))
mapped: int = same.map({"a": 1})["a"]
nested = same.nested({"a": [(1, dog), None]})
callback: int = same.callback(lambda number, text: number + len(text))(1, "a")
maybe: int | None = same.opt_int(None)
either = same.variant([1, 2])
raw: bytes = same.bytes_(bytearray(b"a"))
kind: tvm_ffi.dtype = same.dtype("float32")
place: tvm_ffi.Device = same.device("cpu")
back: tvm_ffi.Tensor = same.tensor(array)
"""

# Each of these is wrong, and nothing else is.
WRONG = """
zoo.area("2", 3)
zoo.area(2)
zoo.area(2, 3, 4)
zoo.area(width=2, height=3)
zoo.nothing(1)
zoo.int("4")
zoo.view(3, None)
zoo.view(None, None)
zoo.apply(lambda number: number, 2)
zoo.apply(None, 2)
dog.legs = 5
dog.weight = "heavy"
dog.friend = cage
dog.speak("loud")
dog.no_such
young.Puppy(1)
zoo.Options()
zoo.Options(1, 2, 3.0, "slow")
zoo.Options(1, mode=3)
zoo.ManyInits(1.5)
zoo.ManyInits.twice(None)
same.array_int([1, "2"])
same.map({1: 1})
same.opt_int("a")
same.animal(cage)
same.tuple3((1, "a"))
same.callback(lambda number: number)
zoo.LIB.exported("1")
zoo.LIB.fill(array)
nodes.N99()
"""


@pytest.fixture(scope="session")
def checked(once: Callable[[str, Callable[[Path], None]], Path], zoo: Path) -> Path:
    """Return a folder with code that uses the zoo rightly, and wrongly, and what type checkers say of it and the zoo.

    Most of a checker's time goes to numpy and the runtime, so each runs once.
    """

    def fill(folder: Path) -> None:
        (folder / "consumer.py").write_text(CONSUMER, encoding="utf-8")
        (folder / "wrong.py").write_text(CONSUMER + "\n# wrong\n" + WRONG, encoding="utf-8")
        # pyright looks at nothing outside of this folder.
        package = Path(shutil.copytree(zoo / "python", folder / "python"))
        (folder / "pyrightconfig.json").write_text(
            '{"typeCheckingMode": "strict", "extraPaths": ["python"]}', encoding="utf-8"
        )
        said = mypy(folder, "consumer.py", "wrong.py", package / "zoo", path=package)
        (folder / "mypy.txt").write_text(said, encoding="utf-8")
        (folder / "pyright.json").write_text(pyright(folder, "--outputjson"), encoding="utf-8")

    return once("checked", fill)


def errors(checked: Path, checker: str) -> set[tuple[str, int]]:
    """Return the files and lines that a type checker does not like."""
    if checker == "mypy":
        said = (checked / "mypy.txt").read_text(encoding="utf-8")
        return {(name, int(line)) for name, line in re.findall(r"^(.+?):(\d+): error", said, re.MULTILINE)}
    found = json.loads((checked / "pyright.json").read_text(encoding="utf-8"))["generalDiagnostics"]
    return {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in found}


def mypy(folder: Path, *paths: str | Path, **options: object) -> str:
    env = {**os.environ, "MYPYPATH": os.fspath(options.pop("path", folder))}  # type: ignore[call-overload]
    return run(
        *command_line(
            "{python} -m mypy --strict --no-error-summary --cache-dir {cache} --no-incremental",
            python=sys.executable,
            cache=folder / "cache",
        ),
        *paths,
        ok=False,
        cwd=folder,
        env=env,
    ).stdout


def pyright(folder: Path, *arguments: str) -> str:
    command: tuple[str | Path, ...] = (
        Path(sys.executable).with_name("pyright"),
        "--pythonpath",
        sys.executable,
        *arguments,
    )
    return run(*command, ok=False, cwd=folder).stdout


def test_the_zoo_is_as_large_as_it_should_be(zoo: Path) -> None:
    registry = json.loads(stubgen("--json", "--dlls", zoo / "build/libzoo.so").stdout)
    assert len([name for name in registry["functions"] if name.startswith("zoo.")]) >= 60
    assert len([key for key in registry["types"] if key.startswith("zoo.")]) >= 25


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_package_and_what_uses_it_rightly_have_no_errors(checked: Path, checker: str) -> None:
    assert {name for name, _ in errors(checked, checker)} == {"wrong.py"}
    if checker == "pyright":
        read = json.loads((checked / "pyright.json").read_text(encoding="utf-8"))["summary"]["filesAnalyzed"]
        assert read == len([*checked.rglob("*.py")]) > 10


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_each_wrong_use_is_an_error(checked: Path, checker: str) -> None:
    text = (checked / "wrong.py").read_text(encoding="utf-8").splitlines()
    first = text.index("# wrong") + 1
    wrong = {number for number, line in enumerate(text, 1) if number > first and line}
    assert len(wrong) >= 20
    assert {line for name, line in errors(checked, checker) if name == "wrong.py"} == wrong


def test_what_uses_it_rightly_runs(zoo: Path, checked: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(zoo / "python")}
    run(sys.executable, checked / "consumer.py", env=env)


def test_what_is_wrong_for_the_checkers_is_wrong_at_run_time(zoo: Path, tmp_path: Path) -> None:
    """With three exceptions: a wrong callback fails only when it is called, and any attribute can be set."""
    only_when_called = {"zoo.apply(None, 2)", "same.callback(lambda number: number)", "dog.no_such"}
    lines = [line for line in WRONG.split("\n") if line and line not in only_when_called]
    code = f"""{CONSUMER}
accepted = []
for line in {lines!r}:
    try:
        exec(line)
    except (TypeError, ValueError, AttributeError):
        continue
    accepted.append(line)
print(accepted)
"""
    (tmp_path / "wrong.py").write_text(code, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(zoo / "python")}
    assert run(sys.executable, tmp_path / "wrong.py", env=env).stdout == "[]\n"


def test_the_stubs_are_true_at_run_time(zoo: Path) -> None:
    """What a stub defines is there; what is there and can have a name is in the stub."""
    code = """
import importlib, inspect, json, sys
import tvm_ffi
seen = {}
for prefix in sys.argv[1:]:
    module = importlib.import_module(prefix + "._ffi_api")
    for name in module.__all__:
        value = getattr(module, name)
        own = sorted(set(dir(value)) - set(dir(tvm_ffi.Object)))
        seen[prefix + "." + name] = own if inspect.isclass(value) else "call"
print(json.dumps(seen))
"""
    prefixes = ["zoo", "zoo.same", "zoo.nodes", "zoo.young", "zoo.sub", "zoo.sub.deeper"]
    env = {**os.environ, "PYTHONPATH": str(zoo / "python")}
    seen = json.loads(run(sys.executable, "-c", code, *prefixes, env=env).stdout)
    for prefix in prefixes:
        tree = ast.parse((zoo / "python" / prefix.replace(".", "/") / "_ffi_api.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name != "SupportsDLPack":
                parents = [base.id for base in node.bases if isinstance(base, ast.Name)]
                own = {part.name for part in ast.walk(node) if isinstance(part, ast.FunctionDef)}
                own |= {
                    part.target.id
                    for part in node.body
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
                }
                there = set(seen[f"{prefix}.{node.name}"])
                assert own - {"__init__"} <= there
                there_itself = {name for name in there if not name.startswith("__")}
                assert own - {"__init__"} <= there_itself
                if parents == ["_ffi_Object"]:
                    assert {name for name in there if not name.startswith("__")} - {"from", "lambda"} == own - {
                        "__init__"
                    }
    assert seen["zoo.area"] == "call"


def test_they_are_up_to_date_and_the_same_from_a_snapshot(zoo: Path, tmp_path: Path) -> None:
    library = zoo / "build/libzoo.so"
    done = stubgen(zoo / "python", "--dlls", library, "--check")
    assert (done.returncode, done.stdout) == (0, "")
    (tmp_path / "snapshot.json").write_text(stubgen("--json", "--dlls", library).stdout, encoding="utf-8")
    assert str(tmp_path) not in (tmp_path / "snapshot.json").read_text(encoding="utf-8")
    stubgen(
        tmp_path / "python",
        *command_line(
            "--snapshot {snapshot} --init-pypkg zoo --init-lib zoo --init-prefix zoo.",
            snapshot=tmp_path / "snapshot.json",
        ),
    )
    for path in (zoo / "python/zoo").rglob("*.py"):
        assert (tmp_path / "python" / path.relative_to(zoo / "python")).read_bytes() == path.read_bytes()


def test_the_examples_stubs_are_up_to_date(example_wheel: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(example_wheel, tmp_path, "zip")
    library = tmp_path / "my_ffi_extension/libmy_ffi_extension.so"
    assert stubgen(EXAMPLE / "python", "--dlls", library, "--check").stdout == ""


def test_what_was_begun_by_the_runtimes_tool_goes_on_with_this_one(zoo: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "python"
    theirs.mkdir()
    run(
        *command_line(
            "{python} -m tvm_ffi.stub.cli {theirs} --dlls {libzoo} --init-pypkg zoo --init-lib zoo "
            "--init-prefix zoo.nodes.",
            python=sys.executable,
            theirs=theirs,
            libzoo=zoo / "build/libzoo.so",
        ),
        cwd=tmp_path,
    )
    before = {path: path.read_text(encoding="utf-8") for path in theirs.rglob("*.py")}
    assert before
    stubgen(theirs, "--dlls", zoo / "build/libzoo.so")
    for path, text in before.items():
        now = path.read_text(encoding="utf-8")

        def outside(text: str) -> str:
            return re.sub(r"(stubgen\(begin\).*\n)(?:.*\n)*?(\s*# tvm-ffi-stubgen\(end\))", r"\1\2", text)

        assert outside(now) == outside(text)
    api = (theirs / "zoo/nodes/_ffi_api.py").read_text(encoding="utf-8")
    assert "        def __init__(self, /) -> None: ...\n        def get(self, /) -> int: ...\n" in api


def annotations_of(path: Path) -> dict[str, str]:
    """Return the types of parameters, results and fields in a file, by where they are."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
            parameters = [ast.unparse(arg.annotation) for arg in node.args.posonlyargs if arg.annotation]
            found[f"{node.name}()"] = f"{parameters} -> {ast.unparse(node.returns) if node.returns else None}"
        elif isinstance(node, ast.AnnAssign):
            found[ast.unparse(node.target)] = ast.unparse(node.annotation)
    return found


@pytest.mark.parametrize("last", ["Callable", "None"])  # of which only callbacks have the other
def test_types_are_mapped_as_the_runtimes_tool_maps_them(zoo: Path, tmp_path: Path, last: str) -> None:
    origins = [
        "Any",
        "int",
        "bool",
        "float",
        "str",
        "bytes",
        "Device",
        "dtype",
        "Tensor",
        "Object",
        "Array",
        "List",
        "Map",
        "Dict",
        "tuple",
        "Union",
        "Optional",
        "ffi.Shape",
        "zoo.Animal",
        "zoo.Dog",
        "zoo.young.Puppy",
        "zoo.young.Kitten",
        last,
    ]
    # That these are all the names, and not spelled otherwise.
    other = ["Variant", "Tuple", "ffi.Array", "ffi.Map", "ffi.Function", "ffi.String", "std::vector", "DataType"]
    lines = [f"# tvm-ffi-stubgen(ty-map): {left} -> mapped.T{i}" for i, left in enumerate([*origins, *other])]
    lines += ["# tvm-ffi-stubgen(begin): import-section", "# tvm-ffi-stubgen(end)"]
    lines += ["# tvm-ffi-stubgen(begin): global/zoo.same", "# tvm-ffi-stubgen(end)", "class Cage:"]
    lines += ["    # tvm-ffi-stubgen(begin): object/zoo.Cage", "    # tvm-ffi-stubgen(end)", ""]
    for tool in ("theirs.py", "ours.py"):
        (tmp_path / tool).write_text("\n".join(lines), encoding="utf-8")
    run(sys.executable, "-m", "tvm_ffi.stub.cli", tmp_path / "theirs.py", "--dlls", zoo / "build/libzoo.so")
    stubgen(tmp_path / "ours.py", "--dlls", zoo / "build/libzoo.so")
    theirs, ours = annotations_of(tmp_path / "theirs.py"), annotations_of(tmp_path / "ours.py")
    assert len(ours) >= 50
    assert ours == theirs
    for number, origin in enumerate(origins):
        assert re.search(rf"\bT{number}\b", str(ours)), origin


# ---- Libraries that cannot be loaded -----------------------------------------------------------------------------

BAD = {
    "leaves": (
        "#include <unistd.h>\nstruct S { S() { _exit(0); } } s;",
        r"libleaves\.so cannot be loaded; it said nothing",
    ),
    "aborts": (
        '#include <cstdio>\n#include <cstdlib>\nstruct S { S() { puts("last words"); fflush(stdout); abort(); } } s;',
        r"libaborts\.so ended the process that loaded it by SIGABRT; it said: last words",
    ),
    "hangs": (
        "#include <unistd.h>\nstruct S { S() { for (;;) sleep(9); } } s;",
        r"libhangs\.so did not finish loading within 2 s; it said nothing; give it longer: --timeout",
    ),
    "lacks": (
        "extern int missing(); int f() { return missing(); }",
        r"liblacks\.so cannot be loaded; it said: OSError: .*undefined symbol: missing\(\)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_library_that_cannot_be_loaded(tmp_path: Path, name: str) -> None:
    source, message = BAD[name]
    (tmp_path / "a.cc").write_text(source, encoding="utf-8")
    library = tmp_path / f"lib{name}.so"
    run("c++", "-shared", "-fPIC", "-o", library, tmp_path / "a.cc", "-Wl,-z,now")
    done = stubgen("--json", "--dlls", library, "--timeout", "2" if name == "hangs" else "60", ok=False)
    assert done.returncode == 2
    assert re.fullmatch(message, read_error(done.stderr)), done.stderr


def test_what_a_library_does_when_it_is_unloaded_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.cc").write_text(
        '#include <cstdlib>\n#include <cstdio>\nstruct S { S() { puts("{"); } ~S() { abort(); } } s;', encoding="utf-8"
    )
    run("c++", "-shared", "-fPIC", "-o", tmp_path / "libends.so", tmp_path / "a.cc")
    assert json.loads(stubgen("--json", "--dlls", tmp_path / "libends.so").stdout)["libraries"] == {"libends.so": {}}


def test_modules_to_import_are_not_hidden_by_ours(tmp_path: Path) -> None:
    (tmp_path / "schema.py").write_text("Optional = 1\n", encoding="utf-8")
    (tmp_path / "user.py").write_text("import schema\nschema.Optional\n", encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": tmp_path.name}
    command = [sys.executable, "-m", "tvm_ffi_build", "stubgen", "--json", "--imports", "user"]
    run(*command, cwd=tmp_path.parent, env=env)


def test_a_function_that_is_registered_twice(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/twice.cc").write_text(
        "#include <tvm/ffi/tvm_ffi.h>\nstatic int F() { return 1; }\nTVM_FFI_STATIC_INIT_BLOCK() {\n"
        '  tvm::ffi::reflection::GlobalDef().def("twice.f", F).def("twice.f", F); }\n',
        encoding="utf-8",
    )
    configure("add_library(twice SHARED twice.cc)", "tvm_ffi_configure_target(twice)")
    build_configured(tmp_path)
    done = stubgen("--json", "--dlls", tmp_path / "build/libtwice.so", ok=False)
    assert done.returncode == 2
    assert re.fullmatch(r"libtwice\.so .*twice\.f.*", read_error(done.stderr)), done.stderr


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x7fELF"])
def test_a_file_that_is_no_library(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "lib.so").write_bytes(content)
    done = stubgen("--json", "--dlls", tmp_path / "lib.so", ok=False)
    assert done.returncode == 2
    assert re.fullmatch(r".+/lib\.so .*", read_error(done.stderr)), done.stderr


# ---- The step of the build ---------------------------------------------------------------------------------------


# In C, which compiles in no time, what the headers for C++ do: a function in the registry, with its types.
REGISTERED = r"""#include <string.h>
#include <tvm/ffi/c_api.h>
static int AddTwo(void* self, const TVMFFIAny* args, int32_t count, TVMFFIAny* result) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = args[0].v_int64 + 2;
  return 0;
}
static TVMFFIByteArray Text(const char* text) {
  TVMFFIByteArray made = {text, strlen(text)};
  return made;
}
__attribute__((constructor)) static void Register(void) {
  TVMFFIMethodInfo info;
  TVMFFIObjectHandle function = 0;
  memset(&info, 0, sizeof(info));
  TVMFFIFunctionCreate(0, AddTwo, 0, &function);
  info.name = Text("lib.add_two");
  info.doc = Text("");
  info.metadata = Text(
      "{\"type_schema\":\"{\\\"type\\\":\\\"ffi.Function\\\","
      "\\\"args\\\":[{\\\"type\\\":\\\"int\\\"},{\\\"type\\\":\\\"int\\\"}]}\"}");
  info.method.type_index = kTVMFFIFunction;
  info.method.v_obj = (TVMFFIObject*)function;
  TVMFFIFunctionSetGlobalFromMethodInfo(&info, 0);
}
"""
STEP = ("add_library(lib SHARED registered.c)", "tvm_ffi_configure_target(lib STUB_DIR python STUB_INIT ON)")


@pytest.fixture
def configure_c(configure: Configure) -> Configure:
    """Return a function that configures a project in C."""
    return partial(configure, languages="C")


@pytest.fixture
def registered(tmp_path: Path) -> Path:
    """Return the source folder of a project for ``configure`` that registers a function."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source/registered.c").write_text(REGISTERED, encoding="utf-8")
    return tmp_path / "source"


def built_again(tmp_path: Path) -> bool:
    return "Stubs in " in run("cmake", "--build", tmp_path / "build").stdout


@pytest.mark.parametrize("generator", ["Ninja", "Unix Makefiles", "Ninja Multi-Config"])
def test_the_step_runs_when_something_has_changed(
    configure_c: Configure, tmp_path: Path, registered: Path, generator: str
) -> None:
    configure_c(*STEP, generator=generator)
    assert built_again(tmp_path)
    stub = registered / "python/lib/_ffi_api.py"
    text = stub.read_text(encoding="utf-8")
    assert "def add_two(_0: int, /) -> int: ..." in text
    assert not built_again(tmp_path)
    stub.write_text(text.replace("def add_two", "def other"), encoding="utf-8")
    assert built_again(tmp_path)
    assert stub.read_text(encoding="utf-8") == text
    assert not built_again(tmp_path)
    source = registered / "registered.c"
    source.write_text(source.read_text(encoding="utf-8").replace("lib.add_two", "lib.plus_two"), encoding="utf-8")
    assert built_again(tmp_path)
    assert "def plus_two(" in stub.read_text(encoding="utf-8")


@pytest.mark.parametrize("generator", ["Ninja", "Ninja Multi-Config"])
def test_the_loader_finds_what_plain_cmake_has_built(
    configure_c: Configure, tmp_path: Path, registered: Path, generator: str
) -> None:
    """Some generators, the one of Visual Studio among them, have a folder for each configuration."""
    (registered / "pyproject.toml").touch()
    configure_c(*STEP, generator=generator)
    run("cmake", "--build", tmp_path / "build", *(["--config", "Release"] if "Multi" in generator else []))
    (tmp_path / "build").rename(registered / "build")
    program = "from lib import _ffi_api; print(_ffi_api.add_two(1))"
    env = {**os.environ, "PYTHONPATH": str(registered / "python")}
    assert run(sys.executable, "-c", program, env=env).stdout == "3\n"


def test_the_step_keeps_a_python_path_that_is_separated_as_on_windows(
    configure_c: Configure, tmp_path: Path, registered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There pip names its build environment in one, and CMake's lists are separated by the same letter."""
    monkeypatch.setenv("PYTHONPATH", "a;b")
    configure_c(*STEP)
    commands = run("ninja", "-C", tmp_path / "build", "-t", "commands", "lib_stubs").stdout
    assert "PYTHONPATH=a;b:" in commands
    assert built_again(tmp_path)
    assert (registered / "python/lib/_ffi_api.py").is_file()


# Types with a field of an awkward name: one that the runtime makes from its fields, and one with a constructor.
AWKWARD = """#include <tvm/ffi/tvm_ffi.h>
namespace ffi = tvm::ffi;
namespace refl = tvm::ffi::reflection;
#define AWKWARD(N, NAME) \\
  struct Plain##N : ffi::Object { \\
    int64_t x = 0; \\
    int64_t y = 0; \\
    static constexpr bool _type_mutable = true; \\
    TVM_FFI_DECLARE_OBJECT_INFO_FINAL("lib.Plain" #N, Plain##N, ffi::Object); \\
  }; \\
  struct Made##N : ffi::Object { \\
    int64_t x; \\
    explicit Made##N(int64_t x) : x(x) {} \\
    static constexpr bool _type_mutable = true; \\
    TVM_FFI_DECLARE_OBJECT_INFO_FINAL("lib.Made" #N, Made##N, ffi::Object); \\
  }; \\
  TVM_FFI_STATIC_INIT_BLOCK() { \\
    refl::ObjectDef<Plain##N>().def_rw(NAME, &Plain##N::x).def_rw("to", &Plain##N::y); \\
    refl::ObjectDef<Made##N>().def(refl::init<int64_t>()).def_rw(NAME, &Made##N::x); \\
  }
#define FUNCTIONS(NAME) \\
  TVM_FFI_STATIC_INIT_BLOCK() { \\
    refl::GlobalDef().def("lib." NAME, [](int64_t x) { return x; }); \\
    refl::GlobalDef().def("lib." NAME ".f", [](int64_t x) { return x; }); \\
  }
"""
NAMES = ["from", "self", "a-b", "None", "match", "_", "__private", "__dict__", "__init__", "_library"]


def test_a_package_can_be_imported_whatever_is_registered(
    configure: Configure, tmp_path: Path, registered: Path
) -> None:
    lines = [f'AWKWARD({number}, "{name}")' for number, name in enumerate(NAMES)]
    # A module has no attribute __dict__ that init_ffi_api could set.
    lines += [f'FUNCTIONS("{name}")' for name in NAMES if name != "__dict__"]
    (registered / "awkward.cc").write_text("\n".join([AWKWARD, *lines, ""]), encoding="utf-8")
    (registered / "pyproject.toml").touch()
    configure("add_library(lib SHARED awkward.cc)", STEP[1])
    told = run("cmake", "--build", tmp_path / "build").stdout
    (tmp_path / "build").rename(registered / "build")
    program = """
import importlib, lib, pkgutil, tvm_ffi
for module in pkgutil.walk_packages(lib.__path__, "lib."):
    importlib.import_module(module.name)
for name in lib.__all__:
    if name.startswith(("Plain", "Made")):
        made = getattr(lib, name)(*([1, 2] if name.startswith("Plain") else [1]))
        print(name, getattr(made, type(made).__tvm_ffi_type_info__.fields[0].name))
"""
    env = {**os.environ, "PYTHONPATH": str(registered / "python")}
    lines = run(sys.executable, "-c", program, env=env).stdout.splitlines()
    for number, name in enumerate(NAMES):
        for made in (f"Plain{number}", f"Made{number}"):
            if name in {"__dict__", "__init__"}:
                assert f"lib.{made} is left out: Python gives the name of its field {name} another meaning" in told
            else:
                assert f"{made} 1" in lines
    assert mypy(tmp_path, registered / "python/lib", path=registered / "python") == ""


@pytest.mark.parametrize(
    ("packages", "arguments", "stubs"),
    [
        (["python/lib"], "STUB_INIT ON", None),
        (["other", "python"], "STUB_INIT ON", None),
        (["python/lib/deep"], "STUB_INIT ON", "python/lib"),
        (["python/library"], "STUB_INIT ON", "python/lib"),
        (["python/acme/lib"], "STUB_INIT ON STUB_PREFIX acme.lib.", None),
        (["python/lib"], "STUB_INIT ON STUB_PREFIX acme.lib.", "python/acme/lib"),
        (["python/lib"], "", None),
        (["src"], "", "python"),
        ([], "STUB_INIT ON", None),
    ],
)
def test_stubs_that_no_wheel_takes_stop_the_configuration(
    configure_c: Configure, registered: Path, packages: list[str], arguments: str, stubs: str | None
) -> None:
    (registered / "python").mkdir()
    defined = ";".join(f"{registered}/{package}" for package in packages)
    call = f"tvm_ffi_configure_target(lib STUB_DIR python {arguments})"
    done = configure_c(STEP[0], call, ok=False, define={"TVM_FFI_WHEEL_PACKAGES": defined})
    assert (done.returncode == 0) is (stubs is None), done.stderr
    if stubs:
        message = " ".join(done.stderr.split())
        assert f"stubs would be written to {registered}/{stubs}, but the wheel takes packages from " in message


def test_an_empty_prefix_is_as_none(configure_c: Configure, tmp_path: Path, registered: Path) -> None:
    configure_c(STEP[0], STEP[1].replace("STUB_INIT ON", 'STUB_INIT ON STUB_PKG "" STUB_PREFIX ""'))
    assert built_again(tmp_path)
    assert "def add_two(" in (registered / "python/lib/_ffi_api.py").read_text(encoding="utf-8")


def test_a_hyphen_in_stub_pkg_is_an_underscore_in_registered_names(
    configure_c: Configure, tmp_path: Path, registered: Path
) -> None:
    source = registered / "registered.c"
    source.write_text(source.read_text(encoding="utf-8").replace('"lib.', '"my_lib.'), encoding="utf-8")
    configure_c(STEP[0], STEP[1].replace("STUB_INIT ON", "STUB_INIT ON STUB_PKG my-lib"))
    assert built_again(tmp_path)
    (stub,) = (registered / "python").rglob("_ffi_api.py")
    assert "def add_two(" in stub.read_text(encoding="utf-8")


def test_the_step_with_the_oldest_cmake(
    configure_c: Configure, tmp_path: Path, registered: Path, old_cmake: Callable[[str], str]
) -> None:
    cmake = old_cmake("3.18.4.post1")
    configure_c(*STEP, cmake=cmake)
    for _ in range(2):
        run(cmake, "--build", tmp_path / "build")
    assert "def add_two(" in (registered / "python/lib/_ffi_api.py").read_text(encoding="utf-8")


def test_a_stub_that_is_renamed_is_not_shipped_twice(configure_c: Configure, tmp_path: Path, registered: Path) -> None:
    install = 'install(TARGETS lib DESTINATION "${SKBUILD_PLATLIB_DIR}")'
    configure_c(*STEP, install, define={"SKBUILD_STATE": "wheel", "SKBUILD_PLATLIB_DIR": str(tmp_path / "wheel")})
    (registered / "python/lib").mkdir(parents=True)
    stub = registered / "python/lib/old.py"
    stub.write_text("# tvm-ffi-stubgen(begin): global/lib\n# tvm-ffi-stubgen(end)\n", encoding="utf-8")
    assert built_again(tmp_path)
    stub.rename(stub.with_name("new.py"))
    assert built_again(tmp_path)
    run("cmake", "--install", tmp_path / "build")
    assert not (tmp_path / "wheel/lib").exists()


def test_one_folder_for_several_libraries(configure_c: Configure, tmp_path: Path, registered: Path) -> None:
    other = REGISTERED.replace("lib.add_two", "apart.two")
    (registered / "other.c").write_text(other, encoding="utf-8")
    configure_c(
        *STEP,
        "add_library(other SHARED other.c)",
        "tvm_ffi_configure_target(other STUB_DIR python STUB_INIT ON STUB_PKG apart)",
    )
    # A package that only the second has to do with.
    (registered / "python/apart").mkdir(parents=True)
    (registered / "python/apart/__init__.py").write_text("own = 1\n", encoding="utf-8")
    assert built_again(tmp_path)
    assert (registered / "python/apart/__init__.py").read_text(encoding="utf-8").startswith("own = 1\n")
    assert not built_again(tmp_path)
    files = {path.relative_to(registered).as_posix() for path in registered.rglob("*.py")}
    assert {"python/lib/_ffi_api.py", "python/apart/_ffi_api.py"} <= files
    (registered / "other.c").write_text(other.replace("two", "three"), encoding="utf-8")
    assert built_again(tmp_path)
    assert "def three(" in (registered / "python/apart/_ffi_api.py").read_text(encoding="utf-8")


def test_a_folder_that_another_target_begins(configure_c: Configure, tmp_path: Path, registered: Path) -> None:
    (registered / "other.c").write_text(REGISTERED.replace("add_two", "add_three"), encoding="utf-8")
    configure_c(*STEP, "add_library(other SHARED other.c)", "tvm_ffi_configure_target(other STUB_DIR python)")
    assert built_again(tmp_path)
    assert functions_of(registered / "python/lib") == {"./add_two", "./add_three"}


def test_a_cross_build_uses_the_files_as_they_are(configure_c: Configure, tmp_path: Path, registered: Path) -> None:
    other = "add_library(other SHARED registered.c)", "tvm_ffi_configure_target(other STUB_DIR python)"
    done = configure_c(*STEP, *other, define={"CMAKE_SYSTEM_NAME": "Linux"})
    assert re.findall(r"Stubs of (\w+): those in", done.stdout) == ["lib", "other"]
    assert "since this is a cross build; to have them made, set CMAKE_CROSSCOMPILING_EMULATOR" in done.stdout
    build_configured(tmp_path)
    assert not (registered / "python").exists()


def test_a_cross_build_with_an_emulator_runs_there(configure_c: Configure, tmp_path: Path, registered: Path) -> None:
    emulator = tmp_path / "emulator"
    emulator.write_text(
        f'#!/bin/sh\necho "$1 $2 $PYTHONPATH" > {tmp_path}/emulated\nshift\nexec "$@"\n', encoding="utf-8"
    )
    emulator.chmod(0o755)
    configure_c(
        *STEP,
        define={
            "CMAKE_SYSTEM_NAME": "Linux",
            "CMAKE_CROSSCOMPILING_EMULATOR": f"{emulator};-x",
            "TVM_FFI_TARGET_PYTHON": sys.executable,
        },
    )
    build_configured(tmp_path)
    # Without the module path of this machine's Python.
    assert (tmp_path / "emulated").read_text(encoding="utf-8") == f"-x {sys.executable} \n"
    assert (registered / "python/lib/_ffi_api.py").exists()


AARCH64 = """
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR {emulator})
set(TVM_FFI_TARGET_PYTHON {python})
"""


@pytest.mark.slow  # it fetches a cross compiler, an emulator, and a Python and a runtime for it
def test_an_emulator_makes_the_stubs_that_a_native_build_makes(
    package: Callable[[str], Path], tmp_path: Path, zoo: Path, installed: Callable[..., str]
) -> None:
    installed(lambda: shutil.which("aarch64-linux-gnu-g++"), "g++-aarch64-linux-gnu")
    installed(lambda: shutil.which("qemu-aarch64-static"), "qemu-user-static")
    python = unpack_for_aarch64("3.11", tmp_path)
    site = python.root / "usr/lib/python3/dist-packages"
    platform = ("--python-version", "3.11", "--python-platform", "aarch64-manylinux_2_28", "--only-binary", ":all:")
    install_to(site, *platform, f"apache-tvm-ffi=={find_runtime().version}")
    project = package("zoo")
    toolchain = tmp_path / "aarch64.cmake"
    toolchain.write_text(AARCH64.format(emulator=" ".join(python.emulator), python=python.python), encoding="utf-8")
    # The runtime of this machine is on the module path, as where tvm-ffi-build is installed beside it.
    here = os.fspath(find_runtime().package.parent)
    run(
        *command_line(
            "cmake -G Ninja -S {project} -B {build} -DCMAKE_TOOLCHAIN_FILE={toolchain} "
            "-Dtvm_ffi_DIR={cmake_dir} -DPython_EXECUTABLE={python} -DCMAKE_BUILD_TYPE=Debug",
            project=project,
            build=project / "build",
            toolchain=toolchain,
            cmake_dir=cmake_dir(),
            python=sys.executable,
        ),
        env={**os.environ, "TVM_FFI_RUNTIME": str(site), "PYTHONPATH": here},
    )
    run("cmake", "--build", project / "build")

    def stubs(folder: Path) -> dict[str, bytes]:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.py")}

    assert stubs(project / "python") == stubs(zoo / "python")
    # What was loaded is for the other machine, and so is what it runs on.
    code = (
        f"import sys; sys.path.insert(0, {str(project / 'python')!r}); "
        "import zoo, platform; print(platform.machine(), zoo.area(2, 3))"
    )
    assert python.run(python.python, "-c", code) == "aarch64 6\n"


def test_a_library_that_lacks_a_driver_is_no_reason_to_fail(
    configure_c: Configure, tmp_path: Path, registered: Path
) -> None:
    """As one that is linked to libcuda.so.1, on a machine without a GPU."""
    (registered / "driver.c").write_text("int driver(void) { return 1; }\n", encoding="utf-8")
    lines = (
        "add_library(driver SHARED driver.c)",
        *STEP,
        "target_link_options(lib PRIVATE -Wl,--no-as-needed)",
        "target_link_libraries(lib PRIVATE driver)",
        "add_custom_command(TARGET lib POST_BUILD COMMAND ${CMAKE_COMMAND} -E rm -f $<TARGET_FILE:driver>)",
    )
    configure_c(*lines)
    done = run("cmake", "--build", tmp_path / "build", ok=False)
    assert done.returncode != 0
    said = r"liblib\.so cannot be loaded; it said: OSError: libdriver\.so: cannot open shared object file.*"
    holds_none = r"hint: .*and .+/python holds no stubs to use instead\n"
    assert re.search(rf"error: {said}\n{holds_none}", done.stdout), done.stdout
    (registered / "python").mkdir()
    (registered / "python/stub.py").write_text(
        "# tvm-ffi-stubgen(begin): global/lib\n# tvm-ffi-stubgen(end)\n", encoding="utf-8"
    )
    done = run("cmake", "--build", tmp_path / "build")
    assert re.search(rf"Stubs in .+/python are used as they are, since {said}\n", done.stdout)


@pytest.mark.slow  # it mounts
def test_a_read_only_source_tree_gives_a_complete_wheel(
    package: Callable[[str], Path], tmp_path: Path, read_only: Callable[[Path], Path], environment: Environment
) -> None:
    project = package("zoo")
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", read_only(project), "-w", tmp_path / "out")
    assert not (project / "python").exists()
    (wheel,) = (tmp_path / "out").iterdir()
    environment.install(wheel)
    assert environment.run("-c", "import zoo.sub.deeper; print(zoo.area(2, 3), zoo.LIB.exported(1))") == "6 2\n"
    # And is the one that a source tree gives that can be written.
    run(sys.executable, "-m", "tvm_ffi_build", "wheel", project, "-w", tmp_path / "again")
    again = tmp_path / "again" / wheel.name
    shutil.unpack_archive(wheel, tmp_path / "one", "zip")
    shutil.unpack_archive(again, tmp_path / "other", "zip")
    for path in (tmp_path / "one/zoo").rglob("*.py"):
        assert (tmp_path / "other" / path.relative_to(tmp_path / "one")).read_bytes() == path.read_bytes()


def test_in_an_editable_install_the_source_file_wins(package: Callable[[str], Path], equipped: Environment) -> None:
    project = package("example")
    for _ in range(2):
        equipped.install("--no-build-isolation", "--reinstall-package", "my-ffi-extension", "-e", project)
    code = "import my_ffi_extension._ffi_api as api; print(api.__file__, api.join(['a', 'b'], '-'))"
    assert equipped.run("-c", code) == f"{project}/python/my_ffi_extension/_ffi_api.py a-b\n"


# ---- Packages that others have published -------------------------------------------------------------------------


def functions_of(folder: Path) -> set[str]:
    """Return the functions and classes that the files in a folder define, with their paths."""
    found = set()
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                found.add(f"{path.parent.relative_to(folder)}/{node.name}")
    return found - {name for name in found if name.endswith(("/SupportsDLPack", "/Library"))}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("requirement", "name", "prefix"),
    [
        ("jax-tvm-ffi==0.1.3", "jax_tvm_ffi", "jax_tvm_ffi"),
        ("apache-tvm-ffi-orcjit==0.1.3", "libtvm_ffi_orcjit", "tvm_ffi_orcjit"),
        ("apache-tvm-ffi==0.1.15.post2", "libtvm_ffi_testing", "testing"),
    ],
)
def test_published_libraries_are_covered_as_the_runtimes_tool_covers_them(
    tmp_path: Path, requirement: str, name: str, prefix: str
) -> None:
    install_to(tmp_path / "site", "--no-deps", requirement)
    (library,) = (tmp_path / "site").rglob(f"{name}.so")
    if prefix == "testing":  # a second runtime in one process would not do
        library = find_runtime().library_dir / library.name
    for tool in ("theirs", "ours"):
        (tmp_path / tool).mkdir()
    target = name.removeprefix("lib")
    # The generated loader asks for the name that CMake gives to a library, and has to find it for the package to be
    # written.
    if name == target:
        library = Path(shutil.copy(library, library.with_name(f"lib{target}.so")))
    init = ["--dlls", str(library), "--init-pypkg", "p", "--init-lib", target, "--init-prefix", f"{prefix}."]
    run(sys.executable, "-m", "tvm_ffi.stub.cli", tmp_path / "theirs", *init, cwd=tmp_path)
    stubgen(tmp_path / "ours", *init)
    theirs, ours = functions_of(tmp_path / "theirs"), functions_of(tmp_path / "ours")
    assert theirs - ours == set()
    # What a library exports as C symbols, that tool does not know of.
    exported = json.loads(stubgen("--json", "--dlls", library).stdout)["libraries"][library.name]
    loader = (tmp_path / "ours" / prefix / "_library.py").read_text(encoding="utf-8")
    assert set(re.findall(r"^        def (\w+)\(", loader, re.MULTILINE)) == set(exported)
    page = (ROOT / "docs/reference/stubgen.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {requirement.replace('==', ' ')}.*? \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    assert row
    assert (int(row[1]), int(row[2])) == (len(theirs), len(exported))
    assert mypy(tmp_path, tmp_path / "ours" / prefix, path=tmp_path / "ours") == ""
    (tmp_path / "ours/pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
    out = pyright(tmp_path / "ours")
    assert "0 errors, 0 warnings" in out, out


@pytest.mark.slow  # mypy reads the whole runtime, twice
def test_the_runtimes_own_package_is_covered_as_its_own_tool_covers_it(tmp_path: Path) -> None:
    """Among its classes are a tuple with ``__new__``, a module with ``init_ffi_api``, and strings with directives."""
    library = find_runtime().library_dir / "libtvm_ffi_testing.so"
    errors = {}
    for tool, command in {"theirs": ("tvm_ffi.stub.cli",), "ours": ("tvm_ffi_build", "stubgen")}.items():
        shutil.copytree(find_runtime().package, tmp_path / tool / "tvm_ffi")
        run(sys.executable, "-m", *command, tmp_path / tool / "tvm_ffi", "--dlls", library)
        found = mypy(tmp_path / tool, "-p", "tvm_ffi", path=tmp_path / tool)
        errors[tool] = {re.sub(r":\d+: ", ": ", line) for line in found.splitlines() if ": error: " in line}
    theirs, ours = (functions_of(tmp_path / tool) for tool in ("theirs", "ours"))
    assert theirs <= ours
    # Read-only fields, which are properties here.
    fields = {
        name for path in (tmp_path / "theirs").rglob("*.py") for name in annotations_of(path) if not name.endswith("()")
    }
    assert {name.rpartition("/")[2] for name in ours - theirs} <= fields
    assert errors["ours"] - errors["theirs"] == set()
    program = "import tvm_ffi.testing as t; print(t.add_one(1), t.TestIntPair(1, 2).sum(), t.__file__)"
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "ours")}
    # Warnings too: the runtime has one for classes whose fields have no annotations.
    done = run(sys.executable, "-W", "error", "-c", program, env=env)
    assert done.stdout == f"2 3 {tmp_path}/ours/tvm_ffi/testing/__init__.py\n"

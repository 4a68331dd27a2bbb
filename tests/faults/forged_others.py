"""What is read beside wheels and libraries: projects, stubs, registries, runtimes and names, none as it should be."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BACKEND = '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
_OURS = "[tool.tvm-ffi-build"


def _set(table: str, line: str) -> str:
    """Return a ``pyproject.toml`` with a setting of this project."""
    return f"{_BACKEND}{_OURS}.{table}]\n{line}\n"


# What stands in a pyproject.toml, and what is said of it; all commands that read one look at their own tables only.
PROJECTS: dict[str, tuple[bytes, str, frozenset[str]]] = {
    name: (text if isinstance(text, bytes) else text.encode(), message, frozenset(commands.split()))
    for name, text, message, commands in (
        ("no TOML", "this is no table", "is not valid TOML", "wheel repair audit"),
        ("a table that does not end", "[build-system", "is not valid TOML", "wheel repair audit"),
        ("a byte order mark", b"\xef\xbb\xbf" + _BACKEND.encode(), "is not valid TOML", "wheel repair audit"),
        ("no UTF-8", b"# \xff\n" + _BACKEND.encode(), "is not valid TOML", "wheel repair audit"),
        ("UTF-16", _BACKEND.encode("utf-16"), "is not valid TOML", "wheel repair audit"),
        ("a NUL", b"a = 1\0\n", "is not valid TOML", "wheel repair audit"),
        ("a key twice", "[a]\n[a]\n", "is not valid TOML", "wheel repair audit"),
        ("a number without end", f"a = {'1' * 9999}", "is not valid TOML", "wheel repair audit"),
        ("lists without end", f"a = {'[' * 99_999}", "nested too deeply", "wheel repair audit"),
        ("tables in tables", f"{'.'.join('a' * 3000)} = 1\n", "has no build-backend", "wheel"),
        ("an empty file", "", "has no build-backend", "wheel"),
        ("no build-backend", "[build-system]\nrequires = []\n", "has no build-backend", "wheel"),
        ("a build-backend that is a list", "[build-system]\nbuild-backend = []\n", "has no build-backend", "wheel"),
        ("a build-system that is no table", "build-system = 1\n", "build-system is not a table", "wheel"),
        ("requires that is no list", "[build-system]\nrequires = 'a'\n", "requires is not a list", "wheel"),
        ("tool that is no table", "tool = 1\n" + _BACKEND, "tool is not a table", "wheel repair audit"),
        (
            "our table is none",
            "tool.tvm-ffi-build = []\n" + _BACKEND,
            "tvm-ffi-build is not a table",
            "wheel repair audit",
        ),
        ("bounds that are a number", _set("runtime", "requires = 1"), "runtime.requires is not a string", "wheel"),
        (
            "bounds under another name",
            _set("runtime", "require = ''"),
            "runtime.require is not known; there is requires",
            "wheel",
        ),
        ("repair that is no table", f"{_BACKEND}{_OURS}]\nrepair = true\n", "repair is not a table", "wheel repair"),
        (
            "excludes that are one text",
            _set("repair", "exclude = 'a'"),
            "exclude is not a list of strings",
            "wheel repair",
        ),
        (
            "excludes that are numbers",
            _set("repair", "exclude = [1]"),
            "exclude is not a list of strings",
            "wheel repair",
        ),
        ("a preset that is none", _set("repair", "preset = ['a']"), "preset 'a' is not known", "wheel repair"),
        ("strip that is a text", _set("repair", "strip = 'yes'"), "strip is not true or false", "wheel repair"),
        ("a setting of repair that is none", _set("repair", "'a\\nb' = 1"), "is not known; there are", "wheel repair"),
        ("audit that is no table", f"{_BACKEND}{_OURS}]\naudit = 1\n", "audit is not a table", "wheel repair audit"),
        (
            "a rule that is none",
            _set("audit", "ignore = ['Z9']"),
            "no rule is or starts with 'Z9'",
            "wheel repair audit",
        ),
        ("an empty rule", _set("audit", "select = ['']"), "no rule is or starts with ''", "wheel repair audit"),
        ("a share of two", _set("audit", "debug-share = 2"), "not a number from 0 to 1", "wheel repair audit"),
        ("a share of nothing", _set("audit", "debug-share = nan"), "not a number from 0 to 1", "wheel repair audit"),
        ("strict that is a number", _set("audit", "strict = 1"), "strict is not true or false", "wheel repair audit"),
        (
            "files to ignore that are a list",
            _set("audit", "per-file-ignores = []"),
            "per-file-ignores is not a table",
            "wheel repair audit",
        ),
        ("a setting of audit that is none", _set("audit", "selekt = []"), "selekt is not known", "wheel repair audit"),
    )
}

_BLOCK = "# tvm-ffi-stubgen(begin): global/a\n# tvm-ffi-stubgen(end)\n"
# What stands in a Python file with directives.
SOURCES: dict[str, tuple[bytes, str]] = {
    "no UTF-8": (f"# \xe4\n{_BLOCK}".encode("latin-1"), "is not UTF-8"),
    "UTF-16": (_BLOCK.encode("utf-16"), "is not UTF-8"),
    "the end of nothing": (b"# tvm-ffi-stubgen(end)\n", ":1: the end of a block"),
    "a block without end": (b"# tvm-ffi-stubgen(begin): global/a\n", ":1: "),
    "a block in a block": (f"# tvm-ffi-stubgen(begin): global/b\n{_BLOCK}".encode(), r":\d: "),
    "a directive that is none": (b"# tvm-ffi-stubgen(explode): a\n" + _BLOCK.encode(), r":1: .*explode"),
    "a block of nobody knows what": (b"# tvm-ffi-stubgen(begin): magic/a\n# tvm-ffi-stubgen(end)\n", ":1: "),
    "a class that is not registered": (b"# tvm-ffi-stubgen(begin): object/a.B\n# tvm-ffi-stubgen(end)\n", "a.B"),
    "no Python": (b"def f(:\n" + _BLOCK.encode(), ""),
    "a NUL": (b"x = '\0'\n" + _BLOCK.encode(), ""),
    "brackets without end": (b"x = " + b"(" * 9999 + b"\n" + _BLOCK.encode(), ""),
    "an indent of nothing": (b"    # tvm-ffi-stubgen(begin): global/a\n    # tvm-ffi-stubgen(end)\n", ""),
}

_FUNCTION = '{"type": "ffi.Function", "named_args": {"return": [{"type": "int"}], "params": [{"type": "int"}]}}'


def _registered(function: Any = None, name: str = "a.f", **parts: Any) -> str:
    function = {"type": _FUNCTION, "doc": None} if function is None else function
    return json.dumps(
        {"schema": 1, "runtime": "1", "functions": {name: function}, "types": {}, "libraries": {}, **parts}
    )


def _deep(depth: int) -> str:
    inner = '{"type": "int"}'
    return '{"type": "Array", "args": [' * depth + inner + "]}" * depth


def _class(key: str = "a.B", **parts: Any) -> str:
    described = {"parent": None, "python": None, "init": False, "fields": [], "methods": [], **parts}
    return _registered(types={key: described})


def _field(**parts: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "type": None,
        "doc": None,
        "frozen": False,
        "init": True,
        "kw_only": False,
        "default": None,
        **parts,
    }


# What a library has registered, as a snapshot of it; refused ones, and what is said of them.
REGISTRIES: dict[str, tuple[Callable[[], str], str]] = {
    "no JSON": (lambda: "this is none", "is damaged"),
    "JSON that is cut short": (lambda: _registered()[:-1], "is damaged"),
    "JSON of something else": (lambda: "[]", "is not a snapshot"),
    "of a format to come": (lambda: _registered(schema=2), "is not a snapshot of format 1"),
    "lists without end": (lambda: "[" * 99_999, "is damaged"),
    "numbers without end": (
        lambda: _registered(schema=1).replace(": 1,", f": {'1' * 9999},", 1),
        "is damaged|is not a snapshot",
    ),
    "functions that are a list": (lambda: _registered(functions=[]), "is damaged"),
    "a function that is a text": (lambda: _registered("f"), "is damaged"),
    "metadata that is no JSON": (
        lambda: _registered({"type": "int(", "doc": None}),
        "has a type schema that is not JSON",
    ),
    "metadata that is a number": (lambda: _registered({"type": 1, "doc": None}), "has |is damaged"),
    "a type of a type of a type": (lambda: _registered({"type": _deep(99_999), "doc": None}), "has |is damaged"),
    "docs that are a list": (lambda: _registered({"type": _FUNCTION, "doc": ["a"]}), "is damaged"),
    "a function named in bytes that are no text": (lambda: _registered(name="a.\udcff"), "is damaged"),
    "docs in bytes that are no text": (lambda: _registered({"type": _FUNCTION, "doc": "\udcff"}), "is damaged"),
    "a class without members": (lambda: _registered(types={"a.B": {}}), "is damaged"),
    "a default that is code": (lambda: _class(fields=[_field(default="__import__('os').getcwd()")]), "is damaged"),
    "a default without end": (lambda: _class(fields=[_field(default="(" * 9999)]), "is damaged"),
}
# What can be filled in all the same, and what must not stand in the file.
ODD_REGISTRIES: dict[str, Callable[[], str]] = {
    "a function named as nothing can be": lambda: _registered(name="a.f()\nimport os  #"),
    "a function named by a keyword": lambda: _registered(name="a.class"),
    "a function without a name": lambda: _registered(name="a."),
    "10 MB of docs": lambda: _registered({"type": _FUNCTION, "doc": "text\n" * 2_000_000}),
    "docs that end themselves": lambda: _registered({"type": _FUNCTION, "doc": '"""\nimport os\nos.abort()\n"""'}),
    "docs with backslashes to the end": lambda: _registered({"type": _FUNCTION, "doc": "\\" * 99 + '"""'}),
    "a type of no known name": lambda: _registered({"type": '{"type": "x y\\n(z"}', "doc": None}),
    "a type named in bytes that are no text": lambda: _registered({"type": '{"type": "\\udcff"}', "doc": None}),
    "a type some levels deep": lambda: _registered(
        {"type": _FUNCTION.replace('{"type": "int"}', _deep(40), 1), "doc": None}
    ),
    "a class that inherits from itself": lambda: _class(parent="a.B"),
    "a class that inherits from what is not there": lambda: _class(parent="a.Gone"),
    "a class named as nothing can be": lambda: _class("a.B()\nimport os"),
    "a field named by a keyword": lambda: _class(fields=[_field(name="class")], init=True),
    "a field named as nothing can be": lambda: _class(fields=[_field(name="x: int\nimport os")], init=True),
    "a Python class from nowhere": lambda: _class(python="a b.c\nimport os"),
}

# What a library does when it is loaded: C, what is said of it.
LOADED: dict[str, tuple[str, str]] = {
    "it exits": ("#include <stdlib.h>\nCTOR { exit(3); }", "cannot be loaded; it said nothing"),
    "it exits as if all were well": ("#include <stdlib.h>\nCTOR { _Exit(0); }", "cannot be loaded; it said nothing"),
    "it aborts": ("#include <stdlib.h>\nCTOR { abort(); }", "ended the process that loaded it by SIGABRT"),
    "it reads where nothing is": ("CTOR { *(volatile int *)0; }", "by SIGSEGV"),
    "it never ends": ("#include <unistd.h>\nCTOR { for (;;) pause(); }", "did not finish loading within 2 s"),
    "it says much and ends": (
        (
            "#include <stdio.h>\n#include <stdlib.h>\n"
            'CTOR { for (int i = 0; i < 99999; i++) puts("\\033[2Jtext"); exit(1); }'
        ),
        r"it said: \\x1b\[2Jtext",
    ),
    "it needs what is nowhere": ("void nowhere(void); CTOR { nowhere(); }", "undefined symbol: nowhere"),
    "its metadata is no JSON": (
        """#include <stddef.h>
typedef struct { const char* data; size_t size; } Bytes;
typedef struct { int kind, index; long long value; } Any;
int TVMFFIFunctionCreate(void*, int (*)(void*, const Any*, int, Any*), void*, void**);
typedef struct { Bytes name, doc, metadata; long long flags; Any method; } Method;
int TVMFFIFunctionSetGlobalFromMethodInfo(const Method*, int);
static int call(void* self, const Any* args, int count, Any* result) { return 0; }
CTOR {
  Method method = {{"hostile.f", 9}, {NULL, 0}, {"{no JSON", 8}, 0, {0}};
  void* function;
  TVMFFIFunctionCreate(NULL, call, NULL, &function);
  method.method.kind = 68;
  method.method.value = (long long)function;
  TVMFFIFunctionSetGlobalFromMethodInfo(&method, 1);
}""",
        "JSONDecodeError|is damaged",
    ),
}


def _without(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for name in names:
            for path in folder.glob(name):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def _with(name: str, content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (path,) = folder.glob(name)
        path.write_bytes(content)

    return change


def _twice(folder: Path) -> None:
    (info,) = folder.glob("*.dist-info")
    shutil.copytree(info, folder / "apache_tvm_ffi-0.0.1.dist-info")


def _editable(content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (info,) = folder.glob("*.dist-info")
        (info / "direct_url.json").write_bytes(content)

    return change


def copy_runtime(folder: Path) -> Path:
    """Copy the least that is a runtime: headers by name, the library as a link."""
    runtime = find_runtime()
    info = folder / f"apache_tvm_ffi-{runtime.version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: apache-tvm-ffi\nVersion: {runtime.version}\n\n", encoding="utf-8")
    for name in ("__init__.py", "include/tvm/ffi/c_api.h", "include/dlpack/dlpack.h", "core.abi3.so"):
        path = folder / "tvm_ffi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / "tvm_ffi/lib").mkdir()
    (folder / "tvm_ffi/lib" / runtime.library.name).symlink_to(runtime.library)
    return folder


# What is done to a runtime; the exit code, and what is said of it.
RUNTIMES: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "nothing in the folder": (_without("*"), 4, "holds no apache-tvm-ffi"),
    "no library": (_without("tvm_ffi/lib"), 4, "has no libtvm_ffi"),
    "no headers": (_without("tvm_ffi/include/tvm"), 4, "has no header"),
    "no DLPack": (_without("tvm_ffi/include/dlpack"), 4, "has no header dlpack"),
    "no module": (_without("tvm_ffi"), 4, "has no module tvm_ffi next to it"),
    "no metadata in it": (_without("*.dist-info/METADATA"), 4, "is missing or names no version"),
    "metadata that is empty": (_with("*.dist-info/METADATA", b""), 4, "is missing or names no version"),
    "metadata that is no text": (
        _with("*.dist-info/METADATA", b"Version: 1\xff\n"),
        4,
        "is missing or names no version",
    ),
    "a version that is none": (
        _with("*.dist-info/METADATA", b"Version: latest\n"),
        4,
        "is missing or names no version",
    ),
    "metadata of two versions": (_twice, 4, "so one is stale"),
    "no core": (_without("tvm_ffi/core*"), 4, "has no module tvm_ffi.core"),
    "an editable install of nothing": (
        _editable(b'{"dir_info": {"editable": true}, "url": "file:///nowhere"}'),
        4,
        "is not there any more",
    ),
    "an editable install that is no JSON": (_editable(b"{"), 4, "is not valid"),
    "an editable install of a list": (_editable(b"[]"), 4, "is not valid"),
    "an editable install of lists without end": (_editable(b"[" * 99_999), 4, "is not valid"),
}

# Names of projects.
NAMES: dict[str, tuple[str, int, str]] = {
    "no name": ("", 2, "is not a valid project name"),
    "a path upwards": ("../evil", 2, "is not a valid project name"),
    "a path": ("a/b", 2, "is not a valid project name"),
    "a line break": ("a\nb", 2, "is not a valid project name"),
    "an escape": ("a\x1b[2J", 2, "is not a valid project name"),
    "bytes that are no text": ("a\udcff", 2, "is not a valid project name"),
    "a keyword": ("class", 2, "is taken: class is a keyword"),
    "a module of Python's": ("json", 2, "is taken: json is a module of Python's"),
    "a number": ("1", 2, "cannot be imported"),
    "a device of Windows": ("con", 2, "is taken: con is a device on Windows"),
    "a name longer than folders take": ("a" * 300, 2, "cannot be written: File name too long"),
}
# Platforms.
TAGS: dict[str, str] = {
    "no tag": "",
    "text": "somewhere",
    "any": "any",
    "a line break": "win_amd64\n",
    "an escape": "\x1b[2J",
    "bytes that are no text": "linux\udcff",
    "a path": "../../manylinux_2_28_x86_64",
    "numbers without end": f"manylinux_{'9' * 5000}_0_x86_64",
    "digits of others": "manylinux_2_²_x86_64",
    "another machine": "manylinux_2_28_z80",
    "an old one": "manylinux_2_1_x86_64",
}


def a_folder(path: Path) -> None:
    path.mkdir()


def a_broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


# What may lie where a file should.
KINDS: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a folder": a_folder,
    "a broken link": a_broken_link,
    "a link to itself": a_link_to_itself,
    "a device": a_device,
}

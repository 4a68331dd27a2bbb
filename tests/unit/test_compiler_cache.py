"""The compiler cache of the tests: an object from it is the one that the compiler would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.compiler_cache import compile_once
from support.processes import run

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """#include "part.h"
struct Start { Start(); } start;
static int* place(int* x) { return x + 1; }
const char* where() { return __FILE__; }
int deref(int* x) { return *place(x) + VALUE; }
"""
LOCATION = (
    "const char* caller(const char* file = __builtin_FILE()) { return file; }\nconst char* f() { return caller(); }\n"
)


def objects_in(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.suffix != ".lock"]


def compile_in(directory: Path, cache: Path, *options: str, source: str = SOURCE) -> tuple[bytes, bytes]:
    """Compile a source of a directory; return the object that the cache gives, and that of the compiler."""
    (directory / "include").mkdir(parents=True, exist_ok=True)
    (directory / "include/part.h").write_text("#ifndef VALUE\n#define VALUE 1\n#endif\n", encoding="utf-8")
    (directory / "lib.cc").write_text(source, encoding="utf-8")
    command = ["c++", *options, f"-I{directory}/include", "-o", "lib.o", "-c", f"{directory}/lib.cc"]
    made = directory / "lib.o"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        assert compile_once(cache, command) == 0
        cached = made.read_bytes()
        run(*command)
    return cached, made.read_bytes()


@pytest.mark.parametrize("source", [SOURCE, SOURCE + LOCATION], ids=["plain", "located"])
@pytest.mark.parametrize("options", ["", "-g", "-g3", "-flto", "-fsanitize=undefined", "-O2 -DNDEBUG"])
def test_an_object_from_the_cache_is_the_one_of_the_compiler(tmp_path: Path, options: str, source: str) -> None:
    """In another directory, with another macro or prefix map, and without one again."""
    for name, more in (
        ("one", ""),
        ("another one", "-Done_EXPORTS"),
        ("one", "-DVALUE=2"),
        ("one", "-ffile-prefix-map"),
    ):
        directory = tmp_path / name
        extra = [f"{more}={directory}/=mapped/"] if more.startswith("-f") else more.split()
        cached, compiled = compile_in(directory, tmp_path / "cache", *options.split(), *extra, source=source)
        if "-flto" not in options:  # whose sections have random names
            assert cached == compiled, (name, more)


def test_what_the_object_does_not_show_is_compiled_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name, more in (("one", ()), ("two", ("-Dtwo_EXPORTS",)), ("three", ("-UNOTHING",))):
        # Of __FILE__ the object shows the path.
        compile_in(tmp_path / name, cache, *more, source=SOURCE.replace("__FILE__", '"file"'))
    assert len(objects_in(cache)) == 1
    compile_in(tmp_path / "one", cache, "-DVALUE=3", source=SOURCE.replace("__FILE__", '"file"'))
    assert len(objects_in(cache)) == 2

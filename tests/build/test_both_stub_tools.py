"""This command and the runtime's own on the same files: the same names, except for differences in the manual."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING

import pytest
from support.processes import run
from support.project import ROOT

from tvm_ffi_build.runtime import find_runtime

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs/reference/stubgen.md"
LIBRARY = "libtvm_ffi_testing.so"
LOADING = "ffi.Module.load_from_file"


def block(kind: str, body: str = "", indent: str = "") -> str:
    return f"{indent}# tvm-ffi-stubgen(begin): {kind}\n{body}{indent}# tvm-ffi-stubgen(end)\n"


def directive(name: str, payload: str) -> str:
    return f"# tvm-ffi-stubgen({name}): {payload}\n"


SECTION = block("import-section")
LISTED = f"__all__ = [\n{block('__all__', indent='    ')}]\n"
FUNCTION = block(f"global/{LOADING}")
PAIR = f"class TestIntPair(tvm_ffi.Object):\n    '''A pair.'''\n\n{block('object/testing.TestIntPair', indent='    ')}"
IMPORTS = "import tvm_ffi\nfrom typing import TYPE_CHECKING\n"

# Files that both tools fill with the same names.
SAME = {
    "function": SECTION + FUNCTION,
    "function_prefix": SECTION + block("global/testing"),
    "function_twice": SECTION + FUNCTION + block("global/testing"),
    "function_listed": SECTION + FUNCTION + LISTED,
    "function_module": SECTION + block(f"global/{LOADING}@tvm_ffi"),
    "function_module_empty": SECTION + block(f"global/{LOADING}@"),
    "function_module_ffi": SECTION + block(f"global/{LOADING}@ffi.registry"),
    "function_module_relative": SECTION + block(f"global/{LOADING}@.registry"),
    "function_module_above": SECTION + block(f"global/{LOADING}@..registry"),
    "function_module_dot": SECTION + block(f"global/{LOADING}@."),
    "function_old": SECTION + block(f"global/{LOADING}", "def old(): ...\n"),
    "function_indented": f"{SECTION}if True:\n{block(f'global/{LOADING}', indent='    ')}",
    "object": f"{SECTION}{IMPORTS}{PAIR}",
    "object_stub": f"{SECTION}{IMPORTS}{PAIR}",
    "object_listed": f"{SECTION}{IMPORTS}{PAIR}{LISTED}",
    "object_own_init": f"{SECTION}{IMPORTS}{PAIR}\n    def __init__(self) -> None: ...\n",
    "object_shape": f"{SECTION}class Shape(tuple):\n    '''Doc.'''\n{block('object/ffi.Shape', indent='    ')}",
    "section": SECTION,
    "section_twice": SECTION + "x = 1\n" + SECTION + FUNCTION,
    "import_object": directive("import-object", "ffi.Object;False;_ffi_Object") + SECTION,
    "import_object_checked": directive("import-object", "ffi.Object;True") + SECTION + FUNCTION,
    "import_object_upper": directive("import-object", "ffi.Object;TRUE") + SECTION + FUNCTION,
    "import_object_one": directive("import-object", "ffi.Object;1;One") + SECTION,
    "import_object_yes": directive("import-object", "ffi.Object;yes;Yes") + SECTION,
    "import_object_short": directive("import-object", "ffi.Object") + SECTION,
    "mapped": directive("ty-map", "ffi.Module -> my.Loaded") + SECTION + FUNCTION,
    "mapped_container": directive("ty-map", "Array -> list") + SECTION + block("global/testing"),
    "mapped_after": SECTION + FUNCTION + directive("ty-map", "ffi.Module -> my.Loaded"),
    "listed_alone": LISTED,
    "skipped": "# tvm-ffi-stubgen(skip-file)\n# tvm-ffi-stubgen(begin): nonsense\n",
    "skipped_late": f"x = 1\n# tvm-ffi-stubgen(skip-file)\n{block('global/a')}",
    "gone_with_prefix": (
        directive("prefix", "testing.nothing") + SECTION + IMPORTS + "class Gone:\n    x = 1\n"
        f"{block('object/testing.nothing.Gone', indent='    ')}"
    ),
    "behind_code": f"{SECTION}x = 1  {directive('begin', 'nonsense')}",
}
# Files that both refuse.
REFUSED = {
    "gone": f"{SECTION}class Gone:\n    x = 1\n{block('object/testing.nothing.Gone', indent='    ')}",
}
# Files that they treat differently: what the manual says of it.
DIFFERENT = {
    "quoted": (f'"""Explains:\n\n{FUNCTION}"""\n{SECTION}', "directives inside a string"),
    "plain": ("x = 1\n", "a file without directives"),
    "no_imports": (FUNCTION, "a block without an import section"),
    "no_functions": (SECTION + block("global/nothing"), "a prefix without functions"),
    "windows": ((SECTION + FUNCTION).replace("\n", "\r\n"), "Windows line endings"),
    "byte_order_mark": ("\ufeff" + SECTION + FUNCTION, "a byte order mark"),
    "prefix": (directive("prefix", "testing") + SECTION, "`prefix`"),
    "unknown_block": (block("nonsense/a"), "a wrong directive"),
    "not_ended": ("# tvm-ffi-stubgen(begin): global/testing\n", "a wrong directive"),
    "not_begun": ("# tvm-ffi-stubgen(end)\n", "a wrong directive"),
}


def names_in(text: str) -> set[str]:
    """Return what a filled file says, apart from types: functions, methods, fields, imports, and what it lists."""
    tree = ast.parse(text.removeprefix("\ufeff"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found.add(f"def {node.name}")
        elif isinstance(node, ast.AnnAssign):
            found.add(f"def {ast.unparse(node.target)}")
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found |= {f"from {module} import {alias.name} as {alias.asname}" for alias in node.names}
        elif isinstance(node, ast.Call):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found.add(f"__all__ {sorted(ast.literal_eval(node.value))}")
    # For types, which the other test compares; the constructor that a class has at run time; the protocol of tensors.
    other = re.compile(
        r"from (typing|collections\.abc|builtins|__future__)\b|from tvm_ffi(\.\w+)* import \w+ as None|"
        r"def (__ffi_init__|__init__|__dlpack__)"
    )
    return {name for name in found if not other.match(name)}


def fill_by_both(folder: Path, files: dict[str, str], *, ok: bool) -> tuple[Path, Path]:
    """Fill files by both tools, each in a folder of its own."""
    library = find_runtime().library_dir / LIBRARY
    commands = {"theirs": ("tvm_ffi.stub.cli",), "ours": ("tvm_ffi_build", "stubgen")}
    for tool, command in commands.items():
        for name, text in files.items():
            path = folder / tool / name / ("f.pyi" if name.endswith("_stub") else "f.py")
            path.parent.mkdir(parents=True)
            path.write_bytes(text.encode())
        done = run(sys.executable, "-m", *command, folder / tool, "--dlls", library, ok=False)
        assert (done.returncode == 0) is ok, (tool, done.stderr)
    return folder / "theirs", folder / "ours"


# What one file says of a type holds for all files of a run.
ALONE = {name for name, text in SAME.items() if "ty-map" in text or "global/testing" in text}
RELATIVE = {name for name, text in SAME.items() if "@." in text}


@pytest.mark.parametrize("names", [set(SAME) - ALONE - RELATIVE, *({name} for name in sorted(ALONE))], ids=len)
def test_both_fill_files_with_the_same_names(tmp_path: Path, names: set[str]) -> None:
    theirs, ours = fill_by_both(tmp_path, {name: SAME[name] for name in names}, ok=True)
    different = {}
    for path in sorted(theirs.rglob("f.py*")):
        their, our = path.read_bytes(), (ours / path.relative_to(theirs)).read_bytes()
        if names_in(our.decode()) != names_in(their.decode()):
            different[path.parent.name] = names_in(our.decode()) ^ names_in(their.decode())
    assert different == {}


@pytest.mark.parametrize("name", sorted(RELATIVE))
def test_both_import_the_function_from_a_relative_module(tmp_path: Path, name: str) -> None:
    library = find_runtime().library_dir / LIBRARY
    texts = []
    for tool in (("tvm_ffi.stub.cli",), ("tvm_ffi_build", "stubgen")):
        top = tmp_path / tool[0]
        (top / "pk/sub").mkdir(parents=True)
        for init in (top / "pk/__init__.py", top / "pk/sub/__init__.py"):
            init.write_text("from tvm_ffi import init_ffi_api as init_ffi_api\n", encoding="utf-8")
        for registry in (top / "pk/registry.py", top / "pk/sub/registry.py"):
            registry.write_text("from tvm_ffi import init_ffi_api as init_ffi_api\n", encoding="utf-8")
        (top / "pk/sub/f.py").write_text(SAME[name], encoding="utf-8")
        run(sys.executable, "-m", *tool, top / "pk/sub/f.py", "--dlls", library)
        texts.append(names_in((top / "pk/sub/f.py").read_text(encoding="utf-8")))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse(tmp_path: Path, name: str) -> None:
    theirs, ours = fill_by_both(tmp_path, {name: REFUSED[name]}, ok=False)
    assert (ours / name / "f.py").read_bytes() == (theirs / name / "f.py").read_bytes() == REFUSED[name].encode()


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_difference_is_in_the_manual(tmp_path: Path, name: str) -> None:
    text, subject = DIFFERENT[name]
    outcomes = []
    for tool in (("tvm_ffi.stub.cli",), ("tvm_ffi_build", "stubgen")):
        path = tmp_path / tool[0] / "f.py"
        path.parent.mkdir()
        path.write_bytes(text.encode())
        done = run(sys.executable, "-m", *tool, path, "--dlls", find_runtime().library_dir / LIBRARY, ok=False)
        outcomes.append((done.returncode, path.read_bytes()))
    assert outcomes[0] != outcomes[1]
    table = PAGE.read_text(encoding="utf-8").partition("## Comparison with the runtime's tool")[2]
    assert f"\n| {subject} |" in table


def test_there_are_forty_inputs() -> None:
    assert len(SAME) + len(REFUSED) + len(DIFFERENT) >= 40

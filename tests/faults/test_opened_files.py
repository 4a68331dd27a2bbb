"""Files that others named or made are opened by one module, which refuses pipes, devices and what is too large."""

from __future__ import annotations

import ast

import pytest
from support.project import ROOT

PACKAGE = ROOT / "tvm_ffi_build"
OWNER = "host/regular_files.py"

# Modules that open files in another way, for reading, and why these are regular files.
OWN_FILES = {
    # Data of this package, in its installation.
    *("contract/releases/ledger.py", "contract/releases/published_files.py", "external_libraries/system_symbols.py"),
    *(
        "audit/rule_pages.py",
        "gpus/catalogue.py",
        "cmake_steps/runtime_guard.py",
        "cross/compiler/script.py",
        "cross/compiler/toolchain.py",
    ),
    *("stubgen/new_package/loader.py", "wheels/own_wheel.py"),
    # Files that the same command has just unpacked, written or downloaded into a directory of its own.
    *("wheels/libraries.py", "wheels/rewrite.py", "audit/private_libraries.py", "pipeline/build.py"),
    # Verified before (cache_contents.py).
    "cross/runtimes.py",
    # Of installed distributions: zig's list of glibc versions, auditwheel's policies.
    *("cross/compiler/zig.py", "external_libraries/manylinux.py"),
    # Scripts and modules that run without this package; the files are made by it or by the build.
    *("stubgen/registry/reflect.py", "stubgen/new_package/loader_template.py", "cross/compiler/hide_symbols.py"),
}


def opens(text: str) -> set[str]:
    """Return the calls of a module that open a file for reading, other than those of the owner."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in {"read_text", "read_bytes"} or (name == "open" and not _writes(node)):
            found.add(name)
    return found


def _writes(call: ast.Call) -> bool:
    """Return whether ``open`` has a mode that writes; flags of ``os.open`` count as that."""
    mode = call.args[1:2] if isinstance(call.func, ast.Name) else call.args[:1]
    mode += [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    return ast.unparse(call.func) == "os.open" or any(
        isinstance(word, ast.Constant) and isinstance(word.value, str) and set(word.value) & set("wxa") for word in mode
    )


def test_no_module_but_one_opens_files_of_others() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if opens(path.read_text(encoding="utf-8"))
    }
    assert found - {OWNER} == OWN_FILES


@pytest.mark.parametrize(
    "text", ["path.read_text()", "open('a')", "path.open('rb')", "path.read_bytes()", "open(a, mode='r')"]
)
def test_ways_to_open_are_found(text: str) -> None:
    assert opens(text)
    assert not opens("path.open('wb')\nos.open('a', 1)\nopen('a', 'x', encoding='utf-8')")

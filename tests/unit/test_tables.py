"""What a project sets in ``[tool.tvm-ffi-build.*]``, and the manual's page of all that decides about builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import generated
import pytest
from support.project import ROOT

from tvm_ffi_build.errors import ProjectError
from tvm_ffi_build.pyproject.tables import AUDIT, REPAIR, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tvm_ffi_build.pyproject.tables import Key, Table

PAGE = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
KEYS = [(table, key) for table in TABLES for key in table.keys]
# Texts that look like a variable's name.
NO_VARIABLES = {
    *("FAILS_ON", "FAILS_ON_GPUS", "TYPE_CHECKING", "WORKS_WITH", "X_Y"),
    # Arguments of tvm_ffi_configure_target.
    *("STUB_DIR", "STUB_PKG"),
    # Names of the ELF, the system call open's and the C library's manuals.
    *("O_BINARY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK"),
    *("DT_RELR", "DT_TEXTREL", "GLIBC_ABI_DT_RELR", "GNU_PROPERTY_X86_ISA_1_NEEDED", "RTLD_GLOBAL"),
}
# On the page, and read by programs that this package starts.
OF_OTHERS = {"CUDAARCHS", "CMAKE_CROSSCOMPILING_EMULATOR", "XDG_CACHE_HOME", "ZIG_GLOBAL_CACHE_DIR"}


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_is_not_set_has_its_default(table: Table, tmp_path: Path) -> None:
    defaults = {key.name: key.default for key in table.keys}
    assert table.read(tmp_path) == defaults
    assert table.read(write(tmp_path, "[project]\n")) == defaults


@pytest.mark.parametrize(("table", "key"), KEYS, ids=lambda one: one.name)
def test_a_value_of_another_type_is_named_with_its_type(table: Table, key: Key, tmp_path: Path) -> None:
    assert key.kind.accepts(key.default)
    write(tmp_path, f"[tool.tvm-ffi-build.{table.name}]\n{key.name} = 1979-05-27\n")
    with pytest.raises(ProjectError) as caught:
        table.read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'pyproject.toml'}: tool.tvm-ffi-build.{table.name}.{key.name} is not {key.kind.name}"
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_key_that_nobody_knows_is_named(table: Table, tmp_path: Path) -> None:
    write(tmp_path, f"[tool.tvm-ffi-build.{table.name}]\nnonsense = 1\n")
    there = ", ".join(key.name for key in table.keys)
    with pytest.raises(ProjectError, match=rf"{table.name}\.nonsense is not known; there (is|are) {there}$"):
        table.read(tmp_path)


def test_a_table_that_nobody_knows_is_named(tmp_path: Path) -> None:
    write(tmp_path, "[tool.tvm-ffi-build.repiar]\nstrip = true\n")
    with pytest.raises(
        ProjectError, match=r"tool\.tvm-ffi-build\.repiar is not known; there are runtime, repair, audit"
    ):
        REPAIR.read(tmp_path)


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\ntvm-ffi-build = 1", "[tool.tvm-ffi-build]\naudit = 1"])
def test_what_should_be_a_table_and_is_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"pyproject\.toml: tool\S* is not a table$"):
        AUDIT.read(write(tmp_path, text))


def test_the_page_has_each_key_with_type_and_default() -> None:
    assert "<!-- generated: settings -->" in PAGE
    text = generated.settings()
    for table, key in KEYS:
        section = text.partition(f"[tool.tvm-ffi-build.{table.name}]")[2].partition("###")[0]
        assert f"| `{key.name}` | {key.kind.name} | " in section


def texts(path: Path) -> Iterator[str]:
    """Yield the texts that look like variable names; short ones only if they are read from the environment."""
    text = path.read_text(encoding="utf-8")
    # What the module offers are names of its own.
    without = re.sub(r"^__all__.*?\]$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"', without)
    yield from re.findall(r'environ(?:\.get\(|\.pop\(|\[)"(\w+)"', text)


def test_every_variable_that_is_read_or_set_is_on_the_page_and_no_other() -> None:
    package = {name for path in (ROOT / "tvm_ffi_build").rglob("*.py") for name in texts(path)} - NO_VARIABLES
    cmake = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cmake").rglob("*") if path.is_file())
    asked = set(re.findall(r"\$ENV\{([A-Z_]+)\}", cmake))
    shown = set(re.findall(r"`([A-Z][A-Z_]{2,})`", PAGE)) - {"WHEEL", "OFF"}
    assert package | asked <= shown
    there = package | asked | set(re.findall(r"\b[A-Z_]{3,}\b", cmake)) | {"PYTHONHOME"}
    assert shown - OF_OTHERS <= there


def test_every_variable_of_cmake_that_users_set_is_on_the_page() -> None:
    cmake = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cmake").rglob("*.cmake"))
    named = set(re.findall(r"-D(TVM_FFI_\w+)=", cmake)) | set(re.findall(r"if\((?:NOT )?(TVM_FFI_\w+)", cmake))
    table = PAGE.partition("## CMake variables")[2].partition("## ")[0]
    assert named - set(re.findall(r"`(\w+)`", table)) == set()
    assert {"TVM_FFI_LINK", "TVM_FFI_PYTHON", "TVM_FFI_WHEEL_IS_AGNOSTIC"} <= named

"""The page on moving from the runtime's own package: what that takes is all there, and is taken here."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from support.processes import run
from support.project import ROOT

PAGE = (ROOT / "docs/how-to/from-runtime-package.md").read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    """Return the cells of one of the page's tables."""
    (text,) = re.findall(rf"<!-- {name}: begin -->\n(.*?)<!-- {name}: end -->", PAGE, re.DOTALL)
    return [[cell.strip().strip("`") for cell in line[1:-1].split("|")] for line in text.splitlines()[2:]]


@pytest.fixture(scope="module")
def theirs() -> Path:
    """Return the folder of the runtime's CMake package."""
    return Path(run(sys.executable, "-m", "tvm_ffi.config", "--cmakedir").stdout.strip())


def without_comments(path: Path) -> str:
    return re.sub(r"^\s*#.*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def package(folder: Path) -> str:
    """Return the text of the runtime's package: its configuration file, and what that includes."""
    config = without_comments(folder / "tvm_ffi-config.cmake")
    included = re.findall(r"include\(\$\{CMAKE_CURRENT_LIST_DIR\}/(\S+)\)", config)
    assert included
    return "\n".join([config, *(without_comments(folder / name) for name in included)])


def functions(text: str) -> dict[str, set[str]]:
    """Return the public functions of a text of CMake, and the keywords of each."""
    found = {}
    for name, body in re.findall(
        r"^(?:function|macro)\s*\((\w+)(.*?)^end(?:function|macro)", text, re.MULTILINE | re.DOTALL
    ):
        lists = [
            *re.findall(r"set\s*\(\w+(?:options|oneValueArgs|multiValueArgs)\b([^()]*)\)", body),
            *re.findall(r'cmake_parse_arguments\([^"]*((?:"[^"]*"\s*)+)', body),
        ]
        found[name] = {word for part in lists for word in re.findall(r"\b[A-Z][A-Z_]+\b", part) if word != "ARGN"}
    return {name: keywords for name, keywords in found.items() if not name.startswith("_")}


def test_every_function_and_keyword_of_theirs_has_its_line(theirs: Path) -> None:
    wanted = functions(package(theirs))
    assert {"STUB_DIR", "LINK_SHARED"} < wanted["tvm_ffi_configure_target"]
    assert wanted["tvm_ffi_embed_bin_into"] == {"SYMBOL", "BIN"}
    said: dict[str, set[str]] = {}
    for name, keyword, _ in rows("cmake"):
        said.setdefault(name, set()).update({keyword} - {""})
    assert {name: said.get(name) for name in wanted} == wanted
    others = set(said) - set(wanted)
    assert others == {"find_package(tvm_ffi)", *targets_and_variables(theirs)}


def targets_and_variables(folder: Path) -> set[str]:
    text = package(folder)
    variables = re.findall(r"OUTPUT_VARIABLE (\w+)", text)
    # Those of a build that a project may set itself.
    defaults = re.findall(r"^if \(NOT DEFINED (CMAKE_\w+)\)", text, re.MULTILINE)
    targets = re.findall(r"add_library\((tvm_ffi::\w+)", text)
    assert variables
    assert defaults
    assert len(targets) == 2
    return {*variables, *defaults, *targets}


def test_what_is_no_part_of_their_package_is_said_to_be_none(theirs: Path) -> None:
    everything = "\n".join(without_comments(path) for path in theirs.rglob("*.cmake"))
    left = {name.lower() for name in functions(everything)}
    left -= {name.lower() for name in functions(package(theirs))}
    (sentence,) = re.findall(r"^Other functions in the runtime's directory.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", sentence)) == left


def test_every_line_is_taken_here() -> None:
    for name, keyword, _ in rows("cmake"):
        if "tvm_ffi_" in name and name.islower():
            text = (ROOT / f"cmake/{name}.cmake").read_text(encoding="utf-8")
            assert not keyword or re.search(rf"^#.*\b{keyword} ", text, re.MULTILINE), (name, keyword)


@pytest.mark.parametrize(
    ("table", "module", "ours"),
    [
        ("config", "tvm_ffi.config", "config"),
        ("stubgen", "tvm_ffi.stub.cli", "stubgen"),
    ],
)
def test_every_option_of_their_commands_has_its_line_and_is_taken(table: str, module: str, ours: str) -> None:
    usage = run(sys.executable, "-m", module, "--help").stdout.partition("\n\n")[0]
    said = [option for option, _ in rows(table)]
    assert said == re.findall(r"\[(--[a-z-]+)", usage)
    # Those that are refused with a reason of their own are in no help.
    refused = {option for option, here in rows(table) if "alone" in here or "refused" in here}
    help_of_ours = run(sys.executable, "-m", "tvm_ffi_build", ours, "--help").stdout
    assert [option for option in said if option not in help_of_ours] == [option for option in said if option in refused]

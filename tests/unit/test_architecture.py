"""The architecture: the layers of the package, what releases contain, and texts that no file may contain."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.downloads import download
from support.package_source import PACKAGE, find_lines, find_modules, list_texts
from support.project import ROOT, source_files

from tvm_ffi_build.audit.rules import RULES
from tvm_ffi_build.pipeline import checks_after
from tvm_ffi_build.wheels.own_wheel import write_own_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.environments import Environment

# From the lowest layer up. A module or subpackage may import those of lower layers only.
LAYERS = [
    {"errors", "platforms"},
    {"host"},
    {"binaries", "pyproject", "runtime", "terminal"},
    {"config", "external_libraries", "frontend", "gpus", "stubgen", "wheels"},
    {"contract", "new_project"},
    {"audit", "cmake_steps", "cross", "plugin", "setup_py"},
    {"doctor", "repair"},
    {"pipeline"},
    {"__main__"},
]


def internal_imports() -> dict[str, set[str]]:
    """Return what each top-level module or subpackage imports from the others, at run time or for its types."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        depth = len(path.relative_to(PACKAGE).parts)
        imports = found.setdefault(module, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
                imports.update(name for name in names if name != "__version__")
    del found["__init__"]
    return found


def test_every_module_belongs_to_a_layer_and_imports_from_lower_layers_only() -> None:
    layer_of = {module: layer for layer, names in enumerate(LAYERS) for module in names}
    imports = internal_imports()
    assert set(imports) == set(layer_of)
    upward = [
        f"{module} imports {imported}"
        for module, names in imports.items()
        for imported in names
        if layer_of[imported] >= layer_of[module]
    ]
    assert upward == []


def test_contributing_lists_the_parts_of_the_package_from_the_lowest_layer_up() -> None:
    layer_of = {module: layer for layer, names in enumerate(LAYERS) for module in names}
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Layout")[2].partition("\n## ")[0]
    bullets = section.partition("\n- ")[2].partition("\n\n")[0]
    listed = [name for name in re.findall(r"`(\w+)`", bullets) if name in layer_of]
    assert sorted(listed) == sorted(layer_of)
    assert sorted(listed, key=layer_of.__getitem__) == listed


def test_only_entry_points_errors_and_runtime_are_loose_modules() -> None:
    loose = {path.stem for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__", "__main__", "config", "errors", "plugin", "runtime", "setup_py"}


def test_no_two_modules_have_the_same_file_name() -> None:
    names = [path.name for path in PACKAGE.rglob("*.py")]
    twins = {name for name in names if names.count(name) > 1}
    assert twins <= {"__init__.py", "__main__.py", "command.py"}


def test_every_module_has_a_docstring_and_lists_its_public_names() -> None:
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), path
        assigned = [node for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
        targets = [target for node in assigned for target in getattr(node, "targets", [getattr(node, "target", None)])]
        assert "__all__" in [target.id for target in targets if isinstance(target, ast.Name)], path


# Modules that start programs in another way than with host.run, and the functions that they call.
STARTERS = {
    "host/run.py:subprocess.run",
    "host/run.py:subprocess.Popen",
    # A script that runs without this package.
    "cross/compiler/hide_symbols.py:subprocess.run",
    # Reads lines as they are printed.
    "frontend/run_frontend.py:subprocess.Popen",
}
STARTS = re.compile(
    r"subprocess\.(run|Popen|call|check_call|check_output|getoutput|getstatusoutput)"
    r"|os\.(system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?)"
    r"|asyncio\.create_subprocess_\w+"
)


def started(text: str) -> set[str]:
    """Return the functions that start programs and that a module names, also without calling or under another name."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            # Under another name, the attribute would not be recognised.
            found.update(f"{alias.name}.run" for alias in node.names if alias.name == "subprocess" and alias.asname)
    return {name for name in found if STARTS.fullmatch(name)}


def test_programs_are_run_by_one_function() -> None:
    """With ``host.run.run_program``, so that all have the same encoding, no standard input and an error with a hint."""
    assert find_lines(started) == STARTERS


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess\nsubprocess.run([])",
        "from subprocess import check_output",
        "import subprocess as other",
        "import os\nstart = os.execvp",
    ],
)
def test_other_ways_to_start_a_program_are_found(text: str) -> None:
    assert started(text)


@pytest.mark.parametrize("text", ["import subprocess\nsubprocess.TimeoutExpired", "import os\nos.path", "run([])"])
def test_what_starts_no_program_is_not_found(text: str) -> None:
    assert not started(text)


def test_one_module_spells_the_marker_of_stub_directives() -> None:
    assert find_modules(lambda source: "tvm-ffi-stubgen(" in "\n".join(list_texts(source))) == {
        "stubgen/files/directives.py"
    }


SUFFIXES = {"so", "dylib", "dll", "pyd"}
MAGIC = re.compile(rb"\x7fELF|[\xcf\xce]\xfa\xed\xfe|\xfe\xed\xfa[\xcf\xce]|\xca\xfe\xba[\xbe\xbf]|MZ|!<(arch|thin)>")


def tells_libraries_by_names(source: str) -> list[int]:
    """Return the lines with a pattern or a collection of what the names of libraries end in on several systems."""

    def is_wrong(node: ast.expr) -> bool:
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            values = [one.value for one in node.elts if isinstance(one, ast.Constant)]
            return len(SUFFIXES.intersection(str(value).lstrip(".") for value in values)) > 1
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            return len(SUFFIXES.intersection(re.findall(r"[a-z]+", node.value))) > 1
        return False

    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.expr))
    return sorted(node.lineno for node in nodes if is_wrong(node))


def test_the_bytes_of_a_file_say_whether_it_is_a_library() -> None:
    assert find_modules(tells_libraries_by_names) == {
        "wheels/libraries.py",  # what has such a name and is not a library is damaged
        "binaries/python_calls.py",  # the names of CPython's own library
        "audit/dll_search.py",  # the names that Python code loads DLLs by
        "audit/optional_libraries.py",  # the names that it loads libraries by, without their endings
        "audit/rules/python_abi.py",  # the names by which CPython's importer finds extension modules
        "repair/excludes.py",  # where a pattern for the name of a needed library can lack a version
    }


def test_readers_of_libraries_know_how_they_begin() -> None:
    def has_magic(source: str) -> bool:
        values = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
        return any(MAGIC.match(value) for value in values if isinstance(value, bytes))

    readers = {f"binaries/{name}.py" for name in ("elf", "macho", "pe", "static_library")}
    # A script that runs without this package.
    assert find_modules(has_magic) == readers | {"cross/compiler/hide_symbols.py"}


@pytest.mark.parametrize(
    "source",
    [
        '_LIBRARY = re.compile(r"\\.(so(\\.\\d+)*|dylib|dll|pyd)$")',
        'path.suffix in {".so", ".dylib"}',
        'name.endswith((".so", ".pyd"))',
    ],
)
def test_a_second_notion_of_a_library_is_found(source: str) -> None:
    assert tells_libraries_by_names(source)


@pytest.mark.parametrize(
    "source", ['f"lib{name}.so", f"lib{name}.dylib"', '{"win32": "a.dll", "darwin": "liba.dylib"}', '"libz.so*"']
)
def test_names_of_libraries_are_not_a_notion_of_them(source: str) -> None:
    assert not tells_libraries_by_names(source)


def test_one_definition_tells_extensions_from_other_wheels_and_libraries() -> None:
    """``audit``, ``contract``, ``repair`` and ``wheel`` ask for the reason to skip and do not look for calls."""
    callers = find_modules(lambda source: re.search(r"(?<![\w.])uses_runtime\(", source))
    assert callers == {
        "binaries/runtime_calls.py",
        "wheels/libraries.py",
        "audit/python_packages.py",  # which libraries of an extension its Python files have to load
    }
    asking = find_modules(lambda source: re.search(r"\breason_to_skip\b", source))
    assert {name.partition("/")[0] for name in asking} == {"wheels", "audit", "contract", "repair", "pipeline"}


def test_one_module_refuses_names_that_are_twice_in_an_object() -> None:
    assert find_modules(lambda source: "object_pairs_hook" in source) == {"contract/strict_json.py"}


def test_generated_programs_are_files_that_tools_check() -> None:
    """Strings hold neither functions in Python nor conditions and loops in shell, which no tool would check."""
    code = re.compile(r"^(def \w+\(|class \w+[(:]|if \[|case .* in$|for \w+ in .*do$|while .*do$)", re.MULTILINE)
    found = find_modules(lambda source: any(code.search(text) for text in list_texts(source) if "\n" in text))
    # Scripts of a few lines. ``test_shell_scripts`` checks what is written of them.
    assert found == {"cross/compiler/script.py", "repair/apple_tools/stand_ins.py"}
    assert code.search('#!/bin/sh\nif [ "$1" ]; then exit; fi')
    assert code.search("import sys\ndef main():\n    pass")


def test_no_program_uses_the_private_modules_of_pip() -> None:
    """The package index has a public interface (PEP 691)."""
    private = re.compile(r"^\s*(from|import) pip\b", re.MULTILINE)
    assert [path for path in source_files() if path.suffix == ".py" and private.search(path.read_text("utf-8"))] == [
        ROOT / "tests/unit/test_architecture.py"
    ]


def test_one_directory_writes_archives_and_the_rows_of_record() -> None:
    assert find_modules(lambda source: "b64encode(" in source) == {"wheels/record.py"}
    assert find_modules(lambda source: re.search(r"\.writestr\(|ZipFile\([^)]*[\"'][wax][\"']", source)) == set()


def test_the_pipeline_judges_wheels_by_the_rules_of_the_audit_alone() -> None:
    imports = internal_imports()["pipeline"]
    assert "audit" in imports
    assert imports.isdisjoint({"binaries", "contract"})
    assert set(checks_after._RULES) <= set(RULES)


def test_only_rules_find_problems() -> None:
    """No other code turns an error that it caught, or what it found itself, into a finding."""

    def modules_that_make(name: str) -> set[str]:
        return find_modules(lambda source: re.search(rf"(?<!class )\b{name}\(", source))

    assert {module.rpartition("/")[0] for module in modules_that_make("Problem")} == {"audit/rules"}
    assert modules_that_make("Finding") == {"audit/findings.py"}


RUNTIME = "apache-tvm-ffi"


def reads_the_name_by_hand(source: str) -> list[int]:
    """Return the lines that normalize a name without ``packaging``, or that compare one with the runtime's."""

    def is_wrong(node: ast.expr) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
            return [ast.unparse(argument) for argument in node.args[:2]] == ["'_'", "'-'"]
        if isinstance(node, ast.Compare):
            return any(ast.unparse(part) in {"DISTRIBUTION", "runtime.DISTRIBUTION"} for part in ast.walk(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value == RUNTIME or bool(re.search(r"\[[-_.]{3,}\]\+", node.value))
        return False

    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.expr))
    return sorted(node.lineno for node in nodes if is_wrong(node))


def test_only_one_function_compares_a_name_with_the_name_of_the_runtime() -> None:
    """The others ask a wheel for its requirements, which reads names and markers as installers do."""
    assert find_modules(reads_the_name_by_hand) == {"runtime.py"}
    assert find_modules(lambda source: "is_runtime_distribution(" in source) == {
        "runtime.py",
        "wheels/markers.py",
        "wheels/wheel.py",
    }


@pytest.mark.parametrize(
    "source",
    [
        'one.name.lower().replace("_", "-")',
        're.sub(r"[-_.]+", "-", name)',
        're.compile("[._-]+")',
        "canonicalize_name(one.name) == DISTRIBUTION",
        "DISTRIBUTION not in required",
        f'_RUNTIME = "{RUNTIME}"',
    ],
)
def test_a_name_that_is_read_by_hand_is_found(source: str) -> None:
    assert reads_the_name_by_hand(source)


@pytest.mark.parametrize(
    "source", ['name.replace("-", "_")', "canonicalize_name(one.name)", f'"{RUNTIME} is not installed"']
)
def test_other_uses_of_names_are_not_found(source: str) -> None:
    assert not reads_the_name_by_hand(source)


STATUSES = {"status", "severity", "result"}


def untyped_statuses(source: str) -> list[int]:
    """Return the lines that declare a status as any string, or compare one with a text instead of a constant."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.AnnAssign, ast.arg)):
            name = node.arg if isinstance(node, ast.arg) else getattr(node.target, "id", "")
            is_wrong = name in STATUSES and node.annotation is not None and ast.unparse(node.annotation) == "str"
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
            is_status = any(isinstance(part, ast.Attribute) and part.attr in STATUSES for part in parts)
            texts = [part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            is_wrong = is_status and bool(texts)
        else:
            continue
        if is_wrong:
            found.append(node.lineno)
    return found


def test_statuses_are_constants_whose_type_mypy_checks() -> None:
    assert find_lines(untyped_statuses) == set()


@pytest.mark.parametrize(
    "source",
    [
        "class Result:\n    status: str",
        "def rule(severity: str): ...",
        'result.status == "repaired"',
        '"ok" != verdict.status',
        'finding.rule.severity in {"error", "warning"}',
    ],
)
def test_a_status_that_is_any_string_is_found(source: str) -> None:
    assert untyped_statuses(source)


@pytest.mark.parametrize(
    "source",
    [
        "class Result:\n    status: Status = OK",
        "result.status == REPAIRED",
        'result.name == "demo"',
        "status: str | None",
    ],
)
def test_a_status_with_a_type_and_other_comparisons_are_not_found(source: str) -> None:
    assert not untyped_statuses(source)


def test_the_cmake_directory_is_not_a_python_package_and_no_directory_matches_the_search_of_cmake() -> None:
    assert not list((ROOT / "cmake").rglob("*.py"))
    assert not (PACKAGE / "cmake").exists()


def test_each_public_cmake_function_has_a_file_of_its_name_with_a_usage_comment() -> None:
    for path in (ROOT / "cmake").glob("*tvm_ffi_*.cmake"):
        text = path.read_text(encoding="utf-8")
        assert re.search(rf"^function\({path.stem} ", text, re.MULTILINE), path
        assert f"# {path.stem}(" in text, path
        public = set(re.findall(r"^(?:function|macro)\((\w+)", text, re.MULTILINE))
        assert {name for name in public if not name.startswith("_tvm_ffi_")} == {path.stem}


# A family of platform tags that is followed by a field of an f-string, by "*" or by a part of a regular expression.
SPELLED_TAG = re.compile(
    r"(?<![a-z])(?:manylinux|musllinux|macosx)(?:_$|(?=\S*[{(\[\\*<]))"
    r"|(?<![a-z_])(?:linux|win)_(?:$|[{(\[\\*])"
    r"|^manylinux(?:1|20\d\d)$"
)
TAG_PREFIX = re.compile(r"(?:manylinux|musllinux|linux_|macosx|win(?!dows))")
# Messages: the first names no architecture, the second no version.
SPELLED_IN_MESSAGES = {
    ("cross/targets.py", "write macosx_{}_0 or macosx_{}_0"),
    ("repair/linux.py", "{} is not meant: this wheel's libraries ask for --plat manylinux_<X>_<Y>_{}"),
}


def spelled_tags(source: str) -> list[str]:
    """Return the texts of a module that spell or take apart platform tags, with ``{}`` for the fields of f-strings."""
    nodes = list(ast.walk(ast.parse(source)))
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    found = []
    for node in nodes:
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | docstrings:
            text = node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"startswith", "removeprefix"}:
            prefixes = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
            found += [prefix for prefix in map(str, prefixes) if TAG_PREFIX.match(prefix)]
        if SPELLED_TAG.search(text):
            found.append(text)
    return found


def test_one_module_parses_and_spells_platform_tags() -> None:
    """Use ``PlatformTag``, ``tag_pattern`` and ``family_of`` elsewhere."""
    found = {
        (path.relative_to(PACKAGE).as_posix(), text)
        for path in PACKAGE.rglob("*.py")
        for text in spelled_tags(path.read_text(encoding="utf-8"))
    }
    owner = "platforms/tags.py"
    assert {(name, text) for name, text in found if name != owner} == SPELLED_IN_MESSAGES
    assert owner in {name for name, _ in found}


@pytest.mark.parametrize(
    "source",
    [
        r're.compile(r"manylinux_(\d+)_(\d+)_(\w+)")',
        r're.compile("(manylinux|macosx)_([0-9]+)")',
        'f"musllinux_{major}_{minor}_{architecture}"',
        'f"linux_{architecture}"',
        'FAMILIES = ("macosx_*_arm64",)',
        '"win_" + architecture',
        'tag.startswith("musllinux")',
        'tag.removeprefix(("manylinux", "win"))',
        'ALIASES = {"manylinux2014": (2, 17)}',
    ],
)
def test_a_second_spelling_of_platform_tags_is_found(source: str) -> None:
    assert spelled_tags(f"value = {source}" if "=" not in source else source)


@pytest.mark.parametrize(
    "source",
    [
        '"""As ``manylinux_*_x86_64``."""',
        'EXAMPLE = "manylinux_2_28_x86_64"',
        'tag.family == "macosx"',
        '"--manylinux"',
    ],
)
def test_complete_tags_and_names_of_families_may_be_written_anywhere(source: str) -> None:
    assert not spelled_tags(source)


def files_that_match(pattern: re.Pattern[str]) -> list[str]:
    """Return the source files whose name or text matches."""
    names = [path.relative_to(ROOT).as_posix() for path in source_files()]
    texts = {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in names}
    return [name for name, text in texts.items() if pattern.search(name) or pattern.search(text)]


def test_no_file_names_the_host_of_a_registry() -> None:
    hosts = re.compile("|".join(["pypi" + r"\.org", "python" + "hosted", r"deb\." + "debian", r"registry\." + "npmjs"]))
    assert files_that_match(hosts) == []


# Terms that once stood for the architecture. The brackets keep the pattern from matching itself.
BUILDING = re.compile(
    r"(?<![a-z])ho[u]ses?(?![a-z])"
    r"|(?<![a-z])ro[o]ms(?![a-z])"
    r"|(?<![a-z])(?:a|an|each|every|one|other|the|this|that|which) ro[o]m(?![a-z])"
    r"|(?:ground|higher|lower|same|upper) flo[o]rs?(?![a-z])",
    re.IGNORECASE,
)


def test_no_file_describes_the_architecture_in_terms_of_a_building() -> None:
    assert files_that_match(BUILDING) == []


@pytest.mark.parametrize(
    "text", ["tests/unit/test_hou-se.py", "the hou-se", "every ro-om", "its ro-oms", "on lower flo-ors"]
)
def test_the_terms_of_a_building_are_found(text: str) -> None:
    assert BUILDING.search(text.replace("-", ""))


@pytest.mark.parametrize("text", ["dist -w wheelhouse", "make room for it", "no room is left", "the floor of a range"])
def test_ordinary_uses_of_these_words_are_not_found(text: str) -> None:
    assert not BUILDING.search(text)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the project's own sdist and wheel."""
    directory = tmp_path_factory.mktemp("dist")
    download("uv", "build", "--quiet", "--python", sys.executable, "-o", directory, ROOT)
    return directory


def test_the_released_wheel_has_the_contents_of_the_wheel_for_isolated_builds(built: Path, tmp_path: Path) -> None:
    (released,) = built.glob("*.whl")

    def content(wheel: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}

    assert content(released) == content(write_own_wheel(tmp_path))


def test_the_sdist_contains_the_files_that_its_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    listed = subprocess.run(["tar", "-tzf", sdist], check=True, capture_output=True, encoding="utf-8").stdout
    names = {line.partition("/")[2] for line in listed.splitlines()}
    for name in (
        "cmake/tvm_ffi-config.cmake",
        "templates/common/.github/workflows/wheels.yml.jinja",
        "tests/conftest.py",
        "LICENSE",
        "examples/python_packaging/src/extension.cc",
        "tests/packages/minimal/pyproject.toml",
    ):
        assert name in names


PARSED_BY_PIP = """
import sys
from pip._vendor.pkg_resources import EntryPoint
EntryPoint.parse_map(sys.stdin.read())
"""


def test_pip_on_older_pythons_can_parse_the_entry_points_of_their_wheel(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parse them with the parser that pip uses there; pip vendors it on every Python."""
    monkeypatch.syspath_prepend(str(ROOT))
    hatch_build = importlib.import_module("hatch_build")
    environment.install("pip")

    def parse(takes_hyphens: bool) -> str:
        monkeypatch.setattr(hatch_build, "PIP_TAKES_HYPHENS", takes_hyphens)
        metadata: dict[str, dict[str, dict[str, str]]] = {}
        hatch_build.EntryPoints(str(ROOT), {}).update(metadata)
        lines = [
            line
            for group, entries in metadata["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        return environment.run("-c", PARSED_BY_PIP, input="\n".join(lines), stdin=None, ok=False)

    assert parse(takes_hyphens=False) == ""
    # When this no longer holds, one wheel is enough for all Pythons.
    assert "Invalid group name" in parse(takes_hyphens=True)
